"""The lights of a frame that are on, as light."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from nightfx.lights.choose import Choice
from nightfx.lights.kinds import GROUPS, group_of
from nightfx.lights.listed import LightList
from nightfx.options import Moment
from nightfx.picture import Float32, kelvin_rgb, luma

_LEAST = 0.02  # confidence below which nothing is seen of a light
_SURE = 0.6  # from here on it shines wholly
_FADE = 2.2  # a fade that the eye sees as even
_COLOURED = ("rear-lamp", "traffic-light")  # a law gives them their colour


class Source(NamedTuple):
    """A light that is on, in one frame."""

    kind: str
    quad: Float32
    """(4, 2) px x, y of the plate, clockwise from its top left."""
    light: Float32
    """(3,): how bright it is, in linear light; 1 is the picture's white."""


class Turned(NamedTuple):
    """How far a user turned a group of lights."""

    gain: float = 1.0
    kelvin: float = 0.0
    """Its colour; 0 is the preset's."""


def turned(moment: Moment) -> dict[str, Turned]:
    """Return how far each group is turned at a moment."""
    return {
        group: Turned(2 ** getattr(moment, group), getattr(moment, f"{group}_kelvin"))
        for group in GROUPS
    }


def sources_of(
    lights: LightList, choices: Mapping[int, Choice], frame: int, groups: Mapping[str, Turned]
) -> Iterator[Source]:
    """Yield the lights of a frame that are on, by its number."""
    for light, quad, confidence in lights.at(frame):
        choice, how = choices[light.id], groups[group_of(light.kind)]
        if choice.on and confidence > _LEAST and how.gain > 0:
            shone = choice.light * np.float32(how.gain * min(confidence / _SURE, 1) ** _FADE)
            if how.kelvin and light.kind not in _COLOURED:
                shone = kelvin_rgb(how.kelvin) * luma(shone[:, None])
            yield Source(light.kind, quad, shone.astype(np.float32))
