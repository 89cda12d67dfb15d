"""Carry everything but the picture from the source into the render: sound, subtitles, chapters,
attachments, metadata. Packets are copied, but PCM that is cut, and sound and text of another kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import av
from av.container import OutputContainer
from av.stream import Discard, Stream

from nightfx.carry import convert, ebml, fit, formats, losses, sound
from nightfx.carry.sound import Cutter, Sound, is_pcm
from nightfx.source import Bridge, is_cover, joints_of, open_source

Note = Callable[[str], None]
V = TypeVar("V", bound=Stream)

# written by every muxer itself, or true of the source file only
OWN_KEYS = {"major_brand", "minor_version", "compatible_brands", "encoder", "timecode"}
STREAM_KEYS = {"encoder", "timecode", "duration", "bps", "number_of_frames", "number_of_bytes"}
STREAM_KEYS |= {"alpha_mode"}  # of alpha beside the pictures, which no render has


@dataclass(frozen=True)
class Span:
    """The part of the source that is written, in seconds of the source's own clock."""

    start: Fraction | None = None
    """Time that becomes the render's beginning; None takes all from the first packet."""
    end: Fraction | None = None
    """Time at which the render ends; None takes all to the last packet."""
    shift: Fraction = Fraction(0)
    """Seconds that are subtracted from every time."""
    packets: int | None = None
    """How many packets of the source are looked at, for a trial; None looks at all that are carried."""


class Carrier:
    """Copies the other streams of a source, in step with the picture so that memory stays small."""

    def __init__(self, source: Path, span: Span, on_note: Note) -> None:
        self._path, self._span = source, span
        self._on_note = on_note
        self._close = ExitStack()
        self._source = self._close.enter_context(open_source(source))
        self._bridge = Bridge(joints_of(source))
        self._spoken = fit.spoken_of(self._source, source)
        self._target: OutputContainer | None = None
        self._pairs: dict[int, Stream] = {}
        self._picture = -1
        self._cutters: dict[int, Cutter] = {}
        self._texts: dict[int, convert.Subtitles] = {}
        self._sounds: dict[int, Sound] = {}
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
    def chapters(self) -> bytes:
        """Chapters in Matroska's own words, on the render's clock, where they say more than FFmpeg shows."""
        own, span = self._spoken.chapters, self._span
        is_cut = own and (span.shift or span.end is not None)
        return ebml.moved_chapters(own, span.shift, span.end) if is_cut else own

    @property
    def regions(self) -> dict[int, str]:
        """Languages with their regions, by the place of the track in the target."""
        pairs = [(self._pairs.get(index), name) for index, name in self._spoken.regions.items()]
        return {place_of(stream): name for stream, name in pairs if stream is not None}

    @property
    def dates(self) -> dict[int, str]:
        """When tracks were made, by their place in the target, where that is not when the file was."""
        file, pairs = _date_of(self._source.metadata), self._pairs
        made = {i: _date_of(self._source.streams[i].metadata) for i in pairs}
        own = {i: date for i, date in made.items() if date and date != file}
        return {place_of(pairs[i]): date for i, date in own.items() if not is_cover(pairs[i])}

    @property
    def _is_bare(self) -> bool:
        return self._target is not None and formats.holds(self._target.format.name).is_bare

    @property
    def sample_rates(self) -> list[int]:
        """Sample rates of the source's sound streams."""
        return [s.codec_context.sample_rate for s in self._source.streams.audio if s.codec_context]

    def attach(
        self,
        target: OutputContainer,
        video_index: int,
        add_video: Callable[[], V],
    ) -> V:
        """Give the target our metadata, chapters and streams, in our order; return its video.

        Streams that it cannot hold are noted.
        """
        self._target, self._picture = target, video_index
        target.metadata.update(self.metadata)
        chapters = [_moved(chapter, self._span) for chapter in self._source.chapters()]
        target.set_chapters([chapter for chapter in chapters if chapter])
        for line in losses.spoken_lines(self._spoken, target.format.name):
            self._on_note(line)
        cut = self._span.start is not None
        refused = fit.refusals(self._source, target.format.name, video_index, cut=cut)
        for line in fit.flag_lines(self._source, target.format.name, refused):
            self._on_note(line)
        for stream in self._source.streams:
            if stream.index == video_index:
                video = add_video()
                self._pairs[stream.index] = video
                _copy_metadata(stream, video, target.format.name)
            elif stream.index in refused:
                self._on_note(refused[stream.index])
            elif not fit.is_rebuilt(self._source, stream):
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

    def finish(self, end: Fraction) -> None:
        """Copy the rest; the picture ends at `end`, in the source's clock."""
        self.copy_until(None)
        for index, text in self._texts.items():
            for piece in text.convert(None):
                self._mux_moved(piece, index)
        for index, stream in self._sounds.items():
            for piece in stream.convert(None):
                self._mux_moved(piece, index)
            # its writer drops pictures that have no sound
            for piece in stream.until(end) if self._is_bare else ():
                self._mux_moved(piece, index)

    def _add(self, stream: Stream, target: OutputContainer) -> None:
        container = target.format.name
        line = fit.conversions(self._source, container).get(stream.index)
        name = sound.name_needed(container, stream)
        for told in (line, sound.name_line(container, stream)):
            if told:
                self._on_note(told)
        if is_cover(stream) and formats.holds(container).cover_files:
            _attach_cover(self._path, stream, target)
            return
        if line or self._is_bare:
            copy = self._add_converted(stream, target)
        else:
            copy = target.add_stream_from_template(stream, opaque=True)
            if name and isinstance(copy, av.AudioStream):
                copy.codec_context.layout = name
        if isinstance(copy, av.AudioStream) and is_pcm(copy):
            self._cutters[stream.index] = Cutter(copy, self._span.start, self._span.end)
        _copy_metadata(stream, copy, container)
        self._pairs[stream.index] = copy

    def _add_converted(self, stream: Stream, target: OutputContainer) -> Stream:
        if isinstance(stream, av.AudioStream):
            start = self._span.start or Fraction(0)
            pcm = self._sounds[stream.index] = Sound(stream, target, start)
            return pcm.stream
        text = self._texts[stream.index] = convert.Subtitles(stream, target)
        return text.stream

    def _begin(self) -> None:
        copied = [s for s in self._source.streams if s.index in self._pairs]
        copied = [s for s in copied if s.index != self._picture]
        if self._span.packets is not None:
            some = islice(self._source.demux(), self._span.packets)
            self._packets = (packet for packet in some if packet.stream in copied)
            return
        for stream in self._source.streams:
            if stream not in copied:
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
                self._bridge.move(packet)
                self._waiting = None if self._bridge.is_late(packet) else packet
        return self._waiting

    def _copy(self, packet: av.Packet[Any]) -> None:
        index = packet.stream.index
        if is_cover(packet.stream):
            self._mux(packet, index)
            return
        # decoded all the same: what lies before the start, decoders and the count of samples need
        turned = self._sounds.get(index) or self._texts.get(index)
        for piece in turned.convert(packet) if turned else [packet]:
            self._mux_moved(piece, index)

    def _mux_moved(self, packet: av.Packet[Any], index: int) -> None:
        """Write what of a packet belongs into the render, on the render's clock."""
        if (new := self._converted(packet, index)) is not None:
            shift = round(self._span.shift / new.time_base)
            new.pts = None if new.pts is None else new.pts - shift
            new.dts = None if new.dts is None else new.dts - shift
            self._mux(new, index)

    def _converted(self, packet: av.Packet[Any], index: int) -> av.Packet[Any] | None:
        """Return what of a packet belongs into the render, or None."""
        if index in self._cutters:  # which counts the samples outside too
            return self._cutters[index].cut(packet)
        return packet if _inside(packet, self._span) else None

    def _mux(self, packet: av.Packet[Any], index: int) -> None:
        packet.stream = self._pairs[index]
        assert self._target is not None, "attach comes first"
        self._target.mux(packet)


