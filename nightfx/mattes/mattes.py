"""Write mattes of a plate: pictures of 16-bit grey, white being what they are of; those of a clip as a lossless clip.

Each is as the plate is: its size, its times and numbers, and turned as it is. Interlaced pictures are filled up first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from nightfx.errors import NightfxError
from nightfx.job.pipeline import Progress, begin_stage
from nightfx.job.segment import preparing
from nightfx.job.source_target import (
    asked_encoding,
    find_source,
    frames_expected,
    open_shot,
    with_times,
)
from nightfx.light import MattePlan, mattes_of_shot
from nightfx.mattes.fan import Taker, fan_out
from nightfx.mattes.targets import is_alone, targets_of
from nightfx.network import load_scene_network, pick_device
from nightfx.options import EncodeOptions, RenderOptions
from nightfx.picture import (
    FIRST_FRAME,
    Coding,
    ColorTags,
    Encoding,
    Float32,
    Frame,
    encoding_by_tags,
)
from nightfx.source import (
    ClipInfo,
    as_progressive,
    deinterlaced,
    file_of,
    is_pattern,
    read_picture,
    read_tags,
)
from nightfx.target import plan_output, write_clip, write_grey

_GREY = Coding("gray16le", 16, 0, 0, "gray", full_range=True, has_alpha=False)
_FULL = 2  # the range, as tags say it
_OF_ITS_OWN = 2  # unspecified: a share is no colour


def write_mattes(
    source: str | Path,
    folder: str | Path,
    *,
    kinds: Sequence[str] = ("sky",),
    options: RenderOptions | None = None,
    files: bool = False,
    on_progress: Progress | None = None,
) -> list[Path]:
    """Write a matte of each of the `kinds` (names of `nightfx.scene.KINDS`) of a clip, picture or sequence; returns their paths.

    Those of a clip are clips of FFV1, or `files`, one for each frame. Of the options what is read, the working height,
    steadying and device count. Raises a `NightfxError`; no clip is left unfinished then.
    """
    options, source = options or RenderOptions(), find_source(Path(source))
    targets = targets_of(source, Path(folder), kinds, files=files, overwrite=options.job.overwrite)
    if is_alone(source):
        frame = read_picture(source, options.source.max_pixels)
        own = encoding_by_tags(read_tags(source), frame.coding)
        plan = _plan(kinds, options, asked_encoding(options.source) or own)
        fan_out(_grey_frames([frame], plan), [partial(_write_files, t) for t in targets])
        return targets
    _write_shot(source, targets, tuple(kinds), options, on_progress)
    return targets


def _write_shot(
    source: Path,
    targets: list[Path],
    kinds: tuple[str, ...],
    options: RenderOptions,
    on_progress: Progress | None,
) -> None:
    with open_shot(source, options.source) as reader:
        asked = with_times(options.source, reader)
        span = asked.start_seconds, asked.end_seconds
        info = as_progressive(reader.info)
        own = asked_encoding(asked) or encoding_by_tags(info.tags, info.coding)
        begin_stage(on_progress, preparing())
        plan = _plan(kinds, options, own)
        first = reader.number_at(asked.start_seconds or 0)
        shot = _counted(
            deinterlaced(reader.frames(*span)), frames_expected(info, asked), on_progress
        )
        takers = [_taker(target, info, span, first, reader.add_note) for target in targets]
        fan_out(_grey_frames(shot, plan), takers)


def _plan(kinds: Sequence[str], options: RenderOptions, encoding: Encoding) -> MattePlan:
    network = load_scene_network().to(pick_device(options.light.device))
    plan = MattePlan(network, tuple(kinds), encoding=encoding)
    if options.field.working_height:
        plan = replace(plan, height=options.field.working_height)
    if options.field.steady is not None:
        plan = replace(plan, steadying=replace(plan.steadying, amount=options.field.steady))
    return plan


def _counted(
    frames: Iterable[Frame], total: int | None, on_progress: Progress | None
) -> Iterator[Frame]:
    for done, frame in enumerate(frames, start=1):
        yield frame
        if on_progress:
            on_progress(done, total)


def _grey_frames(frames: Iterable[Frame], plan: MattePlan) -> Iterator[list[Frame]]:
    """The mattes of each frame as frames of their own, without what the plate's carries beside its picture."""
    for frame, mattes in mattes_of_shot(frames, plan):
        bare = replace(frame, origin=None, sheet=None)
        yield [bare.with_planes((_codes(matte),), _GREY) for matte in mattes]


def _codes(matte: Float32) -> np.ndarray:
    return (matte * np.float32(_GREY.peak) + np.float32(0.5)).astype(np.uint16)


def _taker(
    target: Path,
    info: ClipInfo,
    span: tuple[float | None, float | None],
    first: int,
    on_note: Callable[[str], None],
) -> Taker[Frame]:
    """Return what writes one matte of a shot."""
    if is_pattern(target) or target.suffix == ".png":
        return partial(_write_files, target, first=first)
    grey = replace(info, coding=_GREY, tags=ColorTags(_OF_ITS_OWN, _OF_ITS_OWN, _OF_ITS_OWN, _FULL))
    plan = plan_output(grey, target.suffix, EncodeOptions(codec="ffv1"))
    return partial(
        write_clip,
        target=target,
        source=None,
        info=grey,
        plan=plan,
        start_seconds=span[0],
        end_seconds=span[1],
        on_note=on_note,
    )


def _write_files(target: Path, frames: Iterator[Frame], *, first: int = FIRST_FRAME) -> None:
    count = 0
    for count, frame in enumerate(frames, start=1):
        number = first - 1 + count if frame.number is None else frame.number
        write_grey(frame.planes[0], file_of(target, number))
    if not count:
        raise NightfxError(f"{target}: no frame to write: check the start and end times")
