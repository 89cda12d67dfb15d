"""Timelines: which parts of which files a cut shows, each to be rendered once, with handles.

OpenTimelineIO and its adapters (nightfx[film]) read `.otio`, `.edl`, `.xml` of Final Cut 7, `.fcpxml` and `.aaf`. A
retime stays in the timeline, and its render has the frames that it runs over.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from nightfx.batch.shots import find, media
from nightfx.errors import SourceError, UsageError, install_words
from nightfx.source import base_name

_SUFFIXES = (".otio", ".edl", ".xml", ".fcpxml", ".aaf")
ADAPTERS = {".xml": "fcp_xml", ".edl": "cmx_3600", ".fcpxml": "fcpx_xml", ".aaf": "AAF"}
_DROP = re.compile(r"\d\d:\d\d:\d\d;\d\d")
_EDL_RATE = Fraction(24)  # where neither a flag nor the media say one


@dataclass
class Use:
    """The part of a file that a clip of the timeline shows."""

    clip: Any
    """The clip, of OpenTimelineIO."""
    medium: media.Medium
    """The file."""
    first: int
    """First frame shown, counted in the file from 0."""
    end: int
    """First frame no longer shown."""
    origin: int
    """The timeline's number of the file's first frame."""
    shot: find.Shot | None = None
    """The render that covers it."""
    base: int = 0
    """First frame of that render, counted in the file."""
    length: int = 0
    """Frames of that render."""


@dataclass
class Cut:
    """A timeline, and what is to be rendered for it."""

    path: Path
    """The file that was read."""
    content: Any
    """The timeline as OpenTimelineIO has it."""
    rate: Fraction
    """Frames a second, where the format does not say."""
    uses: list[Use] = field(default_factory=list)
    """The uses of files by its clips."""
    remarks: list[str] = field(default_factory=list)
    """Lines about clips that are offline, retimed or left as they are."""
    shots: list[find.Shot] = field(default_factory=list)
    """The shots to be rendered."""


def is_timeline(path: Path) -> bool:
    """Whether a path is a timeline's, by its suffix."""
    return path.suffix.lower() in _SUFFIXES and not path.is_dir()


def read_cut(path: Path, library: media.Library, *, handles: int, rate: Fraction | None) -> Cut:
    """The cut at `path`: used ranges of a file that touch with their handles are one shot.

    `rate` is that of an EDL, by default of the first file of the library. Raises SourceError where it cannot be read or
    shows nothing that is there.
    """
    rate = rate or library.first_rate() or _EDL_RATE
    cut = Cut(path, _read(path, rate), rate)
    for clip in _clips(cut.content):
        if use := _use_of(clip, library, cut.remarks):
            cut.uses.append(use)
    _plan_shots(cut, handles)
    if not cut.shots:
        words = "; ".join(cut.remarks[:3])
        raise SourceError(
            f"{path}: none of its clips can be rendered{f': {words}' if words else ''}"
        )
    return cut


def otio_module() -> Any:
    """OpenTimelineIO; raises UsageError where it is not installed."""
    try:
        import opentimelineio
    except ImportError as error:
        raise UsageError(f"timelines need {install_words('film')}") from error
    return opentimelineio


def _read(path: Path, rate: Fraction) -> Any:
    otio, suffix = otio_module(), path.suffix.lower()
    if not path.is_file():
        raise SourceError(f"{path}: no such file")
    more = {"rate": edl_rate(path, rate)} if suffix == ".edl" else {}
    try:
        return otio.adapters.read_from_file(str(path), ADAPTERS.get(suffix), **more)
    except Exception as error:
        words = " ".join(str(error).split())[:200]
        raise SourceError(f"{path}: cannot be read as a timeline ({words})") from error


def edl_rate(path: Path, rate: Fraction) -> float:
    """The rate to read and write an EDL with, which has timecodes alone."""
    return media.timecode_rate(
        rate, bool(_DROP.search(path.read_text(encoding="utf-8", errors="replace")))
    )


def _clips(content: Any) -> Iterator[Any]:
    otio = otio_module()
    timelines = [content] if isinstance(content, otio.schema.Timeline) else []
    for timeline in timelines or content.find_children(descended_from_type=otio.schema.Timeline):
        for track in timeline.video_tracks():
            yield from (clip for clip in track.find_clips() if clip.enabled)


