"""A change of light of the ground, and another one of the sky, that a matte lets through it (see `through.py`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from nightfx.apply.change import Change, FieldChange
from nightfx.apply.field import relight_sites
from nightfx.apply.planes import alpha_for, same_samples, seed_of
from nightfx.apply.sky_planes import apply_with_sky
from nightfx.apply.through import write_shares
from nightfx.picture import (
    Coding,
    Float32,
    Float64,
    Frame,
    average_at_sites,
    averaged,
    from_rgb,
    to_rgb,
)


@dataclass(frozen=True)
class SkyChange:
    """A change of light that is one of the ground and, through a matte, one of the sky."""

    ground: Change
    sky: FieldChange
    alpha: Float32
    """(H, W): how much of each pixel is sky, 0 to 1."""
    day: Float32
    """(3, h, w), at the cells of the sky's field: the sky's own smooth colour in the plate, in the working encoding."""
    amount: float = 1.0
    """How much of the sky's change is seen, 0 to 1; the rest is the ground's."""
    shrunk: dict[tuple[int, int], Float32] = field(default_factory=dict, compare=False)
    """The matte at smaller sizes (width, height), once it was asked for at them."""

    def of_picture(self, picture: Float32) -> Float32:
        """Return a picture (3, h, w) under the ground's light, and its sky under the sky's."""
        alpha = self._alpha_at((picture.shape[2], picture.shape[1]))
        day = relight_sites(np.zeros_like(picture), self._constant, *picture.shape[1:])
        own, rest = self._shares(picture, day, alpha)
        ground, sky = (change.of_picture(picture) for change in (self.ground, self.sky))
        at_day = self.sky.of_picture(day) - self.ground.of_picture(day)
        lit: Float32 = ground + own * (sky - ground) + rest * at_day
        return lit

    def of_samples(self, work: Float32, sub_x: int, sub_y: int) -> Float32:
        """Return samples under both, the matte averaged where they stand."""
        alpha = average_at_sites(self.alpha, sub_x, sub_y) if sub_x or sub_y else self.alpha
        height, width = self.alpha.shape
        day = relight_sites(np.zeros_like(work), self._constant, height, width, sub_x, sub_y)
        own, rest = self._shares(work, day, alpha)
        ground, sky = (x.of_samples(work, sub_x, sub_y) for x in (self.ground, self.sky))
        at_day = self.sky.of_samples(day, sub_x, sub_y) - self.ground.of_samples(day, sub_x, sub_y)
        lit: Float32 = ground + own * (sky - ground) + rest * at_day
        return lit

    def numbers(self, plate: Float32) -> Iterator[Float32]:
        """Yield 12 numbers at every pixel of a plate (3, H, W) in the working encoding, as those of a field, (H, W) each."""
        assert isinstance(self.ground, FieldChange), "maps have no such numbers"
        day = relight_sites(np.zeros_like(plate), self._constant, *plate.shape[1:])
        own, rest = self._shares(plate, day, self.alpha)
        at_day = rest * (self.sky.of_picture(day) - self.ground.of_picture(day))
        both = zip(self.ground.numbers(plate), self.sky.numbers(plate), strict=True)
        for index, (ground, sky) in enumerate(both):
            mixed = ground + own * (sky - ground)
            yield mixed + at_day[index // 4] if index % 4 == 3 else mixed

    def on_planes(self, frame: Frame, coding: Coding) -> Frame | None:
        """Return the frame, lit in its own codes; None where the ground is no field: the sky is one."""
        if not isinstance(self.ground, FieldChange):
            return None
        if not same_samples(frame.coding, coding):
            lit, alpha = self.of_samples(to_rgb(frame), 0, 0), alpha_for(coding, frame)
            return frame.with_planes(from_rgb(lit, coding, alpha, seed=seed_of(frame.pts)), coding)
        fields = self.ground.field, self.sky.field
        return apply_with_sky(frame, *fields, self.day, self.alpha, self.amount, coding)

    def graded(self, grade: Float64 | None) -> SkyChange:
        """Return both, and then the grade."""
        return replace(self, ground=self.ground.graded(grade), sky=self.sky.graded(grade))

    def gained(self, gain: Float32) -> SkyChange:
        """Return the ground by the gain, and the sky as it was."""
        return replace(self, ground=self.ground.gained(gain))

    def screened(self, glow: Float32) -> SkyChange | None:
        """Return both, and then the light of `glow`; None where the ground's change cannot carry that."""
        ground, sky = self.ground.screened(glow), self.sky.screened(glow)
        return replace(self, ground=ground, sky=sky) if ground and sky else None

    def by(self, strength: float) -> SkyChange:
        """Return both by a strength."""
        return replace(self, ground=self.ground.by(strength), sky=self.sky.by(strength))

    def _alpha_at(self, size: tuple[int, int]) -> Float32:
        if size not in self.shrunk:
            self.shrunk[size] = averaged(self.alpha, size)
        return self.shrunk[size]

    @property
    def _constant(self) -> Float32:
        """The sky by day as a field that gives it to any picture."""
        field = np.zeros((3, 4, *self.day.shape[1:]), np.float32)
        field[:, 3] = self.day
        return field.reshape(12, *self.day.shape[1:])

    def _shares(self, work: Float32, day: Float32, alpha: Float32) -> Float32:
        shares = np.empty((2, *alpha.shape), np.float32)
        write_shares(np.ascontiguousarray(work), day, alpha, shares)
        shares *= np.float32(self.amount)
        return shares
