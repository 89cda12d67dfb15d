"""Mattes as frames and files of 16-bit grey, white being what they are of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from nightfx.light import Borders, MattePlan, mattes_of_shot
from nightfx.picture import Coding, ColorTags, Float32, Frame
from nightfx.source import ClipInfo, as_progressive, file_of
from nightfx.target import write_grey

_CODING = Coding("gray16le", 16, 0, 0, "gray", full_range=True, has_alpha=False)
_FULL = 2  # the range, as tags say it
_OF_ITS_OWN = 2  # unspecified: a share is no colour


def grey_info(plate: ClipInfo) -> ClipInfo:
    """Return the facts of a clip of mattes, from those of its plate."""
    tags = ColorTags(_OF_ITS_OWN, _OF_ITS_OWN, _OF_ITS_OWN, _FULL)
    return replace(as_progressive(plate), coding=_CODING, tags=tags)


def grey_frames(
    frames: Iterable[Frame], plan: MattePlan, borders: Borders | None = None
) -> Iterator[list[Frame]]:
    """The mattes of each frame as frames of their own, without what the plate's carries beside its picture."""
    for frame, mattes in mattes_of_shot(frames, plan, borders):
        yield [bare(frame).with_planes((_codes(matte),), _CODING) for matte in mattes]


def bare(frame: Frame) -> Frame:
    """Return a frame without what it carries beside its picture."""
    return replace(frame, origin=None, sheet=None)


def _codes(matte: Float32) -> np.ndarray:
    return (matte * np.float32(_CODING.peak) + np.float32(0.5)).astype(np.uint16)


def write_files(
    frames: Iterator[Frame],
    target: Path,
    first: int,
    folder: Path | None = None,
    on_file: Callable[[int, Path], None] = lambda count, path: None,
) -> None:
    """Write a PNG for each frame: one of a clip is numbered from `first` on.

    `on_file` is told how many were written before one that is on the disk; until then it is in `folder`, else beside the others.
    """
    for count, frame in enumerate(frames):
        path = file_of(target, first + count if frame.number is None else frame.number)
        write_grey(frame.planes[0], path, folder)
        on_file(count, path)