class Alone:
    """In place of a carrier where the source, a sequence, has nothing besides its picture."""

    chapters = b""
    regions: dict[int, str] = {}  # noqa: RUF012 - as below
    dates: dict[int, str] = {}  # noqa: RUF012 - as below
    metadata: dict[str, str] = {}  # noqa: RUF012 - of no use to anyone who would write to it
    sample_rates: tuple[int, ...] = ()

    def __enter__(self) -> Alone:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was opened."""

    def attach(
        self,
        target: OutputContainer,
        video_index: int,
        add_video: Callable[[], V],
    ) -> V:
        """Return the target's video."""
        return add_video()

    def copy_until(self, seconds: Fraction | None) -> None:
        """Copy nothing."""

    def finish(self, end: Fraction) -> None:
        """Copy nothing."""


def place_of(stream: Stream) -> int:
    """Return the place of a stream among the tracks of its file, which files attached and covers are not."""
    before = list(stream.container.streams)[: stream.index]
    return sum(one.type != "attachment" and not is_cover(one) for one in before)


_COUNTED = {"bps", "duration", "number_of_frames", "number_of_bytes"}


def _date_of(metadata: dict[str, str]) -> str | None:
    return next((v for k, v in metadata.items() if k.lower() == "creation_time"), None)


def _attach_cover(path: Path, stream: Stream, target: OutputContainer) -> None:
    with open_source(path) as source:
        picture = next((p for p in source.demux(source.streams[stream.index]) if p.size), None)
    kind = "jpeg" if stream.codec_context.name == "mjpeg" else stream.codec_context.name
    name = stream.metadata.get("filename", f"cover.{'jpg' if kind == 'jpeg' else kind}")
    mimetype = stream.metadata.get("mimetype", f"image/{kind}")
    if picture is not None:
        file = target.add_attachment(name, mimetype, bytes(picture))
        file.metadata.update(stream.metadata | file.metadata)


def is_statistic(key: str) -> bool:
    """Whether a key's value was counted from the packets of a stream, as mkvmerge does: true of those packets alone."""
    name = key.split("-")[0].lower()
    return name in _COUNTED or name.startswith("_statistics")


def _copy_metadata(source: Stream, target: Stream, container: str) -> None:
    """Copy a stream's metadata and disposition, which a template leaves behind."""
    items = ((k, v) for k, v in source.metadata.items() if not is_statistic(k))
    kept = {k: v for k, v in items if k.split("-")[0].lower() not in STREAM_KEYS}
    if (
        "name" in kept and "title" not in kept
    ):  # QuickTime's word, which other muxers take for any key
        kept["title"] = kept.pop("name")
    if formats.holds(container).numbers_languages and "language" in kept:
        kept["language"] = convert.mov_language(kept["language"])
    target.metadata.update(kept)
    target.disposition = source.disposition


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
