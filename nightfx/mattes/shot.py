"""Write the mattes of a clip or sequence in segments, all kinds at once, and go on where an earlier call was stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from nightfx.errors import NightfxError
from nightfx.job.choices import lengths_of
from nightfx.job.manifest import Choices, describe_mattes
from nightfx.job.pipeline import Progress, stage_counter
from nightfx.job.render_job import frames_from, log_news, log_notes
from nightfx.job.resume import share_of
from nightfx.job.segment import Marks, SegmentRange, SegmentSplitter, rest_of
from nightfx.job.source_target import frames_expected
from nightfx.job.store import SegmentRecord
from nightfx.light import Borders, MattePlan
from nightfx.mattes.fan import fan_out
from nightfx.mattes.grey import bare, grey_frames, grey_info, write_files
from nightfx.mattes.store import MatteManifest, MatteStore, take_up
from nightfx.network import same_threads
from nightfx.options import EncodeOptions, RenderOptions
from nightfx.picture import Frame
from nightfx.process import trim_heap
from nightfx.source import ClipInfo, FrameReader, deinterlaced
from nightfx.target import (
    EncodedSegment,
    OutputPlan,
    head_of,
    join_segments,
    plan_output,
    segment_suffix,
    span_of,
    write_segment,
)


@dataclass(frozen=True)
class MattedShot:
    """A clip or sequence that is open, and how its mattes are written."""

    source: Path
    reader: FrameReader
    options: RenderOptions
    """Those asked for, frames that they name turned into times."""
    info: ClipInfo
    """Facts of a clip of its mattes."""
    plan: OutputPlan | None
    """How that is written; None for files."""
    first: int
    """Number of its first frame."""

    @property
    def times(self) -> tuple[float | None, float | None]:
        """From when to when it is read, in seconds."""
        return self.options.source.start_seconds, self.options.source.end_seconds

    @property
    def total(self) -> int | None:
        """Frames expected; a header's claim."""
        return frames_expected(self.info, self.options.source)

    def store_of(self, target: Path) -> MatteStore:
        """What is done of one of its mattes."""
        return MatteStore(target, segment_suffix(self.plan) if self.plan else "")


def shot_of(source: Path, reader: FrameReader, options: RenderOptions, suffix: str) -> MattedShot:
    """Return an open shot, its mattes to be written to clips or files of a `suffix`."""
    info = grey_info(reader.info)
    plan = None if suffix == ".png" else plan_output(info, suffix, EncodeOptions(codec="ffv1"))
    first = reader.number_at(options.source.start_seconds or 0)
    return MattedShot(source, reader, options, info, plan, first)


def write_shot(
    shot: MattedShot,
    targets: dict[str, Path],
    plan_of: Callable[[Sequence[str]], MattePlan],
    steady: float,
    on_progress: Progress | None,
) -> None:
    """Write a matte of each kind to its target, or go on with those that were stopped; `steady` is the share of the past."""
    stores = {kind: shot.store_of(target) for kind, target in targets.items()}
    choices = _begin(shot, list(stores.values()), steady)
    with _kept(shot, list(stores.values())):
        rests = {kind: rest for kind, store in stores.items() if (rest := rest_of(store))}
        if rests:
            run = min(rests.values(), key=lambda rest: rest.first + rest.skip)
            with same_threads(choices.threads):
                left = [stores[kind] for kind in rests]
                _write_run(shot, left, plan_of(list(rests)), choices, run, on_progress)
        for store in stores.values():
            _join(shot, store, choices, on_progress)
    notes = [
        note for store in stores.values() for x in store.records().values() for note in x.notes
    ]
    log_notes(shot.source, dict.fromkeys(notes))
    for store in stores.values():
        store.remove()


def _begin(shot: MattedShot, stores: list[MatteStore], steady: float) -> Choices:
    """Take up what there is of the mattes, and begin those that are not."""
    job, work = describe_mattes(shot.source, shot.options), shot.options.job
    choices = take_up(shot.source, stores, job, fresh=work.fresh, overwrite=work.overwrite)
    if choices and (frames := min(store.frames_done() for store in stores)):
        log_news(shot.source, f"resuming at {share_of(frames, shot.total)}")
    choices = choices or _choose(shot, stores[0].target, steady)
    for store in stores:
        if not store.manifest():
            store.begin(MatteManifest(job, choices))
    return choices


