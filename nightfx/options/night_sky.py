"""The night sky of a preset, as `[sky]` of preset.toml has it; a user turns it by `--sky-level` and `--sky-tint`."""

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


def check_sky(sky: NightSky) -> None:
    """Raise `PresetError` for a sky that cannot be."""
    for name, colour in (("overhead", sky.overhead), ("glow", sky.glow)):
        if not all(0 <= value <= 1 for value in colour):
            raise PresetError(f"[sky] {name} must be three numbers from 0 to 1, got {list(colour)}")
    if not 0 <= sky.clouds <= _MOST_CLOUDS:
        raise PresetError(f"[sky] clouds must be from 0 to {_MOST_CLOUDS}, got {sky.clouds}")
