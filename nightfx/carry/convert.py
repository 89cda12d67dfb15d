"""Turn subtitles into the kind that a container takes, and name languages as it does."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
from av.container import OutputContainer
from av.stream import Stream

from nightfx.carry.cues import Cue, Overlaps
from nightfx.carry.formats import holds

_TEXTS = {"subrip", "srt", "ass", "ssa", "webvtt", "mov_text", "text", "microdvd", "stl", "sami"}

# QuickTime has numbers for some languages, under the names that it knows them by
_MOV_LANGUAGES = {"deu": "ger", "nld": "dut", "ell": "gre", "isl": "ice", "zho": "chi"}
_MOV_LANGUAGES |= {"sqi": "alb", "mkd": "mac", "swe": "sve"}
_ONE_LANGUAGE = _MOV_LANGUAGES | {"fre": "fra", "cze": "ces", "slo": "slk", "rum": "ron"}


class Subtitles:
    """A text stream on its way into a container that takes another kind of text."""

    def __init__(self, source: Stream, target: OutputContainer) -> None:
        assert isinstance(source, av.subtitles.stream.SubtitleStream), source
        source.codec_context.open(strict=False)
        self._decoder = source.codec_context
        kind = holds(target.format.name).text
        assert kind, target.format.name
        self.stream = target.add_stream(kind)
        assert isinstance(self.stream, av.subtitles.stream.SubtitleStream)
        self._encoder = self.stream.codec_context
        self._encoder.subtitle_header = self._decoder.subtitle_header
        self._encoder.time_base = Fraction(1, 1000)
        self._is_movie = holds(target.format.name).is_movie
        self._overlaps, self._tick = Overlaps(), Fraction(1, 1000)

    def convert(self, packet: av.Packet[Any] | None) -> Iterator[av.Packet[Any]]:
        """Yield a packet in the new kind, its time kept; None is the end. In mp4 and mov, what overlaps is read as one."""
        if packet is None:
            yield from map(self._written, self._overlaps.until(math.inf))
            return
        words = self._decoder.decode2(packet)
        if words is None or not len(words):
            return
        start, self._tick = packet.pts or 0, packet.time_base
        cue = Cue(
            start, start + (packet.duration or 0), bytes(self._encoder.encode_subtitle(words))
        )
        lasts = cue.end > cue.start and self._is_movie
        yield from map(self._written, self._overlaps.add(cue) if lasts else [cue])

    def _written(self, cue: Cue) -> av.Packet[Any]:
        new: av.Packet[Any] = av.Packet(cue.text)
        new.time_base, new.pts, new.dts = self._tick, cue.start, cue.start
        new.duration = cue.end - cue.start
        return new


def can_convert(container: str, stream: Stream) -> bool:
    """Say whether a subtitle stream is text, and the container takes some kind of text."""
    return (
        stream.type == "subtitle"
        and holds(container).text is not None
        and getattr(stream, "name", None) in _TEXTS
    )


def mov_language(language: str) -> str:
    """Return the name by which QuickTime knows a language; any other would become undefined."""
    return _MOV_LANGUAGES.get(language, language)


def same_language(a: str | None, b: str | None) -> bool:
    """Say whether two codes mean one language: `deu` and `ger` do."""
    return a == b or (a and _ONE_LANGUAGE.get(a, a)) == (b and _ONE_LANGUAGE.get(b, b))
