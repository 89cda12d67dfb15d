"""Tell the sky from what stands before it by colour: in each neighbourhood one line in RGB from the one to the other.

The colours of what is surely sky and surely not, and how they vary, are averaged around each cell; the line is Fisher's
(1936): along Σ⁻¹ (sky − rest), so that a wall of dark and bright windows does not count as half a sky. The averages have
long tails: they go on where there is nothing near.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from nightfx.picture import Float32, Float64, kernel, prange

_GATHER_PX = 4  # of the small picture, in a cell of averages
_RADIUS = 2  # of the window, in such cells
_FAR = 4  # and this many times as far, by the share
_FAR_SHARE, _GLOBAL_SHARE = np.float32(0.02), np.float32(1e-4)
_SURE = 0.6, 0.95  # of what the network says: from where on a place lends its colour, and in full
_NOISE = 4e-4  # added to variances: colours nearer than 0.02 are the same
_TOLD = 0.7, 1.5  # deviations between sky and rest, where their colours begin to tell, and do
_MOST_PRIOR = 0.5  # that a unit of log odds weighs, where they do not
_MOST_ODDS = np.float32(5)  # log odds of the network that count: it is sure of much
_REST_WIDTH, _SKY_WIDTH = 0.3, 2.0  # deviations of either's colours that are still wholly it
_MOST_REST, _MOST_SKY = 0.3, 0.3  # and the most of the line that they may take
_NEAR_CELLS = 2  # around the network's edge colours are believed
_FIRM = 0.15, 0.5  # where nothing near is that sure, the network is
_GAP, _GAP_CELLS = (
    (0.03, 0.2),
    12,
)  # less will do where so many cells away there is sky: gaps in crowns
_SKY_NEAR = 0.5, 0.9


class Apart(NamedTuple):
    """What tells sky from the rest: alpha = clip(slope · rgb + constant, least, most), read between cells."""

    model: Float32
    """(6, h, w): three slopes, the constant, the least and the most that alpha may be."""
    colour: Float32
    """(3, h, w): the sky's colour, continued where there is none."""
    sky: Float32
    """(h, w): how surely it is sky."""


