"""Read a bake: what it is of, and the light of any of its frames. It comes from others, and nothing in it is believed unseen."""

from __future__ import annotations

import mmap
import struct
import zlib
from pathlib import Path

from nightfx.apply import Change, Finish
from nightfx.baked.header import BakeFacts, Entry, read_head
from nightfx.baked.lit import BakedLight
from nightfx.baked.record import Unrecorded, unrecorded
from nightfx.errors import SourceError
from nightfx.picture import Frame


class Bake:
    """The light of a shot's frames."""

    def __init__(self, data: memoryview, name: str) -> None:
        self.facts: BakeFacts
        """What it is of."""
        self._data, self._name = data, name
        self.facts, self._entries = read_head(data, name)
        self._last: tuple[int, Unrecorded] | None = None

    def at(self, number: int) -> BakedLight:
        """Return the light of the frame of a number; raises SourceError for one that is not baked, or damaged."""
        place = number - self.facts.first
        if not 0 <= place < self.facts.frames:
            last = self.facts.first + self.facts.frames - 1
            words = f"frame {number} is not in it, which has {self.facts.first} to {last}"
            raise SourceError(f"{self._name}: {words}: bake those that are rendered")
        return self._read(place).light

    def change_at(self, number: int, frame: Frame, seed: int) -> tuple[Change, Finish]:
        """Return what becomes of the frame of a number, and what comes after that; raises SourceError."""
        facts = self.facts
        if (frame.width, frame.height) != (facts.width, facts.height):
            words = f"{facts.width}x{facts.height}, and the plate {frame.width}x{frame.height}"
            raise SourceError(f"{self._name}: is of {words}: bake this plate")
        light = self.at(number)
        return light.change(frame, facts.cells), light.finish(seed)

    def _read(self, place: int) -> Unrecorded:
        if self._last is None or self._last[0] != place:
            first = place
            while not self._entries[first].is_key:
                first -= 1
            if self._last is not None and first <= self._last[0] < place:
                first = self._last[0] + 1
            for one in range(first, place + 1):
                self._last = one, self._unrecorded(one, self._entries[one])
        assert self._last is not None, "it was just read"
        return self._last[1]

    def _unrecorded(self, place: int, entry: Entry) -> Unrecorded:
        data = self._data[entry.at : entry.at + entry.size]
        before = None if entry.is_key or self._last is None else self._last[1].planes
        try:
            if zlib.crc32(data) != entry.crc:
                raise ValueError("its checksum is another")
            return unrecorded(data, self.facts, entry.strength, before)
        except (ValueError, struct.error) as error:
            number = self.facts.first + place
            words = f"frame {number} is damaged ({error}): bake the shot anew"
            raise SourceError(f"{self._name}: {words}") from error


def open_bake(path: Path) -> Bake:
    """Open a bake; its bytes are read from the disk when they are needed. Raises SourceError."""
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is empty"
        raise SourceError(f"{path}: cannot be read as a bake ({reason})") from error
    return Bake(memoryview(data), str(path))
