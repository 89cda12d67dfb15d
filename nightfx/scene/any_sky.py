"""Where the sky is, as far as one picture tells: what the top edge reaches without crossing an edge.

By day the sky is the brightest surface and by night the darkest: a look that does not know it can only turn everything
down. This is good enough to learn from; a render never calls it, its generator has learnt to see the sky by itself.
"""

from __future__ import annotations

import cv2
import numba
import numpy as np

from nightfx.picture import BT601

LINES = 128  # pictures are looked at in this height
REACH = 0.3  # how much relative brightness may change on the way from the top edge, in nepers
BLACK = 0.03  # added to brightness: below it, steps are noise
RADIUS_PX = 8  # of the guided filter that brings the map to full size
EPSILON = 1e-3
SWEEPS = 4


def find_sky(rgb: np.ndarray) -> np.ndarray:
    """How surely each pixel of `rgb`, (H, W, 3) float32 in [0, 1], belongs to the sky: (H, W) float32 in [0, 1].

    exp(−(d / 0.3)²) of the least change of log brightness d on any path from the top edge, brought to full size by a
    guided filter (He et al. 2010).
    """
    height, width = rgb.shape[:2]
    size = max(round(width * LINES / height), 1), LINES
    small = cv2.bilateralFilter(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), 5, 0.08, 2)
    change = _least_change(np.log(_luma(small) + BLACK))
    sky = np.exp(-np.square(change / REACH)).astype(np.float32)
    return _guided(cv2.resize(sky, (width, height)), _luma(rgb))


def _luma(rgb: np.ndarray) -> np.ndarray:
    luma: np.ndarray = rgb @ np.array(BT601, np.float32)
    return luma


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _least_change(v: np.ndarray) -> np.ndarray:
    # a distance that costs what `v` changes, by sweeps to and fro; few are needed, skies are plain shapes
    height, width = v.shape
    d = np.full((height, width), np.float32(1e9))
    d[0] = 0
    for _ in range(SWEEPS):
        for y in range(height):
            for x in range(width):
                if y > 0:
                    d[y, x] = min(d[y, x], d[y - 1, x] + abs(v[y, x] - v[y - 1, x]))
                if x > 0:
                    d[y, x] = min(d[y, x], d[y, x - 1] + abs(v[y, x] - v[y, x - 1]))
        for y in range(height - 1, -1, -1):
            for x in range(width - 1, -1, -1):
                if y < height - 1:
                    d[y, x] = min(d[y, x], d[y + 1, x] + abs(v[y, x] - v[y + 1, x]))
                if x < width - 1:
                    d[y, x] = min(d[y, x], d[y, x + 1] + abs(v[y, x] - v[y, x + 1]))
    return d


def _guided(p: np.ndarray, guide: np.ndarray) -> np.ndarray:
    mean_p, mean_guide = _mean(p), _mean(guide)
    covariance = _mean(guide * p) - mean_guide * mean_p
    slope = covariance / (_mean(guide * guide) - mean_guide * mean_guide + EPSILON)
    sky: np.ndarray = np.clip(_mean(slope) * guide + _mean(mean_p - slope * mean_guide), 0, 1)
    return sky


def _mean(v: np.ndarray) -> np.ndarray:
    side_px = 2 * RADIUS_PX + 1
    mean: np.ndarray = cv2.boxFilter(v, -1, (side_px, side_px))
    return mean
