"""Durations and decoding times of the packets that an encoder gives, so that the last shown frame keeps its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import TypeAlias

import av
from av.video.stream import VideoStream

Packet: TypeAlias = "av.Packet[VideoStream]"


class Times:
    """Gives packets the durations of their frames, which encoders forget.

    In mp4 and mov a duration is the time to the next packet in coding order. The last packet
    gets what makes their sum the shown time, so that the last shown frame keeps its duration.
    """

    def __init__(self, *, in_coding_order: bool) -> None:
        self.count = 0
        self.end = Fraction(0)
        """When the last picture ends, in seconds."""
        self._in_coding_order = in_coding_order
        self._durations: dict[int | None, int] = {}
        self._start, self._end = 0, 0
        self._delay: int | None = None
        self._before: int | None = None
        self._packets = 0

    def watch(self, images: Iterable[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """Remember the times of the pictures that go by."""
        for image in images:
            pts = image.pts or 0
            self._start = pts if self.count == 0 else self._start
            self._end = pts + image.duration
            self.end = Fraction(self._end * (image.time_base or 1))
            self._durations[pts] = image.duration
            self.count += 1
            yield image

    def duration_of(self, pts: int) -> int | None:
        """The duration of the picture that is shown at `pts`, once; None where there was none."""
        return self._durations.pop(pts, None)

    def stamp(self, packet: Packet) -> Packet:
        """Set the duration of a packet, and its dts where the encoder got that wrong."""
        self._packets += 1
        if packet.dts is not None and not self._is_possible(packet.dts, packet.pts or 0):
            # any order before the first pts will do
            packet.dts = self._start - self.count + self._packets - 1
        packet.duration = self._durations.pop(packet.pts, 0)
        if packet.dts is None or not self._in_coding_order:
            return packet
        if self._delay is None:
            self._delay = self._start - packet.dts
        if not self._durations:
            end_in_order(packet, self._end, self._delay, self._before)
        self._before = packet.dts
        return packet

    def _is_possible(self, dts: int, pts: int) -> bool:
        """Say whether a dts can be: of a clip shorter than its delay, x265 gives an unset number."""
        return 2 * self._start - self._end <= dts <= pts


def told(packets: Iterable[Packet], on_packet: Callable[[], None]) -> Iterator[Packet]:
    """The packets as they are; `on_packet` is called when one has been taken."""
    for packet in packets:
        yield packet
        on_packet()


def end_in_order(packet: Packet, end: int, delay: int, before: int | None) -> None:
    """Give the last packet of a mov, in coding order, what lets the shown time end at `end`.

    Decoding begins `delay` before the first picture is shown; `before` is the dts of the packet before. Where this packet is
    also the last one shown, both clocks must end with it: its dts moves, so that its duration is its picture's.
    """
    assert packet.dts is not None, "muxed by it"
    aligned = end - delay - (packet.duration or 0)
    is_shown_last = packet.pts is not None and packet.pts + (packet.duration or 0) == end
    if is_shown_last and (before is None or before < aligned) and aligned <= (packet.pts or 0):
        packet.dts = aligned
    packet.duration = max(1, end - packet.dts - delay)
