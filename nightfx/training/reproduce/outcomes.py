"""Outcomes of the paper's experiments, kept as JSON: one file each, so that a report can set them side by side."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import mean, stdev
from typing import Any, TypeVar

from nightfx.disk import load_json, partial_file
from nightfx.errors import TrainingError

_T = TypeVar("_T")
Point = tuple[float, float]
EXPERIMENTS = ("paper-1", "paper-2", "paper-3")
LOSSES = ("G_AB", "G_BA", "D_A", "D_B")
POINTS = 400  # of a curve that is kept


@dataclass(frozen=True)
class Outcome:
    """One run: an arm of an experiment with one seed."""

    learning_rate: float
    """Its arm: the experiments differ in nothing else within."""
    seed: int
    """Seed of weights and draws."""
    steps: int
    """Steps it made."""
    stopped: str
    """Why it stopped before its end; empty where it did not."""
    measures: dict[str, float]
    """`loss` (the sum of the losses), `distance` (to real pictures) and the signs of night; empty where it stopped."""
    curves: dict[str, list[Point]]
    """Each loss over the steps, thinned to some hundred points."""


@dataclass(frozen=True)
class Experiment:
    """All runs of an experiment, and what they had."""

    name: str
    """paper-1, paper-2 or paper-3."""
    day: int
    """Day pictures trained on."""
    night: int
    """Night pictures."""
    test: tuple[int, int]
    """Day and night pictures that it was measured on."""
    test_sha256: str
    """Hash of those."""
    stand_in: bool
    """Whether the data set is another than the paper's, by its size."""
    epochs: int
    """Passes over the larger set."""
    planned_steps: int
    """Steps of a run that nothing stops."""
    size_px: int
    """Side of a picture."""
    device: str
    """The device that computed."""
    versions: str
    """With what."""
    outcomes: list[Outcome]
    """Its runs that ended, or stopped for good."""
    missing: list[str] = field(default_factory=list)
    """A line for each run that has not, and how far it is."""

    @property
    def seeds(self) -> int:
        """Runs an arm."""
        return len({outcome.seed for outcome in self.outcomes})

    @property
    def rates(self) -> list[float]:
        """Its arms."""
        return sorted({outcome.learning_rate for outcome in self.outcomes})

    def arm(self, rate: float) -> list[Outcome]:
        """The runs with this learning rate."""
        return [outcome for outcome in self.outcomes if outcome.learning_rate == rate]

    def values(self, measure: str, rate: float | None = None) -> dict[int, float]:
        """A measure by seed, of the runs that ended and could tell; of one arm, or of the only one."""
        arm = self.outcomes if rate is None else self.arm(rate)
        known = {x.seed: x.measures.get(measure, math.nan) for x in arm if not x.stopped}
        return {seed: value for seed, value in known.items() if math.isfinite(value)}

    def mean_curves(self, rate: float) -> dict[str, list[Point]]:
        """Each loss over epochs, averaged over the seeds; of runs that stopped only where none ended."""
        arm = [x for x in self.arm(rate) if not x.stopped] or self.arm(rate)
        return {
            name: _mean_curve(
                [x.curves.get(name, []) for x in arm], self.epochs / self.planned_steps
            )
            for name in LOSSES
        }


def spread(values: Iterable[float]) -> tuple[float, float]:
    """Mean and sample standard deviation, which of a single value is 0."""
    values = list(values)
    return mean(values), stdev(values) if len(values) > 1 else 0.0


def tail_mean(points: Sequence[Point], since: float) -> float:
    """Mean of a curve after step `since`; a point is the mean of all steps since the one before it."""
    edges = [0.0, *(step for step, _ in points)]
    weights = [max(end - max(begin, since), 0) for begin, end in pairwise(edges)]
    total = sum(weights)
    values = zip(weights, points, strict=True)
    return sum(weight * value for weight, (_, value) in values) / total if total else math.nan


def thin(points: Sequence[Point]) -> list[Point]:
    """At most about `POINTS` points, each the mean of as many neighbours."""
    size = math.ceil(len(points) / POINTS)
    groups = [points[i : i + size] for i in range(0, len(points), size or 1)]
    return [(group[-1][0], mean(value for _, value in group)) for group in groups]


def _mean_curve(curves: Sequence[Sequence[Point]], epochs_a_step: float) -> list[Point]:
    at: dict[float, list[float]] = {}
    for step, value in (point for curve in curves for point in curve):
        at.setdefault(step, []).append(value)
    return [(step * epochs_a_step, mean(values)) for step, values in sorted(at.items())]


def save_experiment(experiment: Experiment, folder: Path) -> Path:
    """Write `experiment` into `folder`, in place of an earlier one of its name."""
    path = folder / f"{experiment.name}.json"
    write_facts(experiment, path)
    return path


def write_facts(facts: Any, path: Path) -> None:
    """Write a dataclass as JSON, numbers to six digits; several processes may."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_rounded(asdict(facts)), indent=1)
    with partial_file(path, path.parent) as part:
        part.write_text(text + "\n", encoding="utf-8")


def load_experiments(folder: Path) -> dict[str, Experiment]:
    """Those that have left their JSON in `folder`, by name. Raises `TrainingError` for a damaged one."""
    paths = {name: folder / f"{name}.json" for name in EXPERIMENTS}
    return {name: load_facts(Experiment, path) for name, path in paths.items() if path.is_file()}


def load_facts(kind: type[_T], path: Path) -> _T:
    """Read what `write_facts` wrote of a `kind`. Raises `TrainingError`."""
    try:
        return load_json(kind, path)
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"{path}: not what an experiment left here ({error}); delete it and run again"
        ) from error


def _rounded(value: Any) -> Any:
    # six digits are more than a loss has; JSON knows no NaN
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _rounded(x) for key, x in value.items() if _rounded(x) is not None}
    return [_rounded(x) for x in value] if isinstance(value, list | tuple) else value
