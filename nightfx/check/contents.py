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
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream
from numpy.typing import NDArray

from nightfx.options import MAX_PIXELS
from nightfx.source import FALLBACK_RATE, open_source, pick_stream, side_data_of

_JITTER = Fraction(2, 1000)  # seconds: two roundings to milliseconds, and a little

_STYLING = re.compile(r"\{[^}]*\}")  # as FFmpeg's decoders give it, in the manner of ASS
_EDGE = 4  # samples at a cut, which may be rounded to either side

Samples = NDArray[np.float32]
"""Sound (C, N), -1 to 1."""


@dataclass
class Picture:
    """The video stream that is rendered."""

    codec: str
    """Name of its codec."""
    tick: Fraction
    """Seconds in one tick of its clock."""
    rate: Fraction
    """Average pictures a second by the header; 25 where it does not say."""
    aspect: Fraction
    """Width of a pixel over its height; 1 if unknown."""
    claimed_end: Fraction | None
    """When its last picture ends by the header, in seconds."""
    times: list[Fraction] = field(default_factory=list)
    """When each picture is shown, in seconds."""
    end: Fraction = Fraction(0)
    """When the last one ends by its own duration, in seconds."""
    first: av.VideoFrame | None = None
    """The first picture."""
    side_data: set[str] = field(default_factory=set)
    """Kinds of side data on any picture, by FFmpeg's names."""


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
    timecode: str | None
    """Start timecode, wherever the container keeps it."""
    picture_metadata: dict[str, str]
    """Metadata of the picture's stream."""
    picture_language: str | None
    """Language of the picture's stream."""
    picture_disposition: int
    """Disposition of the picture's stream."""


def read_contents(
    path: Path, max_pixels: int = MAX_PIXELS, on_frame: Callable[[], None] = lambda: None
) -> Contents:
    """Decode the pictures and hash the packets of a clip; what does not decode is not there.

    `on_frame` is called for each picture. Raises SourceError for what is not a clip.
    """
    with open_source(path, max_pixels) as container:
        stream = pick_stream(container, path, max_pixels)
        stream.thread_type = "AUTO"
        contents = _outline(path, container, stream)
        for packet in _packets(container):
            if packet.stream.index == stream.index:
                for _ in range(_show(contents.picture, packet)):
                    on_frame()
            elif packet.stream.index in contents.tracks and packet.size and not packet.is_discard:
                contents.tracks[packet.stream.index].pieces.append(_piece(packet))
    return contents


def _outline(path: Path, container: InputContainer, stream: VideoStream) -> Contents:
    base, start = Fraction(stream.time_base or 1), stream.start_time
    claimed = (start or 0) + stream.duration if stream.duration else None
    picture = Picture(
        codec=stream.codec_context.codec.canonical_name,
        tick=base,
        rate=Fraction(stream.average_rate or stream.guessed_rate or FALLBACK_RATE),
        aspect=Fraction(stream.sample_aspect_ratio or 1),
        claimed_end=None if claimed is None else claimed * base,
    )
    tracks = {s.index: _track(s) for s in container.streams if s.index != stream.index}
    return Contents(
        path=path,
        picture=picture,
        picture_index=stream.index,
        tracks=tracks,
        chapters=[_chapter(chapter) for chapter in container.chapters()],
        metadata=dict(container.metadata),
        timecode=_timecode(container),
        picture_metadata=dict(stream.metadata),
        picture_language=_language(stream),
        picture_disposition=int(stream.disposition),
    )


def _packets(container: InputContainer) -> Iterator[av.Packet[Any]]:
    packets = container.demux()
    while True:
        try:
            yield next(packets)
        except (StopIteration, av.FFmpegError):
            return


def _show(picture: Picture, packet: av.Packet[Any]) -> int:
    """Take down the pictures of a packet, and return how many there are."""
    before = len(picture.times)
    with suppress(av.FFmpegError):
        for image in packet.decode():
            ticks, base = image.pts, Fraction(image.time_base or picture.tick)
            time = picture.end if ticks is None else ticks * base
            picture.times.append(time)
            picture.end = time + (image.duration or 0) * base
            picture.side_data |= set(side_data_of(image))
            picture.first = picture.first or image
    return len(picture.times) - before


def _track(stream: Stream) -> Track:
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
        metadata=dict(stream.metadata),
    )


def _piece(packet: av.Packet[Any]) -> CarriedPacket:
    ticks = packet.pts if packet.pts is not None else packet.dts
    start = Fraction((ticks or 0) * packet.time_base)
    end = start + (packet.duration or 0) * packet.time_base
    words = _subtitle_text(packet) if packet.stream.type == "subtitle" else None
    return CarriedPacket(start, end, hashlib.blake2b(bytes(packet), digest_size=16).digest(), words)


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
    for place in (*(s.metadata for s in container.streams), container.metadata):
        for key, value in place.items():
            if key.lower() == "timecode":
                return str(value)
    return None


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
