"""The list of a shot's lights: what may be lit, where it is in each frame, and what a person says of it.

`NAME.lights.json` has a line a light, so that it can be read, edited and compared; `docs/lights.md` describes it. Places are
px of the upright plate, and frames have the numbers that they have everywhere: a clip's count from 1001.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nightfx.disk import checked, partial_file
from nightfx.lights.kinds import KINDS
from nightfx.picture import Float32

_FORMAT = 1
_KIND = checked.Kind("list of lights", "`nightfx lights` writes one")
_MOST_PX = 1_000_000
_MOST_STOPS = 10.0
_MOST_LIGHT = 100.0  # white being 1
_KELVIN = 1000.0, 20000.0
_HEAD = ("nightfx_lights", "size_px", "first", "count", "town", "horizon", "lights")
_KEYS = ("id", "kind", "parent", "on", "stops", "kelvin", "rgb", "locked", "track")


class LightTrack(NamedTuple):
    """Where a light is: straight lines between the frames named, nothing before the first and after the last."""

    frames: NDArray[np.int64]
    """(n,), rising."""
    quads: Float32
    """(n, 4, 2) px x, y, clockwise from the top left."""
    confidence: Float32
    """(n,), 0 to 1."""

    def at(self, frame: int) -> tuple[Float32, float] | None:
        """The quad (4, 2) and the confidence at a frame, or None where the light is not there."""
        if not self.frames[0] <= frame <= self.frames[-1]:
            return None
        after = int(np.searchsorted(self.frames, frame))
        if self.frames[after] == frame:
            return self.quads[after], float(self.confidence[after])
        before = after - 1
        share = (frame - self.frames[before]) / (self.frames[after] - self.frames[before])
        quad, sure = (x[before] + share * (x[after] - x[before]) for x in self[1:])
        return quad.astype(np.float32), float(sure)


@dataclass(frozen=True, eq=False)
class Light:
    """Something that may be lit."""

    id: int
    kind: str
    """One of `KINDS`."""
    track: LightTrack
    parent: int | None = None
    """The house or the car that it belongs to."""
    on: bool | None = None
    """Whether it is on; None leaves that to the preset's shares."""
    stops: float = 0.0
    """How much brighter it is than the preset has it."""
    kelvin: float | None = None
    rgb: tuple[float, float, float] | None = None
    """Its colour in linear light, where it has one of its own."""
    locked: bool = False
    """Whether a new analysis leaves it as it is."""


class Shown(NamedTuple):
    """A light where it is in a frame."""

    light: Light
    quad: Float32
    confidence: float


@dataclass(frozen=True, eq=False)
class LightList:
    """The lights of a shot."""

    size_px: tuple[int, int]
    """(width, height) of the upright plate."""
    first: int
    """Number of the first frame that was looked at."""
    count: int
    """How many frames there were."""
    town: bool = False
    """Whether lamps make sense in what the shot shows."""
    horizon: tuple[tuple[int, float], ...] = ()
    """Where the ground ends: numbers of frames, and the row as a part of the height."""
    lights: tuple[Light, ...] = ()

    def at(self, frame: int) -> Iterator[Shown]:
        """Yield the lights that are in a frame, by its number."""
        for light in self.lights:
            if (place := light.track.at(frame)) is not None:
                yield Shown(light, *place)

    def horizon_at(self, frame: int) -> float:
        """Where the ground ends in a frame, as a part of the height; 0.6 where nobody knows."""
        if not self.horizon:
            return 0.6
        frames, rows = zip(*self.horizon, strict=True)
        return float(np.interp(frame, frames, rows))


def write_lights(lights: LightList, path: Path) -> None:
    """Write a list as JSON, a line a light; it is complete under its name or not there."""
    with partial_file(path) as part:
        part.write_text(lights_text(lights), encoding="utf-8")


