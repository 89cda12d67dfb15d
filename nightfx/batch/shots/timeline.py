"""Timelines: which parts of which files a cut shows, each to be rendered once, with handles.

`.otio`, `.edl`, `.xml` of Final Cut 7, `.fcpxml` and `.aaf`. A retime stays in the timeline, and its render has the frames
that it runs over.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from nightfx.batch.shots import aaf, document, edl, fcpxml, find, media, otio_file, xmeml
from nightfx.errors import NightfxError, SourceError
from nightfx.picture import FIRST_FRAME
from nightfx.source import base_name

_BUNDLES = {".otiod": "content.otio", ".fcpxmld": "Info.fcpxml"}
_SUFFIXES = (".otio", ".edl", ".xml", ".fcpxml", ".aaf", ".otioz")
_FALLBACK_RATE = Fraction(24)  # where neither a flag, the timeline nor the media say one


@dataclass
class Use:
    """The part of a file that a clip of the timeline shows."""

    index: int
    """The clip's place among those of the document."""
    clip: document.TimelineClip
    """The clip."""
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


@dataclass(frozen=True)
class Left:
    """A clip of the timeline that stays as it was."""

    name: str
    """What editors call it, and where it stands."""
    why: str
    """Why it is not rendered."""
    is_failure: bool
    """Whether something is wrong, such as media that are missing; else it cannot be rendered by what it is."""


@dataclass
class Cut:
    """A timeline, and what is to be rendered for it."""

    path: Path
    """The file that was read."""
    content: bytes
    """What was in it."""
    rate: Fraction
    """Frames a second, where the format does not say."""
    uses: list[Use] = field(default_factory=list)
    """The uses of files by its clips."""
    remarks: list[str] = field(default_factory=list)
    """Lines about clips that are offline, retimed or left as they are."""
    left: list[Left] = field(default_factory=list)
    """Its clips that are left as they were."""
    shots: list[find.Shot] = field(default_factory=list)
    """The shots to be rendered."""

    name: str = ""
    """What the file is called that is written: that of a bundle, where it is in one."""

    def document(self) -> document.Document:
        """The timeline as it was read, to be edited. Raises SourceError."""
        return _open(self.path, self.content, self.rate)


def is_timeline(path: Path) -> bool:
    """Whether a path is a timeline's, by its suffix."""
    if path.is_dir():
        return path.suffix.lower() in _BUNDLES
    return path.suffix.lower() in _SUFFIXES


def read_cut(path: Path, library: media.Library, *, handles: int, rate: Fraction | None) -> Cut:
    """The cut at `path`: used ranges of a file that touch with their handles are one shot.

    `rate` is that of an EDL, by default of the first file of the library. Raises SourceError where it cannot be read or
    shows nothing that is there.
    """
    name = path.name
    if path.is_dir():
        path = path / _BUNDLES[path.suffix.lower()]
        name = f"{path.parent.stem}{path.suffix}"
    content = _content_of(path)
    cut = Cut(path, content, _rate_of(path, content, library, rate), name=name)
    if path.suffix.lower() == ".edl":
        for event, why in edl.malformed_events(content):
            cut.left.append(Left(event, why, is_failure=True))
            cut.remarks.append(f"{event}: {why}")
    for index, clip in enumerate(cut.document().clips):
        if use := _use_of(index, clip, library, cut):
            cut.uses.append(use)
    _plan_shots(cut, handles)
    if not cut.shots:
        words = "; ".join(cut.remarks[:3])
        raise SourceError(
            f"{path}: none of its clips can be rendered{f': {words}' if words else ''}"
        )
    return cut


def _content_of(path: Path) -> bytes:
    if not path.is_file():
        raise SourceError(f"{path}: no such file")
    if path.suffix.lower() == ".otioz":
        raise SourceError(f"{path}: is a bundle: unzip it, and name the content.otio in it")
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from error


def _rate_of(path: Path, content: bytes, library: media.Library, rate: Fraction | None) -> Fraction:
    if path.suffix.lower() == ".edl":
        return edl.edl_rate(content, rate, rate or library.first_rate())
    return rate or library.first_rate() or _FALLBACK_RATE


def _open(path: Path, content: bytes, rate: Fraction) -> document.Document:
    kinds: dict[str, Callable[[Path, bytes, Fraction], document.Document]] = {
        ".otio": otio_file.OtioFile,
        ".edl": edl.Edl,
        ".xml": xmeml.Xmeml,
        ".fcpxml": fcpxml.FcpXml,
        ".aaf": aaf.Aaf,
    }
    try:
        return kinds[path.suffix.lower()](path, content, rate)
    except NightfxError:
        raise
    except Exception as error:  # whatever a library has to say of a file that is none of its own
        words = " ".join(str(error).split())[:200] or type(error).__name__
        raise SourceError(f"{path}: cannot be read as a timeline ({words})") from error


