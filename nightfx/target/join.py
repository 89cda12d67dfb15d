"""A render in segments: each is encoded apart, and their packets are joined with the source's sound.

Containers shift, round or forget times, and each in its own way. So the file of a segment holds its packets, in coding
order, and what they mean is kept beside it: `EncodedSegment` is the truth, and the file's own times only let players show it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import av
from av.video.stream import VideoStream

from nightfx.carry import Note, Span, holds
from nightfx.disk import partial_file
from nightfx.errors import RetryError, TargetError
from nightfx.picture import Frame
from nightfx.source import ClipInfo
from nightfx.target import brightness, codecs, tail, writer
from nightfx.target.times import Packet, Times, end_in_order, told

_MOV_ONLY = ("prores", "dnxhr")  # NUT has no name for them; without B-frames mov is as good
_LEAD_TICKS = 1000  # NUT has no times below 0, where decoding begins


@dataclass(frozen=True)
class EncodedSegment:
    """The file of a segment, and what is in it."""

    times: Sequence[tuple[int, int]]
    """Pts and duration of each packet, in coding order, in the render's own ticks."""
    size_bytes: int
    """Size of the file in bytes."""
    crc: int
    """CRC-32 of the packets, one behind the other."""
    extradata: str
    """SHA-256 of what the encoder says of them all."""
    light: tuple[float, float] | None = None
    """MaxCLL and MaxFALL in cd/m², where they are measured."""


def segment_suffix(plan: codecs.OutputPlan) -> str:
    """The suffix of segments: of a container that keeps the very packets of the codec."""
    return ".mov" if plan.family in _MOV_ONLY else ".nut"


def write_segment(
    frames: Iterable[Frame],
    target: Path,
    *,
    head: writer.Head,
    info: ClipInfo,
    plan: codecs.OutputPlan,
    span: Span,
    goes_on: Callable[[], bool] = lambda: True,
    on_packet: Callable[[], None] = lambda: None,
) -> EncodedSegment:
    """Encode frames into a segment's file, which gets its name when it has been read back; raises as `write_clip`.

    When all frames have come, `goes_on` is asked whether others follow in the next segment.
    Several processes may write the same one at once: the last to end gives it its name.
    """
    times, measured = (
        Times(in_coding_order=False),
        brightness.Brightness() if head.measures_light else None,
    )
    pictures = times.watch(
        writer.images(measured.watch(frames) if measured else frames, plan, span)
    )
    with partial_file(target, target.parent) as part:
        packets, crc, said = _write(part, lambda video: told(tail.encode_segment(video, pictures, plan, goes_on), on_packet), head, info, plan)  # fmt: skip
        durations = [times.duration_of(pts) for pts in packets]
        if len(packets) != times.count or None in durations:
            raise TargetError(f"{target}: {times.count} frames became {len(packets)} packets")
        if _read_back(part) != (len(packets), crc):
            raise RetryError(f"{target}: does not read back as it was written: run again")
        light = (measured.max_cll, measured.max_fall) if measured else None
        pairs = [(pts, d or 0) for pts, d in zip(packets, durations, strict=True)]
        return EncodedSegment(pairs, part.stat().st_size, crc, said, light)


def _write(
    part: Path,
    packets: Callable[[VideoStream], Iterable[Packet]],
    head: writer.Head,
    info: ClipInfo,
    plan: codecs.OutputPlan,
) -> tuple[list[int], int, str]:
    """Write a segment's file; the pts of its packets, their CRC, and a hash of the extradata."""
    pts: list[int] = []
    crc, kind = 0, segment_suffix(plan)[1:]
    ticks = {"video_track_timescale": str(info.time_base.denominator)} if kind == "mov" else {}
    with av.open(part, "w", format=kind, container_options=ticks) as container:
        video = writer.add_video(container, head, info, replace(plan, container=kind))
        for packet in packets(video):
            assert packet.pts is not None, plan.encoder
            crc = zlib.crc32(packet, crc)
            pts.append(packet.pts)
            packet.pts -= min(pts) if kind == "mov" else pts[0] - _LEAD_TICKS
            packet.dts = packet.pts if kind == "mov" else len(pts)
            container.mux(packet)
        said = _digest(video)
    return pts, crc, said


def _digest(video: VideoStream) -> str:
    return sha256(video.codec_context.extradata or b"").hexdigest()


def _read_back(path: Path) -> tuple[int, int]:
    """Count and CRC of a segment's packets, when its first picture has decoded."""
    count = crc = 0
    with av.open(path) as container:
        for packet in container.demux(video=0):
            if packet.size:  # not the empty one that flushes decoders
                count, crc = count + 1, zlib.crc32(packet, crc)
    return (count, crc) if _begins(path) else (0, 0)


