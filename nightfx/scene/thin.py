"""Wires, twigs and poles before a sure sky: what is dark and thin, which a network that sees the picture small leaves out.

The darkest of each small block of the plate is found, and what of it is thinner than a wall (a black top-hat). There alpha
goes by brightness alone, from the sky's to that of the thin thing. A wire is narrower than a pixel as a rule: its own
brightness is darker than anything that is seen of it. Clouds have no such edges, and what is thin and bright stays sky.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from nightfx.picture import Float32, Plane, kernel, prange
from nightfx.scene.apart import Apart, ramp

_SIDE = 5  # blocks: what is thinner than this is thin, a fiftieth of the height
_LEAST, _FULL = 0.20, 0.35  # how much darker than what is around it, as a share of that
_LIKE = 0.6, 0.8  # as bright as the sky, as a share, is what is around it
_SKY = 0.5, 0.8  # and as surely sky
_NARROW_PX, _WIDE_PX = (
    1.5,
    3.0,
)  # as wide as this, a thing shows hardly its own colour; and as this, all of it
_BLACKEST = np.float32(0.15)  # of the sky's brightness: what a wire is taken for
_DIMMEST = np.float32(0.02)
_SQUARE = np.ones((3, 3), np.uint8)


class Channel(NamedTuple):
    """The plane in which thin things are looked for: luma, or green."""

    plane: Plane
    """(H, W)."""
    weights: Float32
    """(3,): the shares of R, G and B in it."""
    scale: float
    """Codes from black to white."""
    black: float
    """The code of black."""


def with_thin(apart: Apart, channel: Channel) -> Float32:
    """Return the model (6, h, w) of `apart`, and in it what is thin and dark before the sky."""
    height, width = apart.model.shape[1:]
    lows, means = _pooled(channel, (2 * height, 2 * width))
    around = cv2.morphologyEx(lows, cv2.MORPH_CLOSE, np.ones((_SIDE, _SIDE), np.uint8))
    around = np.asarray(np.maximum(around, _DIMMEST), np.float32)
    found = ramp((around - lows) / around, _LEAST, _FULL)
    if not found.any():
        return apart.model
    least = np.asarray(cv2.erode(lows, _SQUARE), np.float32)
    px = 3 * channel.plane.shape[0] / lows.shape[0]
    wide = np.asarray(cv2.blur(np.maximum(around - means, 0), (3, 3)), np.float32)
    wide *= np.float32(px) / np.maximum(around - least, _DIMMEST)
    own = np.minimum(least, _BLACKEST * around)
    own += ramp(wide, _NARROW_PX, _WIDE_PX) * (least - own)
    return _joined(
        apart, channel.weights, *(_halved(x) for x in (cv2.dilate(found, _SQUARE), around, own))
    )


def _halved(picture: Float32) -> Float32:
    return np.asarray(
        cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.float32
    )


def _joined(
    apart: Apart, weights: Float32, found: Float32, around: Float32, own: Float32
) -> Float32:
    """The model, and that of thin things by the share (h, w) in which they are `found` before the sky."""
    sky = np.tensordot(weights, apart.colour, 1).astype(np.float32)
    like = np.divide(around, np.maximum(sky, _DIMMEST), dtype=np.float32)
    share = np.prod([found, ramp(like, *_LIKE), ramp(apart.sky, *_SKY)], axis=0)
    slope = 1 / np.maximum(around - own, _DIMMEST)
    none = np.zeros_like(own)
    thin = np.stack([*(weight * slope for weight in weights), -own * slope, none, none + 1])
    joined: Float32 = apart.model + share * (thin - apart.model)
    return joined


def _pooled(channel: Channel, size: tuple[int, int]) -> tuple[Float32, Float32]:
    """The least and the mean value (h, w) of the plane in each block."""
    both = np.empty(size, np.float32), np.empty(size, np.float32)
    _pool(channel.plane, *both)
    black, scale = np.float32(channel.black), np.float32(1 / channel.scale)
    lows, means = ((x - black) * scale for x in both)
    return lows, means


@kernel(parallel=True)
def _pool(plane: Plane, lows: Float32, means: Float32) -> None:
    height, width = plane.shape
    rows, columns = lows.shape
    for row in prange(rows):
        top = row * height // rows
        bottom = max((row + 1) * height // rows, top + 1)
        low, total = np.empty(width, np.float32), np.zeros(width, np.float32)
        for x in range(width):  # numba takes seconds to compile what copies whole rows
            low[x] = plane[top, x]
        for y in range(top, bottom):
            for x in range(width):
                value = np.float32(plane[y, x])
                low[x] = min(low[x], value)
                total[x] += value
        for x in range(columns):
            left = x * width // columns
            right = max((x + 1) * width // columns, left + 1)
            least, mean = low[left], np.float32(0)
            for i in range(left, right):
                least = min(least, low[i])
                mean += total[i]
            lows[row, x] = least
            means[row, x] = mean / ((bottom - top) * (right - left))
