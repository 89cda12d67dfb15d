"""Where the sky is, as far as one picture tells: what the top edge reaches without crossing an edge.

By day the sky is the brightest surface and by night the darkest: a look that does not know it can only turn everything
down. This is good enough to learn from; a render never calls it, its generator has learnt to see the sky by itself.
"""

from __future__ import annotations

import cv2
import numpy as np

from nightfx.picture import BT601, Float32
from nightfx.scene.way import cheapest_way

_LINES = 128  # pictures are looked at in this height
_REACH = 0.3  # how much relative brightness may change on the way from the top edge, in nepers
_BLACK = 0.03  # added to brightness: below it, steps are noise
_RADIUS_PX = 8  # of the guided filter that brings the map to full size
_EPSILON = 1e-3
_SWEEPS = 4


def find_any_sky(rgb: np.ndarray) -> np.ndarray:
    """How surely each pixel of `rgb`, (H, W, 3) float32 in [0, 1], belongs to the sky: (H, W) float32 in [0, 1].

    exp(−(d / 0.3)²) of the least change of log brightness d on any path from the top edge, brought to full size by a
    guided filter (He et al. 2010).
    """
    height, width = rgb.shape[:2]
    size = max(round(width * _LINES / height), 1), _LINES
    small = cv2.bilateralFilter(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), 5, 0.08, 2)
    change = _least_change(np.log(_luma(small) + _BLACK))
    sky = np.exp(-np.square(change / _REACH)).astype(np.float32)
    return _guided(cv2.resize(sky, (width, height)), _luma(rgb))


def _luma(rgb: np.ndarray) -> np.ndarray:
    luma: np.ndarray = rgb @ np.array(BT601, np.float32)
    return luma


def _least_change(v: np.ndarray) -> Float32:
    """What `v` changes at least on a way from the top edge."""
    height, width = v.shape
    steps, down = np.zeros((height, width)), np.zeros(height)
    return cheapest_way(np.zeros(width, np.float32), v, steps, down, 1.0, 0.0, _SWEEPS)


def _guided(p: np.ndarray, guide: np.ndarray) -> np.ndarray:
    mean_p, mean_guide = _mean(p), _mean(guide)
    covariance = _mean(guide * p) - mean_guide * mean_p
    slope = covariance / (_mean(guide * guide) - mean_guide * mean_guide + _EPSILON)
    sky: np.ndarray = np.clip(_mean(slope) * guide + _mean(mean_p - slope * mean_guide), 0, 1)
    return sky


def _mean(v: np.ndarray) -> np.ndarray:
    side_px = 2 * _RADIUS_PX + 1
    mean: np.ndarray = cv2.boxFilter(v, -1, (side_px, side_px))
    return mean
