"""Patches of light, and what becomes of them where samples stand: at the pixels of a plate, at its chroma, in a small picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import prange
from numpy.typing import NDArray

from nightfx.picture import Float32, kernel


class Patch(NamedTuple):
    """The light of one lamp, in a box of the plate as it is coded, of which a part may lie outside of the plate."""

    left: int
    top: int
    cover: Float32
    """(h, w), 0 to 1: how much of each pixel shines."""
    light: Float32
    """(3,), red, green and blue of linear light where it shines wholly; 1 is the picture's white."""
    texture: float = 0.0
    """How much the plate's own contrast modulates it, 0 to 1."""
    mean: float = 1.0
    """The luma of the plate, in linear light, at which that leaves it as it is."""


class Packed(NamedTuple):
    """The parts of patches that lie on a grid of samples, one after another."""

    boxes: NDArray[np.int64]
    """(n, 4): the first row of each, the one after its last, and so its columns."""
    starts: NDArray[np.int64]
    """(n,): where the first row of each stands in `cover`."""
    cover: Float32
    """How much of each sample shines, row after row."""
    shine: Float32
    """(n, 5): light of red, green and blue, texture and its mean."""


def packed(patches: Sequence[Patch], size: tuple[int, int]) -> Packed:
    """Return what of patches lies on a plate of `size` (height, width)."""
    boxes, covers = [], []
    for patch in patches:
        (first, last), (left, right) = (
            (max(start, 0), max(min(start + length, side), start, 0))
            for start, length, side in zip(
                (patch.top, patch.left), patch.cover.shape, size, strict=True
            )
        )
        boxes.append((first, max(last, first), left, max(right, left)))
        part = patch.cover[first - patch.top : last - patch.top, left - patch.left :]
        covers.append(part[:, : right - left].ravel())
    shine = [(*patch.light, patch.texture, patch.mean) for patch in patches]
    return _packed(boxes, covers, np.array(shine, np.float32).reshape(-1, 5))


def _packed(boxes: Sequence[tuple[int, ...]], covers: Sequence[Float32], shine: Float32) -> Packed:
    places = np.array(boxes, np.int64).reshape(-1, 4)
    cover = np.concatenate([*covers, np.empty(0, np.float32)]).astype(np.float32, copy=False)
    return Packed(places, _starts(places), cover, shine)


def _starts(boxes: NDArray[np.int64]) -> NDArray[np.int64]:
    ends = np.cumsum((boxes[:, 1] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 2]))
    return np.concatenate([np.zeros(1, np.int64), ends])[:-1].astype(np.int64)


def at_chroma(plate: Packed, size: tuple[int, int], sub_x: int, sub_y: int) -> Packed:
    """Return patches of a plate of `size` where chroma's samples stand, averaged as `average_at_sites` does."""
    if not (sub_x or sub_y):
        return plate
    boxes, step = plate.boxes, 1 << sub_x
    first, left = boxes[:, 0] >> sub_y, boxes[:, 2] >> sub_x
    last = ((boxes[:, 1] - 1) >> sub_y) + 1
    right = np.minimum(((boxes[:, 3] + step - 2) >> sub_x) + 1, -(-size[1] >> sub_x))
    empty = (boxes[:, 0] >= boxes[:, 1]) | (boxes[:, 2] >= boxes[:, 3])
    last, right = np.where(empty, first, last), np.where(empty, left, right)
    places = np.stack([first, last, left, right], 1).astype(np.int64)
    starts = _starts(places)
    count = int(((places[:, 1] - places[:, 0]) * (places[:, 3] - places[:, 2])).sum())
    made = Packed(places, starts, np.zeros(count, np.float32), plate.shine)
    _average(plate, size, (sub_x, sub_y), made)
    return made


@kernel(parallel=True)
def _average(plate: Packed, size: tuple[int, int], sub: tuple[int, int], made: Packed) -> None:
    for i in prange(plate.boxes.shape[0]):
        _average_one(plate, i, size, sub, made)


@kernel()
def _average_one(
    plate: Packed, i: int, size: tuple[int, int], sub: tuple[int, int], made: Packed
) -> None:
    first, last, left, right = plate.boxes[i]
    top, bottom, near, far = made.boxes[i]
    step = 1 << sub[0]
    for row in range(top, bottom):
        above, below = row << sub[1], min((row + 1) << sub[1], size[0])
        share = np.float32(1) / np.float32((below - above) * step * step)
        for column in range(near, far):
            total = np.float32(0)
            for y in range(max(above, first), min(below, last)):
                start = plate.starts[i] + (y - first) * (right - left)
                for k in range(1 - step, step):
                    x = min(max((column << sub[0]) + k, 0), size[1] - 1)
                    if left <= x < right:
                        total += plate.cover[start + x - left] * np.float32(step - abs(k))
            made.cover[made.starts[i] + (row - top) * (far - near) + column - near] = total * share


def shrunk(plate: Packed, size: tuple[int, int], new_size: tuple[int, int]) -> Packed:
    """Return patches of a plate of `size` in a picture of `new_size`, each of whose pixels gets the mean of what it covers."""
    boxes, covers = [], []
    for i, (first, last, left, right) in enumerate(plate.boxes.tolist()):
        start, shape = plate.starts[i], (last - first, right - left)
        cover = plate.cover[start : start + shape[0] * shape[1]].reshape(shape)
        top, rows = _overlaps(first, last, size[0], new_size[0])
        near, columns = _overlaps(left, right, size[1], new_size[1])
        boxes.append((top, top + len(rows), near, near + len(columns)))
        covers.append((rows @ cover @ columns.T).ravel())
    return _packed(boxes, covers, plate.shine)


def _overlaps(first: int, last: int, side: int, new_side: int) -> tuple[int, Float32]:
    """The first of the new pixels that pixels from `first` to before `last` reach, and how much of each of those lies in it.

    (new, old), in parts of a new pixel.
    """
    scale = new_side / side
    start = int(first * scale)
    new = np.arange(start, int(np.ceil(last * scale)), dtype=np.float64)[:, None]
    old = np.arange(first, last, dtype=np.float64) * scale
    overlap = np.minimum(new + 1, old + scale) - np.maximum(new, old)
    return start, np.maximum(overlap, 0).astype(np.float32)
