"""Views of the drawn town (`tools/town`): what each pixel shows is known exactly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from nightfx.errors import TrainingError
from nightfx.scene.kinds import KINDS, SURFACES
from nightfx.training.data.decode import load_picture
from nightfx.training.scene.labelled import ALL_LIGHTS, Labelled

DAYS = ("sun", "overcast")


def find_views(folder: Path) -> Iterator[Path]:
    """The folders of complete views for training, in the order of their names."""
    train = folder / "train"
    yield from (path for path in sorted(train.glob("*")) if path.suffix != ".part")


def read_view(path: Path) -> list[Labelled]:
    """The view under each sky of the day, with all that it shows. Raises `TrainingError`."""
    maps = read_maps(path)
    surfaces, lights = maps[: len(SURFACES)], maps[len(SURFACES) :]
    sky, rest = surfaces[0], 1 + surfaces[1:].argmax(0).astype(np.uint8)
    lit = sum((np.uint8(1 << i) * (light > 127) for i, light in enumerate(lights)), np.uint8(0))
    known = np.full_like(sky, ALL_LIGHTS)
    whole = np.full_like(sky, 255)
    pictures = [load_picture(path / f"{day}.webp") for day in DAYS]
    return [Labelled(x, sky, rest, np.asarray(lit, np.uint8), known, whole) for x in pictures]


def read_maps(path: Path) -> np.ndarray:
    """How much each pixel shows of each of `KINDS`: (11, H, W) uint8."""
    found = cv2.imread(str(path / "kinds.png"), cv2.IMREAD_GRAYSCALE)
    if found is None or len(found) % len(KINDS):
        raise TrainingError(
            f"{path}: kinds.png is missing or not of {len(KINDS)} maps; draw it anew"
        )
    maps: np.ndarray = np.asarray(found, np.uint8).reshape(len(KINDS), -1, found.shape[1])
    return maps
