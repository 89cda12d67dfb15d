"""Pieces of cloud that the scene network takes for something else, given back to the sky.

What hangs in the sky and does not reach the foot of the picture is a cloud where its border is soft and it is hardly darker than the
sky around it; crowns, horns, birds and aircraft have hard borders, awnings and bridges come from below or are darker.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from nightfx.picture import BT709, Float32

_LEAST_PX = 12  # smaller pieces have no border to judge by
_SIDE = np.ones((5, 5), np.uint8)
_SOFT = 0.04  # of white a pixel: the mean slope along a border, at about 256 lines, at most
_DARKER = 0.1  # of white, by which a cloud is darker than the sky around it at most
_LUMA = np.array(BT709, np.float32)

Pieces = NDArray[np.int32]


def clouds(sky: Float32, shown: Float32) -> NDArray[np.bool_]:
    """Where a picture `shown` (3, h, w) in [0, 1] has clouds that `sky` (h, w), how surely it is sky, lacks: (h, w)."""
    pieces = _hanging((sky < 0.5).astype(np.uint8))
    count = int(pieces.max()) + 1
    if count == 1:
        return np.zeros(sky.shape, np.bool_)
    luma = np.tensordot(_LUMA, shown, 1)
    around = np.where(sky < 0.5, 0, cv2.dilate(pieces.astype(np.float32), _SIDE)).astype(np.int32)
    outside, inside = _means(luma, around, count), _means(luma, pieces, count)
    slope = _means(_slope(luma), np.where(pieces > 0, _border(pieces), around), count)
    is_cloud = (slope <= _SOFT) & (inside >= outside - _DARKER) & (_sizes(around, count) > 0)
    is_cloud[0] = False
    found: NDArray[np.bool_] = is_cloud[np.maximum(pieces, around)]
    return found


def _hanging(land: NDArray[np.uint8]) -> Pieces:
    """The pieces (h, w) of what is no sky that do not reach the foot of the picture, by number from 1 on; 0 is all else."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(land, connectivity=8)
    foot = stats[:, cv2.CC_STAT_TOP] + stats[:, cv2.CC_STAT_HEIGHT]
    hangs = (foot < land.shape[0]) & (stats[:, cv2.CC_STAT_AREA] >= _LEAST_PX)
    hangs[0] = False
    numbers = np.where(hangs, np.arange(count), 0).astype(np.int32)
    return np.asarray(numbers[pieces], np.int32)


def _border(pieces: Pieces) -> Pieces:
    """The pixels of pieces that lie at their border, by number."""
    inner = cv2.erode((pieces > 0).astype(np.uint8), _SIDE) > 0
    return np.where(inner, 0, pieces).astype(np.int32)


def _slope(luma: Float32) -> Float32:
    across, down = (cv2.Sobel(luma, cv2.CV_32F, x, 1 - x, scale=1 / 8) for x in (1, 0))
    return np.asarray(np.hypot(across, down), np.float32)


def _means(values: Float32, pieces: Pieces, count: int) -> NDArray[np.float64]:
    """The mean of values over each piece, by number; 0 where it has no pixel."""
    sums = np.bincount(pieces.ravel(), values.ravel(), count)
    return np.asarray(sums / np.maximum(_sizes(pieces, count), 1))


def _sizes(pieces: Pieces, count: int) -> NDArray[np.int64]:
    return np.bincount(pieces.ravel(), minlength=count)
