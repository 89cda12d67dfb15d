"""One option: its type, default, limits, unit and words for people, written once and read by every door.

    speed: Speed = option("fast", "Effort of h264, h265 and av1.")

The command line makes its flags of it, `nightfx.toml` its keys, a manifest its fingerprint; Python sees a field of a
frozen dataclass. A value comes as Python has it, as TOML or JSON has it, or as text; it is checked in one place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from nightfx.errors import UsageError

WHOLE, NUMBER = re.compile(r"[+-]?[0-9]+"), re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_MOST_WHOLE = 1 << 53  # above it a whole number is none that a float holds


@dataclass(frozen=True)
class OptionFacts:
    """Facts of an option besides its type and its default."""

    help: str
    """A line for people."""
    key: str = ""
    """Its name in a flag and in nightfx.toml; empty for the field's own."""
    limits: tuple[float, float] | None = None
    """Least and most."""
    words: str = ""
    """The values it takes, for a message; empty where type and limits say it."""
    unit: str = ""
    """Its unit, for messages and help."""
    metavar: str = ""
    """Its value in a line of help, such as SECONDS; empty where type and unit say it."""
    parse: Callable[[Any], Any] | None = None
    """Reads a text or a number, where the type alone does not say how; raises ValueError."""
    changes_render: bool = True
    """Whether another value makes another render."""
    in_files: bool = True
    """Whether nightfx.toml may say it: a file from others names no place to write to, and lifts no limit."""
    no_files: tuple[str, ...] = ()
    """Words that name no file, where others do."""
    is_file: bool = False
    """Whether it names a file that is read: its path counts from the file that names it, and its content makes the render."""


@dataclass(frozen=True)
class Option:
    """One option as the doors see it."""

    name: str
    """The field's name in Python."""
    kind: Any
    """The field's type."""
    default: Any
    """Its value where nobody says any."""
    facts: OptionFacts

    @property
    def key(self) -> str:
        """The name in files."""
        return self.facts.key or self.name

    @property
    def flag(self) -> str:
        """The name on the command line; `from_` is --from there: Python keeps that word for itself."""
        return f"--{self.key.rstrip('_').replace('_', '-')}"

    @property
    def words(self) -> str:
        """The values that it takes, as people say it."""
        return self.facts.words or f"{_words(self.kind)}{_between(self.facts)}"

    @property
    def is_number(self) -> bool:
        """Whether what it takes is a number, and nothing else but none or keyframes."""
        return set(_kinds(self.kind)) in ({int}, {float})

    def value(self, given: Any) -> Any:
        """Return the value of what Python, a file or a shell has; raises UsageError."""
        try:
            value = self._converted(given)
        except (ValueError, TypeError, ZeroDivisionError, OverflowError) as error:
            raise UsageError(f"{self.flag} must be {self.words}, got {_told(given)}") from error
        self._check_limits(value, given)
        return value

    def _converted(self, given: Any) -> Any:
        from nightfx.disk import from_json_types

        if self.facts.parse and type(given) in (str, int, float):
            given = self.facts.parse(given)
        elif isinstance(given, str):
            given = _from_text(_kinds(self.kind), given)
        if type(given) is int and abs(given) > _MOST_WHOLE and int not in _kinds(self.kind):
            raise ValueError(given)
        given = str(given) if isinstance(given, Path | Fraction) else given
        return from_json_types(self.kind, given)

    def _check_limits(self, value: Any, given: Any) -> None:
        if value is None or self.facts.limits is None:
            return
        low, high = self.facts.limits
        numbers = [number for _, number in value] if isinstance(value, tuple) else [value]
        for number in numbers:
            if type(number) in (int, float) and not low <= number <= high:
                found = f"{number:g}" if isinstance(value, tuple) else given
                raise UsageError(f"{self.flag} must be{_between(self.facts)}, got {found}")


def option(default: Any, help: str, **facts: Any) -> Any:
    """Return a dataclass field that is an option; `facts` are those of `OptionFacts`."""
    return field(default=default, metadata={"option": OptionFacts(help, **facts)})


@cache
def options_in(group: type[Any]) -> Mapping[str, Option]:
    """Return the options of a dataclass by the field's name, in order."""
    hints = get_type_hints(group)
    told = ((one, one.metadata.get("option")) for one in fields(group))
    return {x.name: Option(x.name, hints[x.name], x.default, facts) for x, facts in told if facts}


def settle(group: Any) -> None:
    """Check every option of a frozen group, and give it its own type: lists become tuples, text paths. Raises UsageError."""
    for name, one in options_in(type(group)).items():  # type: ignore[arg-type]  # a class is hashable
        value = getattr(group, name)
        object.__setattr__(group, name, value if value is one.default else one.value(value))


def _told(given: Any) -> str:
    """Return a value for a message, shortened, and a number from a shell as one from a file."""
    is_number = isinstance(given, str) and NUMBER.fullmatch(given)
    return f"{given if is_number else repr(given):.80}"


def _from_text(kinds: list[Any], text: str) -> Any:
    """Return a number where one is asked for and the text is one."""
    choices = [choice for kind in kinds for choice in get_args(kind) if get_origin(kind) is Literal]
    if not text and Path in kinds:
        raise ValueError("no path")
    if text in choices or str in kinds or Path in kinds:
        return text
    if WHOLE.fullmatch(text) and (int in kinds or int in map(type, choices)):
        return int(text)
    if bool in kinds:
        return {"true": True, "false": False}.get(text.lower(), text)
    return float(text) if float in kinds else text


def _kinds(hint: Any) -> list[Any]:
    """Return the types of a union, None left out."""
    if get_origin(hint) is Literal or hint in (Path, Fraction, int, float, str, bool):
        return [hint]
    if get_origin(hint) is tuple or hint is NoneType:
        return []
    return [kind for each in get_args(hint) for kind in _kinds(each)]


def _words(hint: Any) -> str:
    names = {bool: "true or false", float: "a number", int: "a whole number", str: "text"}
    names |= {Path: "a path", Fraction: "a number such as 23.976 or 24000/1001"}
    return _either(word for kind in _kinds(hint) for word in _choices(kind) or [names[kind]])


def _choices(kind: Any) -> Iterator[str]:
    return [str(choice) for choice in get_args(kind)]  # type: ignore[return-value]


def _either(choices: Any) -> str:
    """Return `8, 10 or 12`."""
    *first, last = map(str, choices)
    return f"{', '.join(first)} or {last}" if first else last


def _between(facts: OptionFacts) -> str:
    if facts.limits is None:
        return ""
    low, high = facts.limits
    unit = f" {facts.unit}" if facts.unit else ""
    return f" from {low:g}{unit} up" if high == math.inf else f" from {low:g} to {high:g}{unit}"
