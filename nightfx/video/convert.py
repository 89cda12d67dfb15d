"""Cut uncompressed sound at the sample, and turn subtitles into the kind that a container takes."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import av
from av.container import OutputContainer
from av.stream import Stream

JITTER = Fraction(
    2, 1000
)  # seconds: a clock of milliseconds rounds, and a sum of roundings a little more

# what each container takes, for text that it cannot hold as it is
TEXT_CODECS = {"mp4": "mov_text", "mov": "mov_text", "matroska": "subrip"}
TEXTS = {"subrip", "srt", "ass", "ssa", "webvtt", "mov_text", "text", "microdvd", "stl", "sami"}

# QuickTime has numbers for some languages, under the names that it knows them by
MOV_LANGUAGES = {"deu": "ger", "nld": "dut", "ell": "gre", "isl": "ice", "zho": "chi"}
MOV_LANGUAGES |= {"sqi": "alb", "mkd": "mac", "swe": "sve"}
ONE_LANGUAGE = MOV_LANGUAGES | {"fre": "fra", "cze": "ces", "slo": "slk", "rum": "ron"}


class Cutter:
    """Cuts the packets of a PCM stream to a window; the count of its samples is its clock."""

    def __init__(
        self, stream: av.AudioStream, start: Fraction | None, end: Fraction | None
    ) -> None:
        context = stream.codec_context
        self._rate = context.sample_rate
        self._block = _sample_bytes(stream) * context.channels
        self._zero = start or Fraction(0)
        self._first = None if start is None else 0
        self._last = None if end is None else round((end - self._zero) * self._rate)
        self._due: int | None = None

    def cut(self, packet: av.Packet[Any]) -> av.Packet[Any] | None:
        """Return the packet, the part of it inside the window, or None."""
        seconds = (packet.pts or 0) * packet.time_base
        at = round((seconds - self._zero) * self._rate)
        if self._due is not None and abs(at - self._due) <= JITTER * self._rate:
            at = self._due
        count = packet.size // self._block
        self._due = at + count
        first = 0 if self._first is None else max(self._first - at, 0)
        last = count if self._last is None else min(self._last - at, count)
        if last <= first:
            return None
        if (first, last) == (0, count):
            return packet
        return self._part(packet, at, first, last)

    def _part(self, packet: av.Packet[Any], at: int, first: int, last: int) -> av.Packet[Any]:
        part: av.Packet[Any] = av.Packet(bytes(packet)[first * self._block : last * self._block])
        part.stream, part.time_base = packet.stream, packet.time_base
        begin = self._zero + Fraction(at + first, self._rate)
        part.pts = part.dts = round(begin / packet.time_base)
        part.duration = round(Fraction(last - first, self._rate) / packet.time_base)
        return part


def is_pcm(stream: Stream) -> bool:
    """Say whether a stream is sound of which each sample stands alone, interleaved."""
    return isinstance(stream, av.AudioStream) and _sample_bytes(stream) > 0


def _sample_bytes(stream: Stream) -> int:
    name = stream.name or ""
    if name in ("pcm_alaw", "pcm_mulaw"):
        return 1
    found = re.fullmatch(r"pcm_[suf](8|16|24|32|64)(le|be)?", name)
    return int(found[1]) // 8 if found else 0


class Subtitles:
    """A text stream on its way into a container that takes another kind of text."""

    def __init__(self, source: Stream, target: OutputContainer) -> None:
        assert isinstance(source, av.subtitles.stream.SubtitleStream), source
        source.codec_context.open(strict=False)
        self._decoder = source.codec_context
        self.stream = target.add_stream(TEXT_CODECS[target.format.name])
        assert isinstance(self.stream, av.subtitles.stream.SubtitleStream)
        self._encoder = self.stream.codec_context
        self._encoder.subtitle_header = self._decoder.subtitle_header
        self._encoder.time_base = Fraction(1, 1000)

    def convert(self, packet: av.Packet[Any]) -> av.Packet[Any] | None:
        """Return the packet in the new kind, its time kept; None where it says nothing."""
        words = self._decoder.decode2(packet)
        if words is None or not len(words):
            return None
        new = self._encoder.encode_subtitle(words)
        new.time_base, new.pts, new.dts = packet.time_base, packet.pts, packet.pts
        new.duration = packet.duration
        return new


def can_convert(container: str, stream: Stream) -> bool:
    """Say whether a subtitle stream is text, and the container takes some kind of text."""
    return (
        stream.type == "subtitle"
        and container in TEXT_CODECS
        and getattr(stream, "name", None) in TEXTS
    )


def mov_language(language: str) -> str:
    """Return the name by which QuickTime knows a language; any other would become undefined."""
    return MOV_LANGUAGES.get(language, language)


def same_language(a: str | None, b: str | None) -> bool:
    """Say whether two codes mean one language: `deu` and `ger` do."""
    return a == b or (a and ONE_LANGUAGE.get(a, a)) == (b and ONE_LANGUAGE.get(b, b))
