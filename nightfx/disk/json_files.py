"""Dataclasses as JSON and back, checked by their own type hints: files of a job come from disks that others write to."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from nightfx.disk.partial import partial_file

T = TypeVar("T")
SCALARS = (bool, int, float, str, NoneType)


def save_plain(value: Any, path: Path, folder: Path | None = None) -> None:
    """Write a dataclass as JSON; the name stands for a complete file, on the disk. Raises as `partial_file`."""
    text = json.dumps(asdict(value), default=str, indent=1)
    with partial_file(path, folder) as part:
        part.write_text(text + "\n", "utf-8")


def load_plain(kind: type[T], path: Path) -> T:
    """Read what `save_plain` wrote. Raises ValueError for what is none, OSError for what cannot be read."""
    try:
        found: T = to_kind(kind, json.loads(path.read_text("utf-8")))
    except (TypeError, KeyError, ZeroDivisionError, RecursionError) as error:
        raise ValueError(f"{path}: {error}") from error
    return found


def to_plain(value: Any) -> Any:
    """What JSON makes of a dataclass, when it has been written and read."""
    return json.loads(json.dumps(asdict(value), default=str))


def to_kind(kind: Any, value: Any) -> Any:
    """A value of JSON as the type that a hint names. Raises ValueError, TypeError or KeyError."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any or (origin is Literal and value in inner):
        return value
    if origin in (Union, UnionType):
        return _to_one_of(inner, value)
    if is_dataclass(kind) and isinstance(value, dict):
        hints = _hints(kind)  # type: ignore[arg-type]  # a class
        names = {field.name for field in fields(kind)} & set(value)
        return kind(**{name: to_kind(hints[name], value[name]) for name in names})  # type: ignore[operator]  # a class
    if isinstance(value, list) and origin is tuple and inner[-1] is not Ellipsis:
        return tuple(to_kind(k, v) for k, v in zip(inner, value, strict=True))
    if isinstance(value, list) and origin in (tuple, list, Sequence):
        found = [to_kind(inner[0], v) for v in value]
        return tuple(found) if origin is tuple else found
    if isinstance(value, dict) and origin in (dict, Mapping):
        return {key: to_kind(inner[1], v) for key, v in value.items()}
    if kind in (Path, Fraction) and isinstance(value, str):
        return kind(value)
    if kind is float and type(value) is int:
        return float(value)
    if kind in SCALARS and type(value) is kind:
        return value
    raise ValueError(f"{value!r:.60} is no {kind}")


@cache
def _hints(kind: Hashable) -> dict[str, Any]:
    return get_type_hints(kind)


def _to_one_of(kinds: Sequence[Any], value: Any) -> Any:
    for kind in kinds:
        try:
            return to_kind(kind, value)
        except (ValueError, TypeError, KeyError):
            continue
    raise ValueError(f"{value!r:.60} is none of {kinds}")
