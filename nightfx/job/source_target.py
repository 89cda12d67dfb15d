"""The two ends of a render, a clip or a sequence each: what is read, how it is written, and where."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from nightfx.carry import FORMATS, holds
from nightfx.check import LOOKED_AT, Held, VerdictRow, failures, foresee, lines_of_rows, verify
from nightfx.disk import MOST_NAME_BYTES, check_kind, hidden_path, make_folder_of, translated
from nightfx.errors import SourceError, TargetError, UsageError
from nightfx.job.pipeline import Progress, stage_counter
from nightfx.network import Preset
from nightfx.options import EncodeOptions, JobOptions, SourceOptions
from nightfx.picture import (
    FIRST_FRAME,
    ColorTags,
    Encoding,
    Encodings,
    Frame,
    encoding_by_tags,
    encoding_named,
    rgb_coding,
    target_encoding,
)
from nightfx.source import (
    NO_LAYERS,
    ClipInfo,
    FrameReader,
    Pick,
    Reader,
    SequenceReader,
    base_name,
    check_file,
    exact_seconds,
    existing_files,
    is_pattern,
    is_picture,
    is_sequence,
    is_still,
    padding_of,
    sequences_in,
)
from nightfx.target import (
    OutputPlan,
    SequencePlan,
    check_fields,
    plan_output,
    plan_sequence,
    predict_losses,
    write_clip,
    write_sequence,
)

Plan = OutputPlan | SequencePlan
_PICTURES = "pictures are PNG, JPEG, WebP, TIFF, EXR or DPX"
# pictures that FFmpeg, if at all, would show as clips of one frame
_FOREIGN = {
    *(".avif", ".bmp", ".cin", ".cr2", ".cr3", ".dng", ".hdr", ".heic", ".heif", ".ico", ".j2k"),
    *(".jp2", ".jxl", ".nef", ".arw", ".pgm", ".pnm", ".ppm", ".psd", ".sgi", ".svg", ".tga"),
}


def find_source(path: Path) -> Path:
    """The clip, picture or pattern that `path` stands for: a folder for the one sequence in it; raises SourceError."""
    if not path.is_dir():
        if not is_pattern(path):
            check_file(path)
        if path.suffix.lower() in _FOREIGN:
            raise SourceError(f"{path}: {_PICTURES}: convert it to PNG or EXR")
        return path
    found = sequences_in(path)
    if len(found) != 1:
        raise SourceError(f"{path}: is a folder with {len(found)} EXR or DPX sequences: name one")
    return found[0]


def open_shot(source: Path, options: SourceOptions) -> FrameReader:
    """Open the reader of a clip or a sequence; raises SourceError."""
    pick = Pick(options.layer, options.view)
    if not is_still(source):
        clip = Reader(source, keep_going=options.keep_going, max_pixels=options.max_pixels)
        if pick != Pick():
            clip.add_note(NO_LAYERS)
        if options.fps is not None:
            clip.add_note("--fps is for sequences and EDLs: a clip says its own times")
        return clip
    return SequenceReader(
        source,
        keep_going=options.keep_going,
        missing=options.missing,
        rate=options.fps,
        max_pixels=options.max_pixels,
        pick=pick,
    )


def with_times(options: SourceOptions, shot: FrameReader) -> SourceOptions:
    """Return the options, frames that they name turned into the times of those; raises UsageError where a part has no frame."""
    if options.frames is not None:
        start, end = (float(seconds) for seconds in shot.times_of(*options.frames))
        return replace(options, frames=None, start_seconds=start or None, end_seconds=end)
    if options.start_seconds is None and options.end_seconds is None:
        return options
    with closing(shot.frames(options.start_seconds, options.end_seconds)) as frames:
        if next(frames, None) is not None:
            return options
    asked = [("--start", options.start_seconds), ("--end", options.end_seconds)]
    words = " ".join(f"{flag} {x:g}" for flag, x in asked if x is not None)
    raise UsageError(f"{shot.info.path}: {words} leaves no frame: {_extent_of(shot)}")


def _extent_of(shot: FrameReader) -> str:
    """Say which frames a shot has, and how long it lasts."""
    first, last = shot.number_at(0), shot.last_number()
    seconds = float((last - first + 1) * shot.info.frame_seconds)
    return f"it has frames {first} to {last}, {seconds:.4g} seconds"


def plan_target(info: ClipInfo, target: Path | None, encode: EncodeOptions) -> Plan:
    """Plan how a shot is written: by default as what it is; raises TargetError, and UsageError without a rate."""
    from_sequence = info.container == "sequence"
    wanted = target or (info.path if from_sequence else None)
    if wanted and wanted.suffix.lower() in _FOREIGN:
        raise TargetError(f"{wanted}: {_PICTURES}: name it so")
    if wanted and is_still(wanted):
        _refuse_one_name(info, wanted)
        return plan_sequence(info, wanted)
    if not from_sequence:
        return plan_output(info, target.suffix if target else None, encode)
    plan = plan_output(_as_clip(info), target.suffix if target else None, encode)
    line = f"layers, windows and metadata of {info.codec} files are not written to a clip"
    return replace(plan, notes=(*plan.notes, line))


def check_scan(info: ClipInfo, plan: Plan, *, by_fields: bool) -> None:
    """Refuse fields where they cannot be kept; raises UsageError for a sequence, and TargetError for a clip."""
    if not by_fields:
        return
    if isinstance(plan, SequencePlan):
        raise UsageError(f"{info.path}: sequences have no fields: leave out --interlaced keep")
    check_fields(info, plan)


def asked_encoding(options: SourceOptions) -> Encoding | None:
    """Return the encoding that --input-space names; raises UsageError."""
    return encoding_named(options.input_space, options.ocio) if options.input_space else None


def find_encodings(info: ClipInfo, plan: Plan, options: SourceOptions) -> Encodings:
    """Return the encodings of the source's signal and of the render's; raises UsageError."""
    source = asked_encoding(options) or encoding_by_tags(info.tags, info.coding)
    was, will = info.coding.is_float, plan.coding.is_float
    return Encodings(source, target_encoding(source, was_float=was, is_float=will))


def predict_shot_losses(
    source: Path, info: ClipInfo, plan: Plan, options: SourceOptions
) -> Iterator[str]:
    """Yield a line for each thing that a render by `plan` changes or leaves out."""
    encodings = find_encodings(info, plan, options)
    if encodings.source is not encodings.target:
        yield encoding_line(encodings)
    if isinstance(plan, SequencePlan) or info.container == "sequence":
        yield from plan.notes
        return
    said = list(predict_losses(source, info, plan))
    yield from said
    yield from left_out_lines(info, plan, options, said)


def left_out_lines(
    info: ClipInfo,
    plan: Plan,
    options: SourceOptions,
    said: Iterable[str],
    pictures: int = LOOKED_AT,
) -> Iterator[str]:
    """Yield a line for each thing that `verify` will call left out of a clip's render, and that is not `said` yet."""
    if isinstance(plan, SequencePlan) or info.container == "sequence":
        return
    held = Held(holds(plan.container), (FORMATS[plan.codec],))
    yield from lines_of_rows(foresee(info.path, held, options.max_pixels, pictures), said)


