"""Patches of light, and what becomes of them where samples stand: at the pixels of a plate, at its chroma, in a small picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nightfx.picture import Float32, Plane, kernel


class Shape(NamedTuple):
    """What a patch is drawn from: a light whose cover the plate's own pixels decide."""

    left: int
    top: int
    size: tuple[int, int]
    """(h, w) of the box."""
    quad: Float32
    """(4, 2), px x, y in the box: its corners, clockwise."""
    light: Float32
    """(3,), linear light where it shines as glass of the mean brightness, or in the middle."""
    has_panes: bool
    """Whether it has panes; else it is round."""
    wall: float = 0.0
    """The brightness of the wall around panes, 1 being the largest code."""
    glass: float = 0.0
    """That of the glass."""
    group: str = ""
    """The lamps that it is turned up and down with."""


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
    shape: Shape | None = None
    """What it was drawn from, where it was."""


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
    boxes = [_box_of(patch, size) for patch in patches]
    covers = [
        patch.cover[top - patch.top : bottom - patch.top, left - patch.left : right - patch.left]
        for patch, (top, bottom, left, right) in zip(patches, boxes, strict=True)
    ]
    shine = [(*patch.light, patch.texture, patch.mean) for patch in patches]
    return _packed(boxes, covers, np.array(shine, np.float32).reshape(-1, 5))


def _box_of(patch: Patch, size: tuple[int, int]) -> tuple[int, int, int, int]:
    height, width = patch.cover.shape
    top, bottom = max(patch.top, 0), min(patch.top + height, size[0])
    left, right = max(patch.left, 0), min(patch.left + width, size[1])
    return (top, bottom, left, right) if top < bottom and left < right else (0, 0, 0, 0)


def _packed(boxes: Sequence[tuple[int, ...]], covers: Sequence[Float32], shine: Float32) -> Packed:
    places = np.array(boxes, np.int64).reshape(-1, 4)
    starts, count = _starts(places)
    flat = np.empty(count, np.float32)
    for start, cover in zip(starts, covers, strict=True):
        flat[start : start + cover.size] = cover.ravel()
    return Packed(places, starts, flat, shine)


def _starts(boxes: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Where the covers of boxes begin, one after another, and how many numbers all of them are."""
    ends = np.cumsum((boxes[:, 1] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 2]))
    starts = np.concatenate([np.zeros(1, np.int64), ends])
    return starts[:-1].astype(np.int64), int(starts[-1])


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
    starts, count = _starts(places)
    made = Packed(places, starts, np.zeros(count, np.float32), plate.shine)
    _average(plate, size, (sub_x, sub_y), made)
    return made


@kernel()
def _average(plate: Packed, size: tuple[int, int], sub: tuple[int, int], made: Packed) -> None:
    for i in range(plate.boxes.shape[0]):
        _average_one(plate, i, size, sub, made)


@kernel()
def _average_one(
    plate: Packed, i: int, size: tuple[int, int], sub: tuple[int, int], made: Packed
) -> None:
    box, to = plate.boxes[i], made.boxes[i]
    first, last, left, right = box[0], box[1], box[2], box[3]
    top, bottom, near, far = to[0], to[1], to[2], to[3]
    whole = plate.cover[plate.starts[i] : plate.starts[i] + (last - first) * (right - left)]
    cover, count = whole.reshape((last - first, right - left)), far - near
    wide = np.empty((count + 1) << sub[0], np.float32)
    for row in range(top, bottom):
        start = made.starts[i] + (row - top) * count
        out = made.cover[start : start + count]
        average_part(cover, (first, left), size, sub, row, near, wide, out)


@kernel()
def average_part(
    part: Plane,
    place: tuple[int, int],
    size: tuple[int, int],
    sub: tuple[int, int],
    row: int,
    left: int,
    wide: Float32,
    out: Float32,
) -> None:
    """Write samples of a row of chroma from `left` on, of a plane of `size` that is 0 but for a `part` at a place.

    Each is averaged by the triangle around it, as `average_at_sites` does; `wide` has room for as many pixels and some.
    """
    step = 1 << sub[0]
    begin, count = (left << sub[0]) - (step - 1), out.shape[0] * step + step - 1
    pixels = wide[:count]
    pixels[:] = 0
    above, below = row << sub[1], min((row + 1) << sub[1], size[0])
    first = max(begin, place[1])
    last = max(min(begin + count, place[1] + part.shape[1]), first)
    for y in range(max(above, place[0]), min(below, place[0] + part.shape[0])):
        own, sums = part[y - place[0], first - place[1] : last - place[1]], pixels[first - begin :]
        for x in range(own.shape[0]):
            sums[x] += own[x]
    # the plane goes on as it ends
    if begin < 0:
        pixels[:-begin] = pixels[-begin]
    if begin + count > size[1]:
        pixels[size[1] - begin :] = pixels[size[1] - begin - 1]
    share = np.float32(1) / np.float32((below - above) * step * step)
    out[:] = 0
    for k in range(2 * step - 1):
        weight, moved = np.float32(min(k + 1, 2 * step - 1 - k)) * share, pixels[k:]
        for x in range(out.shape[0]):
            out[x] += moved[x << sub[0]] * weight


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
