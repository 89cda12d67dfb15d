"""A batch, or a plan: what of it is done, and the rendering of the rest by an engine."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nightfx.batch.queue import seats, segments, worker
from nightfx.batch.queue.crew import run_crew
from nightfx.batch.queue.record import changes, identity_of, is_done, look_up, place_of
from nightfx.batch.queue.task import Task, Watch
from nightfx.batch.shots.find import Shot
from nightfx.batch.shots.settings import presets_of, settings_of
from nightfx.errors import NightfxError, TargetError
from nightfx.job.manifest import read_manifest
from nightfx.options import EngineOptions

# no reports to its makers, and none of its lines among those of --json
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS_SKIP_REGEX": "(?s)."}


def plan_batch(
    shots: Sequence[Shot],
    root: Path,
    out: Path,
    flags: Mapping[str, Any],
    options: EngineOptions,
    own: Mapping[str, Any] | None = None,
) -> list[worker.ShotTask]:
    """A task for each shot, what is done already among them; the user's `own` settings are the weakest.

    Raises UsageError for settings, PresetError for presets.
    """
    settings = [settings_of(shot, root, flags, own) for shot in shots]
    presets = presets_of(settings)
    tasks = []
    for shot, said in zip(shots, settings, strict=True):
        task = Task(worker.Order(shot, out, said.to, said.flags, options.stale_seconds))
        record = look_up(place_of(out, shot.key))
        try:
            job = identity_of(shot, said, presets[said.to])
        except NightfxError as error:
            task.state, task.error, task.code = "failed", str(error), error.exit_code
        else:
            if record and is_done(record, job, out):
                task.state, task.facts, task.target = "skipped", record.facts, record.target
            elif record and record.done and (found := changes(record, job)):
                task.notes.append(f"rendered anew: {' and '.join(found)} changed")
        tasks.append(task)
    return tasks


def run_batch(
    tasks: Sequence[worker.ShotTask], out: Path, options: EngineOptions, watch: Watch
) -> None:
    """Render what is open of `tasks`; they say how it ended. Raises TargetError where `out` cannot be made."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TargetError(f"{out}: cannot be made: {error.strerror}") from error
    devices = {str(task.order.flags.get("device", "auto")) for task in tasks}
    device = "auto" if "auto" in devices else devices.pop()
    _run_tasks(tasks, replace(options, device=device), watch)


def run_plan(
    plan: Path, tasks: Sequence[Task[segments.Segment]], options: EngineOptions, watch: Watch
) -> None:
    """Render `tasks`, segments of a plan; they say how it ended."""
    device = read_manifest(plan).render_options().light.device
    # encoders take the threads that those of the other segments took, elsewhere and before
    _run_tasks(tasks, replace(options, device=device, share_codecs=False), watch)


def _run_tasks(tasks: Sequence[Task[Any]], options: EngineOptions, watch: Watch) -> None:
    """Run what is open of `tasks` by the engine that is asked for."""
    if options.engine == "ray":
        ready_ray(options)
        from nightfx.batch.queue.cluster import run_on_ray

        run_on_ray(tasks, options, watch)
        return
    left = sum(task.open for task in tasks)
    # threads are those of all seats, however few are needed: an encoder's bits depend on them
    run_crew(tasks, seats.seats_for(options)[: max(left, 1)], watch)


def ready_ray(options: EngineOptions) -> None:
    """Set what Ray reads when it is imported."""
    os.environ.update(_QUIET)
    if options.address is None:
        # a cluster of one's own can be reached from outside; nobody has this token but its processes
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
