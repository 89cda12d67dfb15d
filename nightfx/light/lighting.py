"""The lighting of a shot: a generator ready to run, and how the shot's fields come to be.

What is chosen by looking at the shot is chosen here, once for all of its frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from torch import Tensor

from nightfx.apply import relight, straight_rgb
from nightfx.baked import Bake, open_bake
from nightfx.errors import SourceError
from nightfx.light import fit, grade, lock, steady, tiling
from nightfx.light.lamps.search import Search, search_shot
from nightfx.light.lamps.shot import ShotLamps, lamps_of
from nightfx.light.see import luma_of, see
from nightfx.light.sky import SkyPlan
from nightfx.lights import LightList, read_lights
from nightfx.network import (
    Generator,
    Preset,
    SceneNetwork,
    build_backend,
    build_scene_backend,
    load_scene_network,
)
from nightfx.options import (
    Backend,
    FieldOptions,
    LightOptions,
    Look,
    Moonlight,
    NightSky,
    TilePx,
)
from nightfx.picture import (
    CLIP_NUMBERS,
    SDR,
    Encoding,
    Float32,
    Float64,
    Frame,
    Numbering,
    rolled_off,
    to_working,
    upright,
)
from nightfx.scene import read_sky_edits

# what int8 is quantised with, spread over the clip: a street does not stand for a sky
_SHOWN_FRAMES = 8
_MOST = 0.96  # of the plate's luma: a fit rounds the corner where it is reached, a tint adds to one colour


_LIGHT, _FIELD = LightOptions(), FieldOptions()


@dataclass(frozen=True)
class Footage:
    """A shot that can be looked at before it is rendered."""

    frames: Callable[[], Iterable[Frame]] = list
    """Gives its frames from the first on, each time it is called."""
    total: int | None = None
    """How many there are expected to be."""
    encoding: Encoding = SDR
    """The encoding of their signal."""
    numbering: Numbering = CLIP_NUMBERS
    """How its frames are numbered."""
    on_search: Callable[[int], None] = lambda count: None
    """Told how many frames were searched for lights."""


@dataclass(frozen=True)
class Lighting:
    """A generator and the look, fields and tiles by which it lights the frames of a shot."""

    generator: Generator | None
    """None where a bake says everything."""
    look: Look
    """The look, that of the preset included."""
    fields: fit.FieldPlan | None = None
    """How relight fields come to be; None for the tiles method."""
    tile_px: TilePx = None
    """Side of a tile."""
    seed: int = 0
    """Seeds the grain."""
    numbering: Numbering = CLIP_NUMBERS
    """How frames are numbered, which keyframes of the look go by."""
    ceiling: fit.Ceiling | None = None
    """How bright the generator may leave a plate; None for any."""
    sky: SkyPlan | None = None
    """How the skies of frames come to be; None where the look leaves them alone."""

    lamps: ShotLamps | None = None
    """The lamps of the shot; None where none are lit."""
    found: LightList | None = None
    """What was found that may be lit, whether it is or not; None where nobody looked."""
    moonlight: Float64 | None = None
    """The grade (3, 4) over a shot that shows no town."""
    baked: Bake | None = None
    """The light of its frames, where that is decided already."""

    @property
    def found_sky(self) -> SkyPlan | None:
        """How skies are found; None where the user's own mattes say where they are, or nobody asks."""
        return self.sky if self.sky and self.sky.network else None

    @property
    def steadying(self) -> steady.Steadying | None:
        """How what is known of a frame follows what was known of the one before; None where nothing does."""
        plan = self.fields or self.found_sky
        return plan.steadying if plan else None


def build_lighting(
    preset: Preset,
    footage: Footage,
    look: Look,
    light: LightOptions,
    field: FieldOptions,
    shown: Sequence[Tensor] | None = None,
    found: LightList | None = None,
    generator: Generator | None = None,
) -> Lighting:
    """Build what lights a shot, looking at it where something is to be chosen.

    `look` is complete. The lights of the shot are those `found`, else they are looked for where they are wanted. A `generator` that was built for the same preset and backend is not built again. For int8 the network is quantised with what it was `shown`, else with what it will be shown.
    """
    if light.baked is not None:
        return _baked_lighting(light.baked, footage, look, light)
    if shown is None:
        shown = show_frames(preset, footage, light, field)
    if generator is None:
        network = preset.network(draft=light.draft)
        generator = build_backend(network, light.backend, light.device, shown)
    by_field = preset.method(light.method) == "relight"
    found = found or find_lights_of(preset, footage, light)
    moonlight = moonlight_of(preset, found, light)
    fields = plan_fields(footage, generator, preset, field, moonlight) if by_field else None
    return Lighting(
        *(generator, look, fields, light.tile_px, light.seed, footage.numbering),
        *(ceiling_of(preset, moonlight), plan_sky(preset, look, light, field, moonlight)),
        plan_lamps(preset, found, light),
        found,
        grade.moonlit(moonlight) if moonlight else None,
    )


