"""How near a transform of colours comes to the render, by pixels that it was not fitted to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from nightfx.export.pairs import Pairs
from nightfx.picture import Float64

FAR_CODES = 16  # of 8 bits, in the channel that is furthest off
_MOST_DB = 99.0  # where nothing is off


@dataclass(frozen=True)
class Fidelity:
    """Errors against the render, in codes of 8 bits whatever the plate's depth is."""

    mean_codes: float
    """Mean absolute error."""
    decibels: float
    """PSNR, white being the peak."""
    far_share: float
    """Share of the picture that is further off than `FAR_CODES`."""
    far_placed_share: float
    """What of that is night sky, or under a lamp."""
    placed_share: float
    """Share of the picture that is night sky, or under a lamp."""
    rest_mean_codes: float | None
    """Mean absolute error without these; None where nothing else is in the picture."""
    rest_decibels: float | None
    """PSNR without these."""
    held_frames: int
    """Frames that were measured and not fitted; 0 where blocks of one picture were."""

    def facts(self) -> dict[str, object]:
        """Return all of it for JSON."""
        return {"far_codes": FAR_CODES, **asdict(self)}

    def lines(self) -> list[str]:
        """Return all of it for people."""
        by = _counted(self.held_frames) if self.held_frames else "half of the picture"
        off = f"off the render by {self.mean_codes:.1f} codes of 8 bits ({self.decibels:.1f} dB)"
        other = max(self.far_share - self.far_placed_share, 0)
        lines = [
            f"{off}, measured on {by} that it was not fitted to",
            f"{_percent(self.far_share)} of the picture is off by more than {FAR_CODES} codes: "
            f"{_percent(self.far_placed_share)} is night sky or lit by lamps, which no LUT or CDL can place, "
            f"{_percent(other)} neither",
        ]
        if self.rest_mean_codes is not None and self.placed_share:
            rest = f"{self.rest_mean_codes:.1f} codes ({self.rest_decibels:.1f} dB)"
            lines.append(f"without sky and lamps off by {rest}")
        return lines


def fidelity(pairs: Pairs, of_colours: Callable[[Float64], Float64]) -> Fidelity:
    """Measure a transform of colours on the pairs that are held out."""
    plate, render = pairs.plate[pairs.is_held], pairs.render[pairs.is_held]
    is_placed = pairs.is_placed[pairs.is_held]
    error = np.abs(of_colours(plate) - render)
    is_far = error.max(1) * 255 > FAR_CODES
    rest = error[~is_placed]
    return Fidelity(
        _codes(error),
        _decibels(error),
        float(is_far.mean()),
        float((is_far & is_placed).mean()),
        float(is_placed.mean()),
        _codes(rest) if len(rest) else None,
        _decibels(rest) if len(rest) else None,
        pairs.held_frames,
    )


def _codes(error: Float64) -> float:
    return float(error.mean() * 255)


def _decibels(error: Float64) -> float:
    return min(float(-10 * np.log10(max(np.square(error).mean(), 1e-12))), _MOST_DB)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.0095 or share == 0 else f"{100 * share:.1f} %"


def _counted(frames: int) -> str:
    return f"{frames} frames" if frames > 1 else "a frame"
