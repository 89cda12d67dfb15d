"""The sheet of a film sequence's file: everything beside its picture, and what its header says of time."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from nightfx.picture import Plane


class Window(NamedTuple):
    """A rectangle on the plane that all files of a sequence share, in pixels."""

    x: int
    y: int
    width: int
    height: int

    def holds(self, other: Window) -> bool:
        """Whether `other` lies wholly inside."""
        return self == around(self, other)


def around(a: Window, b: Window) -> Window:
    """The smallest window that holds both."""
    x, y = min(a.x, b.x), min(a.y, b.y)
    right, bottom = (max(a[i] + a[i + 2], b[i] + b[i + 2]) for i in (0, 1))
    return Window(x, y, right - x, bottom - y)


@dataclass(frozen=True, eq=False)
class FilePart:
    """One part of a file (only EXR has several): its header, and its pixels (H, W, C) where they are needed again."""

    spec: Any
    pixels: Plane | None


@dataclass(frozen=True, eq=False)
class Sheet:
    """Everything that a file holds beside its picture."""

    form: str
    """OpenImageIO's name of the format."""
    parts: tuple[FilePart, ...]
    """All parts, the picture's among them."""
    main: int
    """Which part has the picture."""
    colour: tuple[int, ...]
    """Which of its channels are R, G, B and, if there is one, A."""
    data: Window
    """Where its pixels are."""
    shown: Window
    """The display window."""
    canvas: Window
    """Where the frame is."""
    notes: tuple[str, ...] = ()
    """Lines for the user: what of the file is lit, and what is not written."""


def rate_of(spec: Any) -> float | Fraction | None:
    """Frames a second by a header, or None."""
    rational = spec.getattribute("FramesPerSecond")
    if isinstance(rational, tuple) and all(rational):
        return Fraction(*rational)
    rates = (spec.getattribute(f"dpx:{name}FrameRate") for name in ("", "Temporal"))
    return next((rate for rate in rates if isinstance(rate, float) and 1 <= rate <= 1000), None)


def timecode_of(spec: Any) -> str | None:
    """Timecode by a header, such as `01:00:00:00`; `;` where it drops frames (SMPTE ST 12)."""
    found = spec.getattribute("smpte:TimeCode")
    if not isinstance(found, tuple) or found[0] in (0, 0xFFFFFFFF):
        return None
    word = int(found[0])
    hours, minutes, seconds, frames = (
        (word >> shift + 4 & tens) * 10 + (word >> shift & 15)
        for shift, tens in ((24, 3), (16, 7), (8, 7), (0, 3))
    )
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{';' if word & 0x40 else ':'}{frames:02d}"


def timecode_word(timecode: str) -> int:
    """The 32 bits of SMPTE ST 12 for a timecode."""
    hours, minutes, seconds, frames = (int(part) for part in timecode.replace(";", ":").split(":"))
    parts = ((hours, 24), (minutes, 16), (seconds, 8), (frames, 0))
    word = sum((value // 10 << 4 | value % 10) << shift for value, shift in parts)
    return word | (0x40 if ";" in timecode else 0)
