"""A change of light, whoever says it: one interface for the field of relight, for the maps of tiles, and for what comes.

A change says what becomes of any picture in the working encoding; where it is affine in the codes of a plate, it can
also be put on the planes as they were decoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np

from nightfx.apply.field import (
    Field,
    apply_field,
    blended,
    full_size,
    glowing,
    graded,
    relight,
    relight_sites,
)
from nightfx.apply.planes import apply_light
from nightfx.picture import Coding, Float32, Float64, Frame, average_at_sites, to_rgb


class Change(Protocol):
    """A change of light of one frame; the methods that return a change leave this one as it is."""

    def of_picture(self, picture: Float32) -> Float32:
        """Return the whole frame, a picture (3, h, w) of any size in the working encoding, under this light."""

    def of_samples(self, work: Float32, sub_x: int, sub_y: int) -> Float32:
        """Return what becomes of samples (3, h, w) in the working encoding, that stand where chroma so subsampled does."""

    def on_planes(self, frame: Frame, coding: Coding) -> Frame | None:
        """Return the frame in `coding`, its planes changed as they were decoded; None where that is not affine."""

    def graded(self, grade: Float64 | None) -> Change:
        """Return this change, and then the grade (3, 4)."""

    def gained(self, gain: Float32) -> Change:
        """Return this change, and then each colour times a smooth `gain` (3, h, w) of a small grid."""

    def screened(self, glow: Float32) -> Change | None:
        """Return this change, and then the light of `glow` (3, h, w) over it up to white; None where that needs pixels."""

    def by(self, strength: float) -> Change:
        """Return what lies between no change, 0, and this one, 1."""


@dataclass(frozen=True)
class FieldChange:
    """A change of light as a relight field: 3×4 numbers a cell, read between the cells."""

    field: Field
    height: int
    """Height of the frame in px."""
    width: int

    def of_picture(self, picture: Float32) -> Float32:
        """Return a picture (3, h, w) under the field."""
        return relight(picture, self.field)

    def of_samples(self, work: Float32, sub_x: int, sub_y: int) -> Float32:
        """Return samples under the field, read where they stand."""
        return relight_sites(work, self.field, self.height, self.width, sub_x, sub_y)

    def numbers(self, plate: Float32) -> Iterator[Float32]:
        """Yield the 12 numbers of the field at every pixel of a plate (3, H, W), (H, W) each."""
        yield from (full_size(cells[None], *plate.shape[1:])[0] for cells in self.field)

    def on_planes(self, frame: Frame, coding: Coding) -> Frame | None:
        """Return the frame, lit in its own codes."""
        return apply_field(frame, self.field, coding)

    def graded(self, grade: Float64 | None) -> FieldChange:
        """Return the field, composed with the grade."""
        return replace(self, field=graded(self.field, grade))

    def gained(self, gain: Float32) -> FieldChange:
        """Return the field with its rows times the gain at their cells."""
        rows = self.field.reshape(3, 4, *self.field.shape[1:])
        more = rows * _sized(gain, self.field.shape[1:])[:, None]
        return replace(self, field=np.ascontiguousarray(more.reshape(self.field.shape)))

    def screened(self, glow: Float32) -> FieldChange | None:
        """Return the field, composed with the screen: up to white it is affine."""
        return replace(self, field=glowing(self.field, glow))

    def by(self, strength: float) -> FieldChange:
        """Return a field between the identity and this one."""
        return replace(self, field=blended(self.field, strength))


@dataclass(frozen=True)
class MapChange:
    """A change of light at full size: gain and offset of every pixel, (3, H, W) each, then a grade, by a strength."""

    gain: Float32
    offset: Float32
    grade: Float64 | None = None
    strength: float = 1.0
    lamps: Float32 | None = None
    """(3, h, w): a smooth gain after the grade."""

    def of_picture(self, picture: Float32) -> Float32:
        """Return a picture (3, h, w) under the maps, shrunk to its size."""
        return self.of_samples(picture, 0, 0)

    def of_samples(self, work: Float32, sub_x: int, sub_y: int) -> Float32:
        """Return samples under the maps, averaged where they stand."""
        gain, offset = (
            _at_sites(x, work.shape[1:], sub_x, sub_y) for x in (self.gain, self.offset)
        )
        lit = graded_picture(work * gain + offset, self.grade)
        if self.lamps is not None:
            full = _sized(self.lamps, self.gain.shape[1:])
            lit = lit * _at_sites(full, work.shape[1:], sub_x, sub_y)
        if self.strength == 1:
            return lit
        mixed: Float32 = work + np.float32(self.strength) * (lit - work)
        return mixed

    def on_planes(self, frame: Frame, coding: Coding) -> Frame | None:
        """Return the frame, lit in its own codes; a grade mixes the colours, which the maps cannot say."""
        if self.grade is not None:
            return None
        gain, offset = self.gain, self.offset
        if self.lamps is not None:
            lamps = _sized(self.lamps, self.gain.shape[1:])
            gain, offset = gain * lamps, offset * lamps
        if self.strength != 1:
            gain = 1 + np.float32(self.strength) * (gain - 1)
            offset = np.float32(self.strength) * offset
        return apply_light(frame, to_rgb(frame), gain, offset, coding)

    def graded(self, grade: Float64 | None) -> MapChange:
        """Return the maps, and then the grade."""
        return replace(self, grade=grade)

    def gained(self, gain: Float32) -> MapChange:
        """Return the maps, and then the gain."""
        before = 1 if self.lamps is None else _sized(self.lamps, gain.shape[1:])
        return replace(self, lamps=np.asarray(gain * before, np.float32))

    def screened(self, glow: Float32) -> MapChange | None:
        """Return None: the maps are as fine as the frame, and the glow is put on its pixels."""
        return None

    def by(self, strength: float) -> MapChange:
        """Return the maps by a strength."""
        return replace(self, strength=strength)


def graded_picture(picture: Float32, grade: Float64 | None) -> Float32:
    """Return a picture (3, h, w) under the grade (3, 4)."""
    if grade is None:
        return picture
    flat = grade[:, :3].astype(np.float32) @ picture.reshape(3, -1)
    flat += grade[:, 3:].astype(np.float32)
    return flat.reshape(picture.shape)


def _sized(maps: Float32, size: tuple[int, ...]) -> Float32:
    """Smooth maps (3, h, w) at another size (h, w): between their cells, or the mean of the cells that one covers."""
    if maps.shape[1:] == size:
        return maps
    how = cv2.INTER_AREA if size[1] < maps.shape[2] else cv2.INTER_LINEAR
    return np.stack([cv2.resize(c, size[::-1], interpolation=how) for c in maps])


def _at_sites(maps: Float32, size: tuple[int, ...], sub_x: int, sub_y: int) -> Float32:
    if sub_x or sub_y:
        return np.stack([average_at_sites(c, sub_x, sub_y) for c in maps])
    if maps.shape[1:] == size:
        return maps
    return np.stack([cv2.resize(c, size[::-1], interpolation=cv2.INTER_AREA) for c in maps])
