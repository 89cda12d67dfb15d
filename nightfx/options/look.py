"""The look: the few numbers that a user may turn, for a whole shot or keyframed; a preset has its own in `[look]`.

A value is a number, or keyframes: pairs of a frame and a number, straight lines between them, held outside. Frames
count from 0, the first one that is rendered.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

from nightfx.errors import PresetError, UsageError

Keys = tuple[tuple[int, float], ...]
Value = float | Keys

LIMITS: dict[str, tuple[float, float]] = {
    "strength": (0, 1),
    "exposure": (-10, 10),
    "temperature": (-120, 300),
    "tint": (-50, 50),
    "saturation": (0, 4),
    "black": (-0.5, 0.5),
    "sky": (0, 1),
    "glow": (0, 4),
    "grain": (0, 0.5),
}
HOW = "a number, or frames with numbers such as 0:0,48:1"


class Moment(NamedTuple):
    """A look at one frame; the defaults change nothing."""

    strength: float = 1.0
    exposure: float = 0.0
    temperature: float = 0.0
    tint: float = 0.0
    saturation: float = 1.0
    black: float = 0.0
    sky: float = 0.0
    glow: float = 0.0
    grain: float = 0.0


@dataclass(frozen=True)
class Look:
    """What is done to a preset's light; None is what the preset says, and where it says nothing, no change."""

    strength: Value | None = None
    """Dissolves between the plate, 0, and the whole of the look, 1."""
    exposure: Value | None = None
    """Stops of light, -10 to 10."""
    temperature: Value | None = None
    """Mired, as gels are counted, -120 (cool) to 300 (warm); a full CTO is 159, a full CTB -137."""
    tint: Value | None = None
    """Thousandths of distance from the colours of black bodies (Duv), -50 (green) to 50 (magenta)."""
    saturation: Value | None = None
    """0 is grey, 1 as it is, 4 at most."""
    black: Value | None = None
    """Where black comes to lie, of a white that stays at 1; -0.5 to 0.5."""
    sky: Value | None = None
    """How much of a sky by day becomes a sky by night, 0 to 1. For relight only."""
    glow: Value | None = None
    """How much light what is bright spreads around it, 0 to 4."""
    grain: Value | None = None
    """Standard deviation of grain where it is strongest, of white at 1; 0 to 0.5."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                check_value(field.name, value)

    def over(self, own: Look | None) -> Look:
        """This look, and where it says nothing that of a preset."""
        said = {name: x for name, x in vars(self).items() if x is not None}
        return replace(own, **said) if own else self

    def at(self, frame: int) -> Moment:
        """The look at a frame, counted from the first one rendered."""
        said = {name: x for name, x in vars(self).items() if x is not None}
        return Moment(**{name: value_at(value, frame) for name, value in said.items()})

    def names(self, *names: str) -> list[str]:
        """Those of `names` that change something at some frame."""
        neutral = Moment()._asdict()
        return [name for name in names if not _is(getattr(self, name), neutral[name])]


def _is(value: Value | None, neutral: float) -> bool:
    if isinstance(value, tuple):
        return all(number == neutral for _, number in value)
    return value is None or value == neutral


def value_at(value: Value, frame: int) -> float:
    """The number at a frame."""
    if not isinstance(value, tuple):
        return float(value)
    after = bisect_right(value, frame, key=lambda key: key[0])
    if after in (0, len(value)):
        return float(value[min(after, len(value) - 1)][1])
    (start, low), (end, high) = value[after - 1 : after + 1]
    return float(low + (high - low) * (frame - start) / (end - start))


def check_value(name: str, value: Any) -> None:
    """Raises `UsageError` for what is no value of the look's number `name`, or outside its limits."""
    keys = value if isinstance(value, tuple) else ((0, value),)
    if not keys or not all(_is_key(key) for key in keys):
        raise UsageError(f"--{name} must be {HOW}, got {value!r}")
    frames = [frame for frame, _ in keys]
    if frames[0] < 0 or frames != sorted(set(frames)):
        raise UsageError(f"--{name} needs frames that rise from 0 on, got {frames}")
    low, high = LIMITS[name]
    for _, number in keys:
        if not low <= number <= high:
            raise UsageError(f"--{name} must be from {low:g} to {high:g}, got {number}")


def _is_key(key: Any) -> bool:
    pair = isinstance(key, tuple) and len(key) == 2
    return pair and type(key[0]) is int and type(key[1]) in (int, float)


def value_from(name: str, text: str) -> Value:
    """The value that a user wrote, `0.5` or `0:0,48:1`; raises `UsageError`."""
    try:
        if ":" not in text:
            return float(text)
        pairs = (part.split(":") for part in text.split(","))
        return tuple((int(frame), float(number)) for frame, number in pairs)
    except ValueError as error:
        raise UsageError(f"--{name} must be {HOW}, got {text!r}") from error


def read_look(table: Mapping[str, Any]) -> Look:
    """The look in `[look]` of a preset: numbers, texts as a user writes them, or lists of pairs; raises `PresetError`."""
    if unknown := set(table) - set(LIMITS):
        known = ", ".join(LIMITS)
        raise PresetError(f"[look] has no {min(unknown)}; known: {known}; is nightfx too old?")
    try:
        return Look(**{name: _from_toml(name, value) for name, value in table.items()})
    except UsageError as error:
        raise PresetError(f"[look] {str(error).removeprefix('--')}") from error


def _from_toml(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return value_from(name, value)
    if isinstance(value, list):
        return tuple(tuple(key) if isinstance(key, list) else key for key in value)
    return value
