"""The frames of a shot that an export looks at: a handful, evenly spread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nightfx.errors import SourceError
from nightfx.export.targets import is_alone
from nightfx.job.render_job import log_lines
from nightfx.job.source_target import asked_encoding, open_shot, with_times
from nightfx.options import SourceOptions
from nightfx.picture import FIRST_FRAME, Encoding, Frame, encoding_by_tags
from nightfx.source import ClipInfo, FrameReader, deinterlaced, read_picture, read_tags

MOST_FRAMES = 9  # every second of them is held out


class Spread(NamedTuple):
    """Some frames of a shot."""

    frames: list[Frame]
    """Each with its number."""
    places: list[int]
    """Where each stands in the part that is read, from 0."""
    encoding: Encoding
    info: ClipInfo | None = None
    """Facts of the clip or the sequence; None of a picture."""
    notes: tuple[str, ...] = ()
    """Lines for the user about the shot."""


def spread_frames(source: Path, options: SourceOptions) -> Spread:
    """Read a handful of frames of a clip or a sequence, or the one picture; raises SourceError."""
    asked = asked_encoding(options)
    if is_alone(source):
        still = replace(read_picture(source, options.max_pixels), number=FIRST_FRAME)
        return Spread([still], [0], asked or encoding_by_tags(read_tags(source), still.coding))
    with open_shot(source, options) as shot:
        part = with_times(options, shot)
        found = dict(_numbered(shot, part))
        if not found:
            raise SourceError(f"{source}: no frame of it decodes: nightfx probe says what it is")
        encoding = asked or encoding_by_tags(shot.info.tags, shot.info.coding)
        notes = (*shot.notes, *log_lines(shot, options, encoding))
        first = shot.number_at(part.start_seconds or 0)
        places = [number - first for number in found]
        return Spread(list(found.values()), places, encoding, shot.info, notes)


def _numbered(shot: FrameReader, part: SourceOptions) -> Iterator[tuple[int, Frame]]:
    """Yield frames with their numbers; those that are missing are passed over."""
    for number in _numbers(shot, part):
        start, end = shot.times_of(number, number)
        frame = _frame_at(shot, start, end)
        if frame is not None:
            named = number if frame.number is None else frame.number
            yield named, replace(frame, number=named)


def _frame_at(shot: FrameReader, start: Fraction, end: Fraction) -> Frame | None:
    with closing(shot.frames(start, end)) as frames:
        return next(iter(deinterlaced(frames)), None)


def _numbers(shot: FrameReader, part: SourceOptions) -> list[int]:
    first, last = shot.number_at(part.start_seconds or 0), shot.last_number()
    if part.end_seconds is not None:
        last = min(last, shot.number_at(part.end_seconds) - 1)
    spread = np.linspace(first, last, min(MOST_FRAMES, last - first + 1))
    return [round(float(number)) for number in spread]
