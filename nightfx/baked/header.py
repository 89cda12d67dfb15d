"""The head of a bake: what plate it is of, and how its light is written. See docs/hosts/bake.md."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

import msgspec

from nightfx.errors import SourceError

MAGIC, VERSION = b"NFXBAKE1", 1
_HEAD = struct.Struct("<8sIIQQIIIIiIiIIIII3f3fffIIII")
_ENTRY = struct.Struct("<QIIIf")
GROUPS = ("lamps", "windows", "cars", "signs", "street")
"""The groups of lamps, in the order in which their shares stand."""
TRACKS = ("ground", "veil", "sky", "matte", "groups")
"""What a frame may have planes of, in the order of their numbers."""
CHANNELS = {"ground": 12, "veil": 3, "sky": 15, "matte": 6, "groups": 6 * len(GROUPS)}


class MostSizes(NamedTuple):
    """The largest sizes that a file may claim."""

    side: int = 65536
    cells: int = 1024
    frames: int = 1 << 22
    text: int = 1 << 20


MOST = MostSizes()
_RATE = 5e-4  # of frames a second: containers round, and 24 is not 23.976


class TrackSize(NamedTuple):
    """How one kind of planes is written, in all frames that have it."""

    name: str
    height: int
    width: int
    steps: tuple[float, ...]
    """What a whole number of each channel stands for."""


class LumaWeights(NamedTuple):
    """What light is told by in the plate's RGB."""

    luma: tuple[float, float, float]
    """Luma, as sky is told from what stands before it."""
    clear: tuple[float, float, float]
    """The plane in which panes are told from their wall: its shares, and then what it is of black and for 1, of the largest code."""
    black: float
    scale: float


class PlateFacts(NamedTuple):
    """What a plate must be the same in."""

    width: int
    height: int
    rate: Fraction | None
    first: int
    """Number of its first frame."""
    frames: int


@dataclass(frozen=True)
class BakeFacts:
    """What a bake is of."""

    width: int
    """Of the plate as it is coded, in px."""
    height: int
    rate: Fraction | None
    """Frames a second; None where the plate does not say."""
    first: int
    """Number of the first frame that is lit."""
    frames: int
    """How many are lit."""
    plate_first: int
    """Number of the plate's first frame."""
    plate_frames: int
    """How many frames the plate has."""
    cells: tuple[int, int]
    """(h, w) of the grid that light is brought to before it is put on pixels."""
    weights: LumaWeights
    key_every: int
    """A frame of so many needs none before it."""
    rotation: int = 0
    """Degrees counter-clockwise by which a player turns the plate."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """For people: the plate's name and timecode, preset, options and version."""
    tracks: tuple[TrackSize, ...] = ()

    def differences(self, plate: PlateFacts) -> Iterator[str]:
        """Yield a line for each thing in which a plate is another one."""
        own, other = (self.width, self.height), (plate.width, plate.height)
        if own != other:
            yield f"is of {own[0]}x{own[1]}, and the plate is {other[0]}x{other[1]}"
        if self.rate and plate.rate and abs(self.rate / plate.rate - 1) > _RATE:
            both = f"{float(self.rate):.6g} frames a second, and the plate has"
            yield f"is of {both} {float(plate.rate):.6g}"
        if (self.plate_first, self.plate_frames) != (plate.first, plate.frames):
            both = f"{self.plate_frames} frames from {self.plate_first} on, and the plate has"
            yield f"is of {both} {plate.frames} from {plate.first} on"


class Entry(NamedTuple):
    """Where a frame stands in the file."""

    at: int
    size: int
    crc: int
    is_key: bool
    strength: float


def head_bytes(facts: BakeFacts, index_at: int, file_bytes: int) -> bytes:
    """Return the head: of the same length whatever the counts in it are."""
    text = msgspec.json.encode(facts.about)
    body = b"".join(_track_bytes(track) for track in facts.tracks) + text
    rate, w = facts.rate or Fraction(0), facts.weights
    fixed = _HEAD.pack(
        *(MAGIC, VERSION, _HEAD.size + len(body), file_bytes, index_at, facts.width, facts.height),
        *(rate.numerator, rate.denominator, facts.first, facts.frames, facts.plate_first),
        *(facts.plate_frames, *facts.cells, len(facts.tracks), len(GROUPS)),
        *(*w.luma, *w.clear, w.black, w.scale, facts.key_every, len(text), facts.rotation % 360, 0),
    )[:-4]
    return fixed + struct.pack("<I", zlib.crc32(body, zlib.crc32(fixed))) + body


