"""Options of what is read: which part of a source, and how its files are understood."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from nightfx.errors import UsageError
from nightfx.options.option import option, settle

MAX_PIXELS = 16384 * 16384  # more in one picture is taken for a broken or hostile header

Scan = Literal["deinterlace", "keep"]
"""The fate of interlaced pictures."""
Missing = Literal["stop", "skip", "hold"]
"""The fate of the missing numbers of a sequence."""


def _frames_from(text: str | float) -> tuple[int, int]:
    """Return first and last of `1001-1048`, or of `1001` alone; raises ValueError."""
    first, dash, last = str(text).partition("-")
    return int(first), int(last if dash else first)


def rate_from(number: float | Fraction | str) -> Fraction:
    """Return frames a second as they are meant: 23.976 is 24000/1001. Raises ValueError for what is no number."""
    if isinstance(number, str):
        number = Fraction(number) if "/" in number else float(number)
    if isinstance(number, Fraction):
        return number
    whole = round(number * 1.001)
    ntsc = Fraction(whole * 1000, 1001)
    if abs(number - round(number)) > 1e-4 and abs(number - ntsc) < 0.005:
        return ntsc
    return Fraction(number).limit_denominator(1001)


@dataclass(frozen=True)
class SourceOptions:
    """Which part of a source is read, and what its files stand for."""

    start_seconds: float | None = option(
        None,
        "Start at this second, with the frame that begins then.",
        key="start",
        limits=(0, math.inf),
        metavar="SECONDS",
    )
    end_seconds: float | None = option(
        None,
        "End before this second: a frame that begins then is left out.",
        key="end",
        limits=(0, math.inf),
        metavar="SECONDS",
    )
    frames: tuple[int, int] | None = option(
        None,
        "Render these frames alone, both included, by their numbers: a clip's count from 1001.",
        words="FIRST-LAST, such as 1001-1048",
        metavar="FIRST-LAST",
        parse=_frames_from,
    )
    missing: Missing = option(
        "stop", "Missing numbers of a sequence: stop, skip, or hold the frame before."
    )
    fps: Fraction | None = option(
        None,
        "Frames a second of a sequence or an EDL, such as 24 or 24000/1001; else as its files say.",
        words="a number such as 23.976 or 24000/1001, above 0 and at most 1000",
        metavar="RATE",
        parse=rate_from,
    )
    layer: str | None = option(None, "Layer of an EXR that is lit; else its beauty.")
    view: str | None = option(None, "View of an EXR that is lit, such as right; else its first.")
    interlaced: Scan = option("deinterlace", "deinterlace, or keep: light the fields one by one.")
    input_space: str | None = option(
        None, "sdr, linear, pq, hlg, arri_logc4, slog3, acescct …; else by the tags."
    )
    ocio: str | None = option(
        None, "OpenColorIO config that --input-space is a name of.", is_file=True
    )
    max_pixels: int = option(
        MAX_PIXELS,
        "Refuse pictures of more pixels; 16384x16384 by default.",
        limits=(1, math.inf),
        changes_render=False,
        in_files=False,
    )
    keep_going: bool = option(False, "Render what decodes of a damaged clip.")

    def __post_init__(self) -> None:
        settle(self)
        self._check_times()
        if self.fps is not None and not 0 < self.fps <= 1000:
            raise UsageError(f"--fps must be above 0 and at most 1000, got {float(self.fps):g}")
        if self.ocio and not self.input_space:
            raise UsageError(
                "--ocio needs --input-space: which of its colour spaces the source is in"
            )

    def _check_times(self) -> None:
        start, end = self.start_seconds or 0.0, self.end_seconds
        if not math.isfinite(start) or not math.isfinite(end or 0.0):
            raise UsageError(f"--start and --end are seconds, got {start} and {end}")
        if end is not None and end <= start:
            raise UsageError(f"--end must be after --start, got {start:g} and {end:g}")
        if self.frames is None:
            return
        first, last = self.frames
        if last < first:
            raise UsageError(f"--frames must be FIRST-LAST, such as 1001-1048, got {first}-{last}")
        if self.start_seconds is not None or end is not None:
            raise UsageError("--frames and --start or --end both say where to begin: give one")
