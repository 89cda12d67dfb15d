"""Pictures of files as they are shown."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from nightfx.job.source_target import open_shot
from nightfx.options import SourceOptions
from nightfx.picture import SDR, encoding_by_tags
from nightfx.preview.pick import Picked
from nightfx.preview.shown import view
from nightfx.source import deinterlaced, is_picture, read_picture


def views(path: Path, *, most: int, max_pixels: int) -> Iterator[Tensor]:
    """A picture, or the first `most` frames of a clip, as a display of SDR shows them: (3, H, W) in [0, 1]."""
    if is_picture(path):
        still = Picked(read_picture(path, max_pixels), None, 0, SDR)
        yield torch.from_numpy(view(still, still.frame))
        return
    options = SourceOptions(keep_going=True, max_pixels=max_pixels)
    with open_shot(path, options) as shot:
        encoding = encoding_by_tags(shot.info.tags, shot.info.coding)
        frames = shot.frames()
        shown = deinterlaced(frames)
        for frame in islice(shown, most):
            yield torch.from_numpy(view(Picked(frame, shot.info, 0, encoding), frame))
