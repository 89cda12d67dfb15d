"""The light of lamps on a frame: what they shed on walls and ground, their glare, and they themselves.

All sums are of linear light, 1 being the white of the picture; the working encoding is near the power 2.2 of it. What lamps
shed is smooth: it becomes a gain of the frame's own light, of a number a cell and colour, so that grain and sharpness stay
the plate's. What shines itself, windows and the heads of lamps, is a patch at the size of the plate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nightfx.light.glow import blurred
from nightfx.lights import Source
from nightfx.picture import BT709, Float32

GAMMA = 2.2
_LUMA = np.array(BT709, np.float32)
# radii in parts of the width, and how much of what is emitted reaches so far
_SHED = ((1 / 60, 0.45), (1 / 25, 0.8), (1 / 9, 1.8))
# radii in parts of the diagonal, and the share of a light that optics spread so far
_GLARE = ((1 / 300, 0.25), (1 / 100, 0.18), (1 / 30, 0.12), (1 / 11, 0.07))
_MOST_SHED = 0.8  # what all that is shed on a place comes near to half of
_CROWD = (
    1 / 30,
    0.08,
)  # parts of the diagonal, and the light on the mean of so far around at which glare is halved
_NIGHT_TINT = np.array([0.8, 1.0, 1.35], np.float32)
_STREET_REACH = (
    0.22  # heights of the picture above the horizon at which e⁻¹ of a street's light is left
)
_FEET = 0.35  # how much less of it the foot of the picture has than the horizon
_SUN_WIDE, _SUN_NEAR = 1 / 14, 1 / 50  # parts of the width over which sunlight is evened out
_MID = 0.05  # the light that a lit surface comes to have on the mean
_LEAST = 1e-4


class Rig(NamedTuple):
    """How a preset lets lamps shine, for one frame."""

    ambient: float = 0.35
    """What is left of the light of the night where no lamp shines."""
    street: Float32 = np.zeros(3, np.float32)
    """(3,): the light of lamps that are not in the picture, near the ground."""
    shed: float = 1.0
    pools: float = 0.0
    """How much of what a lamp's head has the ground below it gets."""
    glare: float = 1.0
    even: float = 0.55
    """How far sunlit and shaded surfaces come together, 0 to 1."""


def emitted(sources: Sequence[Source], plate: tuple[int, int], size: tuple[int, int]) -> Float32:
    """What sources emit, averaged over the cells (h, w) of a `plate` (height, width): (h, w, 3), steady as they move."""
    light = np.zeros((*size, 3), np.float32)
    scale = np.array([size[1] / plate[1], size[0] / plate[0]], np.float32)
    for source in sources:
        low, high = _box(source.quad * scale)
        first = np.maximum(np.floor(low).astype(int), 0)
        last = np.minimum(np.ceil(high).astype(int), (size[1], size[0]))
        if (first >= last).any():
            continue
        across, down = (_covered(low[i], high[i], int(first[i]), int(last[i])) for i in (0, 1))
        at = np.s_[first[1] : last[1], first[0] : last[0]]
        light[at] += (down[:, None] * across)[..., None] * source.light
    return light


def _box(quad: Float32) -> tuple[Float32, Float32]:
    """The upright box of the same middle, proportions and area as a quad."""
    low, high = quad.min(0), quad.max(0)
    middle, sides = quad.mean(0), high - low
    x, y = quad[:, 0], quad[:, 1]
    area = abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
    half = sides * np.float32(np.sqrt(area / max(float(sides.prod()), 1e-6)) / 2)
    return middle - half, middle + half


def _covered(low: float, high: float, first: int, last: int) -> Float32:
    """How much of each of the cells from `first` up to `last` lies between two places."""
    cells = np.arange(first, last, dtype=np.float32)
    covered: Float32 = np.clip(np.minimum(cells + 1, high) - np.maximum(cells, low), 0, 1)
    return covered


