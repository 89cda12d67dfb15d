"""The night sky of a preset, `[sky]` of preset.toml, which a user turns by `--sky-level` and `--sky-tint`; and its `[moonlight]`, where nothing shows a town."""

from __future__ import annotations

from dataclasses import dataclass

from nightfx.errors import PresetError

_MOST_CLOUDS = 0.8  # with more a dark cloud would fall below black


@dataclass(frozen=True)
class NightSky:
    """What is seen through the matte of the sky, before the look's exposure and white balance."""

    overhead: tuple[float, float, float] = (0.047, 0.07, 0.104)
    """Red, green and blue of the sky overhead, in the working encoding."""
    glow: tuple[float, float, float] = (0.098, 0.075, 0.049)
    """What the lights of the town add to that at the horizon."""
    clouds: float = 0.7
    """How much of the contrast of the plate's own sky is left."""


def check_sky(sky: NightSky, table: str = "sky") -> None:
    """Raise `PresetError` for a sky that cannot be, by the name of its table."""
    for name, colour in (("overhead", sky.overhead), ("glow", sky.glow)):
        if not all(0 <= value <= 1 for value in colour):
            raise PresetError(
                f"[{table}] {name} must be three numbers from 0 to 1, got {list(colour)}"
            )
    if not 0 <= sky.clouds <= _MOST_CLOUDS:
        raise PresetError(f"[{table}] clouds must be from 0 to {_MOST_CLOUDS}, got {sky.clouds}")


_LIMITS = {
    **{"saturation": (0.0, 1.0), "temperature": (-200.0, 200.0), "exposure": (-10.0, 0.0)},
    "tint": (-200.0, 200.0),
    "white": (0.05, 1.0),
}


@dataclass(frozen=True)
class Moonlight:
    """A grade over the night of a shot without a town: no lamp tints it, and by the moon colours are hardly seen."""

    saturation: float = 0.4
    """What is left of its colours; they go before white moves."""
    temperature: float = -60.0
    """Shift of white in mired; cool is negative."""
    tint: float = 0.0
    """Shift across that, in thousandths of Duv; green is negative."""
    exposure: float = 0.0
    """Stops, none brighter: a night is no brighter than its plate."""
    white: float | None = None
    """Luma that whites come near, in the working encoding; None for that of the preset."""
    sky: NightSky | None = None
    """What the moon makes of the sky, `[moonlight.sky]`; None for the sky of the preset."""


def check_moonlight(moonlight: Moonlight) -> None:
    """Raise `PresetError` for a moonlight that cannot be."""
    for name, (low, high) in _LIMITS.items():
        if getattr(moonlight, name) is None:
            continue
        if not low <= (value := getattr(moonlight, name)) <= high:
            words = f"must be from {low:g} to {high:g}, got {value:g}"
            raise PresetError(f"[moonlight] {name} {words}")
    if moonlight.sky:
        check_sky(moonlight.sky, "moonlight.sky")
