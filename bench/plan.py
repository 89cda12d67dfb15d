"""What a large job costs besides its pixels: shots found, leased and recorded; segments planned, journalled and resumed.

    python -m bench.plan [--shots 10000] [--segments 240] [--orders 2000] [--json OUT]

All of it is what a render does, on real files and with real workers; but no picture is decoded, lit or encoded: segments
are of four frames, one and the same, and end in their record. Of each shot one half of the segments is journalled, and then the
rest by another who finds it so, as after a kill. Memory is the peak of this process, after a tenth of the shots and after all.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial, partialmethod
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import av
import numpy as np

from nightfx.batch.queue import worker
from nightfx.batch.queue.run import plan_batch, run_batch, run_plan
from nightfx.batch.queue.segments import plan_tasks
from nightfx.batch.queue.task import Task
from nightfx.batch.shots.find import find_shots
from nightfx.job.join import join_plan, missing_segments
from nightfx.job.manifest import Choices
from nightfx.job.pipeline import Progress
from nightfx.job.plan import plan_render, segments_of
from nightfx.job.render_job import Mark, RenderJob
from nightfx.job.segment import SegmentRange
from nightfx.job.store import SegmentRecord, Store
from nightfx.light import borders
from nightfx.light.lighting import Lighting
from nightfx.options.engine import EngineOptions
from nightfx.picture.frame import Frame
from nightfx.target.codecs import OutputPlan
from nightfx.target.writer import head_of

T = TypeVar("T")
FRAMES = 4  # of a segment
MOST_MS = 5.0  # of a segment, besides its rendering
A_FOLDER = 100  # shots
# what a worker runs here
START = """
import sys
sys.path.insert(0, sys.argv[1])
from bench.plan import without_pixels
from nightfx.batch.queue.worker import main
with without_pixels(SEGMENTS):
    sys.exit(main())
