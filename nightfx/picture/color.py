"""YUV to RGB and back, exactly: own matrices, any depth and range, chroma sited as H.26x does.

swscale is not used: it takes untagged HD for BT.601, makes 16-bit RGB 0.4 % too dark and clips
what is above white. Here RGB is full-range float in [0, 1] that may overshoot on both sides.

Chroma is left-sited; `chroma.py` brings it up and down.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nightfx.picture.chroma import average_rows, widened
from nightfx.picture.compiled import kernel, prange
from nightfx.picture.frame import Coding, Float32, Float64, Frame, Plane, Planes, rgb_coding
from nightfx.picture.matrices import is_affine, matrix_of, rgb_of, ycc_of


def to_rgb(frame: Frame) -> Float32:
    """Return the picture as RGB (3, H, W) float32, full range, not clipped: 1.09 stays 1.09."""
    coding, planes = frame.coding, frame.planes
    matrix, offset = matrix_of(coding)
    rgb = np.empty((3, frame.height, frame.width), np.float32)
    if coding.is_float:
        np.stack(planes[:3], out=rgb)
    elif coding.matrix == "gray":
        _spread(planes[0], 1.0 / matrix[0].sum(), offset[0], rgb)
    else:
        inverse: Float64 = np.linalg.inv(matrix).astype(np.float64)
        luma, chroma_b, chroma_r = planes[:3]
        _decode(luma, chroma_b, chroma_r, coding.sub_x, coding.sub_y, inverse, offset, rgb)
    return rgb if is_affine(coding) else rgb_of(rgb, coding.matrix)


class ToCodes(NamedTuple):
    """The way from RGB to code values, for kernels."""

    matrix: Float32
    """(3, 3), from R, G, B to codes."""
    zero: Float32
    """(3,), the codes of black."""
    peak: int
    """The largest code."""
    seed: int
    """Seeds the dither."""
    dither: bool
    """Whether codes are dithered."""


def to_codes_of(coding: Coding, seed: int) -> ToCodes:
    """Return the way to the codes of `coding`; those of 8 bits are dithered."""
    matrix, zero = matrix_of(coding)
    floats = matrix.astype(np.float32), zero.astype(np.float32)
    return ToCodes(*floats, coding.peak, seed, coding.depth == 8)


def from_rgb(
    rgb: Float32, coding: Coding, alpha: Plane | None = None, *, seed: int | None = None
) -> Planes:
    """Return the planes of an RGB picture (3, H, W), rounded and clipped to [0, peak] unless float.

    `alpha` is the last plane when the coding has one, in the coding's own depth; opaque if None.
    With a `seed`, 8-bit codes are dithered by a hash of it and the pixel, not rounded.
    """
    dither = seed is not None and coding.depth == 8
    matrix, offset = matrix_of(coding)
    size = rgb.shape[1:]
    rgb = np.ascontiguousarray(rgb, np.float32)
    if coding.is_float:
        return (*rgb, *alpha_planes(coding, size, alpha))
    planes = tuple(
        np.empty(coding.plane_size(index, *size), coding.dtype)
        for index in range(coding.plane_count - coding.has_alpha)
    )
    if not is_affine(coding):
        rgb = ycc_of(rgb, coding.matrix)
    if coding.matrix == "gray":
        _weigh(rgb, matrix[0], offset[0], coding.peak, seed or 0, dither, planes[0])
    else:
        to_codes = to_codes_of(coding, seed or 0)._replace(dither=dither)
        _encode(rgb, to_codes, (coding.sub_x, coding.sub_y), planes)
    return (*planes, *alpha_planes(coding, size, alpha))


def convert_alpha(alpha: Plane, depth: int, new_depth: int) -> Plane:
    """Return an alpha plane in another depth: full range, so opaque stays opaque."""
    if depth == new_depth:
        return alpha
    old, new = (rgb_coding(bits, alpha=True) for bits in (depth, new_depth))
    scaled = alpha * (new.peak / old.peak)
    if new.is_float:
        return np.asarray(scaled, np.float32)
    codes: Plane = np.rint(scaled.clip(0, new.peak)).astype(new.dtype)
    return codes


def alpha_planes(coding: Coding, size: tuple[int, ...], alpha: Plane | None) -> Planes:
    """Return the last plane of a coding that has alpha, opaque where `alpha` is None; else none."""
    if not coding.has_alpha:
        return ()
    return (np.full(size, coding.peak, coding.dtype) if alpha is None else alpha,)


@kernel(parallel=True)
def _decode(
    luma: Plane,
    chroma_b: Plane,
    chroma_r: Plane,
    sub_x: int,
    sub_y: int,
    inverse: Float64,
    offset: Float64,
    rgb: Float32,
) -> None:
    height, width = luma.shape
    m = inverse.astype(np.float32)
    o = offset.astype(np.float32)
    # chroma rows lie between two luma rows: 3/4 of the nearer one, 1/4 of the farther
    share = np.float32(0.25 * sub_y)
    for y in prange(height):
        near = y >> sub_y
        far = min(max(near + 2 * (y & 1) - 1, 0), chroma_b.shape[0] - 1)
        full_b = widened(chroma_b[near], chroma_b[far], share, sub_x, width, o[1])
        full_r = widened(chroma_r[near], chroma_r[far], share, sub_x, width, o[2])
        row = luma[y]
        red, green, blue = rgb[0, y], rgb[1, y], rgb[2, y]
        for x in range(width):
            value, b, r = np.float32(row[x]) - o[0], full_b[x], full_r[x]
            red[x] = m[0, 0] * value + m[0, 1] * b + m[0, 2] * r
            green[x] = m[1, 0] * value + m[1, 1] * b + m[1, 2] * r
            blue[x] = m[2, 0] * value + m[2, 1] * b + m[2, 2] * r


@kernel(parallel=True)
def _encode(rgb: Float32, to_codes: ToCodes, sub: tuple[int, int], planes: Planes) -> None:
    m, o, peak, seed, dither = to_codes
    luma, chroma_b, chroma_r = planes
    sub_x, sub_y = sub
    _, height, width = rgb.shape
    columns = chroma_b.shape[1]
    for row in prange(chroma_b.shape[0]):
        top = row << sub_y
        bottom = min(top + (1 << sub_y), height)
        full_b = np.zeros((1, width), np.float32)  # chroma of this row at full width
        full_r = np.zeros((1, width), np.float32)
        at_b, at_r = np.empty(columns, np.float32), np.empty(columns, np.float32)
        share = np.float32(1) / np.float32(bottom - top)
        for y in range(top, bottom):
            for x in range(width):
                r, g, b = rgb[0, y, x], rgb[1, y, x], rgb[2, y, x]
                value = m[0, 0] * r + m[0, 1] * g + m[0, 2] * b + o[0]
                luma[y, x] = code_of(value, noise_at(seed, y, x, dither), peak)
                full_b[0, x] += (m[1, 0] * r + m[1, 1] * g + m[1, 2] * b) * share
                full_r[0, x] += (m[2, 0] * r + m[2, 1] * g + m[2, 2] * b) * share
        average_rows(full_b, 0, 1, sub_x, at_b)
        average_rows(full_r, 0, 1, sub_x, at_r)
        for column in range(columns):
            noise_b = noise_at(seed + 1, row, column, dither)
            noise_r = noise_at(seed + 2, row, column, dither)
            chroma_b[row, column] = code_of(at_b[column] + o[1], noise_b, peak)
            chroma_r[row, column] = code_of(at_r[column] + o[2], noise_r, peak)


@kernel(parallel=True)
def _spread(luma: Plane, scale: float, black: float, rgb: Float32) -> None:
    for y in prange(luma.shape[0]):
        for x in range(luma.shape[1]):
            value = np.float32((luma[y, x] - black) * scale)
            rgb[0, y, x] = rgb[1, y, x] = rgb[2, y, x] = value


@kernel(parallel=True)
def _weigh(
    rgb: Float32,
    weights: Float64,
    black: float,
    peak: int,
    seed: int,
    dither: bool,
    luma: Plane,
) -> None:
    for y in prange(luma.shape[0]):
        for x in range(luma.shape[1]):
            value = weights[0] * rgb[0, y, x] + weights[1] * rgb[1, y, x]
            value += weights[2] * rgb[2, y, x] + black
            luma[y, x] = code_of(value, noise_at(seed, y, x, dither), peak)


@kernel()
def noise_at(seed: int, y: int, x: int, dither: bool) -> np.float32:
    """Evenly spread in (0, 1), from a hash of seed and pixel; ½ where nothing is dithered.

    It keeps a thousandth away from 0 and 1, so that a whole code stays itself whatever float32 made of it.
    """
    if not dither:
        return np.float32(0.5)
    h = (seed ^ (y * 0x27D4EB2F) ^ (x * 0x165667B1)) & 0xFFFFFFFF
    h = ((h ^ (h >> 15)) * 0x2C1B3C6D) & 0xFFFFFFFF
    h = ((h ^ (h >> 12)) * 0x297A2D39) & 0xFFFFFFFF
    even = np.float32((h ^ (h >> 15)) & 0xFFFFFF) / np.float32(1 << 24)
    return np.float32(0.001) + np.float32(0.998) * even


@kernel()
def code_of(value: float, noise: np.float32, peak: int) -> int:
    """The code of `value`: rounded by a noise of ½, dithered by an even one, and clipped."""
    return int(min(max(np.floor(value + noise), 0.0), float(peak)))
