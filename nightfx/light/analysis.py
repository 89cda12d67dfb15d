"""Look at a shot before it is rendered: what is chosen here is chosen once, for all of its frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

import numpy as np

from nightfx.apply import relight
from nightfx.light.fit import FieldPlan, field_of
from nightfx.light.lock import Lock, common_lock, measure_stops
from nightfx.light.see import luma_of, see
from nightfx.light.steady import Memory, Now, find_motion, follow
from nightfx.network import Generator
from nightfx.picture import Float32, Frame

CARRIED = (4, 2)  # frames between fields that may be chosen, the largest first
LEAST_DB = 45.0  # of carried fields against fields for every frame
FIRST_SECONDS = 2.0
LOCK_FRAMES = 24  # spread over the shot


def choose_every(frames: Iterable[Frame], generator: Generator, plan: FieldPlan) -> int:
    """The most frames that a field can be carried over, judged by the `frames` of a shot's beginning.

    The shot's first seconds are lit at working height with fields for every frame and with carried ones; these must
    come within 45 dB.
    """
    errors, count = dict.fromkeys(CARRIED, 0.0), 0
    for wanted, carried in _side_by_side(frames, generator, plan):
        count += 1
        for every, lit in carried.items():
            errors[every] += float(np.square(wanted - lit).mean())
    return next((k for k in CARRIED if count > k and _db(errors[k] / count) >= LEAST_DB), 1)


def _side_by_side(
    frames: Iterable[Frame], generator: Generator, plan: FieldPlan
) -> Iterator[tuple[Float32, dict[int, Float32]]]:
    """Each frame lit at working height with a field of its own, and with carried ones; no frame is kept."""
    hows = {every: replace(plan.steadying, every=every) for every in (1, *CARRIED)}
    memories: dict[int, Memory] = {}
    before = None
    for index, frame in enumerate(frames):
        seen = see(frame, plan.height, plan.encoding)._replace(place=index)
        luma, field = luma_of(seen.cells), field_of(seen, generator, plan)
        motion = find_motion(before, luma) if before is not None else None
        for every, how in hows.items():
            past = None if motion and motion.is_cut else memories.get(every)
            computes = past is None or index % every == 0
            now = Now(float(frame.pts * frame.time_base), motion, field if computes else None)
            memories[every] = follow(past, now, how)
        lit = {k: relight(seen.small, memory.field).clip(0, 1) for k, memory in memories.items()}
        yield lit.pop(1), lit
        before = luma


def measure_lock(
    frames: Iterable[Frame], generator: Generator, plan: FieldPlan, step: int = 1
) -> Lock:
    """Return the exposure and tint that the generator gives to every `step`-th of the `frames` of a shot on the whole."""
    shot = (see(frame, plan.height, plan.encoding) for frame in islice(frames, 0, None, step))
    return common_lock(measure_stops(field_of(seen, generator, plan), seen.cells) for seen in shot)


def _db(error: float) -> float:
    return float(-10 * np.log10(max(error, 1e-12)))
