"""What containers say of a clip that FFmpeg does not show: cropping, regions, chapters by language, timecode tracks.

Matroska's elements and QuickTime's boxes are read here by their own rules. What is not known here is told, by its bytes.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from nightfx.check.clip import boxes, ebml

_COLOURS = ("Primaries", "TransferCharacteristics", "MatrixCoefficients")
_CROPS = ("PixelCropLeft", "PixelCropTop", "PixelCropRight", "PixelCropBottom")
_NUMBERS = {*_COLOURS, *_CROPS, "DisplayWidth", "DisplayHeight", "FlagInterlaced"}


@dataclass(frozen=True)
class Chapter:
    """A chapter of Matroska, with all that it says."""

    start_seconds: Fraction
    """When it begins."""
    end_seconds: Fraction | None
    """When it ends, where it says so."""
    names: tuple[tuple[str, str], ...]
    """Language and name of each of its titles."""
    place: str
    """Where it is nested, such as `1.2`, and flags that are not usual."""


@dataclass(frozen=True)
class TimecodeTrack:
    """A timecode track of QuickTime."""

    rate: Fraction
    """Frames a second of its clock."""
    frames: int
    """Numbers that it counts to a second."""
    drops: bool
    """It leaves out numbers."""

    @property
    def counted(self) -> TimecodeTrack:
        """The same with the numbers that are counted: cameras are seen to round their own rate down, 29 at 29.97."""
        rounds_down = self.frames == int(self.rate)
        return replace(self, frames=round(self.rate)) if rounds_down else self

    def __str__(self) -> str:
        return f"{self.frames}{' drop' if self.drops else ''} at {float(self.rate):.3f}"


@dataclass
class Headers:
    """What a container says of a clip in its own words."""

    is_read: bool = False
    """Whether it is of a kind that is read here."""
    crop: tuple[int, int, int, int] | None = None
    """Pixels that are not shown: left, top, right, bottom."""
    shown_size: tuple[int, int] | None = None
    """Width and height at which Matroska shows the picture."""
    languages: dict[int, str] = field(default_factory=dict)
    """BCP 47 language of each stream by its place, such as `pt-BR`."""
    chapters: list[Chapter] = field(default_factory=list)
    """Chapters of Matroska."""
    colour: tuple[int, int, int] | None = None
    """Primaries, transfer and matrix of the picture as the container says them, by their numbers."""
    interlaced: bool | None = None
    """Whether the container says that the picture has fields; None where it does not say."""
    dolby_vision: bool = False
    """The picture is said to be Dolby Vision."""
    timecode_tracks: list[TimecodeTrack] = field(default_factory=list)
    """Timecode tracks of QuickTime."""
    unknown: dict[str, bytes] = field(default_factory=dict)
    """Hash of what is not known here, by its path in the file."""


def read_headers(path: Path, format_name: str, picture_index: int) -> Headers:
    """Read the headers of a clip; what is broken ends there. A container of another kind has none."""
    headers = Headers()
    with (
        suppress(EOFError, OSError, ValueError, IndexError, struct.error),
        path.open("rb") as file,
    ):
        if "matroska" in format_name:
            headers.is_read = True
            _of_matroska(headers, ebml.elements(file), picture_index)
        elif "mov" in format_name:
            headers.is_read = True
            _of_movie(headers, boxes.boxes(file), picture_index)
    return headers


def _of_matroska(headers: Headers, found: Iterator[ebml.HeaderElement], picture_index: int) -> None:
    track = -1
    numbers: dict[str, int] = {}
    atoms: list[dict[str, Any]] = []
    for element in found:
        name, value = element.name, element.data
        if name == "TrackEntry":
            track += 1
        elif name in _NUMBERS and track == picture_index:
            numbers[name] = ebml.number(value)
        elif name == "BlockAddIDType" and value[-4:] in (b"dvcC", b"dvvC"):
            headers.dolby_vision = True
        elif name == "LanguageBCP47" and ebml.text(value) != "und":
            headers.languages[track] = ebml.text(value)
        elif "Chapter" in element.path or "Edition" in element.path:
            _add_to_chapters(atoms, element)
        elif not name:
            _tell(headers, element.path, value)
    _set_numbers(headers, numbers)
    headers.chapters = _chapters_of(atoms)


def _set_numbers(headers: Headers, numbers: dict[str, int]) -> None:
    left, top, right, bottom = (numbers.get(name, 0) for name in _CROPS)
    headers.crop = (left, top, right, bottom) if any((left, top, right, bottom)) else None
    primaries, transfer, matrix = (numbers.get(name, 2) for name in _COLOURS)
    said = (primaries, transfer, matrix)
    headers.colour = said if said != (2, 2, 2) else None
    width, height = numbers.get("DisplayWidth", 0), numbers.get("DisplayHeight", 0)
    headers.shown_size = (width, height) if width and height else None
    headers.interlaced = {1: True, 2: False}.get(numbers.get("FlagInterlaced", 0))


def _add_to_chapters(atoms: list[dict[str, Any]], element: ebml.HeaderElement) -> None:
    name, value = element.name, element.data
    if name in ("EditionEntry", "ChapterAtom"):
        atoms.append({"kind": name, "depth": element.path.count("ChapterAtom"), "said": []})
        return
    if not atoms:
        return
    atom = atoms[-1]
    if name == "ChapterDisplay":
        atom.setdefault("names", []).append({})
    elif name in ("ChapString", "ChapLanguage", "ChapLanguageBCP47"):
        atom["names"][-1][name] = ebml.text(value)
    elif name in ("ChapterTimeStart", "ChapterTimeEnd"):
        atom[name] = Fraction(ebml.number(value), 10**9)
    elif name in ebml.USUAL_FLAGS and ebml.number(value) != ebml.USUAL_FLAGS[name]:
        atom["said"].append(name)
    elif not name or name in ebml.RARE_OF_CHAPTERS:
        atom["said"].append(f"{name or element.path.rpartition('/')[2]} {value.hex()[:32]}")


def _chapters_of(atoms: list[dict[str, Any]]) -> list[Chapter]:
    chapters, counts, edition = [], [0] * 32, ""
    for atom in atoms:
        if atom["kind"] == "EditionEntry":
            edition, counts = " ".join(atom["said"]), [counts[0] + 1] + [0] * 31
            continue
        depth = min(atom["depth"], 31)
        counts[depth] += 1
        counts[depth + 1 :] = [0] * (31 - depth)
        number = ".".join(map(str, counts[1 : depth + 1]))
        place = " ".join(filter(None, [number, edition, *atom["said"]]))
        names = tuple(sorted(_name_of(each) for each in atom.get("names", [])))
        start = atom.get("ChapterTimeStart", Fraction(0))
        chapters.append(Chapter(start, atom.get("ChapterTimeEnd"), names, place))
    return chapters


def _name_of(display: dict[str, str]) -> tuple[str, str]:
    language = display.get("ChapLanguageBCP47") or display.get("ChapLanguage", "eng")
    return language, display.get("ChapString", "")


def _of_movie(headers: Headers, found: Iterator[boxes.Box], picture_index: int) -> None:
    track, size = -1, (0, 0)
    for box in found:
        if box.kind == "trak":
            track += 1
        elif box.path.endswith(f"stsd/{box.kind}") and track == picture_index:
            size = boxes.size_of(box)
        elif box.kind == "elng":
            headers.languages[track] = boxes.text_of(box.data[4:])
        elif box.path.endswith("stsd/tmcd") and len(box.data) >= 25:
            rate, frames, drops = boxes.counting_of(box)
            headers.timecode_tracks.append(TimecodeTrack(rate, frames, drops))
        elif not box.is_known:
            _tell(headers, box.path, box.data)
        elif track == picture_index:
            _of_picture(headers, box, size)


def _of_picture(headers: Headers, box: boxes.Box, size: tuple[int, int]) -> None:
    if box.kind == "clap":
        headers.crop = boxes.crop_of(box, *size)
    elif box.kind == "colr" and box.data[:4] in (b"nclc", b"nclx"):
        headers.colour = boxes.colour_of(box)
    elif box.kind == "fiel" and box.data:
        headers.interlaced = box.data[0] == 2
    elif box.kind in ("dvcC", "dvvC"):
        headers.dolby_vision = True


def _tell(headers: Headers, path: str, data: bytes) -> None:
    name, count = path, 1
    while name in headers.unknown:
        count += 1
        name = f"{path}[{count}]"
    headers.unknown[name] = hashlib.blake2b(data, digest_size=16).digest()
