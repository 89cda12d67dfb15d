"""Sound that is not copied as it is: PCM cut at the sample, and PCM in place of what a container does not take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.container import OutputContainer
from av.stream import Stream

from nightfx.carry.formats import holds

_JITTER = Fraction(
    2, 1000
)  # seconds: a clock of milliseconds rounds, and a sum of roundings a little more
_LONGEST_GAP = 3600  # seconds


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
        if self._due is not None and abs(at - self._due) <= _JITTER * self._rate:
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


class Sound:
    """A stream on its way into a container that does not take its codec: as PCM of the same samples.

    Sound of up to 16 bits is written with 16, all other with 24. It has no gaps: silence is laid into them.
    """

    def __init__(
        self, source: av.AudioStream, target: OutputContainer, start: Fraction = Fraction(0)
    ) -> None:
        self._decoder = source.codec_context
        self._rate, self._layout = self._decoder.sample_rate, self._decoder.layout
        codec, name = pcm_for(source), name_needed(target.format.name, source)
        layout = av.AudioLayout(name) if name else self._layout
        self.stream = target.add_stream(codec, rate=self._rate, layout=layout)
        self._form = "s16" if codec == "pcm_s16le" else "s32"
        self._interleave = av.AudioResampler(self._form, self._layout, self._rate)
        self._start = round(start * self._rate)
        self._due: int | None = None

    def convert(self, packet: av.Packet[Any] | None) -> Iterator[av.Packet[Any]]:
        """Yield the sound of a packet, None being the end; what does not decode is silent."""
        heard: list[av.AudioFrame] = []
        with suppress(av.FFmpegError):
            heard = self._decoder.decode(packet)
        for block in heard:
            at = round((block.pts or 0) * Fraction(block.time_base or 1) * self._rate)
            if self._due is None:
                self._due = min(at, self._start)
            yield from self._silence(_gap(at - self._due, self._rate))
            for piece in self._interleave.resample(block):
                yield from self._encode(piece)

    def until(self, end: Fraction) -> Iterator[av.Packet[Any]]:
        """Yield silence up to a time, in seconds."""
        self._due = self._start if self._due is None else self._due
        yield from self._silence(round(end * self._rate) - self._due)

    def _encode(self, piece: av.AudioFrame) -> Iterator[av.Packet[Any]]:
        assert self._due is not None
        assert isinstance(self.stream, av.AudioStream)
        piece.pts, piece.time_base = self._due, Fraction(1, self._rate)
        self._due += piece.samples
        yield from self.stream.encode(piece)

    def _silence(self, count: int) -> Iterator[av.Packet[Any]]:
        layout, kind = self._decoder.layout, np.int16 if self._form == "s16" else np.int32
        for first in range(0, count, self._rate):  # a second at a time
            samples = min(count - first, self._rate)
            zeros = np.zeros((1, samples * layout.nb_channels), kind)
            piece = av.AudioFrame.from_ndarray(zeros, self._form, layout)
            piece.sample_rate = self._rate
            yield from self._encode(piece)


def _gap(samples: int, rate: int) -> int:
    """How many samples are missing: a clock rounds, hours are a broken clock, and what overlaps is laid behind."""
    return samples if _JITTER * rate < samples < _LONGEST_GAP * rate else 0


def pcm_for(stream: Stream) -> str:
    """The PCM that holds what a stream of sound decodes to."""
    assert isinstance(stream, av.AudioStream), stream
    form = stream.codec_context.format
    return "pcm_s16le" if form is not None and form.bits <= 16 else "pcm_s24le"


def name_needed(container: str, stream: Stream) -> str | None:
    """Return the usual name for so many channels, where those of PCM have none and the container wants one."""
    if not holds(container).names_channels or not isinstance(stream, av.AudioStream):
        return None
    context = stream.codec_context
    count = context.layout.nb_channels if context else 0
    if not count or context.layout.name != f"{count} channels":
        return None
    try:
        return av.AudioLayout(f"{count}c").name
    except ValueError:  # no usual one
        return None


def name_line(container: str, stream: Stream) -> str | None:
    """Return the line for channels of PCM that get a name or lose theirs; a single one can be no other."""
    if holds(container).forgets_channels and (own := _channel_names(stream)):
        words = f"sound stream {stream.index}: the names of its channels ({own}) are not written"
        return f"{words}: {container} has none for PCM (mov keeps them)"
    name = name_needed(container, stream)
    if name == "mono":
        return None
    words = (
        f"sound stream {stream.index}: its channels have no names, {container} calls them {name}"
    )
    return f"{words} (mov and mkv leave them so)" if name else None


def _channel_names(stream: Stream) -> str | None:
    """Return the layout of PCM of several channels, where it has one."""
    if not is_pcm(stream) or not isinstance(stream, av.AudioStream):
        return None
    layout = stream.codec_context.layout
    named = layout.nb_channels > 1 and layout.name != f"{layout.nb_channels} channels"
    return layout.name if named else None


def can_be_pcm(container: str, stream: Stream) -> bool:
    """Say whether a stream is sound that decodes, and the container takes PCM of its rate."""
    held = holds(container)
    if not isinstance(stream, av.AudioStream) or not held.pcm:
        return False
    context = stream.codec_context
    known = context is not None and context.sample_rate and context.channels
    return bool(known) and held.sound_rate in (None, context.sample_rate)


def is_pcm(stream: Stream) -> bool:
    """Say whether a stream is sound of which each sample stands alone, interleaved."""
    return isinstance(stream, av.AudioStream) and _sample_bytes(stream) > 0


def _sample_bytes(stream: Stream) -> int:
    name = stream.name or ""
    if name in ("pcm_alaw", "pcm_mulaw"):
        return 1
    found = re.fullmatch(r"pcm_[suf](8|16|24|32|64)(le|be)?", name)
    return int(found[1]) // 8 if found else 0
