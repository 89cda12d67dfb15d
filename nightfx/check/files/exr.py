"""Headers of OpenEXR by its file layout: every attribute of every part with its bytes, the writer's own among them."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

_MAGIC, _MANY_PARTS = 20000630, 0x1000
_TYPES = {0: "uint", 1: "half", 2: "float"}
_COMPRESSIONS = ("none", "rle", "zips", "zip", "piz", "pxr24", "b44", "b44a", "dwaa", "dwab")
_MOST_HEADER = 1 << 24  # bytes


@dataclass
class ExrPart:
    """The header of a part."""

    attributes: dict[str, bytes] = field(default_factory=dict)
    """Bytes of each attribute by its name."""

    @property
    def channels(self) -> dict[str, str]:
        """Types of its channels by their names, and how they are subsampled, if they are."""
        data, found, at = self.attributes.get("channels", b"\0"), {}, 0
        while at < len(data) and data[at]:
            end = data.index(b"\0", at)
            kind, _, x, y = struct.unpack_from("<4i", data, end + 1)
            words = _TYPES.get(kind, str(kind)) + (f" {x}x{y}" if (x, y) != (1, 1) else "")
            found[data[at:end].decode(errors="replace")] = words
            at = end + 17
        return found

    @property
    def windows(self) -> str:
        """Data and display window."""
        words = []
        for name in ("dataWindow", "displayWindow"):
            left, top, right, bottom = struct.unpack("<4i", self.attributes[name][:16])
            words.append(f"{right - left + 1}x{bottom - top + 1}+{left}+{top}")
        return " of ".join(words)

    @property
    def compression(self) -> str:
        """Name of its compression."""
        number = self.attributes.get("compression", b"\0")[0]
        return _COMPRESSIONS[number] if number < len(_COMPRESSIONS) else str(number)

    @property
    def tiles(self) -> str:
        """Size of its tiles, or `lines`."""
        data = self.attributes.get("tiles")
        if data is None:
            return "lines"
        width, height = struct.unpack("<II", data[:8])
        return f"{width}x{height}"

    @property
    def views(self) -> list[str]:
        """Views that the names of its channels tell apart; the first one's have no name."""
        data, at, views = self.attributes.get("multiView", b""), 0, []
        while at + 4 <= len(data):
            size = int.from_bytes(data[at : at + 4], "little")
            views.append(data[at + 4 : at + 4 + size].decode(errors="replace"))
            at += 4 + size
        return views

    def text(self, name: str) -> str:
        """Text of an attribute; empty where there is none."""
        return self.attributes.get(name, b"").decode(errors="replace")


def read_exr(path: Path) -> list[ExrPart]:
    """Return the headers of all parts; raises ValueError for what is no OpenEXR file."""
    with path.open("rb") as file:
        data = file.read(_MOST_HEADER)
    magic, version = struct.unpack_from("<iI", data)
    if magic != _MAGIC:
        raise ValueError("not an OpenEXR file")
    parts, at = [], 8
    while data[at]:
        part, at = _part(data, at)
        parts.append(part)
        if not version & _MANY_PARTS:
            break
    return parts


def _part(data: bytes, at: int) -> tuple[ExrPart, int]:
    part = ExrPart()
    while data[at]:
        name_end = data.index(b"\0", at)
        type_end = data.index(b"\0", name_end + 1)
        (size,) = struct.unpack_from("<i", data, type_end + 1)
        begin = type_end + 5
        part.attributes[data[at:name_end].decode(errors="replace")] = data[begin : begin + size]
        at = begin + max(size, 0)
    return part, at + 1