def tell_apart(sky: Float32, small: Float32) -> Apart:
    """Return what tells the sky from the rest, in cells of 2 px of `small` (3, h, w); `sky` (h', w') is how sure it is."""
    height, width = small.shape[1:]
    sure = _resized(sky, (width, height))
    lines = _lines(small, *_sure_of(sure))
    cells = -(-width // 2), -(-height // 2)
    coarse = np.asarray(cv2.resize(sure, cells, interpolation=cv2.INTER_AREA), np.float32)
    near = np.moveaxis(cv2.resize(lines, cells, interpolation=cv2.INTER_LINEAR), -1, 0)
    return Apart(_bounded(near, coarse), np.ascontiguousarray(near[5:]), coarse)


def _resized(sky: Float32, size: tuple[int, int]) -> Float32:
    how = cv2.INTER_AREA if sky.shape[1] > size[0] else cv2.INTER_LINEAR
    return np.asarray(sky if sky.shape == size[::-1] else cv2.resize(sky, size, interpolation=how))


def ramp(x: Float32, low: float, high: float) -> Float32:
    """Return 0 up to `low`, 1 from `high` on, and straight between."""
    straight: Float32 = np.clip((x - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    return straight


def _sure_of(sky: Float32) -> tuple[Float32, Float32]:
    """How much each place lends its colour to the sky, and to the rest."""
    square = np.ones((3, 3), np.uint8)  # edges are a pixel wide, and are mixed
    own, rest = (cv2.erode(ramp(x, *_SURE), square) for x in (sky, 1 - sky))
    return np.asarray(own, np.float32), np.asarray(rest, np.float32)


def _lines(small: Float32, own: Float32, rest: Float32) -> Float32:
    """The lines (h, w, 8), drawn once by what the network says, and again without what then looks like the other."""
    shape = (-(-small.shape[1] // _GATHER_PX), -(-small.shape[2] // _GATHER_PX))
    lines = np.zeros((*shape, 8), np.float32)
    for again in (False, True):
        if again:
            _weigh(small, lines, own, rest)
        sums = np.zeros((*shape, 20), np.float32)
        _gather(small, own, rest, sums)
        _draw_lines(_around(sums), lines)
    return lines


@kernel(parallel=True)
def _weigh(small: Float32, lines: Float32, own: Float32, rest: Float32) -> None:
    """Weigh what lends its colour by how far on the line it lies: holes in a crown are none of the crown's."""
    _, height, width = small.shape
    for y in prange(height):
        for x in range(width):
            line = lines[y // _GATHER_PX, x // _GATHER_PX]
            far = line[3]
            for c in range(3):
                far += line[c] * small[c, y, x]
            far = min(max(far, np.float32(0)), np.float32(1))
            own[y, x] *= far
            rest[y, x] *= 1 - far


@kernel(parallel=True)
def _gather(small: Float32, sky: Float32, rest: Float32, sums: Float32) -> None:
    _, height, width = small.shape
    for j in prange(sums.shape[0]):
        for y in range(j * _GATHER_PX, min((j + 1) * _GATHER_PX, height)):
            for x in range(width):
                r, g, b = small[0, y, x], small[1, y, x], small[2, y, x]
                for k in range(2):
                    weight = sky[y, x] if k == 0 else rest[y, x]
                    if weight == 0:
                        continue
                    out = sums[j, x // _GATHER_PX, 10 * k : 10 * k + 10]
                    wr, wg, wb = weight * r, weight * g, weight * b
                    out[0] += weight
                    out[1] += wr
                    out[2] += wg
                    out[3] += wb
                    out[4] += wr * r
                    out[5] += wr * g
                    out[6] += wr * b
                    out[7] += wg * g
                    out[8] += wg * b
                    out[9] += wb * b


def _around(sums: Float32) -> Float32:
    """The sums around each cell: near ones, a little of far ones, and a trace of all."""
    height, width, _ = sums.shape
    over = ((0, -height % _FAR), (0, -width % _FAR), (0, 0))
    whole = np.pad(sums, over) if over != ((0, 0),) * 3 else sums
    coarse = whole.reshape(-(-height // _FAR), _FAR, -(-width // _FAR), _FAR, -1).mean((1, 3))
    far = cv2.resize(_blurred(coarse), whole.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    wide = far[:height, :width]
    everywhere = sums.mean((0, 1))
    around: Float32 = _blurred(sums) + _FAR_SHARE * wide + _GLOBAL_SHARE * everywhere
    return around


def _blurred(sums: Float32) -> Float32:
    side = 2 * _RADIUS + 1
    blurred = cv2.blur(sums, (side, side), borderType=cv2.BORDER_CONSTANT)
    return np.asarray(blurred, np.float32)


@kernel(parallel=True)
def _draw_lines(sums: Float32, lines: Float32) -> None:
    """Slopes (3), constant, what a unit of the network's log odds weighs, and the sky's colour (3), for each cell."""
    height, width, _ = sums.shape
    for y in prange(height):
        sky, rest, between = np.zeros(9), np.zeros(9), np.zeros(9)
        slope = np.zeros(3)
        for x in range(width):
            _divide(sums[y, x, :10], sky)
            _divide(sums[y, x, 10:], rest)
            for i in range(9):
                between[i] = sky[i] - rest[i] if i < 3 else 0.5 * (sky[i] + rest[i])
            square = _solve(between, slope)
            for c in range(3):
                slope[c] /= max(square, 1e-9)
            told = min(max((np.sqrt(square) - _TOLD[0]) / (_TOLD[1] - _TOLD[0]), 0.0), 1.0)
            low = min(_REST_WIDTH * np.sqrt(_along(rest, slope)), _MOST_REST)
            high = 1 - min(_SKY_WIDTH * np.sqrt(_along(sky, slope)), _MOST_SKY)
            scale = told / (high - low)
            start = low + slope[0] * rest[0] + slope[1] * rest[1] + slope[2] * rest[2]
            lines[y, x, 3] = 0.5 * (1 - told) - start * scale
            lines[y, x, 4] = max(lines[y, x, 4], min(1 / max(square, 1e-9), _MOST_PRIOR))
            for c in range(3):
                lines[y, x, c], lines[y, x, 5 + c] = slope[c] * scale, sky[c]


@kernel()
def _divide(s: Float32, out: Float64) -> None:
    """The mean colour (3) and its variances (6) of sums (10)."""
    weight = max(np.float64(s[0]), 1e-12)
    for i in range(9):
        out[i] = s[i + 1] / weight
    i = 3
    for c in range(3):
        for d in range(c, 3):
            out[i] -= out[c] * out[d]
            i += 1


@kernel()
def _solve(v: Float64, slope: Float64) -> float:
    """Write (V + noise)⁻¹ delta, of v = (delta, V); returns the square of the deviations that delta is long."""
    rr, rg, rb, gg, gb, bb = v[3] + _NOISE, v[4], v[5], v[6] + _NOISE, v[7], v[8] + _NOISE
    i0, i1, i2 = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    i3, i4, i5 = rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg
    scale = 1.0 / (rr * i0 + rg * i1 + rb * i2)
    slope[0] = (i0 * v[0] + i1 * v[1] + i2 * v[2]) * scale
    slope[1] = (i1 * v[0] + i3 * v[1] + i4 * v[2]) * scale
    slope[2] = (i2 * v[0] + i4 * v[1] + i5 * v[2]) * scale
    return float(slope[0] * v[0] + slope[1] * v[1] + slope[2] * v[2])


@kernel()
def _along(v: Float64, a: Float64) -> float:
    """The variance along `a`, of v = (mean, V)."""
    squares = v[3] * a[0] * a[0] + v[6] * a[1] * a[1] + v[8] * a[2] * a[2]
    mixed = v[4] * a[0] * a[1] + v[5] * a[0] * a[2] + v[7] * a[1] * a[2]
    return float(max(squares + 2 * mixed, 0.0))


def _bounded(near: Float32, sky: Float32) -> Float32:
    """The model (6, h, w): where colours do not tell, the network does, and away from its edge it alone."""
    model = np.empty((6, *sky.shape), np.float32)
    model[:4] = near[:4]
    model[3] += near[4] * _odds(cv2.blur(sky, (3, 3)))
    model[4] = 1 - ramp(_most_near(1 - sky, _NEAR_CELLS), *_FIRM)
    most = _most_near(sky, _NEAR_CELLS)
    gaps = ramp(most, *_GAP) * ramp(_most_near(sky, _GAP_CELLS), *_SKY_NEAR)
    model[5] = np.maximum(ramp(most, *_FIRM), gaps)
    return model


def _most_near(values: Float32, cells: int) -> Float32:
    square = np.ones((2 * cells + 1, 2 * cells + 1), np.uint8)
    return np.asarray(cv2.dilate(values, square), np.float32)


def _odds(sky: Float32) -> Float32:
    inside = np.clip(sky, np.float32(1e-3), np.float32(1 - 1e-3))
    odds: Float32 = np.clip(np.log(inside / (1 - inside)), -_MOST_ODDS, _MOST_ODDS)
    return odds
