"""Fit a source's streams into a container, as they are or turned into another kind; a line for each that changes."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition, Stream

from nightfx.carry import boxes, convert, ebml, formats, sound
from nightfx.source import is_cover

_BY_SUFFIX = {"mp4": "mp4", "mkv": "matroska"}  # containers that have marks


def is_rebuilt(source: InputContainer, stream: Stream) -> bool:
    """Say whether the muxer writes this stream anew: a timecode track, chapter titles."""
    titles = getattr(stream, "name", None) == "bin_data" and bool(source.chapters())
    return stream.type == "data" and ("timecode" in stream.metadata or titles)


def refusals(
    source: InputContainer, container: str, video_index: int, *, cut: bool = False
) -> dict[int, str]:
    """Return a line for each stream, by index, that a container cannot hold.

    Where the beginning is `cut` off, another picture would begin between its key frames.
    """
    others = [s for s in source.streams if s.index != video_index and not is_rebuilt(source, s)]
    refused = {s.index: _refusal(s, container) for s in others if not _holds(container, s)}
    for stream in source.streams.video if cut else ():
        if stream.index != video_index and not is_cover(stream):
            line = f"video stream {stream.index} cannot be cut without encoding it: left out"
            refused.setdefault(stream.index, line)
    return refused


def conversions(source: InputContainer, container: str) -> dict[int, str]:
    """Return a line for each stream of sound or subtitles, by index, that is turned into another kind."""
    lines = {}
    for stream in source.streams:
        if _can_convert(container, stream) and not _fits(container, stream):
            is_sound = isinstance(stream, av.AudioStream)
            kind = sound.pcm_for(stream) if is_sound else formats.holds(container).text
            title = f"{'sound' if is_sound else 'subtitle'} stream {stream.index}"
            lines[stream.index] = f"{title} ({stream.codec_context.name}) is written as {kind}"
    return lines


def flag_lines(source: InputContainer, container: str, without: Collection[int]) -> Iterator[str]:
    """Yield a line for each stream that is marked as what a container has no mark for, but those `without` by index."""
    held = formats.holds(container)
    for stream in source.streams:
        lost = stream.disposition & ~held.flags & ~formats.DEFAULT_FLAG
        if lost and stream.index not in without and not is_cover(stream):
            marks = " and ".join((flag.name or "").replace("_", " ") for flag in lost)
            able = {n: not lost & ~formats.HOLDS[c].flags for n, c in _BY_SUFFIX.items()}
            keepers = " and ".join(suffix for suffix, keeps in able.items() if keeps)
            words = f"stream {stream.index} is marked {marks}, which {container} does not say"
            yield f"{words} ({keepers} can)" if keepers else words


def spoken_of(source: InputContainer, path: Path) -> ebml.Spoken:
    """Return what a source says in its container's own words, beyond what FFmpeg shows."""
    if "matroska" in source.format.name:
        return ebml.read_spoken(path)
    return ebml.Spoken(boxes.read_regions(path)) if "mov" in source.format.name else ebml.Spoken()


def _can_convert(container: str, stream: Stream) -> bool:
    return convert.can_convert(container, stream) or sound.can_be_pcm(container, stream)


def _holds(container: str, stream: Stream) -> bool:
    if stream.type in ("data", "unknown"):
        return False
    if is_cover(stream) and formats.holds(container).cover_files:
        return not stream.disposition & Disposition.timed_thumbnails
    if is_cover(stream) and not formats.holds(container).flags & formats.COVER_FLAG:
        return False
    return _fits(container, stream) or _can_convert(container, stream)


def _fits(container: str, stream: Stream) -> bool:
    """Try a header with this stream alone: the only reliable way to know, but for MXF."""
    if formats.holds(container).is_bare:  # wants a picture in every file
        return stream.type == "audio" and _is_plain_sound(
            stream, formats.holds(container).sound_rate
        )
    try:
        with av.open(io.BytesIO(), "w", format=container) as trial:
            copy = trial.add_stream_from_template(stream, opaque=True)
            copy.disposition = stream.disposition  # a cover is no ordinary track
            trial.start_encoding()
    except (av.FFmpegError, ValueError):
        return False
    return True


def _is_plain_sound(stream: Stream, rate: int | None) -> bool:
    context = stream.codec_context
    plain = context is not None and context.name in ("pcm_s16le", "pcm_s24le")
    return plain and getattr(context, "sample_rate", 0) == rate


def _refusal(stream: Stream, container: str) -> str:
    kind = {"audio": "sound"}.get(stream.type, "cover" if is_cover(stream) else stream.type)
    title = (
        stream.metadata.get("handler_name", "").strip()
        or getattr(stream, "name", None)
        or "unknown"
    )
    return f"{kind} stream {stream.index} ({title}) cannot be copied into {container}: left out"
