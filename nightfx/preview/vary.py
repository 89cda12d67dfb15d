"""What varies on a sheet: numbers of the look and the light, or the preset, and the variants of a render that they make.

No torch is needed for it: a wrong value is said at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from nightfx.errors import UsageError
from nightfx.job.asked import check_options, complete_options
from nightfx.network import Preset, load_preset
from nightfx.options import FieldOptions, LightOptions, Look, RenderOptions, find_option
from nightfx.options.option import Option, options_in

PRESET = "to"
"""The name by which presets vary, that of their flag."""
MOST = 25
"""Renders on a sheet."""
_MOST_VARIED = 2  # a sheet has rows and columns
_LEAST_VALUES = 2
_OF_A_SHOT = frozenset(("steady",))  # one frame alone has no past

Vary = Mapping[str, Sequence[Any]]
"""Names of what varies, and their values."""


class Variant(NamedTuple):
    """One way in which a frame is rendered."""

    preset: Preset
    options: RenderOptions
    labels: tuple[str, ...] = ()
    """What is its own, such as exposure=-1."""

    def state_at(self, number: int) -> tuple[object, ...]:
        """All that decides its render of the frame of that number."""
        options = complete_options(self.options, self.preset)
        height = options.field.working_height or self.preset.facts.working_height_px
        return self.preset.folder, options.look.at(number), options.light, height


def vary_from(texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return what varies as it is typed, `exposure=-1,0,1` each; raises UsageError."""
    vary: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        if not equals:
            raise UsageError(f"--vary must be NAME=VALUE,VALUE, got {text!r}")
        if _key(name) in vary:
            raise UsageError(f"--vary {name} is given twice: write its values in one")
        vary[_key(name)] = tuple(values.split(","))
    return vary


def variants_of(preset: Preset, options: RenderOptions, vary: Vary | None) -> list[Variant]:
    """Return a variant for each value, or each pair of values, those of the second name beside each other; raises a `NightfxError`."""
    if vary and len(vary) > _MOST_VARIED:
        raise UsageError(f"--vary is given {len(vary)} times: a sheet has rows and columns, two")
    variants = [Variant(preset, options)]
    for name, values in (vary or {}).items():
        turns = _turns(_key(name), values)
        _check_count(len(variants) * len(turns))
        variants = [_turned(variant, turn) for variant in variants for turn in turns]
    for variant in variants:
        check_options(variant.options, variant.preset)
    return variants


def check_sheet(frames: int | None, vary: Vary | None, variants: int, *, scopes: bool) -> None:
    """Raise UsageError for what is not on one sheet with so many frames and variants."""
    if scopes and (frames or vary):
        raise UsageError("--scopes are of one render: leave out --frames and --vary")
    if frames and vary and len(vary) > 1:
        raise UsageError("--frames has room for one --vary: frames are rows, its values columns")
    _check_count((frames or 1) * variants)


def given_labels(given: Variant, vary: Vary, number: int) -> list[str]:
    """What a render that does not vary has for each name, at the frame of that number."""
    look = complete_options(given.options, given.preset).look
    said = look.at(number)._asdict() | {PRESET: given.preset.name}
    labels = []
    for name in map(_key, vary):
        value = said[name] if name in said else _said_beside(given.options, name)
        labels += [] if value is None else [_label(name, value)]
    return labels


def _said_beside(options: RenderOptions, key: str) -> float | None:
    """What options say besides the look; None leaves it to the preset."""
    group, one = find_option(key)
    value: float | None = getattr(getattr(options, group), one.name)
    return value


def _check_count(renders: int) -> None:
    if renders > MOST:
        raise UsageError(f"{renders} renders are too many for a sheet: at most {MOST}")


def _turns(name: str, values: Sequence[Any]) -> list[tuple[Option | None, Any]]:
    """The option of that name, None for the preset, with each of its values as it understands them."""
    one = None if name == PRESET else _number_named(name)
    if isinstance(values, str) or len(values) < _LEAST_VALUES:
        raise UsageError(f"--vary {_flag_name(name)} needs two values or more, such as 0,1")
    return [(one, _value(one, value) if one else _preset(value)) for value in values]


def _turned(variant: Variant, turn: tuple[Option | None, Any]) -> Variant:
    one, value = turn
    if one is None:
        labels = (*variant.labels, _label(PRESET, value.name))
        return variant._replace(preset=value, labels=labels)
    labels = (*variant.labels, _label(one.key, value))
    return variant._replace(options=variant.options.but(**{one.key: value}), labels=labels)


def _label(key: str, value: float | str) -> str:
    return f"{_flag_name(key)}={f'{value:g}' if isinstance(value, float) else value}"


def _preset(named: str | Path | Preset) -> Preset:
    return named if isinstance(named, Preset) else load_preset(named)


def _value(one: Option, given: Any) -> float:
    value: float | tuple[object, ...] | None = one.value(given)
    if value is None or isinstance(value, tuple):
        raise UsageError(f"--vary {_flag_name(one.key)} takes numbers, got {given!r}")
    return value


def _number_named(name: str) -> Option:
    """The option of that name; raises UsageError, which tells those that there are."""
    if name in _numbers():
        return _numbers()[name]
    known = [_flag_name(key) for key in (PRESET, *_numbers())]
    near = get_close_matches(_flag_name(name), known, 1)
    words = f"; near is {near[0]}" if near else ""
    raise UsageError(f"--vary {_flag_name(name)}: no such number{words}; known: {', '.join(known)}")


@cache
def _numbers() -> Mapping[str, Option]:
    """The options that vary, by their keys."""
    every = [one for x in (Look, LightOptions, FieldOptions) for one in options_in(x).values()]
    return {one.key: one for one in every if one.is_number and one.key not in _OF_A_SHOT}


def _key(name: str) -> str:
    return name.strip().lstrip("-").replace("-", "_")


def _flag_name(key: str) -> str:
    return key.replace("_", "-")
