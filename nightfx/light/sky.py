"""The sky of each frame: where it is, by the scene network, and the change of light that it gets through its matte.

How surely each cell is sky is followed along motion together with the field; the matte at the size of the plate is made anew
for each frame, on the plate's own edges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import NamedTuple

import cv2
import numpy as np

from nightfx.apply import Change, SkyChange, straight_rgb
from nightfx.light.borders import Borders
from nightfx.light.night_sky import night_sky
from nightfx.light.see import Seen, halved, see
from nightfx.light.steady import Memory, Motion, Part, Steadying, steady_parts
from nightfx.network import SceneNetwork
from nightfx.options import Moment, NightSky
from nightfx.picture import (
    Encoding,
    Float32,
    Frame,
    as_coded,
    is_affine,
    rolled_off,
    to_working,
    upright,
)
from nightfx.scene import (
    SURFACES,
    Matte,
    SkyEdits,
    refine,
    refine_picture,
    see_scene,
    with_colour,
)

_SKY = SURFACES.index("sky")
_NONE = 0.02  # where no cell is this surely sky, there is none
_NEAR_CELLS, _NEAR_SKY = 17, 0.5  # what lies beside the sky may be sky in the next frame
_SURELY = 0.95  # of what is this surely sky, nothing else comes of a frame
_LOST_SHARE = 0.03  # of the picture


@dataclass(frozen=True)
class SkyPlan:
    """Everything that decides a shot's skies besides its frames and the look."""

    network: SceneNetwork | None
    """Says where the sky is; None where a user's own mattes do."""
    facts: NightSky
    """The preset's night sky."""
    most: float | None = None
    """How much of the luma of the sky by day may be left at most."""
    height: int = 256
    """Working height in px, at which the network is shown a frame where no field is fitted."""
    edits: SkyEdits | None = None
    """What a person says of it."""
    steadying: Steadying = field(default_factory=Steadying)
    """How skies follow each other; where the field is computed for fewer frames, so is the sky."""


def sky_of(seen: Seen, plan: SkyPlan, encoding: Encoding) -> Float32:
    """Return how surely each cell (h, w) of a frame is sky; what a player turns is turned before the network sees it."""
    assert plan.network is not None, "the user's own mattes say it"
    shown = upright(rolled_off(seen.small, encoding), seen.frame)
    sky = see_scene(plan.network, shown).surfaces[_SKY]
    cells: Float32 = halved(as_coded(sky[None], seen.frame))[0]
    return cells


def edited(sky: Float32, plan: SkyPlan, frame: Frame, number: int) -> Float32:
    """Return how surely each cell (h, w) of a frame is sky, when a person had a say in it."""
    if plan.edits is None:
        return sky
    shown = plan.edits.on(np.ascontiguousarray(upright(sky[None], frame)[0]), number)
    cells: Float32 = np.ascontiguousarray(as_coded(shown[None], frame)[0])
    return cells


def follow_skies(
    frames: Iterable[Frame], plan: SkyPlan, encoding: Encoding, borders: Borders | None = None
) -> Iterator[tuple[Seen, Float32]]:
    """Each frame, as seen, and how surely each cell of it is sky, where no field is followed; those of a warm-up are left out."""
    borders = borders or Borders()
    shot = (see(frame, plan.height, encoding) for frame in frames)
    steadied = steady_parts(shot, [sky_part(plan, encoding)], borders)
    for seen, (cells,) in islice(steadied, borders.shown_from - borders.begun_at, None):
        yield seen, cells[0]


def sky_part(plan: SkyPlan, encoding: Encoding, field_every: int = 1) -> Part:
    """Return the sky (1, h, w) as what is followed, beside a field that is computed for every so many frames."""
    how = replace(plan.steadying, every=max(plan.steadying.every, field_every))
    return Part(lambda seen: sky_of(seen, plan, encoding)[None], how, is_lost)


def is_lost(past: Memory, motion: Motion) -> bool:
    """Whether the sky (1, h, w) that was followed so far says too little of a frame: beside it too much is not found again."""
    sky = past.field[0]
    near = cv2.dilate(sky, np.ones((_NEAR_CELLS, _NEAR_CELLS), np.uint8)) > _NEAR_SKY
    unknown = (1 - past.trust * motion.trust) * near * (sky < _SURELY)
    return float(unknown.mean()) > _LOST_SHARE


def with_sky(
    change: Change, seen: Seen, matte: SkyMatte, plan: SkyPlan, moment: Moment, encoding: Encoding
) -> Change:
    """Return the change of light of a frame with the night's sky in it, through a matte."""
    sky = matte.cells
    if not moment.sky or sky is None or sky.max() < _NONE:
        return change
    alpha, colour, model = matte.refined(seen, encoding)
    if not alpha.any():
        return change
    day = np.stack([cv2.resize(c, sky.shape[::-1]) for c in colour])
    night = night_sky(day, sky, seen.frame, plan.facts, moment, plan.most)
    return SkyChange(change, night, alpha, day, moment.sky, model)


class SkyMatte(NamedTuple):
    """Where the sky of a frame is, before it is seen at the size of the plate."""

    cells: Float32 | None
    """How surely each cell (h, w) is sky; None where nobody asked."""
    own: Float32 | None = None
    """The user's own matte (H, W), which is not made any better."""

    def refined(self, seen: Seen, encoding: Encoding) -> Matte:
        """Return the matte at the size of the plate."""
        assert self.cells is not None, "no sky was asked for"
        if self.own is not None:
            return with_colour(self.own, self.cells, seen.small)
        return sky_matte(seen, self.cells, encoding)


def own_sky(own: Float32, seen: Seen) -> SkyMatte:
    """Return the user's own matte (H, W) of a frame."""
    size = seen.cells.shape[:0:-1]
    return SkyMatte(np.asarray(cv2.resize(own, size, interpolation=cv2.INTER_AREA)), own)


def sky_matte(seen: Seen, sky: Float32, encoding: Encoding) -> Matte:
    """Return the matte of a frame, `sky` (h, w) being how surely each cell is it."""
    plate = plate_of(seen.frame, encoding)
    if isinstance(plate, Frame):
        return refine(sky, seen.small, plate)
    return refine_picture(sky, seen.small, plate)


def plate_of(frame: Frame, encoding: Encoding) -> Frame | Float32:
    """Return the frame itself where its codes are affine in the working encoding, else a picture (3, H, W) in that."""
    coding = frame.coding
    if encoding.to_linear is None and is_affine(coding) and not coding.multiplied:
        return frame
    return to_working(straight_rgb(frame), encoding)