def _baked_lighting(path: Path, footage: Footage, look: Look, light: LightOptions) -> Lighting:
    """What lights a shot by a bake, and looks at nothing."""
    if footage.encoding is not SDR:
        words = f"the plate is {footage.encoding.name}, and bakes are of SDR: render without it"
        raise SourceError(f"--baked {path}: {words}")
    numbering = footage.numbering
    return Lighting(None, look, seed=light.seed, numbering=numbering, baked=open_bake(path))


def plan_lamps(preset: Preset, found: LightList | None, light: LightOptions) -> ShotLamps | None:
    """Return the lamps of a shot whose lights were `found`; None where none are lit."""
    table = preset.facts.lights
    if found is None or table is None or not (found.town or light.lights != "auto"):
        return None
    return lamps_of(found, table, light)


def moonlight_of(preset: Preset, found: LightList | None, light: LightOptions) -> Moonlight | None:
    """The moonlight of a preset where lights were looked for, `found` shows no town, and nobody asks for lamps, by a list neither."""
    is_lit = found is None or found.town or light.lights != "auto"
    return None if is_lit else preset.facts.moonlight


def find_lights_of(preset: Preset, footage: Footage, light: LightOptions) -> LightList | None:
    """Look through a shot for its lights, or read the list that says them; None where a preset or the user wants none."""
    if preset.facts.lights is None or light.lights == "off":
        return None
    if light.light_list:
        return read_lights(light.light_list)
    how = Search(
        _scene_network(light), footage.encoding, footage.numbering, on_progress=footage.on_search
    )
    return search_shot(footage.frames(), how)


def plan_sky(
    preset: Preset,
    look: Look,
    light: LightOptions = _LIGHT,
    field: FieldOptions = _FIELD,
    moonlight: Moonlight | None = None,
) -> SkyPlan | None:
    """Plan what a complete look makes of skies by day; None where it leaves them alone, as that of a plate of the night."""
    if not look.names("sky") or preset.facts.plate == "night":
        return None
    return SkyPlan(
        *(
            None if light.sky_matte else _scene_network(light),
            (moonlight and moonlight.sky) or preset.facts.sky or NightSky(),
            most_of(preset),
        ),
        working_height(preset, field),
        read_sky_edits(light.sky_edits) if light.sky_edits else None,
        _sky_steadying(preset, field),
    )


def _sky_steadying(preset: Preset, field: FieldOptions) -> steady.Steadying:
    # where nothing is followed, a frame owes nothing to its neighbours
    how = steadying_of(preset, field)
    return replace(how, every=_SKY_EVERY) if how.amount else how


def _scene_network(light: LightOptions) -> SceneNetwork:
    # int8 would have to be quantised with more than a few frames show
    backend: Backend = "torch" if light.backend == "torch" else "openvino"
    return build_scene_backend(load_scene_network(), backend, light.device)


def steadying_of(preset: Preset, field: FieldOptions, every: int = 1) -> steady.Steadying:
    """Return how frames follow each other, by default as the preset says."""
    amount = preset.facts.steady if field.steady is None else field.steady
    return steady.Steadying(amount, every)


def ceiling_of(preset: Preset, moonlight: Moonlight | None = None) -> fit.Ceiling | None:
    """Return how bright the generator of a preset may leave a plate, that what its look and moonlight add stays below."""
    share = most_of(preset)
    if share is None:
        return None
    white, more = preset.facts.white, grade.brightest(preset.facts.look)
    if moonlight is not None and moonlight.white is not None:
        white, more = moonlight.white, more * grade.stops_gain(moonlight.exposure)
    return fit.Ceiling(share, white / more if white is not None else None)


def most_of(preset: Preset) -> float | None:
    """Return how much of a plate's luma the generator of a preset may leave, that its look makes nothing brighter."""
    return _MOST / grade.brightest(preset.facts.look) if preset.facts.darkens else None


def working_height(preset: Preset, field: FieldOptions) -> int:
    """Return the height in px at which the generator is shown a frame by relight."""
    return field.working_height or preset.facts.working_height_px


