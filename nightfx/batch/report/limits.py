"""Figures of a render, and from which on somebody should look at it."""

from __future__ import annotations

from dataclasses import dataclass

LIMITS = {
    **{"flicker": 1.1, "crushed": 0.05, "clipped": 0.01, "dissolved": 0.01},
    # lamps leave walls below the sky darker than walls beside them, by 0.9 stops in drawn nights
    **{"skyline": 1.0, "fringe": 0.4, "misplaced": 0.5},
}


@dataclass(frozen=True)
class Figures:
    """Figures measured on a render."""

    flicker: float | None
    """Render ÷ plate; None where there are no neighbours, or the plate is flat."""
    crushed: float
    """Share of pixels that became black."""
    clipped: float
    """Share of pixels that became white."""
    dissolved: float = 0.0
    """Share of detail that is gone."""
    skyline: float | None = None
    """How much darker walls went near the sky, in stops; None where no sky ends."""
    fringe: float | None = None
    """A rim along the sky, in stops; None where no sky ends."""
    misplaced: float | None = None
    """Lights a picture where none can be; None where it did not become darker, as by `--to day`."""

    @property
    def worst(self) -> float:
        """The largest figure in units of its limit."""
        return max((getattr(self, key) or 0) / limit for key, limit in LIMITS.items())
