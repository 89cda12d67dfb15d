"""ShotSettings of shots: what the command line says for all, and a `nightfx.toml` for the shots in and below its folder.

The keys are the flags of `nightfx render`. The nearest file wins, key by key, and over the command line. A table
named by a glob speaks for the shots of these names alone:

    strength = 0.8
    ["sh02*"]
    to = "day"

Such a file may come from others: it cannot name a place to write to, nor lift a limit.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from nightfx.batch.shots.find import Shot
from nightfx.errors import UsageError
from nightfx.network import Preset, load_preset
from nightfx.options import RenderOptions, all_options, find_option

_FILE = "nightfx.toml"
_MOST_BYTES = 1 << 16
_OF_ONE_SHOT = {"frames"}  # numbers of files, which no folder of shots shares


@dataclass(frozen=True)
class ShotSettings:
    """How one shot is rendered."""

    to: str
    """The preset, as `load_preset` takes it."""
    flags: Mapping[str, Any]
    """All that is said of a render, by the names of the flags, as JSON could hold it."""
    options: RenderOptions
    """The same, checked."""


def settings_of(shot: Shot, root: Path, common: Mapping[str, Any]) -> ShotSettings:
    """Return the settings of a shot: `common` flags, then the files from `root` down to it, then its own; raises UsageError."""
    said = dict(common)
    for file in _files(shot.source.parent, root):
        said |= _said_in(file, shot)
    said |= shot.flags
    flags = {key: value for key, value in said.items() if value is not None}
    to = str(flags.pop("to", "night"))
    if "passes" in flags:  # renders of one name in two folders have passes of one name
        flags["passes"] = str(Path(flags["passes"]).absolute() / shot.folder)
    try:
        return ShotSettings(to, flags, RenderOptions.of(**flags))
    except UsageError as error:
        raise UsageError(f"{shot.key}: {error}") from error


def presets_of(settings: list[ShotSettings]) -> dict[str, Preset]:
    """The presets that are named, each loaded once; raises PresetError."""
    return {to: load_preset(to) for to in sorted({each.to for each in settings})}


def _files(folder: Path, root: Path) -> list[Path]:
    """The files that speak for a folder, the nearest last."""
    inside = folder.is_relative_to(root)
    levels = [folder, *folder.parents][: len(folder.relative_to(root).parts) + 1 if inside else 0]
    return [path / _FILE for path in reversed(levels) if (path / _FILE).is_file()]


def _said_in(file: Path, shot: Shot) -> dict[str, Any]:
    table = _read(file, file.stat().st_mtime_ns)
    said = {key: value for key, value in table.items() if not isinstance(value, dict)}
    for glob, more in table.items():
        if isinstance(more, dict) and fnmatchcase(shot.source.name, glob):
            said |= more
    return said


@cache
def _read(file: Path, mtime_ns: int) -> dict[str, Any]:
    """Return the table of a file as it was then; read once for all shots."""
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise UsageError(f"{file}: is over {_MOST_BYTES >> 10} KiB: no settings are")
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{file}: cannot be read: {error}") from error
    return {
        key if isinstance(value, dict) else _name(file, key): _checked(file, key, value)
        for key, value in table.items()
    }


def _checked(file: Path, key: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {_name(file, k): _checked_value(file, _name(file, k), v) for k, v in value.items()}
    return _checked_value(file, _name(file, key), value)


def _name(file: Path, key: str) -> str:
    name = key.replace("-", "_")
    if name == "to":
        return name
    known = {name: one.facts.in_files for name, (_, one) in all_options().items()}
    if name in known and not known[name]:
        raise UsageError(f"{file}: {key} is for the command line alone")
    allowed = sorted({"to", *(name for name in known if known[name])} - _OF_ONE_SHOT)
    if name not in allowed:
        raise UsageError(f"{file}: unknown key {key!r}; known: {', '.join(allowed)}")
    return name


def _checked_value(file: Path, key: str, value: Any) -> Any:
    if key == "to":
        return _checked_preset(file, value)
    one = find_option(key)[1]
    try:
        one.value(value)
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from error
    if one.facts.is_file and "://" not in value:
        return str(file.parent / value)
    return value


def _checked_preset(file: Path, value: Any) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{file}: to must be text, got {value!r}")
    beside = file.parent / value
    return str(beside) if (beside / "preset.toml").is_file() else value
