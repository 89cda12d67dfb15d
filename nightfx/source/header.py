"""What the headers of MP4, MOV and Matroska say of a picture that PyAV does not show: Dolby Vision, and a crop.

Boxes are those of ISO/IEC 14496-12, elements those of RFC 8794 and RFC 9559; what is not well formed says nothing.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_Part = tuple[int, memoryview]
_ENTRY_BYTES = 78  # of a picture's sample entry, before its boxes
_SEGMENT, _TRACKS, _TRACK, _VIDEO = 0x18538067, 0x1654AE6B, 0xAE, 0xE0
_MAPPING, _MAPPED_AS, _MAPPED = 0x41E4, 0x41E7, 0x41ED  # of what is beside pictures
_SIZE, _SHOWN_SIZE = (0xB0, 0xBA), (0x54B0, 0x54BA)
_CROP = (0x54CC, 0x54BB, 0x54DD, 0x54AA)  # left, top, right, bottom
_CONFIGS = {int.from_bytes(name) for name in (b"dvcC", b"dvvC", b"dvwC")}


@dataclass(frozen=True)
class Header:
    """What a header says of one picture."""

    dolby_vision: tuple[int, int] | None = None
    """Profile of Dolby Vision, and what its base layer is compatible with by itself; 0 is nothing."""
    crop: str | None = None
    """The part that players show, such as `1920x800+0+140`."""
    is_square: bool = False
    """Its size as shown is that before the crop, so its pixels are square."""


def read_header(path: Path, container: str, index: int) -> Header:
    """Read what is said of the stream of this index."""
    read = next((read for name, read in _READERS.items() if name in container), None)
    if read is None:
        return Header()
    try:
        with path.open("rb") as file:
            return read(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)), index)
    except (OSError, ValueError, struct.error, LookupError, StopIteration, ZeroDivisionError):
        return Header()


def _of_movie(data: memoryview, index: int) -> Header:
    tracks = _all(_boxes(_box(data, b"moov")), int.from_bytes(b"trak"))
    entries = _box(tracks[index], b"mdia", b"minf", b"stbl", b"stsd")[8:]
    entry = next(part for _, part in _boxes(entries))
    inside = list(_boxes(entry[_ENTRY_BYTES:]))
    apertures = _all(inside, int.from_bytes(b"clap"))
    size = struct.unpack_from(">HH", entry, 24)
    return Header(_config(inside), _aperture(apertures[0], *size) if apertures else None)


def _aperture(box: memoryview, width: int, height: int) -> str | None:
    numbers = struct.unpack_from(">IIIIiIiI", box)
    wide, high, right, down = (a / b for a, b in zip(numbers[::2], numbers[1::2], strict=True))
    left, top = (width - wide) / 2 + right, (height - high) / 2 + down
    whole = (wide, high, left, top) == (width, height, 0, 0)
    return None if whole else f"{wide:g}x{high:g}{left:+g}{top:+g}"


def _of_matroska(data: memoryview, index: int) -> Header:
    segment = next(part for name, part in _elements(data) if name == _SEGMENT)
    tracks = next((part for name, part in _elements(segment) if name == _TRACKS), segment[:0])
    parts = list(_elements(_all(_elements(tracks), _TRACK)[index]))
    mapped = (dict(_elements(part)) for part in _all(parts, _MAPPING))
    config = _config((int.from_bytes(m[_MAPPED_AS]), m[_MAPPED]) for m in mapped if _MAPPED in m)
    video = dict(_elements(_all(parts, _VIDEO)[0]))
    size, shown, crop = (
        [int.from_bytes(video.get(name, b"")) for name in names]
        for names in (_SIZE, _SHOWN_SIZE, _CROP)
    )
    if not any(crop):
        return Header(config)
    (width, height), (left, top, right, bottom) = size, crop
    words = f"{width - left - right}x{height - top - bottom}+{left}+{top}"
    return Header(config, words, is_square=shown == size)


_READERS: dict[str, Callable[[memoryview, int], Header]] = {
    "mov": _of_movie,
    "matroska": _of_matroska,
}


def _config(parts: Iterable[_Part]) -> tuple[int, int] | None:
    """Profile and compatibility, of a configuration record."""
    return next(((p[2] >> 1, p[4] >> 4) for name, p in parts if name in _CONFIGS), None)


def _box(data: memoryview, *names: bytes) -> memoryview:
    for name in names:
        data = _all(_boxes(data), int.from_bytes(name))[0]
    return data


def _all(parts: Iterable[_Part], name: int) -> list[memoryview]:
    return [part for found, part in parts if found == name]


def _boxes(data: memoryview) -> Iterator[_Part]:
    at = 0
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">II", data, at)
        head = 8
        if size == 1:
            (size,), head = struct.unpack_from(">Q", data, at + 8), 16
        size = size or len(data) - at
        if size < head:
            return
        yield name, data[at + head : at + size]
        at += size


def _elements(data: memoryview) -> Iterator[_Part]:
    at = 0
    while at < len(data):
        name, begin = _number(data, at)
        marked, end = _number(data, begin)
        mark = 1 << 7 * (end - begin)
        size = len(data) - end if marked == 2 * mark - 1 else marked - mark  # all ones: to the end
        yield name, data[end : end + size]
        at = end + size


def _number(data: memoryview, at: int) -> tuple[int, int]:
    """A number with the mark of its length, and where it ends."""
    end = at + 9 - data[at].bit_length()
    if end > at + 8:
        raise ValueError("not a number of EBML")
    return int.from_bytes(data[at:end]), end
