"""EDLs (CMX 3600): lines of text, of which all stay as they are but those that name media.

A list has timecodes and no rate. The lines of one number are an event: what goes out, and what comes in by a dissolve or
a wipe.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from nightfx.batch.shots.document import Render, TimelineClip
from nightfx.errors import SourceError
from nightfx.source import base_name, count_frames, day_frames, shift_timecode

_TIME = r"(\d{1,2}:\d\d:\d\d[:;.,]\d\d)"
_EVENT = re.compile(
    rf"\s*(?P<number>\d+[A-Z]?)\s+(?P<reel>\S+)\s+(?P<track>\S+(?:\s+V\d*)?)\s+(?P<kind>C|D|W\d+|K[BO]?|K\s+[BO])"
    rf"(?:\s+(?P<frames>\d+))?(?:\s+F)?\s+{_TIME}\s+{_TIME}\s+{_TIME}\s+{_TIME}"
)
_M2 = re.compile(rf"M2\s+(?P<reel>\S+)\s+(?P<speed>[+-]?\d+(?:\.\d+)?)\s+{_TIME}")
_NAME = re.compile(
    r"\*?\s*(?P<side>FROM|TO)?\s*(?P<what>CLIP NAME|CLIP|SOURCE FILE|FILE)\s*(?:NAME)?\s*:\s*(?P<name>.*?)\s*$",
    re.IGNORECASE,
)
_LOOKS_LIKE_EVENT = re.compile(r"\s*(\d+[A-Z]?)\s+\S")  # no other line begins with a number
_BLACK = {"BL", "BLACK", "BARS"}
_MOST_BYTES = 1 << 26
_FALLBACK_FPS = 24  # where neither a flag nor the media say one


@dataclass
class _Side:
    """One line of an event, and what is said of it below."""

    line: int
    number: str
    reel: str
    kind: str
    frames: int
    times: tuple[str, str, str, str]
    drop: bool
    names: list[tuple[int, str, str]] = field(default_factory=list)  # line, what is named, name
    speed: float | None = None
    speed_line: int | None = None
    after: int = 0  # the line after those that are its own
    incoming: bool = False
    outgoing_frames: int = 0  # of a dissolve under which it goes out


class Edl:
    """An EDL; its rate is given."""

    def __init__(self, path: Path, content: bytes, rate: Fraction) -> None:
        if len(content) > _MOST_BYTES:
            raise SourceError(f"{path}: is over {_MOST_BYTES >> 20} MiB: no EDL is")
        self._rate, self._fps = rate, max(round(rate), 1)
        self._encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
        text = content.decode(self._encoding, "surrogateescape")
        self._lines = text.splitlines(keepends=True)
        self._sides = _read_sides(self._lines)
        if not self._sides:
            raise SourceError(f"{path}: cannot be read as a timeline (no events in it)")
        self._shown = [side for side in self._sides if side.reel.upper() not in _BLACK]
        self.clips = [self._clip(side) for side in self._shown]
        self._inserted: dict[int, list[str]] = {}

    def repoint(self, index: int, render: Render) -> None:
        """Let an event show a render: its name, and a reel that is the file's name, become the render's."""
        side = self._shown[index]
        self._rename(side, _shown_name(render))
        if side.reel.lower() in (render.source.name.lower(), base_name(render.source).lower()):
            self._replace_reel(side, base_name(render.path))
        if render.moved:
            self._move(side, render)

    def save(self, path: Path) -> None:
        """Write it, in the encoding and with the ends of lines it had."""
        lines = []
        for number, line in enumerate(self._lines):
            lines += self._inserted.get(number, [])
            lines.append(line)
        last = self._inserted.get(len(self._lines), [])
        if last and lines and not lines[-1].endswith(("\n", "\r")):
            lines[-1] += _line_end(self._lines)
        path.write_bytes("".join([*lines, *last]).encode(self._encoding, "surrogateescape"))

    def _clip(self, side: _Side) -> TimelineClip:
        names = tuple(name for _, _, name in side.names)
        name = names[0] if names else side.reel
        clip = TimelineClip(
            name, f"event {side.number}", Fraction(self._fps), names=names, reel=side.reel
        )
        try:
            source, record = self._lengths(side)
        except ValueError as error:
            return replace(clip, refusal=str(error))
        if side.speed is None and source != record:
            words = f"its source runs {source} frames, its record {record}, and no M2 says a retime"
            return replace(clip, refusal=words)
        if side.speed is not None and side.speed < 0:
            return replace(clip, refusal="its retime is not at one speed forwards")
        speed = 1.0 if side.speed is None else side.speed / self._fps
        length = max(source, round(record * speed)) + side.outgoing_frames
        return replace(clip, timecode=side.times[0], length=Fraction(max(length, 1)), speed=speed)

    def _lengths(self, side: _Side) -> tuple[int, int]:
        """How many frames its source and its record run; raises ValueError in the words of an editor."""
        start, end, record_start, record_end = (self._count(t, side.drop) for t in side.times)
        day = day_frames(self._fps, drop=side.drop or any(";" in time for time in side.times))
        source, record = (end - start) % day, (record_end - record_start) % day
        if side.speed is not None and side.speed <= 0:
            source = 1  # its length says nothing
        for what, length, times in (("source", source, 0), ("record", record, 2)):
            if length > day // 2:
                raise ValueError(
                    f"its {what} ends before it begins: {side.times[times]} to {side.times[times + 1]}"
                )
        return source, record

    def _count(self, time: str, drop: bool) -> int:
        drop = drop or ";" in time
        if drop and self._fps % 30:
            raise ValueError(
                f"{time} drops frames, which {self._fps} frames a second do not: --fps 29.97 or 59.94 says the list's rate"
            )
        number = count_frames(time, self._fps, drop=drop)
        if number is not None:
            return number
        if int(time[-2:]) >= self._fps:
            raise ValueError(
                f"{time} has no place at {self._fps} frames a second: --fps says the list's rate, or it is no timecode"
            )
        raise ValueError(f"{time} is no timecode{' of drop-frame counting' if drop else ''}")

    def _rename(self, side: _Side, name: str) -> None:
        clips = [line for line, what, _ in side.names if what == "CLIP"]
        for line, _, _ in side.names:
            head, mark, tail = self._lines[line].partition(":")
            space = tail[: len(tail) - len(tail.lstrip(" \t"))] or " "
            self._lines[line] = f"{head}{mark}{space}{name}{_end_of(self._lines[line])}"
        if not clips:
            word = "TO" if side.incoming else "FROM"
            added = f"* {word} CLIP NAME: {name}{_line_end(self._lines)}"
            self._inserted.setdefault(side.after, []).append(added)

    def _replace_reel(self, side: _Side, stem: str) -> None:
        if re.search(r"\s", stem):
            return
        for number in (side.line, side.speed_line):
            if number is not None:
                pattern = rf"^(\s*\S+\s+){re.escape(side.reel)}(?=\s)"
                self._lines[number] = re.sub(
                    pattern, lambda found: f"{found[1]}{stem}", self._lines[number]
                )

    def _move(self, side: _Side, render: Render) -> None:
        """Count the source from the render's first frame."""
        frames = round(render.base * Fraction(self._fps, max(round(render.rate), 1)))
        for number in (side.line, side.speed_line):
            if number is not None:
                count = 2 if number == side.line else 1
                self._lines[number] = re.sub(
                    _TIME,
                    lambda found: shift_timecode(found[0], -frames, self._rate) or found[0],
                    self._lines[number],
                    count=count,
                )


