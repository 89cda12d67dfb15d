"""Put into the header of a Matroska file what FFmpeg's muxer cannot say: display size, regions of languages, chapters.

The header has room for it, so that nothing behind it moves: the room is asked for by `metadata_header_padding`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from nightfx.carry import ebml
from nightfx.carry.ebml import Element

_ROOM = 4096  # bytes, for tracks and the places of elements
_ASPECT = 3  # a display unit: the ratio of the sides and not their pixels
# by how much a picture that holds two eyes is larger than what is shown, across and down
_EYES = {"left_right": (2, 1), "right_left": (2, 1), "col_interleaved_rl": (2, 1)}
_EYES |= {"col_interleaved_lr": (2, 1), "bottom_top": (1, 2), "top_bottom": (1, 2)}
_EYES |= {"row_interleaved_rl": (1, 2), "row_interleaved_lr": (1, 2)}


@dataclass(frozen=True)
class MatroskaHeader:
    """What a header is to say besides."""

    picture: int = 0
    """Place of the picture among the tracks."""
    shown: tuple[int, int, bool] | None = None
    """Width and height that are shown, and whether they are only a ratio; None is as FFmpeg writes it."""
    regions: dict[int, str] = field(default_factory=dict)
    """Languages with their regions, by the place of the track."""
    chapters: bytes = b""
    """Contents of the chapters; none are as FFmpeg writes them."""

    @property
    def room(self) -> int:
        """Bytes that a file's header needs more."""
        return _ROOM + len(self.chapters)


def shown_size(
    width: int, height: int, aspect: Fraction, eyes: str | None
) -> tuple[int, int, bool] | None:
    """Return the size at which a picture is shown, and whether it is a ratio; None where it is that of its pixels."""
    across, down = _EYES.get(eyes or "", (1, 1))
    if aspect == 1 and (across, down) == (1, 1):
        return None
    wide = width * aspect * Fraction(1, across)
    tall = Fraction(height, down)
    if wide.denominator == tall.denominator == 1:
        return int(wide), int(tall), False
    return *(wide / tall).as_integer_ratio(), True


def complete_header(target: Path | BytesIO, header: MatroskaHeader) -> None:
    """Say all of it in a complete file."""
    if not (header.shown or header.regions or header.chapters):
        return
    with opened(target) as file:
        found = [*ebml.top_elements(file)]
        begin = next(at for at, id, *_ in found if id == ebml.SEEK_HEAD)
        end = next((at for at, id, *_ in found if id == ebml.CLUSTER), found[-1][3])
        parts = [_read(file, *one[1:]) for one in found if begin <= one[0] < end]
        told = {ebml.TRACKS: _tracks, ebml.CHAPTERS: _chapters}
        parts = [told[p.id](p, header) if p.id in told else p for p in parts if p.id != ebml.VOID]
        if header.chapters and not any(part.id == ebml.CHAPTERS for part in parts):
            parts.append(_chapters(Element(ebml.CHAPTERS, b""), header))
        whole = _laid_out(parts, end - begin)
        file.seek(begin)
        file.write(whole)


@contextmanager
def opened(target: Path | BytesIO) -> Iterator[BinaryIO]:
    """Open a file to change it, or what is in memory in place of one."""
    if isinstance(target, BytesIO):
        yield target
        return
    with target.open("r+b") as file:
        yield file


def _read(file: BinaryIO, id: int, begin: int, end: int) -> Element:
    file.seek(begin)
    return Element(id, file.read(end - begin))


def _laid_out(parts: list[Element], room: int) -> bytes:
    """The parts one behind the other, the first being the places of all, counted from itself, and the room that is left."""
    seek, *others = parts
    places = dict.fromkeys((part.id for part in others), 0)
    at = len(_seek_head(seek, places).encoded())
    for part in others:
        places[part.id] = at
        at += len(part.encoded())
    body = b"".join(part.encoded() for part in [_seek_head(seek, places), *others])
    left = room - len(body)
    assert left >= 2, "the header has room"
    return body + ebml.void(left)


def _seek_head(seek: Element, places: dict[int, int]) -> Element:
    """The places of elements, those in the header anew, each in eight bytes."""
    own = [*ebml.elements(seek.data)]
    told = [
        {i.id: ebml.number(i.data) for i in ebml.elements(o.data)} for o in own if o.id == ebml.SEEK
    ]
    known = {facts[ebml.SEEK_ID]: facts[ebml.SEEK_POSITION] for facts in told}
    found = [one for one in own if one.id == ebml.CRC]
    for id, place in (known | places).items():
        words = (ebml.SEEK_ID, ebml.number_bytes(id)), (ebml.SEEK_POSITION, place.to_bytes(8))
        found.append(Element(ebml.SEEK, ebml.encoded([Element(*word) for word in words])))
    return Element(seek.id, ebml.encoded(found))


def _chapters(part: Element, header: MatroskaHeader) -> Element:
    if not header.chapters:
        return part
    crc = [one for one in ebml.elements(part.data) if one.id == ebml.CRC]
    own = [one for one in ebml.elements(header.chapters) if one.id != ebml.CRC]
    return Element(part.id, ebml.encoded([*crc, *own]))


def _tracks(part: Element, header: MatroskaHeader) -> Element:
    found, place = [], 0
    for one in ebml.elements(part.data):
        if one.id == ebml.TRACK:
            one, place = _track(one, place, header), place + 1
        found.append(one)
    return Element(part.id, ebml.encoded(found))


def _track(track: Element, place: int, header: MatroskaHeader) -> Element:
    found = [*ebml.elements(track.data)]
    if region := header.regions.get(place):
        found = [*_without(found, ebml.REGION), Element(ebml.REGION, region.encode("ascii"))]
    if place == header.picture and header.shown:
        found = [_shown(one, header.shown) if one.id == ebml.VIDEO else one for one in found]
    return Element(track.id, ebml.encoded(found))


def _shown(video: Element, shown: tuple[int, int, bool]) -> Element:
    width, height, is_ratio = shown
    ids = (ebml.DISPLAY_WIDTH, ebml.DISPLAY_HEIGHT, ebml.DISPLAY_UNIT)
    numbers = (width, height, _ASPECT if is_ratio else 0)
    said = [Element(id, ebml.number_bytes(n)) for id, n in zip(ids, numbers, strict=True)]
    return Element(video.id, ebml.encoded([*_without([*ebml.elements(video.data)], *ids), *said]))


def _without(found: list[Element], *ids: int) -> list[Element]:
    return [one for one in found if one.id not in ids]
