"""What a render did along the skyline: walls that went darker near it, and rims that the day's sky left on its edge.

Both are measured at 360 px of the shorter side, where `sky` tells what of the plate is sky; what is called a wall is all
that is none. A wall near the sky is compared with a wall far from it *of the same brightness in the plate*, so that a
grade, whatever its curve, is 0.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from nightfx.metrics.bands import around, between, depth, share
from nightfx.metrics.pictures import luma, to_lines
from nightfx.picture import Float32

SKYLINE_LINES = 360
# 8 to 24 px from the edge, and 60 to 120, at 512 lines
NEAR_PX, FAR_PX = (5.6, 17.0), (42.0, 84.0)
EDGE_PX, SIDE_PX = 2.0, (3.0, 10.0)
_BLACK = 0.03  # added to luma under logarithms, as for halos
_STRIPS = 3  # of the width: what is compared lies above one another, more or less
_SHADES = 12  # of the plate's luma
_LEAST_PX = 24  # of a shade, on either side: fewer say nothing
_STEP = 0.1  # of luma across the skyline: less is an edge that one does not see


class Skyline(NamedTuple):
    """What became of a skyline, in stops of luma; NaN where there is none to measure."""

    darker: float
    """How much more walls 8 to 24 px (of 512 lines) below the sky were darkened than those 60 to 120 px from it, 0 if less."""
    fringe: float
    """How far the edge itself, by its mean over 33 px, is brighter than both sides of it, or darker than both."""


@torch.no_grad()
def skyline(plate: Tensor, render: Tensor, sky: Tensor) -> Skyline:
    """Compare a render with its plate, (3, H, W) both, along the edge of `sky`, (H, W) of any size, above 0.5 where sky is."""
    before, after = (luma(to_lines(x, SKYLINE_LINES)) for x in (plate, render))
    mask = cv2.resize(sky.float().numpy(), before.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    is_sky = mask > 0.5
    if is_sky.all() or not is_sky.any():
        return Skyline(float("nan"), float("nan"))
    away = depth(~is_sky)  # of walls, from the sky
    return Skyline(_darker(before, after, away), _fringe(before, after, away, depth(is_sky)))


def _darker(before: np.ndarray, after: np.ndarray, away: Float32) -> float:
    change = np.log2((after + _BLACK) / (before + _BLACK))
    shade = np.minimum((before * _SHADES).astype(int), _SHADES - 1)
    strip = np.arange(before.shape[1]) * _STRIPS // before.shape[1]
    kind = np.where(away > 0, shade + _SHADES * strip, -1)
    near, far = (_medians(change, kind, between(away, band)) for band in (NEAR_PX, FAR_PX))
    both = [(near[k][0] - far[k][0], min(near[k][1], far[k][1])) for k in near.keys() & far.keys()]
    if not both:
        return float("nan")
    differences, weights = zip(*both, strict=True)
    return max(0.0, -float(np.average(differences, weights=weights)))


def _medians(
    change: np.ndarray, kind: np.ndarray, chosen: np.ndarray
) -> dict[int, tuple[float, int]]:
    """The median change of each kind of pixels chosen, and how many there are."""
    values, kinds = change[chosen], kind[chosen]
    found = {int(k): values[kinds == k] for k in np.unique(kinds) if k >= 0}
    return {k: (float(np.median(v)), len(v)) for k, v in found.items() if len(v) >= _LEAST_PX}


def _fringe(before: np.ndarray, after: np.ndarray, away: Float32, deep: Float32) -> float:
    walls, skies = between(away, SIDE_PX), between(deep, SIDE_PX)
    edge = (away <= EDGE_PX) & (deep <= EDGE_PX)
    known = edge & (share(walls) > 0) & (share(skies) > 0)
    seen = known & (np.abs(around(before, walls) - around(before, skies)) >= _STEP)
    if not seen.any():
        return float("nan")
    # means first: what is thin and bright here and there, as the texture of a crown, is no rim
    log = np.log2(after + np.float32(_BLACK))
    rim, wall, sky = (around(log, band)[seen] for band in (edge, walls, skies))
    outside = np.maximum(rim - np.maximum(wall, sky), np.minimum(wall, sky) - rim)
    return float(outside.clip(0).mean())
