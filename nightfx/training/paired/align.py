"""Whether the two pictures of a pair lie on each other; small whole shifts are mended.

Edges are compared, not values: a night has other light than its day, and the same edges. Their phase correlation
(Kuglin and Hines 1975) says how far one lies from the other.
"""

from __future__ import annotations

import cv2
import numpy as np

from nightfx.errors import TrainingError
from nightfx.picture import BT601

MOST_SHIFT = 0.02  # of the height: what lies farther is another frame, or another crop
_STILL_PX = 0.5  # below it nothing is moved
_LEAST_PEAK = 0.2  # of dark nights of the same frame it is from 0.5 up, of others mostly below 0.1
_SPREAD_PX = 15  # of the neighbourhood that an edge is measured against

Pixels = np.ndarray


def aligned(before: Pixels, after: Pixels, name: str) -> tuple[Pixels, Pixels]:
    """Both pictures (H, W, 3) uint8 of the pair `name`, `after` moved by whole pixels; the edge of what both show is repeated.

    Raises `TrainingError` where it lies too far off, or shows something else.
    """
    across, down, peak = find_shift(before, after)
    most = MOST_SHIFT * before.shape[0]
    if peak < _LEAST_PEAK:
        raise TrainingError(
            f"{name}: before and after do not show the same (their edges correlate by {peak:.3f}, "
            f"{_LEAST_PEAK} is the least); pair other frames, or take it out"
        )
    if max(abs(across), abs(down)) > most:
        raise TrainingError(
            f"{name}: after lies {across:+.0f} px across and {down:+.0f} px down from before, "
            f"{most:.0f} px are mended; align them first, or take the pair out"
        )
    if max(abs(across), abs(down)) < _STILL_PX:
        return before, after
    return _shared(before, after, round(across), round(down))


def find_shift(before: Pixels, after: Pixels) -> tuple[float, float, float]:
    """How many px `after` lies to the right of and below `before`, and the height of the correlation's peak, 0 to 1."""
    edges = [_edges(picture) for picture in (before, after)]
    window = cv2.createHanningWindow(edges[0].shape[::-1], cv2.CV_32F)
    (across, down), peak = cv2.phaseCorrelate(edges[0], edges[1], window)
    return across, down, peak


def _edges(picture: Pixels) -> np.ndarray:
    """How steep each place is beside its neighbourhood, (H, W) float32: dark pictures have edges too."""
    luma = cv2.transform(picture.astype(np.float32), np.array([BT601], np.float32))
    steep = np.hypot(cv2.Sobel(luma, cv2.CV_32F, 1, 0), cv2.Sobel(luma, cv2.CV_32F, 0, 1))
    around = cv2.blur(steep, (_SPREAD_PX, _SPREAD_PX))
    return np.asarray(steep / (around + 1), np.float32)


def _shared(before: Pixels, after: Pixels, across: int, down: int) -> tuple[Pixels, Pixels]:
    height, width = before.shape[:2]
    rows = slice(max(-down, 0), height - max(down, 0))
    columns = slice(max(-across, 0), width - max(across, 0))
    moved = after[
        rows.start + down : rows.stop + down, columns.start + across : columns.stop + across
    ]
    # at the size they had: a place in the picture stays one of the frame
    edges = rows.start, height - rows.stop, columns.start, width - columns.stop
    one, other = (
        np.asarray(cv2.copyMakeBorder(x, *edges, cv2.BORDER_REPLICATE))
        for x in (before[rows, columns], moved)
    )
    return one, other
