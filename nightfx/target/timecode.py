"""Let a timecode track of mp4 or mov count in its own rate: FFmpeg lets it count in that of the pictures."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from nightfx.carry import Timecode, boxes
from nightfx.target.matroska import opened


def count_in_own_rate(target: Path | BytesIO, timecode: Timecode) -> None:
    """Put rate and number of a timecode into the track of a complete file, in place of those that are there."""
    number = timecode.number
    assert number is not None, timecode
    with opened(target) as file:
        for table, clock_at in [*boxes.timecode_tracks(file)]:
            flags = boxes.DROPS_FRAMES if timecode.drops_frames else 0
            ticks, frame = timecode.rate.as_integer_ratio()
            _put(file, clock_at, boxes.CLOCK.pack(flags, ticks, frame, timecode.fps))
            _put(file, _first_sample(file, table), number.to_bytes(4))


def _first_sample(file: BinaryIO, table: boxes.Box) -> int:
    for name, size in ((b"stco", 4), (b"co64", 8)):
        for begin, _ in boxes.boxes(file, table, name):
            file.seek(begin + 8)
            return int.from_bytes(file.read(size))
    raise AssertionError("a track has its samples somewhere")


def _put(file: BinaryIO, at: int, data: bytes) -> None:
    file.seek(at)
    file.write(data)