def encoding_line(encodings: Encodings) -> str:
    """Say that the render stands for something else than its source."""
    return f"{encodings.source.name} is written as {encodings.target.name}"


def write_shot(
    frames: Iterable[Frame],
    target: Path,
    *,
    info: ClipInfo,
    plan: Plan,
    options: SourceOptions,
    work: JobOptions,
    on_note: Callable[[str], None],
    on_progress: Progress | None = None,
    first: int = FIRST_FRAME,
) -> None:
    """Write what was planned, with the source's sound where both are clips, files of a clip's frames from the number `first` on; held against the source if asked."""
    if isinstance(plan, SequencePlan):
        write_sequence(frames, target, info=info, overwrite=work.overwrite, first=first)
        if work.verify:
            verify_sequence(info, target, options, on_note, on_progress)
        return
    write_clip(
        frames,
        target,
        source=None if info.container == "sequence" else info.path,
        info=info,
        plan=plan,
        start_seconds=options.start_seconds,
        end_seconds=options.end_seconds,
        check=verification(info, target, plan, options, on_note, on_progress)
        if work.verify
        else None,
        on_note=on_note,
        on_packet=stage_counter(on_progress, "encoding", None),
    )


def verify_sequence(
    info: ClipInfo,
    target: Path,
    options: SourceOptions,
    on_note: Callable[[str], None],
    on_progress: Progress | None = None,
) -> None:
    """Hold the files of a sequence against the source; raises TargetError where something is lost."""
    _tell_lost(target, _rows(info, target, options, on_progress), on_note)


@contextmanager
def verified_picture(
    source: Path,
    target: Path,
    options: SourceOptions,
    on_note: Callable[[str], None],
    on_progress: Progress | None = None,
) -> Iterator[Path]:
    """Give a path for a picture, which gets its name `target` once held against the source; raises TargetError where something is lost."""
    part = hidden_path(target, target.suffix)  # by which it is read
    try:
        yield part
        counted = stage_counter(on_progress, "checking", 2)
        rows = verify(source, part, max_pixels=options.max_pixels, on_frame=counted)
        _tell_lost(target, rows, on_note, "not written, ")
        with translated(target):
            part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def verification(
    info: ClipInfo,
    target: Path,
    plan: OutputPlan,
    options: SourceOptions,
    on_note: Callable[[str], None],
    on_progress: Progress | None = None,
) -> Callable[[Path], None]:
    """Return the check of a finished file, `target` to be, before it gets its name."""
    return partial(_verify, info, target, plan, options, on_note, on_progress)


