"""All that PNG, JPEG, WebP, TIFF and DPX files say beside their pixels, by their own layouts: names, and values to compare."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

_LONGEST_WORDS = 60
# layout of the pixels themselves, which has rows of its own or is the writer's to choose
_PNG_OWN = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"fdAT", b"fcTL"}
_WEBP_OWN = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANMF"}
_JPEG_OWN = {*range(0xC0, 0xE0), 0xEE} - {0xD9}  # Adobe's says how colours are coded
_ORIENTATION, _EXIF_IFD, _GPS_IFD = 0x0112, 0x8769, 0x8825
_TIFF_OWN = {254, 255, *range(256, 260), 262, 266, 273, 277, 278, 279, 280, 281, 284, 288, 289, 292}
_TIFF_OWN |= {293, 297, 317, *range(322, 326), 330, 338, 339, 340, 341, 530, 531, 532}
_TIFF_SIZES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)
_MOST_PAGES = 1000
# name, where it is and how long: all of SMPTE ST 268 but sizes, offsets and the file's own name
_DPX = (
    *(
        ("timestamp", 136, 24),
        ("creator", 160, 100),
        ("project", 260, 200),
        ("copyright", 460, 200),
    ),
    *(("orientation", 768, 2), ("description", 780 + 40, 32), ("descriptor", 780 + 20, 1)),
    *(("transfer", 780 + 21, 1), ("colorimetric", 780 + 22, 1), ("low quantity", 780 + 8, 4)),
    *(("low data", 780 + 4, 4), ("high data", 780 + 12, 4), ("high quantity", 780 + 16, 4)),
    *(("x offset", 1408, 4), ("y offset", 1412, 4), ("x centre", 1416, 4), ("y centre", 1420, 4)),
    *(("x original size", 1424, 4), ("y original size", 1428, 4), ("source file", 1432, 100)),
    *(("source time", 1532, 24), ("input device", 1556, 32), ("input serial", 1588, 32)),
    *(("border", 1620, 8), ("pixel aspect", 1628, 8), ("film manufacturer", 1664, 2)),
    *(
        ("film type", 1666, 2),
        ("perforation offset", 1668, 2),
        ("prefix", 1670, 6),
        ("count", 1676, 4),
    ),
    *(("format", 1680, 32), ("frame position", 1712, 4), ("sequence length", 1716, 4)),
    *(("held count", 1720, 4), ("film frame rate", 1724, 4), ("shutter angle", 1728, 4)),
    *(("frame id", 1732, 32), ("slate", 1764, 100), ("timecode", 1920, 4), ("user bits", 1924, 4)),
    *(("interlace", 1928, 1), ("field number", 1929, 1), ("video signal", 1930, 1)),
    *(("horizontal rate", 1932, 4), ("vertical rate", 1936, 4), ("frame rate", 1940, 4)),
    *(
        ("time offset", 1944, 4),
        ("gamma", 1948, 4),
        ("black level", 1952, 4),
        ("black gain", 1956, 4),
    ),
    *(("breakpoint", 1960, 4), ("white level", 1964, 4), ("integration time", 1968, 4)),
)
_DPX_HEADER = 2048


def said_in(path: Path) -> dict[str, str]:
    """Return what a file says beside its pixels: a value for each name, long ones as their hash. What is broken ends there."""
    said: dict[str, str] = {}
    data = path.read_bytes()
    readers = ((b"\x89PNG", _png), (b"\xff\xd8", _jpeg), (b"RIFF", _webp))
    readers += ((b"II", _tiff), (b"MM", _tiff), (b"SDPX", _dpx), (b"XPDS", _dpx))  # type: ignore[assignment]
    with suppress(struct.error, IndexError, ValueError, zlib.error, KeyError, OverflowError):
        for magic, reader in readers:
            if data.startswith(magic):
                for name, value in reader(data):
                    said[name if name not in said else f"{name} (another)"] = value
    return said


def pages_in(path: Path) -> int:
    """Return how many pictures a file holds: pages of TIFF, frames of PNG and WebP."""
    data = path.read_bytes()
    if data[:2] in (b"II", b"MM"):
        return sum(1 for _ in _directories(data))
    if data.startswith(b"\x89PNG"):
        frames = sum(kind == b"fcTL" for kind, _ in _png_chunks(data))
        return max(frames, 1)
    if data.startswith(b"RIFF"):
        return max(sum(kind == b"ANMF" for kind, _ in _riff(data)), 1)
    return 1


def words_of(value: bytes) -> str:
    """Return bytes as words: text as it is, all else as its hash."""
    text = value.rstrip(b"\0").decode("utf-8", errors="ignore")
    if text.isprintable() and len(text.encode()) == len(value.rstrip(b"\0")) <= _LONGEST_WORDS:
        return text
    if len(value) <= 8:
        return value.hex()
    return f"{len(value)} bytes {hashlib.blake2b(value, digest_size=6).hexdigest()}"


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at + 8 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        at += 12 + size


def _png(data: bytes) -> Iterator[tuple[str, str]]:
    for kind, chunk in _png_chunks(data):
        if kind in _PNG_OWN:
            continue
        name, value = kind.decode("latin-1"), chunk
        if kind in (b"tEXt", b"zTXt", b"iTXt"):
            key, _, value = chunk.partition(b"\0")
            name = f"text {key.decode('latin-1')}"
            value = _png_text(kind, value)
        elif kind == b"iCCP":
            value = zlib.decompress(chunk.partition(b"\0")[2][1:])
        elif kind == b"eXIf":
            yield from _exif(chunk)
            continue
        yield name, words_of(value)


def _png_text(kind: bytes, value: bytes) -> bytes:
    if kind == b"zTXt":
        return zlib.decompress(value[1:])
    if kind == b"iTXt":
        packed, (_, _, text) = value[0], value[2:].split(b"\0", 2)
        return zlib.decompress(text) if packed else text
    return value


def _jpeg(data: bytes) -> Iterator[tuple[str, str]]:
    at, profile = 2, b""
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        marker, (size,) = data[at + 1], struct.unpack_from(">H", data, at + 2)
        segment = data[at + 4 : at + 2 + size]
        at += 2 + size
        if segment.startswith(b"Exif\0\0"):
            yield from _exif(segment[6:])
        elif segment.startswith(b"ICC_PROFILE\0"):
            profile += segment[14:]
        elif segment.startswith(b"JFIF\0"):
            yield "density", segment[7:12].hex()
        elif marker == 0xFE:
            yield "comment", words_of(segment)
        elif marker >= 0xE0 and marker not in _JPEG_OWN:
            kind = segment.split(b"\0")[0][:24].decode("latin-1")
            yield f"APP{marker - 0xE0} {kind}", words_of(segment)
    if profile:
        yield "iCCP", words_of(profile)


def _riff(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        (size,) = struct.unpack_from("<I", data, at + 4)
        yield data[at : at + 4], data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _webp(data: bytes) -> Iterator[tuple[str, str]]:
    for kind, chunk in _riff(data):
        if kind == b"EXIF":
            yield from _exif(chunk.removeprefix(b"Exif\0\0"))
        elif kind not in _WEBP_OWN:
            yield kind.decode("latin-1").strip(), words_of(chunk)


def _exif(block: bytes) -> Iterator[tuple[str, str]]:
    """EXIF by its tags: a writer may lay them out anew, and the orientation is undone."""
    from PIL import Image

    exif = Image.Exif()
    exif.load(b"Exif\0\0" + block)
    groups: list[tuple[str, dict[int, Any]]] = [("", dict(exif))]
    groups += [("", exif.get_ifd(_EXIF_IFD)), ("GPS ", exif.get_ifd(_GPS_IFD))]
    for group, tags in groups:
        for tag, value in tags.items():
            if tag not in (_ORIENTATION, _EXIF_IFD, _GPS_IFD, *_TIFF_OWN):
                yield f"EXIF {group}{_tag_name(tag)}", words_of(str(value).encode())


def _tag_name(tag: int) -> str:
    from PIL import ExifTags, TiffTags

    named = TiffTags.lookup(tag).name
    return named if named != "unknown" else ExifTags.TAGS.get(tag, str(tag))


def _directories(data: bytes) -> Iterator[tuple[str, list[tuple[int, int, int, int]]]]:
    """Yield the byte order and the entries of each directory of TIFF: tag, kind, count and where its value is."""
    order = "<" if data[:2] == b"II" else ">"
    big = struct.unpack_from(f"{order}H", data, 2)[0] == 43
    (at,) = struct.unpack_from(f"{order}{'Q' if big else 'I'}", data, 8 if big else 4)
    seen: set[int] = set()
    while at and at not in seen and len(seen) < _MOST_PAGES:
        seen.add(at)
        entries, at = _entries(data, at, order, big)
        yield order, entries


def _entries(
    data: bytes, at: int, order: str, big: bool
) -> tuple[list[tuple[int, int, int, int]], int]:
    (count,) = struct.unpack_from(f"{order}{'Q' if big else 'H'}", data, at)
    at += 8 if big else 2
    step, inline, number = (20, 8, "Q") if big else (12, 4, "I")
    entries = []
    for index in range(min(count, 4096)):
        place = at + index * step
        tag, kind, length = struct.unpack_from(f"{order}HH{number}", data, place)
        size = length * (_TIFF_SIZES[kind] if kind < len(_TIFF_SIZES) else 1)
        value_at = place + 4 + inline
        if size > inline:
            (value_at,) = struct.unpack_from(f"{order}{number}", data, value_at)
        entries.append((tag, kind, size, value_at))
    (following,) = struct.unpack_from(f"{order}{number}", data, at + count * step)
    return entries, following


def _tiff(data: bytes) -> Iterator[tuple[str, str]]:
    for page, (order, entries) in enumerate(_directories(data)):
        place = f" of page {page + 1}" if page else ""
        for tag, kind, size, at in entries:
            if tag in _TIFF_OWN:
                continue
            if tag in (_EXIF_IFD, _GPS_IFD):
                group = "EXIF " if tag == _EXIF_IFD else "GPS "
                (sub,) = struct.unpack_from(f"{order}I", data, at)
                inner, _ = _entries(data, sub, order, big=False)
                for sub_tag, sub_kind, sub_size, sub_at in inner:
                    value = _in_order(data[sub_at : sub_at + sub_size], sub_kind, order)
                    yield f"{group}{_tag_name(sub_tag)}{place}", words_of(value)
            else:
                value = _in_order(data[at : at + size], kind, order)
                yield f"{_tag_name(tag)}{place}", words_of(value)


def _in_order(value: bytes, kind: int, order: str) -> bytes:
    """Return numbers in one byte order, whatever the file's, and integers without their width."""
    width = {3: 2, 4: 4, 8: 2, 9: 4, 5: 4, 10: 4, 11: 4, 12: 8, 13: 4, 16: 8}.get(kind, 1)
    if width == 1 or len(value) % width:
        return value
    parts = [value[i : i + width] for i in range(0, len(value), width)]
    ordered = [part if order == ">" else part[::-1] for part in parts]
    if kind in (3, 4, 13, 16):
        return " ".join(str(int.from_bytes(part, "big")) for part in ordered).encode()
    return b"".join(ordered)


def _dpx(data: bytes) -> Iterator[tuple[str, str]]:
    little = data.startswith(b"XPDS")
    for name, at, size in _DPX:
        value = data[at : at + size] if len(data) >= _DPX_HEADER else b""
        if size in (2, 4) and little:
            value = value[::-1]
        if size == 8 and little:
            value = value[:4][::-1] + value[4:][::-1]
        if value.strip(b"\xff") and value.strip(b"\0"):
            yield name, words_of(value.split(b"\0")[0] if size > 8 else value)
