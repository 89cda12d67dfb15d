"""Sequences of numbered files, `shot.####.exr`: read and written as a clip's frames are, each file whole or not there.

EXR, DPX and deep TIFF need nightfx[film]; PNG, JPEG, WebP and TIFF of 8 and 16 bits do not. A frame keeps the number of
its file; its time is counted from the first one.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from nightfx.errors import SourceError
from nightfx.options import MAX_PIXELS, Missing, rate_from
from nightfx.picture import ColorTags, Frame
from nightfx.source import image, numbered, probe, shot, still, still_extras, timecode

_UNKNOWN_RATE = Fraction(24)  # a film's, where only the steadying has to know


class SequenceReader(shot.FrameReader):
    """A sequence's frames, read as `reader.Reader` reads those of a clip.

    `missing` says what becomes of numbers without a file: refused, left out, or the frame before again. A `rate` in
    frames a second counts more than what the files say. Raises SourceError, for a picture of more than `max_pixels` too.
    """

    def __init__(
        self,
        path: Path,
        *,
        keep_going: bool = False,
        missing: Missing = "stop",
        rate: Fraction | None = None,
        max_pixels: int = MAX_PIXELS,
        pick: still.Pick = still.BEAUTY,
    ) -> None:
        super().__init__()
        self.path, self.keep_going, self.missing = path, keep_going, missing
        self.max_pixels, self.pick = max_pixels, pick
        self._files = numbered.frames_on_disk(path)
        self._canvas = _canvas(list(self._files.values()), pick)
        first = read_file(next(iter(self._files.values())), max_pixels, self._canvas, pick)
        if isinstance(first.sheet, still_extras.Sheet):
            self._canvas = first.sheet.canvas
            for note in first.sheet.notes:
                self.add_note(note)
        elif pick != still.BEAUTY:
            self.add_note(still.NO_LAYERS)
        self.info = _describe(path, self._files, first, rate)
        self._size = _size_of(first)
        self._check_gaps()

    def times_of(self, first: int, last: int) -> tuple[Fraction, Fraction]:
        """Start and end, as `frames` takes them, of the files from `first` to `last`."""
        least, most = min(self._files), self.last_number()
        self._check_numbers((first, last), least, most)
        return (first - least) * self.info.time_base, (last + 1 - least) * self.info.time_base

    def last_number(self) -> int:
        """The number of the last file."""
        return max(self._files)

    def number_at(self, seconds: timecode.Seconds) -> int:
        """The number of the first file that begins at `seconds` or later, were there no gaps."""
        return min(self._files) + math.ceil(timecode.exact_seconds(seconds) / self.info.time_base)

    def _check_gaps(self) -> None:
        numbers = list(self._files)
        gaps = numbered.missing_numbers(numbers)
        if not gaps:
            return
        words = f"{gaps} of {numbers[0]}-{numbers[-1]} missing"
        if self.missing == "stop":
            raise SourceError(
                f"{self.path}: {words}: --missing skip leaves them out, hold repeats the frame before"
            )
        self.add_note(
            f"{words}: {'left out' if self.missing == 'skip' else 'the frame before held'}"
        )

    def _deliver(
        self, start: timecode.Seconds | None, end: timecode.Seconds | None
    ) -> Generator[Frame]:
        numbers = list(self._files)
        held: Frame | None = None
        all_numbers = range(numbers[0], numbers[-1] + 1)
        for number in all_numbers if self.missing == "hold" else numbers:
            seconds = (number - numbers[0]) * self.info.time_base
            if end is not None and seconds >= timecode.exact_seconds(end):
                return
            if start is not None and seconds < timecode.exact_seconds(start):
                continue
            frame = self._frame(number)
            held = frame or (held if self.missing == "hold" else None)
            if held is not None:
                pts, base = number - numbers[0], self.info.time_base
                yield replace(held, pts=pts, time_base=base, duration=1, number=number)

    def _frame(self, number: int) -> Frame | None:
        path = self._files.get(number)
        if path is None:
            return None
        try:
            frame = read_file(path, self.max_pixels, self._canvas, self.pick)
        except SourceError as error:
            if not self.keep_going:
                raise
            self.add_note(str(error))
            return None
        if (size := _size_of(frame)) != self._size:
            words = f"{self._size} to {size}"
            raise SourceError(f"{path}: the picture changes from {words}: split the sequence there")
        return frame


def _canvas(files: list[Path], pick: still.Pick) -> still_extras.Window | None:
    """What the windows of all files cover together, where they may differ from file to file; else None."""
    if len(files) < 2 or files[0].suffix.lower() != ".exr":
        return None
    canvas, first = None, None
    for path in files:
        with suppress(SourceError):  # what is broken is told of when it is read
            data, shown = still.read_windows(path, pick)
            first = first or shown
            canvas = still_extras.around(canvas or shown, data) if shown == first else canvas
    return canvas


def _size_of(frame: Frame) -> str:
    """What has to be the same in all files: the size that is shown, and what codes mean."""
    sheet = frame.sheet
    shown = sheet.shown if isinstance(sheet, still_extras.Sheet) else frame
    return f"{shown.width}x{shown.height} {frame.coding.pix_fmt}"


def read_file(
    path: Path,
    max_pixels: int = MAX_PIXELS,
    canvas: still_extras.Window | None = None,
    pick: still.Pick = still.BEAUTY,
) -> Frame:
    """Read one file as a frame, with its sheet, or with its path where it has none; raises SourceError."""
    if still.by_openimageio(path):
        return still.read_still(path, canvas, max_pixels, pick)
    return replace(image.read_picture(path, max_pixels), sheet=path)


def _describe(
    path: Path, files: dict[int, Path], first: Frame, rate: Fraction | None
) -> probe.ClipInfo:
    sheet = first.sheet
    spec = sheet.parts[sheet.main].spec if isinstance(sheet, still_extras.Sheet) else None
    claimed = still_extras.rate_of(spec) if spec is not None else None
    rate = rate or (rate_from(claimed) if claimed else None)
    span = max(files) - min(files) + 1
    untold = ColorTags(1, 8, 0, 2) if first.coding.is_float else ColorTags(2, 2, 0, 2)
    tags = image.read_tags(sheet) if isinstance(sheet, Path) else untold
    aspect = spec.getattribute("PixelAspectRatio") if spec is not None else None
    return probe.ClipInfo(
        path=path,
        container="sequence",
        codec=path.suffix.lower().lstrip("."),
        profile="",
        stream_index=0,
        width=first.width,
        height=first.height,
        coding=first.coding,
        tags=tags,
        rate=rate,
        time_base=1 / (rate or _UNKNOWN_RATE),
        start_pts=0,
        duration_seconds=float(span / rate) if rate else None,
        frames_claimed=len(files),
        frames_estimate=len(files),
        rotation=0,
        display_matrix=None,
        sample_aspect=Fraction(aspect or 1).limit_denominator(1000),
        timecode=still_extras.timecode_of(spec) if spec is not None else None,
        interlaced=False,
        field_order=1,
        audio_streams=0,
        subtitle_streams=0,
    )
