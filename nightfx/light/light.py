"""How a shot is lit: the two methods, tiles and relight, and what runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import count, islice

import cv2
import numpy as np
from torch import Tensor

from nightfx.apply.field import Field, apply_field, relight, relight_sites
from nightfx.apply.planes import apply_light
from nightfx.apply.working import (
    Light,
    average_at_sites,
    is_direct,
    light_in_working,
    straight_rgb,
)
from nightfx.errors import UsageError
from nightfx.job.matte import Matte
from nightfx.job.passes import Passes
from nightfx.light.analysis import FIRST_SECONDS, choose_every, measure_lock
from nightfx.light.borders import Borders
from nightfx.light.fit import FieldPlan, Fit, light_by_field, see
from nightfx.light.glow_grain import finish, glowing, needs_finish, spread
from nightfx.light.grade import blended, grade_of, graded, graded_picture
from nightfx.light.lock import load_lock
from nightfx.light.steady import Seen, Steadying, find_motion, luma_of
from nightfx.light.tiling import light_of, middle_window
from nightfx.network.backends import build_backend
from nightfx.network.model import Generator
from nightfx.network.presets import Preset
from nightfx.options.look import Look, Moment
from nightfx.options.render import RenderOptions
from nightfx.picture.color import to_rgb
from nightfx.picture.encoding import PLAIN, SDR, Encoding, Encodings, rolled_off, to_working
from nightfx.picture.frame import Coding, Float32, Float64, Frame, as_coded, upright

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
    if options.light.draft and preset.method(options.light.method) == "tiles":
        raise UsageError(
            f"--draft needs relight, and {preset.name} renders tiles: --method relight"
        )
    network = preset.network(draft=options.light.draft)
    if shown is None:
        shown = show_frames(preset, options, shot, total, encoding)
    return build_backend(network, options.light.backend, options.light.device, shown)


def show_frames(
    preset: Preset,
    options: RenderOptions,
    shot: Callable[[], Iterable[Frame]],
    total: int | None,
    encoding: Encoding,
) -> list[Tensor]:
    """What int8 is quantised with, (1, 3, H, W) each: what the generator will be shown of some frames; else nothing."""
    int8, step = options.light.backend == "openvino-int8", max((total or 0) // SHOWN_FRAMES, 1)
    few = islice(shot(), 0, SHOWN_FRAMES * step, step) if int8 else ()
    return [_shown(frame, preset, options, encoding) for frame in few]


def _shown(frame: Frame, preset: Preset, options: RenderOptions, encoding: Encoding) -> Tensor:
    """What the generator will be shown of a frame."""
    if preset.method(options.light.method) == "tiles":
        work = rolled_off(to_working(straight_rgb(frame), encoding), encoding)
        return middle_window(upright(work, frame), options.light.tile_px)
    height = options.field.working_height or preset.facts.working_height_px
    small = rolled_off(see(frame, height, encoding).small, encoding)
    return middle_window(upright(small, frame), "whole")


def with_look(options: RenderOptions, preset: Preset) -> RenderOptions:
    """The options with the preset's look wherever they leave it to that; raises UsageError for what tiles cannot do."""
    if preset.method(options.light.method) == "tiles" and options.look.names("sky"):
        raise UsageError("--sky needs --method relight: the field carries it")
    return options.but(look=options.look.over(preset.facts.look))


def light_frames(
    frames: Iterable[Frame],
    generator: Generator,
    options: RenderOptions,
    coding: Coding,
    plan: FieldPlan | None,
    passes: Passes | None = None,
    encodings: Encodings = PLAIN,
    borders: Borders | None = None,
    matte: Matte | None = None,
) -> Iterator[Frame]:
    """Each frame under the generator's light, in `coding`: by the fields of `plan`, or by tiles where there is none.

    `borders` are told of the frames that go by; those of a run-in are left out. Keyframes and the matte count a shot's frames.
    """
    first = borders.shown_from if borders else 0
    if plan is None:
        yield from light_by_tiles(frames, generator, options, coding, encodings, matte, first)
        return
    lit = light_by_field(frames, generator, plan, borders)
    one = partial(_light_one, options, coding, plan, passes, encodings, matte)
    # a loop's own name would keep each frame until the next one has its field
    yield from map(one, count(first), lit)


def _light_one(
    options: RenderOptions,
    coding: Coding,
    plan: FieldPlan,
    passes: Passes | None,
    encodings: Encodings,
    matte: Matte | None,
    index: int,
    lit: tuple[Seen, Field],
) -> Frame:
    """A frame under its field, which is the look's too as far as that is affine."""
    (seen, field), moment = lit, _moment(plan.look, options, index)
    frame, field = seen.frame, graded(field, grade_of(moment))
    direct = is_direct(frame.coding, encodings) and is_direct(coding, encodings)
    if moment.glow and direct:  # up to white a screen is affine: the field carries it
        field = glowing(field, spread(relight(seen.small, field), moment.glow))
        moment = moment._replace(glow=0)
    if passes:
        passes.write(frame, blended(field, moment.strength), plan.encoding)
    inside = matte.at(index, frame) if matte else None
    full = partial(_by_field, field, (frame.height, frame.width))
    if needs_finish(moment, inside):
        glow = spread(relight(seen.small, field), moment.glow) if moment.glow else None
        return finish(frame, full, glow, moment, inside, options.light.seed, coding, encodings)
    field = blended(field, moment.strength)
    if direct:
        return apply_field(frame, field, coding)
    light = partial(_by_field, field, (frame.height, frame.width))
    return light_in_working(frame, light, coding, encodings)


