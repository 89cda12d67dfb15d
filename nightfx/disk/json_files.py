"""Dataclasses as JSON and back, checked by their own type hints: files of a job come from disks that others write to."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from nightfx.disk.partial import partial_file

T = TypeVar("T")


def save_json(value: Any, path: Path, folder: Path | None = None) -> None:
    """Write a dataclass as JSON; the name stands for a complete file, on the disk. Raises as `partial_file`."""
    with partial_file(path, folder) as part:
        part.write_text(to_line(value, indent=1) + "\n", "utf-8")


def load_json(kind: type[T], path: Path) -> T:
    """Read what `save_json` wrote. Raises ValueError for what is none, OSError for what cannot be read."""
    try:
        return _from_line(kind, path.read_text("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: is no text") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def to_line(value: Any, indent: int | None = None) -> str:
    """Give the JSON of a value, with paths and fractions as texts; one line without an `indent`."""
    # not msgspec's own text: names of files may hold what UTF-8 does not
    return json.dumps(msgspec.to_builtins(value, enc_hook=_to_text), indent=indent)


def _from_line(kind: type[T], text: str) -> T:
    """Read what `to_line` gave. Raises ValueError for what is none."""
    try:
        return from_json_types(kind, json.loads(text))
    except RecursionError as error:
        raise ValueError(str(error)) from error


def to_json_types(value: Any) -> Any:
    """Give a value as it is when it has been written as JSON and read."""
    return json.loads(to_line(value))


def from_json_types(kind: type[T], value: Any) -> T:
    """Give what was read from JSON or TOML as a `kind`; keys that it does not know are left out. Raises ValueError."""
    try:
        return msgspec.convert(value, kind, dec_hook=_from_text)
    except msgspec.ValidationError as error:
        words, _, place = str(error).replace("`", "").partition(" - at $.")
        raise ValueError(f"{place}: {words}" if place else words) from error


def _to_text(value: Any) -> str:
    if isinstance(value, Path | Fraction):
        return str(value)
    raise TypeError(f"{value!r:.60} has no place in JSON")


def _from_text(kind: type[Any], value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.60} is no {kind.__name__}")
    try:
        return kind(value)
    except ZeroDivisionError as error:
        raise ValueError(f"{value!r:.60} is no {kind.__name__}") from error
