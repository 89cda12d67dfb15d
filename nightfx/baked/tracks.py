"""Planes made small for a bake: on a coarser grid, such that what is read between its numbers comes near to them.

What no pixel shows costs most: a field of the sky where there is no sky, and the ground's behind the sky. It is filled smoothly
from what is seen.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from nightfx.baked.header import CHANNELS, TRACKS, TrackSize
from nightfx.baked.lit import to_cells
from nightfx.picture import Float32

# parts of the grid of cells that each kind is written on; a ground without lamps and sky has the room of both
_PARTS = {"ground": 2.4, "veil": 1.0, "sky": 3.0, "matte": 2.0, "groups": 8.0}
_GROUND_ALONE = 1.5
# 1 / what a number stands for: shares of a colour are multiplied by less than 1, a constant is not
_SHARE, _CONSTANT, _VEIL, _SKY, _MATTE, _GROUPS = 256, 512, 512, 256, 128, 32
_PASSES = 2  # of what the coarser grid misses, put back
_LEAST = np.float32(1e-3)
_ONE = np.ones((3, 3), np.uint8)


def track_sizes(cells: tuple[int, int], *, ground_alone: bool) -> tuple[TrackSize, ...]:
    """Return how planes of `cells` (h, w) are written."""
    parts = _PARTS | ({"ground": _GROUND_ALONE} if ground_alone else {})
    steps = {
        "ground": ([1 / _SHARE] * 3 + [1 / _CONSTANT]) * 3,
        "veil": [1 / _VEIL] * 3,
        "sky": [1 / _SKY] * 15,
        "matte": [1 / _MATTE] * 6,
        "groups": [1 / _GROUPS] * CHANNELS["groups"],
    }
    return tuple(
        TrackSize(
            name, _part(cells[0], parts[name]), _part(cells[1], parts[name]), tuple(steps[name])
        )
        for name in TRACKS
    )


def _part(side: int, part: float) -> int:
    return max(round(side / part), 1)


def made_small(planes: Mapping[str, Float32], track: TrackSize) -> Float32:
    """Return the planes of a track on its own grid, what is not seen of them filled in."""
    values, size = planes[track.name], (track.height, track.width)
    matte = planes.get("matte")
    if matte is None:
        return _fitted(values, size)
    if track.name == "ground":
        return _fitted(filled(values, _near(matte[4] < 1)), size)
    if track.name == "sky":
        return _fitted(filled(values, _near(matte[5] > 0)), size)
    if track.name == "matte":
        told = filled(values[:4], _near((matte[5] > 0) & (matte[4] < 1)))
        # bounds are means alone: what is exactly sky, or none, stays so
        return np.concatenate([_fitted(told, size), _area(values[4:], size)])
    return _fitted(values, size)


def _near(seen: np.ndarray) -> Float32:
    """Where something is seen, and right beside it, 1, else next to nothing (h, w)."""
    near: Float32 = np.maximum(cv2.dilate(seen.astype(np.float32), _ONE), _LEAST)
    return near


def filled(planes: Float32, weight: Float32) -> Float32:
    """Planes (n, h, w) that are smooth where their `weight` (h, w) is small: made small and large again, down to one cell."""
    if weight.min() >= 1:
        return planes
    return _pulled(planes * weight, weight)


def _pulled(sums: Float32, weight: Float32) -> Float32:
    height, width = weight.shape
    own: Float32 = np.asarray(sums / np.maximum(weight, np.float32(1e-9)), np.float32)
    if height == width == 1:
        return own
    size = -(-height // 2), -(-width // 2)
    less = _area(np.concatenate([sums, weight[None]]), size)
    around = to_cells(_pulled(less[:-1], less[-1]), (height, width))
    return np.where(weight > 2 * _LEAST, own, around).astype(np.float32)


def _fitted(planes: Float32, size: tuple[int, int]) -> Float32:
    if planes.shape[1:] == size:
        return planes
    cells = planes.shape[1], planes.shape[2]
    small = _area(planes, size)
    for _ in range(_PASSES):
        small += _area(planes - to_cells(small, cells), size)
    return small


def _area(planes: Float32, size: tuple[int, int]) -> Float32:
    return np.stack([cv2.resize(x, size[::-1], interpolation=cv2.INTER_AREA) for x in planes])
