"""Which of the windows found in a picture are windows: those of their house's size, and those that stand in rows.

Windows of a house are alike and stand in rows and columns; what is one by its texture alone, a pane, a door's panel or a stone,
is smaller, stands anywhere, and mostly beside a window.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nightfx.lights.found import Found
from nightfx.picture import Float32

_SURE = 0.9  # confidence with which one of any size is a window
# with which one is a window that has so much of the area of its house's
_LIKELY, _TYPICAL = 0.73, 0.3
_EACH, _MOST = 0.06, 4  # what each of its like in a row with it adds to that, and how many do
_ALIKE = 2.0  # times as large, or as small, at most
_NEAR = 8.0  # sizes of a window: so far off are its like
_IN_LINE = 0.35  # of its size: so much two windows of a row may differ
# in a window so many times larger, or so near beside it, in its sizes, lies a piece of it
_PIECE, _BESIDE = 3.3, 0.6

Bool = NDArray[np.bool_]


def true_windows(found: Sequence[Found]) -> list[Found]:
    """Return of windows found in one picture those that are likely some."""
    if not found:
        return []
    quads = np.stack([x.quad for x in found])
    middles, sizes, areas = quads.mean(1), np.ptp(quads, axis=1), _areas(quads)
    apart = np.abs(middles[:, None] - middles)
    far = np.hypot(*np.moveaxis(apart, -1, 0))
    in_rows = _in_rows(apart, far, sizes, areas)
    beside = (apart < (0.5 + _BESIDE) * sizes).all(-1)
    pieces = (beside & (areas > _PIECE * areas[:, None])).any(1)
    confidence, houses = np.array([x.confidence for x in found]), np.array([x.house for x in found])
    sure = confidence + _EACH * np.minimum(in_rows, _MOST) >= _SURE
    likely = (confidence >= _LIKELY) & (areas >= _TYPICAL * _typical(areas, houses))
    return [x for x, keep in zip(found, (sure | likely) & ~pieces, strict=True) if keep]


def _typical(areas: Float32, houses: NDArray[np.int64]) -> Float32:
    """For each window the usual area of its house's: the median, each counted by its width, so that pieces count little."""
    typical = np.empty_like(areas)
    for house in np.unique(houses):
        own = np.sort(areas[houses == house])
        widths = np.cumsum(np.sqrt(own))
        typical[houses == house] = own[np.searchsorted(widths, widths[-1] / 2)]
    return typical


def _in_rows(apart: Float32, far: Float32, sizes: Float32, areas: Float32) -> NDArray[np.int64]:
    """How many of its like each window has in a row or a column with it."""
    ratio = areas / areas[:, None]
    alike = (ratio > 1 / _ALIKE) & (ratio < _ALIKE) & (far < _NEAR * sizes.mean(1)[:, None])
    in_line = (apart < _IN_LINE * sizes[:, None]).any(-1)
    np.fill_diagonal(alike, val=False)
    return np.asarray((alike & in_line).sum(1))


def _areas(quads: Float32) -> Float32:
    x, y = quads[..., 0], quads[..., 1]
    twice = (x * np.roll(y, -1, 1) - y * np.roll(x, -1, 1)).sum(1)
    return np.asarray(np.maximum(np.abs(twice) / 2, 1e-3), np.float32)
