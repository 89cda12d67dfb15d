"""Find the media of a timeline's clips: by path, then by file name, then by name or reel with the timecode in it.

Paths may be of another machine and of another kind of it: what counts then is the name at their end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import takewhile
from pathlib import Path

from nightfx.batch.shots.document import TimelineClip
from nightfx.batch.shots.find import find_shots
from nightfx.batch.shots.names import (
    all_sequences,
    as_pattern,
    first_number,
    folders_in,
    key_of,
    names_in,
    on_disk,
    said_paths,
)
from nightfx.errors import NightfxError, SourceError
from nightfx.job.source_target import open_shot
from nightfx.options import SourceOptions
from nightfx.source import (
    FALLBACK_RATE,
    base_name,
    count_frames,
    day_frames,
    frames_on_disk,
)

_REEL_LETTERS = 8  # what an EDL may have cut a reel's name to


class OfflineError(SourceError):
    """A clip's media is not there, or not to be told from others."""


@dataclass(frozen=True)
class Medium:
    """A file, or a sequence, that a timeline's clip shows."""

    path: Path
    """The clip, or the pattern."""
    rate: Fraction
    """Frames a second."""
    frames: int | None
    """How many there are; None where that is not known."""
    first: int | None
    """Its start timecode as frames; None where it has none."""
    assumed: bool = False
    """The rate is the timeline's: a sequence may say none."""
    timecode: str = ""
    """That of its first frame; empty where it has none."""
    first_number: int | None = None
    """The number of the first file of a sequence."""
    reel: str = ""
    """The name of its reel, as the file says it."""

    @property
    def drop(self) -> bool:
        """Whether its timecode drops frames."""
        return ";" in self.timecode

    @property
    def day(self) -> int:
        """Frames from midnight to midnight, as its timecode counts."""
        return day_frames(max(round(self.rate), 1), drop=self.drop)


class Library:
    """The media in a folder, and what is known of those that were asked for."""

    def __init__(self, folder: Path, out: Path, beside: Path, options: SourceOptions) -> None:
        self._folder, self._out, self._beside, self._options = folder, out, beside, options
        self._known: dict[Path, Medium] = {}

    def find(self, clip: TimelineClip) -> Medium:
        """The media of a timeline's clip. Raises OfflineError."""
        for text in clip.paths:
            if path := self._by_path(text):
                return self.about(path, clip)
        return self._one_of(clip, self._alike(clip))

    @cached_property
    def paths(self) -> list[Path]:
        """All media of the folder."""
        try:
            return [shot.source for shot in find_shots(self._folder, self._out)]
        except SourceError:
            return []

    def first_rate(self) -> Fraction | None:
        """That of the first file that says one."""
        for path in self.paths:
            try:
                with open_shot(path, self._options) as shot:
                    if shot.info.rate:
                        return shot.info.rate
            except NightfxError:
                continue
        return None

    def about(self, path: Path, clip: TimelineClip) -> Medium:
        """Return all that is known of a file that a clip may show. Raises SourceError."""
        if path not in self._known:
            with open_shot(path, self._options) as shot:
                info = shot.info
            sequence = info.container == "sequence"
            assumed = info.rate is None and sequence
            rate = info.rate or FALLBACK_RATE
            if assumed and clip.rate > 1:
                rate = clip.rate
            first = frames_of(info.timecode, rate) if info.timecode else None
            number = next(iter(frames_on_disk(path)), None) if sequence else None
            timecode = info.timecode or ""
            self._known[path] = Medium(
                *(path, rate, info.frames_estimate, first, assumed, timecode, number, info.reel)
            )
        return self._known[path]

    def _by_path(self, text: str) -> Path | None:
        for said in said_paths(text):
            place = Path(said)
            for path in (
                [place] if place.is_absolute() else [self._beside / place, self._folder / place]
            ):
                if "\0" not in said and (found := on_disk(path)):
                    return found
        return None

    def _alike(self, clip: TimelineClip) -> list[Path]:
        """Files of its name, else files of that name with another suffix, else of its reel by name or by what they say."""
        full = {key_of(name) for name in (*names_in(clip.paths), *clip.names) if name}
        # one file of a sequence names the sequence
        full |= {key_of(number) for name in full if (number := as_pattern(name))}
        bases = {key_of(base_name(Path(name))).rstrip("._-") for name in full}
        bases |= {name.split("#")[0].rstrip("._-") for name in full if "#" in name}
        reel = key_of(clip.reel)
        tests: list[Callable[[Path], bool]] = [
            lambda path: key_of(path.name) in full,
            lambda path: key_of(base_name(path)) in bases,
            lambda path: bool(reel) and _is_reel(key_of(base_name(path)), reel),
            lambda path: bool(reel) and _is_reel(self._reel_in(path, clip), reel),
        ]
        found = ([path for path in self.paths if test(path)] for test in tests)
        return next(filter(None, found), []) or self._sequences_named(full)

    def _reel_in(self, path: Path, clip: TimelineClip) -> str:
        try:
            return key_of(self.about(path, clip).reel)
        except NightfxError:
            return ""

    def _sequences_named(self, names: Iterable[str]) -> list[Path]:
        """Numbered pictures that a folder of others hides: they are taken where a timeline names them."""
        patterns = {name for name in names if "#" in name}
        folders = [self._folder, *sorted(self._folder.rglob("*/"))] if patterns else []
        found = (path for folder in folders if folder.is_dir() for path in all_sequences(folder))
        return [path for path in found if key_of(path.name) in patterns]

    def _one_of(self, clip: TimelineClip, paths: list[Path]) -> Medium:
        media = []
        for path in paths:
            try:
                media.append(self.about(path, clip))
            except NightfxError:
                continue  # what cannot be read is not it
        timed = [medium for medium in media if _covers(medium, clip)]
        near = _nearest(timed or media, clip)
        for found in (timed, media, near):
            if len(found) == 1:
                return found[0]
        names = ", ".join(str(medium.path) for medium in media[:3])
        raise OfflineError(f"not to be told from another: {names}" if media else "not found")


