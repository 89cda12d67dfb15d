"""A long render that goes on where it was stopped, by whatever stopped it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nightfx.disk import to_json_types, translated
from nightfx.errors import PlanError
from nightfx.job import pipeline, render_job, segment, source_target
from nightfx.job.choices import choose, rebuild_lighting
from nightfx.job.join import finish
from nightfx.job.manifest import (
    Choices,
    Manifest,
    describe_job,
    differences,
    read_manifest,
)
from nightfx.job.store import MANIFEST, Store
from nightfx.light import borders
from nightfx.network import same_threads
from nightfx.target import OutputPlan


def is_long(job: render_job.RenderJob) -> bool:
    """Whether a render is worth segments: a clip of more than one, a sequence of more than a few files."""
    few = borders.MOST_FRAMES if isinstance(job.plan, OutputPlan) else borders.FEW_FILES
    return job.total is None or job.total > few


def render_in_segments(job: render_job.RenderJob, on_progress: pipeline.Progress | None) -> None:
    """Render, or go on with a render that was stopped; raises as `render` does."""
    folder, lighting = source_target.folder_of(job.target), None
    store = _take_up(job, folder)
    if store is None:
        job.open_passes()  # refuses to replace those of another render
        make_folder(folder)
        pipeline.begin_preparing(on_progress)
        choices, lighting = choose(job, folder, on_progress)
        store = Store(job, folder, manifest_of(job, choices))
        store.begin()
    with _kept(store):
        runs = list(segment.missing_runs(store))
        if runs:
            choices = store.manifest.choices
            with same_threads(choices.threads):
                pipeline.begin_preparing(on_progress)
                lighting = lighting or rebuild_lighting(job, choices, folder)
                for run in runs:
                    segment.render_run(store, lighting, run, on_progress)
        finish(store, on_progress)


def make_folder(folder: Path) -> None:
    """Make the folder of a job, if it is missing."""
    with translated(folder):
        folder.mkdir(exist_ok=True)


def manifest_of(job: render_job.RenderJob, choices: Choices) -> Manifest:
    """The manifest of a job that begins."""
    return Manifest(
        source=job.source.absolute(),
        target=job.target.absolute(),
        preset=job.preset.folder.absolute(),
        options=to_json_types(job.options),
        job=describe_job(job),
        choices=choices,
    )


def _take_up(job: render_job.RenderJob, folder: Path) -> Store | None:
    """Return the store of the same job, if there is one; of another job nothing is left."""
    if not folder.is_dir():
        return None
    words: list[str] = []
    if (folder / MANIFEST).exists():
        try:
            manifest = read_manifest(folder / MANIFEST)
            words = differences(describe_job(job), manifest.job)
        except PlanError:
            words = ["what there is of it cannot be read"]
        words = ["as asked"] if job.options.job.fresh else words
        if not words:
            store = Store(job, folder, manifest)
            if frames := store.frames_done():
                render_job.log_news(job.source, f"resuming at {share_of(frames, store.total)}")
            return store
        job.log_notes([f"starting anew: {', '.join(words)}"])
    source_target.check_target(job.source, job.target, job.options.job.overwrite)
    shutil.rmtree(folder, ignore_errors=True)
    return None


@contextmanager
def _kept(store: Store) -> Iterator[None]:
    """Where it ends too early, say what is kept; where that is nothing, keep nothing."""
    try:
        yield
    except BaseException:
        frames = Store(store.job, store.folder, store.manifest).frames_done()
        if frames:
            share = share_of(frames, store.total)
            words = "is done and kept: run the same again to go on from there"
            render_job.log_news(store.job.source, f"{share} {words}")
        elif store.starts is None and store.manifest.choices.lights:
            words = "the lights that were found are kept: run the same again to go on from there"
            render_job.log_news(store.job.source, words)
        elif store.starts is None:
            store.remove()
        raise


def share_of(frames: int, total: int | None) -> str:
    """Say how far a render is."""
    return f"{min(100 * frames // total, 100)} %" if total else f"frame {frames}"
