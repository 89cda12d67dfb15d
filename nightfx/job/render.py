"""Render one clip or picture, or pictures in memory: decode | compute | encode, three threads with few frames between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nightfx.ahead import prefetch
from nightfx.apply import Written
from nightfx.errors import RetryError, UsageError
from nightfx.job import choices, pipeline, render_job, segment, source_target
from nightfx.job.asked import check_options, complete_options
from nightfx.job.join import lock_beside
from nightfx.job.matte import open_mattes
from nightfx.job.passes import writing
from nightfx.job.resume import is_long, render_in_segments
from nightfx.light import Footage, Lighting, build_lighting, light_frames
from nightfx.network import Preset, load_preset
from nightfx.options import EncodeOptions, RenderOptions
from nightfx.picture import (
    FIRST_FRAME,
    ColorTags,
    Encodings,
    Frame,
    encoding_by_tags,
    rgb_coding,
    untold_transfer,
)
from nightfx.source import NO_LAYERS, is_picture, is_sequence, read_picture, read_tags, woven
from nightfx.target import picture_lines, write_picture

Pictures = Sequence[NDArray[Any]]

_DEPTH = {np.dtype(np.uint8): 8, np.dtype(np.uint16): 16}


def render(
    source: str | Path,
    target: str | Path | None = None,
    *,
    preset: str | Path | Preset = "night",
    options: RenderOptions | None = None,
    on_progress: pipeline.Progress | None = None,
) -> Path:
    """Render the clip, picture or sequence (`shot.####.exr`) `source` under the light of `preset`; returns the path written.

    `target` is by default beside the source, `NAME.night.EXT`. `on_progress` is called with the frames done and the
    frames expected; a method `stage` of it, where it has one, with the name of what comes before and after them, and its
    own steps done and expected. Raises a `NightfxError`; nothing is left under the target's name then.
    """
    options, source = options or RenderOptions(), source_target.find_source(Path(source))
    chosen = preset if isinstance(preset, Preset) else load_preset(preset)
    check_options(options, chosen)
    target = Path(target) if target else None
    alone = is_picture(source) and not is_sequence(source)
    job = _render_picture if alone and (not target or is_picture(target)) else _render_clip
    with memory_errors_as_retry(source):
        return job(source, target, chosen, options, on_progress)


def light_pictures(
    pictures: Pictures,
    *,
    preset: str | Path | Preset = "night",
    options: RenderOptions | None = None,
    frames_a_second: float = 24,
) -> Iterator[NDArray[Any]]:
    """Yield the pictures of one shot, (H, W, 3) RGB in sRGB, uint8 or uint16, under the light of `preset`: of the same size and type.

    They are gone through twice, for what would be lit and for their light. Of the options the look counts and how a frame is
    lit, and frames are numbered from 1001. Raises `UsageError` for pictures of another kind, or of more than one.
    """
    chosen = preset if isinstance(preset, Preset) else load_preset(preset)
    asked = complete_options(options or RenderOptions(), chosen)
    depth = _depth_of(pictures)
    footage = Footage(lambda: _frames(pictures, depth, frames_a_second), len(pictures))
    lighting = build_lighting(chosen, footage, asked.look, asked.light, asked.field)
    for lit in light_frames(footage.frames(), lighting, Written(rgb_coding(depth, alpha=False))):
        yield np.stack(lit.planes, axis=-1)


@contextmanager
def memory_errors_as_retry(source: Path) -> Iterator[None]:
    """Turn what torch and Python raise when memory ends into RetryError."""
    try:
        yield
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
    on_progress: pipeline.Progress | None,
) -> Path:
    with render_job.open_job(source, target, preset, options) as job:
        render_all = render_in_segments if is_long(job) else _render_whole
        render_all(job, on_progress)
        return job.target


def _render_whole(job: render_job.RenderJob, on_progress: pipeline.Progress | None) -> None:
    """Render a short clip or sequence in one go."""
    passes = job.open_passes()
    pipeline.begin_preparing(on_progress)
    lighting = choices.lighting_of(job, on_progress=on_progress)
    frames = prefetch(job.shot(), segment.DEPTH_FRAMES)
    lit = light_frames(frames, lighting, job.written, job.beside(passes))
    lit = prefetch(woven(lit, job.info) if job.by_fields else lit, segment.DEPTH_FRAMES)
    try:
        source_target.write_shot(
            _count(lit, job.total, on_progress),
            job.target,
            info=job.info,
            plan=job.plan,
            options=job.options.source,
            work=job.options.job,
            on_note=lambda note: job.log_notes([note]),
            on_progress=on_progress,
            first=job.first,
        )
    finally:
        for stage in (lit, frames):  # the threads end before the reader closes under them
            stage.close()
    job.log_notes(job.reader.notes)
    for line in passes.finish() if passes else ():
        render_job.log_news(job.source, line)
    _save_lock(lighting, job.target, job.options)


def _save_lock(lighting: Lighting, target: Path, options: RenderOptions) -> None:
    if options.field.lock and lighting.fields and lighting.fields.lock:
        lighting.fields.lock.save(lock_beside(target))


def _render_picture(
    source: Path,
    target: Path | None,
    preset: Preset,
    options: RenderOptions,
    on_progress: pipeline.Progress | None,
) -> Path:
    target = target or source_target.default_target(source, preset, source.suffix)
    source_target.check_target(source, target, options.job.overwrite)
    options.look.check_frames(FIRST_FRAME)
    if options.light.baked:
        raise UsageError("--baked is of clips and sequences: render a picture without it")
    options = complete_options(options, preset)
    frame = read_picture(source, options.source.max_pixels)
    tags = read_tags(source)
    own = source_target.asked_encoding(options.source) or encoding_by_tags(tags, frame.coding)
    both = Encodings(own, own)
    passes = render_job.passes_of(target, options)
    words = render_job.height_warnings(frame.height, preset, options.light.method)
    told = _picture_notes(source, frame, target, tags, options)
    render_job.log_notes(source, [*told, *words])
    pipeline.begin_preparing(on_progress)
    footage = Footage(lambda: [frame], encoding=own)
    lighting = build_lighting(preset, footage, options.look, options.light, options.field)
    if lighting.moonlight is not None:
        render_job.log_news(source, choices.NO_TOWN)
    with open_mattes(options.light, options.source) as mattes:
        beside = mattes.beside(None, writing(passes, own))
        (lit,) = light_frames([frame], lighting, Written(frame.coding, both), beside)
    with _place_of(source, target, options, on_progress) as place:
        write_picture(lit, place, like=source)
    for line in passes.finish() if passes else ():
        render_job.log_news(source, line)
    _save_lock(lighting, target, options)
    if on_progress:
        on_progress(1, 1)
    return target


def _count(
    frames: Iterable[Frame], total: int | None, on_progress: pipeline.Progress | None
) -> Iterator[Frame]:
    for done, frame in enumerate(frames, start=1):
        yield frame
        if on_progress:
            on_progress(done, total)
    pipeline.begin_stage(on_progress, "finishing")


def _place_of(
    source: Path, target: Path, options: RenderOptions, on_progress: pipeline.Progress | None
) -> AbstractContextManager[Path]:
    """Where a picture is written: under its name, or first under another where it is to be verified."""
    if not options.job.verify:
        return nullcontext(target)

    def note(line: str) -> None:
        render_job.log_notes(source, [line])

    return source_target.verified_picture(source, target, options.source, note, on_progress)


def _picture_notes(
    source: Path, frame: Frame, target: Path, tags: ColorTags, options: RenderOptions
) -> Iterator[str]:
    transfer = untold_transfer(tags, frame.coding)
    if transfer and target.suffix.lower() != ".png":
        yield f"{target.suffix} does not say {transfer}: whoever reads it has to know (png says it)"
    yield from picture_lines(source, target.suffix, deep=frame.coding.depth > 8)
    jpeg = target.suffix.lower() in (".jpg", ".jpeg")
    if jpeg and frame.coding.has_alpha:
        yield "JPEG has no alpha: it is dropped (png keeps it)"
    if frame.coding.depth > 8 and (jpeg or target.suffix.lower() == ".webp"):
        yield f"16 bits are written as 8, as {target.suffix} is (png and tif keep them)"
    times = options.source.start_seconds, options.source.end_seconds, options.source.frames
    if times != (None, None, None) or options.encode != EncodeOptions():
        yield "--start, --end, --frames, --codec and --crf are for clips"
    if options.source.layer or options.source.view:
        yield NO_LAYERS


def _depth_of(pictures: Pictures) -> int:
    kinds = {(picture.shape, picture.dtype) for picture in pictures}
    if len(kinds) != 1:
        raise UsageError(f"pictures of one shot have one size and type, got {len(kinds)} of them")
    ((shape, kind),) = kinds
    if len(shape) != 3 or shape[2] != 3 or kind not in _DEPTH:
        raise UsageError(f"pictures are (H, W, 3) of uint8 or uint16, got {shape} of {kind}")
    return _DEPTH[kind]


def _frames(pictures: Pictures, depth: int, frames_a_second: float) -> Iterator[Frame]:
    coding = rgb_coding(depth, alpha=False)
    tick = 1 / Fraction(frames_a_second).limit_denominator(100000)
    for index, picture in enumerate(pictures):
        planes = tuple(np.ascontiguousarray(picture[..., c]) for c in range(3))
        yield Frame(planes, coding, index, tick)
