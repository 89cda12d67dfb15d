"""Settings of shots: what the command line says for all, and a `nightfx.toml` for the shots in and below its folder.

The keys are the flags of `nightfx render`. The nearest file wins, key by key, and over the command line, which speaks
for all shots; that wins over the user's own config.toml. A table named by a glob speaks for the shots of these names alone:

    strength = 0.8
    ["sh02*"]
    to = "day"

Such a file may come from others: it cannot name a place to write to, nor lift a limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from nightfx.batch.shots.find import Shot
from nightfx.errors import UsageError
from nightfx.network import Preset, load_preset
from nightfx.options import RenderOptions, read_settings

_FILE = "nightfx.toml"


@dataclass(frozen=True)
class ShotSettings:
    """How one shot is rendered."""

    to: str
    """The preset, as `load_preset` takes it."""
    flags: Mapping[str, Any]
    """All that is said of a render, by the names of the flags, as JSON could hold it."""
    options: RenderOptions
    """The same, checked."""


def settings_of(
    shot: Shot, root: Path, common: Mapping[str, Any], own: Mapping[str, Any] | None = None
) -> ShotSettings:
    """Return the settings of a shot: the user's `own`, over them `common` flags, the files from `root` down to it, and its own.

    Raises UsageError.
    """
    said = {**(own or {}), **common}
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
    return read_settings(file)
