"""A clip or a sequence that is to be rendered: opened, its render planned, its frames at hand from anywhere."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path

from nightfx.apply import Written
from nightfx.errors import NightfxError
from nightfx.job.matte import Matte, open_matte
from nightfx.job.passes import Passes, open_passes, writing
from nightfx.job.source_target import (
    Plan,
    check_scan,
    check_target,
    default_target,
    encoding_line,
    find_encodings,
    folder_of,
    left_out_lines,
    open_shot,
    plan_target,
    with_times,
)
from nightfx.light import Beside, Borders
from nightfx.network import Preset
from nightfx.options import Look, Method, RenderOptions, Scan, SourceOptions
from nightfx.picture import Encodings, Frame
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

_log = logging.getLogger(__name__)

# those whose index says where a frame is; in others a seek may land anywhere
_SEEKABLE = ("mov", "matroska", "sequence")
_EVERY_ROW = 16  # of luma, that tell one frame from another


@dataclass(frozen=True)
class RenderJob:
    """A source that is to be rendered, and how."""

    source: Path
    target: Path
    preset: Preset
    options: RenderOptions
    reader: FrameReader
    matte: Matte | None
    info: ClipInfo
    """Facts of the source as it will be rendered."""
    by_fields: bool
    """Whether its fields are lit one by one."""
    plan: Plan
    """How the render is written."""
    encodings: Encodings
    total: int | None
    """Frames expected; a header's claim."""
    told: frozenset[str] = frozenset()
    """Lines that were given before the first frame, and need not be given again at the end."""

    @property
    def per_frame(self) -> int:
        """Pictures to be lit in a frame."""
        return 2 if self.by_fields else 1

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
        options = self.options
        if index and mark and self._can_seek:
            info = self.reader.info
            seconds = Fraction(mark[0] - info.start_pts) * info.time_base
            frames = self.reader.frames(seconds, options.source.end_seconds)
            first = next(frames, None)
            # interlaced ones are filled up from the frame before
            alone = self.by_fields or first is None or not is_combed(first)
            if first is not None and mark_of(first) == mark and alone:
                return chain([first], frames)
            frames.close()
        frames = self.reader.frames(options.source.start_seconds, options.source.end_seconds)
        return islice(frames, index, None)

    @property
    def _can_seek(self) -> bool:
        known = any(name in self.reader.info.container for name in _SEEKABLE)
        return known and not self.options.source.keep_going

    def open_passes(self, *, again: bool = False) -> Passes | None:
        """The passes, where they are asked for; files of a render that goes on `again` are replaced."""
        return passes_of(self.target, self.options, again=again)

    @property
    def written(self) -> Written:
        """How its lit frames are written."""
        return Written(self.plan.coding, self.encodings)

    def beside(self, passes: Passes | None, borders: Borders | None = None) -> Beside:
        """Who looks on while its frames are lit."""
        matte_at = self.matte.at if self.matte else None
        return Beside(borders, matte_at, writing(passes, self.encodings.source))

    def log_notes(self, lines: Iterable[str]) -> None:
        """Give the user a line each, once."""
        log_notes(self.source, (line for line in lines if line not in self.told))


Mark = tuple[int, int]
"""Pts and CRC-32 of a few rows: what tells a frame from all others of its clip."""


def mark_of(frame: Frame) -> Mark:
    """The mark of a frame as it was read."""
    return frame.pts, zlib.crc32(frame.planes[0][::_EVERY_ROW].tobytes())


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
        matte = opened.enter_context(open_matte(options.light, options.source, reader.info))
        info, by_fields, notes = _scan(reader.info, options.source.interlaced)
        plan = plan_target(info, target, options.encode)
        check_scan(info, plan, by_fields=by_fields)
        target = target or default_target(source, preset, plan.suffix)
        encodings = find_encodings(info, plan, options.source)
        # files of a sequence that was begun are looked at by those who know it
        begun = is_sequence(target) and folder_of(target).is_dir()
        check_target(source, target, options.job.overwrite or begun)
        if encodings.source is not encodings.target:
            notes.append(encoding_line(encodings))
        if not again:
            notes += _tried(target, info, plan)
            height = info.width if info.rotation % 180 else info.height
            words = height_warnings(height, preset, options.light.method, options.look)
            said = [*notes, *reader.notes, *plan.notes, *words]
            gone = left_out_lines(info, plan, options.source, said, pictures=1)
            log_notes(source, [*said, *gone])
        reader.notes.clear()
        total = _expected(info, options.source)
        # fmt: off
        yield RenderJob(source, target, preset, options, reader, matte, info, by_fields, plan, encodings, total, frozenset(notes))
        # fmt: on


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


def height_warnings(
    height: int, preset: Preset, method: Method | None, look: Look
) -> Iterator[str]:
    """Lines where tiles cannot do what the preset says, or are shown at a size that it was not trained on."""
    if preset.method(method) != "tiles":
        return
    if look.names("sky"):
        yield "the preset darkens the sky in relight only, not in tiles"
    low, high = preset.facts.heights_px
    if not low <= height <= high:
        words = f"{height} lines; {preset.name} was trained on {low} to {high}"
        yield f"{words}, and the tiles method shows it the full size"


def passes_of(target: Path, options: RenderOptions, *, again: bool = False) -> Passes | None:
    """Open the passes of a render, where they are asked for."""
    if options.job.passes is None:
        return None
    if options.look.names("grain") and not again:
        _log.warning("passes: grain is not in them")
    return open_passes(
        options.job.passes, base_name(target), overwrite=options.job.overwrite or again
    )


def _scan(info: ClipInfo, scan: Scan) -> tuple[ClipInfo, bool, list[str]]:
    """Return the clip's facts as it will be rendered, whether that is done field by field, and lines for the user."""
    if not is_interlaced(info):
        return info, False, []
    if scan == "keep":
        return info, True, []
    words = "interlaced: deinterlaced, a frame for a frame (--interlaced keep keeps fields)"
    return as_progressive(info), False, [words]


def _expected(info: ClipInfo, options: SourceOptions) -> int | None:
    whole, start, end = info.frames_estimate, options.start_seconds or 0.0, options.end_seconds
    if whole is None or (not start and end is None):
        return whole
    if info.rate is None:
        return None
    last = whole if end is None else min(whole, round(end * info.rate))
    return max(last - round(start * info.rate), 1)
