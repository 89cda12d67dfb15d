"""A field of the ground and one of the sky on the planes of a frame as they were decoded, through a matte.

As `field.py` applies one field, luma at its own size and chroma where its samples stand; of a row without sky nothing else
is computed. The matte is averaged to chroma's samples as luma is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nightfx.apply.field import (
    BLOCKS,
    Field,
    affine_row,
    field_in_codes,
    noise_row,
    places_of,
    read_cells,
)
from nightfx.apply.planes import alpha_for, as_coded_planes, planes_of_one_type, seed_of
from nightfx.apply.through import shares_of
from nightfx.picture import (
    BT709,
    Coding,
    Float32,
    Frame,
    Plane,
    Planes,
    average_rows,
    kernel,
    matrix_of,
    prange,
    widened,
)

_SPAN_PX = 64  # of a row, without sky or with it


class _Over(NamedTuple):
    """What is seen of the sky, in codes, for one size of planes."""

    fields: Float32
    """Cells of the sky's field for the planes of that size, 4 each, then the codes of the sky by day, 3."""
    weigh: Float32
    """Luma of codes: three shares and a constant."""
    amount: np.float32


def apply_with_sky(
    frame: Frame,
    ground: Field,
    sky: Field,
    day: Float32,
    alpha: Float32,
    amount: float,
    coding: Coding,
) -> Frame:
    """Return the frame under `ground`, and under `sky` where the matte `alpha` (H, W) shows sky, in `coding`.

    Both fields are (12, h, w), and `day` (3, h, w) is the sky's colour by day at the same cells. `coding` is sampled as the
    frame, as `apply_field` asks for where it changes planes directly.
    """
    plates, out = planes_of_one_type(frame, coding)
    fields = [field_in_codes(field, frame.coding, coding) for field in (ground, sky)]
    matrix, zero = matrix_of(frame.coding)
    in_codes = np.tensordot(matrix, day, axes=1) + zero.reshape(3, 1, 1)
    luma, chroma = (
        np.concatenate([part, in_codes]).astype(np.float32)
        for part in (fields[1][:4], fields[1][4:])
    )
    weigh, amount_ = _luma_of_codes(frame.coding), np.float32(amount)
    black = zero_of(coding), 2.0 ** (coding.depth - frame.coding.depth)
    _apply(
        *(plates, out, fields[0], _Over(luma, weigh, amount_), _Over(chroma, weigh, amount_)),
        *(np.ascontiguousarray(alpha, np.float32), coding.sub_x, coding.sub_y, black),
        *(coding.peak, seed_of(frame.pts), coding.depth == 8),
    )
    return frame.with_planes(as_coded_planes(out, coding, alpha_for(coding, frame)), coding)


def zero_of(coding: Coding) -> float:
    """Return the code of luma's black."""
    return float(matrix_of(coding)[1][0])


def _luma_of_codes(coding: Coding) -> Float32:
    shares = BT709 if coding.matrix == "rgb" else (1.0, 0.0, 0.0)
    return np.array([*shares, -shares[0] * zero_of(coding)], np.float32)