def _choose(shot: MattedShot, target: Path, steady: float) -> Choices:
    first = next(shot.reader.frames(*shot.times), None)
    if first is None:
        raise NightfxError(f"{target}: no frame to write: check the start and end times")
    return Choices(
        lengths=lengths_of(shot.info, steady, is_clip=shot.plan is not None),
        threads=torch.get_num_threads(),
        head=head_of(bare(first), shot.plan) if shot.plan else None,
    )


@contextmanager
def _kept(shot: MattedShot, stores: list[MatteStore]) -> Iterator[None]:
    """Where it ends too early, say what is kept; where that is nothing, keep nothing."""
    try:
        yield
    except BaseException:
        frames = [shot.store_of(store.target).frames_done() for store in stores]
        if min(frames):
            words = "is done and kept: run the same again to go on from there"
            log_news(shot.source, f"{share_of(min(frames), shot.total)} {words}")
        elif not any(frames):
            for store in stores:
                store.remove()
        raise


def _write_run(
    shot: MattedShot,
    stores: list[MatteStore],
    plan: MattePlan,
    choices: Choices,
    run: SegmentRange,
    on_progress: Progress | None,
) -> None:
    """Write what is left; a matte that is further than others gets the same pictures again."""
    borders = Borders(choices.lengths, run.first, None, run.skip)
    marks = Marks(borders.begun_at)
    mark = next((x for store in stores if (x := store.mark_at(marks.first))), None)
    frames = marks.watch(frames_from(shot.reader, shot.options.source, marks.first, mark))
    parts = SegmentSplitter(grey_frames(deinterlaced(frames), plan, borders), borders)
    parts.on_frame = lambda done: on_progress(done, shot.total) if on_progress else None
    number, first = run.number, run.first
    while not parts.is_over:
        begun = _Begun(number, parts.at, goes_on=lambda: not parts.is_over)
        takers = [partial(_write, shot, store, choices, begun) for store in stores]
        pieces = fan_out(parts.segment(), takers)
        begin = choices.lengths.warm_up_of(parts.at)
        mark, notes = marks.at(begin), list(shot.reader.notes)
        told = (begin, mark) if mark else None
        for store, piece in zip(stores, pieces, strict=True):
            record = SegmentRecord(first, parts.at - first, parts.is_over, told, piece, notes=notes)
            store.save(number, record)
        marks.forget_before(begin)
        trim_heap()
        number, first = number + 1, parts.at


@dataclass(frozen=True)
class _Begun:
    """A segment that is being written."""

    number: int
    at: int
    """Its first frame that is not there yet."""
    goes_on: Callable[[], bool]
    """Whether others follow in the next segment; asked when all its frames have come."""


def _write(
    shot: MattedShot, store: MatteStore, choices: Choices, begun: _Begun, frames: Iterator[Frame]
) -> EncodedSegment | None:
    """Write a segment of one matte."""
    if shot.plan is None:
        write_files(
            *(frames, store.target, shot.first + begun.at, store.folder),
            on_file=lambda count, path: store.note_file(begun.at + count, path),
        )
        return None
    assert choices.head is not None, "that of a clip is known"
    return write_segment(
        *(frames, store.file_of(begun.number)),
        head=choices.head,
        info=shot.info,
        plan=shot.plan,
        span=span_of(shot.info, shot.plan, choices.head.pts, *shot.times),
        goes_on=begun.goes_on,
    )


def _join(
    shot: MattedShot, store: MatteStore, choices: Choices, on_progress: Progress | None
) -> None:
    """Join a clip's segments; one that an earlier call has joined is kept."""
    if shot.plan is None or store.is_joined:
        return
    assert choices.head is not None, "that of a clip is known"
    pieces = [(store.file_of(n), x.piece) for n, x in store.records().items() if x.piece]
    count = sum(len(piece.times) for _, piece in pieces)
    join_segments(
        *(pieces, store.target),
        head=choices.head,
        source=None,
        info=shot.info,
        plan=shot.plan,
        span=span_of(shot.info, shot.plan, choices.head.pts, *shot.times),
        check=store.note_joined,
        on_note=shot.reader.add_note,
        on_packet=stage_counter(on_progress, "joining", count),
    )
