"""The run as TensorBoard shows it: scalars and grids of samples."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nightfx.errors import install_words

_log = logging.getLogger(__name__)


class Board:
    """Writes event files into a folder; without the tensorboard package it says so once and writes nothing."""

    def __init__(self, folder: Path, step: int) -> None:
        self._writer: Any = None
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            _log.warning(
                f"TensorBoard is not installed ({install_words('train')}); losses.png has the curves"
            )
            return
        # what a killed run wrote beyond its checkpoint is written anew
        self._writer = SummaryWriter(str(folder), purge_step=step)

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Add a point to each curve."""
        for name, value in values.items():
            if self._writer:
                self._writer.add_scalar(name.replace(" ", "_"), value, step)

    def picture(self, name: str, path: Path, step: int) -> None:
        """Show the picture file at `path`."""
        if self._writer:
            with Image.open(path) as image:
                self._writer.add_image(name, np.asarray(image), step, dataformats="HWC")

    def close(self) -> None:
        """Finish the files."""
        if self._writer:
            self._writer.close()
