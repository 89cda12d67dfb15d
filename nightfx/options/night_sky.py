"""The night sky of a preset, as `[sky]` of preset.toml has it; a user turns it by `--sky-level` and `--sky-tint`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class NightSky:
    """What is seen through the matte of the sky, in the working encoding, before the look's exposure and white balance."""

    level: float = 0.07
    """Luma of the sky overhead."""
    temperature: float = -140.0
    """Its colour, in mired from white: below 0 is blue."""
    tint: float = -8.0
    """And in thousandths of Duv: below 0 is green."""
    glow: float = 0.08
    """Luma that the lights of the town add at the horizon."""
    glow_temperature: float = 120.0
    """Their colour."""
    clouds: float = 0.7
    """How much of the contrast of the plate's own sky is left."""


SKY_LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "level": (0.0, 1.0),
        "temperature": (-140.0, 300.0),
        "tint": (-50.0, 50.0),
        "glow": (0.0, 1.0),
        "glow_temperature": (-140.0, 300.0),
        "clouds": (0.0, 0.8),
    }
)
"""The least and the most of each; with more contrast a dark cloud would fall below black."""
