"""A file that was put behind another where FFmpeg reads the first alone, or takes both for one clock: told by where the first one ends."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from nightfx.source import damage

_FLV, _FLV_BYTES, _TAG_BYTES = b"FLV\1", 9, 11
_REPEATED_BYTES = 4  # behind each tag of FLV: how long it was
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_SIZE_AT = 40  # in the object of properties
_EBML = b"\x1a\x45\xdf\xa3"
_HEAD_BYTES = 1 << 16


def file_behind(path: Path, format_name: str) -> int | None:
    """Return the byte at which a second file begins, by FFmpeg's name of the first one's format; None where none does."""
    find = next((find for name, find in _FINDERS.items() if name in format_name), None)
    if find is None:
        return None
    about = path.stat()
    return _found(find, path.absolute(), about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=64)
def _found(
    find: Callable[[BinaryIO], int | None], path: Path, _size_bytes: int, _mtime_ns: int
) -> int | None:
    with path.open("rb") as file:
        return find(file)


def _behind_flv(file: BinaryIO) -> int | None:
    at = _FLV_BYTES + _REPEATED_BYTES
    while len(head := _read(file, at, _TAG_BYTES)) == _TAG_BYTES:
        if head.startswith(_FLV):
            return at
        at += _TAG_BYTES + int.from_bytes(head[1:4]) + _REPEATED_BYTES
    return None


def _behind_movie(file: BinaryIO) -> int | None:
    """Where a second `ftyp` stands; fragments may have one each, and are read all: there it must head a `moov` too."""
    at, begins, seen = 0, None, set[bytes]()
    while len(head := _read(file, at, 16)) == 16:
        size, kind = int.from_bytes(head[:4]), head[4:8]
        if kind == b"ftyp" and b"moov" in seen:
            begins = at
        if begins is not None and (b"moof" not in seen or kind == b"moov"):
            return begins
        seen.add(kind)
        size = int.from_bytes(head[8:]) if size == 1 else size
        if size < 8:
            return None
        at += size
    return None


def _behind_asf(file: BinaryIO) -> int | None:
    head = _read(file, 0, _HEAD_BYTES)
    at = head.find(_ASF_PROPERTIES) + _ASF_SIZE_AT
    end = int.from_bytes(head[at : at + 8], "little") if at >= _ASF_SIZE_AT else 0
    return end if end and _read(file, end, len(_ASF)) == _ASF else None


def _behind_matroska(file: BinaryIO) -> int | None:
    end = damage.matroska_end(_read(file, 0, _HEAD_BYTES))
    return end if end and _read(file, end, len(_EBML)) == _EBML else None


def _read(file: BinaryIO, at: int, count: int) -> bytes:
    file.seek(at)
    return file.read(count)


_FINDERS: dict[str, Callable[[BinaryIO], int | None]] = {
    "flv": _behind_flv,
    "mov": _behind_movie,
    "asf": _behind_asf,
    "matroska": _behind_matroska,
}
"""By FFmpeg's names."""
