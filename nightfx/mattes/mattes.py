"""Write mattes of a plate: pictures of 16-bit grey, white being what they are of; those of a clip as a lossless clip.

Each is as the plate is: its size, its times and numbers, and turned as it is. Interlaced pictures are filled up first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from nightfx.job.pipeline import Progress, begin_preparing
from nightfx.job.source_target import (
    asked_encoding,
    check_target,
    find_source,
    open_shot,
    with_times,
)
from nightfx.light import MattePlan, Steadying
from nightfx.mattes.fan import fan_out
from nightfx.mattes.grey import grey_frames, write_files
from nightfx.mattes.shot import shot_of, write_shot
from nightfx.mattes.targets import is_alone, targets_of
from nightfx.network import load_scene_network, pick_device
from nightfx.options import RenderOptions
from nightfx.picture import FIRST_FRAME, Encoding, encoding_by_tags
from nightfx.source import as_progressive, read_picture, read_tags


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

    Those of a clip are clips of FFV1, or `files`, one for each frame. What was stopped goes on from there, as a render does.
    Of the options what is read, the working height, steadying, device and the work count. Raises a `NightfxError`; no
    unfinished file has its name then.
    """
    options, source = options or RenderOptions(), find_source(Path(source))
    targets = targets_of(source, Path(folder), kinds, files=files)
    if is_alone(source):
        for target in targets:
            check_target(source, target, options.job.overwrite)
        _write_picture(source, targets, kinds, options)
    else:
        _write_shot(source, dict(zip(kinds, targets, strict=True)), options, on_progress)
    return targets


def _write_picture(
    source: Path, targets: Sequence[Path], kinds: Sequence[str], options: RenderOptions
) -> None:
    frame = read_picture(source, options.source.max_pixels)
    own = asked_encoding(options.source) or encoding_by_tags(read_tags(source), frame.coding)
    takers = [partial(write_files, target=target, first=FIRST_FRAME) for target in targets]
    fan_out(grey_frames([frame], _plan(kinds, options, own)), takers)


def _write_shot(
    source: Path, targets: dict[str, Path], options: RenderOptions, on_progress: Progress | None
) -> None:
    with open_shot(source, options.source) as reader:
        begin_preparing(on_progress)
        options = replace(options, source=with_times(options.source, reader))
        info = as_progressive(reader.info)
        own = asked_encoding(options.source) or encoding_by_tags(info.tags, info.coding)
        (suffix,) = {target.suffix for target in targets.values()}
        shot = shot_of(source, reader, options, suffix)
        amount = _steadying(options).amount
        write_shot(shot, targets, lambda kinds: _plan(kinds, options, own), amount, on_progress)


def _plan(kinds: Sequence[str], options: RenderOptions, encoding: Encoding) -> MattePlan:
    network = load_scene_network().to(pick_device(options.light.device))
    plan = MattePlan(network, tuple(kinds), steadying=_steadying(options), encoding=encoding)
    height = options.field.working_height
    return replace(plan, height=height) if height else plan


def _steadying(options: RenderOptions) -> Steadying:
    amount = options.field.steady
    return Steadying() if amount is None else Steadying(amount)
