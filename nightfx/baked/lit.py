"""What a bake says of one frame: planes on their own grids, and the shapes of what shines; and the change of light of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import cv2
import numpy as np

from nightfx.apply import (
    Change,
    FieldChange,
    Finish,
    GroupShare,
    LitChange,
    Shape,
    SkyChange,
    Steps,
)
from nightfx.apply.finish import grain_seed
from nightfx.apply.shapes import clear_of, patch_of
from nightfx.baked.header import GROUPS
from nightfx.picture import Float32, Frame
from nightfx.scene import read_model


class BakedLight(NamedTuple):
    """The light of one frame."""

    planes: Mapping[str, Float32]
    """(n, h, w) each, by the names of `TRACKS`; those of ground always, of what else the frame has."""
    shapes: tuple[Shape, ...] = ()
    """What shines itself."""
    strength: float = 1.0
    sky: float = 1.0
    """How much of the sky's change is seen."""
    grain: float = 0.0
    grain_seed: int = 0
    """Of hosts, who do not know a frame's pts."""

    def change(self, frame: Frame, cells: tuple[int, int]) -> Change:
        """Return the change of light of a frame, its planes brought to `cells` (h, w)."""
        wide = {name: to_cells(x, cells) for name, x in self.planes.items() if name != "groups"}
        size = frame.height, frame.width
        change: Change = FieldChange(wide["ground"], *size)
        if "sky" in wide and "matte" in wide:
            night, day = FieldChange(wide["sky"][:12], *size), wide["sky"][12:]
            alpha = read_model(wide["matte"], frame)
            change = SkyChange(change, night, alpha, day, self.sky, wide["matte"])
        if "veil" in wide:
            veiled = change.screened(wide["veil"])
            assert veiled is not None, "fields carry a veil"
            change = veiled
        clear = clear_of(frame)
        drawn = (patch_of(shape, clear) for shape in self.shapes)
        patches = tuple(patch for patch in drawn if patch is not None)
        return LitChange(change, patches, size) if patches else change

    def finish(self, seed: int) -> Finish:
        """Return what comes after the change."""
        return Finish(self.strength, None, self.grain, None, seed)


def to_cells(planes: Float32, cells: tuple[int, int]) -> Float32:
    """Planes (n, h, w) read between their numbers at each of `cells` (h, w)."""
    if planes.shape[1:] == cells:
        return planes
    return np.stack([cv2.resize(x, cells[::-1], interpolation=cv2.INTER_LINEAR) for x in planes])


def light_of_steps(frame: Frame, steps: Steps) -> BakedLight:
    """Return what was done to a frame, which is a field, as a bake has it: of a whole frame and in SDR."""
    bare, finish = steps.bare, steps.finish
    planes: dict[str, Float32] = {}
    sky = 1.0
    if isinstance(bare, SkyChange):
        assert bare.model is not None, "a user's own matte has no model"
        planes |= {"sky": np.concatenate([bare.sky.field, bare.day]), "matte": bare.model}
        sky, bare = bare.amount, bare.ground
    assert isinstance(bare, FieldChange), "tiles have no field"
    assert finish.glow is None, "what is left to the finish needs pixels"
    assert finish.matte is None, "a matte is of pixels"
    planes["ground"] = bare.field
    if steps.veil is not None:
        planes["veil"] = steps.veil
    if steps.shares:
        planes["groups"] = _shares(steps.shares, bare.field.shape[1:])
    patches = steps.change.patches if isinstance(steps.change, LitChange) else ()
    shapes = tuple(patch.shape for patch in patches if patch.shape is not None)
    return BakedLight(
        planes, shapes, finish.strength, sky, finish.grain, grain_seed(frame, finish.seed)
    )


def _shares(shares: Mapping[str, GroupShare], size: tuple[int, ...]) -> Float32:
    dark = np.zeros((3, *size), np.float32)
    none = GroupShare(dark, dark)
    found = [shares.get(name, none) for name in GROUPS]
    return np.concatenate([x for one in found for x in (one.surfaces, one.veil)])
