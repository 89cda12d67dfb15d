"""Read all that a clip holds, by plain decoding and demuxing: the truth that a render is held against.

Nothing here comes from the reader that renders, nor from a count in a header: every picture is
decoded anew, and every packet beside the picture is hashed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.stream import AttachmentStream, Stream
from av.video.stream import VideoStream
from numpy.typing import NDArray

from nightfx.carry.timecode import other_timecodes
from nightfx.check.clip.headers import Headers, read_headers
from nightfx.check.clip.looks import Looks
from nightfx.options import MAX_PIXELS
from nightfx.source import FALLBACK_RATE, open_source, pick_stream

_JITTER = Fraction(2, 1000)  # seconds: two roundings to milliseconds, and a little

_STYLING = re.compile(r"\{[^}]*\}")  # as FFmpeg's decoders give it, in the manner of ASS
_EDGE = 4  # samples at a cut, which may be rounded to either side

OnFrame = Callable[[], None]
"""Called for each picture that was looked at."""


def silent() -> None:
    """Tell nobody."""


Samples = NDArray[np.float32]
"""Sound (C, N), -1 to 1."""


@dataclass
class Picture:
    """The video stream that is rendered."""

    codec: str
    """Name of its codec."""
    profile: str
    """Profile of its codec, such as `HQ` for ProRes; empty if unknown."""
    tick: Fraction
    """Seconds in one tick of its clock."""
    rate: Fraction
    """Average pictures a second by the header; 25 where it does not say."""
    aspect: Fraction
    """Width of a pixel over its height by the container; 1 if unknown."""
    claimed_end: Fraction | None
    """When its last picture ends by the header, in seconds."""
    times: list[Fraction] = field(default_factory=list)
    """When each picture is shown, in seconds."""
    decode_ticks: list[int | None] = field(default_factory=list)
    """When each picture left the decoder, in ticks: its time, where a file has no true ones."""
    end: Fraction = Fraction(0)
    """When the last one ends by its own duration, in seconds."""
    looks: Looks = field(default_factory=Looks)
    """What each picture says of itself."""

    @property
    def first(self) -> av.VideoFrame | None:
        """The first picture."""
        return self.looks.first


@dataclass(frozen=True)
class CarriedPacket:
    """A packet beside the picture."""

    start: Fraction
    """When it begins, in seconds."""
    end: Fraction
    """When it ends, in seconds."""
    digest: bytes
    """Hash of its bytes."""
    text: str | None
    """Its words, if it is a subtitle that has words."""


@dataclass
class Track:
    """A stream beside the picture."""

    index: int
    """Its index in the file."""
    kind: str
    """audio, subtitle, video, data, attachment or unknown."""
    codec: str
    """Name of its codec, or of the file attached."""
    language: str | None
    """Its language, None where it is not said."""
    disposition: int
    """FFmpeg's flags: default, forced, a cover picture …"""
    metadata: dict[str, str]
    """Its metadata."""
    shape: str
    """Of sound its channels, their places, rate and type."""
    digest: bytes
    """Hash of a file attached; empty of all others."""
    primers: list[CarriedPacket] = field(default_factory=list)
    """Packets that only prime the decoder, by the container."""
    pieces: list[CarriedPacket] = field(default_factory=list)
    """Its packets, those that are shown or heard."""


@dataclass
class Contents:
    """All of a clip."""

    path: Path
    """The file."""
    picture: Picture
    """The picture's stream."""
    picture_index: int
    """Index of its stream."""
    tracks: dict[int, Track]
    """All other streams, by index."""
    chapters: list[tuple[Fraction, Fraction, str]]
    """Start, end and title of each chapter, in seconds."""
    metadata: dict[str, str]
    """Metadata of the container."""
    format_name: str
    """FFmpeg's name of the container's reader."""
    headers: Headers
    """What the container says in its own words."""
    timecode: str | None
    """Start timecode, wherever the container keeps it."""
    other_timecodes: tuple[str, ...]
    """What streams and file say beside it."""
    timecode_metadata: list[dict[str, str]]
    """Metadata of each timecode track."""
    picture_metadata: dict[str, str]
    """Metadata of the picture's stream."""
    picture_language: str | None
    """Language of the picture's stream."""
    picture_disposition: int
    """Disposition of the picture's stream."""


