"""The state of a render in segments, or of a matte, on the disk: a hidden folder beside the target, and nowhere else.

In `.NAME.EXT.nightfx` are `manifest.json`, and of each segment that is done its file (`00003.nut`, or `.mov`) and then its
record, `00003.json`. A sequence has its own files; a line for each is in `files.txt`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path

from nightfx.disk import load_json, save_json, translated
from nightfx.errors import PlanError
from nightfx.job import passes, render_job
from nightfx.job.manifest import Manifest
from nightfx.job.source_target import folder_of
from nightfx.options import RenderOptions
from nightfx.target import EncodedSegment, OutputPlan, segment_suffix

MANIFEST = "manifest.json"
_JOURNAL = "files.txt"


def check_fresh(target: Path, options: RenderOptions) -> None:
    """Raise `PlanError` where a render of `target` has begun that nobody wants anew."""
    folder = folder_of(target)
    if (folder / MANIFEST).exists() and not options.job.fresh:
        raise PlanError(f"{folder}: a render of it was planned or begun: --fresh plans it anew")


@dataclass(frozen=True)
class SegmentRecord:
    """A segment that is done."""

    first: int
    """Its first frame, counted from the first one rendered."""
    frames: int
    """How many it has."""
    is_last: bool
    """Whether the source ends with it."""
    mark: tuple[int, render_job.Mark] | None = None
    """The frame that must be read first for the segment after it, and what tells it."""
    piece: EncodedSegment | None = None
    """The contents of its file; None for a sequence."""
    tally: passes.Tally | None = None
    """Figures of its passes."""
    notes: Sequence[str] = ()
    """Lines that the reader had to say."""

    @property
    def stop(self) -> int:
        """The frame after its last one."""
        return self.first + self.frames


class Segments:
    """What is done of the segments of a `target`, and the folder of it.

    `suffix` is that of a clip's segments; `starts` are the first frame of each, where those are known beforehand.
    """

    def __init__(
        self, folder: Path, target: Path, suffix: str = "", starts: list[int] | None = None
    ) -> None:
        self.folder, self.target, self.starts = folder, target, starts
        self._suffix = suffix

    def file_of(self, number: int) -> Path:
        """The file of a clip's segment."""
        assert self._suffix, self.target
        return self.folder / f"{number:05}{self._suffix}"

    def save(self, number: int, record: SegmentRecord) -> None:
        """Say that a segment is done."""
        save_json(record, self.folder / f"{number:05}.json", self.folder)

    def record(self, number: int) -> SegmentRecord | None:
        """Return the record of a segment, if it is done and its file is as long as it was."""
        try:
            record = load_json(SegmentRecord, self.folder / f"{number:05}.json")
            if record.piece is None:
                return record
            size = self.file_of(number).stat().st_size
        except (OSError, ValueError):
            return None
        return record if size == record.piece.size_bytes else None

    def records(self) -> dict[int, SegmentRecord]:
        """The segments that are done, by number; those before the first gap where borders are not known."""
        if self.starts is not None:
            found = {number: self.record(number) for number in range(len(self.starts))}
            return {number: record for number, record in found.items() if record}
        row: dict[int, SegmentRecord] = {}
        for number in count():
            record = self.record(number)
            if record is None or record.first != (row[number - 1].stop if row else 0):
                return row
            row[number] = record
        raise AssertionError("count ends never")

    def frames_done(self) -> int:
        """Frames that need not be rendered again."""
        frames = sum(record.frames for record in self.records().values())
        return frames + (self.files_from(frames) if self.starts is None else 0)

    def mark_at(self, index: int) -> render_job.Mark | None:
        """Return the mark of the `index`-th frame, where a segment that is done tells it."""
        known = [record.mark for record in self.records().values() if record.mark]
        return dict(known).get(index)

    def note_file(self, index: int, path: Path) -> None:
        """Say that the file of a sequence's `index`-th frame is on the disk."""
        journal = self.folder / _JOURNAL
        with translated(journal), journal.open("a", encoding="utf-8") as file:
            file.write(f"{index} {path.stat().st_size} {path.name}\n")
            file.flush()
            os.fsync(file.fileno())

    def files_from(self, index: int) -> int:
        """How many files of a sequence are there from its `index`-th frame on."""
        done = 0
        while (known := self._journal.get(index + done)) is not None:
            size, name = known
            path = self.target.with_name(name)
            if not path.is_file() or path.stat().st_size != size:
                break
            done += 1
        return done

    @cached_property
    def _journal(self) -> dict[int, tuple[int, str]]:
        """Size and name of files, as they were when this was first asked."""
        try:
            lines = (self.folder / _JOURNAL).read_text("utf-8").splitlines()
        except OSError:
            return {}
        words = [line.split(" ", 2) for line in lines]
        # a line may have been cut off by what ended the process
        whole = [w for w in words if len(w) == 3 and w[0].isdigit() and w[1].isdigit()]
        return {int(index): (int(size), name) for index, size, name in whole}

    def remove(self) -> None:
        """Leave nothing."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Store(Segments):
    """The folder of one render."""

    def __init__(self, job: render_job.RenderJob, folder: Path, manifest: Manifest) -> None:
        suffix = segment_suffix(job.plan) if isinstance(job.plan, OutputPlan) else ""
        super().__init__(folder, job.target, suffix, manifest.starts)
        self.job, self.manifest = job, manifest

    @property
    def total(self) -> int | None:
        """Frames of the whole render, as far as is known."""
        return self.manifest.frames or self.job.total

    def begin(self) -> None:
        """Write the manifest: from here on there is something to go on with."""
        save_json(self.manifest, self.folder / MANIFEST, self.folder)

    def mark_at(self, index: int) -> render_job.Mark | None:
        """Return the mark of the `index`-th frame, by the plan or a segment that is done."""
        if self.starts is not None:
            return self.manifest.marks.get(str(index))
        return super().mark_at(index)
