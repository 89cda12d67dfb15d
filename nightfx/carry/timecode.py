"""Timecode as its own track counts it: 30 a second with drop frames, on pictures of 60 too, and what else it says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from nightfx.carry import boxes
from nightfx.carry.formats import holds
from nightfx.source import FALLBACK_RATE, ClipInfo, count_frames, open_source, shift_timecode

REEL = "reel_name"
_WRITTEN_ANEW = {"timecode", "language", "handler_name", "creation_time", "vendor_id", "encoder"}
_COUNT = re.compile(r"(.*[:;.,])(\d+)")
_NEAR = Fraction(1, 10)  # frames: a clock of milliseconds rounds


@dataclass(frozen=True)
class Timecode:
    """The timecode of a clip."""

    start: str
    """Of the first picture."""
    rate: Fraction
    """Frames that it counts a second."""
    facts: dict[str, str] = field(default_factory=dict)
    """What else its track says: the reel's name."""
    others: tuple[str, ...] = ()
    """What other places of the file say instead, which is written nowhere."""

    @property
    def drops_frames(self) -> bool:
        """It leaves out numbers, to stay with the clock."""
        return any(mark in self.start for mark in ";.,")

    @property
    def number(self) -> int | None:
        """Frames from midnight; None where it is not understood."""
        return count_frames(self.start, self.fps)

    @property
    def fps(self) -> int:
        """Numbers of a second."""
        return max(round(self.rate), 1)

    def after(self, seconds: Fraction) -> Timecode | None:
        """That of the picture shown so much later, which may share its number with others; None where it is not understood."""
        frames = seconds * self.rate
        near = abs(frames - round(frames)) < _NEAR
        moved = shift_timecode(self.start, round(frames) if near else int(frames // 1), self.rate)
        return replace(self, start=moved) if moved else None

    def counted_as(self, rate: Fraction) -> Timecode | None:
        """The same, counted in multiples; None where one is none of the other."""
        ratio = Fraction(max(round(rate), 1), self.fps)
        found = _COUNT.fullmatch(self.start)
        if not found or 1 not in (ratio.numerator, ratio.denominator):
            return None
        return Timecode(f"{found[1]}{int(int(found[2]) * ratio):02d}", rate, self.facts)


def read_timecode(info: ClipInfo, source: Path | None) -> Timecode | None:
    """Return the timecode of a clip, counted as its track says, or else with its pictures."""
    if info.timecode is None:
        return None
    rate = info.rate or FALLBACK_RATE
    if source is None:
        return Timecode(info.timecode, rate)
    own = _rate_of_track(source) if "mov" in info.container else None
    # of the same numbers a second, the pictures' rate is the exact one
    rate = own if own and round(own) != round(rate) else rate
    facts, others = _told(source, info.timecode)
    return Timecode(info.timecode, rate, facts, others)


def timecode_lines(timecode: Timecode, container: str, info: ClipInfo) -> Iterator[str]:
    """Yield a line for each thing of a timecode that a container does not say."""
    held, rate = holds(container), info.rate or FALLBACK_RATE
    for other in timecode.others:
        yield f"the file says timecode {other} too, beside {timecode.start}: left out"
    if timecode.after(Fraction(0)) is None:
        words = f"is not understood at {float(timecode.rate):.3f} fps"
        yield f"timecode {timecode.start} {words}: left out"
        return
    if timecode.fps != round(rate) and not held.is_movie:
        yield _of_count(timecode, container, rate)
    for key, value in timecode.facts.items():
        if key != REEL or not held.names_reels:
            keeper = " (mov keeps it)" if key == REEL else ""
            yield f"{key} {value} of the timecode is left out{keeper}"


def _of_count(timecode: Timecode, container: str, rate: Fraction) -> str:
    words = f"timecode {timecode.start} counts {timecode.fps} a second, the pictures {round(rate)}"
    if not holds(container).is_bare:
        return f"{words}: Matroska does not say so (mov and mp4 do)"
    recounted = timecode.counted_as(rate)
    fate = f"written as {recounted.start}" if recounted else "left out"
    return f"{words}, as MXF has to: {fate} (mov and mp4 keep it)"


def other_timecodes(places: Iterable[Mapping[str, str]], start: str | None) -> tuple[str, ...]:
    """Return what metadata of streams and file say as timecode beside `start`: each once."""
    said = [v for place in places for k, v in place.items() if k.lower() == "timecode"]
    return tuple(dict.fromkeys(value for value in said if value != start))


def _told(source: Path, start: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return what the timecode's track says else, and the timecodes of other places."""
    with open_source(source) as container:
        places = [*(s.metadata for s in container.streams), container.metadata]
        tracks = [s.metadata for s in container.streams if s.type == "data"]
    own = next((t for t in tracks if "timecode" in t), {})
    reels = [place[REEL] for place in (own, *places) if REEL in place]
    facts = {key: value for key, value in own.items() if key not in _WRITTEN_ANEW}
    facts |= {REEL: reels[0]} if reels else {}
    return facts, other_timecodes(places, start)


def _rate_of_track(path: Path) -> Fraction | None:
    """Return the rate at which the first timecode track of a QuickTime file counts, which FFmpeg does not show."""
    with suppress(OSError), path.open("rb") as file:
        for _, at in boxes.timecode_tracks(file):
            file.seek(at)
            _, ticks, frame, _ = boxes.CLOCK.unpack(file.read(boxes.CLOCK.size))
            if ticks and frame:
                return Fraction(ticks, frame)
    return None
