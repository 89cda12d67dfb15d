"""Look at a shot before it is rendered: what is chosen here is chosen once, for all of its frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from nightfx.engine.field import Field, relight
from nightfx.engine.lock import Lock, common_lock, measure_stops
from nightfx.engine.relight import FieldPlan, field_of, see
from nightfx.engine.steady import Seen, Steadying, steady
from nightfx.model import Generator
from nightfx.video.frame import Frame

CARRIED = (4, 2)  # frames between fields that may be chosen, the largest first
LEAST_DB = 45.0  # of carried fields against fields for every frame
FIRST_SECONDS = 2.0
LOCK_FRAMES = 24  # spread over the shot


def choose_every(frames: Iterable[Frame], generator: Generator, plan: FieldPlan) -> int:
    """The most frames that a field can be carried over, judged by the `frames` of a shot's beginning.

    The shot's first seconds are lit at working height with fields for every frame and with carried ones; these must
    come within 45 dB.
    """
    shot = [see(frame, plan.height) for frame in frames]
    raw = {id(seen): field_of(seen, generator, plan) for seen in shot}

    def lit(every: int) -> list[np.ndarray]:
        how = replace(plan.steadying, every=every)
        return _lit(shot, lambda seen: raw[id(seen)], how)

    wanted = lit(1)
    for every in CARRIED:
        if len(shot) > every and _psnr(wanted, lit(every)) >= LEAST_DB:
            return every
    return 1


def measure_lock(frames: Iterable[Frame], generator: Generator, plan: FieldPlan) -> Lock:
    """The exposure and tint that the generator gives to `frames` of a shot on the whole."""
    shot = (see(frame, plan.height) for frame in frames)
    return common_lock(measure_stops(field_of(seen, generator, plan), seen.cells) for seen in shot)


def _lit(shot: list[Seen], fields: Callable[[Seen], Field], how: Steadying) -> list[np.ndarray]:
    return [relight(seen.small, field).clip(0, 1) for seen, field in steady(shot, fields, how)]


def _psnr(wanted: list[np.ndarray], found: list[np.ndarray]) -> float:
    error = np.mean([np.square(a - b).mean() for a, b in zip(wanted, found, strict=True)])
    return float(-10 * np.log10(max(error, 1e-12)))