def show_frames(
    preset: Preset, footage: Footage, light: LightOptions, field: FieldOptions
) -> list[Tensor]:
    """Return what int8 is quantised with, (1, 3, H, W) each: what the generator will be shown of some frames; else nothing."""
    if light.backend != "openvino-int8":
        return []
    step = max((footage.total or 0) // _SHOWN_FRAMES, 1)
    few = islice(footage.frames(), 0, _SHOWN_FRAMES * step, step)
    if preset.method(light.method) == "tiles":
        return [_middle_tile(frame, footage.encoding, light.tile_px) for frame in few]
    height = working_height(preset, field)
    return [_small_picture(frame, footage.encoding, height) for frame in few]


def _middle_tile(frame: Frame, encoding: Encoding, tile_px: TilePx) -> Tensor:
    work = rolled_off(to_working(straight_rgb(frame), encoding), encoding)
    return tiling.middle_window(upright(work, frame), tile_px)


def _small_picture(frame: Frame, encoding: Encoding, height: int) -> Tensor:
    small = rolled_off(see(frame, height, encoding).small, encoding)
    return tiling.middle_window(upright(small, frame), "whole")


def plan_fields(
    footage: Footage,
    generator: Generator,
    preset: Preset,
    field: FieldOptions,
    moonlight: Moonlight | None = None,
) -> fit.FieldPlan:
    """Plan how the fields of a shot come to be; a lock is measured on frames spread over the shot."""
    facts = preset.facts
    every = 1 if field.field_every == "auto" else field.field_every
    plan = fit.FieldPlan(
        height=working_height(preset, field),
        fit=fit.Fit(facts.fit_radius_cells, facts.fit_epsilon),
        steadying=steadying_of(preset, field, every),
        lock=lock.load_lock(field.lock_to) if field.lock_to else None,
        encoding=footage.encoding,
        ceiling=ceiling_of(preset, moonlight),
    )
    if field.field_every == "auto":
        chosen = choose_every(_first_seconds(footage.frames()), generator, plan)
        plan = replace(plan, steadying=replace(plan.steadying, every=chosen))
    if not field.lock:
        return plan
    step = max((footage.total or 0) // _LOCK_FRAMES, 1)
    return replace(plan, lock=measure_lock(footage.frames(), generator, plan, step))


def _first_seconds(frames: Iterable[Frame]) -> Iterator[Frame]:
    first = None
    for frame in frames:
        first = frame.pts if first is None else first
        if (frame.pts - first) * frame.time_base >= _FIRST_SECONDS:
            return
        yield frame


_CARRIED = (4, 2)  # frames between fields that may be chosen, the largest first


_LEAST_DB = 45.0  # of carried fields against fields for every frame


_FIRST_SECONDS = 2.0


_SKY_EVERY = 4  # or sooner, where it is lost: the matte finds the plate's own edges in each frame


_LOCK_FRAMES = 24  # spread over the shot


def choose_every(frames: Iterable[Frame], generator: Generator, plan: fit.FieldPlan) -> int:
    """The most frames that a field can be carried over, judged by the `frames` of a shot's beginning.

    The shot's first seconds are lit at working height with fields for every frame and with carried ones; these must
    come within 45 dB.
    """
    errors, count = dict.fromkeys(_CARRIED, 0.0), 0
    for wanted, carried in _side_by_side(frames, generator, plan):
        count += 1
        for every, lit in carried.items():
            errors[every] += float(np.square(wanted - lit).mean())
    return next((k for k in _CARRIED if count > k and _db(errors[k] / count) >= _LEAST_DB), 1)


def _side_by_side(
    frames: Iterable[Frame], generator: Generator, plan: fit.FieldPlan
) -> Iterator[tuple[Float32, dict[int, Float32]]]:
    """Each frame lit at working height with a field of its own, and with carried ones; no frame is kept."""
    hows = {every: replace(plan.steadying, every=every) for every in (1, *_CARRIED)}
    memories: dict[int, steady.Memory] = {}
    before = None
    for index, frame in enumerate(frames):
        seen = see(frame, plan.height, plan.encoding)
        luma, field = luma_of(seen.cells), fit.field_of(seen, generator, plan)
        motion = steady.find_motion(before, luma) if before is not None else None
        for every, how in hows.items():
            past = None if motion and motion.is_cut else memories.get(every)
            computes = past is None or index % every == 0
            now = steady.Now(
                float(frame.pts * frame.time_base), motion, field if computes else None
            )
            memories[every] = steady.follow(past, now, how)
        lit = {k: relight(seen.small, memory.field).clip(0, 1) for k, memory in memories.items()}
        yield lit.pop(1), lit
        before = luma


def measure_lock(
    frames: Iterable[Frame], generator: Generator, plan: fit.FieldPlan, step: int = 1
) -> lock.Lock:
    """Return the exposure and tint that the generator gives to every `step`-th of the `frames` of a shot on the whole."""
    shot = (see(frame, plan.height, plan.encoding) for frame in islice(frames, 0, None, step))
    return lock.common_lock(
        lock.measure_stops(fit.field_of(seen, generator, plan), seen.cells) for seen in shot
    )


def _db(error: float) -> float:
    return float(-10 * np.log10(max(error, 1e-12)))
