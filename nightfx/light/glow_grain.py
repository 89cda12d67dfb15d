"""What of a look is not affine, and where it applies: glow, grain and the matte, on frames that a field has lit.

All of it is in the working encoding, with headroom. What comes out is the plate plus the share of the change that
strength and matte let through: outside the matte every code is the plate's own.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numba import prange

from nightfx.apply.field import Field
from nightfx.apply.planes import seed_of
from nightfx.apply.working import average_at_sites, light_in_working
from nightfx.options.look import Moment
from nightfx.picture.encoding import Encodings
from nightfx.picture.frame import Coding, Float32, Frame
from nightfx.picture.kernel import kernel

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
KNEE, FULL = 0.4, 0.75  # brightness from which a light glows, and from which it glows wholly
MOST = 4.0  # of a light above white
FINEST_PX = 2.0  # the least radius, in pixels, that a wide blur is made with
LAMP = 3.0  # a lamp that a camera shows as white is brighter than that
# radii in shares of the shorter side, and what of the glow they spread: a bright core, and a veil
SPREADS = ((0.008, 0.5), (0.03, 0.3), (0.1, 0.2))
STRONGEST = 0.38490018  # of sqrt(y) (1 - y), at y = 1/3
BYTES_DEVIATION = 147.8  # of the sum of four bytes

Full = Callable[[Float32, int, int], Float32]
"""Lights a picture (3, h, w) in the working encoding, as `working.Light`, at full strength and without a matte."""


def needs_finish(moment: Moment, matte: Float32 | None) -> bool:
    """Whether a field alone does not carry the look."""
    return bool(moment.glow or moment.grain or matte is not None)


def finish(
    frame: Frame,
    full: Full,
    glow: Float32 | None,
    moment: Moment,
    matte: Float32 | None,
    seed: int,
    coding: Coding,
    encodings: Encodings,
) -> Frame:
    """The frame in `coding` under `full`, with `glow` (3, h, w) and grain, as far as strength and `matte` (H, W) let."""
    number = seed_of(frame.pts) ^ (seed * 0x9E3779B1 & 0x7FFFFFFF)

    def light(work: Float32, sub_x: int, sub_y: int) -> Float32:
        lit = full(work, sub_x, sub_y)
        if glow is not None:
            lit = screened(lit, glow)
        if moment.grain and not (sub_x or sub_y):  # grain is grey: chroma has none
            lit = grained(lit, moment.grain, number)
        change = np.float32(moment.strength) * (lit - work)
        if matte is not None:
            change *= average_at_sites(matte, sub_x, sub_y) if sub_x or sub_y else matte
        mixed: Float32 = work + change
        return mixed

    return light_in_working(frame, light, coding, encodings)


def spread(lit: Float32, amount: float) -> Float32:
    """What is bright in a picture (3, h, w), blurred by several radii, times `amount`, up to 1; at half its size."""
    size = -(-lit.shape[1] // 2), -(-lit.shape[2] // 2)
    lights, glow = np.empty((*size, 3), np.float32), np.zeros((*size, 3), np.float32)
    _lights(np.ascontiguousarray(lit), lights)
    for radius, share in SPREADS:
        glow += np.float32(share) * _blurred(lights, max(radius * min(size), 0.3))
    return np.moveaxis((glow * np.float32(LAMP * amount)).clip(0, 1), -1, 0)


@kernel(parallel=True)
def _lights(lit: Float32, lights: Float32) -> None:
    """What of a picture (3, H, W) glows, averaged over 2×2 px, (h, w, 3): found before it, or small lamps would be lost."""
    _, height, width = lit.shape
    knee, per_range, most = np.float32(KNEE), np.float32(1 / (FULL - KNEE)), np.float32(MOST)
    for y in prange(lights.shape[0]):
        for x in range(lights.shape[1]):
            lights[y, x] = 0
            for place in range(4):
                j, i = min(2 * y + place // 2, height - 1), min(2 * x + place % 2, width - 1)
                bright = max(lit[0, j, i], lit[1, j, i], lit[2, j, i])
                t = min(max((bright - knee) * per_range, np.float32(0)), np.float32(1))
                share = t * t * (3 - 2 * t) * np.float32(0.25)
                for c in range(3):
                    lights[y, x, c] += min(max(lit[c, j, i], np.float32(0)), most) * share


def _blurred(picture: Float32, sigma_px: float) -> Float32:
    """A picture (h, w, 3) under a Gaussian; wide ones on fewer pixels, of which they leave nothing else."""
    height, width = picture.shape[:2]
    part = max(int(sigma_px / FINEST_PX), 1)
    if part == 1:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma_px), np.float32)
    size = -(-width // part), -(-height // part)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    wide = cv2.GaussianBlur(small, (0, 0), sigma_px * size[0] / width)
    return np.asarray(cv2.resize(wide, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def screened(lit: Float32, glow: Float32) -> Float32:
    """`lit` (3, H, W) and the light of `glow` (3, h, w) over it: towards white, and nothing beyond it."""
    size = lit.shape[2], lit.shape[1]
    over = np.stack([cv2.resize(c, size, interpolation=cv2.INTER_LINEAR) for c in glow])
    bright: Float32 = lit + over * np.maximum(1 - lit, 0)
    return bright


def glowing(field: Field, glow: Float32) -> Field:
    """`field` (12, h, w), and then what `screened` does up to white; codes above it come nearer to it."""
    over, size = glow, (field.shape[2], field.shape[1])
    if glow.shape[1:] != field.shape[1:]:
        over = np.stack([cv2.resize(c, size, interpolation=cv2.INTER_AREA) for c in glow])
    mixed = field.reshape(3, 4, *over.shape[1:]) * (1 - over)[:, None]
    mixed[:, 3] += over
    made: Field = mixed.reshape(field.shape)
    return made


def grained(lit: Float32, deviation: float, seed: int) -> Float32:
    """`lit` (3, H, W) with grey grain, of `deviation` where luma is 1/3, less towards black and white."""
    luma = np.tensordot(LUMA, lit, axes=1).clip(0, 1)
    amount = np.sqrt(luma) * (1 - luma) * np.float32(deviation / STRONGEST)
    noise = np.empty(luma.shape, np.float32)
    _noise(seed, noise)
    grain: Float32 = lit + amount * noise
    return grain


@kernel(parallel=True)
def _noise(seed: int, noise: Float32) -> None:
    """Near a normal deviate for each pixel: the sum of the four bytes of a hash of seed and place."""
    height, width = noise.shape
    for y in prange(height):
        for x in range(width):
            h = (seed ^ (y * 0x27D4EB2F) ^ (x * 0x165667B1)) & 0xFFFFFFFF
            h = ((h ^ (h >> 16)) * 0x7FEB352D) & 0xFFFFFFFF
            h = ((h ^ (h >> 15)) * 0x846CA68B) & 0xFFFFFFFF
            h ^= h >> 16
            total = (h & 0xFF) + (h >> 8 & 0xFF) + (h >> 16 & 0xFF) + (h >> 24 & 0xFF)
            noise[y, x] = (total - 510) / BYTES_DEVIATION
