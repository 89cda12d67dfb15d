"""Say in a complete mp4 or mov what FFmpeg's muxer cannot: the rate of a timecode, regions of languages, dates of tracks."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from nightfx.carry import Timecode, boxes
from nightfx.target.matroska import opened

_HEAD = struct.Struct(">I4s")  # of a box: its size, its kind
_DATE_AT = 4  # behind a header's version and flags
_BEGINNING = datetime(1904, 1, 1, tzinfo=UTC)  # of QuickTime's clock


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


def date_tracks(target: Path | BytesIO, dates: Mapping[int, str]) -> None:
    """Say of tracks, by their places, when they were made: FFmpeg's muxer gives all the date of the file."""
    if not dates:
        return
    with opened(target) as file:
        for place, heads in enumerate(boxes.dated(file)):
            seconds = _seconds_of(dates.get(place, ""))
            for at in heads if seconds is not None else ():
                file.seek(at)
                size = 8 if file.read(1) == b"\1" else 4
                _put(file, at + _DATE_AT, (seconds or 0).to_bytes(size))


def _seconds_of(date: str) -> int | None:
    """Seconds by QuickTime's clock; None where the words are no date, or one that has no place there."""
    try:
        made = datetime.fromisoformat(date)
    except ValueError:
        return None
    made = made if made.tzinfo else made.replace(tzinfo=UTC)
    seconds = int((made - _BEGINNING).total_seconds())
    return seconds if 0 < seconds < 1 << 32 else None


def name_regions(target: Path | BytesIO, regions: Mapping[int, str]) -> None:
    """Give tracks, by their places, a language with its region, in a box of its own (`elng`).

    What describes the tracks has to be the last box, so that nothing behind it moves.
    """
    if not regions:
        return
    with opened(target) as file:
        begin, end = next(boxes.boxes(file, boxes.whole(file), b"moov"))
        if boxes.whole(file)[1] != end:
            return
        file.seek(begin)
        movie = _with_regions(file.read(end - begin), regions)
        _put(file, begin - _HEAD.size, _HEAD.pack(_HEAD.size + len(movie), b"moov") + movie)


def _with_regions(movie: bytes, regions: Mapping[int, str]) -> bytes:
    written, place = b"", 0
    for kind, data in boxes.split(movie):
        if kind == b"trak":
            data, place = _with_region(data, regions.get(place)), place + 1
        written += _HEAD.pack(_HEAD.size + len(data), kind) + data
    return written


def _with_region(track: bytes, region: str | None) -> bytes:
    written = b""
    for kind, data in boxes.split(track):
        if kind == b"mdia" and region:
            words = bytes(4) + region.encode("ascii") + b"\0"
            data += _HEAD.pack(_HEAD.size + len(words), boxes.LANGUAGE) + words
        written += _HEAD.pack(_HEAD.size + len(data), kind) + data
    return written


def _first_sample(file: BinaryIO, table: boxes.Box) -> int:
    for name, size in ((b"stco", 4), (b"co64", 8)):
        for begin, _ in boxes.boxes(file, table, name):
            file.seek(begin + 8)
            return int.from_bytes(file.read(size))
    raise AssertionError("a track has its samples somewhere")


def _put(file: BinaryIO, at: int, data: bytes) -> None:
    file.seek(at)
    file.write(data)
