"""Everything that a render is asked for: one group of options a concern, and doors that name them all by their keys."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Self

from nightfx.errors import UsageError
from nightfx.options.encode import EncodeOptions
from nightfx.options.field import FieldOptions
from nightfx.options.job import JobOptions
from nightfx.options.light import LightOptions
from nightfx.options.look import Look
from nightfx.options.option import Option, options_in
from nightfx.options.source import SourceOptions

GROUPS: Mapping[str, type] = {
    "source": SourceOptions,
    "light": LightOptions,
    "field": FieldOptions,
    "look": Look,
    "encode": EncodeOptions,
    "job": JobOptions,
}


def _group(kind: type) -> Any:
    return dataclasses.field(default_factory=kind)


@dataclass(frozen=True)
class RenderOptions:
    """How to render; everything besides the input, the output and the preset.

    `RenderOptions.of(strength=0.5, end=2.0)` names options by their keys, as flags and nightfx.toml do.
    """

    source: SourceOptions = _group(SourceOptions)
    """Which part of the source is read, and what its files stand for."""
    light: LightOptions = _group(LightOptions)
    """How a frame is lit."""
    field: FieldOptions = _group(FieldOptions)
    """How the relight fields of a shot come to be."""
    look: Look = _group(Look)
    """The look; what it leaves out is as the preset says."""
    encode: EncodeOptions = _group(EncodeOptions)
    """Codec and quality; by default they follow the source."""
    job: JobOptions = _group(JobOptions)
    """Whether outputs are replaced and checked, and what is written beside the render."""

    def __post_init__(self) -> None:
        if self.source.interlaced == "keep" and self.job.passes:
            raise UsageError("--passes are for whole frames: leave out --interlaced keep")
        for flag, matte in (("--matte", self.light.matte), ("--sky-matte", self.light.sky_matte)):
            if self.source.interlaced == "keep" and matte:
                raise UsageError(f"{flag} is for whole frames: leave out --interlaced keep")

    @classmethod
    def of(cls, **given: Any) -> Self:
        """Return options by their keys or names, as Python, a file or a shell has them; raises UsageError."""
        return cls().but(**given)

    def but(self, **given: Any) -> Self:
        """Return these options with others in place of some, named as `of` names them; raises UsageError."""
        changed: dict[str, dict[str, Any]] = {}
        whole = {
            name: given.pop(name) for name in GROUPS if isinstance(given.get(name), GROUPS[name])
        }
        for key, value in given.items():
            group, one = find_option(key)
            changed.setdefault(group, {})[one.name] = one.value(value)
        groups = {name: whole.get(name, getattr(self, name)) for name in {*whole, *changed}}
        return replace(
            self, **{name: replace(x, **changed.get(name, {})) for name, x in groups.items()}
        )

    def told(self) -> Iterator[tuple[Option, Any]]:
        """Yield every option and its value."""
        for name, group in GROUPS.items():
            for one in options_in(group).values():
                yield one, getattr(getattr(self, name), one.name)

    def files(self) -> dict[str, Path | str]:
        """Return the files that are read for a render, by the option's name."""
        return {
            one.name: value
            for one, value in self.told()
            if one.facts.is_file and value and value not in one.facts.no_files
        }

    def fingerprint(self) -> dict[str, Any]:
        """Return what makes a render another than that of the defaults, as JSON has it, by the option's key."""
        told = ((one, value) for one, value in self.told() if one.facts.changes_render)
        return {one.key: _plain(value) for one, value in told if value != one.default}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value if isinstance(value, bool | int | float | str | None) else str(value)


@cache
def all_options() -> Mapping[str, tuple[str, Option]]:
    """Return each option and the name of its group, by its key."""
    return {
        one.key: (name, one) for name, group in GROUPS.items() for one in options_in(group).values()
    }


@cache
def _by_name() -> Mapping[str, tuple[str, Option]]:
    return {one.name: (name, one) for name, one in all_options().values()}


def find_option(key: str) -> tuple[str, Option]:
    """Return the group and the option of a key or a name; raises UsageError for one that is not known."""
    found = all_options().get(key) or _by_name().get(key)
    if found is None:
        known = ", ".join(sorted(all_options()))
        raise UsageError(f"unknown option {key!r}; known: {known}")
    return found
