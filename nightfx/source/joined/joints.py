"""Joints of a file: where its times or its packets begin anew, as where recordings were joined by `cat`.

A player of MPEG streams goes on there; so do picture and sound alike, by one offset for all streams of a part. Which part
a packet belongs to is told by its place in the file: packets of streams come out of order there. Where times go on over a
splice of a transport stream, that is a joint too, which moves nothing: its broken counts of packets are no damage.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer

from nightfx.source import probe
from nightfx.source.joined.splices import splices_of

_LONGEST_GAP = 10  # seconds: a longer one is a joint, a shorter one is kept, as FFmpeg does
_JITTER = Fraction(1, 20)  # seconds that a clock may run back
_NEAR_BYTES = 1 << 20  # from a splice to the first picture or sound behind it


@dataclass(frozen=True)
class Joint:
    """Where the times of a file begin anew, or its packets."""

    position: int
    """The byte of the file that it begins at."""
    offset: Fraction
    """Seconds that the times behind it are moved by."""
    at: Fraction | None
    """When the picture behind it is shown, on the one clock; None where times go on."""


def joints_of(path: Path) -> tuple[Joint, ...]:
    """Find the joints of a file; only MPEG streams and Ogg, which are read once for it, have any."""
    about = path.stat()
    return _joints(path.absolute(), about.st_size, about.st_mtime_ns)


class Bridge:
    """Moves the packets of a file onto one clock, over its joints."""

    def __init__(self, joints: tuple[Joint, ...]) -> None:
        self._joints = joints
        self._positions = [joint.position for joint in joints]
        self._last: dict[int, int] = {}
        self._sent: dict[int, int] = {}
        self._part = 0

    def move(self, packet: av.Packet[Any]) -> int:
        """Move the times of a packet, and return the number of the part that it belongs to."""
        if not self._joints or not packet.size:
            return self._part
        place = _place(packet, self._last)
        part = self._part = bisect_right(self._positions, place)
        if part:
            shift = round(self._joints[part - 1].offset / packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts + shift
            packet.dts = None if packet.dts is None else packet.dts + shift
        return part

    def is_late(self, packet: av.Packet[Any]) -> bool:
        """Say whether a moved packet begins where its stream has been already: sound may outlast its picture."""
        if not self._joints or packet.dts is None:
            return False
        late = packet.dts <= self._sent.get(packet.stream_index, packet.dts - 1)
        self._sent[packet.stream_index] = max(
            packet.dts, self._sent.get(packet.stream_index, packet.dts)
        )
        return late


@dataclass
class _Part:
    """What is seen of the packets between two joints."""

    position: int
    last: dict[int, Fraction] = field(default_factory=dict)
    begins: Fraction | None = None
    last_shown: Fraction = Fraction(0)
    shown: int = 0
    is_flagged: bool = False

    @property
    def ends(self) -> Fraction:
        """When its last picture ends: a stream need not say how long that is, so it is as long as the others."""
        past = self.last_shown - (self.begins or 0)
        return self.last_shown + (
            past / (self.shown - 1) if self.shown > 1 else 1 / probe.FALLBACK_RATE
        )

    def jumps(self, index: int, seconds: Fraction) -> bool:
        last = self.last.get(index, seconds)
        return not -_JITTER <= seconds - last <= _LONGEST_GAP

    def add(self, packet: av.Packet[Any], seconds: Fraction, *, shown: bool) -> None:
        self.last[packet.stream_index] = seconds
        self.is_flagged |= packet.is_corrupt
        if shown and packet.pts is not None:
            pts = packet.pts * packet.time_base
            self.begins = pts if self.begins is None else min(self.begins, pts)
            self.last_shown, self.shown = max(self.last_shown, pts), self.shown + 1


@lru_cache(maxsize=64)
def _joints(path: Path, _size_bytes: int, _mtime_ns: int) -> tuple[Joint, ...]:
    with probe.open_source(path) as container:
        if not probe.has_flag(container, "ts_discont"):
            return ()
        name = container.format.name
        parts = _parts_of(container, probe.pick_stream(container, path).index)
    found: list[Joint] = []
    offset = Fraction(0)
    for before, part in pairwise(parts):
        at = before.ends + offset
        offset = at - (before.ends if part.begins is None else part.begins)
        found.append(Joint(part.position, offset, at))
    has_counts = name == "mpegts" and any(part.is_flagged for part in parts)
    return tuple(_with_splices(found, splices_of(path)) if has_counts else found)


def _with_splices(joints: list[Joint], places: list[int]) -> Iterator[Joint]:
    """Yield joints with the splices at which times go on: packets behind those are moved as the ones before."""
    jumps = [joint.position for joint in joints]
    nexts = [*places[1:], jumps[-1] + 1 if jumps else 0]
    plain = [
        Joint(place, Fraction(0), None)
        for place, after in zip(places, nexts, strict=False)
        if not any(place <= jump < min(after, place + _NEAR_BYTES) for jump in jumps)
    ]
    offset = Fraction(0)
    for joint in sorted([*joints, *plain], key=lambda joint: joint.position):
        offset = offset if joint.at is None else joint.offset
        yield replace(joint, offset=offset)


def _parts_of(container: InputContainer, video: int) -> list[_Part]:
    parts, places = [_Part(0)], dict[int, int]()
    streams = [*container.streams.video, *container.streams.audio]
    try:
        for packet in container.demux(streams):
            ticks = packet.dts if packet.dts is not None else packet.pts
            if not packet.size or ticks is None:
                continue
            place, seconds = _place(packet, places), ticks * Fraction(packet.time_base)
            index = bisect_right([part.position for part in parts], place) - 1
            part = parts[index]
            if part.jumps(packet.stream_index, seconds):
                if index == len(parts) - 1:
                    parts.append(_Part(place))
                # a packet of the new part may stand before the one that told of it
                part = parts[index + 1]
                part.position = min(part.position, place)
            part.add(packet, seconds, shown=packet.stream_index == video)
    except av.FFmpegError:
        pass  # a damaged end: told by whoever decodes
    return parts


def _place(packet: av.Packet[Any], last: dict[int, int]) -> int:
    """Where a packet stands in the file; the pieces of one that was split stand where it begins."""
    if packet.pos is not None and packet.pos >= 0:
        last[packet.stream_index] = packet.pos
    return last.get(packet.stream_index, 0)
