"""Find the media of a timeline's clips: by path, then by file name, then by name or reel with the timecode in it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from nightfx.batch.shots.find import find_shots
from nightfx.errors import NightfxError, SourceError
from nightfx.job.source_target import open_shot
from nightfx.options import SourceOptions, rate_from
from nightfx.source import FALLBACK_RATE, base_name, existing_files

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


class Library:
    """The media in a folder, and what is known of those that were asked for."""

    def __init__(self, folder: Path, out: Path, beside: Path, options: SourceOptions) -> None:
        self._folder, self._out, self._beside, self._options = folder, out, beside, options
        self._known: dict[Path, Medium] = {}

    def find(self, clip: Any) -> Medium:
        """The media of a clip of OpenTimelineIO. Raises OfflineError."""
        url = _url_of(clip.media_reference)
        if path := self._by_path(url):
            return self.about(path, clip)
        return self._one_of(clip, self._alike(clip, Path(unquote(url)).name))

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

    def about(self, path: Path, clip: Any) -> Medium:
        """Return all that is known of a file that a clip may show. Raises SourceError."""
        if path not in self._known:
            with open_shot(path, self._options) as shot:
                info = shot.info
            assumed = info.rate is None and info.container == "sequence"
            rate = info.rate or FALLBACK_RATE
            if assumed:
                rate = rate_from(float(clip.trimmed_range().start_time.rate))
            first = frames_of(info.timecode, rate) if info.timecode else None
            self._known[path] = Medium(path, rate, info.frames_estimate, first, assumed)
        return self._known[path]

    def _by_path(self, url: str) -> Path | None:
        parts = urlsplit(url)
        if not url or (parts.scheme not in ("", "file") and len(parts.scheme) > 1):
            return None
        said = Path(unquote(parts.path) if parts.scheme == "file" else url)
        places = [said] if said.is_absolute() else [self._beside / said, self._folder / said]
        return next((p for p in places if "\0" not in url and existing_files(p)), None)

    def _alike(self, clip: Any, file: str) -> list[Path]:
        """Files of its name, else files of that name with another suffix, else of its reel."""
        names = {file, clip.name, getattr(clip.media_reference, "name", "")}
        names = {name.lower() for name in names if name}
        bases = {base_name(Path(name)) for name in names}
        reel = str(clip.metadata.get("cmx_3600", {}).get("reel", "")).lower()
        tests: list[Callable[[Path], bool]] = [
            lambda path: path.name.lower() in names,
            lambda path: base_name(path).lower() in bases,
            lambda path: bool(reel) and _is_reel(base_name(path).lower(), reel),
        ]
        found = ([path for path in self.paths if test(path)] for test in tests)
        return next(filter(None, found), [])

    def _one_of(self, clip: Any, paths: list[Path]) -> Medium:
        media = []
        for path in paths:
            try:
                media.append(self.about(path, clip))
            except NightfxError:
                continue  # what cannot be read is not it
        timed = [medium for medium in media if _covers(medium, clip)]
        if len(timed) == 1 or len(media) == 1:
            return (timed or media)[0]
        names = ", ".join(str(medium.path) for medium in media[:3])
        raise OfflineError(f"not to be told from another: {names}" if media else "not found")


def _is_reel(base: str, reel: str) -> bool:
    return base == reel or (len(reel) >= _REEL_LETTERS and base.startswith(reel))


def _url_of(reference: Any) -> str:
    """Where a media reference points to: a URL or a path, a sequence as its pattern; empty for nowhere."""
    if hasattr(reference, "name_prefix"):
        number = "#" * max(reference.frame_zero_padding, 1)
        name = f"{reference.name_prefix}{number}{reference.name_suffix}"
        return f"{reference.target_url_base.rstrip('/')}/{name}"
    return str(getattr(reference, "target_url", "") or "")


def frames_of(timecode: str, rate: Fraction) -> int | None:
    """A timecode as a number of frames; None where it is not one at this rate."""
    import opentimelineio as otio

    try:
        return int(
            otio.opentime.from_timecode(timecode, timecode_rate(rate, ";" in timecode)).value
        )
    except ValueError:
        return None


def timecode_rate(rate: Fraction, drop: bool) -> float:
    """The rate at which OpenTimelineIO counts timecodes: whole, for at 29.97 it would write drop frames."""
    import opentimelineio as otio

    near = otio.opentime.RationalTime.nearest_smpte_timecode_rate(float(rate))
    return float(near if drop else round(near))


def _covers(medium: Medium, clip: Any) -> bool:
    """Whether the timecode of a file reaches over what a clip shows of it."""
    shown = clip.trimmed_range().start_time
    if medium.first is None:
        return False
    start = round(shown.to_seconds() * float(medium.rate))
    return bool(medium.first <= start < medium.first + (medium.frames or math.inf))
