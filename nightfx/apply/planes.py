"""Apply a change of light to the planes as they were decoded.

`rgb * gain + offset` is affine in RGB and so it is in YUV. Luma is computed at its own size; chroma where its samples
stand, from the *plate's* chroma and from luma, gain and offset averaged there. So no change of light gives the plate
back, code for code, and chroma is never blown up and shrunk again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nightfx.picture import (
    Coding,
    Frame,
    Plane,
    Planes,
    ToCodes,
    alpha_planes,
    average_rows,
    code_of,
    convert_alpha,
    from_rgb,
    is_affine,
    kernel,
    matrix_of,
    noise_at,
    prange,
    to_codes_of,
)

_Float32 = NDArray[np.float32]


def apply_light(
    frame: Frame, rgb: _Float32, gain: _Float32, offset: _Float32, coding: Coding
) -> Frame:
    """The frame under another light, in `coding`; alpha, time and tags stay.

    `rgb`, `gain` and `offset` are (3, H, W) float32, `rgb` being the frame itself and not clipped. Where `coding` is
    sampled as the frame, the planes are changed directly, whatever their depth and matrix; otherwise the picture is
    converted. 8-bit codes are dithered by a hash of pts and pixel, since a darkened sky would show bands.
    """
    alpha = alpha_for(coding, frame)
    if not same_samples(frame.coding, coding):
        lit = rgb * gain + offset
        return frame.with_planes(from_rgb(lit, coding, alpha, seed=seed_of(frame.pts)), coding)
    plates, outs = planes_of_one_type(frame, coding)
    to_codes = to_codes_of(coding, seed_of(frame.pts))
    if coding.matrix == "rgb":
        _relight_full(outs, rgb, gain, offset, to_codes, 3)
    else:
        _relight_full(outs, rgb, gain, offset, to_codes, 1)
        matrix, zero = matrix_of(frame.coding)
        inverse, black = np.linalg.inv(matrix).astype(np.float32), zero.astype(np.float32)
        sub = coding.sub_x, coding.sub_y
        _relight_chroma(plates, outs, gain, offset, (inverse, black), to_codes, sub)
    return frame.with_planes(as_coded_planes(outs, coding, alpha), coding)


def same_samples(one: Coding, other: Coding) -> bool:
    """Say whether codes of one coding are affine in those of the other, sample by sample: sited alike, not float."""
    sited = (one.sub_x, one.sub_y, one.multiplied) == (other.sub_x, other.sub_y, other.multiplied)
    both = one, other
    return sited and all(c.matrix != "gray" and not c.is_float and is_affine(c) for c in both)


def alpha_for(coding: Coding, frame: Frame) -> Plane | None:
    """The frame's alpha in the depth of `coding`; None where it has none."""
    if frame.alpha is None:
        return None
    return convert_alpha(frame.alpha, frame.coding.depth, coding.depth)


def planes_of_one_type(frame: Frame, coding: Coding) -> tuple[Planes, Planes]:
    """The frame's three planes, and three empty ones, in the wider type of the two codings.

    So the kernels are compiled for two pairs of types and not for four.
    """
    wide = frame.coding.dtype if frame.coding.depth > coding.depth else coding.dtype
    plates = tuple(plane.astype(wide, copy=False) for plane in frame.planes[:3])
    return plates, tuple(np.empty_like(plane) for plane in plates)


def as_coded_planes(planes: Planes, coding: Coding, alpha: Plane | None) -> Planes:
    """The planes in the type of `coding`, and its alpha where it has one."""
    typed = tuple(plane.astype(coding.dtype, copy=False) for plane in planes)
    return (*typed, *alpha_planes(coding, planes[0].shape, alpha))


def seed_of(pts: int) -> int:
    """The seed of the dither of the frame shown at `pts`."""
    return pts * 0x9E3779B1 & 0x7FFFFFFF


@kernel(parallel=True)
def _relight_full(
    planes: Planes, rgb: _Float32, gain: _Float32, offset: _Float32, to_codes: ToCodes, count: int
) -> None:
    """Write the first `count` planes, at full size: luma alone, or R, G and B; none below black where the plate is not."""
    m, z, peak, seed, dither = to_codes
    first, second, third = planes
    _, height, width = rgb.shape
    for y in prange(height):
        for x in range(width):
            r = rgb[0, y, x] * gain[0, y, x] + offset[0, y, x]
            g = rgb[1, y, x] * gain[1, y, x] + offset[1, y, x]
            b = rgb[2, y, x] * gain[2, y, x] + offset[2, y, x]
            noise = noise_at(seed, y, x, dither)
            plate = m[0, 0] * rgb[0, y, x] + m[0, 1] * rgb[1, y, x] + m[0, 2] * rgb[2, y, x]
            luma = max(m[0, 0] * r + m[0, 1] * g + m[0, 2] * b, min(plate, np.float32(0)))
            first[y, x] = code_of(luma + z[0], noise, peak)
            if count == 3:
                second[y, x] = code_of(m[1, 0] * r + m[1, 1] * g + m[1, 2] * b + z[1], noise, peak)
                third[y, x] = code_of(m[2, 0] * r + m[2, 1] * g + m[2, 2] * b + z[2], noise, peak)


@kernel(parallel=True)
def _relight_chroma(
    plates: Planes,
    planes: Planes,
    gain: _Float32,
    offset: _Float32,
    from_codes: tuple[_Float32, _Float32],
    to_codes: ToCodes,
    sub: tuple[int, int],
) -> None:
    """Write both planes of chroma; `from_codes` are the inverse matrix and the zero of the plate's codes."""
    m, z, peak, seed, dither = to_codes
    inverse, plate_z = from_codes
    sub_x, sub_y = sub
    luma, plate_b, plate_r = plates
    chroma_b, chroma_r = planes[1], planes[2]
    height, width = luma.shape
    columns = plate_b.shape[1]
    for row in prange(plate_b.shape[0]):
        top = row << sub_y
        bottom = min(top + (1 << sub_y), height)
        light = np.empty((7, width), np.float32)
        _average_rows(luma, gain, offset, top, bottom, light)
        at_chroma = np.empty((7, columns), np.float32)
        for i in range(7):
            average_rows(light[i : i + 1], 0, 1, sub_x, at_chroma[i])
        for column in range(columns):
            here = at_chroma[:, column]
            cy = here[0] - plate_z[0]
            cb = plate_b[row, column] - plate_z[1]
            cr = plate_r[row, column] - plate_z[2]
            u = z[1]
            v = z[2]
            for c in range(3):
                value = inverse[c, 0] * cy + inverse[c, 1] * cb + inverse[c, 2] * cr
                value = value * here[1 + c] + here[4 + c]
                u += m[1, c] * value
                v += m[2, c] * value
            chroma_b[row, column] = code_of(u, noise_at(seed + 1, row, column, dither), peak)
            chroma_r[row, column] = code_of(v, noise_at(seed + 2, row, column, dither), peak)


@kernel()
def _average_rows(
    luma: Plane, gain: _Float32, offset: _Float32, top: int, bottom: int, light: _Float32
) -> None:
    share = np.float32(1) / np.float32(bottom - top)
    light[:] = 0
    for y in range(top, bottom):
        for x in range(luma.shape[1]):
            light[0, x] += luma[y, x] * share
            for c in range(3):
                light[1 + c, x] += gain[c, y, x] * share
                light[4 + c, x] += offset[c, y, x] * share