def edl_rate(content: bytes, given: Fraction | None, media: Fraction | None) -> Fraction:
    """The rate of an EDL: as given, else that of its media, halved where no timecode counts so high; raises SourceError."""
    text = content.decode("utf-8", "replace")
    counts = [int(time[-2:]) for time in re.findall(_TIME, text)]
    most = max(counts, default=0)
    if given or media is None:
        return given or Fraction(30 if most >= _FALLBACK_FPS else _FALLBACK_FPS)
    halves = round(media) > 30 and round(media) % 2 == 0 and most < round(media) // 2
    return media / 2 if halves else media


def _read_sides(lines: list[str]) -> list[_Side]:
    sides: list[_Side] = []
    event: list[_Side] = []
    drop = False
    for number, line in enumerate(lines):
        if line.upper().startswith("FCM:"):
            drop = "NON" not in line.upper() and "DROP" in line.upper()
        elif found := _EVENT.match(line):
            if not event or event[-1].number != found["number"]:
                event = []
            if side := _side_of(found, number, drop):
                side.incoming = bool(event) and side.kind != "C"
                event.append(side)
                sides.append(side)
        elif event:
            _add_words(event, sides[: -len(event)][-1:], number, line)
    for out, into in pairwise(sides):
        out.outgoing_frames = into.frames if into.kind != "C" else 0
    return sides


def _side_of(found: re.Match[str], number: int, drop: bool) -> _Side | None:
    if not ("V" in found["track"].upper() or found["track"].upper() == "B"):
        return None
    times = found.groups()[-4:]
    kind, frames = found["kind"].upper(), int(found["frames"] or 0)
    side = _Side(number, found["number"], found["reel"], kind, frames, times, drop)  # type: ignore[arg-type]  # four
    side.after = number + 1
    return side


def _add_words(event: list[_Side], before: list[_Side], number: int, line: str) -> None:
    """Give what a line below an event says to the side it speaks of; what goes out may be the event before."""
    if found := _M2.match(line):
        of_reel = [side for side in event if side.reel == found["reel"]]
        side = (of_reel or event)[-1]
        side.speed, side.speed_line = float(found["speed"]), number
    elif (found := _NAME.match(line)) and found["name"]:
        word = (found["side"] or "").upper()
        sides = [event[-1]] if word == "TO" or (not word and len(event) > 1) else event[:1]
        if word == "FROM" and len(event) == 1 and event[0].kind != "C":
            sides = before
        what = "CLIP" if "CLIP" in found["what"].upper() else "FILE"
        for side in sides:
            side.names.append((number, what, found["name"]))
    else:
        return
    for side in event:
        side.after = number + 1


def _shown_name(render: Render) -> str:
    if not render.is_sequence:
        return render.path.name
    last = int(render.number) + render.length - 1
    head, tail = render.path.name.split("#")[0], render.path.name.split("#")[-1]
    return f"{head}[{render.number}-{last:0{len(render.number)}d}]{tail}"


def _end_of(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def _line_end(lines: list[str]) -> str:
    return _end_of(lines[0]) if lines and _end_of(lines[0]) else "\n"


def malformed_events(content: bytes) -> Iterator[tuple[str, str]]:
    """Yield each event that cannot be read as one, and the words that say so."""
    for line in content.decode("utf-8", "replace").splitlines():
        if (found := _LOOKS_LIKE_EVENT.match(line)) and not _EVENT.match(line):
            yield f"event {found[1]}", f"cannot be read: {' '.join(line.split())[:80]}"
