"""What a night is where nothing shows a town, as `[moonlight]` of preset.toml has it."""

from __future__ import annotations

from dataclasses import dataclass

from nightfx.errors import PresetError

_LIMITS = {
    **{"saturation": (0.0, 1.0), "temperature": (-200.0, 200.0), "exposure": (-10.0, 0.0)},
    "glow": (0.0, 1.0),
}


@dataclass(frozen=True)
class Moonlight:
    """A grade over the night of a shot without a town: no lamp tints it, and by the moon colours are hardly seen."""

    saturation: float = 0.4
    """What is left of its colours; they go before white moves."""
    temperature: float = -60.0
    """Shift of white in mired; cool is negative."""
    exposure: float = 0.0
    """Stops, none brighter: a night is no brighter than its plate."""
    glow: float = 0.2
    """What is left of the town's glow at the horizon of the sky."""


def check_moonlight(moonlight: Moonlight) -> None:
    """Raise `PresetError` for a moonlight that cannot be."""
    for name, (low, high) in _LIMITS.items():
        if not low <= (value := getattr(moonlight, name)) <= high:
            words = f"must be from {low:g} to {high:g}, got {value:g}"
            raise PresetError(f"[moonlight] {name} {words}")
