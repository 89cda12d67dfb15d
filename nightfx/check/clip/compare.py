"""Hold a clip's picture and its clock against the source's: a row for each thing.

Light is the one thing that may differ: pixels are not compared, only what they show.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from nightfx.carry import holds
from nightfx.check import order
from nightfx.check.clip import contents, facts, joints, picture, tracks
from nightfx.check.table import held_by
from nightfx.check.verdict import NEAR, RenderedPart, Verdict, VerdictRow
from nightfx.source import Seconds, exact_seconds

_LONGEST_LEAD = Fraction(1, 5)  # seconds: the longest packets of sound


def compare(
    old: contents.Contents,
    new: contents.Contents,
    container: str,
    start: Seconds | None = None,
    end: Seconds | None = None,
) -> list[VerdictRow]:
    """Compare a render, or a part rendered from start to end, with its source; `container` is FFmpeg's name of it."""
    own_times = old.picture.times
    old = joints.on_one_clock(old)
    part = part_of(old, start, end)
    lead = _lead(old, new, part) if holds(container).ticks_a_second else Fraction(0)
    part = replace(part, shift=part.shift - lead)
    if holds(container).is_bare:
        part = _as_long_as_picture(old, part)
    held = held_by(container, new.picture.codec, new.picture.profile)
    return [
        *_lead_row(lead),
        *_time_rows(old, new, part, own_times),
        *picture.picture_rows(old, new, part, held),
        *facts.fact_rows(old, new, part, held),
        *tracks.track_rows(old, new, part, container),
    ]


def part_of(old: contents.Contents, start: Seconds | None, end: Seconds | None) -> RenderedPart:
    """Return the part of a clip from start to end."""
    times = old.picture.times
    if not times or not (start or end is not None):
        return RenderedPart(0, len(times), Fraction(0), None, None)
    zero = times[0]
    begin, stop = exact_seconds(start or 0), None if end is None else exact_seconds(end)
    first = _index(times, zero + begin)
    last = len(times) if stop is None else _index(times, zero + stop)
    shift = times[first] - zero if start and first < len(times) else Fraction(0)
    cut = zero + shift if shift else None
    return RenderedPart(first, last, shift, cut, None if stop is None else zero + stop)


def _as_long_as_picture(old: contents.Contents, part: RenderedPart) -> RenderedPart:
    """In MXF everything begins and ends with the picture."""
    times = old.picture.times[part.first : part.last]
    if not times:
        return part
    last = len(old.picture.times) == part.last
    return replace(part, shift=times[0], start=times[0], end=_end(old) if last else part.end)


def _lead(old: contents.Contents, new: contents.Contents, part: RenderedPart) -> Fraction:
    """By how much a render begins late: where Matroska has sound, or what primes its decoder, before the picture."""
    has_sound = any(track.kind == "audio" for track in new.tracks.values())
    if not (part.start is not None or has_sound):
        return Fraction(0)
    if part.first >= part.last or not new.picture.times:
        return Fraction(0)
    lead = new.picture.times[0] - (old.picture.times[part.first] - part.shift)
    return lead if NEAR < lead < _LONGEST_LEAD else Fraction(0)


def _lead_row(lead: Fraction) -> Iterator[VerdictRow]:
    if lead:
        yield VerdictRow("start", "0 ms", f"{float(lead) * 1000:.0f} ms", "changed")


def _index(times: list[Fraction], at: Fraction) -> int:
    return next((i for i, time in enumerate(times) if time >= at), len(times))


def _time_rows(
    old: contents.Contents, new: contents.Contents, part: RenderedPart, own_times: list[Fraction]
) -> Iterator[VerdictRow]:
    """Compare the times of the pictures; `own_times` are the source's before they were brought onto one clock."""
    own = own_times[part.first : part.last]
    is_moved = own != old.picture.times[part.first : part.last]
    wanted = [time - part.shift for time in old.picture.times[part.first : part.last]]
    count = len(new.picture.times)
    verdict: Verdict = "kept" if count == len(wanted) and count else "lost"
    yield VerdictRow("frames", str(len(wanted)), str(count), verdict)
    if not wanted or not count:
        return
    yield _order(old, new, part)
    yield _times(wanted, old, new, is_moved=is_moved)
    yield _duration(old, new, part)


def _order(old: contents.Contents, new: contents.Contents, part: RenderedPart) -> VerdictRow:
    plates = old.picture.looks.marks_within(part.first, part.last)
    return order.order_row(plates, new.picture.looks.marks_within(0, len(new.picture.times)))


def _times(
    wanted: list[Fraction], old: contents.Contents, new: contents.Contents, *, is_moved: bool
) -> VerdictRow:
    tick = max(old.picture.tick, new.picture.tick)
    pairs = list(zip(wanted, new.picture.times, strict=False))
    worst = max((abs(a - b) for a, b in pairs), default=Fraction(0))
    near: Verdict = "changed" if is_moved else "kept"
    verdict: Verdict = near if not worst or worst < tick else "lost"
    words = "exact" if not worst else f"within {float(worst) * 1000:.3g} ms"
    return VerdictRow("timestamps", "beginning anew" if is_moved else "in order", words, verdict)


def _duration(old: contents.Contents, new: contents.Contents, part: RenderedPart) -> VerdictRow:
    times, shown = old.picture.times, new.picture
    end = (_end(old) if part.last == len(times) else times[part.last]) - part.shift
    off = abs(_end(new) - end)
    usual = Fraction(times[-1] - times[0], max(len(times) - 1, 1))
    tick = max(old.picture.tick, shown.tick)
    near = not off or off < tick * (2 if tick == NEAR else 1)  # Matroska rounds start and length
    verdict: Verdict = "kept" if near else "changed" if off <= max(usual, NEAR) else "lost"
    begin = times[part.first] - part.shift
    was, now = (f"{float(t):.3f} s" for t in (end - begin, _end(new) - shown.times[0]))
    return VerdictRow("duration", was, now, verdict)


def _end(clip: contents.Contents) -> Fraction:
    claim = clip.picture.claimed_end
    return claim if claim is not None and claim > clip.picture.times[-1] else clip.picture.end
