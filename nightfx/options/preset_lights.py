"""The lights of a preset, as `[lights]` of preset.toml has them: colours, strengths and shares of what is on."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from nightfx.errors import PresetError

Kelvins = tuple[tuple[float, float], ...]
"""Colours as temperatures, each with its share."""
_KELVIN = 1000.0, 20000.0


@dataclass(frozen=True)
class LightTable:
    """How lamps shine in a preset; strengths are light where a lamp's own surface is seen, 1 being white."""

    windows: float = 0.4
    windows_spread: float = 0.9
    """Standard deviation of their strength, in stops."""
    windows_kelvin: Kelvins = ((2400, 0.2), (2700, 0.35), (3000, 0.25), (3500, 0.12), (6500, 0.08))
    windows_on: tuple[float, float] = (0.3, 0.6)
    """The least and the most that is lit of a house."""
    shops_on: float = 0.95
    lamps: float = 8.0
    lamps_kelvin: Kelvins = ((2200, 0.4), (3000, 0.4), (4000, 0.2))
    """One for all of a shot."""
    cars: float = 5.0
    cars_kelvin: Kelvins = ((4300, 0.6), (5600, 0.4))
    cars_on: float = 0.8
    signs: float = 0.25
    signs_kelvin: Kelvins = ((4000, 0.3), (5500, 0.4), (7500, 0.3))
    signs_on: float = 0.85
    street: float = 0.5
    """Light of lamps outside the picture, near the ground."""
    street_kelvin: float = 3000.0
    ambient: float = 0.4
    """What is left of the preset's own light where no lamp shines."""
    even: float = 0.5
    """How far sunlit and shaded surfaces come together, 0 to 1."""
    shed: float = 1.0
    """How much of what lamps emit lights what is around them."""
    pools: float = 0.1
    """How much of a street lamp's own light the ground right below it has; the beams of head lamps follow."""
    glare: float = 0.8
    """How much of it the lens spreads."""


def check_lights(table: LightTable) -> None:
    """Raise `PresetError` for lights that cannot be."""
    for one in fields(LightTable):
        value = getattr(table, one.name)
        if one.name.endswith("_kelvin") and isinstance(value, tuple):
            _check_kelvins(one.name, value)
        elif one.name == "street_kelvin":
            _check_number(one.name, value, *_KELVIN)
        elif one.name == "windows_on":
            low, high = value
            _check_number(one.name, low, 0, 1)
            _check_number(one.name, high, low, 1)
        else:
            most = 1.0 if one.name.endswith("_on") or one.name in ("even", "ambient") else 100.0
            _check_number(one.name, value, 0, most)


def _check_kelvins(name: str, kelvins: Kelvins) -> None:
    if not kelvins or not sum(share for _, share in kelvins) > 0:
        raise PresetError(f"[lights] {name} needs pairs of kelvin and share, got {list(kelvins)}")
    for kelvin, share in kelvins:
        _check_number(name, kelvin, *_KELVIN)
        _check_number(name, share, 0, 1e6)


def _check_number(name: str, value: float, low: float, high: float) -> None:
    if not math.isfinite(value) or not low <= value <= high:
        raise PresetError(f"[lights] {name} must be from {low:g} to {high:g}, got {value:g}")