def _verify(
    info: ClipInfo,
    target: Path,
    plan: OutputPlan,
    options: SourceOptions,
    on_note: Callable[[str], None],
    on_progress: Progress | None,
    part: Path,
) -> None:
    rows = _rows(info, part, options, on_progress, plan.container)
    _tell_lost(target, rows, on_note, "not written, ")


def _rows(
    info: ClipInfo,
    render: Path,
    options: SourceOptions,
    on_progress: Progress | None,
    container: str | None = None,
) -> list[VerdictRow]:
    count = frames_expected(info, options)
    return verify(
        info.path,
        render,
        container=container,
        start_seconds=options.start_seconds,
        end_seconds=options.end_seconds,
        pick=Pick(options.layer, options.view),
        max_pixels=options.max_pixels,
        on_frame=stage_counter(on_progress, "checking", count and 2 * count),
    )


def frames_expected(info: ClipInfo, options: SourceOptions) -> int | None:
    """How many frames a render of what is asked for has, by what the header claims; None where it claims nothing."""
    whole, start, end = info.frames_estimate, options.start_seconds or 0.0, options.end_seconds
    if whole is None or (not start and end is None):
        return whole
    if info.rate is None:
        return None
    # frames whose time is in [start, end)
    first, last = (math.ceil(exact_seconds(x) * info.rate) for x in (start, end or 0))
    return max((whole if end is None else min(whole, last)) - first, 1)


def _tell_lost(
    target: Path, rows: list[VerdictRow], on_note: Callable[[str], None], fate: str = ""
) -> None:
    if lost := failures(rows):
        words = "; ".join(f"{row.what} ({row.source} became {row.render})" for row in lost)
        raise TargetError(f"{target}: {fate}verification found lost: {words}")
    for row in rows:
        if row.verdict != "kept":
            on_note(f"{row.what} {row.verdict}: {row.source} became {row.render}")


def default_target(source: Path, preset: Preset, suffix: str) -> Path:
    """`NAME.night.EXT` beside the source; `NAME.night.####.EXT` for a sequence."""
    stem = f"{base_name(source)}.{preset.name}".lstrip(".")
    if not is_pattern(source):
        return source.with_name(f"{stem}{suffix}")
    return source.with_name(f"{stem}.{padding_of(source)}{suffix}")


def folder_of(target: Path) -> Path:
    """Where what is done of a render is kept until it is complete."""
    return hidden_path(target, ".nightfx")


def check_target(source: Path, target: Path, overwrite: bool) -> None:
    """Refuse a target that is the source, exists, or can be no file; its folder is made."""
    check_place(target)
    taken = existing_files(target)
    own = {path.resolve() for path in existing_files(source)}
    if own.intersection(path.resolve() for path in taken):
        raise UsageError(f"{target}: input and output are the same file; choose another -o")
    if taken and not overwrite:
        raise TargetError(f"{taken[0]}: exists already; --overwrite replaces it")


def check_shot(source: Path) -> None:
    """Raise UsageError for one picture, which has no segments."""
    if is_picture(source) and not is_sequence(source):
        raise UsageError(f"{source}: one picture has no segments: render it")


def check_place(target: Path) -> None:
    """Raise TargetError where no file of this name can be; its folder is made."""
    check_name(target)
    check_kind(target)
    make_folder_of(target)


def check_name(target: Path) -> None:
    """Refuse a name that disks do not take; raises TargetError."""
    size = len(os.fsencode(target.name))
    if size > MOST_NAME_BYTES:
        words = f"a name of {size} bytes, disks take {MOST_NAME_BYTES}: choose a shorter -o"
        raise TargetError(f"{target}: {words}")


def _refuse_one_name(info: ClipInfo, target: Path) -> None:
    single = info.container == "sequence" and info.frames_claimed == 1
    if not is_pattern(target) and not single:
        name = f"{target.stem}.####{target.suffix}"
        raise TargetError(f"{target}: one name for many frames: write {name}")


def _as_clip(info: ClipInfo) -> ClipInfo:
    """A sequence's info as a clip's encoder understands it."""
    if info.rate is None:
        raise UsageError(f"{info.path}: says no frame rate: --fps gives it, such as 24 or 23.976")
    if not info.coding.is_float:
        return info
    coding = rgb_coding(16, alpha=info.coding.has_alpha)
    return replace(info, coding=coding, tags=ColorTags(1, 1, 0, 2))
