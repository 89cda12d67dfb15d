"""Write sequences of numbered files, `shot.####.exr`: each file whole or not there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nightfx.errors import TargetError
from nightfx.picture import FIRST_FRAME, Coding, Frame, rgb_coding, untold_transfer
from nightfx.source import (
    SUFFIXES,
    ClipInfo,
    by_openimageio,
    file_of,
    frames_on_disk,
    has_timecode,
    need_openimageio,
    shift_timecode,
    timecode_word,
)
from nightfx.target import image_writer, still_writer


@dataclass(frozen=True)
class SequencePlan:
    """How a render of one source is written as a sequence."""

    suffix: str
    """Suffix of the files, such as `.exr`."""
    coding: Coding
    """The coding that the writer takes."""
    notes: tuple[str, ...] = ()
    """Lines for the user about what changes from source to render."""


def plan_sequence(source: ClipInfo, target: Path) -> SequencePlan:
    """Decide what is written: what the source holds, where the files are of its own kind.

    Raises UsageError where the files of `target` need what is not installed.
    """
    suffix = target.suffix.lower()
    if source.container == "sequence" and source.path.suffix.lower() == suffix:
        return SequencePlan(suffix, source.coding, tuple(_picture_notes(source, suffix)))
    if by_openimageio(Path(f"a{suffix}")):
        need_openimageio(target)
        coding = still_writer.still_coding(suffix, source.coding)
    else:
        deep = source.coding.depth > 8 and suffix not in (".jpg", ".jpeg", ".webp")
        coding = rgb_coding(16 if deep else 8, alpha=source.coding.has_alpha and "jp" not in suffix)
    return SequencePlan(suffix, coding, tuple(_notes(source, suffix, coding)))


def write_sequence(
    frames: Iterable[Frame],
    target: Path,
    *,
    info: ClipInfo,
    overwrite: bool = False,
    first: int = FIRST_FRAME,
    folder: Path | None = None,
    on_file: Callable[[Path], None] = lambda path: None,
) -> int:
    """Write frames to the files that `target` is the pattern of; returns how many.

    A frame keeps its number; those of a clip count from `first` on. `on_file` is called when one
    is on the disk; until then it is in `folder`, else beside the others. Raises TargetError, and RetryError where the
    disk is full.
    """
    count = 0
    for count, frame in enumerate(frames, start=1):
        number = first - 1 + count if frame.number is None else frame.number
        path = file_of(target, number)
        if path.exists() and not overwrite:
            raise TargetError(f"{path}: exists already; --overwrite replaces it")
        if by_openimageio(path):
            still_writer.write_still(frame, path, _attributes(info, frame), folder)
        else:
            like = frame.sheet if isinstance(frame.sheet, Path) else None
            image_writer.write_picture(frame, path, like=like, folder=folder, tags=info.tags)
        on_file(path)
    return count


def _notes(source: ClipInfo, suffix: str, coding: Coding) -> Iterator[str]:
    title = suffix.lstrip(".").upper()
    if source.coding.has_alpha and not coding.has_alpha:
        yield f"{title} has no alpha here: it is dropped (exr, tif and png keep it)"
    if coding.depth < source.coding.depth:
        was = "float" if source.coding.is_float else f"{source.coding.depth} bits"
        yield f"{was} is written as {coding.depth} bits, as {title} is"
    transfer = untold_transfer(source.tags, source.coding)
    if transfer and suffix not in (".exr", ".png"):
        yield f"{title} does not say {transfer}: whoever reads it has to know (exr holds light, png says it)"
    if source.container == "sequence":
        pictures = not by_openimageio(source.path) and suffix in SUFFIXES
        if pictures and not by_openimageio(Path(f"a{suffix}")):
            yield from _picture_notes(source, suffix)
        else:
            yield f"layers, windows and metadata of {source.codec} files are not written to {title}"
        return
    held = "pictures, frame rate and timecode" if has_timecode(Path(f"a{suffix}")) else "pictures"
    yield f"{title} files hold {held} alone: no sound, subtitles, chapters, metadata or uneven times"


def _picture_notes(source: ClipInfo, suffix: str) -> Iterator[str]:
    if not by_openimageio(source.path):
        first = next(iter(frames_on_disk(source.path).values()))
        yield from image_writer.picture_lines(first, suffix, deep=source.coding.depth > 8)


def _attributes(info: ClipInfo, frame: Frame) -> dict[str, Any]:
    """Timecode and rate for a frame whose own file does not say them."""
    said: dict[str, Any] = {}
    if info.rate:
        said["FramesPerSecond"] = (info.rate.numerator, info.rate.denominator)
        said["dpx:FrameRate"] = said["dpx:TemporalFrameRate"] = float(info.rate)
        if info.timecode:
            past = round((frame.pts - info.start_pts) * frame.time_base * info.rate)
            timecode = shift_timecode(info.timecode, past, info.rate)
            if timecode:
                said["smpte:TimeCode"] = (timecode_word(timecode), 0)
    return said
