"""The look: the few numbers that a user may turn, for a whole shot or keyframed; a preset has its own in `[look]`.

A value is a number, or keyframes: pairs of a frame and a number, straight lines between them, held outside. Frames
have the numbers of their files, and those of a clip count from 1001, whatever part is rendered. A preset knows no shot:
its own keyframes count from 0, the first frame that is rendered.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from nightfx.errors import PresetError, UsageError
from nightfx.options.option import option, options_in

_Keys = tuple[tuple[int, float], ...]
_Value = float | _Keys

_LEAST_KELVIN = 1000
_HOW = "a number, or frames with numbers such as 1001:0,1049:1"


class Moment(NamedTuple):
    """A look at one frame; the defaults change nothing."""

    strength: float = 1.0
    exposure: float = 0.0
    temperature: float = 0.0
    tint: float = 0.0
    saturation: float = 1.0
    black: float = 0.0
    sky: float = 0.0
    sky_level: float = 0.0
    sky_tint: float = 0.0
    glow: float = 0.0
    grain: float = 0.0
    lamps: float = 0.0
    windows: float = 0.0
    cars: float = 0.0
    signs: float = 0.0
    lamps_kelvin: float = 0.0
    windows_kelvin: float = 0.0
    cars_kelvin: float = 0.0
    signs_kelvin: float = 0.0
    street_light: float = 1.0


def value_from(text: str | float) -> _Value:
    """Return the value that a user wrote, `0.5` or `1001:0,1049:1`; raises ValueError."""
    if not isinstance(text, str) or ":" not in text:
        return float(text)
    pairs = (part.split(":") for part in text.split(","))
    return tuple((int(frame), float(number)) for frame, number in pairs)


def _number(help: str, low: float, high: float) -> Any:
    return option(None, help, limits=(low, high), words=_HOW, parse=value_from)


def _kelvin(lights: str) -> Any:
    return _number(f"Colour of {lights} in kelvin, 1000 to 20000; 0 is the preset's.", 0, 20000)


@dataclass(frozen=True)
class Look:
    """How a preset's light is changed; None is what the preset says, and where it says nothing, no change."""

    strength: _Value | None = _number("0 is the plate, 1 the preset with its look.", 0, 1)
    exposure: _Value | None = _number("Stops, -10 to 10.", -10, 10)
    temperature: _Value | None = _number(
        "Mired, as of gels: -140 (cool) to 300 (warm); a full CTO is 159, a full CTB -137.",
        -140,
        300,
    )
    tint: _Value | None = _number("Duv in thousandths, -50 (green) to 50 (magenta).", -50, 50)
    saturation: _Value | None = _number("0 is grey, 1 as it is, 4 at most.", 0, 4)
    black: _Value | None = _number("Where black comes to lie, -0.5 to 0.5; white stays.", -0.5, 0.5)
    sky: _Value | None = _number(
        "How much of a sky by day is replaced by that of the night, 0 to 1.", 0, 1
    )
    sky_level: _Value | None = _number(
        "Stops by which the night sky is brighter, -10 to 10.", -10, 10
    )
    sky_tint: _Value | None = _number(
        "Mired by which the night sky is warmer, -140 (cool) to 200 (warm).", -140, 200
    )
    glow: _Value | None = _number("Light that spreads around what is bright, 0 to 4.", 0, 4)
    grain: _Value | None = _number("Grain's standard deviation, white being 1; 0 to 0.5.", 0, 0.5)
    lamps: _Value | None = _number("Stops by which street lamps are brighter, -10 to 10.", -10, 10)
    windows: _Value | None = _number("Stops by which windows are brighter, -10 to 10.", -10, 10)
    cars: _Value | None = _number(
        "Stops by which the lamps of cars are brighter, -10 to 10.", -10, 10
    )
    signs: _Value | None = _number("Stops by which signs are brighter, -10 to 10.", -10, 10)
    lamps_kelvin: _Value | None = _kelvin("all street lamps")
    windows_kelvin: _Value | None = _kelvin("all windows")
    cars_kelvin: _Value | None = _kelvin("all head lamps")
    signs_kelvin: _Value | None = _kelvin("all signs")
    street_light: _Value | None = _number(
        "Light of lamps that are not in the picture, as a share of the preset's, 0 to 4.", 0, 4
    )

    def __post_init__(self) -> None:
        for name, one in options_in(Look).items():
            value = getattr(self, name)
            if value is None:
                continue
            object.__setattr__(self, name, one.value(value))
            _check_keys(one.flag, getattr(self, name))
            if name.endswith("_kelvin"):
                _check_kelvin(one.flag, getattr(self, name))

    def over(self, own: Look | None) -> Look:
        """This look, and where it says nothing that of a preset."""
        said = {name: x for name, x in vars(self).items() if x is not None}
        return replace(own, **said) if own else self

    def numbered_from(self, first: int) -> Look:
        """The same for a shot whose `first` rendered frame has that number: a preset's keyframes count from 0."""
        moved = {
            name: tuple((first + frame, number) for frame, number in value)
            for name, value in vars(self).items()
            if isinstance(value, tuple)
        }
        return replace(self, **moved)

    @property
    def is_keyed(self) -> bool:
        """Whether anything of it changes along the shot."""
        return any(isinstance(value, tuple) for value in vars(self).values())

    def check_frames(self, first: int) -> None:
        """Raise `UsageError` for keyframes that all lie before a shot, whose first frame has the number `first`."""
        for name, value in vars(self).items():
            if isinstance(value, tuple) and value[-1][0] < first:
                words = f"frames {value[0][0]}-{value[-1][0]} are before the first, {first}"
                flag = options_in(Look)[name].flag
                raise UsageError(
                    f"{flag}: {words}: a clip's count from 1001, others as their files"
                )

    def late_lines(self, last: int) -> Iterator[str]:
        """Yield a line for each keyframes that all lie after a shot, whose last frame has about the number `last`."""
        for name, value in vars(self).items():
            if isinstance(value, tuple) and value[0][0] > last + 1:
                words = f"frames {value[0][0]}-{value[-1][0]} are after the last, {last}"
                yield f"{options_in(Look)[name].flag}: {words}: it stays at {value[0][1]:g}"

    def at(self, frame: int) -> Moment:
        """The look at a frame, by its number."""
        said = {name: x for name, x in vars(self).items() if x is not None}
        return Moment(**{name: value_at(value, frame) for name, value in said.items()})

    def names(self, *names: str) -> list[str]:
        """Those of `names` that change something at some frame."""
        neutral = Moment()._asdict()
        return [name for name in names if not _is(getattr(self, name), neutral[name])]


