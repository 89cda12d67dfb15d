"""Lights: what is bright and small, the share of it, and lights that a render invented.

Counted on pictures at 256 px of their shorter side. A light there has a luma of 0.6 or more and stands out by 0.3 from what is
left when everything thinner than 17 px is taken away (a white top-hat): lamps, windows, headlights; not a white sky.
"""

from __future__ import annotations

import cv2
import numpy as np
from torch import Tensor

from nightfx.metrics.pictures import luma, to_lines

BRIGHT, STANDS_OUT = 0.6, 0.3
_LAMP_PX = 17
_LEAST_PX = 3  # of area: less is noise
# where the plate is darker than this, and nothing stands out by so much, there was neither light nor lamp
DARK, LAMPLESS = 0.5, 0.1
_AROUND_PX = 5  # a light may lie so far beside its lamp: half of that to each side


def light_share(picture: Tensor) -> float:
    """The share of the pixels of a picture (3, H, W) that are bright and belong to something small, 0 to 1."""
    return float(_lights(luma(to_lines(picture))).mean())


def invented_lights(plate: Tensor, render: Tensor) -> int:
    """How many lights a render has where its plate, (3, H, W) both, is neither bright nor lamp-like.

    That is: around the whole light no luma of the plate reaches 0.5, and nothing in it stands out by 0.1.
    """
    before, after = luma(to_lines(plate)), luma(to_lines(render))
    lit = (before >= DARK) | (_top_hat(before) >= LAMPLESS)
    near = cv2.dilate(lit.astype(np.uint8), np.ones((_AROUND_PX, _AROUND_PX), np.uint8)) > 0
    count, labels, stats, _ = cv2.connectedComponentsWithStats(_lights(after).astype(np.uint8))
    explained = set(np.unique(labels[near]).tolist())
    areas = stats[:, cv2.CC_STAT_AREA]
    return sum(i not in explained and int(areas[i]) >= _LEAST_PX for i in range(1, count))


def _lights(y: np.ndarray) -> np.ndarray:
    return np.asarray((y >= BRIGHT) & (_top_hat(y) >= STANDS_OUT))


def _top_hat(y: np.ndarray) -> np.ndarray:
    square = np.ones((_LAMP_PX, _LAMP_PX), np.uint8)
    return np.asarray(cv2.morphologyEx(y, cv2.MORPH_TOPHAT, square))
