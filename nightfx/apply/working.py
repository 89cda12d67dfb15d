"""Apply a change of light in the working encoding, to pictures whose signal is not SDR.

What is written is the plate plus the difference that the light makes to its signal: no change of light gives the plate
back, code for code, and what lies above white stays above it. Luma is computed at its own size, chroma where its
samples stand.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from nightfx.apply.planes import alpha_for, same_samples, seed_of
from nightfx.picture import (
    PLAIN,
    Coding,
    Encoding,
    Encodings,
    Float32,
    Frame,
    Plane,
    Planes,
    alpha_planes,
    average_at_sites,
    code_of,
    convert_alpha,
    finite,
    from_rgb,
    from_working,
    is_affine,
    kernel,
    matrix_of,
    noise_at,
    prange,
    to_rgb,
    to_working,
)

LightOfSamples = Callable[[Float32, int, int], Float32]
"""Lights a picture (3, h, w) in the working encoding, whose pixels stand where chroma subsampled so does."""


def is_direct(coding: Coding, encodings: Encodings) -> bool:
    """Whether a light that is affine in the working encoding is affine in the codes too."""
    apart = not (coding.is_float or coding.multiplied)
    return encodings == PLAIN and apart and is_affine(coding)


def light_in_working(
    frame: Frame,
    light: LightOfSamples,
    coding: Coding,
    encodings: Encodings,
    *,
    dither: bool = True,
) -> Frame:
    """The frame under `light`, in `coding` and the target's encoding; alpha, time and tags stay."""
    if encodings.source is encodings.target and _is_deeper_or_flatter(frame.coding, coding):
        return _change_codes(frame, light, coding, encodings.source, dither=dither)
    if frame.coding != coding or encodings.source is not encodings.target:
        return _convert(frame, light, coding, encodings, seed_of(frame.pts) if dither else None)
    if coding.is_float:
        return _change_float(frame, light, encodings.source)
    rgb = to_rgb(frame)
    lit = rgb + _difference(rgb, light, encodings.source, 0, 0)
    planes = from_rgb(lit, coding, frame.alpha, seed=seed_of(frame.pts) if dither else None)
    return frame.with_planes(planes)


def _is_deeper_or_flatter(plate: Coding, coding: Coding) -> bool:
    """Whether codes of both mean the same but for their depth, sample by sample."""
    alike = plate.matrix == coding.matrix and plate.full_range == coding.full_range
    return alike and same_samples(plate, coding)


def straight_rgb(frame: Frame) -> Float32:
    """RGB (3, H, W) of the frame as the generator sees it: where colour is multiplied by alpha, it is not so here.

    What alpha does not cover continues the colours beside it: black there would be taken for night.
    """
    rgb = to_rgb(frame)
    if not frame.coding.multiplied:
        return rgb
    cover = _share(frame)
    covered = finite(rgb) * (cover > 0)
    seen: Float32 = _continued(covered, cover) + (finite(rgb) - covered)
    return seen


