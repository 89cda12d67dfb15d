"""Hold a render against its source, whatever either is: clips, sequences of files, single pictures.

Where clips and sequences meet, it is what both have: how many frames, in which order, their size, rate and timecode;
what a clip has beside is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from nightfx.carry import CONTAINERS
from nightfx.check.clip.compare import compare
from nightfx.check.clip.contents import Contents, OnFrame, read_contents, silent
from nightfx.check.clip.facts import own_of_stream
from nightfx.check.clip.tracks import name_of
from nightfx.check.files.pair import BEAUTY, compare_files
from nightfx.check.marks import MARK, Marks, mark_of_plane
from nightfx.check.order import order_row
from nightfx.check.verdict import Verdict, VerdictRow, equal, worst
from nightfx.errors import SourceError
from nightfx.options import MAX_PIXELS
from nightfx.picture import Coding, coding_of
from nightfx.source import (
    Pick,
    Seconds,
    SequenceReader,
    Sheet,
    exact_seconds,
    frames_on_disk,
    has_timecode,
    is_pattern,
    is_picture,
    is_sequence,
    read_file,
    shift_timecode,
    timecode_of,
)


@dataclass(frozen=True)
class FrameRun:
    """A run of frames, of a clip or of a sequence, by what both have in common."""

    numbers: tuple[int, ...]
    """Numbers of its frames, in order; those of a clip count from 0."""
    size: tuple[int, int]
    """Width and height in pixels."""
    coding: Coding
    """The coding of the first picture."""
    rate: Fraction | None
    """Frames a second; None where it does not say."""
    timecode: str | None
    """Timecode of the first frame."""
    files: dict[int, Path]
    """The files by their numbers; none for a clip."""
    clip: Contents | None
    """All of a clip; None for files."""
    first: int = 0
    """Index of the first picture in its clip."""
    pick: Pick = BEAUTY
    """What of its files is lit."""


def verify(
    source: Path,
    render: Path,
    *,
    container: str | None = None,
    start_seconds: Seconds | None = None,
    end_seconds: Seconds | None = None,
    pick: Pick = BEAUTY,
    max_pixels: int = MAX_PIXELS,
    on_frame: OnFrame = silent,
) -> list[VerdictRow]:
    """Compare a render, or a part rendered from start to end, with its source.

    `container` is FFmpeg's name of a clip's container; by default its suffix tells. `on_frame` is
    called for each frame of either that was looked at. Raises SourceError.
    """
    if not (_is_files(source) or _is_files(render)):
        suffix = render.suffix.lower()
        container = container or CONTAINERS.get(suffix, suffix[1:])
        old, new = (read_contents(each, max_pixels, on_frame=on_frame) for each in (source, render))
        return compare(old, new, container, start_seconds, end_seconds)
    # files of another format hold the lit layer alone
    same = source.suffix.lower() == render.suffix.lower()
    was = _run(source, pick, max_pixels, start_seconds, end_seconds, on_frame)
    now = _run(render, pick if same else BEAUTY, max_pixels, on_frame=on_frame)
    rows = list(_run_rows(was, now, render))
    if was.files and now.files:
        return [*rows, *_file_rows(was, now, max_pixels, on_frame)]
    return [*rows, _crossed_order(was, now, max_pixels), *_left_behind(was, max_pixels)]


def _is_files(path: Path) -> bool:
    return is_sequence(path) or is_picture(path)


def _run(
    path: Path,
    pick: Pick,
    max_pixels: int,
    start: Seconds | None = None,
    end: Seconds | None = None,
    on_frame: OnFrame = silent,
) -> FrameRun:
    if not _is_files(path):
        return _run_of_clip(path, max_pixels, start, end, on_frame)
    with SequenceReader(path, missing="skip", max_pixels=max_pixels, pick=pick) as reader:
        info = reader.info
    files, base = frames_on_disk(path), info.time_base
    first = min(files)
    chosen = {n: file for n, file in files.items() if _within((n - first) * base, start, end)}
    timecode = _timecode(chosen[min(chosen)], pick, max_pixels) if chosen else None
    size = info.width, info.height
    numbers = tuple(chosen)
    return FrameRun(numbers, size, info.coding, info.rate, timecode, chosen, None, pick=pick)


def _timecode(path: Path, pick: Pick, max_pixels: int) -> str | None:
    sheet = read_file(path, max_pixels, pick=pick).sheet
    return timecode_of(sheet.parts[sheet.main].spec) if isinstance(sheet, Sheet) else None


def _run_of_clip(
    path: Path,
    max_pixels: int,
    start: Seconds | None,
    end: Seconds | None,
    on_frame: OnFrame,
) -> FrameRun:
    contents = read_contents(path, max_pixels, on_frame=on_frame)
    picture = contents.picture
    if picture.first is None:
        raise SourceError(f"{path}: no frame of its video stream decodes")
    zero = picture.times[0]
    chosen = [i for i, t in enumerate(picture.times) if _within(t - zero, start, end)]
    first = chosen[0] if chosen else 0
    moved = round((picture.times[first] - zero) * picture.rate)
    timecode = contents.timecode and shift_timecode(contents.timecode, moved, picture.rate)
    size = picture.first.width, picture.first.height
    coding, numbers = coding_of(picture.first), tuple(range(len(chosen)))
    return FrameRun(numbers, size, coding, picture.rate, timecode, {}, contents, first)


def _within(seconds: Fraction, start: Seconds | None, end: Seconds | None) -> bool:
    early = start is not None and seconds < exact_seconds(start)
    return not early and (end is None or seconds < exact_seconds(end))


def _run_rows(old: FrameRun, new: FrameRun, render: Path) -> Iterator[VerdictRow]:
    fewer, more = len(new.numbers) < len(old.numbers), len(new.numbers) > len(old.numbers)
    if old.files and new.files and is_pattern(render):
        fewer = not set(old.numbers) <= set(new.numbers)
    verdict: Verdict = "lost" if fewer else "changed" if more else "kept"
    yield VerdictRow("frames", _span(old), _span(new), verdict)
    less = new.coding.depth < old.coding.depth or (
        old.coding.has_alpha and not new.coding.has_alpha
    )
    before, after = (f"{r.size[0]}x{r.size[1]} {r.coding.pix_fmt}" for r in (old, new))
    same = old.size == new.size
    yield VerdictRow(
        "picture", before, after, "lost" if not same else "changed" if less else "kept"
    )
    silent = bool(new.files) and not has_timecode(render)
    for what, was, now in (
        ("frame rate", old.rate, new.rate),
        ("timecode", old.timecode, new.timecode),
    ):
        if was is not None:
            row = equal(what, was, now)
            yield VerdictRow(
                what, row.source, row.render, "left out" if silent and not now else row.verdict
            )


def _span(run: FrameRun) -> str:
    count = len(run.numbers)
    return f"{count}: {run.numbers[0]}-{run.numbers[-1]}" if run.files and count > 1 else str(count)


def _file_rows(
    old: FrameRun, new: FrameRun, max_pixels: int, on_frame: OnFrame
) -> Iterator[VerdictRow]:
    """A row for each thing that files hold: what the first of them has, or the first that lost it."""
    single = len(old.files) == len(new.files) == 1
    numbers = zip(old.files, new.files if single else old.files, strict=True)
    rows: dict[str, VerdictRow] = {}
    marks: list[tuple[Marks, Marks]] = []
    for number, other in numbers:
        before, after = old.files[number], new.files.get(other)
        if after is None:
            continue
        on_frame()
        on_frame()
        if before.suffix.lower() != after.suffix.lower():
            plate = _mark_of_file(before, old.pick, max_pixels)
            marks.append((plate, _mark_of_file(after, new.pick, max_pixels)))
            continue
        pair = compare_files(before, after, old.pick, max_pixels)
        marks.append(pair.marks)
        for row in pair.rows:
            _keep_worst(rows, row, after.name)
    yield from rows.values()
    if len(marks) > 1:
        plates, frames = (_stacked(each[side] for each in marks) for side in (0, 1))
        yield order_row(plates, frames, min(old.files))
    if any(
        a.suffix.lower() != b.suffix.lower() for a in old.files.values() for b in new.files.values()
    ):
        yield from _left_behind(old, max_pixels)


def _keep_worst(rows: dict[str, VerdictRow], row: VerdictRow, name: str) -> None:
    known = rows.setdefault(row.what, row)
    if known.verdict != worst([known.verdict, row.verdict]):
        rows[row.what] = VerdictRow(row.what, row.source, f"{name}: {row.render}", row.verdict)


def _stacked(marks: Iterable[Marks]) -> Marks:
    return np.stack([mark.reshape(MARK[0] * MARK[1]) for mark in marks])


def _mark_of_file(path: Path, pick: Pick, max_pixels: int) -> Marks:
    frame = read_file(path, max_pixels, pick=pick)
    plane = frame.planes[min(1, len(frame.planes) - 1)]
    if frame.coding.is_float:
        return mark_of_plane(np.cbrt(np.clip(np.nan_to_num(plane), 0, 1e6)))
    return mark_of_plane(plane, frame.coding.peak)


def _crossed_order(old: FrameRun, new: FrameRun, max_pixels: int) -> VerdictRow:
    plates, frames = (_marks_of(run, max_pixels) for run in (old, new))
    return order_row(plates, frames, min(old.files, default=0))


def _marks_of(run: FrameRun, max_pixels: int) -> Marks:
    if run.clip is not None:
        return run.clip.picture.looks.marks_within(run.first, run.first + len(run.numbers))
    return _stacked(_mark_of_file(file, run.pick, max_pixels) for file in run.files.values())


def _left_behind(run: FrameRun, max_pixels: int) -> Iterator[VerdictRow]:
    """A row for each thing that a clip has and files have not, or files of a kind and others have not."""
    if run.clip is None:
        yield from _left_by_files(next(iter(run.files.values())), run.pick, max_pixels)
        return
    clip = run.clip
    for track in clip.tracks.values():
        if track.kind != "data":
            yield VerdictRow(name_of(track), track.codec, "none", "left out")
    if clip.chapters:
        yield VerdictRow("chapters", str(len(clip.chapters)), "0", "left out")
    said = own_of_stream(clip.metadata) | own_of_stream(clip.picture_metadata)
    if set(said) - _OF_THE_FILE:
        yield VerdictRow("metadata", f"{len(said)} keys", "none", "left out")


_OF_THE_FILE = {"major_brand", "minor_version", "compatible_brands", "handler_name", "vendor_id"}
_OF_THE_FILE |= {"language", "software"}


def _left_by_files(first: Path, pick: Pick, max_pixels: int) -> Iterator[VerdictRow]:
    nothing = {"metadata": "0 keys", "layers": "none"}
    for row in compare_files(first, first, pick, max_pixels).rows:
        is_cropped = row.what == "windows" and len(set(row.source.split(" of "))) > 1
        if is_cropped or nothing.get(row.what, row.source) != row.source:
            yield VerdictRow(row.what, row.source, "none", "left out")


def facts_of(path: Path, max_pixels: int = MAX_PIXELS, pick: Pick = BEAUTY) -> dict[str, str]:
    """Return in words all that a file holds beside its picture, by the names of rows. Raises SourceError."""
    rows = compare_files(path, path, pick, max_pixels).rows
    return {row.what: row.source for row in rows}