def read_contents(
    path: Path, max_pixels: int = MAX_PIXELS, *, last: int | None = None, on_frame: OnFrame = silent
) -> Contents:
    """Decode the pictures and hash the packets of a clip; what does not decode is not there.

    With `last` reading ends there, in pictures: enough to say what is in a clip. `on_frame` is called for each picture.
    Raises SourceError for what is not a clip.
    """
    with open_source(path, max_pixels) as container:
        stream = pick_stream(container, path, max_pixels)
        stream.thread_type = "AUTO"
        contents = _outline(path, container, stream)
        for packet in _packets(container):
            if packet.stream.index == stream.index:
                for _ in range(_show(contents.picture, packet, stream, last)):
                    on_frame()
                if last is not None and contents.picture.looks.count >= last:
                    break
            elif packet.stream.index in contents.tracks and packet.size:
                track = contents.tracks[packet.stream.index]
                (track.primers if packet.is_discard else track.pieces).append(_piece(packet))
    _by_decoder(contents.picture)
    return contents


def _by_decoder(picture: Picture) -> None:
    """Take pictures as shown when they leave the decoder, where only so their times run on: AVI has no others."""
    known = [tick for tick in picture.decode_ticks if tick is not None]
    unknown, picture.decode_ticks = len(picture.decode_ticks) - len(known), []
    runs_on = all(a < b for a, b in pairwise(picture.times))
    if runs_on or len(known) < 2 or not all(a < b for a, b in pairwise(known)):
        return
    step = Fraction(
        known[-1] - known[0], len(known) - 1
    )  # the last ones are flushed without a time
    ticks = [Fraction(tick) for tick in known]
    ticks += [known[-1] + step * count for count in range(1, unknown + 1)]
    picture.times = [tick * picture.tick for tick in ticks]
    picture.end = picture.times[-1] + step * picture.tick
    picture.claimed_end = None


def _outline(path: Path, container: InputContainer, stream: VideoStream) -> Contents:
    base, start = Fraction(stream.time_base or 1), stream.start_time
    claimed = (start or 0) + stream.duration if stream.duration else None
    picture = Picture(
        codec=stream.codec_context.codec.canonical_name,
        profile=stream.profile or "",
        tick=base,
        rate=_rate(stream),
        aspect=Fraction(stream.sample_aspect_ratio or 1),
        claimed_end=None if claimed is None else claimed * base,
    )
    tracks = {s.index: _track(s, container) for s in container.streams if s.index != stream.index}
    return Contents(
        path=path,
        picture=picture,
        picture_index=stream.index,
        tracks=tracks,
        chapters=[_chapter(chapter) for chapter in container.chapters()],
        metadata=dict(container.metadata),
        format_name=container.format.name,
        headers=read_headers(path, container.format.name, stream.index),
        timecode=_timecode(container),
        other_timecodes=other_timecodes(_places(container), _timecode(container)),
        timecode_metadata=[
            dict(s.metadata)
            for s in container.streams
            if s.type == "data" and "timecode" in s.metadata
        ],
        picture_metadata=_own_metadata(stream, container),
        picture_language=_language(stream),
        picture_disposition=int(stream.disposition),
    )


def _rate(stream: VideoStream) -> Fraction:
    """Return the average rate by the header, but of DV, where FFmpeg takes the clock for it."""
    is_dv = stream.codec_context.codec.canonical_name == "dvvideo"
    rate = (is_dv and stream.guessed_rate) or stream.average_rate
    return Fraction(rate or stream.guessed_rate or FALLBACK_RATE)


def _packets(container: InputContainer) -> Iterator[av.Packet[Any]]:
    packets = container.demux()
    while True:
        try:
            yield next(packets)
        except (StopIteration, av.FFmpegError):
            return


def _show(picture: Picture, packet: av.Packet[Any], stream: VideoStream, last: int | None) -> int:
    """Look at the pictures of a packet, and return how many there are."""
    before = picture.looks.count
    with suppress(av.FFmpegError):
        for image in packet.decode():
            if last is not None and picture.looks.count >= last:
                break
            ticks, base = image.pts, Fraction(image.time_base or picture.tick)
            time = picture.end if ticks is None else ticks * base
            picture.times.append(time)
            picture.decode_ticks.append(image.dts)
            picture.end = time + (image.duration or 0) * base
            picture.looks.add(image, stream)
    return picture.looks.count - before


def _own_metadata(stream: Stream, container: InputContainer) -> dict[str, str]:
    """Return what is said of a stream beside what is said of its file: QuickTime repeats when it was made."""
    made = container.metadata.get("creation_time")
    return {k: v for k, v in stream.metadata.items() if k != "creation_time" or v != made}


