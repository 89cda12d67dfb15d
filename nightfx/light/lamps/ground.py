"""The light of street lamps and head lamps on the ground: pools and beams, by where the ground lies.

A camera that stands upright, at the height of a man or a car, sees ground at a depth that its distance below the horizon
tells; and how large a thing of known height stands above or below that horizon tells where it stands. Lengths are metres,
and places on the picture parts of its height.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nightfx.lights import Source
from nightfx.picture import Float32

_EYE_M = 1.5  # the camera above the ground
_FOCAL = 1.2  # of a lens as most are, in heights of the picture
_POLE_M, _HEAD_M = 7.0, 0.7  # a street lamp's height, and a head lamp's
_LEAST = 0.004  # from the horizon, or nobody can say where a lamp stands
_FARTHEST = 0.002  # below the horizon, of the ground that is lit
_REACH_M, _NEAR_M = 14.0, 1.0  # of a beam, and before it meets the ground
_NARROW_M, _WIDENS = 0.7, 0.2  # half of a beam's width, and how it grows along it
_BEAM = 3.0  # a head lamp's light is thrown ahead, a street lamp's to all sides
_FACES_M = 60.0  # beyond, both lamps of a car are one


class _Ground(NamedTuple):
    """Where the ground is that cells (rows, w) show, from the camera, in metres."""

    across: Float32
    ahead: Float32


class _Spot(NamedTuple):
    """Where one thing is, from the camera, in metres."""

    across: float
    ahead: float


def on_ground(
    sources: Sequence[Source], plate: tuple[int, int], size: tuple[int, int], horizon: float
) -> Float32:
    """Return the light of lamps on the ground of an upright `plate` (height, width) px, whose horizon is a part of its height.

    It is that of `size` (h, w) cells: (h, w, 3), in parts of what a lamp's own surface has.
    """
    light = np.zeros((*size, 3), np.float32)
    ground = _ground(size, plate[1] / plate[0], horizon)
    first = size[0] - ground.ahead.shape[0]
    for source in sources:
        if source.kind not in ("lamp", "front-lamp"):
            continue
        x, y = (float(v) / plate[0] for v in source.quad.mean(0))
        x -= plate[1] / plate[0] / 2
        lit = (
            _pool(ground, x, horizon - y)
            if source.kind == "lamp"
            else _beam(ground, x, y - horizon)
        )
        if lit is not None:
            light[first:] += lit[..., None] * source.light
    return light


def _ground(size: tuple[int, int], aspect: float, horizon: float) -> _Ground:
    """The places (rows, w) of the ground that the lowest rows of cells show."""
    height, width = size
    below = (np.arange(height, dtype=np.float32) + np.float32(0.5)) / height - np.float32(horizon)
    below = below[below > _FARTHEST]
    x = ((np.arange(width, dtype=np.float32) + np.float32(0.5)) / width - np.float32(0.5)) * aspect
    ahead = np.float32(_FOCAL * _EYE_M) / below[:, None]
    across = ahead * (x / np.float32(_FOCAL))
    return _Ground(across.astype(np.float32), np.broadcast_to(ahead, across.shape))


def _stands(x: float, away: float, metres: float) -> _Spot | None:
    """Where a thing stands that is `metres` above or below the camera, and `away` from the horizon."""
    if away < _LEAST:
        return None
    ahead = _FOCAL * metres / away
    return _Spot(x * ahead / _FOCAL, ahead)


def _pool(ground: _Ground, x: float, above: float) -> Float32 | None:
    """What a lamp on a pole sheds on the ground, 1 below it: as the square of the distance and the slant have it."""
    foot = _stands(x, above, _POLE_M - _EYE_M)
    if foot is None:
        return None
    distance = np.square(ground.across - foot.across) + np.square(ground.ahead - foot.ahead)
    return np.asarray((1 + distance / np.float32(_POLE_M**2)) ** -1.5, np.float32)


def _beam(ground: _Ground, x: float, below: float) -> Float32 | None:
    """What a head lamp that faces the camera throws on the ground before it."""
    lamp = _stands(x, below, _EYE_M - _HEAD_M)
    if lamp is None or lamp.ahead > _FACES_M:
        return None
    along = lamp.ahead - ground.ahead
    wide = _NARROW_M + _WIDENS * np.maximum(along, 0)
    side = np.exp(-np.square((ground.across - lamp.across) / wide))
    rise = np.clip(along / np.float32(_NEAR_M), 0, 1)
    return np.asarray(_BEAM * rise * side / (1 + np.square(along / _REACH_M)), np.float32)
