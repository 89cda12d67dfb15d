"""One run of an experiment: an arm with one seed, trained, then measured on the test pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from nightfx.errors import DeadRunError, TrainingError
from nightfx.network import PaperGenerator
from nightfx.options import DeviceName
from nightfx.training.data.listed import Listed
from nightfx.training.reproduce import outcomes, signs
from nightfx.training.reproduce.runs import Run, read_outcome, read_state, save_outcome
from nightfx.training.run.progress import measure, translate
from nightfx.training.run.state import read_checkpoint
from nightfx.training.run.trainer import train

_SHOWN = 4  # test pictures of each class in a figure

Steps = Callable[[int, int], None]
Panels = dict[str, list[Tensor | str]]
"""Rows of a figure: real and fake, both ways round; words where a run has left no picture."""


@dataclass(frozen=True)
class Bench:
    """Everything that all runs of an experiment share."""

    day: tuple[Path | Listed, Listed | None]
    """Day pictures, and those held out where they are named."""
    night: tuple[Path | Listed, Listed | None]
    """Night pictures, likewise."""
    real_A: Tensor
    """The day pictures that runs are measured on, (N, 3, size, size) in [0, 1]."""
    real_B: Tensor
    """The night pictures."""
    device: DeviceName
    """The device that computes."""


@dataclass
class _Ear:
    """Keeps the losses that a run tells: one that stops leaves no checkpoint of its last steps."""

    show: Steps
    step: int = 0
    curves: dict[str, list[outcomes.Point]] = field(default_factory=dict)
    _latest: dict[str, float] = field(default_factory=dict)

    def on_step(self, step: int, total: int, losses: dict[str, float]) -> None:
        self.step = step
        if losses and losses is not self._latest:  # the trainer makes a new one at each record
            self._latest = losses
            for name in losses.keys() & set(outcomes.LOSSES):
                self.curves.setdefault(name, []).append((step, losses[name]))
        self.show(step, total)


def run_arm(bench: Bench, run: Run, show: Steps) -> outcomes.Outcome:
    """Train, or go on with the run in its folder, and measure; one that goes wrong for good is an outcome too.

    What is over is read. Raises `TrainingError`.
    """
    if found := read_outcome(run):
        return found
    ear, stopped = _Ear(show), ""
    try:
        train(
            *(bench.day[0], bench.night[0], run.folder, run.options),
            day_held_out=bench.day[1],
            night_held_out=bench.night[1],
            device=bench.device,
            on_progress=ear.on_step,
        )
    except DeadRunError as error:
        stopped = str(error)
    state = read_checkpoint(run.checkpoint)
    if not stopped and state["step"] != run.steps:
        made = f"{state['step']} steps, {run.steps} are asked for"
        raise TrainingError(f"{run.folder}: this run has made {made}; use another --out")
    return save_outcome(run, _conclude(bench, run, state, ear, stopped))


def find_outcome(bench: Bench, run: Run) -> outcomes.Outcome | None:
    """What came of a run that is over, measured where nobody has yet; None for one that is not. Raises `TrainingError`."""
    if found := read_outcome(run):
        return found
    state = read_state(run)
    if not state or state["step"] != run.steps:
        return None
    return save_outcome(run, _conclude(bench, run, state, _Ear(lambda *_: None), ""))


def show_pictures(bench: Bench, run: Run, outcome: outcomes.Outcome) -> Panels:
    """A few test pictures as a run's generators paint them; words where it has left none."""
    if outcome.stopped or not run.checkpoint.is_file():
        why = outcome.stopped or "its checkpoint is gone"
        return {name: [why] * _SHOWN for name in ("fake night", "fake day")}
    state = read_checkpoint(run.checkpoint)
    real_A, real_B = (x[:: max(len(x) // _SHOWN, 1)][:_SHOWN] for x in (bench.real_A, bench.real_B))
    fake_B, fake_A = _fakes(state, real_A, real_B)
    rows = {"real day": real_A, "fake night": fake_B, "real night": real_B, "fake day": fake_A}
    return {name: list(x) for name, x in rows.items()}


def _conclude(
    bench: Bench, run: Run, state: dict[str, Any], ear: _Ear, stopped: str
) -> outcomes.Outcome:
    curves = {name: _joined(state, ear, name) for name in outcomes.LOSSES}
    measures = {} if stopped else _measure(bench, state)
    if not stopped:
        since = run.steps * (1 - 1 / run.options.epochs)
        measures["loss"] = sum(outcomes.tail_mean(curve, since) for curve in curves.values())
    return outcomes.Outcome(
        learning_rate=run.options.learning_rate,
        seed=run.options.seed,
        steps=max(ear.step, state["step"]),
        stopped=stopped,
        measures=measures,
        curves={name: outcomes.thin(curve) for name, curve in curves.items()},
    )


def _joined(state: dict[str, Any], ear: _Ear, name: str) -> list[outcomes.Point]:
    kept: list[outcomes.Point] = state["curves"].get(name, [])
    return [*kept, *(point for point in ear.curves.get(name, ()) if point[0] > state["step"])]


def _measure(bench: Bench, state: dict[str, Any]) -> dict[str, float]:
    """Measure the generators as the run left them: the paper speaks of no best checkpoint."""
    real_A, real_B = bench.real_A, bench.real_B
    fake_B, fake_A = _fakes(state, real_A, real_B)
    sides = measure(real_A, fake_B, real_B), measure(real_B, fake_A, real_A)
    distance = sum(side["colour_distance"] + side["patch_distance"] for side in sides)
    return {"distance": distance, **signs.find_signs(real_A, fake_B, real_B)}


def _fakes(state: dict[str, Any], real_A: Tensor, real_B: Tensor) -> tuple[Tensor, Tensor]:
    return (
        translate(_generator(state["G_AB"]), real_A),
        translate(_generator(state["G_BA"]), real_B),
    )


def _generator(weights: dict[str, Tensor]) -> PaperGenerator:
    generator = PaperGenerator()
    generator.load_state_dict(weights)
    return generator.eval()
