"""A clip or a sequence that is to be rendered: opened, its render planned, its frames at hand from anywhere.

What stands in the way of it is known without torch, which takes seconds to import.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from nightfx.carry import log_line
from nightfx.errors import NightfxError, SourceError
from nightfx.job.asked import with_look
from nightfx.job.matte import Mattes, open_mattes
from nightfx.job.source_target import (
    Plan,
    check_scan,
    check_target,
    default_target,
    encoding_line,
    find_encodings,
    folder_of,
    frames_expected,
    left_out_lines,
    open_shot,
    plan_target,
    with_times,
)
from nightfx.network import Preset
from nightfx.options import Method, RenderOptions, Scan, SourceOptions
from nightfx.picture import FIRST_FRAME, SDR, Encoding, Encodings, Frame, Numbering
from nightfx.source import (
    ClipInfo,
    FrameReader,
    as_progressive,
    base_name,
    deinterlaced,
    is_combed,
    is_interlaced,
    is_sequence,
    progressive_alone,
    split,
)
from nightfx.target import SequencePlan, try_target

if TYPE_CHECKING:
    from nightfx.apply import Written
    from nightfx.job.passes import Passes
    from nightfx.light import Beside, Borders

_log = logging.getLogger(__name__)

# those whose index says where a frame is; in others a seek may land anywhere
_SEEKABLE = ("mov", "matroska", "sequence")
# what is said of a render beside the light that is baked
_EVERY_ROW = 16  # of luma, that tell one frame from another


@dataclass(frozen=True)
class RenderJob:
    """A source that is to be rendered, and how."""

    source: Path
    target: Path
    preset: Preset
    options: RenderOptions
    reader: FrameReader
    mattes: Mattes
    info: ClipInfo
    """Facts of the source as it will be rendered."""
    by_fields: bool
    """Whether its fields are lit one by one."""
    plan: Plan
    """How the render is written."""
    encodings: Encodings
    total: int | None
    """Frames expected; a header's claim."""
    first: int = FIRST_FRAME
    """Number of the first frame that is rendered."""
    told: frozenset[str] = frozenset()
    """Lines that were given before the first frame, and need not be given again at the end."""

    @property
    def per_frame(self) -> int:
        """Pictures to be lit in a frame."""
        return 2 if self.by_fields else 1

    @property
    def numbering(self) -> Numbering:
        """How its pictures are numbered."""
        return Numbering(self.first, self.per_frame)

    def first_frame(self) -> Frame:
        """The first frame that is rendered. Raises NightfxError where there is none."""
        options = self.options
        with closing(
            self.reader.frames(options.source.start_seconds, options.source.end_seconds)
        ) as frames:
            first = next(frames, None)
        if first is None:
            words = "no frame to write: check the start and end times"
            raise NightfxError(f"{self.target}: {words}")
        return first

    def shot(self) -> Iterator[Frame]:
        """The pictures to be lit, from the first on."""
        return self.pictures(self.frames_from(0))

    def pictures(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Return the pictures to be lit of frames: themselves, or fields; interlaced ones are filled up otherwise."""
        if self.by_fields:
            return split(frames, self.reader.info)
        if self.options.source.interlaced == "keep":
            return progressive_alone(frames, self.reader.info)
        return deinterlaced(frames)

    def frames_from(self, index: int, mark: Mark | None = None) -> Iterator[Frame]:
        """The frames from the `index`-th on, sought where the reader can and the frame is the one that `mark` tells."""
        by_fields = self.by_fields
        return frames_from(self.reader, self.options.source, index, mark, by_fields=by_fields)

    def open_passes(self, *, again: bool = False) -> Passes | None:
        """The passes, where they are asked for; files of a render that goes on `again` are replaced."""
        return passes_of(self.target, self.options, again=again, first=self.first)

    @property
    def written(self) -> Written:
        """How its lit frames are written."""
        from nightfx.apply import Written

        return Written(self.plan.coding, self.encodings)

    def beside(self, passes: Passes | None, borders: Borders | None = None) -> Beside:
        """Who looks on while its frames are lit."""
        from nightfx.job.passes import writing

        return self.mattes.beside(borders, writing(passes, self.encodings.source))

    def log_notes(self, lines: Iterable[str]) -> None:
        """Give the user a line each, once."""
        log_notes(self.source, (line for line in lines if line not in self.told))


Mark = tuple[int, int]
"""Pts and CRC-32 of a few rows: what tells a frame from all others of its clip."""


def mark_of(frame: Frame) -> Mark:
    """The mark of a frame as it was read."""
    return frame.pts, zlib.crc32(frame.planes[0][::_EVERY_ROW].tobytes())


def frames_from(
    reader: FrameReader,
    options: SourceOptions,
    index: int,
    mark: Mark | None,
    *,
    by_fields: bool = False,
) -> Iterator[Frame]:
    """The frames that are asked for, from the `index`-th on; see `RenderJob.frames_from`."""
    if index and mark and _can_seek(reader, options):
        seconds = Fraction(mark[0] - reader.info.start_pts) * reader.info.time_base
        frames = reader.frames(seconds, options.end_seconds)
        first = next(frames, None)
        # interlaced ones are filled up from the frame before
        alone = by_fields or first is None or not is_combed(first)
        if first is not None and mark_of(first) == mark and alone:
            return chain([first], frames)
        frames.close()
    return islice(reader.frames(options.start_seconds, options.end_seconds), index, None)


def _can_seek(reader: FrameReader, options: SourceOptions) -> bool:
    known = any(name in reader.info.container for name in _SEEKABLE)
    return known and not options.keep_going


@contextmanager
def open_job(
    source: Path,
    target: Path | None,
    preset: Preset,
    options: RenderOptions,
    *,
    again: bool = False,
) -> Iterator[RenderJob]:
    """Open a clip or a sequence and plan its render; what changes is told, unless it is opened `again`.

    Raises what stands in the way.
    """
    options = _anywhere(options)
    with open_shot(source, options.source) as reader, ExitStack() as opened:
        options = replace(options, source=with_times(options.source, reader))
        options.look.check_frames(reader.number_at(0))
        first = _first_number(reader, options, preset, target)
        options = with_look(options, preset, first)
        mattes = opened.enter_context(open_mattes(options.light, options.source, reader.info))
        info, by_fields, notes = _scan(reader.info, options.source.interlaced)
        plan = plan_target(info, target, options.encode)
        check_scan(info, plan, by_fields=by_fields)
        target = target or default_target(source, preset, plan.suffix)
        encodings = find_encodings(info, plan, options.source)
        if options.light.baked:
            _check_baked(options.light.baked, reader, first, options.source.end_seconds)
        # files of a sequence that was begun are looked at by those who know it
        begun = is_sequence(target) and folder_of(target).is_dir()
        check_target(source, target, options.job.overwrite or begun)
        if encodings.source is not encodings.target:
            notes.append(encoding_line(encodings))
        if not again:
            notes += _tried(target, info, plan)
            height = info.width if info.rotation % 180 else info.height
            words = height_warnings(height, preset, options.light.method)
            seen = log_lines(reader, options.source, encodings.source)
            count = frames_expected(reader.info, options.source)
            late = options.look.late_lines(first + count - 1) if count else ()
            said = [*notes, *reader.notes, *seen, *plan.notes, *words, *late]
            gone = left_out_lines(info, plan, options.source, said, pictures=1)
            log_notes(source, [*said, *gone])
        reader.notes.clear()
        total = frames_expected(info, options.source)
        # fmt: off
        yield RenderJob(source, target, preset, options, reader, mattes, info, by_fields, plan, encodings, total, first, frozenset(notes))
        # fmt: on


def _check_baked(path: Path, reader: FrameReader, first: int, end_seconds: float | None) -> None:
    """Raise SourceError where a bake is of another plate, or lacks frames of what is rendered."""
    from nightfx.baked import PlateFacts, open_bake

    facts, info = open_bake(path).facts, reader.info
    plate = PlateFacts(
        *(info.width, info.height, info.rate, reader.number_at(0)),
        reader.last_number() - reader.number_at(0) + 1,
    )
    for line in facts.differences(plate):
        raise SourceError(f"--baked {path}: {line}: bake this plate")
    # by the times of frames: a header only claims how many there are
    end = reader.last_number()
    if end_seconds is not None:
        end = min(end, reader.number_at(end_seconds) - 1)
    last = facts.first + facts.frames - 1
    if first < facts.first or end > last:
        words = f"has frames {facts.first} to {last}: render those, or bake the others too"
        raise SourceError(f"--baked {path}: {words}")


def _tried(target: Path, info: ClipInfo, plan: Plan) -> list[str]:
    """What a clip's container has to say of what is to be written to it."""
    if isinstance(plan, SequencePlan):
        return []
    return try_target(target, None if info.container == "sequence" else info.path, info, plan)


def _anywhere(options: RenderOptions) -> RenderOptions:
    """The same options for a process in another folder."""
    paths = {one.name: x.absolute() for one, x in options.told() if isinstance(x, Path)}
    return options.but(**paths)


def log_notes(source: Path, lines: Iterable[str]) -> None:
    """Give the user a line each about a source."""
    for line in lines:
        _log.warning("%s: %s", source.name, line)


def log_news(source: Path, words: str) -> None:
    """Tell the user how a source's work goes, where nothing is amiss."""
    _log.info("%s: %s", source.name, words)


def height_warnings(height: int, preset: Preset, method: Method | None) -> Iterator[str]:
    """Lines where tiles are shown at a size that the preset was not trained on."""
    if preset.method(method) != "tiles":
        return
    low, high = preset.facts.heights_px
    if not low <= height <= high:
        words = f"{height} lines; {preset.name} was trained on {low} to {high}"
        yield f"{words}, and the tiles method shows it the full size"


def passes_of(
    target: Path, options: RenderOptions, *, again: bool = False, first: int = FIRST_FRAME
) -> Passes | None:
    """Open the passes of a render, where they are asked for."""
    if options.job.passes is None:
        return None
    if options.look.names("grain") and not again:
        _log.warning("passes: grain is not in them")
    from nightfx.job.passes import open_passes

    replaces = options.job.overwrite or again
    return open_passes(options.job.passes, base_name(target), overwrite=replaces, first=first)


def check_passes(target: Path, options: RenderOptions, *, again: bool = False) -> None:
    """Make the folder of the passes of a render; raises TargetError where it has some of this name, not made by one that goes on `again`."""
    if options.job.passes is None:
        return
    from nightfx.job.passes import make_folder_of_passes

    replaces = options.job.overwrite or again
    make_folder_of_passes(options.job.passes, base_name(target), overwrite=replaces)


def log_lines(reader: FrameReader, options: SourceOptions, encoding: Encoding) -> Iterator[str]:
    """Yield a line where what is lit as SDR is, or looks like, log."""
    if encoding is not SDR or options.input_space:
        return
    with closing(reader.frames(options.start_seconds)) as frames:
        first = next(frames, None)
    line = log_line(reader.info, first) if first else None
    yield from [line] if line else []


def _first_number(
    reader: FrameReader, options: RenderOptions, preset: Preset, target: Path | None
) -> int:
    """The number of the first frame that is rendered, where anything goes by it: to know it a clip's times are read."""
    own = preset.facts.look
    is_keyed = options.look.is_keyed or (own is not None and own.is_keyed)
    counts = (
        is_keyed
        or options.job.passes
        or options.light.baked
        or (target is not None and is_sequence(target))
    )
    return reader.number_at((options.source.start_seconds or 0) if counts else 0)


def _scan(info: ClipInfo, scan: Scan) -> tuple[ClipInfo, bool, list[str]]:
    """Return the clip's facts as it will be rendered, whether that is done field by field, and lines for the user."""
    if not is_interlaced(info):
        return info, False, []
    if scan == "keep":
        return info, True, []
    words = "interlaced: deinterlaced, a frame for a frame (--interlaced keep keeps fields)"
    return as_progressive(info), False, [words]
