"""Traces that a method leaves at borders: seams between tiles, halos along skylines, edges that dissolve."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from nightfx.metrics.bands import around, between, depth, share
from nightfx.metrics.pictures import luma, to_lines

_BESIDE_PX = (-3, -2, 2, 3)  # lines that show what a border shows, without it
_GRADIENT_FLOOR = 1e-3
_BLACK = 0.03  # added to luma under logarithms: what is black has no halo
NEAR_PX, FAR_PX = (1, 4), (8, 16)  # from the skyline, at 256 px of the shorter side
_STEP = 0.15  # of luma across a skyline that counts
DETAIL_LINES = 360
_DETAIL_PX, _DETAIL, _GONE, _LIFT = 24, 0.15, 0.35, 0.02


def seams(render: Tensor, plate: Tensor, rows: Sequence[int], columns: Sequence[int]) -> float:
    """The gradient at borders of tiles over that inside, of a render (3, H, W) ÷ the same of its plate; 1 is no seam.

    Tiles begin at `rows` and `columns`, without 0. The gradient is the mean of |luma − its neighbour's| across a line plus
    1e-3; inside are the lines 2 and 3 px to either side, which show much the same. Blocks of a codec, whose borders are the
    same lines, are in the plate too. NaN without borders.
    """
    if not (len(rows) or len(columns)):
        return float("nan")
    of_render, of_plate = (_border_ratio(luma(x), rows, columns) for x in (render, plate))
    return of_render / of_plate


def _border_ratio(y: np.ndarray, rows: Sequence[int], columns: Sequence[int]) -> float:
    at: list[np.ndarray] = []
    inside: list[np.ndarray] = []
    for lines, borders in ((y, rows), (y.T, columns)):
        steps = np.abs(np.diff(lines, axis=0))  # [i] is across the line above i + 1
        for border in borders:
            at.append(steps[border - 1])
            near = [border - 1 + away for away in _BESIDE_PX]
            inside += [steps[i] for i in near if 0 <= i < len(steps)]
    across, other = (float(np.concatenate(v).mean()) if v else 0.0 for v in (at, inside))
    return (across + _GRADIENT_FLOOR) / (other + _GRADIENT_FLOOR)


@torch.no_grad()
def halos(plate: Tensor, render: Tensor, sky: Tensor) -> float:
    """The rim that a render has along the skyline and its plate has not, in stops; NaN without a skyline.

    Either side's rim is the mean of log2(luma + 0.03) 1 to 4 px from the skyline less that 8 to 16 px from it, within 33 px of
    each place, at 256 px of the shorter side; a halo is |rim of render| − |rim of plate| where that is above 0, the mean
    over both sides and the places where the plate's luma steps by 0.15 or more. `sky`, (H, W) of any size, is above 0.5
    where the plate shows sky. Even darkening, of the sky or of all, leaves rims as they are.
    """
    before, after = luma(to_lines(plate)), luma(to_lines(render))
    size = before.shape[1::-1]
    mask = cv2.resize(sky.float().numpy(), size, interpolation=cv2.INTER_LINEAR) > 0.5
    if mask.all() or not mask.any():
        return float("nan")
    sides = [depth(m) for m in (mask, ~mask)]
    steps = [around(before, between(d, NEAR_PX)) for d in sides]
    line = between(sides[0], (0, 1.5)) & (np.abs(steps[0] - steps[1]) >= _STEP)
    if not line.any():
        return float("nan")
    found = [np.abs(_rim(after, d)) - np.abs(_rim(before, d)) for d in sides]
    return float(np.mean([np.maximum(side, 0)[line].mean() for side in found]))


def _rim(y: np.ndarray, distance: np.ndarray) -> np.ndarray:
    v = np.log2(y + np.float32(_BLACK))
    near, far = (between(distance, band) for band in (NEAR_PX, FAR_PX))
    known = (share(near) > 0) & (share(far) > 0)
    return np.where(known, around(v, near) - around(v, far), 0)


@torch.no_grad()
def dissolved(plate: Tensor, render: Tensor) -> float:
    """The share of what has detail in a plate (3, H, W) and next to none in its render: skylines and walls that dissolve.

    Detail is the standard deviation of ln(luma + 0.02) over 24 px square, at 360 lines, and counts from 0.15 on. It
    is gone where render ÷ plate is below 0.35 of what it is in the median: a grade, however dark, leaves it.
    """
    before, after = (_detail(luma(to_lines(picture, DETAIL_LINES))) for picture in (plate, render))
    counts = before > _DETAIL
    if not counts.any():
        return 0.0
    kept = after[counts] / before[counts]
    return float((kept < _GONE * np.median(kept)).mean())


def _detail(y: np.ndarray) -> np.ndarray:
    log = np.log(y + _LIFT)
    mean, square = (cv2.blur(x, (_DETAIL_PX, _DETAIL_PX)) for x in (log, log * log))
    deviation: np.ndarray = np.sqrt(np.maximum(square - mean * mean, 0))
    return deviation
