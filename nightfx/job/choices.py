"""What a job chooses by looking at its frames, once, and the generator that goes with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import safetensors.torch
import torch
from torch import Tensor

from nightfx.disk.partial import partial_file
from nightfx.errors import PlanError
from nightfx.job.manifest import Choices
from nightfx.job.render_job import Work
from nightfx.light import borders
from nightfx.light.analysis import LOCK_FRAMES
from nightfx.light.borders import PHASE, Lengths, run_in_of
from nightfx.light.fit import FieldPlan
from nightfx.light.light import plan_fields, ready_generator, show_frames
from nightfx.light.lock import Lock
from nightfx.network.model import Generator
from nightfx.source.probe import FALLBACK_RATE
from nightfx.target.codecs import OutputPlan
from nightfx.target.writer import head_of

SHOWN = "shown.safetensors"


class Lights(NamedTuple):
    """What lights a job's frames."""

    generator: Generator
    fields: FieldPlan | None
    """None for the tiles method."""


def light_up(work: Work) -> tuple[Lights, list[Tensor]]:
    """The generator and its fields, chosen by looking at the frames, and what int8 was quantised with."""
    source = work.encodings.source
    shown = show_frames(work.preset, work.options, work.shot, work.total, source)
    generator = ready_generator(work.preset, work.options, encoding=source, shown=shown)
    step = max((work.total or 0) // LOCK_FRAMES, 1)
    fields = plan_fields(work.shot, generator, work.preset, work.options, step, source)
    return Lights(generator, fields), shown


def choose(work: Work, folder: Path) -> tuple[Choices, Lights]:
    """Look at the frames and choose; what int8 is quantised with is kept in `folder`."""
    first = work.first_frame()
    lights, shown = light_up(work)
    fields = lights.fields
    choices = Choices(
        lengths=_lengths(work, fields),
        every=fields.steadying.every if fields else 1,
        stops=fields.lock.stops if fields and fields.lock else None,
        threads=torch.get_num_threads(),
        head=head_of(first, work.plan) if isinstance(work.plan, OutputPlan) else None,
        shown=keep_shown(shown, folder / SHOWN) if shown else None,
    )
    return choices, lights


def lights_of(work: Work, choices: Choices, folder: Path) -> Lights:
    """What was chosen, again. Raises PlanError where what int8 was quantised with is gone."""
    source, options = work.encodings.source, work.options
    shown = shown_again(folder / SHOWN, choices.shown) if choices.shown else []
    generator = ready_generator(work.preset, options, encoding=source, shown=shown)
    # neither chosen nor measured anew
    told = options.but(field_every=choices.every, lock=False, lock_to=None)
    fields = plan_fields(list, generator, work.preset, told, encoding=source)
    if fields and choices.stops:
        fields = replace(fields, lock=Lock(choices.stops))
    return Lights(generator, fields)


@contextmanager
def same_threads(count: int) -> Iterator[None]:
    """Let torch use as many threads as the job began with."""
    own = torch.get_num_threads()
    if count != own:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        if count != own:
            torch.set_num_threads(own)


def _lengths(work: Work, fields: FieldPlan | None) -> Lengths:
    clip, per_frame = isinstance(work.plan, OutputPlan), work.per_frame
    rate = float(work.info.rate or FALLBACK_RATE) * per_frame
    least = (borders.LEAST_FRAMES if clip else borders.LEAST_FILES) * per_frame
    run_in = run_in_of(fields.steadying.amount, rate) if fields else 0
    return Lengths(
        least=least,
        most=(borders.MOST_FRAMES if clip else borders.MOST_FILES) * per_frame,
        run_in=min(run_in, least // PHASE * PHASE),  # that of one segment at a time
        per_frame=per_frame,
    )


def keep_shown(shown: list[Tensor], path: Path) -> str:
    """Write what int8 is quantised with; returns its SHA-256."""
    data = safetensors.torch.save({str(i): x.contiguous() for i, x in enumerate(shown)})
    with partial_file(path, path.parent) as part:
        part.write_bytes(data)
    return sha256(data).hexdigest()


def shown_again(path: Path, digest: str) -> list[Tensor]:
    """What `keep_shown` wrote; raises PlanError where it is gone or another."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PlanError(f"{path}: cannot be read ({error.strerror}): plan it anew") from error
    if sha256(data).hexdigest() != digest:
        raise PlanError(f"{path}: is not what the plan was made with: plan it anew")
    found = safetensors.torch.load(data)
    return [found[str(i)] for i in range(len(found))]