def _continued(rgb: Float32, cover: Float32) -> Float32:
    """A picture multiplied by `cover` (H, W), over itself made small and large again, and so on down to one pixel."""
    height, width = cover.shape
    if cover.min() >= 1:
        return rgb
    if max(height, width) == 1:
        return np.asarray(rgb / (cover if cover[0, 0] > 0 else 1), np.float32)
    half = max(width // 2, 1), max(height // 2, 1)
    small, less = (_resized(x, half, cv2.INTER_AREA) for x in (rgb, cover[None]))
    behind = _resized(_continued(small, less[0]), (width, height), cv2.INTER_LINEAR)
    over: Float32 = rgb + behind * (1 - np.minimum(cover, 1))
    return over


def _resized(picture: Float32, size: tuple[int, int], how: int) -> Float32:
    return np.stack([cv2.resize(c, size, interpolation=how) for c in picture])


def straight_pixels(frame: Frame) -> Float32:
    """RGB (3, H, W) of the frame as light is put on it: divided by alpha where it is multiplied by it and alpha covers."""
    rgb = to_rgb(frame)
    return rgb / _cover(frame) if frame.coding.multiplied else rgb


def change_of_rgb(frame: Frame, light: LightOfSamples, encoding: Encoding) -> Float32:
    """What `light` adds to the frame's RGB (3, H, W): where that is multiplied by alpha, to what it was before."""
    change = _difference(straight_pixels(frame), light, encoding, 0, 0)
    if not frame.coding.multiplied:
        return change
    change *= _cover(frame)
    bare = frame.planes[3] <= 0
    if bare.any():  # what glows there is added to what lies behind, and so is what becomes of it
        change -= bare * _difference(np.zeros_like(change), light, encoding, 0, 0)
    return change


def _difference(
    rgb: Float32, light: LightOfSamples, encoding: Encoding, sub_x: int, sub_y: int
) -> Float32:
    """Return the change that the light makes to a signal; 0 where that is not a number."""
    work = to_working(rgb, encoding)
    lit = _above_black(light(work, sub_x, sub_y), work)
    return finite(from_working(lit, encoding) - from_working(work, encoding))


def _above_black(lit: Float32, work: Float32) -> Float32:
    """Return `lit` without what is below black where the plate, `work`, is not."""
    return np.maximum(lit, np.minimum(work, np.float32(0)))


def _change_float(frame: Frame, light: LightOfSamples, encoding: Encoding) -> Frame:
    change = change_of_rgb(frame, light, encoding)
    # rounding would leave what becomes black a little below it
    both = zip(frame.planes[:3], change, strict=True)
    planes = tuple(_above_black(plane + part, plane) for plane, part in both)
    return frame.with_planes((*planes, *frame.planes[3:]))


def _change_codes(
    frame: Frame, light: LightOfSamples, coding: Coding, encoding: Encoding, *, dither: bool
) -> Frame:
    matrix = matrix_of(coding)[0].astype(np.float32)
    change = change_of_rgb(frame, light, encoding)
    at_chroma, sub = change, (coding.sub_x, coding.sub_y)
    if any(sub):
        at_chroma = _difference(_rgb_at_chroma(frame), light, encoding, *sub)
    planes = []
    for index, plane in enumerate(_in_depth(frame, coding)):
        added = np.tensordot(matrix[index], at_chroma if index else change, axes=1)
        out, seed = np.empty(plane.shape, coding.dtype), seed_of(frame.pts) + index
        _add(plane, added, seed, dither and coding.depth == 8, coding.peak, out)
        planes.append(out)
    alpha = alpha_planes(coding, planes[0].shape, alpha_for(coding, frame))
    return frame.with_planes((*planes, *alpha), coding)


def _in_depth(frame: Frame, coding: Coding) -> Planes:
    """The colour planes in codes of `coding`, float32 and not rounded where the depth differs."""
    planes = frame.planes[:3]
    if frame.coding.depth == coding.depth:
        return planes
    (matrix, zero), (new_matrix, new_zero) = (matrix_of(c) for c in (frame.coding, coding))
    scale = new_matrix[0].sum() / matrix[0].sum()
    moved = ((p - z) * scale + new for p, z, new in zip(planes, zero, new_zero, strict=True))
    return tuple(plane.astype(np.float32) for plane in moved)


def _convert(
    frame: Frame, light: LightOfSamples, coding: Coding, encodings: Encodings, seed: int | None
) -> Frame:
    rgb, alpha = straight_pixels(frame), frame.alpha
    if encodings.source is encodings.target:
        signal = rgb + _difference(rgb, light, encodings.source, 0, 0)
    else:
        work = to_working(rgb, encodings.source)
        signal = from_working(_above_black(light(work, 0, 0), work), encodings.target)
    if alpha is not None:
        alpha = convert_alpha(alpha, frame.coding.depth, coding.depth)
    if coding.multiplied and alpha is not None:
        signal = signal * (alpha / np.float32(coding.peak))
    return frame.with_planes(from_rgb(finite(signal), coding, alpha, seed=seed), coding)


def _rgb_at_chroma(frame: Frame) -> Float32:
    coding = frame.coding
    matrix, zero = matrix_of(coding)
    luma = average_at_sites(frame.planes[0], coding.sub_x, coding.sub_y)
    codes = np.stack([luma, *(plane.astype(np.float32) for plane in frame.planes[1:3])])
    inverse = np.linalg.inv(matrix).astype(np.float32)
    rgb: Float32 = np.tensordot(inverse, codes - zero.astype(np.float32).reshape(3, 1, 1), axes=1)
    return rgb


def _share(frame: Frame) -> Float32:
    """Alpha (H, W), 1 being opaque."""
    return np.asarray(frame.planes[3] / np.float32(frame.coding.peak), np.float32)


def _cover(frame: Frame) -> Float32:
    """Alpha, but 1 where it covers nothing (what glows there is not multiplied) or is no share."""
    alpha = _share(frame)
    cover: Float32 = np.where((alpha > 0) & (alpha < 1), alpha, np.float32(1))
    return cover


@kernel(parallel=True)
def _add(plane: Plane, added: Float32, seed: int, dither: bool, peak: int, out: Plane) -> None:
    for y in prange(plane.shape[0]):
        for x in range(plane.shape[1]):
            # a whole code stays itself under noise, so what is not changed is not dithered
            out[y, x] = code_of(plane[y, x] + added[y, x], noise_at(seed, y, x, dither), peak)
