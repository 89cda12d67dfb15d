"""The relight field: what a change of light does to colour, as 3×4 numbers per cell of a small grid.

The generator sees the frame at a working height. From what it saw and what it made of it, a local affine colour model
is fitted with a guided filter (He, Sun, Tang 2013, doi 10.1109/TPAMI.2012.213, equations 14 to 20); `field.py` applies
it to the plate at full size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

import cv2
import numpy as np

from nightfx.apply import Field
from nightfx.light.borders import Borders
from nightfx.light.lock import Lock, hold
from nightfx.light.see import Seen, halved, see
from nightfx.light.sky import SkyPlan, sky_part
from nightfx.light.steady import Part, Steadying, steady_parts
from nightfx.light.tiling import light_of
from nightfx.network import MAX_LOG_GAIN, Generator, RelitGenerator
from nightfx.picture import (
    SDR,
    Encoding,
    Float32,
    Frame,
    as_coded,
    kernel,
    luma,
    prange,
    rolled_off,
    upright,
)

_KNEE = 0.5  # of white: what is darker stays
_LEAST_LUMA = np.float32(1e-6)
_SHADOW = np.float32(0.02)  # keeps ratios in blacks from exploding


@dataclass(frozen=True)
class Fit:
    """How smooth a field is."""

    radius_cells: int = 4
    """Half the side of the window that one affine model is fitted to, in cells of 2 px at working height."""
    epsilon: float = 1e-3
    """Contrast (a variance, of values in [0, 1]) below which the generator's own gain is trusted more than the fit."""


class Ceiling(NamedTuple):
    """How bright a generator may leave a plate, before the look."""

    share: float
    """Of the plate's luma, at most: so its preset's look makes nothing brighter."""
    white: float | None = None
    """What the largest of red, green and blue comes near and never passes, in the working encoding; None for any."""


@dataclass(frozen=True)
class FieldPlan:
    """Everything that decides a shot's fields besides its frames and the generator."""

    height: int = 256
    """Working height in px: that of the upright frame's shorter side."""
    fit: Fit = field(default_factory=Fit)
    steadying: Steadying = field(default_factory=Steadying)
    lock: Lock | None = None
    """Global exposure and tint to hold, or None."""
    encoding: Encoding = SDR
    """The encoding of the frames' signal."""
    ceiling: Ceiling | None = None
    """How bright the generator may leave a plate; None for any."""


class ByField(NamedTuple):
    """A frame, as seen, and what lights it."""

    seen: Seen
    field: Field
    """(12, h, w): carries the light of the generator."""
    sky: Float32 | None
    """How surely each cell (h, w) is sky; None where nobody asked."""


def light_by_field(
    frames: Iterable[Frame],
    generator: Generator,
    plan: FieldPlan,
    borders: Borders | None = None,
    sky: SkyPlan | None = None,
) -> Iterator[ByField]:
    """Each frame, its field and its sky, both followed along motion; frames of a warm-up are left out."""
    borders = borders or Borders()
    shot = (see(frame, plan.height, plan.encoding) for frame in frames)
    parts = [Part(lambda x: field_of(x, generator, plan), plan.steadying)]
    if sky:
        parts.append(sky_part(sky, plan.encoding, plan.steadying.every))
    steadied = steady_parts(shot, parts, borders)
    for seen, (free, *skies) in islice(steadied, borders.shown_from - borders.begun_at, None):
        field = hold(free, seen.cells, plan.lock) if plan.lock else free
        yield ByField(seen, field, skies[0][0] if sky else None)


def field_of(seen: Seen, generator: Generator, plan: FieldPlan) -> Field:
    """Return the field (12, h, w) of what the generator does to the light of a frame.

    A frame that a player turns is turned before the generator sees it, and the field is turned back.
    """
    frame, small = seen.frame, seen.small
    shown = rolled_off(small, plan.encoding)
    light = light_of(generator, upright(shown, frame), "whole")
    gain, offset = (as_coded(maps.numpy(), frame) for maps in light)
    if plan.ceiling is not None:
        gain, offset = held_below(small, gain, offset, plan.ceiling)
    lit = small * gain + offset
    if not isinstance(generator, RelitGenerator):
        # it says no gain: the ratio of both pictures does, for what is above white too
        made = shown * gain + offset
        after, before = (np.maximum(x, 0) + _SHADOW for x in (made, shown))
        gain = (after / before).clip(0, np.exp(MAX_LOG_GAIN))
        lit = made + gain * (small - shown)
    # the fit is smooth: on half the rows and columns it is the same to 80 dB, for a quarter of the time
    lit, gain = halved(lit), halved(gain)
    return fit_field(seen.cells, lit, gain, plan.fit, keeps_black=True)


