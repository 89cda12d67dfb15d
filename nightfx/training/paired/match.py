"""Which frame after belongs to which frame before: by name, else by timecode, else by the frame's number.

A side is a folder of pictures or a clip. Names are matched where both are folders that share some; timecode where both are clips
that have it; else the number at the end of a file's name, or that of a clip's frame, which count from 1001.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nightfx.errors import TrainingError
from nightfx.picture import FIRST_FRAME
from nightfx.source import CLIP_SUFFIXES, FALLBACK_RATE, Reader, count_frames
from nightfx.training.data.decode import load_picture, shrink
from nightfx.training.data.folders import check_pictures, list_pictures
from nightfx.training.data.sources import shown_pixels
from nightfx.training.paired.align import aligned

LEAST, MOST = 3, 50  # pairs; of more, as many are taken, evenly
_MOST_LINES = 1080  # of a picture that is kept
_NUMBER = re.compile(r"(\d+)$")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ShotPair:
    """A frame before and after, aligned."""

    name: str
    """The file or frame before."""
    before: np.ndarray
    """(H, W, 3) uint8 RGB."""
    after: np.ndarray
    """The same shape."""


@dataclass(frozen=True)
class _Frame:
    """A picture file, or a frame of a clip by its place."""

    path: Path
    place: int | None = None

    def __str__(self) -> str:
        return str(self.path) if self.place is None else f"{self.path} {self.place + FIRST_FRAME}"


_Side = Mapping[Hashable, _Frame]


def check_sides(before: Path, after: Path) -> None:
    """Raise `TrainingError` for a side that is neither a clip nor a folder of pictures, and for one that is the other."""
    if before.resolve() == after.resolve():
        raise TrainingError(
            f"{before}: before and after are the same; give the shot as it was graded"
        )
    for path in (before, after):
        if not (path.suffix.lower() in CLIP_SUFFIXES and path.is_file()):
            check_pictures(path)


def find_pairs(before: Path, after: Path) -> list[ShotPair]:
    """The pairs of two folders or clips, in order, `MOST` of them at most. Raises `TrainingError`, `SourceError`."""
    one, other = _sides(before, after)
    common = [key for key in one if key in other]
    if len(common) < LEAST:
        raise TrainingError(
            f"{before}, {after}: {len(common)} frames of {len(one)} and {len(other)} belong together by name, timecode "
            f"or number; {LEAST} are the least"
        )
    alone = len(one) + len(other) - 2 * len(common)
    if alone:
        _log.warning("%s, %s: %d frames without another are left out", before, after, alone)
    chosen = [common[i * len(common) // MOST] for i in range(MOST)]
    kept = list(dict.fromkeys(chosen)) if len(common) > MOST else common
    pictures = zip(
        _load([one[key] for key in kept]), _load([other[key] for key in kept]), strict=True
    )
    return [_pair(one[key], other[key], *both) for key, both in zip(kept, pictures, strict=True)]


def _pair(one: _Frame, other: _Frame, before: np.ndarray, after: np.ndarray) -> ShotPair:
    if before.shape != after.shape:
        (h, w), (other_h, other_w) = before.shape[:2], after.shape[:2]
        raise TrainingError(
            f"{other}: {other_w}×{other_h}, and {one} is {w}×{h}: a pair has one size"
        )
    return ShotPair(str(one), *aligned(before, after, str(one)))


def _sides(before: Path, after: Path) -> tuple[_Side, _Side]:
    clips = [path.suffix.lower() in CLIP_SUFFIXES and path.is_file() for path in (before, after)]
    if all(clips):
        (one, first), (other, second) = (_of_clip(path) for path in (before, after))
        if first is not None and second is not None:
            return _numbered(one, first), _numbered(other, second)
        return _by_clip(before), _by_clip(after)
    if any(clips):
        sides = zip((before, after), clips, strict=True)
        mixed = [_by_clip(path) if is_clip else _by_number(path) for path, is_clip in sides]
        return mixed[0], mixed[1]
    names: list[_Side] = [
        {path.stem: _Frame(path) for path in list_pictures(x)} for x in (before, after)
    ]
    if names[0].keys() & names[1].keys():
        return names[0], names[1]
    return _by_number(before), _by_number(after)


def _by_clip(path: Path) -> _Side:
    return _numbered(_of_clip(path)[0], FIRST_FRAME)


def _of_clip(path: Path) -> tuple[list[_Frame], int | None]:
    """A clip's frames, and the first one's timecode in frames from midnight, where it has one."""
    with Reader(path) as reader:
        count = reader.last_number() - FIRST_FRAME + 1
        info = reader.info
    fps = max(round(info.rate or FALLBACK_RATE), 1)
    first = count_frames(info.timecode, fps) if info.timecode else None
    return [_Frame(path, place) for place in range(count)], first


def _numbered(frames: list[_Frame], first: int) -> _Side:
    return dict(enumerate(frames, start=first))


def _by_number(folder: Path) -> _Side:
    found = ((_NUMBER.search(path.stem), path) for path in list_pictures(folder))
    return {int(number[1]): _Frame(path) for number, path in found if number}


def _load(frames: list[_Frame]) -> Iterator[np.ndarray]:
    """Decode frames of one side, in their order."""
    if frames[0].place is None:
        yield from (shrink(load_picture(frame.path), _MOST_LINES) for frame in frames)
        return
    wanted = {frame.place for frame in frames}
    with Reader(frames[0].path) as reader:
        for place, frame in enumerate(reader.frames()):
            if place in wanted:
                yield shrink(shown_pixels(frame), _MOST_LINES)