def _track_bytes(track: TrackSize) -> bytes:
    head = TRACKS.index(track.name), len(track.steps), track.height, track.width
    return struct.pack(f"<4I{len(track.steps)}f", *head, *track.steps)


def index_bytes(entries: list[Entry]) -> bytes:
    """Return the index of all frames and its checksum."""
    body = b"".join(
        _ENTRY.pack(one.at, one.size, one.crc, one.is_key, one.strength) for one in entries
    )
    return body + struct.pack("<I", zlib.crc32(body))


def read_head(data: memoryview, name: str) -> tuple[BakeFacts, list[Entry]]:
    """Read head and index of the bytes of a file; raises SourceError for anything that they may not be."""
    try:
        return _read_head(data)
    except (struct.error, ValueError, msgspec.MsgspecError, IndexError, OverflowError) as error:
        words = "not a bake, or a damaged one: bake the shot anew"
        raise SourceError(f"{name}: {words} ({error})") from error


def _read_head(data: memoryview) -> tuple[BakeFacts, list[Entry]]:
    _need(bytes(data[:8]) == MAGIC, "it begins otherwise")
    read = _HEAD.unpack_from(data)
    _, version, head, file_bytes, index_at, width, height, rate, per, first, frames = read[:11]
    plate_first, plate_frames, high, wide, tracks, groups = read[11:17]
    luma, clear, (black, scale) = read[17:20], read[20:23], read[23:25]
    key_every, text, rotation, crc = read[25:]
    _need(version == VERSION, f"of version {version}, {VERSION} is known")
    _need(file_bytes == len(data), f"{len(data)} bytes of {file_bytes}")
    _need(_HEAD.size <= head <= len(data), "its head is longer than it")
    body = bytes(data[_HEAD.size : head])
    _need(zlib.crc32(body, zlib.crc32(data[: _HEAD.size - 4])) == crc, "its head is damaged")
    _need(0 < width <= MOST.side and 0 < height <= MOST.side, f"a plate of {width}x{height}")
    _need(0 < frames <= MOST.frames and groups == len(GROUPS), f"{frames} frames")
    _need(0 < high <= MOST.cells and 0 < wide <= MOST.cells, f"{wide}x{high} cells")
    _need(text <= min(MOST.text, len(body)) and 0 < key_every <= 1024, "its text is too long")
    facts = BakeFacts(
        *(width, height, Fraction(rate, per) if rate and per else None, first, frames),
        *(plate_first, plate_frames, (high, wide)),
        *(LumaWeights(luma, clear, black, scale), key_every, rotation),
        msgspec.json.decode(body[len(body) - text :], type=dict[str, Any]) if text else {},
        tuple(_read_tracks(body[: len(body) - text], tracks)),
    )
    return facts, _read_index(data, index_at, facts, head)


def _read_tracks(body: bytes, count: int) -> list[TrackSize]:
    at, found = 0, []
    _need(count <= len(TRACKS), f"{count} tracks")
    for _ in range(count):
        kind, channels, height, width = struct.unpack_from("<4I", body, at)
        name = TRACKS[kind]
        _need(channels == CHANNELS[name], f"{channels} channels of {name}")
        _need(0 < height <= MOST.cells and 0 < width <= MOST.cells, f"{width}x{height} of {name}")
        steps = struct.unpack_from(f"<{channels}f", body, at + 16)
        _need(all(0 < step <= 1 for step in steps), "a step out of range")
        found.append(TrackSize(name, height, width, steps))
        at += 16 + 4 * channels
    _need(at == len(body) and len({x.name for x in found}) == count, "its tracks are others")
    return found


def _read_index(data: memoryview, at: int, facts: BakeFacts, head: int) -> list[Entry]:
    size = facts.frames * _ENTRY.size
    _need(head <= at and at + size + 4 == len(data), "its index is not at its end")
    body = data[at : at + size]
    _need(struct.unpack_from("<I", data, at + size)[0] == zlib.crc32(body), "its index is damaged")
    entries = [
        Entry(start, length, crc, bool(key), strength)
        for start, length, crc, key, strength in _ENTRY.iter_unpack(body)
    ]
    _need(entries[0].is_key, "it begins without a key")
    for one in entries:
        _need(head <= one.at <= at and one.size <= at - one.at, "a frame lies outside of it")
        _need(0 <= one.strength <= 1, "a strength out of range")
    return entries


def _need(holds: bool, words: str) -> None:
    if not holds:
        raise ValueError(words)
