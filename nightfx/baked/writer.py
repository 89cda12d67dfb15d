"""Write a bake, frame after frame; its head and its index come last, when it is known how many there are."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import BinaryIO

from nightfx.baked.header import BakeFacts, Entry, head_bytes, index_bytes
from nightfx.baked.lit import BakedLight
from nightfx.baked.record import Planes, recorded, values_of


class BakeWriter:
    """Writes the light of a shot to an open file; `finish` completes it."""

    def __init__(self, out: BinaryIO, facts: BakeFacts) -> None:
        self._out, self._facts = out, facts
        self._entries: list[Entry] = []
        self._before: Planes | None = None
        out.write(bytes(len(head_bytes(facts, 0, 0))))

    def add(self, light: BakedLight) -> BakedLight:
        """Write the next frame; returns its light as it will be read."""
        is_key = len(self._entries) % self._facts.key_every == 0
        data, planes = recorded(light, self._facts.tracks, None if is_key else self._before)
        at, crc = self._out.tell(), zlib.crc32(data)
        self._entries.append(Entry(at, len(data), crc, is_key, light.strength))
        self._out.write(data)
        self._before = planes
        return light._replace(planes=values_of(planes, self._facts.tracks))

    def finish(self) -> None:
        """Write index and head."""
        index_at = self._out.tell()
        self._out.write(index_bytes(self._entries))
        facts = replace(self._facts, frames=len(self._entries))
        size = self._out.tell()
        self._out.seek(0)
        self._out.write(head_bytes(facts, index_at, size))