def shed(light: Float32) -> Float32:
    """What surfaces get of the light (h, w, 3) that is emitted near them, (h, w, 3)."""
    width = light.shape[1]
    total: Float32 = np.sum([a * blurred(light, r * width) for r, a in _SHED], axis=0)
    return total


def held(shed_light: Float32) -> Float32:
    """How much is left of what all lamps shed (h, w, 3) where it is much, (h, w, 1): a wall of many windows is no lamp itself."""
    luma = np.maximum(shed_light @ _LUMA, 0)
    return np.asarray(1 / (1 + luma / np.float32(_MOST_SHED)), np.float32)[..., None]


def crowded(light: Float32) -> Float32:
    """How much of each light (h, w, 3) glares, (h, w, 1), less where there are many: the windows of a house stay apart."""
    far, half = _CROWD
    around = np.maximum(blurred(light, far * _diagonal(light)) @ _LUMA, 0)
    return np.asarray(1 / (1 + around / np.float32(half)), np.float32)[..., None]


def _diagonal(cells: Float32) -> float:
    return float(np.hypot(*cells.shape[:2]))


def glare(light: Float32) -> Float32:
    """What a lens spreads of the light (h, w, 3) that is emitted, (h, w, 3)."""
    diagonal = _diagonal(light)
    total: Float32 = np.sum([a * blurred(light, r * diagonal) for r, a in _GLARE], axis=0)
    return total


def street(height: int, horizon: float) -> Float32:
    """How much of the light of lamps outside the picture each row of an upright one has, (height,); `horizon` is a part of it."""
    y = (np.arange(height) + np.float32(0.5)) / height
    above = np.exp(-np.clip(horizon - y, 0, None) / _STREET_REACH)
    below = 1 - _FEET * np.clip((y - horizon) / max(1 - horizon, 1e-3), 0, 1)
    return np.asarray(above * below, np.float32)


def evened(lit: Float32, land: Float32) -> Float32:
    """What brings the surfaces of a picture in linear light (h, w, 3) to one brightness, (h, w); `land` (h, w) is no sky."""
    luma, width = lit @ _LUMA, lit.shape[1]
    wide, near = (_smooth(luma, land, r * width) for r in (_SUN_WIDE, _SUN_NEAR))
    sun = wide**0.6 * near**0.4
    return np.asarray(_MID / (sun + 0.3 * _MID), np.float32)


def _smooth(luma: Float32, land: Float32, sigma_px: float) -> Float32:
    both = np.stack([luma * land, land, land], -1)
    total, share, _ = np.moveaxis(blurred(both, sigma_px), -1, 0)
    mean: Float32 = np.maximum(total, 0) / (share + np.float32(1e-3))
    return mean


def gains(lit: Float32, land: Float32, irradiance: Float32, rig: Rig) -> Float32:
    """What lamps multiply a picture `lit` (h, w, 3) in linear light by, (h, w, 3), that gets `irradiance` of them."""
    even = evened(lit, land) ** np.float32(rig.even)
    wanted: Float32 = even[..., None] * (ambient(rig) + irradiance)
    return wanted


def ambient(rig: Rig) -> Float32:
    """What is left of the light of the night where no lamp shines, (3,)."""
    return np.float32(rig.ambient) * _NIGHT_TINT


def to_light(work: Float32) -> Float32:
    """Linear light of the working encoding."""
    return np.maximum(work, 0) ** np.float32(GAMMA)


def to_work(light: Float32) -> Float32:
    """The working encoding of linear light."""
    return np.maximum(light, 0) ** np.float32(1 / GAMMA)


def over(base: Float32, light: Float32) -> Float32:
    """What must be screened over a picture `base` in the working encoding to add `light`, up to white."""
    wanted = to_work(to_light(base) + light)
    room = np.maximum(1 - base, np.float32(_LEAST))
    return np.clip((wanted - base) / room, 0, 1)
