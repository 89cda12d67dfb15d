"""Subtitles that overlap, for QuickTime: there one text ends where the next begins, so each is of all that is read at a time."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

_HEAD = struct.Struct(">I4s")  # of a box: its size, its kind
_STYLE_BYTES = 12


class Cue(NamedTuple):
    """A text of QuickTime, and when it is read, in ticks."""

    start: int
    end: int
    text: bytes


class Overlaps:
    """Turns cues that overlap, in order of their starts, into cues one after another."""

    def __init__(self) -> None:
        self._cues: list[Cue] = []
        self._at = 0

    def add(self, cue: Cue) -> Iterator[Cue]:
        """Yield what is read until a cue begins."""
        self._cues.append(cue)
        yield from self.until(cue.start)

    def until(self, ticks: float) -> Iterator[Cue]:
        """Yield what is read in whole spans that end at a time or before it."""
        while self._cues:
            start = max(self._at, min(cue.start for cue in self._cues))
            later = [cue.start for cue in self._cues if cue.start > start]
            read = [cue for cue in self._cues if cue.start <= start]
            end = min([*later, *(cue.end for cue in read)])
            if end > ticks:
                return
            if end > start:
                yield Cue(start, end, _joined([cue.text for cue in read]))
            self._at = max(end, start)
            self._cues = [cue for cue in self._cues if cue.end > self._at]


def _joined(texts: list[bytes]) -> bytes:
    """Write texts as the lines of one, each with its styles."""
    if len(texts) == 1:
        return texts[0]
    words, styles, boxes = b"", b"", b""
    for text in texts:
        size = int.from_bytes(text[:2])
        words += b"\n" if words else b""
        past = len(words.decode("utf-8", "replace"))
        words += text[2 : 2 + size]
        for kind, data in _boxes(text[2 + size :]):
            if kind == b"styl":
                styles += b"".join(_moved_styles(data[2:], past))
            elif kind == b"hlit":
                boxes += _HEAD.pack(12, kind) + _moved(data[:4], past)
            else:
                boxes += _HEAD.pack(8 + len(data), kind) + data
    count = len(styles) // _STYLE_BYTES
    if count:
        boxes = _HEAD.pack(10 + len(styles), b"styl") + count.to_bytes(2) + styles + boxes
    return len(words).to_bytes(2) + words + boxes


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    while len(data) >= _HEAD.size:
        size, kind = _HEAD.unpack_from(data)
        yield kind, data[_HEAD.size : size]
        data = data[max(size, _HEAD.size) :]


def _moved_styles(styles: bytes, past: int) -> Iterator[bytes]:
    for at in range(0, len(styles) - _STYLE_BYTES + 1, _STYLE_BYTES):
        style = styles[at : at + _STYLE_BYTES]
        yield _moved(style[:4], past) + style[4:]


def _moved(span: bytes, past: int) -> bytes:
    """The first and last character of a span, so many further on."""
    return b"".join((int.from_bytes(span[at : at + 2]) + past).to_bytes(2) for at in (0, 2))
