"""Render segments: each is written to a temporary name, read back, renamed, and then recorded as done.

Each one's encoder begins anew, and its steadying from a warm-up before it, in a render that is never stopped too. So it is all
one which process renders which segment, and when.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Generic, TypeVar

from nightfx import process
from nightfx.ahead import prefetch
from nightfx.job import pipeline, render_job
from nightfx.job.store import SegmentRecord, Segments, Store
from nightfx.light import Borders, Lighting, light_frames, mark_borders, working_height
from nightfx.picture import Frame
from nightfx.source import woven
from nightfx.target import (
    EncodedSegment,
    OutputPlan,
    captions_noted,
    span_of,
    write_segment,
    write_sequence,
)

# frames waiting at each boundary: a second was no faster on two cores, and 10 MB more each at 1080p
DEPTH_FRAMES = 1

T = TypeVar("T")


@dataclass(frozen=True)
class SegmentRange:
    """Segments in a row that are to be rendered."""

    number: int
    """Number of the first one."""
    first: int
    """Its first frame."""
    stop: int | None = None
    """The frame after the last one; None goes on to the end."""
    skip: int = 0
    """Frames of the first one that are there already."""


def missing_runs(store: Store) -> Iterator[SegmentRange]:
    """Yield the rows of segments that are to be rendered yet."""
    done = store.records()
    if store.starts is None:
        # passes are told of as whole segments
        rest = rest_of(store, by_files=not store.job.options.job.passes)
        yield from [rest] if rest else []
        return
    begun = None
    for number, start in enumerate([*store.starts, None]):
        is_missing = start is not None and number not in done
        if is_missing and begun is None:
            begun = number
        elif not is_missing and begun is not None:
            yield SegmentRange(begun, store.starts[begun], start)
            begun = None


def rest_of(segments: Segments, *, by_files: bool = True) -> SegmentRange | None:
    """Return what is left of a shot whose borders are found on the way; None where nothing is."""
    done = segments.records()
    last = done[len(done) - 1] if done else None
    if last and last.is_last:
        return None
    first = last.stop if last else 0
    files = segments.files_from(first) if by_files else 0
    return SegmentRange(len(done), first, None, max(files - 1, 0))


def render_run(
    store: Store,
    lighting: Lighting,
    run: SegmentRange,
    on_progress: pipeline.Progress | None = None,
) -> None:
    """Render a row of segments; `on_progress` counts those before it as done."""
    job, per_frame = store.job, store.job.per_frame
    known = None if store.starts is None else {start * per_frame for start in store.starts}
    lengths = store.manifest.choices.lengths
    borders = Borders(lengths, run.first * per_frame, known, run.skip * per_frame)
    marks = Marks(borders.begun_at // per_frame)
    passes = job.open_passes(again=True)
    if passes:
        passes.begin_at(run.first)
    with ExitStack() as close:  # the threads end before the reader closes under them
        frames = marks.watch(job.frames_from(marks.first, store.mark_at(marks.first)))
        pictures = job.pictures(frames)
        if run.stop is not None:
            pictures = islice(pictures, run.stop * per_frame - borders.begun_at)
        waiting = prefetch(pictures, DEPTH_FRAMES)
        close.callback(waiting.close)
        seen = waiting if lighting.steadying else _by_cuts(waiting, borders, job)
        lit = light_frames(seen, lighting, job.written, job.beside(passes, borders))
        shown = prefetch(woven(lit, job.info) if job.by_fields else lit, DEPTH_FRAMES)
        close.callback(shown.close)
        parts = SegmentSplitter(shown, borders, per_frame)
        parts.on_frame = partial(_tell, on_progress, store.total)
        parts.on_end = partial(pipeline.begin_stage, on_progress, "finishing")
        number, first = run.number, run.first
        on_packet = pipeline.stage_counter(on_progress, "encoding", None, first)
        while not parts.is_over:
            piece = _write(store, number, parts, run, on_packet)
            tally = passes.tally(first, parts.at) if passes else None
            is_last = parts.is_over and run.stop is None
            begin = lengths.warm_up_of(parts.at * per_frame) // per_frame
            mark = marks.at(begin)
            told = (begin, mark) if mark else None
            notes = list(job.reader.notes)
            count = parts.at - first
            store.save(number, SegmentRecord(first, count, is_last, told, piece, tally, notes))
            marks.forget_before(begin)
            process.trim_heap()
            number, first = number + 1, parts.at


def _tell(on_progress: pipeline.Progress | None, total: int | None, done: int) -> None:
    if on_progress:
        on_progress(done, total)


def _by_cuts(
    pictures: Iterable[Frame], borders: Borders, job: render_job.RenderJob
) -> Iterator[Frame]:
    height = working_height(job.preset, job.options.field)
    return mark_borders(pictures, borders, height, job.encodings.source)


class Marks:
    """The marks of frames that go by, from the `first` on."""

    def __init__(self, first: int) -> None:
        self.first = first
        self._marks: dict[int, render_job.Mark] = {}
        self._kept_from = first

    def watch(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """The frames as they are."""
        for index, frame in enumerate(frames, self.first):
            self._marks[index] = render_job.mark_of(frame)
            yield frame

    def at(self, index: int) -> render_job.Mark | None:
        """The mark of a frame; None for one that did not go by, or is forgotten."""
        return self._marks.get(index)

    def forget_before(self, index: int) -> None:
        """Keep no marks of earlier frames."""
        for old in range(self._kept_from, index):
            self._marks.pop(old, None)
        self._kept_from = max(index, self._kept_from)


class SegmentSplitter(Generic[T]):
    """What becomes of frames, a segment at a time; `at` is the frame that comes next."""

    def __init__(self, frames: Iterator[T], borders: Borders, per_frame: int = 1) -> None:
        self.at = borders.shown_from // per_frame
        self.on_frame: Callable[[int], None] = lambda done: None
        self.on_end: Callable[[], None] = lambda: None
        self._frames, self._per_frame, self._starts = frames, per_frame, borders.starts
        self._next = next(frames, None)

    @property
    def is_over(self) -> bool:
        """Whether no frame comes any more."""
        return self._next is None

    def segment(self) -> Iterator[T]:
        """Those of the segment that comes next."""
        # the frame after the last one must have come before its border is known
        while self._next is not None:
            yield self._next
            self.at += 1
            self.on_frame(self.at)
            self._next = next(self._frames, None)
            if self._next is None:
                self.on_end()
            if self.at * self._per_frame in self._starts:
                return


def _write(
    store: Store,
    number: int,
    parts: SegmentSplitter[Frame],
    run: SegmentRange,
    on_packet: Callable[[], None],
) -> EncodedSegment | None:
    """Write the segment that comes next."""
    job, choices = store.job, store.manifest.choices
    plan, info, options = job.plan, job.info, job.options
    if isinstance(plan, OutputPlan):
        assert choices.head is not None, "that of a clip is known"
        times = options.source.start_seconds, options.source.end_seconds
        span = span_of(info, plan, choices.head.pts, *times)
        target, head = store.file_of(number), choices.head
        frames = captions_noted(parts.segment(), info, plan, job.reader.add_note)
        return write_segment(
            *(frames, target),
            head=head,
            info=info,
            plan=plan,
            span=span,
            goes_on=lambda: run.stop is not None or not parts.is_over,
            on_packet=on_packet,
        )
    write_sequence(
        parts.segment(),
        job.target,
        info=info,
        overwrite=True,  # what must not be replaced was looked for at the beginning
        first=job.first + parts.at,
        folder=store.folder,
        on_file=lambda path: store.note_file(parts.at, path),
    )
    return None
