"""Hold a render against its source, whatever either is: clips by `compare`, and sequences of files here.

Of files everything but the light of their own channels is compared: numbers, size, windows, other layers, compression,
metadata. Where clips and sequences meet, it is what both have: how many frames, their size, rate and timecode.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from nightfx.check.compare import compare
from nightfx.check.contents import read_contents
from nightfx.check.verdict import Verdict, VerdictRow, equal, worst
from nightfx.errors import SourceError
from nightfx.options import MAX_PIXELS
from nightfx.picture import Coding, Frame, coding_of
from nightfx.source import (
    Seconds,
    SequenceReader,
    Sheet,
    exact_seconds,
    frames_on_disk,
    has_timecode,
    is_pattern,
    is_picture,
    is_sequence,
    read_extras,
    read_file,
    shift_timecode,
    timecode_of,
)

_OWN_KEYS = ("DateTime", "Software", "openexr:", "oiio:", "tiff:", "compression", "ICCProfile:")


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


def verify(
    source: Path,
    render: Path,
    *,
    container: str | None = None,
    start_seconds: Seconds | None = None,
    end_seconds: Seconds | None = None,
    max_pixels: int = MAX_PIXELS,
    on_frame: Callable[[], None] = lambda: None,
) -> list[VerdictRow]:
    """Compare a render, or a part rendered from start to end, with its source.

    `container` is FFmpeg's name of a clip's container; by default its suffix tells. `on_frame` is
    called for each picture that is looked at, of both. Raises SourceError.
    """
    part = start_seconds, end_seconds
    if not (_is_files(source) or _is_files(render)):
        times: dict[str, Any] = {"start_seconds": start_seconds, "end_seconds": end_seconds}
        times["on_frame"] = on_frame
        return compare(source, render, container=container, max_pixels=max_pixels, **times)
    old, new = (
        _run(source, max_pixels, *part, on_frame),
        _run(render, max_pixels, on_frame=on_frame),
    )
    return [*_run_rows(old, new, render), *_file_rows(old, new, max_pixels, on_frame)]


def _is_files(path: Path) -> bool:
    return is_sequence(path) or is_picture(path)


def _run(
    path: Path,
    max_pixels: int,
    start: Seconds | None = None,
    end: Seconds | None = None,
    on_frame: Callable[[], None] = lambda: None,
) -> FrameRun:
    if not _is_files(path):
        return _run_of_clip(path, max_pixels, start, end, on_frame)
    with SequenceReader(path, missing="skip", max_pixels=max_pixels) as reader:
        info = reader.info
    files, base = frames_on_disk(path), info.time_base
    first = min(files)
    chosen = {n: file for n, file in files.items() if _within((n - first) * base, start, end)}
    timecode = _timecode(chosen[min(chosen)], max_pixels) if chosen else None
    return FrameRun(
        tuple(chosen), (info.width, info.height), info.coding, info.rate, timecode, chosen
    )


def _timecode(path: Path, max_pixels: int) -> str | None:
    sheet = read_file(path, max_pixels).sheet
    return timecode_of(sheet.parts[sheet.main].spec) if isinstance(sheet, Sheet) else None


def _run_of_clip(
    path: Path,
    max_pixels: int,
    start: Seconds | None,
    end: Seconds | None,
    on_frame: Callable[[], None],
) -> FrameRun:
    contents = read_contents(path, max_pixels, on_frame)
    picture = contents.picture
    if picture.first is None:
        raise SourceError(f"{path}: no frame of its video stream decodes")
    zero = picture.times[0]
    chosen = [t - zero for t in picture.times if _within(t - zero, start, end)]
    moved = round(chosen[0] * picture.rate) if chosen else 0
    timecode = contents.timecode and shift_timecode(contents.timecode, moved, picture.rate)
    size = picture.first.width, picture.first.height
    coding = coding_of(picture.first)
    return FrameRun(tuple(range(len(chosen))), size, coding, picture.rate, timecode, {})


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
    old: FrameRun, new: FrameRun, max_pixels: int, on_frame: Callable[[], None]
) -> Iterator[VerdictRow]:
    """A row for each thing that files hold: what the first of them has, or the first that lost it."""
    single = len(old.files) == len(new.files) == 1
    pairs = (
        zip(old.files, new.files, strict=True) if single else zip(old.files, old.files, strict=True)
    )
    rows: dict[str, VerdictRow] = {}
    for number, other in pairs:
        before, after = old.files[number], new.files.get(other)
        if after is None or before.suffix.lower() != after.suffix.lower():
            continue
        on_frame()
        on_frame()
        for row in _rows_of(before, after, max_pixels):
            known = rows.setdefault(row.what, row)
            if known.verdict != worst([known.verdict, row.verdict]):
                rows[row.what] = VerdictRow(
                    row.what, row.source, f"{after.name}: {row.render}", row.verdict
                )
    yield from rows.values()


def _rows_of(before: Path, after: Path, max_pixels: int) -> Iterator[VerdictRow]:
    old, new = facts_of(before, max_pixels), facts_of(after, max_pixels)
    for what, (words, value) in old.items():
        now_words, now = new[what]
        if what == "metadata":
            yield _metadata(value, now)
        else:
            same = words == now_words and value == now
            told = now_words if words != now_words or same else f"other {what}"
            yield VerdictRow(what, words, told, "kept" if same else "lost")


def _metadata(old: dict[str, str], new: dict[str, str]) -> VerdictRow:
    missing = [key for key in old if key not in new]
    other = [key for key in old if key in new and new[key] != old[key]]
    words = ", ".join([*(f"no {key}" for key in missing), *(f"other {key}" for key in other)])
    verdict: Verdict = "lost" if missing else "changed" if other else "kept"
    return VerdictRow("metadata", f"{len(old)} keys", words or "the same", verdict)


def facts_of(path: Path, max_pixels: int = MAX_PIXELS) -> dict[str, tuple[str, Any]]:
    """Return all that a file holds beside its picture: in words, and to compare. Raises SourceError."""
    frame = read_file(path, max_pixels)
    if not isinstance(frame.sheet, Sheet):
        extras = read_extras(path)
        return {"metadata": (f"{len(extras)} kinds", {k: repr(v) for k, v in extras.items()})}
    return _facts_of_sheet(frame.sheet, frame)


def _facts_of_sheet(sheet: Sheet, frame: Frame) -> dict[str, tuple[str, Any]]:
    spec = sheet.parts[sheet.main].spec
    beside = [
        (part, channel)
        for index, part in enumerate(sheet.parts)
        for channel in range(part.spec.nchannels)
        if index != sheet.main or channel not in sheet.colour
    ]
    names = [part.spec.channelnames[channel] for part, channel in beside]
    layers = [part.pixels[..., i].tobytes() for part, i in beside if part.pixels is not None]
    window = f"{sheet.data.width}x{sheet.data.height}+{sheet.data.x}+{sheet.data.y}"
    shown = f"{spec.full_width}x{spec.full_height}+{spec.full_x}+{spec.full_y}"
    own = {a.name: str(a.value) for a in spec.extra_attribs if not a.name.startswith(_OWN_KEYS)}
    return {
        "windows": (f"{window} of {shown}", None),
        "layers": (", ".join(names) or "none", layers),
        "compression": (str(spec.getattribute("compression") or "none"), None),
        "metadata": (f"{len(own)} keys", own),
    }