def _is(value: _Value | None, neutral: float) -> bool:
    if isinstance(value, tuple):
        return all(number == neutral for _, number in value)
    return value is None or value == neutral


def value_at(value: _Value, frame: int) -> float:
    """The number at a frame."""
    if not isinstance(value, tuple):
        return float(value)
    after = bisect_right(value, frame, key=lambda key: key[0])
    if after in (0, len(value)):
        return float(value[min(after, len(value) - 1)][1])
    (start, low), (end, high) = value[after - 1 : after + 1]
    return float(low + (high - low) * (frame - start) / (end - start))


def _check_keys(flag: str, value: _Value) -> None:
    """Raise `UsageError` where keyframes do not rise from 0 on."""
    if not isinstance(value, tuple):
        return
    frames = [frame for frame, _ in value]
    if not frames:
        raise UsageError(f"{flag} must be {_HOW}, got {value!r}")
    if frames[0] < 0 or frames != sorted(set(frames)):
        raise UsageError(f"{flag} needs frames that rise from 0 on, got {frames}")


def _check_kelvin(flag: str, value: _Value) -> None:
    """Raise `UsageError` for a colour that no black body has, also between keyframes."""
    numbers = [number for _, number in value] if isinstance(value, tuple) else [value]
    low = [number for number in numbers if number < _LEAST_KELVIN]
    if any(low) or 0 < len(low) < len(numbers):
        said = f"{_LEAST_KELVIN} to 20000, or 0 alone for the preset's colours"
        raise UsageError(f"{flag} must be from {said}, got {', '.join(f'{x:g}' for x in numbers)}")


def read_look(table: Mapping[str, Any]) -> Look:
    """Return the look in `[look]` of a preset: numbers, texts as a user writes them, or lists of pairs; raises `PresetError`."""
    if unknown := set(table) - set(options_in(Look)):
        known = ", ".join(options_in(Look))
        raise PresetError(f"[look] has no {min(unknown)}; known: {known}; is nightfx too old?")
    try:
        return Look(**table)
    except UsageError as error:
        raise PresetError(f"[look] {str(error).removeprefix('--')}") from error
