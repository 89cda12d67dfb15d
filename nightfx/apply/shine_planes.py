"""Light that is added to a frame's planes as they are coded: patch by patch, a few rows at once, by all threads.

What becomes of a sample is said in `shine.py`; here its red, green and blue are read from the planes, and what light changes of
them is written to the codes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nightfx.apply.patches import Packed, average_part
from nightfx.apply.shine import parts, sum_light, textured_by, to_added, to_light
from nightfx.picture import (
    BT709,
    Float32,
    Plane,
    Planes,
    ToCodes,
    code_of,
    kernel,
    noise_at,
    prange,
)

_BLOCKS, _STRIP = 32, 16  # parts of a frame that threads share, and rows that are done at once
_RED, _GREEN, _BLUE = (np.float32(share) for share in BT709)


class Way(NamedTuple):
    """The way from codes to RGB, for kernels."""

    inverse: Float32
    """(3, 3), from codes less those of black to R, G and B."""
    zero: Float32
    """(3,), the codes of black."""


class Side(NamedTuple):
    """A picture as three planes."""

    planes: Planes
    way: Way


class Sites(NamedTuple):
    """Which samples of planes are lit."""

    sub_x: int
    sub_y: int
    is_chroma: bool
    """Chroma's, and not luma's; where chroma is not subsampled, luma's are those of all planes."""


class _Made(NamedTuple):
    """What a thread writes a few rows of samples to, those of a patch one after another."""

    light: Float32
    """(3, rows, w): the light on whole rows, 0 between two strips of them."""
    samples: Float32
    """(3, n): red, green and blue."""
    shone: Float32
    sums: Float32
    wide: Float32
    """(n,): a row of a plane, and what is beside it."""


class _Span(NamedTuple):
    """The samples of a patch in a strip of rows."""

    strip: int
    """The first row of the strip."""
    top: int
    bottom: int
    left: int
    right: int


def shine_on_planes(
    plate: Side,
    lit: Side,
    outs: Planes,
    lamps: Packed,
    sites: Sites,
    to_codes: ToCodes,
    strength: float,
) -> None:
    """Add the light of lamps, which stand at `sites`, to the planes `outs`.

    `lit` is the `plate` under the light beneath that of the lamps, and `outs` are what lies between both by the strength.
    """
    ways, part = (plate.way, lit.way), np.float32(strength)
    _shine(plate.planes, lit.planes, outs, *ways, lamps, sites, to_codes, part)


@kernel(parallel=True)
def _shine(
    plates: Planes,
    lits: Planes,
    outs: Planes,
    plate_way: Way,
    lit_way: Way,
    lamps: Packed,
    sites: Sites,
    to_codes: ToCodes,
    strength: np.float32,
) -> None:
    # numba hands no tuples of tuples to threads
    for index in prange(_BLOCKS):
        block = int(np.int64(index))  # or all would be compiled for whole numbers of two kinds
        _shine_block(
            block, plates, lits, outs, plate_way, lit_way, lamps, sites, to_codes, strength
        )


@kernel()
def _shine_block(
    block: int,
    plates: Planes,
    lits: Planes,
    outs: Planes,
    plate_way: Way,
    lit_way: Way,
    lamps: Packed,
    sites: Sites,
    to_codes: ToCodes,
    strength: np.float32,
) -> None:
    plate, lit, boxes = Side(plates, plate_way), Side(lits, lit_way), lamps.boxes
    rows, columns = outs[1].shape if sites.is_chroma else outs[0].shape
    start, stop = rows * block // _BLOCKS, rows * (block + 1) // _BLOCKS
    made = _room_for(boxes, columns, 1 << sites.sub_x)
    for strip in range(start, stop, _STRIP):
        end = min(strip + _STRIP, stop)
        for i in range(boxes.shape[0]):
            span = _span_of(boxes[i], strip, end)
            if span.top < span.bottom:
                _add_patch(plate, sites, lamps, i, span, made)
        for i in range(boxes.shape[0]):
            span = _span_of(boxes[i], strip, end)
            if span.top < span.bottom:
                _read(lit, sites, span, made)
                count = _take_light(span, made)
                to_light(made.samples, count, made.shone)
                sum_light(made.shone, made.sums, 0, count, True)
                to_added(made.samples, count, strength, made.shone)
                _write(outs, sites, span, made, to_codes)


@kernel()
def _span_of(box: NDArray[np.int64], strip: int, end: int) -> _Span:
    return _Span(strip, max(box[0], strip), min(box[1], end), box[2], box[3])


@kernel()
def _room_for(boxes: NDArray[np.int64], columns: int, step: int) -> _Made:
    widest = 0
    for i in range(boxes.shape[0]):
        widest = max(widest, boxes[i, 3] - boxes[i, 2])
    light = np.zeros((3, _STRIP, columns), np.float32)
    samples = np.empty((3, _STRIP * widest), np.float32)
    wide = np.empty((widest + 4) * max(step, _STRIP), np.float32)
    return _Made(light, samples, np.empty_like(samples), np.empty_like(samples), wide)