def position(clip: TimelineClip, medium: Medium) -> int:
    """The frame of a file that a clip begins with, counted from 0; it may be none that the file has."""
    start = round(frames_in(medium, clip.start, clip.rate))
    if clip.timecode:
        start = _labelled(clip, medium)
    elif clip.known is not None:
        first = round(frames_in(medium, clip.start - clip.known, clip.rate))
        number = clip.first_number
        number = first_number(clip.paths) if number is None else number
        if number is not None and medium.first_number is not None:
            first += number - medium.first_number
        # a timeline's own word counts where what is shown lies within
        if 0 <= first < (medium.frames or math.inf):
            return first
    return _from_first(start, medium)


def frames_in(medium: Medium, frames: Fraction, rate: Fraction) -> Fraction:
    """Frames of a timeline, or seconds at a rate of 1, as frames of a file.

    23.976 and 24 are counted alike, as are 29.97 and 59.94 by twos.
    """
    if rate > 1:
        counts = Fraction(max(round(medium.rate), 1), max(round(rate), 1))
        if abs(medium.rate / rate / counts - 1) < Fraction(1, 500) and (
            counts.numerator == 1 or counts.denominator == 1 or rate.denominator == 1
        ):
            return frames * counts
    return frames * medium.rate / rate


def frames_of(timecode: str, rate: Fraction) -> int | None:
    """A timecode as a number of frames; None where it is not one at this rate."""
    return count_frames(timecode, max(round(rate), 1))


def _labelled(clip: TimelineClip, medium: Medium) -> int:
    """The number of a timecode as the file counts its own, which may be at twice the list's rate."""
    fps, own = max(round(clip.rate), 1), max(round(medium.rate), 1)
    clock, frames = clip.timecode[:-3], int(clip.timecode[-2:])
    whole = count_frames(f"{clock}:00", own, drop=False) or 0
    if medium.drop and own % 30 == 0:
        minutes = whole // (own * 60)
        whole -= own // 15 * (minutes - minutes // 10)
    return whole + round(Fraction(frames * own, fps))


def _from_first(number: int, medium: Medium) -> int:
    """Count from a file's first timecode; media may run over midnight."""
    if medium.first is None:
        return number
    later = (number - medium.first) % medium.day
    return later if later < (medium.frames or medium.day) else number - medium.first


def _covers(medium: Medium, clip: TimelineClip) -> bool:
    """Whether the timecode of a file reaches over what a clip shows of it."""
    if medium.first is None:
        return False
    start = frames_in(medium, clip.start, clip.rate)
    number = _labelled(clip, medium) if clip.timecode else round(start)
    return 0 <= _from_first(number, medium) < (medium.frames or math.inf)


def _nearest(media: list[Medium], clip: TimelineClip) -> list[Medium]:
    """Those whose folders are called most like those where the file was."""

    def alike(medium: Medium, said: str) -> int:
        pairs = zip(folders_in(str(medium.path)), folders_in(said), strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    said = [path for text in clip.paths for path in said_paths(text)]
    scores = [max((alike(medium, path) for path in said), default=0) for medium in media]
    best = max(scores, default=0)
    return [medium for medium, score in zip(media, scores, strict=True) if score == best > 0]


def _is_reel(base: str, reel: str) -> bool:
    return base == reel or (len(reel) >= _REEL_LETTERS and base.startswith(reel))
