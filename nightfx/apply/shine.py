"""Light that is added to a picture: the law of a pixel, and what becomes of samples in the working encoding.

Light adds up in linear light. Where nothing is brighter than white, as in SDR, a sum that comes near it is held back
smoothly, all three colours alike, so that its hue stays; and the more light there is beyond, the paler it becomes, as
what is too bright for a film or an eye does. A strong warm lamp so goes to a pale warm white, not to a flat orange.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial

from nightfx.apply.patches import Packed
from nightfx.picture import (
    LINEAR,
    Float32,
    Float64,
    from_working,
    kernel,
    luma,
    prange,
    to_working,
)

LEAST_TEXTURE, MOST_TEXTURE = np.float32(0.1), np.float32(3)  # times the mean
KNEE = np.float32(0.6)  # linear light from which on a sum is held below white
_BLOCKS = 32  # parts of a picture that threads share
_TINY = np.float32(1e-20)


@kernel()
def sum_light(lit: Float32, light: Float32, first: int, last: int, ends_at_white: bool) -> None:
    """Add `light` to samples `lit` from `first` to before `last`, (3, n) of linear light both.

    There are no branches, so that it is done by eights, as all here that goes along many samples.
    """
    one, none = np.float32(1), np.float32(0)
    reds, greens, blues = parts(lit, first, last)
    more_red, more_green, more_blue = parts(light, first, last)
    for x in range(reds.shape[0]):
        red, green, blue = reds[x], greens[x], blues[x]
        r, g, b = red + more_red[x], green + more_green[x], blue + more_blue[x]
        most, knee = max(max(r, g), b), max(max(max(red, green), blue), KNEE)
        over, room = max(most - knee, none), max(one - knee, none)
        held = (knee + room * over / max(over + room, _TINY)) / max(most, knee)
        beyond = over > none and ends_at_white
        pale = over / (over + one) if beyond else none
        pale *= pale
        keep, white = (held if beyond else one) * (one - pale), max(one, knee) * pale
        # light takes nothing away from a colour that it has none of
        reds[x], greens[x] = max(r * keep + white, red), max(g * keep + white, green)
        blues[x] = max(b * keep + white, blue)


@kernel()
def parts(samples: Float32, first: int, last: int) -> tuple[Float32, Float32, Float32]:
    """Red, green and blue of samples (3, n), from `first` to before `last`."""
    return samples[0, first:last], samples[1, first:last], samples[2, first:last]


def added_to_samples(lit: Float32, light: Float32, *, ends_at_white: bool) -> Float32:
    """Return what becomes of samples (3, n) in the working encoding with `light` (3, n), which is linear, on top."""
    shone = from_working(lit[:, None], LINEAR)[:, 0]
    _add_to_samples(shone, light, ends_at_white)
    return to_working(shone[:, None], LINEAR)[:, 0]


@kernel(parallel=True)
def _add_to_samples(lit: Float32, light: Float32, ends_at_white: bool) -> None:
    count = lit.shape[1]
    for block in prange(_BLOCKS):
        first, last = count * block // _BLOCKS, count * (block + 1) // _BLOCKS
        sum_light(lit, light, first, last, ends_at_white)


def light_on_samples(plate: Float32, lamps: Packed) -> Float32:
    """Return what lamps add up to on the samples of a plate (3, h, w) in the working encoding: linear light, (3, h, w)."""
    light = np.zeros(plate.shape, np.float32)
    for i, (top, bottom, left, right) in enumerate(lamps.boxes.tolist()):
        start, shape = lamps.starts[i], (bottom - top, right - left)
        cover = lamps.cover[start : start + shape[0] * shape[1]].reshape(shape)
        at, (texture, mean) = np.s_[:, top:bottom, left:right], lamps.shine[i, 3:]
        if texture and cover.size:
            textured = np.empty(shape, np.float32)
            _texture(luma(from_working(plate[at], LINEAR)), texture, mean, textured)
            cover = cover * textured
        light[at] += cover * lamps.shine[i, :3, None, None]
    return light


@kernel(parallel=True)
def _texture(own: Float32, texture: np.float32, mean: np.float32, textured: Float32) -> None:
    for y in prange(own.shape[0]):
        for x in range(own.shape[1]):
            textured[y, x] = textured_by(own[y, x], texture, mean)


@kernel()
def textured_by(own: np.float32, texture: np.float32, mean: np.float32) -> np.float32:
    """What the light of a patch is multiplied by where the plate has a luma of `own` in linear light."""
    share = min(max(own / max(mean, _TINY), LEAST_TEXTURE), MOST_TEXTURE)
    return np.float32(1) + texture * (share - np.float32(1))


def _polynomial(
    curve: Callable[[Float64], Float64], low: float, high: float, degree: int
) -> tuple[np.float32, ...]:
    """The polynomial that is nearest to a curve between two places, from its constant on."""
    near = Chebyshev.interpolate(curve, degree, domain=[low, high])
    return tuple(np.float32(c) for c in near.convert(kind=Polynomial).coef)


# sRGB's curve, by roots that make it so smooth that few powers tell it: tables would be read one sample after another. Within
# 1e-6 up to the brightest RGB that codes of SDR can say, relative to itself within 2e-5
_LIGHT = _polynomial(lambda root: (root**2 / 1.055) ** 2.4, 0.095**0.5, 2.355**0.5, 8)
_WORK = _polynomial(lambda root: 1.055 * root ** (8 / 2.4) - 0.055, 0.003**0.125, 7**0.125, 6)


@kernel()
def to_light(work: Float32, count: int, light: Float32) -> None:
    """Write the linear light of samples (3, n) in the working encoding; below black that is a straight line."""
    c, least = _LIGHT, np.float32(0.04)
    for i in range(3):
        source, out = work[i, :count], light[i, :count]
        for x in range(out.shape[0]):
            value = source[x]
            r = np.sqrt(max(value, least) + np.float32(0.055))
            high = (((c[8] * r + c[7]) * r + c[6]) * r + c[5]) * r + c[4]
            curved = (((high * r + c[3]) * r + c[2]) * r + c[1]) * r + c[0]
            out[x] = curved if value > least else value * np.float32(1 / 12.92)


@kernel()
def to_added(work: Float32, count: int, strength: np.float32, shone: Float32) -> None:
    """Turn the linear light of samples (3, n) into how far its working encoding is from `work`, by the strength."""
    c, least = _WORK, np.float32(0.003)
    for i in range(3):
        source, out = work[i, :count], shone[i, :count]
        for x in range(out.shape[0]):
            light = out[x]
            r = np.sqrt(np.sqrt(np.sqrt(max(light, least))))
            high = ((c[6] * r + c[5]) * r + c[4]) * r + c[3]
            curved = ((high * r + c[2]) * r + c[1]) * r + c[0]
            value = curved if light > least else light * np.float32(12.92)
            out[x] = strength * (value - source[x])