def _track(stream: Stream, container: InputContainer) -> Track:
    named = (
        stream.metadata.get("filename")
        if stream.type == "attachment"
        else getattr(stream, "name", None)
    )
    return Track(
        index=stream.index,
        kind=stream.type,
        codec=named or "unknown",
        language=_language(stream),
        disposition=int(stream.disposition),
        metadata=_own_metadata(stream, container),
        shape=_shape(stream),
        digest=_digest(bytes(stream.data or b"")) if isinstance(stream, AttachmentStream) else b"",
    )


def _shape(stream: Stream) -> str:
    context = stream.codec_context
    if not isinstance(context, av.AudioCodecContext) or not context.sample_rate:
        return ""
    layout, form = context.layout, context.format
    kind = form.name.removesuffix("p") if form else "?"
    return f"{layout.nb_channels} ({layout.name}) {context.sample_rate} Hz {kind}"


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def _piece(packet: av.Packet[Any]) -> CarriedPacket:
    ticks = packet.pts if packet.pts is not None else packet.dts
    start = Fraction((ticks or 0) * packet.time_base)
    end = start + (packet.duration or 0) * packet.time_base
    words = _subtitle_text(packet) if packet.stream.type == "subtitle" else None
    return CarriedPacket(start, end, _digest(_without_adts(bytes(packet))), words)


def _without_adts(data: bytes) -> bytes:
    """Return AAC without the header that MPEG streams have before each packet, and other bytes as they are."""
    if len(data) < 9 or data[0] != 0xFF or data[1] & 0xF6 != 0xF0:
        return data
    length = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
    return data[7 if data[1] & 1 else 9 :] if length == len(data) else data


def _subtitle_text(packet: av.Packet[Any]) -> str | None:
    """Return the words of a subtitle packet without their styling; None where it has none."""
    try:
        pieces = packet.decode()
    except (av.FFmpegError, ValueError):
        return None
    dialogues = [
        piece.dialogue for piece in pieces if isinstance(piece, av.subtitles.subtitle.AssSubtitle)
    ]
    return _STYLING.sub("", b"\n".join(dialogues).decode(errors="replace")).strip() or None


def _chapter(chapter: Any) -> tuple[Fraction, Fraction, str]:
    base = Fraction(chapter["time_base"])
    title = chapter["metadata"].get("title", "")
    return chapter["start"] * base, chapter["end"] * base, title


def _timecode(container: InputContainer) -> str | None:
    return next(iter(other_timecodes(_places(container), None)), None)


def _places(container: InputContainer) -> list[dict[str, str]]:
    return [*(s.metadata for s in container.streams), container.metadata]


def _language(stream: Stream) -> str | None:
    language = stream.metadata.get("language") or stream.language
    return None if language in (None, "und", "") else language


def read_sound(
    path: Path, index: int, start: Fraction, end: Fraction | None
) -> Iterator[tuple[int, Samples]]:
    """Decode the sound of a stream from start to end, in seconds of the file's clock, but the samples at the edges.

    Yields where a block begins, in samples from `start`, and the block (C, N).
    """
    with open_source(path) as container:
        stream = container.streams[index]
        assert isinstance(stream, av.AudioStream), stream
        flat, due = av.AudioResampler(format="fltp"), 0
        for packet in _packets_of(container, stream):
            with suppress(av.FFmpegError):
                for heard in stream.codec_context.decode(packet):
                    at = _position(heard, start, due)
                    due = at + heard.samples
                    yield from _cut(flat.resample(heard), at, start, end)


def _position(heard: av.AudioFrame, start: Fraction, due: int) -> int:
    """Return where a block of sound begins, in samples; a clock of milliseconds may be that much off."""
    seconds = (heard.pts or 0) * Fraction(heard.time_base or 1)
    at = round((seconds - start) * heard.sample_rate)
    return due if abs(at - due) <= _JITTER * heard.sample_rate else at


def _cut(
    blocks: list[av.AudioFrame], at: int, start: Fraction, end: Fraction | None
) -> Iterator[tuple[int, Samples]]:
    for block in blocks:
        samples = block.to_ndarray().astype(np.float32, copy=False)
        stop = None if end is None else round((end - start) * block.sample_rate) - _EDGE - at
        first = max(_EDGE - at, 0)
        last = samples.shape[1] if stop is None else min(samples.shape[1], stop)
        if last > first:
            yield at + first, samples[:, first:last]
        at += samples.shape[1]


def _packets_of(container: InputContainer, stream: Stream) -> Iterator[av.Packet[Any]]:
    for other in container.streams:
        if other.index != stream.index:
            other.discard = av.stream.Discard.all
    return (packet for packet in _packets(container) if packet.stream.index == stream.index)
