"""Render one clip or picture: decode | compute | encode, three threads with few frames between them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import torch

from nightfx.engine.analysis import LOCK_FRAMES
from nightfx.engine.ends import (
    asked_encoding,
    check_scan,
    check_target,
    default_target,
    encoding_line,
    find_encodings,
    find_source,
    open_shot,
    plan_target,
    with_times,
    write_shot,
)
from nightfx.engine.light import light_frames, plan_fields, ready_generator, with_look
from nightfx.engine.matte import open_matte
from nightfx.engine.options import RenderOptions
from nightfx.engine.passes import Passes, open_passes
from nightfx.engine.pipeline import prefetch
from nightfx.engine.relight import FieldPlan
from nightfx.errors import RetryError, UsageError
from nightfx.presets import Preset, load_preset
from nightfx.video.codecs import EncodeOptions
from nightfx.video.encoding import SDR, Encodings
from nightfx.video.fields import as_progressive, deinterlaced, is_interlaced, split, woven
from nightfx.video.frame import Frame
from nightfx.video.numbered import base_name, is_sequence
from nightfx.video.picture import is_picture, read_picture, write_picture
from nightfx.video.probe import ClipInfo
from nightfx.video.shot import Shot

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
    """Render the clip, picture or sequence (`shot.####.exr`) `source` under the light of `preset`; returns the path written.

    `target` is by default beside the source, `NAME.night.EXT`. `on_progress` is called with the frames done and the
    frames expected. Raises a `NightfxError`; nothing is left under the target's name then.
    """
    options, source = options or RenderOptions(), find_source(Path(source))
    chosen = preset if isinstance(preset, Preset) else load_preset(preset)
    options = with_look(options, chosen)
    job = _render_clip if is_sequence(source) or not is_picture(source) else _render_picture
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


def _render_clip(
    source: Path,
    target: Path | None,
    preset: Preset,
    options: RenderOptions,
    on_progress: Progress | None,
) -> Path:
    with (
        open_shot(source, options) as reader,
        open_matte(options := with_times(options, reader), reader.info) as matte,
    ):
        info, by_fields = _scan(reader.info, options)
        plan = plan_target(info, target, options)
        check_scan(info, plan, by_fields=by_fields)
        target = target or default_target(source, preset, plan.suffix)
        check_target(source, target, options.overwrite)
        passes = _passes_of(target, preset, options)
        _note(source, [*reader.notes, *plan.notes])
        _warn_of_height(source, info.width if info.rotation % 180 else info.height, preset, options)
        reader.notes.clear()
        times = options.start_seconds, options.end_seconds
        shot = partial(_pictures, reader, by_fields, *times)
        total = _expected(info, options)
        encodings = find_encodings(info, plan, options)
        if encodings.source is not encodings.target:
            _note(source, [encoding_line(encodings)])
        generator = ready_generator(preset, options, shot, total, encodings.source)
        step = max((total or 0) // LOCK_FRAMES, 1)
        fields = plan_fields(shot, generator, preset, options, step, encodings.source)
        frames = prefetch(shot(), DEPTH_FRAMES)
        lit = light_frames(
            frames, generator, options, plan.coding, fields, passes, encodings, matte
        )
        lit = prefetch(woven(lit, info) if by_fields else lit, DEPTH_FRAMES)
        try:
            write_shot(
                _count(lit, total, on_progress),
                target,
                info=info,
                plan=plan,
                options=options,
                on_note=lambda note: log.warning("%s: %s", source.name, note),
            )
        finally:
            for stage in (lit, frames):  # the threads end before the reader closes under them
                stage.close()
        _note(source, [*reader.notes, *(passes.notes() if passes else ())])
    _save_lock(fields, target, options)
    return target


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
    reader: Shot, by_fields: bool, start: float | None, end: float | None
) -> Iterator[Frame]:
    """The pictures to be lit: frames, or fields; what is interlaced is filled up otherwise."""
    frames = reader.frames(start, end)
    if by_fields:
        return split(frames, reader.info)
    return deinterlaced(frames) if is_interlaced(reader.info) else frames


def _save_lock(fields: FieldPlan | None, target: Path, options: RenderOptions) -> None:
    if options.lock and fields and fields.lock:
        fields.lock.save(target.with_name(f"{base_name(target)}.lock.json"))


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
    own = asked_encoding(options) or SDR
    generator = ready_generator(preset, options, lambda: [frame], encoding=own)
    fields = plan_fields(lambda: [frame], generator, preset, options, encoding=own)
    both = Encodings(own, own)
    with open_matte(options) as matte:
        (lit,) = light_frames(
            [frame], generator, options, frame.coding, fields, passes, both, matte
        )
    write_picture(lit, target, like=source)
    _note(source, passes.notes() if passes else ())
    _save_lock(fields, target, options)
    if on_progress:
        on_progress(1, 1)
    return target


def _passes_of(target: Path, preset: Preset, options: RenderOptions) -> Passes | None:
    if options.passes is None:
        return None
    if preset.method(options.method) == "tiles":
        raise UsageError("--passes needs --method relight: tiles have no field")
    after = [*options.look.names("glow", "grain"), *(["the matte"] if options.matte else [])]
    if after:
        log.warning("passes: what comes after the field is not in them: %s", ", ".join(after))
    return open_passes(options.passes, base_name(target), overwrite=options.overwrite)


def _expected(info: ClipInfo, options: RenderOptions) -> int | None:
    whole, start, end = info.frames_estimate, options.start_seconds or 0.0, options.end_seconds
    if whole is None or (not start and end is None):
        return whole
    if info.rate is None:
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
    times = options.start_seconds, options.end_seconds, options.frames
    if times != (None, None, None) or options.encode != EncodeOptions():
        yield "--start, --end, --frames, --codec and --crf are for clips"
    if options.verify:
        yield "--verify is for clips"


def _note(source: Path, notes: Iterable[str]) -> None:
    for note in notes:
        log.warning("%s: %s", source.name, note)


def _warn_of_height(source: Path, height: int, preset: Preset, options: RenderOptions) -> None:
    if preset.method(options.method) != "tiles":
        return
    if options.look.names("sky"):
        _note(source, ["the preset darkens the sky in relight only, not in tiles"])
    low, high = preset.facts.heights_px
    if not low <= height <= high:
        words = f"{height} lines; {preset.name} was trained on {low} to {high}"
        _note(source, [f"{words}, and the tiles method shows it the full size"])