def _begins(path: Path) -> bool:
    """Whether the first packet decodes, by itself: a decoder that puts pictures in order would hold several."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        packet = next(container.demux(stream))
        return bool([*stream.decode(packet), *stream.decode(None)])


def join_segments(
    segments: Sequence[tuple[Path, EncodedSegment]],
    target: Path,
    *,
    head: writer.Head,
    source: Path | None,
    info: ClipInfo,
    plan: codecs.OutputPlan,
    span: Span,
    check: Callable[[Path], None] | None = None,
    on_note: Note,
    on_packet: Callable[[], None] = lambda: None,
) -> None:
    """Write the packets of segments, in order, and the source's sound, as `write_clip` writes those of an encoder.

    Raises RetryError for a segment that is damaged, which is removed, and TargetError where segments do not fit together.
    """
    times = [time for _, piece in segments for time in piece.times]
    with partial_file(target, segments[0][0].parent) as part:
        writer.refuse_source(source, target)
        writer.mux_clip(
            lambda video: told(
                _joined(segments, decoding_times(times), video, info, plan, target), on_packet
            ),
            *(part, head),
            source=source,
            info=info,
            plan=plan,
            span=span,
            end=lambda: max(pts + duration for pts, duration in times) * info.time_base,
            on_note=on_note,
        )
        lights = [piece.light for _, piece in segments if piece.light]
        if lights:
            whole = brightness.Brightness()
            whole.max_cll, whole.max_fall = (max(numbers) for numbers in zip(*lights, strict=True))
            whole.write(part)
        if check:
            check(part)


def decoding_times(times: Sequence[tuple[int, int]]) -> list[int]:
    """A dts for each packet of (pts, duration) in coding order, as if they were of one encoder.

    A segment that begins with its own delay would begin to decode before the end of the one before it. So the times of
    all packets, sorted, are given out again, later by the largest delay of any.
    """
    shown = sorted(pts for pts, _ in times)
    ranks = {pts: rank for rank, pts in enumerate(shown)}
    delay = max(place - ranks[pts] for place, (pts, _) in enumerate(times))
    lead = shown[delay] - shown[0]
    return [*(pts - lead for pts in shown[:delay]), *shown[: len(shown) - delay]]


def _joined(
    segments: Sequence[tuple[Path, EncodedSegment]],
    decoding: Sequence[int],
    video: VideoStream,
    info: ClipInfo,
    plan: codecs.OutputPlan,
    target: Path,
) -> Iterator[Packet]:
    """All packets, with their times."""
    _check_fit(segments, target)
    times = [time for _, piece in segments for time in piece.times]
    end = max(pts + duration for pts, duration in times)
    delay = min(pts for pts, _ in times) - decoding[0]
    stamps = zip(decoding, times, strict=True)
    left = len(times)
    for path, piece in segments:
        for packet in _stored(path, piece):
            packet.stream, packet.time_base = video, info.time_base
            packet.dts, (packet.pts, packet.duration) = next(stamps)
            left -= 1
            if not left and holds(plan.container).is_movie:
                end_in_order(packet, end, delay, decoding[-2] if len(decoding) > 1 else None)
            yield packet
    if segments[0][1].extradata != _digest(video):  # known from the first packet on
        raise TargetError(f"{target}: its encoder is not that of the segments: --fresh begins anew")


def _check_fit(segments: Sequence[tuple[Path, EncodedSegment]], target: Path) -> None:
    for (_, a), (path, b) in pairwise(segments):
        if a.extradata != b.extradata:
            raise TargetError(
                f"{target}: {path.name} has another header than the segment before it"
                " and cannot be joined to it: --fresh begins anew"
            )
        if max(pts for pts, _ in a.times) >= min(pts for pts, _ in b.times):
            raise TargetError(f"{target}: {path.name} overlaps the segment before it in time")


def _stored(path: Path, piece: EncodedSegment) -> Iterator[Packet]:
    """The packets of a segment; a damaged one is removed, and RetryError raised."""
    crc = count = 0
    try:
        with av.open(path) as container:
            for packet in container.demux(video=0):
                if packet.size:
                    crc, count = zlib.crc32(packet, crc), count + 1
                    if count <= len(piece.times):
                        yield packet
    except av.FFmpegError:
        count = -1
    if (count, crc) != (len(piece.times), piece.crc):
        path.unlink(missing_ok=True)
        raise RetryError(f"{path}: this segment is damaged and was removed: run again")
