"""Look through a shot, once before it is rendered, for all that would be lit by night."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from nightfx.light.see import Byte, luma_of, see
from nightfx.light.steady import find_motion
from nightfx.lights import Found, Light, LightList, Tracker, find_lights
from nightfx.network import SceneNetwork
from nightfx.picture import (
    CLIP_NUMBERS,
    SDR,
    Encoding,
    Float32,
    Frame,
    Numbering,
    rolled_off,
    upright,
)
from nightfx.scene import Scene, see_scene

_LINES = 512  # of the picture in which lights are looked for
_MOTION_LINES = 256  # of the one that motion is found in, at half of that
_EVERY = 12  # frames
_GROUND = 0.5
_FIRST_ROWS = 0.03  # of the ground lies above its horizon
_LEAST_GROUND = 0.01  # of a picture, or its horizon says nothing
_TOWN_WINDOWS, _TOWN_WALLS = 3, 0.04
_TOWN_VEHICLES = 0.002  # of all pictures


class Search(NamedTuple):
    """How a shot is searched."""

    network: SceneNetwork
    encoding: Encoding = SDR
    numbering: Numbering = CLIP_NUMBERS
    every: int = _EVERY
    """Pictures from one that is looked at to the next."""
    on_progress: Callable[[int], None] = lambda count: None
    """Told how many pictures were seen."""


def search_shot(frames: Iterable[Frame], how: Search) -> LightList:
    """Return the lights of a shot; a single picture is a shot of one frame."""
    known: _Known | None = None
    for place, frame in enumerate(frames):
        luma = luma_of(upright(see(frame, _MOTION_LINES, how.encoding).cells, frame))
        known = known or _Known(frame, luma, how)
        known.see(place, frame, luma)
        how.on_progress(place + 1)
    return known.listed() if known else LightList((1, 1), how.numbering.first, 0)


class _Known:
    """What is known of a shot, as its frames go by; tracks count places and cells until it ends."""

    def __init__(self, frame: Frame, luma: Byte, how: Search) -> None:
        self._how, self._tracker, self._before, self._count = how, Tracker(luma.shape), luma, 0
        self._cells = np.array(luma.shape[::-1], np.float32)
        self._size, self._first = _upright_size(frame), how.numbering.of(frame, 0)
        self._shares: list[Float32] = []
        self._horizon: list[tuple[int, float]] = []

    def see(self, place: int, frame: Frame, luma: Byte) -> None:
        """Follow what is known to a frame, and look at it where that is its turn or nothing is known of it."""
        looks = place % self._how.every == 0
        if place:
            motion = find_motion(self._before, luma)
            looks |= motion.is_cut
            if motion.is_cut:
                self._tracker.cut()
            else:
                self._tracker.move(place, motion.flow, motion.trust)
        if looks:
            self._look(place, frame)
        self._before, self._count = luma, place + 1

    def _look(self, place: int, frame: Frame) -> None:
        scene, found = _look(frame, self._how)
        scale = self._cells / np.array(scene.surfaces.shape[:0:-1], np.float32)
        self._tracker.look(place, [x._replace(quad=x.quad * scale) for x in found])
        self._shares.append(scene.surfaces.mean((1, 2)))
        if (row := _horizon(scene.of("ground"))) is not None:
            self._horizon.append((place, row))

    def listed(self) -> LightList:
        """Return the list, in numbers of frames and px of the plate."""
        lights, per_frame = self._tracker.lights(), self._how.numbering.per_frame
        scale = np.array(self._size, np.float32) / self._cells
        placed = tuple(_placed(x, scale, self._first, per_frame) for x in lights)
        rows = tuple((self._first + n // per_frame, row) for n, row in _calm(self._horizon))
        is_town = _is_town(lights, self._shares)
        return LightList(self._size, self._first, self._count, is_town, rows, placed)


def _look(frame: Frame, how: Search) -> tuple[Scene, list[Found]]:
    shown = upright(rolled_off(see(frame, _LINES, how.encoding).small, how.encoding), frame)
    scene = see_scene(how.network, shown)
    return scene, find_lights(scene, shown)


def _upright_size(frame: Frame) -> tuple[int, int]:
    size = frame.width, frame.height
    return size[::-1] if round(frame.rotation / 90) % 2 else size


def _placed(light: Light, scale: Float32, first: int, per_frame: int) -> Light:
    """A light whose track counts places and cells, in numbers of frames and px of the plate."""
    frames, quads, sure = light.track
    numbers = first + frames // per_frame
    _, keep = np.unique(numbers, return_index=True)
    track = light.track._replace(
        frames=numbers[keep], quads=quads[keep] * scale, confidence=sure[keep]
    )
    return replace(light, track=track)


def _horizon(ground: Float32) -> float | None:
    """The row above which little of the ground lies, as a part of the height."""
    rows = (ground > _GROUND).sum(1)
    if rows.sum() < _LEAST_GROUND * ground.size:
        return None
    above = np.cumsum(rows) / rows.sum()
    return float(np.searchsorted(above, _FIRST_ROWS) / len(rows))


def _calm(rows: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Horizons, each the median of those around it."""
    values = np.array([row for _, row in rows])
    return [
        (place, float(np.median(values[max(i - 4, 0) : i + 5])))
        for i, (place, _) in enumerate(rows)
    ]


def _is_town(lights: tuple[Light, ...], shares: list[Float32]) -> bool:
    """Whether a shot shows houses with windows, or vehicles."""
    if not shares:
        return False
    _, _, wall, _, vehicle, _ = np.mean(shares, axis=0)
    windows = sum(light.kind == "window" for light in lights)
    return bool((windows >= _TOWN_WINDOWS and wall > _TOWN_WALLS) or vehicle > _TOWN_VEHICLES)
