"""What a person may have typed into a JSON file, checked value by value; each check raises ValueError with a word about it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from nightfx.errors import UsageError

T = TypeVar("T")

MOST_FRAME = 1 << 40
_MOST_BYTES = 256 << 20
_MOST_SAID = 60  # characters of a wrong value that an error tells


class Kind(NamedTuple):
    """A kind of file, as errors name it."""

    name: str
    """Such as "list of lights"."""
    way: str
    """Where such a file comes from: "`nightfx lights` writes one"."""


def read_typed(path: Path, kind: Kind, parse: Callable[[Any], T]) -> T:
    """What `parse` makes of the JSON of a file, refusing by ValueError. Raises `UsageError` that names file and way."""
    try:
        if not path.is_file():
            raise UsageError(f"{path}: is no file: {kind.way}")
        if path.stat().st_size > _MOST_BYTES:
            raise UsageError(f"{path}: more than {_MOST_BYTES >> 20} MiB is no {kind.name}")
        return parse(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is no {kind.name}: {kind.way}") from error
    except json.JSONDecodeError as error:
        words = f"is no {kind.name}: {kind.way} (no JSON: {error})"
        raise UsageError(f"{path}: {words}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: {error}") from error


def check_keys(data: Mapping[str, Any], known: Sequence[str]) -> None:
    """Refuse a key that is not `known`."""
    if unknown := sorted(set(data) - set(known)):
        raise ValueError(f"unknown key {said(unknown[0])}; known: {', '.join(known)}")


def list_of(value: Any, key: str, count: int | None = None) -> list[Any]:
    """A list, of so many."""
    if not isinstance(value, list) or (count is not None and len(value) != count):
        words = "a list" if count is None else f"a list of {count}"
        raise ValueError(f"{key} must be {words}")
    return value


def whole(value: Any, key: str, low: int = -MOST_FRAME, high: int = MOST_FRAME) -> int:
    """A whole number between both."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{key} must be a whole number, got {said(value)}")
    if not low <= value <= high:
        raise ValueError(f"{key} must be from {low} to {high}, got {said(value)}")
    return value


def truth(value: Any, key: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError(f"{key} must be true or false, got {said(value)}")
    return value


def number(value: Any, key: str, low: float, high: float) -> float:
    """A number between both."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not low <= value <= high:  # what is not finite lies nowhere
        raise ValueError(f"{key} must be a number from {low:g} to {high:g}, got {said(value)}")
    return float(value)


def said(value: Any) -> str:
    """A wrong value as the file has it, shortened."""
    text = json.dumps(value)
    return text if len(text) <= _MOST_SAID else f"{text[:_MOST_SAID]}…"