"""


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shots", type=int, default=10_000)
    parser.add_argument("--segments", type=int, default=240, help="of a shot")
    parser.add_argument("--orders", type=int, default=2_000, help="for a worker, one by one")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    facts: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name, without_pixels(args.segments):
        folder = Path(name)
        sources = make_shots(folder / "shots", args.shots)
        rows = chain(
            batch(folder / "shots", args.shots),
            segments(sources, folder),
            engine(sources[0], folder, args.orders),
        )
        for what, value in rows:
            facts[what] = value
            print(f"{what:60} {value:10.2f}", flush=True)
    if args.json:
        args.json.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def make_shots(root: Path, count: int) -> list[Path]:
    """So many names of one clip of a frame, a hundred in a folder."""
    root.mkdir()
    first = root.with_name("first.mp4")
    with av.open(first, "w") as out:
        stream = out.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        out.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 32), np.uint8), "yuv420p")))
        out.mux(stream.encode(None))
    names = [root / f"{index // A_FOLDER:03}" / f"{index:05}.mp4" for index in range(count)]
    for path in names:
        path.parent.mkdir(exist_ok=True)
        os.link(first, path)
    return names


def batch(root: Path, count: int) -> Iterator[tuple[str, float]]:
    """A folder of shots: found, planned, each leased and recorded by a worker, and all skipped by the next batch."""
    out, options = root.with_name("renders"), EngineOptions(workers=1)

    def found() -> list[worker.ShotTask]:
        shots = find_shots(root, out)
        assert len(shots) == count
        return plan_batch(shots, root, out, {}, options)

    tasks, seconds = timed(found)
    yield f"batch of {count} shots, found and planned: s", seconds
    ends = Ends()
    run_batch(tasks, out, options, ends.add_note)
    assert all(task.state == "done" for task in tasks)
    yield "a shot leased, recorded and reported by a worker: ms", ends.step_ms()
    again, seconds = timed(found)
    assert all(task.state == "skipped" for task in again)
    yield "the same batch, resumed when all is done: s", seconds
    yield "peak memory of the batch so far: MiB", peak_mib()


def segments(sources: list[Path], folder: Path) -> Iterator[tuple[str, float]]:
    """Every shot: planned; one half journalled; the rest found and journalled; joined."""
    spent = dict.fromkeys(("planned", "journalled", "resumed", "joined"), 0.0)
    count, peak = 0, 0.0
    path, target = folder / "plan.json", folder / "render.mp4"
    plan_each = partial(plan_render, plan=path, target=target)
    for number, source in enumerate(sources):
        found, seconds = timed(plan_each, source)
        spent["planned"] += seconds
        numbers = range(len(found.starts or ()))
        spent["journalled"] += timed(journal, path, numbers[: len(numbers) // 2])[1]
        left, seconds = timed(missing_segments, path)
        assert left == list(numbers[len(numbers) // 2 :])
        spent["resumed"] += seconds
        spent["journalled"] += timed(journal, path, left)[1]
        spent["joined"] += timed(join_plan, path)[1]
        target.unlink()
        count += len(numbers)
        peak = peak_mib() if number <= len(sources) // 10 else peak
    for what, seconds in spent.items():
        yield f"{len(sources)} shots, {count} segments, {what}: s", seconds
    yield "a segment journalled: ms", spent["journalled"] * 1000 / count
    yield "peak memory after a tenth of the shots: MiB", peak
    yield "peak memory after all: MiB", peak_mib()


def journal(path: Path, numbers: Iterable[int]) -> None:
    """Render segments in one worker."""
    with segments_of(path) as render:
        for number in numbers:
            render(number)


def engine(source: Path, folder: Path, orders: int) -> Iterator[tuple[str, float]]:
    """Segments of one plan, each an order for the one worker of the local engine."""
    path, ends = folder / "plan.json", Ends()
    with without_pixels(orders):
        plan_render(source, path, target=folder / "render.mp4")
        tasks = plan_tasks(path)
        assert len(tasks) == orders
        run_plan(path, tasks, EngineOptions(workers=1), ends.add_note)
        assert all(task.state == "done" for task in tasks)
        join_plan(path)
    found = ends.step_ms()
    yield f"a segment by the local engine, of {orders}; {MOST_MS:g} allowed: ms", found


class Ends:
    """When tasks ended."""

    def __init__(self) -> None:
        self._times: list[float] = []

    def add_note(self, task: Task[Any]) -> None:
        """Note an event."""
        if not task.open:
            self._times.append(time.perf_counter())

    def step_ms(self) -> float:
        """From one end to the next, on average; before the first a worker starts."""
        times = self._times
        return (times[-1] - times[0]) * 1000 / (len(times) - 1)


def timed(work: Callable[..., T], *args: Any) -> tuple[T, float]:
    """What it returns, and how long it took."""
    started = time.perf_counter()
    found = work(*args)
    return found, time.perf_counter() - started


def peak_mib() -> float:
    """The most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def without_pixels(segments: int) -> Iterator[None]:
    """Have frames that are one and the same, of so many segments, and nothing done to them."""
    pixels: dict[str, Any] = {
        "nightfx.batch.queue.worker.render": _render,
        "nightfx.batch.queue.worker.measure": lambda *args: {},
        "nightfx.job.plan.choose": _choose,
        "nightfx.job.plan.rebuild_lighting": lambda *args: None,
        "nightfx.job.plan.render_run": _render_run,
        "nightfx.job.plan.is_long": lambda job: True,
        "nightfx.job.join.join_segments": lambda pieces, target, **more: target.touch(),
        "nightfx.batch.queue.crew.START": START.replace("SEGMENTS", str(segments)),
    }
    with ExitStack() as close:
        for name in ("LEAST_FRAMES", "MOST_FRAMES"):
            close.enter_context(patch.object(borders, name, FRAMES))
        for name, instead in pixels.items():
            close.enter_context(patch(name, instead))
        frames = partialmethod(_frames_from, count=segments * FRAMES)
        close.enter_context(patch.object(RenderJob, "frames_from", frames))
        yield


def _frames_from(
    job: RenderJob, index: int, mark: Mark | None = None, *, count: int
) -> Iterator[Frame]:
    first = job.first_frame()
    for number in range(index, count):
        yield replace(first, pts=first.pts + number * max(first.duration, 1))


def _choose(job: RenderJob, folder: Path) -> tuple[Choices, None]:
    assert isinstance(job.plan, OutputPlan)
    lengths = borders.Lengths(least=FRAMES, most=FRAMES)
    return Choices(lengths, head=head_of(job.first_frame(), job.plan)), None


def _render_run(
    store: Store, lighting: Lighting, run: SegmentRange, show: Progress | None = None
) -> None:
    if show:
        show(run.first + FRAMES, store.total)
    store.save(run.number, SegmentRecord(run.first, FRAMES, run.stop is None))


def _render(source: Path, target: Path, *, on_progress: Progress, **more: Any) -> None:
    on_progress(1, 1)
    target.touch()


if __name__ == "__main__":
    main()