def held_below(
    plate: Float32, gain: Float32, offset: Float32, ceiling: Ceiling
) -> tuple[Float32, Float32]:
    """Return maps (3, h, w) that leave each pixel of `plate` (3, h, w) no brighter than it may be, its colour kept."""
    allowed = np.maximum(luma(plate), 0) * np.float32(ceiling.share)
    lit = plate * gain + offset
    made = np.maximum(luma(lit), _LEAST_LUMA)
    if ceiling.white is not None:
        # a saturated colour has little luma, and shines as a white does
        largest = np.maximum(lit.max(0), _LEAST_LUMA)
        allowed = np.minimum(allowed, made * (below_white(largest, ceiling.white) / largest))
    share = np.minimum(allowed / made, 1)
    return gain * share, offset * share


def below_white(level: Float32, white: float) -> Float32:
    """The level of a colour, bent from half of `white` on so that it comes near it and never passes."""
    knee = np.float32(_KNEE * white)
    room = np.float32(white) - knee
    over = np.maximum(level - knee, 0)
    bent: Float32 = knee + room * over / (room + over)  # as steep as the level at the knee
    return np.minimum(level, bent)


def fit_field(
    plate: Float32, lit: Float32, gain: Float32, fit: Fit, *, keeps_black: bool = False
) -> Field:
    """The field (12, h, w) that carries `plate` to `lit`, both (3, h, w) in any range.

    Where a window has no contrast to fit to, plate detail is scaled by `gain` (3, h, w), the generator's own: so grain
    gets as dark as what it lies on, and a generator that changes nothing gives exactly the identity. With `keeps_black`
    a window's darkest colour gets no darker than black and no brighter than it is, however steep the light is there.
    """
    sums = np.empty((24, *plate.shape[1:]), np.float32)
    _multiply(plate, lit, gain, sums)
    means, spare = np.empty_like(sums), np.empty_like(sums)
    _box(sums, means, spare, fit.radius_cells)
    _solve(means, spare[:12], fit.epsilon)
    if keeps_black:
        _keep_black(means, _darkest(plate, fit.radius_cells), spare[:12])
    field = np.empty((12, *plate.shape[1:]), np.float32)
    _box(spare[:12], field, sums[:12], fit.radius_cells)
    return field


def _darkest(plate: Float32, radius: int) -> Float32:
    """Return the least value of each channel (3, h, w) in each window."""
    window = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
    return np.stack([cv2.erode(channel, window) for channel in plate])


@kernel(parallel=True)
def _multiply(plate: Float32, lit: Float32, gain: Float32, out: Float32) -> None:
    """Plate, lit, gain, then the six products of plate channels and the nine of plate and lit."""
    _, height, width = plate.shape
    for y in prange(height):
        for c in range(3):
            for x in range(width):
                out[c, y, x] = plate[c, y, x]
                out[3 + c, y, x] = lit[c, y, x]
                out[6 + c, y, x] = gain[c, y, x]
        for c in range(3):
            for d in range(3):
                for x in range(width):
                    out[15 + 3 * c + d, y, x] = lit[c, y, x] * plate[d, y, x]
        for x in range(width):
            r, g, b = plate[0, y, x], plate[1, y, x], plate[2, y, x]
            out[9, y, x] = r * r
            out[10, y, x] = r * g
            out[11, y, x] = r * b
            out[12, y, x] = g * g
            out[13, y, x] = g * b
            out[14, y, x] = b * b


