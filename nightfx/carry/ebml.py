"""Matroska's own words, as far as FFmpeg neither shows nor writes them: EBML (RFC 8794) as nested elements."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, NamedTuple

EBML, SEGMENT, CLUSTER, VOID, CRC = 0x1A45DFA3, 0x18538067, 0x1F43B675, 0xEC, 0xBF
SEEK_HEAD, SEEK, SEEK_ID, SEEK_POSITION = 0x114D9B74, 0x4DBB, 0x53AB, 0x53AC
TRACKS, TRACK, VIDEO, LANGUAGE = 0x1654AE6B, 0xAE, 0xE0, 0x22B59C
REGION = 0x22B59D
"""Language of a track by BCP 47, with its region: `pt-BR`."""
DISPLAY_WIDTH, DISPLAY_HEIGHT, DISPLAY_UNIT = 0x54B0, 0x54BA, 0x54B2
CHAPTERS, EDITION, CHAPTER, CHAPTER_START, CHAPTER_END = 0x1043A770, 0x45B9, 0xB6, 0x91, 0x92
_DISPLAY = 0x80  # a chapter's name in one language
_RICH = {0x98, 0x4598, 0x45BD, 0x45DB, 0x45DD}  # flags of chapters and editions
_LARGEST = 1 << 26  # bytes of an element that is read
_DEEPEST = 16


class Element(NamedTuple):
    """An element, its contents not yet looked into."""

    id: int
    data: bytes

    def encoded(self) -> bytes:
        """Its bytes in a file."""
        return _id_bytes(self.id) + _size_bytes(len(self.data)) + self.data


def elements(data: bytes) -> Iterator[Element]:
    """Yield the elements of some contents; what is broken ends there."""
    at = 0
    while at < len(data):
        id, at = _number(data, at, keep_mark=True)
        size, at = _number(data, at)
        if id is None or size is None or at + size > len(data):
            return
        yield Element(id, data[at : at + size])
        at += size


def encoded(found: list[Element]) -> bytes:
    """Return the bytes of elements, a checksum at their beginning being made anew."""
    body = b"".join(one.encoded() for one in found if one.id != CRC)
    if any(one.id == CRC for one in found):
        return Element(CRC, zlib.crc32(body).to_bytes(4, "little")).encoded() + body
    return body


def number(data: bytes) -> int:
    """Return the number in an element's contents."""
    return int.from_bytes(data)


def number_bytes(value: int) -> bytes:
    """Return the contents of an element with a number."""
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8))


def top_elements(file: BinaryIO) -> Iterator[tuple[int, int, int, int]]:
    """Yield the elements of a file's segment: where it begins, its kind, where its contents begin and end.

    What is of unknown size, as in a stream that is being sent, ends it.
    """
    end = file.seek(0, 2)
    at = 0
    while at < end:
        file.seek(at)
        head = file.read(12)
        id, past = _number(head, 0, keep_mark=True)
        size, past = _number(head, past)
        if id is None:
            return
        if id == SEGMENT:
            at += past
            continue
        if size is None or at + past + size > end:
            return
        yield at, id, at + past, at + past + size
        at += past + size


@dataclass(frozen=True)
class Spoken:
    """What a Matroska file says beyond what FFmpeg shows."""

    regions: dict[int, str] = field(default_factory=dict)
    """Languages of tracks, by place, that say more than three letters do."""
    chapters: bytes = b""
    """Contents of its chapters, where they have several names, levels, or flags."""


def read_spoken(path: Path) -> Spoken:
    """Read what a Matroska file says beyond what FFmpeg shows."""
    found: dict[int, bytes] = {}
    with suppress(OSError), path.open("rb") as file:
        for _, id, begin, end in top_elements(file):
            if id in (TRACKS, CHAPTERS) and id not in found and end - begin <= _LARGEST:
                file.seek(begin)
                found[id] = file.read(end - begin)
    tracks = [one for one in elements(found.get(TRACKS, b"")) if one.id == TRACK]
    names = {place: _region(track.data) for place, track in enumerate(tracks)}
    chapters = found.get(CHAPTERS, b"")
    return Spoken(
        {p: n for p, n in names.items() if "-" in n}, chapters if _is_rich(chapters) else b""
    )


def _region(track: bytes) -> str:
    said = next((one.data for one in elements(track) if one.id == REGION), b"")
    return said.rstrip(b"\0").decode("ascii", "replace")


def _is_rich(chapters: bytes, depth: int = 0) -> bool:
    """Say whether chapters are more than a row of spans with a name each."""
    inner = [one for one in elements(chapters) if one.id in (EDITION, CHAPTER)]
    names = sum(one.id == _DISPLAY for one in elements(chapters))
    flagged = any(
        one.id in _RICH and number(one.data) != (one.id == 0x4598) for one in elements(chapters)
    )
    nested = depth > 2 or (depth == 0 and len(inner) > 1)
    return nested or names > 1 or flagged or any(_is_rich(one.data, depth + 1) for one in inner)


def moved_chapters(data: bytes, shift: Fraction, end: Fraction | None, depth: int = 0) -> bytes:
    """Return chapters on a clock that begins so many seconds later and ends at `end`; those outside are gone."""
    found = []
    for one in elements(data):
        if one.id in (EDITION, CHAPTER) and depth < _DEEPEST:
            inner = moved_chapters(one.data, shift, end, depth + 1)
            if one.id == CHAPTER and not _is_inside(one.data, shift, end):
                continue
            one = Element(one.id, inner)
        elif one.id in (CHAPTER_START, CHAPTER_END):
            seconds = Fraction(number(one.data), 10**9)
            seconds = seconds if end is None else min(seconds, end)
            one = Element(one.id, number_bytes(max(round((seconds - shift) * 10**9), 0)))
        found.append(one)
    return encoded(found)


def _is_inside(chapter: bytes, shift: Fraction, end: Fraction | None) -> bool:
    times = {one.id: Fraction(number(one.data), 10**9) for one in elements(chapter)}
    start, stop = times.get(CHAPTER_START, Fraction(0)), times.get(CHAPTER_END)
    return (stop is None or stop > shift) and (end is None or start < end)


def _number(data: bytes, at: int, *, keep_mark: bool = False) -> tuple[int | None, int]:
    """Read a number of variable length; None where there is none, or a size that is unknown."""
    if at >= len(data) or not data[at]:
        return None, len(data)
    length = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + length])
    if at + length > len(data):
        return None, len(data)
    mark = 1 << (7 * length)
    if keep_mark:
        return value, at + length
    return (None if value == 2 * mark - 1 else value - mark), at + length


def _id_bytes(id: int) -> bytes:
    return id.to_bytes((id.bit_length() + 7) // 8)


def _size_bytes(size: int, length: int = 0) -> bytes:
    length = length or next(n for n in range(1, 9) if size < (1 << (7 * n)) - 1)
    return (size | 1 << (7 * length)).to_bytes(length)


def void(size: int) -> bytes:
    """Return an element of so many bytes, two at least, that says nothing."""
    length = 1 if size < 66 else 8
    return _id_bytes(VOID) + _size_bytes(size - 1 - length, length) + bytes(size - 1 - length)
