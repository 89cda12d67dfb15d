"""What a page turns, told from the model of options: names, units, limits, help and the values of a preset."""

from __future__ import annotations

from typing import Any

from nightfx.network import Preset, list_presets
from nightfx.options import LightOptions, Look, Moment, RenderOptions, find_option
from nightfx.options.option import Option, options_in
from nightfx.studio.state import LOOK

_GROUPS = {
    "Light": ("strength", "exposure", "temperature", "tint", "saturation", "black"),
    "Sky": ("sky", "sky_level", "sky_tint"),
    "Lens and film": ("glow", "grain"),
    "Lamps": ("lamps", "lamps_kelvin", "street_light"),
    "Windows": ("windows", "windows_kelvin", "lit_windows", "light_seed"),
    "Cars": ("cars", "cars_kelvin"),
    "Signs": ("signs", "signs_kelvin"),
}
_UNITS = {"exposure": "stops", "temperature": "mired", "tint": "10⁻³ Duv", "sky_level": "stops"}
_UNITS |= {"sky_tint": "mired", "lamps": "stops", "windows": "stops", "cars": "stops"}
_UNITS |= {"signs": "stops"} | {f"{x}_kelvin": "K" for x in ("lamps", "windows", "cars", "signs")}
_STEPS = {"K": 50.0, "stops": 0.05, "mired": 1.0, "10⁻³ Duv": 0.5}
_MOST_SEED = 100


def controls() -> list[dict[str, Any]]:
    """The groups of sliders, in order; each number of the look is in one."""
    grouped = {key for keys in _GROUPS.values() for key in keys}
    assert grouped == set(LOOK), "each number has its place on the page"
    return [
        {"name": name, "sliders": [_slider(find_option(key)[1]) for key in keys]}
        for name, keys in _GROUPS.items()
    ]


def _slider(one: Option) -> dict[str, Any]:
    low, high = one.facts.limits or (0, _MOST_SEED)
    unit = _UNITS.get(one.key, "")
    step = 1 if one.key == "light_seed" else _STEPS.get(unit, 0.01 if high <= 4 else 0.1)
    return {
        "key": one.key,
        "label": one.key.replace("_", " "),
        "unit": unit,
        "limits": [low, high],
        "step": step,
        "help": one.facts.help,
        "keyed": one.key in options_in(Look),
    }


def values_at(options: RenderOptions, preset: Preset, number: int) -> dict[str, float | None]:
    """The values of what a page turns at a frame, by complete `options`; None where a preset draws them."""
    moment = options.look.at(number)._asdict()
    light = {key: getattr(options.light, key) for key in options_in(LightOptions) if key in LOOK}
    return {key: light[key] if key in light else moment[key] for key in LOOK}


def neutral() -> dict[str, float]:
    """The values that change nothing."""
    return {key: value for key, value in Moment()._asdict().items() if key in options_in(Look)}


def presets_told() -> list[dict[str, Any]]:
    """The presets that there are, as a page shows them."""
    return [
        {"name": x.name, "description": x.facts.description, "plate": x.facts.plate}
        for x in list_presets()
    ]