def _moment(look: Look, options: RenderOptions, index: int) -> Moment:
    return look.at(index)


def _by_field(field: Field, size: tuple[int, int], work: Float32, *sub: int) -> Float32:
    return relight_sites(work, field, *size, *sub)


def light_by_tiles(
    frames: Iterable[Frame],
    generator: Generator,
    options: RenderOptions,
    coding: Coding,
    encodings: Encodings = PLAIN,
    matte: Matte | None = None,
    first: int = 0,
) -> Iterator[Frame]:
    """The generator sees each frame at full size; of the look, all but the sky."""
    for index, frame in enumerate(frames, first):
        moment = _moment(options.look, options, index)
        grade, inside = grade_of(moment), matte.at(index, frame) if matte else None
        maps = _maps(frame, generator, options, encodings.source)
        full = partial(_by_maps, *maps, grade)
        if needs_finish(moment, inside):
            glow = None
            if moment.glow:  # at the height at which relight would make it
                small = see(frame, FieldPlan.height, encodings.source).small
                glow = spread(full(small, 0, 0), moment.glow)
            yield finish(frame, full, glow, moment, inside, options.light.seed, coding, encodings)
            continue
        direct = is_direct(frame.coding, encodings) and is_direct(coding, encodings)
        if direct and grade is None:
            gain, offset = maps
            if moment.strength != 1:
                gain = 1 + np.float32(moment.strength) * (gain - 1)
                offset = np.float32(moment.strength) * offset
            yield apply_light(frame, to_rgb(frame), gain, offset, coding)
            continue
        light = full if moment.strength == 1 else partial(_dissolved, full, moment.strength)
        yield light_in_working(frame, light, coding, encodings)


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
    light = light_of(generator, upright(shown, frame), 1.0, options.light.tile_px)
    gain, offset = (as_coded(tensor.numpy(), frame) for tensor in light)
    return gain, offset


def _by_maps(
    gain: Float32, offset: Float32, grade: Float64 | None, work: Float32, sub_x: int, sub_y: int
) -> Float32:
    gain, offset = (_at_sites(maps, work.shape[1:], sub_x, sub_y) for maps in (gain, offset))
    return graded_picture(work * gain + offset, grade)


def _at_sites(maps: Float32, size: tuple[int, ...], sub_x: int, sub_y: int) -> Float32:
    if sub_x or sub_y:
        return np.stack([average_at_sites(c, sub_x, sub_y) for c in maps])
    if maps.shape[1:] == size:
        return maps
    return np.stack([cv2.resize(c, size[::-1], interpolation=cv2.INTER_AREA) for c in maps])


def _dissolved(full: Light, strength: float, work: Float32, sub_x: int, sub_y: int) -> Float32:
    mixed: Float32 = work + np.float32(strength) * (full(work, sub_x, sub_y) - work)
    return mixed


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
    A lock is measured on every `step`-th frame.
    """
    facts = preset.facts
    if preset.method(options.light.method) == "tiles":
        if options.field.lock or options.field.lock_to:
            raise UsageError("--lock and --lock-to need --method relight: tiles have no field")
        return None
    look = options.look.over(facts.look)
    if isinstance(look.sky, tuple) and (options.field.lock or options.field.lock_to):
        raise UsageError("--lock holds one exposure, so --sky must be one number, not keyframes")
    amount = facts.steady if options.field.steady is None else options.field.steady
    plan = FieldPlan(
        height=options.field.working_height or facts.working_height_px,
        fit=Fit(facts.fit_radius_cells, facts.fit_epsilon),
        steadying=Steadying(
            amount, 1 if options.field.field_every == "auto" else options.field.field_every
        ),
        lock=load_lock(options.field.lock_to) if options.field.lock_to else None,
        look=look,
        encoding=encoding,
    )
    if options.field.field_every == "auto":
        every = choose_every(_first_seconds(shot()), generator, plan)
        plan = replace(plan, steadying=replace(plan.steadying, every=every))
    if not options.field.lock:
        return plan
    return replace(plan, lock=measure_lock(islice(shot(), 0, None, step), generator, plan))


def _first_seconds(frames: Iterable[Frame]) -> Iterator[Frame]:
    first = None
    for frame in frames:
        first = frame.pts if first is None else first
        if (frame.pts - first) * frame.time_base >= FIRST_SECONDS:
            return
        yield frame
