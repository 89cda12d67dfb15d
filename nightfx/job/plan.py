"""The farm contract: plan a render, render one of its segments anywhere, join them. Truth is on the disk.

    plan_render("shot.mov", "plan.json")      render_segment("plan.json", 3)      join_plan("plan.json")

A plan is the manifest of a job with its borders found. Segments may be rendered in any order, by any number of processes, twice
too, on machines that see the same files by the same paths and give the same numbers; the result is that of `render`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

from nightfx.disk import save_json
from nightfx.errors import PlanError
from nightfx.job import pipeline, render_job, source_target
from nightfx.job.asked import check_options
from nightfx.job.choices import choose, rebuild_lighting
from nightfx.job.join import joined_at, opened
from nightfx.job.manifest import Manifest, describe_job, differences
from nightfx.job.pipeline import Progress
from nightfx.job.render import memory_errors_as_retry
from nightfx.job.resume import is_long, make_folder, manifest_of
from nightfx.job.segment import Marks, SegmentRange, render_run
from nightfx.job.store import Store, check_fresh
from nightfx.light import Borders, Lighting, mark_borders, working_height
from nightfx.network import Preset, load_preset, same_threads
from nightfx.options import RenderOptions


class RenderSegment(Protocol):
    """A function that renders a segment by its number."""

    def __call__(self, number: int, on_progress: Progress | None = None) -> bool:
        """Do it; False where it was done already, and is left as it is."""


def plan_render(
    source: str | Path,
    plan: str | Path,
    *,
    target: str | Path | None = None,
    preset: str | Path | Preset = "night",
    options: RenderOptions | None = None,
    on_progress: Progress | None = None,
) -> Manifest:
    """Look at all frames of a clip or a sequence once, find its segments, and write `plan`, JSON.

    Raises what `render` raises before it begins; UsageError for a picture.
    """
    source, options = source_target.find_source(Path(source)), options or RenderOptions()
    plan, target = Path(plan), Path(target) if target else None
    chosen = preset if isinstance(preset, Preset) else load_preset(preset)
    check_options(options, chosen)
    source_target.check_shot(source)
    with (
        memory_errors_as_retry(source),
        render_job.open_job(source, target, chosen, options) as job,
    ):
        folder = source_target.folder_of(job.target)
        check_fresh(job.target, options)
        job.open_passes()  # refuses to replace those of another render
        make_folder(folder)
        pipeline.begin_preparing(on_progress)
        choices, _ = choose(job, folder, on_progress)
        found = _with_segments(job, manifest_of(job, choices), on_progress)
        Store(job, folder, found).begin()
        save_json(found, plan)
    return found


def _with_segments(
    job: render_job.RenderJob, manifest: Manifest, on_progress: Progress | None
) -> Manifest:
    """The manifest with the segments that a render would find."""
    lengths, per_frame = manifest.choices.lengths, job.per_frame
    borders, marks, count = Borders(lengths), Marks(0), 0
    height = working_height(job.preset, job.options.field)
    pictures = job.pictures(marks.watch(job.frames_from(0)))
    seen = mark_borders(pictures, borders, height, job.encodings.source)
    for count, _ in enumerate(seen, start=1):
        if on_progress and count % per_frame == 0:
            on_progress(count // per_frame, job.total)
    starts = sorted(borders.starts) if is_long(job) else [0]
    begins = [lengths.warm_up_of(start) // per_frame for start in starts]
    return replace(
        manifest,
        starts=[start // per_frame for start in starts],
        marks={str(at): mark for at in begins if at and (mark := marks.at(at))},
        frames=count // per_frame,
    )


def render_segment(plan: str | Path, number: int, on_progress: Progress | None = None) -> bool:
    """Render the segment of that `number`, from 0 on; False where it was done already, and is left as it is. `on_progress` gets its own frames.

    Raises PlanError where the source, the preset, the machine or a library is not what it was planned with.
    """
    with segments_of(Path(plan)) as render:
        return render(number, on_progress)


@contextmanager
def segments_of(plan: Path) -> Iterator[RenderSegment]:
    """Give what renders segments of a plan as `render_segment` does; source and network stay open between them."""
    with opened(plan) as store:
        yield _Segments(plan, store).render


class _Segments:
    """A plan that is open, and the network once a segment needs it."""

    def __init__(self, plan: Path, store: Store) -> None:
        self._plan, self._store = plan, store

    def render(self, number: int, on_progress: Progress | None = None) -> bool:
        store, starts = self._store, self._store.starts or []
        store.manifest.check_segment(number)
        if store.record(number) or joined_at(self._plan):
            return False
        with memory_errors_as_retry(store.job.source), same_threads(store.manifest.choices.threads):
            pipeline.begin_preparing(on_progress)
            lighting = self._lighting
            make_folder(store.folder)
            start, *later = starts[number : number + 2]
            end = later[0] if later else store.manifest.frames
            show = _OwnFrames(on_progress, start, end) if on_progress else None
            render_run(
                store, lighting, SegmentRange(number, start, later[0] if later else None), show
            )
        return True

    @cached_property
    def _lighting(self) -> Lighting:
        """Those of the plan; before that, whether it can be honoured here."""
        store = self._store
        if words := differences(describe_job(store.job), store.manifest.job):
            raise PlanError(f"{self._plan}: cannot be honoured here: {', '.join(words)}")
        return rebuild_lighting(store.job, store.manifest.choices, store.folder)


class _OwnFrames:
    """Progress of a segment, told in its own frames of what is counted from the first one of the clip."""

    def __init__(self, show: Progress, start: int, end: int | None) -> None:
        self._show, self._start, self._end = show, start, end

    def __call__(self, done: int, total: int | None) -> None:
        self._show(done - self._start, self._end - self._start if self._end else None)

    def stage(self, name: str, done: int, total: int | None) -> None:
        if isinstance(self._show, pipeline.StagedProgress):
            own = done - self._start if name == "encoding" else done
            self._show.stage(name, own, total)
