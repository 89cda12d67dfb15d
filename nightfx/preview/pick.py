"""Pick the frame that a preview shows, or several. No torch is needed for it: what cannot be shown is said at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from nightfx.errors import UsageError
from nightfx.job.render_job import log_lines
from nightfx.job.source_target import asked_encoding, check_target, find_source, open_shot
from nightfx.options import RenderOptions
from nightfx.picture import CLIP_NUMBERS, Encoding, Frame, encoding_by_tags
from nightfx.source import (
    ClipInfo,
    FrameReader,
    Seconds,
    base_name,
    deinterlaced,
    is_picture,
    is_sequence,
    read_picture,
    read_tags,
)

_LEAST_FRAMES = 2  # the first and the last


class Picked(NamedTuple):
    """The frame that is shown."""

    frame: Frame
    info: ClipInfo | None
    place: int
    """Its place in the shot, from 0."""
    encoding: Encoding
    notes: tuple[str, ...] = ()
    """Lines for the user about the shot."""

    @property
    def number(self) -> int:
        """Its number: that of its file, or counted from 1001."""
        return CLIP_NUMBERS.of(self.frame, self.place)

    def square_px(self, upright: Sequence[int]) -> tuple[float, float]:
        """Width and height at which the upright picture, (height, width) in its own pixels, has square ones."""
        aspect = float(self.info.sample_aspect) if self.info else 1.0
        height, width = map(float, upright)
        is_turned = self.frame.rotation % 180
        return (width, height * aspect) if is_turned else (width * aspect, height)


class Asked(NamedTuple):
    """Which frames of a shot are shown; by default the middle one."""

    number: int | None = None
    at_seconds: float | None = None
    frames: int | None = None
    """So many, evenly from the first to the last."""


def sheet_of(source: Path, target: Path | None, options: RenderOptions) -> tuple[Path, Path]:
    """Return the source and where its sheet goes, by default NAME.preview.png beside it. Raises what stands in the way."""
    source = find_source(source)
    target = target or source.with_name(f"{base_name(source)}.preview.png".lstrip("."))
    if target.suffix.lower() != ".png":
        raise UsageError(f"{target}: a preview is written as PNG: name it so")
    check_target(source, target, options.job.overwrite)
    return source, target


def pick_frames(source: Path, options: RenderOptions, asked: Asked) -> list[Picked]:
    """The frames of a clip, a sequence or a picture that are wanted; raises UsageError."""
    number, at_seconds, count = asked
    if count is None:
        return [pick_frame(source, options, number, at_seconds)]
    if number is not None or at_seconds is not None:
        raise UsageError("--frames chooses frames by itself: leave out --frame and --at")
    _check_several(source, count)
    with open_shot(source, replace(options.source, keep_going=True)) as shot:
        options.look.check_frames(shot.number_at(0))
        picks = [pick_exactly(shot, number, options) for number in _evenly(shot, count)]
        notes = log_lines(shot, options.source, picks[0].encoding)
        return [picks[0]._replace(notes=tuple(notes)), *picks[1:]]


def _check_several(source: Path, count: int) -> None:
    if count < _LEAST_FRAMES:
        raise UsageError(f"--frames must be {_LEAST_FRAMES} or more, got {count}")
    if is_picture(source) and not is_sequence(source):
        raise UsageError(f"{source}: is one picture: leave out --frames")


def _evenly(shot: FrameReader, count: int) -> list[int]:
    """Numbers of so many frames, from the first to the last."""
    first, last = shot.number_at(0), shot.last_number()
    if last - first + 1 < count:
        words = f"has {last - first + 1} frames, fewer than --frames {count}"
        raise UsageError(f"{shot.info.path}: {words}")
    # halves go up: the middle one of three is the one that is shown by default
    steps = 2 * (count - 1)
    return [first + (2 * place * (last - first) + count - 1) // steps for place in range(count)]


def pick_exactly(shot: FrameReader, number: int, options: RenderOptions) -> Picked:
    """The frame of that number, whatever the rate of the shot does."""
    seconds, _ = shot.times_of(number, number)
    picked = pick(shot, None, seconds, asked_encoding(options.source))
    counted = picked.frame.number is None
    return picked._replace(place=number - shot.number_at(0)) if counted else picked


def pick_frame(
    source: Path, options: RenderOptions, number: int | None, at_seconds: float | None
) -> Picked:
    """The frame of a clip, a sequence or a picture that is asked for, by default the middle one; raises UsageError."""
    if number is not None and at_seconds is not None:
        raise UsageError("--frame and --at both choose a frame: give one of them")
    if is_picture(source) and not is_sequence(source):
        still = read_picture(source, options.source.max_pixels)
        own = encoding_by_tags(read_tags(source), still.coding)
        picked = Picked(still, None, 0, asked_encoding(options.source) or own)
        options.look.check_frames(picked.number)
        return picked
    with open_shot(source, replace(options.source, keep_going=True)) as shot:
        options.look.check_frames(shot.number_at(0))
        picked = pick(shot, number, at_seconds, asked_encoding(options.source))
        notes = log_lines(shot, options.source, picked.encoding)
        return picked._replace(notes=tuple(notes))


def pick(
    shot: FrameReader, number: int | None, at_seconds: Seconds | None, asked: Encoding | None
) -> Picked:
    """The frame of a clip or a sequence that is asked for, by default the middle one; raises UsageError."""
    info, first = shot.info, shot.number_at(0)
    rate = info.rate or 1 / info.time_base
    wanted = (info.frames_estimate or 1) // 2 if number is None else number - first
    # half a frame early: what is meant is not left out by rounding
    seconds = at_seconds if at_seconds is not None else max((wanted - 0.5) / float(rate), 0.0)
    frame = next(_frames(shot, seconds), None) if wanted >= 0 and seconds >= 0 else None
    if frame is None and number is None and at_seconds is None:
        frame = next(_frames(shot, 0.0), None)
    if frame is None:
        words = f"frames {first} to {shot.last_number()}"
        place = f"--at {float(at_seconds):g}" if at_seconds is not None else f"--frame {number}"
        raise UsageError(f"{info.path}: {place} is not in it: it has {words}")
    index = round((frame.pts - info.start_pts) * frame.time_base * rate)
    return Picked(frame, info, index, asked or encoding_by_tags(info.tags, info.coding))


def _frames(shot: FrameReader, seconds: Seconds) -> Iterator[Frame]:
    frames = shot.frames(seconds)
    return deinterlaced(frames)
