"""Which lights of a shot are on, and in which colour: decided once a light, by a hash of a seed and what it is.

Another light in the list changes nothing for those that are there. The windows of a house share how many of them are lit and
about their colour, the lamps of a car are on together, and the lamps of a street are of one kind. What a person says in
the list holds.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from nightfx.lights.kinds import group_of
from nightfx.lights.listed import Light, LightList
from nightfx.options import Kelvins, LightTable
from nightfx.picture import BT709, Float32, kelvin_rgb

_LUMA = np.array(BT709, np.float32)
_REAR = np.array([1.0, 0.02, 0.01], np.float32)
_REAR_STOPS = -3.3  # beside the head lamps of a car
_TRAFFIC = np.array([[1.0, 0.03, 0.01], [1.0, 0.45, 0.02], [0.05, 1.0, 0.35]], np.float32)
_TRAFFIC_STOPS = -2.0
_OWN_MIRED = 18.0  # by which the windows of a house differ in colour
# what a number is drawn for
_IS_ON, _COLOUR, _STRENGTH, _HOUSE, _SHOT, _OTHER = range(6)
_OTHERS = 0.1  # of the windows of a house have a colour of their own
_LEAST_MIRED = 50.0


class Choice(NamedTuple):
    """How a light shines."""

    on: bool
    light: Float32
    """(3,): how bright it is, in linear light."""


def choose(
    lights: LightList, table: LightTable, seed: int = 0, lit_windows: float | None = None
) -> dict[int, Choice]:
    """Choose for each light of a list, by its id; `lit_windows` is the share of windows that are lit, where it is given."""
    return {x.id: _choice(x, table, seed, lit_windows) for x in lights.lights}


def _choice(light: Light, table: LightTable, seed: int, lit_windows: float | None) -> Choice:
    owner = light.id if light.parent is None else light.parent
    own = _own_of(light, owner, table, seed)
    colour = own if light.rgb is None else np.array(light.rgb, np.float32)
    if light.kelvin is not None:
        colour = kelvin_rgb(light.kelvin) * np.float32(_luma(own))
    on = light.on if light.on is not None else _is_on(light, owner, table, seed, lit_windows)
    return Choice(on, np.asarray(colour * np.float32(2**light.stops), np.float32))


def _is_on(
    light: Light, owner: int, table: LightTable, seed: int, lit_windows: float | None
) -> bool:
    drawn = unit(seed, _IS_ON, light.id)
    match group_of(light.kind):
        case "windows":
            low, high = table.windows_on if light.kind == "window" else (table.shops_on,) * 2
            share = low + (high - low) * unit(seed, _HOUSE, owner)
            return drawn < (share if lit_windows is None else lit_windows)
        case "cars":
            return unit(seed, _IS_ON, owner) < table.cars_on
        case "signs":
            return drawn < table.signs_on
        case _:
            return True


def _own_of(light: Light, owner: int, table: LightTable, seed: int) -> Float32:
    """The light that the preset gives it, (3,)."""
    match light.kind:
        case "window" | "shop":
            return _window(light, owner, table, seed)
        case "sign":
            return _by(table.signs_kelvin, unit(seed, _COLOUR, light.id), table.signs)
        case "front-lamp":
            return _by(table.cars_kelvin, unit(seed, _COLOUR, owner), table.cars)
        case "rear-lamp":
            return _REAR * np.float32(table.cars * 2**_REAR_STOPS / _luma(_REAR))
        case "traffic-light":
            colour = _TRAFFIC[int(len(_TRAFFIC) * unit(seed, _COLOUR, light.id))]
            return np.asarray(colour * np.float32(table.lamps * 2**_TRAFFIC_STOPS))
        case _:
            return _by(table.lamps_kelvin, unit(seed, _SHOT, 0), table.lamps)


def _window(light: Light, owner: int, table: LightTable, seed: int) -> Float32:
    """A house's windows are of about one colour, but for those behind which somebody else chose it."""
    is_own = unit(seed, _OTHER, light.id) < _OTHERS
    kelvin = _drawn(table.windows_kelvin, unit(seed, _COLOUR, light.id if is_own else owner))
    mired = 1e6 / kelvin + _OWN_MIRED * normal(seed, _COLOUR, light.id)
    stops = table.windows_spread * normal(seed, _STRENGTH, light.id)
    return kelvin_rgb(1e6 / max(mired, _LEAST_MIRED)) * np.float32(table.windows * 2**stops)


def _by(kelvins: Kelvins, at: float, strength: float) -> Float32:
    return kelvin_rgb(_drawn(kelvins, at)) * np.float32(strength)


def _luma(rgb: Float32) -> float:
    return float(rgb @ _LUMA)


def _drawn(kelvins: Kelvins, at: float) -> float:
    """The temperature that lies at a place, 0 to 1, of all by their shares."""
    left = at * sum(share for _, share in kelvins)
    for kelvin, share in kelvins:
        left -= share
        if left < 0:
            return kelvin
    return kelvins[-1][0]


def unit(seed: int, purpose: int, number: int) -> float:
    """A number from 0 to below 1 by a hash, the same on every machine."""
    h = (seed * 0x9E3779B1 ^ purpose * 0x85EBCA6B ^ number * 0xC2B2AE35) & 0xFFFFFFFF
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        h = ((h ^ h >> shift) * factor) & 0xFFFFFFFF
    return (h ^ h >> 16) / 2**32


def normal(seed: int, purpose: int, number: int) -> float:
    """A normal deviate by hashes, within ±3."""
    first, second = unit(seed, purpose, 2 * number), unit(seed, purpose + 16, 2 * number + 1)
    deviate = math.sqrt(-2 * math.log(max(first, 1e-9))) * math.cos(2 * math.pi * second)
    return min(max(deviate, -3.0), 3.0)
