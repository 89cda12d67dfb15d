"""The runs of an experiment on disk: what each is made with, what came of it, or how far it is.

A run that is over leaves `run/outcome.json` beside its checkpoint: a report needs no more, whichever process made it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from nightfx.disk import to_json_types
from nightfx.errors import TrainingError
from nightfx.training.reproduce.outcomes import Outcome, load_facts, write_facts
from nightfx.training.run.place import checkpoint_in
from nightfx.training.run.state import FREE, read_checkpoint, refuse_other_options
from nightfx.training.run.train_options import TrainOptions

EVERY = 500  # steps between checkpoints, at least; a tenth of a longer run, and 10,000 at most


@dataclass(frozen=True)
class Run:
    """One run of an experiment: an arm with one seed."""

    arm: str
    """Its arm's name; empty for the only one."""
    folder: Path
    """Its folder."""
    options: TrainOptions
    """How it is trained."""
    steps: int
    """Steps that it is to make."""
    test_sha256: str
    """Hash of the pictures that it is measured on."""

    @property
    def checkpoint(self) -> Path:
        """Its checkpoint."""
        return checkpoint_in(self.folder)

    @property
    def record(self) -> Path:
        """What came of it, as JSON."""
        return self.folder / "run/outcome.json"

    def facts(self) -> dict[str, Any]:
        """Everything that its outcome depends on, as JSON has it."""
        settings = {name: value for name, value in asdict(self.options).items() if name not in FREE}
        told = {"steps": self.steps, "test_sha256": self.test_sha256}
        return {**to_json_types(settings), **told}

    def __str__(self) -> str:
        arm = f"learning rate {self.options.learning_rate:g}, " if self.arm else ""
        return f"{arm}seed {self.options.seed}"


@dataclass(frozen=True)
class _Record:
    """An outcome, beside everything that it depends on."""

    outcome: Outcome
    made_with: dict[str, Any]


def plan_runs(
    folder: Path, arms: Mapping[str, TrainOptions], seeds: int, steps: int, test_sha256: str
) -> list[Run]:
    """All runs of an experiment in `folder`, arm by arm."""
    every = min(max(steps // 10, EVERY), 10_000)
    return [
        Run(
            arm=name,
            folder=folder / name / f"seed-{seed}",
            options=replace(options, seed=seed, every=every),
            steps=steps,
            test_sha256=test_sha256,
        )
        for name, options in arms.items()
        for seed in range(seeds)
    ]


def read_outcome(run: Run) -> Outcome | None:
    """What came of `run`, where it is over. Raises `TrainingError` for one that was made with other settings."""
    if not run.record.is_file():
        return None
    found, wanted = load_facts(_Record, run.record), run.facts()
    changed = [name for name, was in found.made_with.items() if wanted.get(name) != was]
    if changed:
        words = ", ".join(
            f"{name} was {found.made_with[name]}, is {wanted.get(name)}" for name in changed
        )
        raise TrainingError(
            f"{run.folder}: was made with other settings ({words}); use another --out"
        )
    return found.outcome


def save_outcome(run: Run, outcome: Outcome) -> Outcome:
    """Write what came of `run` beside its checkpoint; returns it as it will be read."""
    write_facts(_Record(outcome, run.facts()), run.record)
    return load_facts(_Record, run.record).outcome


def read_state(run: Run) -> dict[str, Any] | None:
    """The checkpoint of `run`, where it has begun. Raises `TrainingError` for one of other settings."""
    if not run.checkpoint.is_file():
        return None
    state = read_checkpoint(run.checkpoint)
    refuse_other_options(run.checkpoint, state["options"], run.options)
    return state


def tell_missing(run: Run) -> str:
    """A line on a run that is not over."""
    state = read_state(run)
    done = f"{state['step']:,} of {run.steps:,} steps" if state else "not begun"
    return f"{run}: {done}"
