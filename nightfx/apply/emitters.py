"""Lights that shine themselves, put on a plate: panes of windows, heads of lamps; each in a small box of pixels.

Light adds up, so it is added to linear light: the working encoding is near the power 2.2 of it. Towards the white of a picture
in SDR each colour rises ever more slowly, as on film, and so a strong warm lamp is pale in its middle. Outside of all
boxes every pixel is what the wrapped change of light makes of it, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import cv2
import numpy as np
from numba import prange
from numpy.typing import NDArray

from nightfx.apply.change import Change
from nightfx.apply.planes import planes_of_one_type, same_samples, seed_of
from nightfx.picture import (
    Coding,
    Float32,
    Float64,
    Frame,
    Planes,
    ToCodes,
    average_at_sites,
    code_of,
    kernel,
    matrix_of,
    noise_at,
    to_codes_of,
)

_GAMMA = np.float32(2.2)
_BLOCK_PX = 16  # a multiple of what chroma is subsampled by
_LEAST_ROOM = np.float32(1e-3)
Blocks = NDArray[np.int32]


class Patch(NamedTuple):
    """The light of one lamp, in a box of the plate as it is coded."""

    left: int
    top: int
    cover: Float32
    """(h, w), 0 to 1: how much of each pixel shines."""
    light: Float32
    """(3,), red, green and blue of linear light where it shines wholly; 1 is the picture's white."""


