"""Seconds as typed by people, and timecode as counted by editors (SMPTE ST 12, drop frame too)."""

from __future__ import annotations

import re
from fractions import Fraction

Seconds = float | Fraction
"""A time: a Fraction is exact, a float is what a person typed."""

_TIMECODE = re.compile(r"(\d+):(\d\d):(\d\d)([:;.,])(\d+)")


def exact_seconds(seconds: Seconds) -> Fraction:
    """Return the time that was meant: 0.1 is 1/10, and 0.0333667 is 1001/30000."""
    if isinstance(seconds, Fraction):
        return seconds
    return Fraction(seconds).limit_denominator(1_000_000)


def shift_timecode(timecode: str, frames: int, rate: Fraction) -> str | None:
    """Return a timecode moved by a number of frames; None where it is not one at this rate.

    Drop-frame timecode (`;`) leaves out the numbers 0 and 1 (0 to 3 at 60) of every minute that
    is not a tenth one.
    """
    found = _TIMECODE.fullmatch(timecode.strip())
    if not found:
        return None
    hours, minutes, seconds, mark, count = found.groups()
    fps = max(round(rate), 1)
    if mark in ";.," and fps % 30:
        return None
    drop = 0 if mark == ":" else fps // 15
    number = _frame_number(int(hours), int(minutes), int(seconds), int(count), fps, drop)
    return _format(number + frames, fps, drop, mark)


def count_frames(timecode: str, fps: int, *, drop: bool | None = None) -> int | None:
    """Return a timecode as frames from midnight, at so many a second; None where there is no such timecode.

    `drop` says how it is counted, by default its mark.
    """
    found = _TIMECODE.fullmatch(timecode.strip())
    if not found:
        return None
    hours, minutes, seconds, frames = (int(found[group]) for group in (1, 2, 3, 5))
    drop = found[4] != ":" if drop is None else drop
    if minutes > 59 or seconds > 59 or frames >= fps or (drop and fps % 30):
        return None
    dropped = fps // 15 if drop else 0
    if dropped and minutes % 10 and not seconds and frames < dropped:
        return None
    return _frame_number(hours, minutes, seconds, frames, fps, dropped)


def day_frames(fps: int, *, drop: bool) -> int:
    """Return the frames that timecode counts from midnight to midnight."""
    return _frame_number(24, 0, 0, 0, fps, fps // 15 if drop and fps % 30 == 0 else 0)


def _frame_number(h: int, m: int, s: int, f: int, fps: int, drop: int) -> int:
    minutes = h * 60 + m
    return (minutes * 60 + s) * fps + f - drop * (minutes - minutes // 10)


def _format(number: int, fps: int, drop: int, mark: str) -> str:
    ten_minutes = fps * 600 - drop * 9
    number %= ten_minutes * 6 * 24
    tens, rest = divmod(number, ten_minutes)
    if drop and rest >= fps * 60:  # every minute but the first of ten has lost its first numbers
        rest += drop * (1 + (rest - fps * 60) // (fps * 60 - drop))
    minutes, rest = divmod(rest, fps * 60)
    minutes += tens * 10
    width = max(2, len(str(fps - 1)))
    clock = f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // fps:02d}"
    return f"{clock}{mark}{rest % fps:0{width}d}"
