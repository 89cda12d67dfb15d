"""Decode the pictures of an open clip, noting signs of damage; what does not decode is skipped."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from nightfx.options import MAX_PIXELS
from nightfx.source import damage, probe


def decode(
    container: InputContainer, stream: VideoStream, signs: damage.Signs, *, whole: bool = True
) -> Iterator[av.VideoFrame]:
    """Yield every picture that decodes, noting signs of damage on the way."""
    packets = container.demux(stream)
    end, count = Fraction(0), 0
    while (packet := _next_packet(packets, signs)) is not None:
        count += packet.size > 0
        if packet.is_corrupt:
            signs.add("broken packets")
        for picture in _pictures(packet, signs):
            signs.patched += picture.is_corrupt
            if picture.pts is not None:
                end = (picture.pts + (picture.duration or 0)) * Fraction(picture.time_base or 0)
            yield picture
    if damage.ends_early(stream, end) or (whole and _fell_short(container, stream, count)):
        signs.add("the stream ends too early")


def decode_from(
    container: InputContainer, stream: VideoStream, goal: int, signs: damage.Signs
) -> Iterator[av.VideoFrame] | None:
    """Seek to a time in ticks and decode from there; None where the container cannot seek."""
    try:
        container.seek(goal, stream=stream)
    except av.FFmpegError:
        return None
    return decode(container, stream, signs, whole=False)


def key_frame(pictures: Iterator[av.VideoFrame]) -> av.VideoFrame | None:
    """Return the first key frame; what comes before it may refer to pictures that were skipped."""
    return next((picture for picture in pictures if picture.key_frame), None)


def survey(path: Path, max_pixels: int = MAX_PIXELS) -> tuple[int, damage.Signs]:
    """Decode a clip to its end, skipping what does not, and count the frames that come out."""
    signs = damage.Signs()
    with probe.open_source(path, max_pixels) as container:
        stream = probe.pick_stream(container, path, max_pixels)
        damage.prepare(stream)
        count = sum(1 for _ in decode(container, stream, signs))
    return count, signs


def shown_times(path: Path, max_pixels: int = MAX_PIXELS) -> list[Fraction]:
    """When each picture of a clip is shown, in seconds and in order, by its packets: nothing is decoded."""
    with probe.open_source(path, max_pixels) as container:
        stream = probe.pick_stream(container, path, max_pixels)
        packets = container.demux(stream)
        times, signs = [], damage.Signs()
        while (packet := _next_packet(packets, signs)) is not None:
            ticks = packet.pts if packet.pts is not None else packet.dts
            if packet.size and ticks is not None and not packet.is_discard:
                times.append(ticks * Fraction(packet.time_base))
    return sorted(times)


def first_picture(container: InputContainer, stream: VideoStream) -> av.VideoFrame | None:
    """Return the first picture that decodes, or None."""
    return next(decode(container, stream, damage.Signs()), None)


def _fell_short(container: InputContainer, stream: VideoStream, count: int) -> bool:
    """Say whether fewer packets came than an index of single samples holds."""
    return "mov" in container.format.name and count < len(stream.index_entries)


def _next_packet(
    packets: Iterator[av.Packet[VideoStream]], signs: damage.Signs
) -> av.Packet[VideoStream] | None:
    try:
        return next(packets, None)
    except av.FFmpegError as error:
        signs.add(damage.describe_error(error))
        return None


def _pictures(packet: av.Packet[VideoStream], signs: damage.Signs) -> list[av.VideoFrame]:
    try:
        return packet.decode()
    except av.FFmpegError as error:
        signs.add(damage.describe_error(error))
        return []