@kernel(parallel=True)
def _apply(
    planes: Planes,
    out: Planes,
    field: Float32,
    over_luma: _Over,
    over_chroma: _Over,
    alpha: Float32,
    sub_x: int,
    sub_y: int,
    black: tuple[float, float],
    peak: int,
    seed: int,
    dither: bool,
) -> None:
    first, second, third = planes
    out_first, out_second, out_third = out
    height, width = first.shape
    rows, columns = second.shape
    at, part = places_of(width, width, field.shape[2], 0)
    at_chroma, part_chroma = places_of(columns, width, field.shape[2], sub_x)
    none = (0.0, 1.0)
    for block in prange(BLOCKS):
        luma_cells, luma_have = np.empty((2, 4, width), np.float32), np.full(2, -1)
        chroma_cells, chroma_have = np.empty((2, 8, columns), np.float32), np.full(2, -1)
        sky_cells, sky_have = np.empty((2, 7, width), np.float32), np.full(2, -1)
        tint_cells, tint_have = np.empty((2, 11, columns), np.float32), np.full(2, -1)
        shares = np.empty((8, max(width, columns)), np.float32)
        sky = np.empty((11, max(width, columns)), np.float32)
        noise = np.full(width, np.float32(0.5))
        luma, matte = np.empty(columns, np.float32), np.empty(columns, np.float32)
        for row in range(rows * block // BLOCKS, rows * (block + 1) // BLOCKS):
            top, bottom = row << sub_y, min((row + 1) << sub_y, height)
            has_sky = False
            for y in range(top, bottom):
                far = min(max(row + 2 * (y & 1) - 1, 0), rows - 1)
                share = np.float32(0.25 * sub_y)
                full_b = widened(second[row], second[far], share, sub_x, width, np.float32(0))
                full_r = widened(third[row], third[far], share, sub_x, width, np.float32(0))
                read_cells(field[:4], y + 0.5, height, at, part, luma_cells, luma_have, shares)
                if dither:
                    noise_row(seed, y, noise)
                row_has_sky = _has_sky(alpha[y])
                if row_has_sky:
                    has_sky = True
                    read_cells(
                        *(over_luma.fields, y + 0.5, height, at, part),
                        *(sky_cells, sky_have, sky),
                    )
                _row(
                    *(row_has_sky, first[y], full_b, full_r, shares, sky[:4], sky[4:7], alpha[y]),
                    *(over_luma.weigh, over_luma.amount, noise, black, peak, out_first[y]),
                )
            average_rows(first, top, bottom, sub_x, luma)
            centre = (top + bottom) / 2
            read_cells(
                *(field[4:], centre, height, at_chroma, part_chroma),
                *(chroma_cells, chroma_have, shares),
            )
            if has_sky:
                average_rows(alpha, top, bottom, sub_x, matte)
                read_cells(
                    *(over_chroma.fields, centre, height, at_chroma, part_chroma),
                    *(tint_cells, tint_have, sky),
                )
            for plane in range(2):
                if dither:
                    noise_row(seed + 1 + plane, row, noise[:columns])
                ground, target = shares[4 * plane :], out_second if plane == 0 else out_third
                _row(
                    *(has_sky, luma, second[row], third[row], ground, sky[4 * plane :], sky[8:11]),
                    *(matte, over_chroma.weigh, over_chroma.amount, noise, none, peak),
                    target[row],
                )


@kernel()
def _row(
    has_sky: bool,
    a: Plane,
    b: Plane,
    c: Plane,
    ground: Float32,
    sky: Float32,
    day: Float32,
    alpha: Float32,
    weigh: Float32,
    amount: np.float32,
    noise: Float32,
    black: tuple[float, float],
    peak: int,
    out: Plane,
) -> None:
    """One row of one plane; `ground` and `sky` are the 4 shares of that plane along it, `day` three codes."""
    affine_row(a, b, c, ground, noise, black, peak, out)
    for begin in range(0, out.shape[0] if has_sky else 0, _SPAN_PX):
        end = min(begin + _SPAN_PX, out.shape[0])
        if _has_sky(alpha[begin:end]):
            _sky_span(
                *(a, b, c, ground, sky, day, alpha, weigh, amount, noise, black, peak),
                *(begin, end, out),
            )


@kernel()
def _sky_span(
    a: Plane,
    b: Plane,
    c: Plane,
    ground: Float32,
    sky: Float32,
    day: Float32,
    alpha: Float32,
    weigh: Float32,
    amount: np.float32,
    noise: Float32,
    black: tuple[float, float],
    peak: int,
    begin: int,
    end: int,
    out: Plane,
) -> None:
    """Write a span of a row, from `begin` to before `end`, that has sky in it."""
    top, low, scale = np.float32(peak), np.float32(black[0]), np.float32(black[1])
    for x in range(begin, end):
        value = ground[0, x] * a[x] + ground[1, x] * b[x] + ground[2, x] * c[x] + ground[3, x]
        own = weigh[0] * a[x] + weigh[1] * b[x] + weigh[2] * c[x] + weigh[3]
        d, e, f = day[0, x], day[1, x], day[2, x]
        around = weigh[0] * d + weigh[1] * e + weigh[2] * f + weigh[3]
        clear, mixed = shares_of(alpha[x], np.float32(own), np.float32(around))
        through = sky[0, x] * a[x] + sky[1, x] * b[x] + sky[2, x] * c[x] + sky[3, x]
        under = ground[0, x] * d + ground[1, x] * e + ground[2, x] * f + ground[3, x]
        over = sky[0, x] * d + sky[1, x] * e + sky[2, x] * f + sky[3, x]
        value += amount * (clear * (through - value) + mixed * (over - under))
        out[x] = np.int32(min(max(value + noise[x], min(a[x] * scale, low)), top))


@kernel()
def _has_sky(alpha: Float32) -> bool:
    for share in alpha:  # noqa: SIM110 - numba knows no any() of a generator
        if share > 0:
            return True
    return False
