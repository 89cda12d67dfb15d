"""A batch: which shots there are, what of them is done, and the rendering of the rest."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nightfx.batch.crew import Task, Watch, run_crew, seats_for
from nightfx.batch.record import changes, is_done, job_of, look_up, place_of
from nightfx.batch.settings import presets_of, settings_of
from nightfx.batch.shots import Shot
from nightfx.batch.worker import Order
from nightfx.errors import NightfxError, TargetError

STALE_SECONDS = 120.0


@dataclass(frozen=True)
class BatchOptions:
    """How a batch is run; everything besides what is in a render."""

    workers: int | None = None
    """Processes; None is one a GPU, or one for four cores."""
    stale_seconds: float = STALE_SECONDS
    """Silence after which a worker of another machine counts as dead."""


def plan_batch(
    shots: Sequence[Shot], root: Path, out: Path, flags: Mapping[str, Any], options: BatchOptions
) -> list[Task]:
    """A task for each shot, what is done already among them. Raises UsageError for settings, PresetError for presets."""
    settings = [settings_of(shot, root, flags) for shot in shots]
    presets = presets_of(settings)
    tasks = []
    for shot, said in zip(shots, settings, strict=True):
        own = json.loads(json.dumps(dict(said.flags), default=str))
        if said.options.passes:
            own["passes"] = str(said.options.passes.absolute() / shot.folder)
        order = Order(shot, out, said.to, own, options.stale_seconds)
        task = Task(order)
        record = look_up(place_of(out, shot.key))
        try:
            job = job_of(shot, said, presets[said.to])
        except NightfxError as error:
            task.state, task.error, task.code = "failed", str(error), error.exit_code
        else:
            if record and is_done(record, job, out):
                task.state, task.facts, task.target = "skipped", record.facts, record.target
            elif record and record.done and (found := changes(record, job)):
                task.notes.append(f"rendered anew: {' and '.join(found)} changed")
        tasks.append(task)
    return tasks


def run_batch(tasks: Sequence[Task], out: Path, options: BatchOptions, watch: Watch) -> None:
    """Render what is open of `tasks`; they say how it ended. Raises TargetError where `out` cannot be made."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TargetError(f"{out}: cannot be made: {error.strerror}") from error
    devices = {str(task.order.flags.get("device", "auto")) for task in tasks}
    left = sum(task.open for task in tasks)
    seats = seats_for(options.workers, "auto" if "auto" in devices else devices.pop())
    # threads are those of all seats, however few are needed: an encoder's bits depend on them
    run_crew(tasks, seats[: max(left, 1)], watch)