@kernel()
def _add_patch(
    plate: Side, sites: Sites, lamps: Packed, index: int, span: _Span, made: _Made
) -> None:
    """Add the light of one patch to that of a strip."""
    first, left, right = lamps.boxes[index, 0], span.left, span.right
    texture, mean = lamps.shine[index, 3], lamps.shine[index, 4]
    start, width = lamps.starts[index] + (span.top - first) * (right - left), right - left
    count = (span.bottom - span.top) * width
    cover, share = lamps.cover[start : start + count], made.wide[:count]
    if texture > 0:
        _read(plate, sites, span, made)
        to_light(made.samples, count, made.shone)
    _copy(cover, share)
    if texture > 0:
        reds, greens, blues = parts(made.shone, 0, count)
        for x in range(count):
            own = _RED * reds[x] + _GREEN * greens[x] + _BLUE * blues[x]
            share[x] *= textured_by(own, texture, mean)
    for c in range(3):
        colour = lamps.shine[index, c]
        for y in range(span.top, span.bottom):
            light, at = made.light[c, y - span.strip, left:right], (y - span.top) * width
            more = share[at : at + width]
            for x in range(light.shape[0]):
                light[x] += more[x] * colour


@kernel()
def _take_light(span: _Span, made: _Made) -> int:
    """Take the light of a patch's samples from the strip, so that a sample in two patches is lit once; return their count."""
    width = span.right - span.left
    for c in range(3):
        for y in range(span.top, span.bottom):
            light = made.light[c, y - span.strip, span.left : span.right]
            taken = made.sums[c, (y - span.top) * width : (y - span.top + 1) * width]
            for x in range(light.shape[0]):
                taken[x] = light[x]
                light[x] = 0
    return (span.bottom - span.top) * width


@kernel()
def _read(side: Side, sites: Sites, span: _Span, made: _Made) -> None:
    """Write red, green and blue of a patch's samples."""
    left, right = span.left, span.right
    width = right - left
    first, second, third = side.planes
    sub = sites.sub_x, sites.sub_y
    for row in range(span.top, span.bottom):
        at = (row - span.top) * width
        reds, greens, blues = parts(made.samples, at, at + width)
        if sites.is_chroma:
            average_part(first, (0, 0), first.shape, sub, row, left, made.wide, reds)
            _copy(second[row, left:right], greens)
            _copy(third[row, left:right], blues)
        else:
            _copy(first[row, left:right], reds)
            _chroma_at_luma(second, sites, row, left, made.wide, greens)
            _chroma_at_luma(third, sites, row, left, made.wide, blues)
    _mix(side.way, *parts(made.samples, 0, (span.bottom - span.top) * width))


@kernel()
def _copy(codes: Plane, out: Float32) -> None:
    for x in range(out.shape[0]):
        out[x] = codes[x]


@kernel()
def _mix(way: Way, reds: Float32, greens: Float32, blues: Float32) -> None:
    """Turn codes of three planes to red, green and blue."""
    m, zero = way
    m_rr, m_rg, m_rb = m[0, 0], m[0, 1], m[0, 2]
    m_gr, m_gg, m_gb = m[1, 0], m[1, 1], m[1, 2]
    m_br, m_bg, m_bb = m[2, 0], m[2, 1], m[2, 2]
    zero_r, zero_g, zero_b = zero[0], zero[1], zero[2]
    for x in range(reds.shape[0]):
        a, b, c = reds[x] - zero_r, greens[x] - zero_g, blues[x] - zero_b
        reds[x] = m_rr * a + m_rg * b + m_rb * c
        greens[x] = m_gr * a + m_gg * b + m_gb * c
        blues[x] = m_br * a + m_bg * b + m_bb * c


@kernel()
def _chroma_at_luma(
    plane: Plane, sites: Sites, row: int, left: int, wide: Float32, codes: Float32
) -> None:
    """Write the codes of chroma where luma's samples stand, from `left` on: on straight lines between its own."""
    if sites.sub_x == 0 and sites.sub_y == 0:
        _copy(plane[row, left : left + codes.shape[0]], codes)
        return
    near, first = row >> sites.sub_y, left >> sites.sub_x
    last = ((left + codes.shape[0] - 1) >> sites.sub_x) + 1
    far = min(max(near + 2 * (row & 1) - 1, 0), plane.shape[0] - 1)
    share = np.float32(0.25 * sites.sub_y)
    one, other = plane[near, first : last + 1], plane[far, first : last + 1]
    for x in range(one.shape[0]):
        wide[x] = one[x] * (np.float32(1) - share) + other[x] * share
    wide[one.shape[0]] = wide[one.shape[0] - 1]
    step = 1 << sites.sub_x
    part, begin = np.float32(1) / np.float32(step), left - (first << sites.sub_x)
    for x in range(codes.shape[0]):
        at = np.uint32((x + begin) >> sites.sub_x)
        along = np.float32((x + begin) & (step - 1)) * part
        codes[x] = wide[at] + (wide[at + np.uint32(1)] - wide[at]) * along


@kernel()
def _write(outs: Planes, sites: Sites, span: _Span, made: _Made, to_codes: ToCodes) -> None:
    """Add red, green and blue of `made.shone` to the codes of a patch's samples, where there is light."""
    m, _, peak, seed, dither = to_codes
    width = span.right - span.left
    first = 1 if sites.is_chroma else 0
    last = 1 if sites.sub_x + sites.sub_y > 0 and not sites.is_chroma else 3
    for i in range(first, last):
        red, green, blue = m[i, 0], m[i, 1], m[i, 2]
        for row in range(span.top, span.bottom):
            at = (row - span.top) * width
            reds, greens, blues = parts(made.shone, at, at + width)
            light_r, light_g, light_b = parts(made.sums, at, at + width)
            codes = outs[i][row, span.left : span.right]
            for x in range(codes.shape[0]):
                if light_r[x] + light_g[x] + light_b[x] > 0:
                    more = red * reds[x] + green * greens[x] + blue * blues[x]
                    noise = noise_at(seed + i, row, span.left + x, dither)
                    codes[x] = code_of(codes[x] + more, noise, peak)
