"""Join what is rendered: the segments of a plan, or those of a render that was never one.

What stands in the way of it, and which segments are missing, is known without torch, which takes seconds to import.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from nightfx.errors import PlanError, RetryError, SourceError, TargetError
from nightfx.job import pipeline, render_job, source_target
from nightfx.job.manifest import describe_job, differences, read_manifest
from nightfx.job.pipeline import Progress
from nightfx.job.store import SegmentRecord, Store
from nightfx.light import Lock
from nightfx.network import load_preset
from nightfx.source import base_name, existing_files, is_picture, is_sequence, open_source
from nightfx.target import OutputPlan, join_segments, span_of


def join_plan(plan: str | Path, on_progress: Progress | None = None) -> Path:
    """Join the segments of a plan with the source's sound; returns the path of the render. One that is joined is left as it is.

    Raises RetryError where segments are missing.
    """
    plan = Path(plan)
    if target := joined_at(plan):
        return target
    with opened(plan, looks_for_target=True, tells=True) as store:
        _check_fits(plan, store)
        finish(store, on_progress)
        return store.job.target


def missing_segments(plan: str | Path) -> list[int]:
    """The segments that are not rendered yet. Raises PlanError where the plan does not fit any more, TargetError."""
    plan = Path(plan)
    if joined_at(plan):
        return []
    with opened(plan, looks_for_target=True) as store:
        _check_fits(plan, store)
        done = store.records()
        return [number for number in range(len(store.starts or ())) if number not in done]


def finish(store: Store, on_progress: pipeline.Progress | None = None) -> None:
    """Join all segments, and remove them; raises RetryError where some are missing."""
    job, options, choices = store.job, store.job.options, store.manifest.choices
    done = store.records()
    if missing := [number for number in range(len(store.starts or done)) if number not in done]:
        words = ", ".join(map(str, missing[:8])) + (" …" if len(missing) > 8 else "")
        raise RetryError(f"{job.target}: segments are missing: {words}: render them first")
    notes: list[str] = []
    if isinstance(job.plan, OutputPlan):
        assert choices.head is not None, "that of a clip is known"
        pieces = [(store.file_of(n), record.piece) for n, record in done.items()]
        count = sum(len(piece.times) for _, piece in pieces if piece)
        join_segments(
            [(path, piece) for path, piece in pieces if piece],
            job.target,
            head=choices.head,
            source=None if job.info.container == "sequence" else job.info.path,
            info=job.info,
            plan=job.plan,
            span=span_of(
                job.info,
                job.plan,
                choices.head.pts,
                options.source.start_seconds,
                options.source.end_seconds,
            ),
            check=source_target.verification(
                job.info, job.target, job.plan, options.source, notes.append, on_progress
            )
            if options.job.verify
            else None,
            on_note=notes.append,
            on_packet=pipeline.stage_counter(on_progress, "joining", count),
        )
    elif options.job.verify:
        source_target.verify_sequence(
            job.info, job.target, options.source, notes.append, on_progress
        )
    job.log_notes(
        [*notes, *dict.fromkeys(note for record in done.values() for note in record.notes)]
    )
    for line in _told_of_passes(store, done.values()):
        render_job.log_news(job.source, line)
    if options.field.lock and choices.stops:
        Lock(choices.stops).save(lock_beside(job.target))
    store.remove()


def _told_of_passes(store: Store, done: Collection[SegmentRecord]) -> Iterator[str]:
    """Yield what the passes of all segments have to say at the end."""
    passes = store.job.open_passes(again=True)
    for record in done:
        if passes and record.tally:
            passes.recall(record.first, record.tally)
    yield from passes.finish() if passes else ()


def lock_beside(target: Path) -> Path:
    """Where --lock writes what it measured."""
    return target.with_name(f"{base_name(target)}.lock.json")


def joined_at(plan: Path) -> Path | None:
    """The render of a plan, where it is complete: of a plan that was joined no folder is left, and every file is younger than it."""
    manifest = read_manifest(plan)
    files = existing_files(manifest.target)
    count = (manifest.frames or 1) if is_sequence(manifest.target) else 1
    if len(files) < count or source_target.folder_of(manifest.target).exists():
        return None
    planned = plan.stat().st_mtime_ns
    whole = all(file.stat().st_mtime_ns >= planned and _opens(file) for file in files)
    return manifest.target if whole else None


def _opens(render: Path) -> bool:
    """Say whether a file is a clip or picture; others may have written over it."""
    if is_picture(render):
        return render.stat().st_size > 0
    try:
        with open_source(render):
            return True
    except SourceError:
        return False


def _check_fits(plan: Path, store: Store) -> None:
    words = differences(describe_job(store.job, here=False), store.manifest.job)
    if words:
        raise PlanError(f"{plan}: does not fit any more: {', '.join(words)}")


@contextmanager
def opened(path: Path, *, looks_for_target: bool = False, tells: bool = False) -> Iterator[Store]:
    """A plan's store, and its source open. Raises PlanError; TargetError where the target is looked for."""
    manifest = read_manifest(path)
    if manifest.starts is None:
        raise PlanError(f"{path}: its segments were not looked for: nightfx plan does")
    options = manifest.render_options()
    if looks_for_target and not options.job.overwrite:
        _check_free(manifest.target)
    # without a look at the target, what is there was looked for when it was planned
    options = options.but(overwrite=True)
    preset = load_preset(manifest.preset)
    with render_job.open_job(
        manifest.source, manifest.target, preset, options, again=not tells
    ) as job:
        yield Store(job, source_target.folder_of(job.target), manifest)


def _check_free(target: Path) -> None:
    """Refuse to replace what came to be there since it was planned; files of a sequence that was begun are one's own."""
    begun = is_sequence(target) and source_target.folder_of(target).is_dir()
    if not begun and (taken := existing_files(target)):
        words = "exists already: remove it, or plan it anew with --overwrite"
        raise TargetError(f"{taken[0]}: {words}")
