"""Boxes of QuickTime and MP4 files, as far as FFmpeg does not show what is in them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from io import SEEK_END
from pathlib import Path
from typing import BinaryIO

Box = tuple[int, int]
"""Where the contents of a box begin and end, in bytes."""
CLOCK = struct.Struct(">3IB")
"""Of a timecode: flags, ticks a second, ticks of a frame, frames counted to a second."""
DROPS_FRAMES = 1
"""The flag that says so."""
LANGUAGE = b"elng"
"""The box of a track's language by BCP 47, with its region."""
_LONGEST_LANGUAGE = 64  # bytes
_KIND_AT, _CLOCK_AT = (
    12,
    28,
)  # in a description of samples: of what kind the first one is, and how it counts


def whole(file: BinaryIO) -> Box:
    """Return a file as if it were a box."""
    return 0, file.seek(0, SEEK_END)


def boxes(file: BinaryIO, within: Box, *way: bytes) -> Iterator[Box]:
    """Yield each box that a way of names leads to; what is broken ends there."""
    if not way:
        yield within
        return
    at, end = within
    while at + 8 <= end:
        file.seek(at)
        head = file.read(16)
        size, name, long = (int.from_bytes(head[:4]), head[4:8], int.from_bytes(head[8:]))
        begin = at + (16 if size == 1 else 8)
        after = at + long if size == 1 else end if size == 0 else at + size
        if not begin <= after <= end:
            return
        if name == way[0]:
            yield from boxes(file, (begin, after), *way[1:])
        at = after


def split(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and contents of the boxes in some contents; what is broken ends there."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4])
        if not 8 <= size <= len(data) - at:
            return
        yield data[at + 4 : at + 8], data[at + 8 : at + size]
        at += size


def read_regions(path: Path) -> dict[int, str]:
    """Return the languages of tracks, by place, that have a region: `pt-BR`."""
    regions: dict[int, str] = {}
    with suppress(OSError), path.open("rb") as file:
        for place, track in enumerate(boxes(file, whole(file), b"moov", b"trak")):
            for begin, end in boxes(file, track, b"mdia", LANGUAGE):
                file.seek(begin + 4)
                words = file.read(min(end - begin - 4, _LONGEST_LANGUAGE))
                regions[place] = words.rstrip(b"\0").decode("ascii", "replace")
    return {place: name for place, name in regions.items() if "-" in name and name.isascii()}


def dated(file: BinaryIO) -> Iterator[list[int]]:
    """Yield for each track where it says when it was made: its header's, and that of its media."""
    for track in boxes(file, whole(file), b"moov", b"trak"):
        heads = [*boxes(file, track, b"tkhd"), *boxes(file, track, b"mdia", b"mdhd")]
        yield [begin for begin, _ in heads]


def timecode_tracks(file: BinaryIO) -> Iterator[tuple[Box, int]]:
    """Yield the table of samples of each timecode track, and where in its first entry the clock begins."""
    for track in boxes(file, whole(file), b"moov", b"trak", b"mdia", b"minf", b"stbl"):
        for begin, end in boxes(file, track, b"stsd"):
            file.seek(begin + _KIND_AT)
            if file.read(4) == b"tmcd" and end - begin >= _CLOCK_AT + CLOCK.size:
                yield track, begin + _CLOCK_AT
