"""Render one clip or picture: decode | compute | encode, three threads with few frames between them."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import torch

from nightfx.engine.field import apply_field
from nightfx.engine.options import RenderOptions
from nightfx.engine.pipeline import prefetch
from nightfx.engine.planes import apply_light
from nightfx.engine.relight import Fit, light_field
from nightfx.engine.steady import steady
from nightfx.engine.tiling import light_of
from nightfx.errors import RetryError, SourceError, TargetError, UsageError
from nightfx.model import Generator, pick_device, pick_trunk_dtype
from nightfx.presets import Preset, load_preset
from nightfx.video.codecs import EncodeOptions, plan_output
from nightfx.video.color import to_rgb
from nightfx.video.frame import Coding, Frame
from nightfx.video.picture import is_picture, read_picture, write_picture
from nightfx.video.probe import ClipInfo
from nightfx.video.reader import Reader
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
    with Reader(source, keep_going=options.keep_going) as reader:
        plan = plan_output(reader.info, target.suffix if target else None, options.encode)
        target = target or default_target(source, preset, plan.suffix)
        check_target(source, target, options.overwrite)
        _note(source, [*reader.notes, *plan.notes])
        info = reader.info
        _warn_of_height(source, info.width if info.rotation % 180 else info.height, preset, options)
        reader.notes.clear()
        times = options.start_seconds, options.end_seconds
        frames = prefetch(reader.frames(*times), DEPTH_FRAMES)
        lit = prefetch(light_frames(frames, preset, options, plan.coding), DEPTH_FRAMES)
        total = _expected(reader.info, options)
        try:
            write_clip(
                _count(lit, total, on_progress),
                target,
                source=source,
                info=reader.info,
                plan=plan,
                start_seconds=options.start_seconds,
                end_seconds=options.end_seconds,
                on_note=lambda note: log.warning("%s: %s", source.name, note),
            )
        finally:
            for stage in (lit, frames):  # the threads end before the reader closes under them
                stage.close()
        _note(source, reader.notes)
    return target


def _render_picture(
    source: Path,
    target: Path | None,
    preset: Preset,
    options: RenderOptions,
    on_progress: Progress | None,
) -> Path:
    target = target or default_target(source, preset, source.suffix)
    check_target(source, target, options.overwrite)
    frame = read_picture(source)
    _note(source, _picture_notes(frame, target, options))
    _warn_of_height(source, frame.height, preset, options)
    (lit,) = light_frames([frame], preset, options, frame.coding)
    write_picture(lit, target, like=source)
    if on_progress:
        on_progress(1, 1)
    return target


def check_target(source: Path, target: Path, overwrite: bool) -> None:
    """Refuse a target that is the source, exists, or has no folder."""
    if target.exists() and source.exists() and target.samefile(source):
        raise UsageError(f"{target}: input and output are the same file; choose another -o")
    if target.exists() and not overwrite:
        raise TargetError(f"{target}: exists already; --overwrite replaces it")
    if not target.parent.is_dir():
        raise TargetError(f"{target.parent}: no such folder; make it first")


def ready_generator(preset: Preset, options: RenderOptions) -> Generator:
    """A copy of the preset's generator, on the device, channels last, its trunk in bf16 where that is native."""
    device = pick_device(options.device)
    generator = copy.deepcopy(preset.generator).to(device)
    generator.trunk.to(pick_trunk_dtype(device), memory_format=torch.channels_last)  # type: ignore[call-overload]
    return generator


def light_frames(
    frames: Iterable[Frame], preset: Preset, options: RenderOptions, coding: Coding
) -> Iterator[Frame]:
    """Each frame under the light of the preset, in `coding`, by the method that was asked for."""
    generator = ready_generator(preset, options)
    method = options.method or preset.facts.method
    light = light_by_tiles if method == "tiles" else light_by_field
    return light(frames, generator, preset, options, coding)


def light_by_tiles(
    frames: Iterable[Frame],
    generator: Generator,
    preset: Preset,
    options: RenderOptions,
    coding: Coding,
) -> Iterator[Frame]:
    """The generator sees the frame at full size."""
    for frame in frames:
        rgb = to_rgb(frame)
        light = light_of(generator, _upright(rgb, frame), options.strength, options.tile_px)
        gain, offset = (_as_coded(tensor.numpy(), frame) for tensor in light)
        yield apply_light(frame, rgb, gain, offset, coding)


def light_by_field(
    frames: Iterable[Frame],
    generator: Generator,
    preset: Preset,
    options: RenderOptions,
    coding: Coding,
) -> Iterator[Frame]:
    """The generator sees the frame at working height; a smooth field, steadied over time, carries its light."""
    facts, memory, before = preset.facts, None, None
    height = options.working_height or facts.working_height_px
    amount = facts.steady if options.steady is None else options.steady
    fit = Fit(facts.fit_radius_cells, facts.fit_epsilon)
    for frame in frames:
        sight = light_field(frame, generator, options.strength, height, fit)
        seconds = float((frame.pts - before) * frame.time_base) if before is not None else 0.0
        memory, before = steady(memory, *sight, amount, seconds), frame.pts
        yield apply_field(frame, memory.field, coding)


def _upright(rgb: np.ndarray, frame: Frame) -> np.ndarray:
    # a phone's clip lies on its side; the generator was taught that the sky is above
    return np.ascontiguousarray(np.rot90(rgb, round(frame.rotation / 90), axes=(1, 2)))


def _as_coded(maps: np.ndarray, frame: Frame) -> np.ndarray:
    return np.ascontiguousarray(np.rot90(maps, -round(frame.rotation / 90), axes=(1, 2)))


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


def _note(source: Path, notes: Iterable[str]) -> None:
    for note in notes:
        log.warning("%s: %s", source.name, note)


def _warn_of_height(source: Path, height: int, preset: Preset, options: RenderOptions) -> None:
    if (options.method or preset.facts.method) != "tiles":
        return
    low, high = preset.facts.heights_px
    if not low <= height <= high:
        words = f"{height} lines; {preset.name} was trained on {low} to {high}"
        _note(source, [f"{words}, and the tiles method shows it the full size"])
