"""Changes that a person makes to a list of lights: each gives a new list; what is changed is locked for later searches."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from nightfx.errors import UsageError
from nightfx.lights import Light, LightList, LightTrack, lights_text, parse_lights
from nightfx.picture import Float32

_SAID = ("on", "stops", "kelvin", "parent", "kind")
_SIZE = {"lamp": (0.014, 0.02), "window": (0.02, 0.05), "shop": (0.06, 0.07), "sign": (0.05, 0.02)}
_USUAL_SIZE = (0.012, 0.012)  # parts of the picture's width and height
_MOST_LIGHTS = 20000


def say(lights: LightList, number: int, said: Mapping[str, Any]) -> LightList:
    """Say of a light whether it is `on`, its `stops`, `kelvin`, `parent` or `kind`. Raises UsageError."""
    if unknown := set(said) - set(_SAID):
        raise UsageError(f"a light has no {min(unknown)} to change: {', '.join(_SAID)}")
    light = _light(lights, number)
    if said.get("kelvin") is not None:
        said = {**said, "rgb": None}
    return _with(lights, replace(light, **said, locked=True))


def move(lights: LightList, number: int, by_px: tuple[float, float]) -> LightList:
    """Move a light by px of the plate, at all of its frames."""
    light = _light(lights, number)
    track = light.track._replace(quads=light.track.quads + np.array(by_px, np.float32))
    return _with(lights, replace(light, track=track, locked=True))


def add(lights: LightList, kind: str, frame: int, at_px: tuple[float, float]) -> LightList:
    """Add a light with its middle at a place of a frame; it moves as the light does that is nearest there."""
    if len(lights.lights) >= _MOST_LIGHTS:
        raise UsageError(f"a list holds no more than {_MOST_LIGHTS} lights")
    numbers = [n for x in lights.lights for n in (x.id, x.parent or 0)]
    track = _track(lights, _quad(lights, kind, at_px), frame)
    new = Light(max(numbers, default=0) + 1, kind, track, on=True, locked=True)
    return _checked(replace(lights, lights=(*lights.lights, new)))


def delete(lights: LightList, number: int) -> LightList:
    """Leave a light out."""
    gone = _light(lights, number)
    return replace(lights, lights=tuple(x for x in lights.lights if x is not gone))


def _light(lights: LightList, number: int) -> Light:
    for light in lights.lights:
        if light.id == number:
            return light
    raise UsageError(f"there is no light {number}")


def _with(lights: LightList, light: Light) -> LightList:
    each = tuple(light if x.id == light.id else x for x in lights.lights)
    return _checked(replace(lights, lights=each))


def _checked(lights: LightList) -> LightList:
    """The list as it is when it was written and read; raises UsageError for what cannot be read."""
    try:
        return parse_lights(json.loads(lights_text(lights)))
    except (ValueError, TypeError) as error:
        raise UsageError(str(error)) from error


def _quad(lights: LightList, kind: str, at_px: tuple[float, float]) -> Float32:
    width, height = _SIZE.get(kind, _USUAL_SIZE)
    half = np.array([width * lights.size_px[0], height * lights.size_px[1]]) / 2
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    return (np.array(at_px) + corners).astype(np.float32)


def _track(lights: LightList, quad: Float32, frame: int) -> LightTrack:
    """The track of a quad that is at its place in that frame, through all of the shot."""
    ends = np.unique([lights.first, frame, lights.first + max(lights.count, 1) - 1])
    near = _nearest(lights, quad, frame)
    frames = np.unique(np.concatenate([ends, near.track.frames if near else ends[:0]]))
    quads = [quad + _moved(near, int(n), frame) for n in frames]
    return LightTrack(frames, np.array(quads, np.float32), np.ones(len(frames), np.float32))


def _nearest(lights: LightList, quad: Float32, frame: int) -> Light | None:
    shown = [x for x in lights.at(frame) if len(x.light.track.frames) > 1]
    if not shown:
        return None
    middle = quad.mean(0)
    return min(shown, key=lambda x: float(np.hypot(*(x.quad.mean(0) - middle)))).light


def _moved(light: Light | None, number: int, since: int) -> Float32:
    """How far (2,) px a light has moved since a frame; outside of its track it stays."""
    if light is None:
        return np.zeros(2, np.float32)
    ends = int(light.track.frames[0]), int(light.track.frames[-1])
    now, before = (light.track.at(min(max(n, ends[0]), ends[1])) for n in (number, since))
    assert now is not None, "it is on its track"
    assert before is not None, "so is that"
    return np.asarray(now[0].mean(0) - before[0].mean(0), np.float32)
