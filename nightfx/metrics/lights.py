"""Lights: what is bright and small, the share of it, and lights that a render invented or put where none can be.

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
# a light may lie 2 px beside its lamp
_AROUND = np.ones((5, 5), np.uint8)
# a light in an impossible place is seen from this on, and where it stands out so much more than the plate says
GLIMMER, STANDS_OUT_MORE = 0.35, 0.2
_SURELY = 0.8  # of a kind
_MAYBE = 0.3  # of what may carry a lamp
_BESIDE_PX = 16  # a pool of light may lie so far to the side of its lamp


def light_share(picture: Tensor) -> float:
    """The share of the pixels of a picture (3, H, W) that are bright and belong to something small, 0 to 1."""
    return float(_lights(luma(to_lines(picture))).mean())


def invented_lights(plate: Tensor, render: Tensor, lamped: Tensor | None = None) -> int:
    """How many lights a render has where its plate, (3, H, W) both, is neither bright nor lamp-like.

    That is: around the whole light no luma of the plate reaches 0.5, nothing in it stands out by 0.1, and nothing that may
    well carry a lamp is there; `lamped`, (H, W) of any size in [0, 1], says how surely a pixel does.
    """
    before, after = luma(to_lines(plate)), luma(to_lines(render))
    lit = (before >= DARK) | (_top_hat(before) >= LAMPLESS)
    if lamped is not None:
        lit |= cv2.resize(lamped.float().numpy(), before.shape[::-1]) > _MAYBE
    near = cv2.dilate(lit.astype(np.uint8), _AROUND) > 0
    count, labels, stats, _ = cv2.connectedComponentsWithStats(_lights(after).astype(np.uint8))
    explained = set(np.unique(labels[near]).tolist())
    areas = stats[:, cv2.CC_STAT_AREA]
    return sum(i not in explained and int(areas[i]) >= _LEAST_PX for i in range(1, count))


def misplaced_lights(
    plate: Tensor, render: Tensor, lampless: Tensor, ground: Tensor | None = None
) -> int:
    """How many lights of a render lie where none can be: in the sky, in leaves, on people, on the ground by themselves.

    `lampless` and `ground`, (H, W) of any size in [0, 1], say how surely a pixel is of such a kind. A light here has a luma
    of 0.35 or more and stands out by 0.2 more than anything within 2 px of it does in the plate, (3, H, W) as the render. It
    counts where all around its brightest pixel is lampless (a lamp on a roof may shine over the sky), and on the ground where
    no light stands above it, whose pool or reflection it could be.
    """
    before, after = luma(to_lines(plate)), luma(to_lines(render))
    nowhere, below = (_surely(x, before.shape) for x in (lampless, ground))
    height = _top_hat(after)
    shining = (after >= GLIMMER) & (height >= STANDS_OUT_MORE) & ~nowhere & ~below
    lit = (after >= GLIMMER) & (height >= cv2.dilate(_top_hat(before), _AROUND) + STANDS_OUT_MORE)
    found = _brightest(after, lit)
    return sum(
        bool(nowhere[y, x]) or (bool(below[y, x]) and not _any_above(shining, y, x))
        for y, x in found
    )


def _surely(kind: Tensor | None, shape: tuple[int, ...]) -> np.ndarray:
    """Where all within 2 px is surely of a kind."""
    if kind is None:
        return np.zeros(shape, bool)
    sized = cv2.resize(kind.float().numpy(), (shape[1], shape[0])) > _SURELY
    return np.asarray(cv2.erode(sized.astype(np.uint8), _AROUND) > 0)


def _brightest(y: np.ndarray, lit: np.ndarray) -> list[tuple[int, int]]:
    """Row and column of the brightest pixel of each light that is no noise."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(lit.astype(np.uint8))
    large = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] >= _LEAST_PX]
    peaks = (int(np.where(labels == i, y, 0).argmax()) for i in large)
    return [divmod(peak, y.shape[1]) for peak in peaks]


def _any_above(shining: np.ndarray, y: int, x: int) -> bool:
    return bool(shining[:y, max(x - _BESIDE_PX, 0) : x + _BESIDE_PX + 1].any())


def _lights(y: np.ndarray) -> np.ndarray:
    return np.asarray((y >= BRIGHT) & (_top_hat(y) >= STANDS_OUT))


def _top_hat(y: np.ndarray) -> np.ndarray:
    square = np.ones((_LAMP_PX, _LAMP_PX), np.uint8)
    return np.asarray(cv2.morphologyEx(y, cv2.MORPH_TOPHAT, square))
