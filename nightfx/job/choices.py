"""Choose for a job by looking at its frames, once, and build the lighting that goes with it."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from nightfx.disk import partial_file
from nightfx.errors import PlanError
from nightfx.job import manifest, pipeline, render_job
from nightfx.light import (
    PHASE,
    Footage,
    Lengths,
    Lighting,
    Lock,
    borders,
    build_lighting,
    show_frames,
    warm_up_of,
)
from nightfx.lights import LightList, lights_text, parse_lights
from nightfx.source import FALLBACK_RATE, ClipInfo
from nightfx.target import OutputPlan, head_of

_SHOWN, _LIGHTS = "shown.safetensors", "lights.json"


def _footage_of(job: render_job.RenderJob) -> Footage:
    """Return what can be looked at before a job is rendered."""
    return Footage(job.shot, job.total, job.encodings.source, job.numbering)


NO_TOWN = "shows no town: moonlight, and no lamp (--lights on lights what was found)"


def lighting_of(
    job: render_job.RenderJob,
    shown: list[Tensor] | None = None,
    found: LightList | None = None,
    on_progress: pipeline.Progress | None = None,
) -> Lighting:
    """Build what lights a job, looking at its frames where something is to be chosen."""
    options = job.options
    asked = options.look, options.light, options.field
    told = pipeline.search_counter(on_progress, job.total, job.per_frame)
    footage = replace(_footage_of(job), on_search=told)
    lighting = build_lighting(job.preset, footage, *asked, shown=shown, found=found)
    pipeline.begin_preparing(on_progress)
    if lighting.moonlight is not None and not found:
        render_job.log_news(job.source, NO_TOWN)
    return lighting


def choose(
    job: render_job.RenderJob, folder: Path, on_progress: pipeline.Progress | None = None
) -> tuple[manifest.Choices, Lighting]:
    """Look at the frames and choose; what int8 is quantised with is kept in `folder`."""
    first = job.first_frame()
    shown = show_frames(job.preset, _footage_of(job), job.options.light, job.options.field)
    lighting = lighting_of(job, shown, on_progress=on_progress)
    fields = lighting.fields
    choices = manifest.Choices(
        lengths=lengths_of(
            job.info,
            lighting.steadying.amount if lighting.steadying else 0.0,
            is_clip=isinstance(job.plan, OutputPlan),
            per_frame=job.per_frame,
        ),
        every=fields.steadying.every if fields else 1,
        stops=fields.lock.stops if fields and fields.lock else None,
        threads=torch.get_num_threads(),
        head=head_of(first, job.plan) if isinstance(job.plan, OutputPlan) else None,
        shown=keep_shown(shown, folder / _SHOWN) if shown else None,
        lights=_keep(lights_text(lighting.found).encode(), folder / _LIGHTS)
        if lighting.found
        else None,
    )
    return choices, lighting


def rebuild_lighting(
    job: render_job.RenderJob, choices: manifest.Choices, folder: Path
) -> Lighting:
    """Build what was chosen, again. Raises PlanError where what int8 was quantised with is gone."""
    shown = shown_again(folder / _SHOWN, choices.shown) if choices.shown else []
    # neither chosen nor measured anew
    told = job.options.but(field_every=choices.every, lock=False, lock_to=None)
    kept = _kept(folder / _LIGHTS, choices.lights) if choices.lights else None
    found = parse_lights(json.loads(kept)) if kept else None
    lighting = lighting_of(replace(job, options=told), shown, found)
    if lighting.fields and choices.stops:
        fields = replace(lighting.fields, lock=Lock(choices.stops))
        return replace(lighting, fields=fields)
    return lighting


def lengths_of(info: ClipInfo, steady: float, *, is_clip: bool, per_frame: int = 1) -> Lengths:
    """Return the lengths of the segments of a shot, `steady` being the share of the past that is kept at 24 frames a second."""
    rate = float(info.rate or FALLBACK_RATE) * per_frame
    least = (borders.LEAST_FRAMES if is_clip else borders.LEAST_FILES) * per_frame
    return Lengths(
        least=least,
        most=(borders.MOST_FRAMES if is_clip else borders.MOST_FILES) * per_frame,
        # that of one segment at a time
        warm_up=min(warm_up_of(steady, rate), least // PHASE * PHASE),
        per_frame=per_frame,
    )


def keep_shown(shown: list[Tensor], path: Path) -> str:
    """Write what int8 is quantised with; returns its SHA-256."""
    data = safetensors.torch.save({str(i): x.contiguous() for i, x in enumerate(shown)})
    return _keep(data, path)


def _keep(data: bytes, path: Path) -> str:
    """Write what was chosen beside the segments; returns its SHA-256."""
    with partial_file(path, path.parent) as part:
        part.write_bytes(data)
    return sha256(data).hexdigest()


def shown_again(path: Path, digest: str) -> list[Tensor]:
    """Read what `keep_shown` wrote; raises PlanError where it is gone or another."""
    found = safetensors.torch.load(_kept(path, digest))
    return [found[str(i)] for i in range(len(found))]


def _kept(path: Path, digest: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PlanError(f"{path}: cannot be read ({error.strerror}): plan it anew") from error
    if sha256(data).hexdigest() != digest:
        raise PlanError(f"{path}: is not what the plan was made with: plan it anew")
    return data
