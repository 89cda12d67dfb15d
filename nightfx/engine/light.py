"""How a shot is lit: the two methods, tiles and relight, and what runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice

import numpy as np
from torch import Tensor

from nightfx.engine.analysis import FIRST_SECONDS, choose_every, measure_look
from nightfx.engine.backends import build_backend
from nightfx.engine.borders import Borders
from nightfx.engine.field import Field, apply_field, relight_sites
from nightfx.engine.look import load_look
from nightfx.engine.options import RenderOptions
from nightfx.engine.passes import Passes
from nightfx.engine.planes import apply_light
from nightfx.engine.relight import FieldPlan, Fit, light_by_field, see
from nightfx.engine.steady import Steadying, find_motion, luma_of
from nightfx.engine.tiling import as_coded, light_of, middle_window, upright
from nightfx.engine.working import average_at_sites, is_direct, light_in_working, straight_rgb
from nightfx.errors import UsageError
from nightfx.model import Generator
from nightfx.presets import Preset
from nightfx.video.color import Float32, to_rgb
from nightfx.video.encoding import PLAIN, SDR, Encoding, Encodings, rolled_off, to_working
from nightfx.video.frame import Coding, Frame

# what int8 is quantised with, spread over the clip: a street does not stand for a sky
SHOWN_FRAMES = 8


def ready_generator(
    preset: Preset,
    options: RenderOptions,
    shot: Callable[[], Iterable[Frame]] = list,
    total: int | None = None,
    encoding: Encoding = SDR,
    shown: Sequence[Tensor] | None = None,
) -> Generator:
    """The preset's generator, or its draft, on the backend and device that were asked for.

    For int8, `shot` is called and gives the frames from the first on, about `total`; unless what the generator was
    `shown` of them is given.
    """
    if options.draft and preset.method(options.method) == "tiles":
        raise UsageError(
            f"--draft needs relight, and {preset.name} renders tiles: --method relight"
        )
    network = preset.network(draft=options.draft)
    if shown is None:
        shown = show_frames(preset, options, shot, total, encoding)
    return build_backend(network, options.backend, options.device, shown)


def show_frames(
    preset: Preset,
    options: RenderOptions,
    shot: Callable[[], Iterable[Frame]],
    total: int | None,
    encoding: Encoding,
) -> list[Tensor]:
    """What int8 is quantised with, (1, 3, H, W) each: what the generator will be shown of some frames; else nothing."""
    int8, step = options.backend == "openvino-int8", max((total or 0) // SHOWN_FRAMES, 1)
    few = islice(shot(), 0, SHOWN_FRAMES * step, step) if int8 else ()
    return [_shown(frame, preset, options, encoding) for frame in few]


def _shown(frame: Frame, preset: Preset, options: RenderOptions, encoding: Encoding) -> Tensor:
    """What the generator will be shown of a frame."""
    if preset.method(options.method) == "tiles":
        work = rolled_off(to_working(straight_rgb(frame), encoding), encoding)
        return middle_window(upright(work, frame), options.tile_px)
    height = options.working_height or preset.facts.working_height_px
    small = rolled_off(see(frame, height, encoding).small, encoding)
    return middle_window(upright(small, frame), "whole")


def light_frames(
    frames: Iterable[Frame],
    generator: Generator,
    options: RenderOptions,
    coding: Coding,
    plan: FieldPlan | None,
    passes: Passes | None = None,
    encodings: Encodings = PLAIN,
    borders: Borders | None = None,
) -> Iterator[Frame]:
    """Each frame under the generator's light, in `coding`: by the fields of `plan`, or by tiles where there is none.

    `borders` are told of the frames that go by; those of a run-in are left out.
    """
    if plan is None:
        yield from light_by_tiles(frames, generator, options, coding, encodings)
        return
    for frame, field in light_by_field(frames, generator, plan, borders):
        if passes:
            passes.write(frame, field, plan.encoding)
        if is_direct(frame.coding, encodings) and is_direct(coding, encodings):
            yield apply_field(frame, field, coding)
        else:
            size = frame.height, frame.width
            light = partial(_by_field, field, size)
            yield light_in_working(frame, light, coding, encodings)


def _by_field(field: Field, size: tuple[int, int], work: Float32, *sub: int) -> Float32:
    return relight_sites(work, field, *size, *sub)


def light_by_tiles(
    frames: Iterable[Frame],
    generator: Generator,
    options: RenderOptions,
    coding: Coding,
    encodings: Encodings = PLAIN,
) -> Iterator[Frame]:
    """The generator sees each frame at full size."""
    for frame in frames:
        if not (is_direct(frame.coding, encodings) and is_direct(coding, encodings)):
            maps = _maps(frame, generator, options, encodings.source)
            yield light_in_working(frame, partial(_by_maps, *maps), coding, encodings)
            continue
        rgb = to_rgb(frame)
        light = light_of(generator, upright(rgb, frame), options.strength, options.tile_px)
        gain, offset = (as_coded(tensor.numpy(), frame) for tensor in light)
        yield apply_light(frame, rgb, gain, offset, coding)


def mark_borders(
    frames: Iterable[Frame], borders: Borders, height: int, encoding: Encoding = SDR
) -> Iterator[Frame]:
    """The frames to be lit; `borders` are told of those with a cut, seen at a working `height`, where it matters."""
    before = None
    for index, frame in enumerate(frames, borders.begun_at):
        looks = borders.watches(index) or borders.watches(index + 1)
        luma = luma_of(see(frame, height, encoding).cells) if looks else None
        known = before is not None and luma is not None
        is_cut = known and find_motion(before, luma).is_cut  # type: ignore[arg-type]  # known
        borders.begins(index, is_cut=is_cut)
        before = luma
        if index >= borders.shown_from:
            yield frame


def _maps(
    frame: Frame, generator: Generator, options: RenderOptions, encoding: Encoding
) -> tuple[Float32, Float32]:
    """Gain and offset (3, H, W) in the working encoding."""
    shown = rolled_off(to_working(straight_rgb(frame), encoding), encoding)
    light = light_of(generator, upright(shown, frame), options.strength, options.tile_px)
    gain, offset = (as_coded(tensor.numpy(), frame) for tensor in light)
    return gain, offset


def _by_maps(gain: Float32, offset: Float32, work: Float32, sub_x: int, sub_y: int) -> Float32:
    if sub_x or sub_y:
        gain, offset = (
            np.stack([average_at_sites(c, sub_x, sub_y) for c in maps]) for maps in (gain, offset)
        )
    lit: Float32 = work * gain + offset
    return lit


def plan_fields(
    shot: Callable[[], Iterable[Frame]],
    generator: Generator,
    preset: Preset,
    options: RenderOptions,
    step: int = 1,
    encoding: Encoding = SDR,
) -> FieldPlan | None:
    """How the fields of a shot come to be; None for the tiles method.

    `shot` gives the frames from the first on; where something is to be chosen by looking at them, it is called.
    A look is measured on every `step`-th frame.
    """
    facts = preset.facts
    if preset.method(options.method) == "tiles":
        if options.lock or options.look:
            raise UsageError("--lock and --look need --method relight: tiles have no field")
        return None
    amount = facts.steady if options.steady is None else options.steady
    plan = FieldPlan(
        height=options.working_height or facts.working_height_px,
        strength=options.strength,
        fit=Fit(facts.fit_radius_cells, facts.fit_epsilon),
        steadying=Steadying(amount, 1 if options.field_every == "auto" else options.field_every),
        look=load_look(options.look) if options.look else None,
        encoding=encoding,
    )
    if options.field_every == "auto":
        every = choose_every(_first_seconds(shot()), generator, plan)
        plan = replace(plan, steadying=replace(plan.steadying, every=every))
    if not options.lock:
        return plan
    return replace(plan, look=measure_look(islice(shot(), 0, None, step), generator, plan))


def _first_seconds(frames: Iterable[Frame]) -> Iterator[Frame]:
    first = None
    for frame in frames:
        first = frame.pts if first is None else first
        if (frame.pts - first) * frame.time_base >= FIRST_SECONDS:
            return
        yield frame
