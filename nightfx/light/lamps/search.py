"""Look through a shot, once before it is rendered, for all that would be lit by night."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from nightfx.ahead import prefetch
from nightfx.light.lamps.shine import upright_size
from nightfx.light.see import Byte, luma_of, see
from nightfx.light.steady import find_motion
from nightfx.lights import Found, Light, LightList, LightTrack, Tracker, as_written, find_lights
from nightfx.network import SceneNetwork
from nightfx.picture import (
    CLIP_NUMBERS,
    SDR,
    Encoding,
    Float32,
    Frame,
    Numbering,
    end_watch,
    rolled_off,
    upright,
)
from nightfx.scene import Scene, see_finely, town_odds

_LINES = 512  # of the picture in which lights are looked for
_SMALL_LINES = 256  # of the one that surfaces are seen in, and motion, at half of that
_EVERY = 12  # frames
_AHEAD = 24  # frames that one thread may be before the next: a look takes as long as several
_GROUND = 0.5
_FIRST_ROWS = 0.03  # of the ground lies above its horizon
_LEAST_GROUND = 0.01  # of a picture, or its horizon says nothing
_SURE = 0.6  # confidence of a window, odds of a vehicle
_THINGS = 2  # windows that a picture of a town has at least, or traffic
_VEHICLES = 0.001  # of a picture: as good as a window


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
    """Return the lights of a shot; a single picture is a shot of one frame.

    Frames are seen, looked at and followed side by side, each by a thread of its own.
    """
    tracker, numbers, towns, horizon = Tracker(), list[int](), [], []
    size, scale = (0, 0), np.ones(2, np.float32)
    with closing(prefetch(_looked_at(frames, how), _AHEAD)) as shot:
        for shown, looked in shot:
            place = shown.place  # tracks count places; numbers come at the end
            tracker.show(place, shown.luma, is_cut=shown.is_cut)
            if looked:
                per_px = _ratio(shown.luma.shape, looked.scene.surfaces.shape[1:])
                tracker.look([x._replace(quad=x.quad * per_px) for x in looked.found])
                towns.append(_town_of(looked.scene, looked.found))
                if (row := _horizon(looked.scene.of("ground"))) is not None:
                    horizon.append((place, row))
            if not numbers:
                size, scale = shown.size, _ratio(shown.size[::-1], shown.luma.shape)
            numbers.append(shown.number)
            end_watch()
            if place % how.every == 0:
                # pictures between two that are looked at are soon done: alone they tell no pace
                how.on_progress(len(numbers))
    how.on_progress(len(numbers))
    if not numbers:
        return LightList(size, how.numbering.first, 0)
    lights = tuple(_placed(light, scale, numbers) for light in tracker.lights())
    rows = {numbers[place]: row for place, row in _calm(horizon)}
    town = _is_town(towns)
    return as_written(LightList(size, numbers[0], len(numbers), town, tuple(rows.items()), lights))


class _Shown(NamedTuple):
    """What is left of a picture of a shot, so that the frame itself need not be kept."""

    place: int
    number: int
    size: tuple[int, int]
    """(width, height) in px, upright."""
    luma: Byte
    """Of the small picture, upright."""
    is_cut: bool
    pictures: tuple[Float32, Float32] | None
    """The picture (3, h, w) in which lights are looked for, and the small one, upright; None between two looks."""


class _Looked(NamedTuple):
    """What was found in a picture."""

    scene: Scene
    found: Sequence[Found]


def _shown(frames: Iterable[Frame], how: Search) -> Iterator[_Shown]:
    before = None
    for place, frame in enumerate(frames):
        seen = see(frame, _SMALL_LINES, how.encoding)
        luma, cells = (luma_of(upright(x, frame)) for x in (seen.small, seen.cells))
        is_cut = before is not None and find_motion(before, cells).is_cut
        looks = is_cut or place % how.every == 0
        pictures = _pictures(frame, seen.small, how) if looks else None
        number, size = how.numbering.of(frame, place), upright_size(frame)
        yield _Shown(place, number, size, luma, is_cut, pictures)
        before = cells


def _pictures(frame: Frame, small: Float32, how: Search) -> tuple[Float32, Float32]:
    fine = see(frame, _LINES, how.encoding).small
    shown, coarse = (upright(rolled_off(x, how.encoding), frame) for x in (fine, small))
    return shown, coarse


def _looked_at(
    frames: Iterable[Frame], how: Search
) -> Generator[tuple[_Shown, _Looked | None], None, None]:
    with closing(prefetch(_shown(frames, how), _AHEAD)) as shot:
        for shown in shot:
            looked = None
            if shown.pictures:
                scene = see_finely(how.network, *shown.pictures)
                looked = _Looked(scene, find_lights(scene, shown.pictures[0]))
            yield shown._replace(pictures=None), looked


def _ratio(size: Sequence[int], other: Sequence[int]) -> Float32:
    """How many px across and down of a picture of one (height, width) one of the other is."""
    return np.array([size[1] / other[1], size[0] / other[0]], np.float32)


def _placed(light: Light, scale: Float32, numbers: Sequence[int]) -> Light:
    """A light whose track counts places and small px, in numbers of frames and px of the plate."""
    frames, quads, sure = light.track
    named, keep = np.unique(np.array(numbers, np.int64)[frames], return_index=True)
    return replace(light, track=LightTrack(named, quads[keep] * scale, sure[keep]))


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


def _town_of(scene: Scene, found: Sequence[Found]) -> tuple[float, float]:
    """How likely a picture is a town, as log odds, and how much in it could be lit: windows, and traffic as so many."""
    windows = sum(x.kind == "window" and x.confidence > _SURE for x in found)
    vehicles = float((scene.of("vehicle") > _SURE).mean())
    return town_odds(scene), windows + vehicles / _VEHICLES


def _is_town(seen: Sequence[tuple[float, float]]) -> bool:
    """Whether the pictures of a shot are a town on the mean, with something to light."""
    odds, things = np.mean(seen, axis=0)
    return bool(odds > 0 and things >= _THINGS)