@dataclass(frozen=True)
class LitChange:
    """A change of light, and the light of patches on top of it."""

    base: Change
    patches: Sequence[Patch]
    size: tuple[int, int]
    """(height, width) of the plate."""
    ends_at_white: bool = True
    """Whether nothing is brighter than the picture's white, as in SDR."""
    strength: float = 1.0

    def of_picture(self, picture: Float32) -> Float32:
        """Return a picture (3, h, w) of any size under the light; patches are shrunk to it."""
        size = picture.shape[2], picture.shape[1]
        same = picture.shape[1:] == self.size
        light = self._light if same else _shrunk(self._light, size)
        return self._added(picture, self.base.of_picture(picture), np.moveaxis(light, -1, 0))

    def of_samples(self, work: Float32, sub_x: int, sub_y: int) -> Float32:
        """Return samples under the light, that of the patches averaged where they stand."""
        light = np.moveaxis(self._light, -1, 0)
        if sub_x or sub_y:
            light = np.stack([average_at_sites(c, sub_x, sub_y) for c in light])
        return self._added(work, self.base.of_samples(work, sub_x, sub_y), light)

    def on_planes(self, frame: Frame, coding: Coding) -> Frame | None:
        """Return the frame, lit in its own codes; None where the wrapped change needs pixels."""
        if not self.ends_at_white or not same_samples(frame.coding, coding):
            return None
        lit = self.base.on_planes(frame, coding)
        if lit is None or self.strength == 0 or not len(self._blocks):
            return lit
        plates, _ = planes_of_one_type(frame, coding)
        outs = tuple(plane.copy() for plane in lit.planes[:3])
        ways = _from_codes(frame.coding), _from_codes(coding)
        to_codes = to_codes_of(coding, seed_of(frame.pts) ^ 0x51ED)
        sub = coding.sub_x, coding.sub_y
        _add_light(
            plates, outs, self._light, self._blocks, ways, to_codes, sub, np.float32(self.strength)
        )
        return lit.with_planes((*outs, *lit.planes[3:]))

    def graded(self, grade: Float64 | None) -> LitChange:
        """Return the wrapped change, and then the grade; the light of the patches stays."""
        return replace(self, base=self.base.graded(grade))

    def gained(self, gain: Float32) -> LitChange:
        """Return the wrapped change by a gain; the light of the patches stays."""
        return replace(self, base=self.base.gained(gain))

    def screened(self, glow: Float32) -> LitChange | None:
        """Return the wrapped change with a glow over it; None where that cannot carry it."""
        base = self.base.screened(glow)
        return replace(self, base=base) if base else None

    def by(self, strength: float) -> LitChange:
        """Return what lies between no change and this one."""
        return replace(self, base=self.base.by(strength), strength=self.strength * strength)

    def _added(self, plate: Float32, lit: Float32, light: Float32) -> Float32:
        """Return `lit`, which is by the strength on the way from `plate`, with light on top by that strength."""
        if not self.strength:
            return lit
        out = np.array(lit, np.float32)
        _add_to_picture(
            plate, out, np.ascontiguousarray(light), np.float32(self.strength), self.ends_at_white
        )
        return out

    @cached_property
    def _light(self) -> Float32:
        """What all patches add up to, (H, W, 3)."""
        height, width = self.size
        light = np.zeros((height, width, 3), np.float32)
        for patch in self.patches:
            box, part = _clipped(patch, self.size)
            light[box] += patch.cover[part][..., None] * patch.light
        return light

    @cached_property
    def _blocks(self) -> Blocks:
        """Rows and columns (n, 2) of the blocks of pixels in which something shines."""
        touched = np.zeros([-(-side // _BLOCK_PX) for side in self.size], bool)
        for patch in self.patches:
            (rows, columns), _ = _clipped(patch, self.size)
            if rows.start < rows.stop and columns.start < columns.stop:
                last = (rows.stop - 1) // _BLOCK_PX + 1, (columns.stop - 1) // _BLOCK_PX + 1
                touched[rows.start // _BLOCK_PX : last[0], columns.start // _BLOCK_PX : last[1]] = (
                    True
                )
        return np.argwhere(touched).astype(np.int32)


def _clipped(
    patch: Patch, size: tuple[int, int]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """The part of a plate that a patch lies on, and the part of the patch that lies on it."""
    plate, part = [], []
    for start, length, side in zip((patch.top, patch.left), patch.cover.shape, size, strict=True):
        first, last = max(start, 0), max(min(start + length, side), 0)
        plate.append(slice(first, max(last, first)))
        part.append(slice(first - start, max(last, first) - start))
    return (plate[0], plate[1]), (part[0], part[1])


def _shrunk(light: Float32, size: tuple[int, int]) -> Float32:
    return np.asarray(cv2.resize(light, size, interpolation=cv2.INTER_AREA), np.float32)


def _from_codes(coding: Coding) -> tuple[Float32, Float32]:
    matrix, zero = matrix_of(coding)
    return np.linalg.inv(matrix).astype(np.float32), zero.astype(np.float32)


@kernel()
def _shone(q: np.float32, light: np.float32, ends_at_white: bool) -> np.float32:
    """A value in the working encoding and light on top of it."""
    below = max(q, np.float32(0)) ** _GAMMA
    if ends_at_white:
        room = np.float32(1) - below
        if room <= _LEAST_ROOM:
            return q
        added = room * (np.float32(1) - np.exp(-light / room))
    else:
        added = light
    # what is below black stays as far below what is added
    shone: np.float32 = (below + added) ** (np.float32(1) / _GAMMA) + min(q, np.float32(0))
    return shone


@kernel(parallel=True)
def _add_to_picture(
    plate: Float32, out: Float32, light: Float32, strength: np.float32, ends_at_white: bool
) -> None:
    _, height, width = out.shape
    for y in prange(height):
        for x in range(width):
            for c in range(3):
                if light[c, y, x] > 0:
                    p, lit = plate[c, y, x], out[c, y, x]
                    whole = p + (lit - p) / strength
                    shone = _shone(whole, light[c, y, x], ends_at_white)
                    out[c, y, x] = lit + strength * (shone - whole)


@kernel(parallel=True)
def _add_light(
    plates: Planes,
    outs: Planes,
    light: Float32,
    blocks: Blocks,
    ways: tuple[tuple[Float32, Float32], tuple[Float32, Float32]],
    to_codes: ToCodes,
    sub: tuple[int, int],
    strength: np.float32,
) -> None:
    """Add `light` (H, W, 3) to the planes `outs`, in blocks; `ways` lead from the codes of `plates` and of `outs` to RGB."""
    m, _, peak, seed, dither = to_codes
    (plate_inverse, plate_zero), (inverse, zero) = ways
    luma, chroma_b, chroma_r = outs
    height, width = luma.shape
    sub_x, sub_y = sub
    for index in prange(blocks.shape[0]):
        top, left = blocks[index, 0] * _BLOCK_PX, blocks[index, 1] * _BLOCK_PX
        bottom, right = min(top + _BLOCK_PX, height), min(left + _BLOCK_PX, width)
        for row in range(top >> sub_y, -(-bottom >> sub_y)):
            for column in range(left >> sub_x, -(-right >> sub_x)):
                b, r = chroma_b[row, column], chroma_r[row, column]
                plate_b, plate_r = plates[1][row, column], plates[2][row, column]
                sum_b, sum_r, count = np.float32(0), np.float32(0), np.float32(0)
                for y in range(row << sub_y, min((row + 1) << sub_y, bottom)):
                    for x in range(column << sub_x, min((column + 1) << sub_x, right)):
                        count += 1
                        if max(light[y, x, 0], light[y, x, 1], light[y, x, 2]) <= 0:
                            continue
                        code, plate_code = luma[y, x], plates[0][y, x]
                        add_y = np.float32(0)
                        for c in range(3):
                            lit = (
                                inverse[c, 0] * (code - zero[0])
                                + inverse[c, 1] * (b - zero[1])
                                + inverse[c, 2] * (r - zero[2])
                            )
                            plate = (
                                plate_inverse[c, 0] * (plate_code - plate_zero[0])
                                + plate_inverse[c, 1] * (plate_b - plate_zero[1])
                                + plate_inverse[c, 2] * (plate_r - plate_zero[2])
                            )
                            whole = np.float32(plate + (lit - plate) / strength)
                            added = strength * (_shone(whole, light[y, x, c], True) - whole)
                            add_y += m[0, c] * added
                            sum_b += m[1, c] * added
                            sum_r += m[2, c] * added
                        noise = noise_at(seed, y, x, dither)
                        luma[y, x] = code_of(code + add_y, noise, peak)
                if sum_b != 0 or sum_r != 0:
                    noise = noise_at(seed + 1, row, column, dither)
                    chroma_b[row, column] = code_of(b + sum_b / count, noise, peak)
                    noise = noise_at(seed + 2, row, column, dither)
                    chroma_r[row, column] = code_of(r + sum_r / count, noise, peak)
