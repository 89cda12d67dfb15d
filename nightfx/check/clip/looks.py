"""What each picture of a clip says of itself, kept as runs of alike pictures, and a small mark of what each shows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import av
import numpy as np
from av.video.stream import VideoStream

from nightfx.check.marks import MARK, Marks, mark_of
from nightfx.source import side_data_of

UPRIGHT = (65536, 0, 0, 65536)
"""The numbers of a display matrix that turns and mirrors nothing."""
_PAYLOADS = ("A53_CC", "MASTERING_DISPLAY_METADATA")


class PictureSays(NamedTuple):
    """All that a picture says of itself beside its pixels and its time."""

    width: int
    """In pixels, as decoded."""
    height: int
    """In pixels, as decoded."""
    pix_fmt: str
    """FFmpeg's name of its format."""
    colour: tuple[int, int, int, int]
    """Primaries, transfer, matrix and range, by FFmpeg's numbers."""
    scan: str
    """`progressive`, or which field is first."""
    aspect: Fraction
    """Width of a pixel over its height, as its codec says; 1 if unknown."""
    turn: tuple[int, ...]
    """The numbers of its display matrix that turn and mirror."""
    side_data: frozenset[str]
    """Kinds of its side data, by FFmpeg's names."""
    metadata: tuple[tuple[str, str], ...]
    """Its own metadata."""


@dataclass
class Looks:
    """What all pictures of a stream say."""

    runs: list[tuple[int, PictureSays]] = field(default_factory=list)
    """Index of the first picture of each run of alike ones."""
    first: av.VideoFrame | None = None
    """The first picture."""
    payloads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    """Bytes of side data that must stay, by kind and index: of captions a hash, of others where they change."""
    marks: bytearray = field(default_factory=bytearray)
    """Marks of all pictures, one behind the other."""
    count: int = 0
    """How many there were."""
    _parity: _Parity | None = None

    def add(self, image: av.VideoFrame, stream: VideoStream) -> None:
        """PictureSays at the next picture that was decoded."""
        data = side_data_of(image)
        look = self._look(image, stream, data)
        if not self.runs or self.runs[-1][1] != look:
            self.runs.append((self.count, look))
        for kind in _PAYLOADS:
            if kind in data:
                self._keep(kind, data[kind])
        self.first = self.first or image
        self.marks += mark_of(image).tobytes()
        self.count += 1

    def within(self, first: int, last: int) -> list[tuple[int, PictureSays]]:
        """Return the runs of a part, its first picture being 0."""
        ends = [begin for begin, _ in self.runs[1:]] + [self.count] * bool(self.runs)
        spans = zip(self.runs, ends, strict=True)
        return [
            (max(begin - first, 0), look)
            for (begin, look), end in spans
            if begin < last and end > first
        ]

    def marks_within(self, first: int, last: int) -> Marks:
        """Return the marks of a part."""
        size = MARK[0] * MARK[1]
        return np.frombuffer(bytes(self.marks[first * size : last * size]), np.int8).reshape(
            -1, size
        )

    def payload_within(self, kind: str, first: int, last: int) -> dict[int, bytes]:
        """Return the bytes of a kind of side data in a part, its first picture being 0."""
        items = self.payloads.get(kind, {}).items()
        return {index - first: data for index, data in items if first <= index < last}

    def _look(
        self, image: av.VideoFrame, stream: VideoStream, data: dict[str, bytes]
    ) -> PictureSays:
        context = stream.codec_context
        return PictureSays(
            image.width,
            image.height,
            image.format.name,
            _colour(image),
            self._scan(image),
            Fraction(context.sample_aspect_ratio or 1),
            _turn(data.get("DISPLAYMATRIX")),
            frozenset(data),
            tuple(sorted(image.metadata.items())),
        )

    def _scan(self, image: av.VideoFrame) -> str:
        if not image.interlaced_frame:
            return "progressive"
        self._parity = self._parity or _Parity(image)
        return self._parity.of(image)

    def _keep(self, kind: str, data: bytes) -> None:
        kept = self.payloads.setdefault(kind, {})
        if kind == "A53_CC":
            kept[self.count] = hashlib.blake2b(data, digest_size=8).digest()
        elif not kept or kept[max(kept)] != data:
            kept[self.count] = data


class _Parity:
    """Says which field of a picture is first: PyAV does not show the flag, a filter of FFmpeg's sees it."""

    def __init__(self, image: av.VideoFrame) -> None:
        graph = av.filter.Graph()
        base = image.time_base or Fraction(1, 1000)
        self._source = graph.add_buffer(
            width=image.width, height=image.height, format=image.format, time_base=base
        )
        choose = graph.add("select", n="2", e="if(eq(interlace_type,TOPFIRST),1,2)")
        self._sinks = [graph.add("buffersink"), graph.add("buffersink")]
        self._source.link_to(choose)
        for output, sink in enumerate(self._sinks):
            choose.link_to(sink, output, 0)
        graph.configure()
        self._graph, self._shape = graph, (image.width, image.height, image.format.name)

    def of(self, image: av.VideoFrame) -> str:
        """Return `top field first` or `bottom field first`."""
        if (image.width, image.height, image.format.name) != self._shape:
            return "interlaced"
        self._source.push(image)
        said = "interlaced"
        for name, sink in zip(("top", "bottom"), self._sinks, strict=True):
            try:
                sink.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                continue
            said = f"{name} field first"
        return said


def _colour(image: av.VideoFrame) -> tuple[int, int, int, int]:
    names = ("color_primaries", "color_trc", "colorspace", "color_range")
    primaries, transfer, matrix, span = (int(getattr(image, name)) for name in names)
    return primaries, transfer, matrix, span


def _turn(data: bytes | None) -> tuple[int, ...]:
    """The numbers that turn and mirror; how far a matrix moves does not count."""
    if data is None:
        return UPRIGHT
    return tuple(int(n) for n in np.frombuffer(data, np.int32)[[0, 1, 3, 4]])


def in_step(
    old: list[tuple[int, PictureSays]], new: list[tuple[int, PictureSays]], count: int
) -> list[tuple[int, PictureSays, PictureSays]]:
    """Lay two lists of runs beside each other: what each has from one border to the next."""
    borders = sorted({begin for begin, _ in [*old, *new] if begin < count} | {count})
    return [(begin, _at(old, begin), _at(new, begin)) for begin, _ in pairwise(borders)]


def _at(runs: list[tuple[int, PictureSays]], index: int) -> PictureSays:
    return next(look for begin, look in reversed(runs) if begin <= index)
