"""Carry everything but the picture from the source into the render: sound, subtitles, chapters,
attachments, metadata. Packets are copied, never decoded."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import av
from av.container import OutputContainer
from av.stream import Discard, Stream

from nightfx.video.probe import is_cover, open_source

Note = Callable[[str], None]
V = TypeVar("V", bound=Stream)

# written by every muxer itself, or true of the source file only
OWN_KEYS = {"major_brand", "minor_version", "compatible_brands", "encoder", "timecode"}
STREAM_KEYS = {"encoder", "timecode", "duration", "bps", "number_of_frames", "number_of_bytes"}


@dataclass(frozen=True)
class Span:
    """What part of the source is written, in seconds of the source's own clock."""

    start: Fraction | None = None
    """Time that becomes the render's beginning; None takes all from the first packet."""
    end: Fraction | None = None
    """Time at which the render ends; None takes all to the last packet."""
    shift: Fraction = Fraction(0)
    """Seconds that are subtracted from every time."""


class Carrier:
    """Copies the other streams of a source, in step with the picture so that memory stays small."""

    def __init__(self, source: Path, span: Span, on_note: Note) -> None:
        self._span = span
        self._on_note = on_note
        self._close = ExitStack()
        self._source = self._close.enter_context(open_source(source))
        self._target: OutputContainer | None = None
        self._pairs: dict[int, Stream] = {}
        self._packets: Iterator[av.Packet[Any]] = iter(())
        self._waiting: av.Packet[Any] | None = None

    def __enter__(self) -> Carrier:
        return self

    def __exit__(self, *_: object) -> None:
        self._close.close()

    @property
    def metadata(self) -> dict[str, str]:
        """Metadata of the container that belongs into the render."""
        own = self._source.metadata.items()
        return {key: value for key, value in own if key.lower() not in OWN_KEYS}

    @property
    def sample_rates(self) -> list[int]:
        """Sample rates of the source's sound streams."""
        return [s.codec_context.sample_rate for s in self._source.streams.audio if s.codec_context]

    def attach(
        self, target: OutputContainer, video_index: int, add_video: Callable[[], V], *, sound: bool
    ) -> V:
        """Give the target our metadata, chapters and streams, in our order; return its video.

        Streams that it cannot hold are noted. Without `sound` the picture goes alone.
        """
        self._target = target
        target.metadata.update(self.metadata)
        chapters = [_moved(chapter, self._span) for chapter in self._source.chapters()]
        target.set_chapters([chapter for chapter in chapters if chapter])
        for stream in self._source.streams:
            if stream.index == video_index:
                video = add_video()
                copy_metadata(stream, video)
            elif sound and not self._is_rebuilt(stream):
                self._add(stream, target)
        self._begin()
        return video

    def copy_until(self, seconds: Fraction | None) -> None:
        """Copy the packets up to a time in the source's clock; None copies the rest."""
        while (packet := self._next()) is not None:
            if seconds is not None and _start(packet) > seconds:
                return
            self._waiting = None
            self._copy(packet)

    def _is_rebuilt(self, stream: Stream) -> bool:
        """Say whether the muxer writes this stream anew: a timecode track, chapter titles."""
        if stream.type == "video":  # another real video stream: the reader has told the user
            return not is_cover(stream)
        titles = stream.name == "bin_data" and bool(self._source.chapters())
        return stream.type == "data" and ("timecode" in stream.metadata or titles)

    def _add(self, stream: Stream, target: OutputContainer) -> None:
        if stream.type in ("data", "unknown") or not _fits(target.format.name, stream):
            self._on_note(_refusal(stream, target.format.name))
            return
        copy = target.add_stream_from_template(stream, opaque=True)
        copy_metadata(stream, copy)
        self._pairs[stream.index] = copy

    def _begin(self) -> None:
        copied = [s for s in self._source.streams if s.index in self._pairs]
        for stream in self._source.streams:
            if stream.index not in self._pairs:
                stream.discard = Discard.all
        if copied:
            self._packets = self._source.demux(copied)

    def _next(self) -> av.Packet[Any] | None:
        while self._waiting is None:
            try:
                packet = next(self._packets, None)
            except av.FFmpegError as error:
                self._on_note(f"sound and subtitles end early: {error.strerror}")
                self._packets, packet = iter(()), None
            if packet is None:
                return None
            if packet.size or packet.pts is not None:  # not the empty ones that flush decoders
                self._waiting = packet
        return self._waiting

    def _copy(self, packet: av.Packet[Any]) -> None:
        if not is_cover(packet.stream):
            if not _inside(packet, self._span):
                return
            shift = round(self._span.shift / packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts - shift
            packet.dts = None if packet.dts is None else packet.dts - shift
        packet.stream = self._pairs[packet.stream.index]
        assert self._target is not None, "attach comes first"
        self._target.mux(packet)


class Alone:
    """In place of a carrier where the source, a sequence, has nothing besides its picture."""

    metadata: dict[str, str] = {}  # noqa: RUF012 - of no use to anyone who would write to it
    sample_rates: tuple[int, ...] = ()

    def __enter__(self) -> Alone:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was opened."""

    def attach(
        self, target: OutputContainer, video_index: int, add_video: Callable[[], V], *, sound: bool
    ) -> V:
        """Return the target's video."""
        return add_video()

    def copy_until(self, seconds: Fraction | None) -> None:
        """Copy nothing."""


def copy_metadata(source: Stream, target: Stream) -> None:
    """Copy a stream's metadata and disposition, which a template leaves behind."""
    items = source.metadata.items()
    target.metadata.update({k: v for k, v in items if k.split("-")[0].lower() not in STREAM_KEYS})
    target.disposition = source.disposition


def _fits(container: str, stream: Stream) -> bool:
    """Try a header with this stream alone: the only reliable way to know."""
    try:
        with av.open(io.BytesIO(), "w", format=container) as trial:
            copy = trial.add_stream_from_template(stream, opaque=True)
            copy.disposition = stream.disposition  # a cover is no ordinary track
            trial.start_encoding()
    except (av.FFmpegError, ValueError):
        return False
    return True


def _refusal(stream: Stream, container: str) -> str:
    kind = {"audio": "sound", "data": "data", "subtitle": "subtitle"}.get(stream.type, stream.type)
    title = stream.metadata.get("handler_name", "").strip() or stream.name or "unknown"
    return f"{kind} stream {stream.index} ({title}) cannot be copied into {container}: left out"


def _moved(chapter: Any, span: Span) -> Any:
    """Return a chapter on the render's clock, or None where the render does not reach it."""
    base = Fraction(chapter["time_base"])
    shift = round(span.shift / base)
    end = chapter["end"] if span.end is None else min(chapter["end"], round(span.end / base))
    start = max(chapter["start"] - shift, 0) if shift else chapter["start"]
    if end - shift <= start:
        return None
    return {**chapter, "start": start, "end": end - shift}


def _inside(packet: av.Packet[Any], span: Span) -> bool:
    start = _start(packet)
    end = start + (packet.duration or 0) * packet.time_base
    after_start = span.start is None or end > span.start
    return after_start and (span.end is None or start < span.end)


def _start(packet: av.Packet[Any]) -> Fraction:
    ticks = packet.pts if packet.pts is not None else packet.dts
    return Fraction((ticks or 0) * packet.time_base)
