"""Boxes of QuickTime's headers (ISO/IEC 14496-12, QuickTime File Format), each with its path; samples are passed over."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO

_LONGEST = 1 << 16  # bytes of a box that are read
_DEEPEST = 16
_HOLDERS = {"moov", "trak", "mdia", "minf", "stbl", "edts", "udta", "gmhd", "dinf"}
# of the file itself, or shown by FFmpeg and compared by what it shows
_SHOWN = {
    *("ftyp", "mdat", "free", "skip", "wide", "moof", "mfra", "sidx", "styp", "pnot"),
    *("mvhd", "tkhd", "mdhd", "hdlr", "vmhd", "smhd", "nmhd", "gmin", "text", "hmhd", "sthd"),
    *(
        "dref",
        "elst",
        "stts",
        "ctts",
        "cslg",
        "stss",
        "stsc",
        "stsz",
        "stz2",
        "stco",
        "co64",
        "sdtp",
    ),
    *(
        "sgpd",
        "sbgp",
        "stps",
        "iods",
        "mvex",
        "tref",
        "meta",
        "name",
        "tcmi",
        "tmcd",
        "chap",
        "load",
    ),
    # in a description of samples
    *(
        "avcC",
        "hvcC",
        "av1C",
        "vpcC",
        "esds",
        "dvcC",
        "dvvC",
        "colr",
        "pasp",
        "fiel",
        "mdcv",
        "clli",
    ),
    *(
        "SmDm",
        "CoLL",
        "st3d",
        "sv3d",
        "chan",
        "wave",
        "dOps",
        "dfLa",
        "dac3",
        "dec3",
        "alac",
        "ftab",
    ),
    *(
        "btrt",
        "gama",
        "ACLR",
        "APRG",
        "ARES",
        "ADHR",
        "glbl",
        "pcmC",
        "chnl",
        "srat",
        "damr",
        "frma",
        "enda",
    ),
    *("clap", "elng", "chpl"),
}
_FIXED = {"vide": 78, "soun": 28}  # bytes before the boxes of a description of samples


@dataclass(frozen=True)
class Box:
    """A box of a header."""

    kind: str
    """Its four characters."""
    path: str
    """The kinds above it and its own."""
    data: bytes
    """Its bytes, but of one that holds others or is long."""
    is_known: bool
    """Whether it is known here."""


def boxes(file: BinaryIO) -> Iterator[Box]:
    """Yield the boxes of a file that is open at its beginning, each before those that it holds."""
    file.seek(0, 2)
    end = file.tell()
    file.seek(0)
    yield from _children(file, end, "", 0)


def _children(file: BinaryIO, end: int, path: str, depth: int) -> Iterator[Box]:
    handler = ""
    while file.tell() + 8 <= end and depth < _DEEPEST:
        begin = file.tell()
        size, kind = struct.unpack(">I4s", file.read(8))
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
        stop = end if size == 0 else min(begin + size, end)
        if stop < file.tell():
            return
        name = kind.decode("latin-1")
        here = f"{path}/{name}".lstrip("/")
        if name in _HOLDERS:
            yield Box(name, here, b"", is_known=True)
            yield from _children(file, stop, here, depth + 1)
        elif name == "stsd":
            yield from _descriptions(file, stop, here, handler)
        else:
            data = file.read(min(stop - file.tell(), _LONGEST))
            yield Box(name, here, data, is_known=name in _SHOWN or _is_text(path, name))
        file.seek(stop)


def _is_text(path: str, name: str) -> bool:
    """Say whether a box is one of the user's texts, which FFmpeg shows as metadata."""
    return path.endswith("udta") and (name[0] == "©" or name in _TEXTS)


_TEXTS = {
    "titl",
    "auth",
    "cprt",
    "desc",
    "dscp",
    "gnre",
    "perf",
    "albm",
    "yrrc",
    "loci",
    "keyw",
    "CAME",
    "FIRM",
}


def _descriptions(file: BinaryIO, end: int, path: str, handler: str) -> Iterator[Box]:
    file.read(8)  # version, flags and count
    while file.tell() + 16 <= end:
        begin = file.tell()
        size, kind = struct.unpack(">I4s", file.read(8))
        stop = min(begin + max(size, 8), end)
        name = kind.decode("latin-1")
        here = f"{path}/{name}"
        data = file.read(min(stop - file.tell(), _LONGEST))
        yield Box(name, here, data, is_known=True)
        yield from _inside(data, here)
        file.seek(stop)


def _inside(data: bytes, path: str) -> Iterator[Box]:
    """Yield the boxes at the end of a description: where they begin depends on its kind, so they are looked for."""
    for fixed in sorted({*_FIXED.values(), 44, 64, 8}):
        found = list(_row(data[fixed:], path))
        if found:
            yield from found
            return


def _row(data: bytes, path: str) -> Iterator[Box]:
    """Yield boxes that fill the data wholly, but for four bytes of zero at its end; else none."""
    row, at = [], 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < 8 or at + size > len(data) or not kind.strip().isalnum():
            return
        name = kind.decode("latin-1")
        row.append(Box(name, f"{path}/{name}", data[at + 8 : at + size], name in _SHOWN))
        at += size
    if not data[at:].strip(b"\0"):
        yield from row


def size_of(box: Box) -> tuple[int, int]:
    """Return width and height by a description of pictures."""
    return struct.unpack_from(">HH", box.data, 24) if len(box.data) >= 28 else (0, 0)


def crop_of(box: Box, width: int, height: int) -> tuple[int, int, int, int] | None:
    """Return what a clean aperture leaves out left, top, right and bottom of a picture; None where that is nothing."""
    if len(box.data) < 32:
        return None
    numbers = struct.unpack(">8i", box.data[:32])
    values = [n / d if d else 0.0 for n, d in zip(numbers[::2], numbers[1::2], strict=True)]
    shown_width, shown_height, right, down = values
    left, top = (width - shown_width) / 2 + right, (height - shown_height) / 2 + down
    crop = left, top, width - shown_width - left, height - shown_height - top
    whole = tuple(round(side) for side in crop)
    return (whole[0], whole[1], whole[2], whole[3]) if any(whole) else None


def colour_of(box: Box) -> tuple[int, int, int]:
    """Return primaries, transfer and matrix by a box of colour."""
    return struct.unpack_from(">HHH", box.data, 4)


def counting_of(box: Box) -> tuple[Fraction, int, bool]:
    """Return the rate of a timecode track's clock, how many numbers it counts to a second, and whether it drops some."""
    flags, ticks, duration, frames = struct.unpack_from(">IIIB", box.data, 12)
    return Fraction(ticks, max(duration, 1)), frames, bool(flags & 1)


def text_of(data: bytes) -> str:
    """Return a text that ends with a zero."""
    return data.split(b"\0")[0].decode(errors="replace")
