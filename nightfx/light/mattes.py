"""Mattes of a shot: what the scene network sees of each frame, followed along motion, at the plate's size on its own edges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from nightfx.light.borders import Borders
from nightfx.light.fit import Fit, fit_field
from nightfx.light.see import Seen, halved, see
from nightfx.light.sky import plate_of, sky_matte
from nightfx.light.steady import Steadying, steady
from nightfx.network import SceneNetwork
from nightfx.picture import (
    SDR,
    Encoding,
    Float32,
    Frame,
    as_coded,
    end_watch,
    rolled_off,
    upright,
)
from nightfx.scene import read_model, see_scene

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
    frames: Iterable[Frame], plan: MattePlan, borders: Borders | None = None
) -> Iterator[tuple[Frame, tuple[Float32, ...]]]:
    """Yield each frame, and a matte (H, W) in [0, 1] for each of the kinds; those of a warm-up are left out."""
    borders = borders or Borders()
    shot = (see(frame, plan.height, plan.encoding) for frame in frames)
    steadied = steady(shot, lambda seen: maps_of(seen, plan), plan.steadying, borders)
    for seen, maps in islice(steadied, borders.shown_from - borders.begun_at, None):
        pairs = zip(plan.kinds, maps, strict=True)
        mattes = tuple(_alpha_of(seen, one, kind, plan.encoding) for kind, one in pairs)
        end_watch()
        yield seen.frame, mattes


def maps_of(seen: Seen, plan: MattePlan) -> Float32:
    """Return how surely each cell of a frame is of each kind, (kinds, h, w); what a player turns is turned before it is seen."""
    scene = see_scene(plan.network, upright(rolled_off(seen.small, plan.encoding), seen.frame))
    return halved(as_coded(np.stack([scene.of(kind) for kind in plan.kinds]), seen.frame))


def _alpha_of(seen: Seen, surely: Float32, kind: str, encoding: Encoding) -> Float32:
    if kind == "sky":
        return sky_matte(seen, surely, encoding).alpha
    # all else has no colour of its own: a guided filter keeps what the network says, and goes by edges
    three, none = np.repeat(surely[None], 3, axis=0), np.zeros_like(seen.cells)
    field = fit_field(seen.cells, three, none, _FIT)
    bounds = np.stack([np.zeros_like(surely), np.ones_like(surely)])
    return read_model(np.concatenate([field[:4], bounds]), plate_of(seen.frame, encoding))