def lights_text(lights: LightList) -> str:
    """Return the list as JSON, a line a light."""
    head = {
        "nightfx_lights": _FORMAT,
        "size_px": list(lights.size_px),
        "first": lights.first,
        "count": lights.count,
        "town": lights.town,
        "horizon": [[frame, round(row, 4)] for frame, row in lights.horizon],
    }
    lines = [f" {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    each = ",\n".join(f"  {json.dumps(_told(light))}" for light in lights.lights)
    return "\n".join(["{", *lines, ' "lights": [', each, " ]", "}"]) + "\n"


def as_written(lights: LightList) -> LightList:
    """Return the list as it is when it has been written and read: a render by either is the same."""
    return parse_lights(json.loads(lights_text(lights)))


def _told(light: Light) -> dict[str, Any]:
    rows = [
        [int(frame), *(round(float(v), 2) for v in quad.ravel()), round(float(sure), 3)]
        for frame, quad, sure in zip(*light.track, strict=True)
    ]
    facts = {key: getattr(light, key) for key in _KEYS[:-1]}
    neutral = {"parent": None, "on": None, "stops": 0.0, "kelvin": None, "rgb": None}
    neutral["locked"] = False
    said = {k: v for k, v in facts.items() if k not in neutral or v != neutral[k]}
    return {**said, "track": rows}


def read_lights(path: Path) -> LightList:
    """Read a list that somebody may have edited. Raises `UsageError` that names file, light and key."""
    return checked.read_typed(path, _KIND, parse_lights)


def parse_lights(data: Any) -> LightList:
    """Return the list that JSON says. Raises ValueError, with a word about what is wrong."""
    if not isinstance(data, dict) or data.get("nightfx_lights") != _FORMAT:
        raise ValueError(f"no list of lights of version {_FORMAT}: `nightfx lights` writes one")
    checked.check_keys(data, _HEAD)
    width, height = (
        checked.whole(v, "size_px", 1, _MOST_PX)
        for v in checked.list_of(data.get("size_px"), "size_px", 2)
    )
    lights = tuple(
        _light(one, index)
        for index, one in enumerate(checked.list_of(data.get("lights"), "lights"))
    )
    seen: set[int] = set()
    for light in lights:
        if light.id in seen:
            raise ValueError(f"two lights have the id {light.id}: give one another number")
        seen.add(light.id)
    return LightList(
        (width, height),
        checked.whole(data.get("first"), "first"),
        checked.whole(data.get("count"), "count", 0),
        checked.truth(data.get("town", False), "town"),
        _horizon(data.get("horizon", [])),
        lights,
    )


def _horizon(rows: Any) -> tuple[tuple[int, float], ...]:
    pairs = [
        checked.list_of(row, "a row of horizon", 2) for row in checked.list_of(rows, "horizon")
    ]
    told = [
        (checked.whole(a, "frame of horizon"), checked.number(b, "horizon", -10, 10))
        for a, b in pairs
    ]
    if any(a[0] >= b[0] for a, b in pairwise(told)):
        raise ValueError("horizon: frames must rise")
    return tuple(told)


def _light(one: Any, index: int) -> Light:
    if not isinstance(one, dict):
        raise ValueError(f"light {index + 1} of the list is no object")
    name = f"light {checked.said(one['id'])}" if "id" in one else f"light {index + 1} of the list"
    try:
        return _checked(one)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _checked(one: Mapping[str, Any]) -> Light:
    checked.check_keys(one, _KEYS)
    kind, on, kelvin, parent = (one.get(key) for key in ("kind", "on", "kelvin", "parent"))
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {checked.said(kind)}")
    return Light(
        id=checked.whole(one.get("id"), "id"),
        kind=kind,
        track=_track(one.get("track")),
        parent=None if parent is None else checked.whole(parent, "parent"),
        on=None if on is None else checked.truth(on, "on"),
        stops=checked.number(one.get("stops", 0.0), "stops", -_MOST_STOPS, _MOST_STOPS),
        kelvin=None if kelvin is None else checked.number(kelvin, "kelvin", *_KELVIN),
        rgb=_colour(one.get("rgb")),
        locked=checked.truth(one.get("locked", False), "locked"),
    )


def _colour(rgb: Any) -> tuple[float, float, float] | None:
    if rgb is None:
        return None
    red, green, blue = (
        checked.number(v, "rgb", 0, _MOST_LIGHT) for v in checked.list_of(rgb, "rgb", 3)
    )
    return red, green, blue


def _track(rows: Any) -> LightTrack:
    if not isinstance(rows, list) or not rows:
        raise ValueError("track needs a row: frame, four corners x, y, confidence")
    table = np.array([_row(row) for row in rows], np.float64)
    frames = table[:, 0].astype(np.int64)
    if (np.diff(frames) <= 0).any():
        raise ValueError("track: frames must rise")
    quads = table[:, 1:9].reshape(-1, 4, 2).astype(np.float32)
    return LightTrack(frames, quads, table[:, 9].astype(np.float32))


def _row(row: Any) -> list[float]:
    """A row of a track, checked."""
    frame, *corners, sure = checked.list_of(row, "a row of track", 10)
    places = [checked.number(v, "a corner of track", -_MOST_PX, _MOST_PX) for v in corners]
    return [
        checked.whole(frame, "frame of track"),
        *places,
        checked.number(sure, "confidence of track", 0, 1),
    ]
