"""Settings of shots: what the command line says for all, and a `nightfx.toml` for the shots in and below its folder.

The keys are the flags of `nightfx render`. The nearest file wins, key by key, and over the command line. A table
named by a glob speaks for the shots of these names alone:

    strength = 0.8
    ["sh02*"]
    to = "day"

Such a file may come from others: it cannot name a place to write to, nor lift a limit.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from nightfx.batch.shots.find import Shot
from nightfx.errors import UsageError
from nightfx.network.presets import Preset, load_preset
from nightfx.options.look import LIMITS, Look, Value, check_value, value_from
from nightfx.options.render import RenderOptions
from nightfx.source.sequence import rate_from
from nightfx.target.codecs import EncodeOptions

FILE = "nightfx.toml"
MOST_BYTES = 1 << 16
MOST = 1 << 53  # of whole numbers that are numbers too
APART = (
    "encode",
    "look",
    "frames",
)  # the first two are flags of their own, the last is of one shot
SHORT = {"start_seconds": "start", "end_seconds": "end"}
# they write, or are for the one who started the batch to say
NOT_IN_FILES = {"passes", "overwrite", "fresh", "max_pixels", "device"}
FILES = ("lock_to", "matte", "ocio")  # named beside the file that names them


@dataclass(frozen=True)
class Settings:
    """How one shot is rendered."""

    to: str
    """The preset, as `load_preset` takes it."""
    flags: Mapping[str, Any]
    """What is said of a render, by the names of the flags, as JSON could hold it."""
    options: RenderOptions
    """The same, checked."""


def settings_of(shot: Shot, root: Path, common: Mapping[str, Any]) -> Settings:
    """What counts for a shot: `common` flags, the files from `root` down to it, and its own; raises UsageError."""
    said = dict(common)
    for file in _files(shot.source.parent, root):
        said |= _said_in(file, shot)
    said |= shot.flags
    flags = {key: value for key, value in said.items() if value is not None}
    to = str(flags.pop("to", "night"))
    try:
        return Settings(to, flags, options_from(flags))
    except UsageError as error:
        raise UsageError(f"{shot.key}: {error}") from error


def presets_of(settings: list[Settings]) -> dict[str, Preset]:
    """The presets that are named, each loaded once; raises PresetError."""
    return {to: load_preset(to) for to in sorted({each.to for each in settings})}


@cache
def known_flags() -> dict[str, Any]:
    """The flags of a render, by name, with the types of their values."""
    found: dict[str, Any] = (
        {"to": str} | get_type_hints(RenderOptions) | get_type_hints(EncodeOptions)
    )
    found |= dict.fromkeys(LIMITS, Value)
    return {SHORT.get(key, key): kind for key, kind in found.items() if key not in APART}


def options_from(flags: Mapping[str, Any]) -> RenderOptions:
    """Options of these flags, as a file or a shell has them; raises UsageError with the flag and the value."""
    if strange := flags.keys() - known_flags():
        raise UsageError(f"--{min(strange).replace('_', '-')} is not for many shots: leave it out")
    values = {key: _value(key, value) for key, value in flags.items()}
    long = {short: name for name, short in SHORT.items()}
    encode = {f.name: values.pop(f.name) for f in fields(EncodeOptions) if f.name in values}
    look = {name: values.pop(name) for name in LIMITS if name in values and name != "strength"}
    values = {long.get(key, key): value for key, value in values.items()}
    return RenderOptions(**values, look=Look(**look), encode=EncodeOptions(**encode))


def _files(folder: Path, root: Path) -> list[Path]:
    """The files that speak for a folder, the nearest last."""
    inside = folder.is_relative_to(root)
    levels = [folder, *folder.parents][: len(folder.relative_to(root).parts) + 1 if inside else 0]
    return [path / FILE for path in reversed(levels) if (path / FILE).is_file()]


def _said_in(file: Path, shot: Shot) -> dict[str, Any]:
    table = _read(file, file.stat().st_mtime_ns)
    said = {key: value for key, value in table.items() if not isinstance(value, dict)}
    for glob, more in table.items():
        if isinstance(more, dict) and fnmatchcase(shot.source.name, glob):
            said |= more
    return said


@cache
def _read(file: Path, mtime_ns: int) -> dict[str, Any]:
    """What a file says, as it was then; read once for all shots."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise UsageError(f"{file}: is over {MOST_BYTES >> 10} KiB: no settings are")
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
    allowed = sorted(known_flags().keys() - NOT_IN_FILES)
    if name in NOT_IN_FILES:
        raise UsageError(f"{file}: {key} is for the command line alone")
    if name not in allowed:
        raise UsageError(f"{file}: unknown key {key!r}; known: {', '.join(allowed)}")
    return name


def _checked_value(file: Path, key: str, value: Any) -> Any:
    try:
        _value(key, value)
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from error
    if key in FILES and "://" not in value:
        return str(file.parent / value)
    if key == "to" and (file.parent / value / "preset.toml").is_file():
        return str(file.parent / value)
    return value


def _value(key: str, value: Any) -> Any:
    hint = known_flags()[key]
    if key in LIMITS:
        found = value_from(key, value) if isinstance(value, str) else value
        check_value(key, found)
        return found
    for kind in _kinds(hint):
        found = _as(kind, value)
        if found is not None:
            return found
    raise UsageError(f"{key.replace('_', '-')} must be {_words(hint)}, got {value!r}")


def _kinds(hint: Any) -> Iterator[Any]:
    if hint is NoneType:
        return
    if get_origin(hint) is Literal or not get_args(hint):
        yield hint
        return
    for each in get_args(hint):
        yield from _kinds(each)


def _as(kind: Any, value: Any) -> Any:
    """The value as one of this kind; None where it is not one."""
    if get_origin(kind) is Literal:
        whole = int(value) if isinstance(value, str) and value.isdecimal() else value
        return next((x for x in get_args(kind) if type(x) is type(whole) and x == whole), None)
    if kind is Fraction:
        return _rate(value)
    if kind is Path:
        return Path(value) if isinstance(value, str | Path) and str(value) else None
    if kind is int and isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value)
    if kind is float and type(value) is int and abs(value) <= MOST:
        return float(value)
    return value if type(value) is kind else None


def _rate(value: Any) -> Fraction | None:
    if isinstance(value, Fraction):
        return value
    if type(value) not in (int, float, str):
        return None
    try:
        return rate_from(Fraction(value) if "/" in str(value) else float(value))
    except (ValueError, ZeroDivisionError, OverflowError):
        return None


def _words(hint: Any) -> str:
    names = {bool: "true or false", float: "a number", int: "a whole number", str: "text"}
    names |= {Path: "a path", Fraction: "a number such as 23.976 or 24000/1001"}
    words = []
    for kind in _kinds(hint):
        words += [str(x) for x in get_args(kind)] if get_args(kind) else [names[kind]]
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