def _use_of(
    index: int, clip: document.TimelineClip, library: media.Library, cut: Cut
) -> Use | None:
    name = f"{clip.name} {clip.place}".rstrip()
    try:
        if clip.refusal:
            raise media.OfflineError(clip.refusal)
        use = _ranged(index, clip, library.find(clip))
    except SourceError as error:
        words = "left as it is" if isinstance(error, media.OfflineError) else "offline"
        cut.left.append(Left(name, str(error), is_failure=not clip.refusal))
        cut.remarks.append(f"{name}: {words}: {error}")
        return None
    if (short := _missing(use)) > 0:
        words = f"its file ends {short} frames before it does, which stay without media"
        cut.remarks.append(f"{name}: {words}: {use.medium.path}")
    if clip.speed != 1:
        speed = f"to {clip.speed:.0%}" if clip.speed is not None else "at changing speeds"
        words = f"{name}: retimed {speed}: that stays with the timeline"
        begin = ", which counts it from the file's first frame: it is rendered from there"
        cut.remarks.append(f"{words}{begin if clip.from_first else ''}")
    return use


def _ranged(index: int, clip: document.TimelineClip, medium: media.Medium) -> Use:
    length = max(math.ceil(media.frames_in(medium, clip.length, clip.rate)), 1)
    first = media.position(clip, medium)
    if first < 0 or (medium.frames is not None and first >= medium.frames):
        raise media.OfflineError(f"{medium.path}: {_beyond(clip, medium, first)}")
    origin = round(media.frames_in(medium, clip.start, clip.rate)) - first
    return Use(index, clip, medium, first, first + length, origin)


def _missing(use: Use) -> int:
    """How many frames a clip shows that its file does not have; one too many is a matter of rounding."""
    if use.medium.frames is None or use.clip.speed != 1:
        return 0
    short = use.end - use.medium.frames
    return short if short > 1 else 0


def _beyond(clip: document.TimelineClip, medium: media.Medium, first: int) -> str:
    """Say that a clip begins where its file has no frames, as its editor counts them."""
    if clip.timecode:
        since = f" from {medium.timecode}" if medium.timecode else ""
        return f"{clip.timecode} is not in its {medium.frames} frames{since}"
    where = f"{-first} frames before its first" if first < 0 else f"frame {first}, counted from 0"
    return f"begins at {where}: it has {medium.frames}"


def _plan_shots(cut: Cut, handles: int) -> None:
    by_file: dict[Path, list[Use]] = defaultdict(list)
    for use in cut.uses:
        by_file[use.medium.path].append(use)
    names: set[str] = set()
    for path, uses in sorted(by_file.items()):
        base = _unused(base_name(path) or path.parent.name, names)
        for first, end in united(_span(use, handles) for use in uses):
            stem = f"{base}_{_numbers(uses[0].medium, first, end)}"
            shot = find.Shot(path, stem + path.suffix, stem, _flags(uses[0].medium, first, end))
            cut.shots.append(shot)
            for use in uses:
                if first <= use.first < end:
                    use.shot, use.base, use.length = shot, first, end - first


def _numbers(medium: media.Medium, first: int, end: int) -> str:
    """The frames from `first` to before `end` by their numbers: those of the files, and a clip's from 1001."""
    zero = FIRST_FRAME if medium.first_number is None else medium.first_number
    return f"{zero + first:04d}-{zero + end - 1:04d}"


def _flags(medium: media.Medium, first: int, end: int) -> dict[str, Any]:
    """The flags of a render of the frames from `first` to before `end`; of its part they leave nothing to a nightfx.toml."""
    start, rate = short_seconds(first, medium.rate) or None, medium.rate
    flags: dict[str, Any] = {"start": start, "end": short_seconds(end, rate)}
    return flags | ({"fps": str(rate)} if medium.assumed else {})


def short_seconds(frame: int, rate: Fraction) -> float:
    """Seconds as people type them, by which a part begins or ends with a frame: short of it by a quarter of one.

    A container that counts in milliseconds has moved the frames a little. Rounding moves it by an eighth at most.
    """
    digits = max(math.ceil(math.log10(4 * rate)), 0)
    return float(round(max(frame - Fraction(1, 4), Fraction(0)) / rate, digits))


def _span(use: Use, handles: int) -> tuple[int, int]:
    """The frames to be rendered for a use; a list at half the rate can only name every other one as the first."""
    whole = use.clip.from_first or (use.clip.anchored and use.medium.first is None)
    first = 0 if whole else max(use.first - handles, 0)
    if use.clip.rate > 1:
        first -= first % max(round(use.medium.rate / use.clip.rate), 1)
    return first, int(min(use.end + handles, use.medium.frames or math.inf))


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
