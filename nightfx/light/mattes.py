"""Mattes of a shot: what the scene network sees of each frame, followed along motion, at the plate's size on its own edges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from nightfx.apply import straight_rgb
from nightfx.light.fit import Fit, fit_field
from nightfx.light.see import Seen, halved, see
from nightfx.light.steady import Steadying, steady
from nightfx.network import SceneNetwork
from nightfx.picture import (
    SDR,
    Encoding,
    Float32,
    Frame,
    as_coded,
    is_affine,
    rolled_off,
    to_working,
    upright,
)
from nightfx.scene import Matte, read_model, refine, refine_picture, see_scene

_FIT = Fit(4, 1e-4)


@dataclass(frozen=True)
class MattePlan:
    """Everything that decides a shot's mattes besides its frames."""

    network: SceneNetwork
    """Says what is in the picture."""
    kinds: tuple[str, ...] = ("sky",)
    """What mattes are made of: names of `KINDS`."""
    height: int = 256
    """Working height in px: that of the upright frame's shorter side."""
    steadying: Steadying = field(default_factory=Steadying)
    encoding: Encoding = SDR
    """The encoding of the frames' signal."""


def mattes_of_shot(
    frames: Iterable[Frame], plan: MattePlan
) -> Iterator[tuple[Frame, tuple[Float32, ...]]]:
    """Yield each frame, and a matte (H, W) in [0, 1] for each of the kinds."""
    shot = (see(frame, plan.height, plan.encoding) for frame in frames)
    for seen, maps in steady(shot, lambda seen: maps_of(seen, plan), plan.steadying):
        pairs = zip(plan.kinds, maps, strict=True)
        yield seen.frame, tuple(_alpha_of(seen, one, kind, plan.encoding) for kind, one in pairs)


def maps_of(seen: Seen, plan: MattePlan) -> Float32:
    """Return how surely each cell of a frame is of each kind, (kinds, h, w); what a player turns is turned before it is seen."""
    scene = see_scene(plan.network, upright(rolled_off(seen.small, plan.encoding), seen.frame))
    return halved(as_coded(np.stack([scene.of(kind) for kind in plan.kinds]), seen.frame))


def sky_matte(seen: Seen, sky: Float32, encoding: Encoding = SDR) -> Matte:
    """Return the matte of a frame's sky, `sky` (h, w) being how surely each cell is it."""
    plate = _plate_of(seen.frame, encoding)
    if isinstance(plate, Frame):
        return refine(sky, seen.small, plate)
    return refine_picture(sky, seen.small, plate)


def _alpha_of(seen: Seen, surely: Float32, kind: str, encoding: Encoding) -> Float32:
    if kind == "sky":
        return sky_matte(seen, surely, encoding).alpha
    # all else has no colour of its own: a guided filter keeps what the network says, and goes by edges
    three, none = np.repeat(surely[None], 3, axis=0), np.zeros_like(seen.cells)
    field = fit_field(seen.cells, three, none, _FIT)
    bounds = np.stack([np.zeros_like(surely), np.ones_like(surely)])
    return read_model(np.concatenate([field[:4], bounds]), _plate_of(seen.frame, encoding))


def _plate_of(frame: Frame, encoding: Encoding) -> Frame | Float32:
    """The frame itself where its codes are affine in the working encoding, else a picture (3, H, W) in that."""
    coding = frame.coding
    if encoding.to_linear is None and is_affine(coding) and not coding.multiplied:
        return frame
    return to_working(straight_rgb(frame), encoding)
