"""The paper's experiments, run again: every arm with several seeds, by the recipes and the trainer that all runs use.

In the folder of a reproduction, `paper-1/`, `paper-2/` and `paper-3/` hold the runs, which go on where they were killed, and
may be made by as many processes; `paper-N.json` says what came of those that are over, the figures are the paper's, and
`report.md` has its claims beside what was measured.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

import nightfx
from nightfx.errors import TrainingError
from nightfx.network import pick_device
from nightfx.options import DeviceName, ReproduceOptions
from nightfx.training.data.pictures import Pictures, hash_pictures, open_pictures
from nightfx.training.reproduce import arm, figures, findings, labelled
from nightfx.training.reproduce.asked import arms_of, find_sides
from nightfx.training.reproduce.outcomes import (
    Experiment,
    Outcome,
    load_experiments,
    save_experiment,
)
from nightfx.training.reproduce.runs import Run, plan_runs, tell_missing
from nightfx.training.run.progress import load_squares
from nightfx.training.run.train_options import TrainOptions

_PAPER_TRAINED = 10_942, 4_195  # day and night pictures, the test set taken out
_LIKE_PAPER = 0.02  # by how much a set may differ from that and be taken for the paper's


def reproduce(
    name: str,
    data: Path,
    out: Path,
    options: ReproduceOptions | None = None,
    *,
    device: DeviceName = "auto",
    on_progress: arm.Steps | None = None,
) -> Path:
    """Run the experiment `name`, or an arm or seed of it, on the pictures in `data`; returns the report in `out`.

    `data` holds `day/` and `night/`, or is a prepared data set. Runs that are in `out` go on where they stopped; those of
    other processes, and other experiments, stay in its report, which says what is missing. Raises `UsageError` for
    options, `TrainingError` for pictures and folders that do not do.
    """
    options = options or ReproduceOptions()
    arms = arms_of(name, options)
    device = pick_device(device).type  # type: ignore[assignment]  # a torch.device of ours has one of these names
    if out.exists() and not out.is_dir():
        raise TrainingError(f"{out}: is a file; --out names the folder of a reproduction")
    others = load_experiments(out)
    day, night = find_sides(data)
    trained, tests = zip(
        *(open_pictures(*side, crop_px=options.size_px) for side in (day, night)), strict=True
    )
    experiment = _begin(name, next(iter(arms.values())), trained, tests, device)
    real_A, real_B = (_squares(pictures, options.size_px) for pictures in tests)
    bench = arm.Bench(day, night, real_A, real_B, device)
    planned = plan_runs(
        *(out / name, arms, options.seeds, experiment.planned_steps, experiment.test_sha256)
    )
    for run, show in _asked(planned, options, on_progress):
        arm.run_arm(bench, run, show)
    experiment, panels = _gather(experiment, bench, planned, others.get(name))
    out.mkdir(parents=True, exist_ok=True)
    save_experiment(experiment, out)
    bright = labelled.find_brightness(out, data, trained, experiment.test_sha256)
    everything = {**load_experiments(out), name: experiment}
    figures.save_figures(experiment, panels, out)
    figures.save_claims(everything, bright, out)
    return findings.save_report(everything, out, bright)


def _begin(
    name: str,
    options: TrainOptions,
    trained: tuple[Pictures, ...],
    tests: tuple[Pictures, ...],
    device: str,
) -> Experiment:
    """The experiment before its first run."""
    largest = max(len(pictures) for pictures in trained)
    day, night = (min(len(pictures), options.limit or largest) for pictures in trained)
    versions = (nightfx.__version__, torch.__version__, platform.python_version())
    return Experiment(
        name=name,
        day=day,
        night=night,
        test=(len(tests[0]), len(tests[1])),
        test_sha256=hash_pictures(*tests),
        stand_in=not _is_like_paper(len(trained[0]), len(trained[1])),
        epochs=options.epochs,
        planned_steps=-(-options.epochs * max(day, night) // options.batch),
        size_px=options.crop_px,
        device=device,
        versions="nightfx {}, torch {}, Python {}".format(*versions),
        outcomes=[],
    )


def _asked(
    planned: Sequence[Run], options: ReproduceOptions, on_progress: arm.Steps | None
) -> Iterator[tuple[Run, arm.Steps]]:
    """The runs that this process makes, each with what is told of its steps."""
    runs = [
        run
        for run in planned
        if options.arm in (None, run.arm) and options.seed_index in (None, run.options.seed)
    ]
    total = sum(run.steps for run in runs)
    for index, run in enumerate(() if options.report_only else runs):
        yield run, _part(on_progress, index * run.steps, total)


def _gather(
    experiment: Experiment, bench: arm.Bench, planned: Sequence[Run], before: Experiment | None
) -> tuple[Experiment, dict[float, arm.Panels]]:
    """The experiment with what came of its runs, whoever made them, and by learning rate the pictures of the first."""
    found = {run: arm.find_outcome(bench, run) or _told(before, experiment, run) for run in planned}
    over = {run: outcome for run, outcome in found.items() if outcome}
    panels: dict[float, arm.Panels] = {}
    for run, outcome in over.items():
        if outcome.learning_rate not in panels:
            panels[outcome.learning_rate] = arm.show_pictures(bench, run, outcome)
    missing = [tell_missing(run) for run in planned if run not in over]
    return replace(experiment, outcomes=list(over.values()), missing=missing), panels


def _told(before: Experiment | None, now: Experiment, run: Run) -> Outcome | None:
    """What an older version told of a run in the experiment's JSON alone."""
    if before is None or not all(
        getattr(before, name) == getattr(now, name)
        for name in ("day", "night", "test_sha256", "planned_steps", "size_px")
    ):
        return None
    told = (x for x in before.arm(run.options.learning_rate) if x.seed == run.options.seed)
    return next(told, None)


def _part(on_progress: arm.Steps | None, before: int, total: int) -> arm.Steps:
    return lambda step, _: on_progress(before + step, total) if on_progress else None


def _squares(pictures: Pictures, side_px: int) -> Tensor:
    squares = load_squares(pictures)
    if squares.shape[-1] == side_px:
        return squares
    return F.interpolate(squares, (side_px, side_px), mode="area")


def _is_like_paper(*counts: int) -> bool:
    pairs = zip(counts, _PAPER_TRAINED, strict=True)
    return all(abs(count - wanted) <= _LIKE_PAPER * wanted for count, wanted in pairs)
