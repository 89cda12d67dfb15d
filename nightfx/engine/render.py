"""Render one clip or picture: decode | compute | encode, three threads with few frames between them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import torch

from nightfx.engine.analysis import LOOK_FRAMES
from nightfx.engine.light import light_frames, plan_fields, ready_generator
from nightfx.engine.options import RenderOptions
from nightfx.engine.passes import Passes, open_passes
from nightfx.engine.pipeline import prefetch
from nightfx.engine.relight import FieldPlan
from nightfx.errors import RetryError, SourceError, TargetError, UsageError
from nightfx.presets import Preset, load_preset
from nightfx.video.codecs import EncodeOptions, OutputPlan, plan_output
from nightfx.video.compare import compare
from nightfx.video.fields import (
    as_progressive,
    check_fields,
    deinterlaced,
    is_interlaced,
    split,
    woven,
)
from nightfx.video.frame import Frame
from nightfx.video.picture import is_picture, read_picture, write_picture
from nightfx.video.probe import ClipInfo
from nightfx.video.reader import Reader
from nightfx.video.verdict import failures
from nightfx.video.writer import write_clip

log = logging.getLogger(__name__)

# frames waiting at each boundary: enough to smooth over I and B frames, 10 MB each at 1080p
DEPTH_FRAMES = 3
Progress = Callable[[int, int | None], None]


def render(
    source: str | Path,
    target: str | Path | None = None,
    *,
    preset: str | Path | Preset = "night",
    options: RenderOptions | None = None,
    on_progress: Progress | None = None,
) -> Path:
    """Render the clip or picture `source` under the light of `preset`; returns the path written.

    `target` is by default beside the source, `NAME.night.EXT`. `on_progress` is called with the frames done and the
    frames expected. Raises a `NightfxError`; nothing is left under the target's name then.
    """
    options, source = options or RenderOptions(), Path(source)
    if not source.exists():
        raise SourceError(f"{source}: no such file")
    chosen = preset if isinstance(preset, Preset) else load_preset(preset)
    job = _render_picture if is_picture(source) else _render_clip
    try:
        return job(source, Path(target) if target else None, chosen, options, on_progress)
    except (RuntimeError, MemoryError) as error:
        if not _is_out_of_memory(error):
            raise
        raise RetryError(f"{source}: out of memory; try a smaller --tile-px") from error


def _is_out_of_memory(error: Exception) -> bool:
    # on the CPU torch raises a plain RuntimeError, with the allocator's name in it
    kinds = (MemoryError, torch.cuda.OutOfMemoryError)
    return isinstance(error, kinds) or "DefaultCPUAllocator" in str(error)


def default_target(source: Path, preset: Preset, suffix: str) -> Path:
    """`NAME.night.EXT` beside the source."""
    return source.with_name(f"{source.stem}.{preset.name}{suffix}")


def _render_clip(
    source: Path,
    target: Path | None,
    preset: Preset,
    options: RenderOptions,
    on_progress: Progress | None,
) -> Path:
    with Reader(source, keep_going=options.keep_going, max_pixels=options.max_pixels) as reader:
        info, by_fields = _scan(reader.info, options)
        plan = plan_output(info, target.suffix if target else None, options.encode)
        target = target or default_target(source, preset, plan.suffix)
        check_target(source, target, options.overwrite)
        passes = _passes_of(target, preset, options)
        if by_fields:
            check_fields(info, plan)
        _note(source, [*reader.notes, *plan.notes])
        _warn_of_height(source, info.width if info.rotation % 180 else info.height, preset, options)
        reader.notes.clear()
        times = options.start_seconds, options.end_seconds
        shot = partial(_pictures, reader, by_fields, *times)
        total = _expected(info, options)
        generator = ready_generator(preset, options, shot, total)
        step = max((total or 0) // LOOK_FRAMES, 1)
        fields = plan_fields(shot, generator, preset, options, step)
        frames = prefetch(shot(), DEPTH_FRAMES)
        lit = light_frames(frames, generator, options, plan.coding, fields, passes)
        lit = prefetch(woven(lit, info) if by_fields else lit, DEPTH_FRAMES)
        try:
            write_clip(
                _count(lit, total, on_progress),
                target,
                source=source,
                info=info,
                plan=plan,
                start_seconds=options.start_seconds,
                end_seconds=options.end_seconds,
                check=partial(_verify, source, target, plan, options) if options.verify else None,
                on_note=lambda note: log.warning("%s: %s", source.name, note),
            )
        finally:
            for stage in (lit, frames):  # the threads end before the reader closes under them
                stage.close()
        _note(source, [*reader.notes, *(passes.notes() if passes else ())])
    _save_look(fields, target, options)
    return target


def _verify(
    source: Path, target: Path, plan: OutputPlan, options: RenderOptions, part: Path
) -> None:
    times = {"start_seconds": options.start_seconds, "end_seconds": options.end_seconds}
    rows = compare(source, part, container=plan.container, max_pixels=options.max_pixels, **times)
    if lost := failures(rows):
        words = "; ".join(f"{row.what} ({row.source} became {row.render})" for row in lost)
        raise TargetError(f"{target}: not written, verification found lost: {words}")
    _note(
        source,
        (
            f"{row.what} {row.verdict}: {row.source} became {row.render}"
            for row in rows
            if row.verdict != "kept"
        ),
    )


def _scan(info: ClipInfo, options: RenderOptions) -> tuple[ClipInfo, bool]:
    """What is known of the clip as it will be rendered, and whether that is done field by field."""
    if not is_interlaced(info):
        return info, False
    if options.interlaced == "keep":
        return info, True
    _note(
        info.path,
        ["interlaced: deinterlaced, a frame for a frame (--interlaced keep keeps fields)"],
    )
    return as_progressive(info), False


def _pictures(
    reader: Reader, by_fields: bool, start: float | None, end: float | None
) -> Iterator[Frame]:
    """The pictures to be lit: frames, or fields; what is interlaced is filled up otherwise."""
    frames = reader.frames(start, end)
    if by_fields:
        return split(frames, reader.info)
    return deinterlaced(frames) if is_interlaced(reader.info) else frames


def _save_look(fields: FieldPlan | None, target: Path, options: RenderOptions) -> None:
    if options.lock and fields and fields.look:
        fields.look.save(target.with_suffix(".look.json"))


def _render_picture(
    source: Path,
    target: Path | None,
    preset: Preset,
    options: RenderOptions,
    on_progress: Progress | None,
) -> Path:
    target = target or default_target(source, preset, source.suffix)
    check_target(source, target, options.overwrite)
    passes = _passes_of(target, preset, options)
    frame = read_picture(source, options.max_pixels)
    _note(source, _picture_notes(frame, target, options))
    _warn_of_height(source, frame.height, preset, options)
    generator = ready_generator(preset, options, lambda: [frame])
    fields = plan_fields(lambda: [frame], generator, preset, options)
    (lit,) = light_frames([frame], generator, options, frame.coding, fields, passes)
    write_picture(lit, target, like=source)
    _note(source, passes.notes() if passes else ())
    _save_look(fields, target, options)
    if on_progress:
        on_progress(1, 1)
    return target


def _passes_of(target: Path, preset: Preset, options: RenderOptions) -> Passes | None:
    if options.passes is None:
        return None
    if preset.method(options.method) == "tiles":
        raise UsageError("--passes needs --method relight: tiles have no field")
    return open_passes(options.passes, target.stem, overwrite=options.overwrite)


def check_target(source: Path, target: Path, overwrite: bool) -> None:
    """Refuse a target that is the source, exists, or has no folder."""
    if target.exists() and source.exists() and target.samefile(source):
        raise UsageError(f"{target}: input and output are the same file; choose another -o")
    if target.exists() and not overwrite:
        raise TargetError(f"{target}: exists already; --overwrite replaces it")
    if not target.parent.is_dir():
        raise TargetError(f"{target.parent}: no such folder; make it first")


def _expected(info: ClipInfo, options: RenderOptions) -> int | None:
    whole, start, end = info.frames_estimate, options.start_seconds or 0.0, options.end_seconds
    if whole is None or info.rate is None:
        return None
    last = whole if end is None else min(whole, round(end * info.rate))
    return max(last - round(start * info.rate), 1)


def _count(
    frames: Iterable[Frame], total: int | None, on_progress: Progress | None
) -> Iterator[Frame]:
    for done, frame in enumerate(frames, start=1):
        yield frame
        if on_progress:
            on_progress(done, total)


def _picture_notes(frame: Frame, target: Path, options: RenderOptions) -> Iterator[str]:
    jpeg = target.suffix.lower() in (".jpg", ".jpeg")
    if jpeg and frame.coding.has_alpha:
        yield "JPEG has no alpha: it is dropped (png keeps it)"
    if frame.coding.depth > 8 and (jpeg or target.suffix.lower() == ".webp"):
        yield f"16 bits are written as 8, as {target.suffix} is (png and tif keep them)"
    if (options.start_seconds, options.end_seconds, options.encode) != (
        None,
        None,
        EncodeOptions(),
    ):
        yield "--start, --end, --codec and --crf are for clips"
    if options.verify:
        yield "--verify is for clips"


def _note(source: Path, notes: Iterable[str]) -> None:
    for note in notes:
        log.warning("%s: %s", source.name, note)


def _warn_of_height(source: Path, height: int, preset: Preset, options: RenderOptions) -> None:
    if preset.method(options.method) != "tiles":
        return
    low, high = preset.facts.heights_px
    if not low <= height <= high:
        words = f"{height} lines; {preset.name} was trained on {low} to {high}"
        _note(source, [f"{words}, and the tiles method shows it the full size"])
