"""Lights that shine themselves, put on a plate: panes of windows, heads of lamps; each in a small box of pixels.

What light becomes of a pixel says `shine.py`. Outside of all boxes every sample is what the wrapped change of light makes of
it, bit for bit; a sample of chroma is outside where no pixel that it is averaged from is inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from nightfx.apply.change import Change
from nightfx.apply.patches import Packed, Patch, at_chroma, packed, shrunk
from nightfx.apply.planes import planes_of_one_type, same_samples, seed_of
from nightfx.apply.shine import added_to_samples, light_on_samples
from nightfx.apply.shine_planes import Side, Sites, Way, shine_on_planes
from nightfx.apply.working import is_direct
from nightfx.picture import (
    PLAIN,
    Coding,
    Float32,
    Float64,
    Frame,
    Planes,
    from_rgb,
    matrix_of,
    to_codes_of,
    to_rgb,
)

_SEED = (
    0x51ED  # another dither than that of the wrapped change: the same one twice would be coarser
)


@dataclass(frozen=True)
class LitChange:
    """A change of light, and the light of patches on top of it; what is done to it later is done to what lies below them."""

    base: Change
    patches: Sequence[Patch]
    size: tuple[int, int]
    """(height, width) of the plate."""
    ends_at_white: bool = True
    """Whether nothing is brighter than the picture's white, as in SDR."""
    strength: float = 1.0

    def of_picture(self, picture: Float32) -> Float32:
        """Return a picture (3, h, w) of any size under the light; patches are shrunk to it."""
        height, width = picture.shape[1:]
        same = (height, width) == self.size
        lamps = self._packed if same else shrunk(self._packed, self.size, (height, width))
        lit, whole = (change.of_picture(picture) for change in (self._below, self.base))
        return self._with(lamps, picture, lit, whole)

    def of_samples(self, work: Float32, sub_x: int, sub_y: int) -> Float32:
        """Return samples under the light, that of the patches averaged where they stand."""
        lamps = at_chroma(self._packed, self.size, sub_x, sub_y)
        lit, whole = (x.of_samples(work, sub_x, sub_y) for x in (self._below, self.base))
        return self._with(lamps, work, lit, whole)

    def on_planes(self, frame: Frame, coding: Coding) -> Frame | None:
        """Return the frame, lit in its own codes; None where the wrapped change, or light beyond white, needs pixels."""
        direct = all(is_direct(c, PLAIN) for c in (frame.coding, coding))
        lit = self._below.on_planes(frame, coding) if direct and self.ends_at_white else None
        if lit is None or not self.strength or not self.patches:
            return lit
        whole = lit if self._below is self.base else self.base.on_planes(frame, coding)
        assert whole is not None, "a change that goes on planes does so by any strength"
        return self._on_codes(frame, lit, whole)

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
        return replace(self, strength=self.strength * strength)

    @cached_property
    def _below(self) -> Change:
        """The wrapped change by the strength; itself at 1."""
        return self.base if self.strength == 1 else self.base.by(self.strength)

    @cached_property
    def _packed(self) -> Packed:
        return packed(self.patches, self.size)

    def _with(self, lamps: Packed, plate: Float32, lit: Float32, whole: Float32) -> Float32:
        """Return `lit`, which is by the strength on the way from a plate to the `whole` change, with lamps on by that strength."""
        if not self.strength:
            return lit
        light = light_on_samples(plate, lamps)
        shines = light.max(0) > 0
        below = whole[:, shines]
        shown = np.maximum(below, 0) if self.ends_at_white else below  # as codes have it
        shone = added_to_samples(shown, light[:, shines], ends_at_white=self.ends_at_white)
        out = np.array(lit, np.float32)
        out[:, shines] += np.float32(self.strength) * (shone - below)
        return out

    def _on_codes(self, frame: Frame, lit: Frame, whole: Frame) -> Frame:
        coding = _of_three(lit.coding)
        plate = _plate(frame, lit.coding)
        wide = plate.planes[0].dtype
        below = _side(tuple(p.astype(wide, copy=False) for p in _three(whole)), coding)
        outs = tuple(plane.astype(wide) for plane in _three(lit))
        to_codes = to_codes_of(coding, seed_of(frame.pts) ^ _SEED)
        sub = coding.sub_x, coding.sub_y
        for is_chroma in (False, True) if any(sub) else (False,):
            lamps = at_chroma(self._packed, self.size, *sub) if is_chroma else self._packed
            sites = Sites(*sub, is_chroma)
            shine_on_planes(plate, below, outs, lamps, sites, to_codes, self.strength)
        count = 1 if lit.coding.matrix == "gray" else 3
        typed = tuple(plane.astype(coding.dtype, copy=False) for plane in outs[:count])
        return lit.with_planes((*typed, *lit.planes[count:]))


def _plate(frame: Frame, coding: Coding) -> Side:
    """The plate in samples that stand as those of `coding` do, as fine as its own."""
    if same_samples(frame.coding, coding):
        return _side(planes_of_one_type(frame, coding)[0], frame.coding)
    deep = replace(_of_three(coding), depth=16, has_alpha=False)
    return _side(from_rgb(to_rgb(frame), deep), deep)


def _side(planes: Planes, coding: Coding) -> Side:
    matrix, zero = matrix_of(coding)
    way = Way(np.linalg.inv(matrix).astype(np.float32), zero.astype(np.float32))
    return Side(planes, way)


def _of_three(coding: Coding) -> Coding:
    """The coding itself, or for grey the one of three planes that has the same luma."""
    return replace(coding, matrix="bt709") if coding.matrix == "gray" else coding


def _three(frame: Frame) -> Planes:
    """The planes of colour, three of grey too."""
    if frame.coding.matrix != "gray":
        return frame.planes[:3]
    grey = np.full_like(frame.planes[0], 1 << (frame.coding.depth - 1))
    return frame.planes[0], grey, grey.copy()
