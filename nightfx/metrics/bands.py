"""Bands along an edge: pixels at so many px from it, and what is mean there around each place."""

from __future__ import annotations

import cv2
import numpy as np

from nightfx.picture import Float32

_AROUND_PX = 33


def depth(inside: np.ndarray) -> Float32:
    """How many px each pixel of a mask (H, W) lies within it; 0 outside."""
    found = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(found, np.float32)


def between(depths: Float32, band: tuple[float, float]) -> np.ndarray:
    """Where depths lie in a band, its near end left out."""
    return np.asarray((depths > band[0]) & (depths <= band[1]))


def around(v: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """The mean of `v` over the chosen pixels of 33 px square around each place; 0 where there are none."""
    total = cv2.blur(np.where(chosen, v, 0).astype(np.float32), (_AROUND_PX, _AROUND_PX))
    return np.asarray(total / np.maximum(share(chosen), 1e-6))


def share(chosen: np.ndarray) -> np.ndarray:
    """The share of chosen pixels around each place, 0 to 1."""
    found = cv2.blur(chosen.astype(np.float32), (_AROUND_PX, _AROUND_PX))
    return np.where(found > 1e-4, found, 0)