@kernel(parallel=True)
def _box(source: Float32, target: Float32, rows: Float32, radius: int) -> None:
    """Mean over (2 radius + 1)² px, edges repeated; running sums, in float64 lest they drift."""
    channels, height, width = source.shape
    share = 1.0 / (2 * radius + 1) ** 2
    for c in prange(channels):
        for y in range(height):
            _sum_along(source[c, y], rows[c, y], radius)
        sums = np.zeros(width, np.float64)
        for y in range(-radius, radius):
            first = rows[c, min(max(y, 0), height - 1)]
            for x in range(width):
                sums[x] += first[x]
        for y in range(height):
            enters, leaves = rows[c, min(y + radius, height - 1)], rows[c, max(y - radius, 0)]
            for x in range(width):
                sums[x] += enters[x]
                target[c, y, x] = sums[x] * share
                sums[x] -= leaves[x]


@kernel()
def _sum_along(row: Float32, sums: Float32, radius: int) -> None:
    last, total = row.shape[0] - 1, 0.0
    for x in range(-radius, radius):
        total += row[min(max(x, 0), last)]
    for x in range(last + 1):
        total += row[min(x + radius, last)]
        sums[x] = total
        total -= row[max(x - radius, 0)]


@kernel(parallel=True)
def _solve(m: Float32, field: Float32, epsilon: float) -> None:
    """A = diag(gain) + (cov(lit, plate) − diag(gain) Σ) (Σ + ε)⁻¹, b = mean lit − A mean plate, a window a cell."""
    _, height, width = m.shape
    for y in prange(height):
        for x in range(width):
            # float64: wild chroma lies far outside [0, 1], and its variances cancel
            r, g, b = np.float64(m[0, y, x]), np.float64(m[1, y, x]), np.float64(m[2, y, x])
            rr, rg, rb = m[9, y, x] - r * r, m[10, y, x] - r * g, m[11, y, x] - r * b
            gg, gb, bb = m[12, y, x] - g * g, m[13, y, x] - g * b, m[14, y, x] - b * b
            dr, dg, db = rr + epsilon, gg + epsilon, bb + epsilon
            i0, i1, i2 = dg * db - gb * gb, rb * gb - rg * db, rg * gb - rb * dg
            i3, i4, i5 = dr * db - rb * rb, rg * rb - dr * gb, dr * dg - rg * rg
            scale = 1.0 / (dr * i0 + rg * i1 + rb * i2)
            for c in range(3):
                mean, k = np.float64(m[3 + c, y, x]), np.float64(m[6 + c, y, x])
                sr, sg, sb = (rr, rg, rb) if c == 0 else (rg, gg, gb) if c == 1 else (rb, gb, bb)
                vr = m[15 + 3 * c, y, x] - mean * r - k * sr
                vg = m[16 + 3 * c, y, x] - mean * g - k * sg
                vb = m[17 + 3 * c, y, x] - mean * b - k * sb
                ar = (i0 * vr + i1 * vg + i2 * vb) * scale + (k if c == 0 else 0.0)
                ag = (i1 * vr + i3 * vg + i4 * vb) * scale + (k if c == 1 else 0.0)
                ab = (i2 * vr + i4 * vg + i5 * vb) * scale + (k if c == 2 else 0.0)
                field[4 * c, y, x], field[4 * c + 1, y, x], field[4 * c + 2, y, x] = ar, ag, ab
                field[4 * c + 3, y, x] = mean - ar * r - ag * g - ab * b


@kernel(parallel=True)
def _keep_black(m: Float32, darkest: Float32, field: Float32) -> None:
    """Keep each model between black and the plate at the darkest colour of its window.

    One that leaves them is mixed with the gain that carries mean to mean.
    """
    _, height, width = darkest.shape
    for y in prange(height):
        for x in range(width):
            for c in range(3):
                model = field[4 * c : 4 * c + 4, y, x]
                low = model[3]
                for d in range(3):
                    low += model[d] * darkest[d, y, x]
                own = darkest[c, y, x]
                floor, roof = min(own, np.float32(0)), max(own, np.float32(0))
                if low < floor or low > roof + _LEAST_LUMA:
                    gain = max(m[3 + c, y, x], np.float32(0)) / max(m[c, y, x], _SHADOW)
                    wanted = floor if low < floor else roof
                    there = min(max(gain * own, floor), roof)
                    share = (wanted - low) / (there - low)
                    for d in range(4):
                        model[d] *= 1 - share
                    model[c] += share * gain