def _use_of(clip: Any, library: media.Library, remarks: list[str]) -> Use | None:
    otio = otio_module()
    name = f"{clip.name or 'a clip'} at {_time_words(clip)}"
    if isinstance(clip.media_reference, otio.schema.GeneratorReference):
        return None  # black, bars and titles are the editor's own
    try:
        medium = library.find(clip)
        scalar = _speed(clip)
        if scalar is None:
            raise media.OfflineError("its retime is not at one speed forwards")
        use = _ranged(clip, medium, scalar)
    except media.OfflineError as error:
        remarks.append(f"{name}: left as it is: {error}")
        return None
    except SourceError as error:
        remarks.append(f"{name}: offline: {error}")
        return None
    if scalar != 1:
        remarks.append(f"{name}: retimed to {scalar:.0%}: that stays with the timeline")
    return use


def _time_words(clip: Any) -> str:
    return f"{clip.range_in_parent().start_time.to_seconds():.2f} s"


def _speed(clip: Any) -> float | None:
    """How fast a clip runs; None for what has no one speed, or runs backwards."""
    otio, speed = otio_module(), 1.0
    for effect in clip.effects:
        if isinstance(effect, otio.schema.LinearTimeWarp):
            speed *= effect.time_scalar
        elif isinstance(effect, otio.schema.TimeEffect):
            return None
    return speed if speed >= 0 and math.isfinite(speed) else None


def _ranged(clip: Any, medium: media.Medium, speed: float) -> Use:
    shown, known = clip.visible_range(), clip.media_reference.available_range
    start = _frames(shown.start_time, medium)
    length = max(math.ceil(_frames(shown.duration, medium) * speed), 1)
    origin = medium.first or 0
    if known is not None:
        said = _frames(known.start_time, medium)
        # a timeline's own word counts where what is shown lies within
        origin = said if 0 <= start - said < (medium.frames or math.inf) else origin
    first = start - origin
    if first < 0 or (medium.frames is not None and first >= medium.frames):
        words = f"frames {first} to {first + length - 1} are not in its {medium.frames}"
        raise media.OfflineError(f"{medium.path}: {words}")
    return Use(clip, medium, first, first + length, origin)


def _frames(time: Any, medium: media.Medium) -> int:
    """A time of the timeline in frames of a file; at the same rate, frame for frame."""
    rate = float(medium.rate)
    same = abs(time.rate - rate) < 0.01 * rate
    value: float = time.value if same else time.to_seconds() * rate
    return round(value)


def _plan_shots(cut: Cut, handles: int) -> None:
    by_file: dict[Path, list[Use]] = defaultdict(list)
    for use in cut.uses:
        by_file[use.medium.path].append(use)
    names: set[str] = set()
    for path, uses in sorted(by_file.items()):
        base = _unused(base_name(path) or path.parent.name, names)
        most = uses[0].medium.frames or math.inf
        spans = [(max(u.first - handles, 0), int(min(u.end + handles, most))) for u in uses]
        for first, end in united(spans):
            rate = uses[0].medium.rate
            stem = f"{base}_{first:05d}-{end - 1:05d}"
            # a quarter of a frame early: a container that counts in milliseconds has moved the frames a little
            times = (max(frame - Fraction(1, 4), Fraction(0)) / rate for frame in (first, end))
            flags: dict[str, Any] = dict(zip(("start", "end"), map(float, times), strict=True))
            if uses[0].medium.assumed:
                flags["fps"] = str(rate)
            shot = find.Shot(path, stem + path.suffix, stem, flags)
            cut.shots.append(shot)
            for use in uses:
                if first <= use.first < end:
                    use.shot, use.base, use.length = shot, first, end - first


def united(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans from a first to before an end, those that overlap or touch as one, in order."""
    found: list[tuple[int, int]] = []
    for first, end in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((first, end))
    return found


def _unused(name: str, names: set[str]) -> str:
    number, found = 2, name
    while found.lower() in names:
        found, number = f"{name}_{number}", number + 1
    names.add(found.lower())
    return found
