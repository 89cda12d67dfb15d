"""A change of light put on a plate, with what of a look comes after it: glow, grain and a matte.

Where the change is affine in the plate's codes and nothing comes after it, the planes are changed as they were decoded.
Everything else is done in the working encoding, with headroom: what comes out is the plate plus the share of the change
that strength and matte let through, so that outside the matte every code is the plate's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import cv2
import numpy as np

from nightfx.apply import planes, working
from nightfx.apply.change import Change
from nightfx.apply.patches import Patch
from nightfx.apply.working import LightOfSamples
from nightfx.picture import (
    PLAIN,
    Coding,
    Encodings,
    Float32,
    Frame,
    average_at_sites,
    kernel,
    luma,
    prange,
)

_STRONGEST = 0.38490018  # of sqrt(y) (1 - y), at y = 1/3
_BYTES_DEVIATION = 147.8  # of the sum of four bytes


class Written(NamedTuple):
    """How lit frames are written."""

    coding: Coding
    """Their code values."""
    encodings: Encodings = PLAIN
    """The encodings of the signals of plate and render."""

    def is_direct_for(self, frame: Frame) -> bool:
        """Say whether a light that is affine in the working encoding is affine in the codes of both."""
        return all(
            working.is_direct(coding, self.encodings) for coding in (frame.coding, self.coding)
        )


@dataclass(frozen=True)
class Finish:
    """The steps after a change of light, and how far all of it is let through."""

    strength: float = 1.0
    """From the plate, 0, to the whole of it, 1."""
    glow: Float32 | None = None
    """Light over the picture, (3, h, w), of any size."""
    grain: float = 0.0
    """Standard deviation of grain where it is strongest."""
    matte: Float32 | None = None
    """How much of the change each pixel (H, W) gets, 0 to 1."""
    seed: int = 0
    """Seeds the grain."""

    @property
    def is_plain(self) -> bool:
        """Whether the change alone carries it."""
        return self.glow is None and not self.grain and self.matte is None


class GroupShare(NamedTuple):
    """One group's part of the light of lamps."""

    surfaces: Float32
    """(3, h, w), 0 to 1: of all light on walls and ground."""
    veil: Float32
    """(3, h, w), 0 to 1: of what lies over the picture."""
    patches: tuple[Patch, ...] = ()
    """What of it shines itself."""


class Steps(NamedTuple):
    """What is done to the light of a frame, from the generator's part on."""

    bare: Change
    """The change of light alone, by the strength: without glow and without what shines itself."""
    change: Change
    """The change of light, with what shines itself, and with glow where it can carry that."""
    finish: Finish
    """What comes after the change."""
    shares: Mapping[str, GroupShare] | None = None
    """By group of lamps what of the light is its; None where no lamp is lit."""
    veil: Float32 | None = None
    """(3, h, w): what was screened over `bare` in `change`; None where that is nothing, or is left to the finish."""

    @property
    def has_glow(self) -> bool:
        """Whether there is light over the picture."""
        return self.finish.glow is not None or self.bare is not self.change

    def glowing(self) -> LightOfSamples:
        """Return all but grain and matte."""
        finish = replace(self.finish, grain=0.0, matte=None)
        return partial(_finished, self.change, finish, 0)

    def matted(self) -> LightOfSamples:
        """Return all but grain."""
        return partial(_finished, self.change, replace(self.finish, grain=0.0), 0)


def light_plate(frame: Frame, change: Change, finish: Finish, written: Written) -> Frame:
    """Return the frame under a change of light and its finish, as it is written; alpha, time and tags stay."""
    if not finish.is_plain:
        number = grain_seed(frame, finish.seed)
        return working.light_in_working(frame, partial(_finished, change, finish, number), *written)
    change = change.by(finish.strength)
    if written.is_direct_for(frame) and (lit := change.on_planes(frame, written.coding)):
        return lit
    return working.light_in_working(frame, change.of_samples, *written)


def grain_seed(frame: Frame, seed: int) -> int:
    """Return what seeds the grain of a frame."""
    return planes.seed_of(frame.pts) ^ (seed * 0x9E3779B1 & 0x7FFFFFFF)


def _finished(
    change: Change, finish: Finish, seed: int, work: Float32, sub_x: int, sub_y: int
) -> Float32:
    lit = change.of_samples(work, sub_x, sub_y)
    if finish.glow is not None:
        lit = screened(lit, finish.glow)
    if finish.grain and not (sub_x or sub_y):  # grain is grey: chroma has none
        lit = grained(lit, finish.grain, seed)
    added = np.float32(finish.strength) * (lit - work)
    if (matte := finish.matte) is not None:
        added *= average_at_sites(matte, sub_x, sub_y) if sub_x or sub_y else matte
    mixed: Float32 = work + added
    return mixed


def screened(lit: Float32, glow: Float32) -> Float32:
    """Return `lit` (3, H, W) and the light of `glow` (3, h, w) over it: towards white, and nothing beyond it."""
    size = lit.shape[2], lit.shape[1]
    over = np.stack([cv2.resize(c, size, interpolation=cv2.INTER_LINEAR) for c in glow])
    bright: Float32 = lit + over * np.maximum(1 - lit, 0)
    return bright


def grained(lit: Float32, deviation: float, seed: int) -> Float32:
    """Return `lit` (3, H, W) with grey grain, of `deviation` where luma is 1/3, less towards black and white."""
    grey = luma(lit).clip(0, 1)
    amount = np.sqrt(grey) * (1 - grey) * np.float32(deviation / _STRONGEST)
    noise = np.empty(grey.shape, np.float32)
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
            noise[y, x] = (total - 510) / _BYTES_DEVIATION
