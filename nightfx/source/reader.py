"""Read the shown frames of a clip, with exact times; never pass a damaged clip silently.

An edit list counts: frames it hides are decoded and not delivered. Frame-threaded decoders give
late frames only on flush, so every stream is flushed at its end.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from itertools import chain, islice
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from nightfx.errors import DamagedSourceError, SourceError
from nightfx.options import MAX_PIXELS
from nightfx.picture import FIRST_FRAME, Frame, as_planar, frame_of
from nightfx.source import damage, decoding, interlace, probe, shot, timecode
from nightfx.source.joined import behind, joints

_LAST_SECONDS = 3600  # more than a last frame is shown
_LOOKED_AT = 24  # pictures, before a render
_SEEK_BACK_SECONDS = (0, 2, 10)  # tried in turn, until a key frame is shown before the start


class Reader(shot.FrameReader):
    """A clip's frames; open it with `with`. One thread at a time may use a reader.

    Raises SourceError for what is not a clip, and DamagedSourceError for a truncated or damaged
    clip: at once where its index tells, else when decoding gets there; a picture of more than `max_pixels` is not
    decoded. With `keep_going` the
    frames that decode are delivered and a note tells how many.
    """

    def __init__(
        self, path: Path | str, *, keep_going: bool = False, max_pixels: int = MAX_PIXELS
    ) -> None:
        super().__init__()
        self.path = Path(path)
        self.max_pixels = max_pixels
        self.keep_going = keep_going
        self._cut = False
        self._scan_told = False
        self.info = self._probe()
        self._scan = self.info.interlaced
        if self._cut and not keep_going:
            raise self._damaged()

    def times_of(self, first: int, last: int) -> tuple[Fraction, Fraction]:
        """Start and end, as `frames` takes them, of the frames from `first` to `last`; a clip's count from 1001."""
        times = self._times
        self._check_numbers((first, last), FIRST_FRAME, FIRST_FRAME + len(times) - 1)
        after = last + 1 - FIRST_FRAME
        zero, end = times[0], times[after] if after < len(times) else times[-1] + _LAST_SECONDS
        return times[first - FIRST_FRAME] - zero, end - zero

    def last_number(self) -> int:
        """The number of the last frame that is shown, whatever the header claims; a clip's count from 1001."""
        return FIRST_FRAME + len(self._times) - 1

    def number_at(self, seconds: timecode.Seconds) -> int:
        """The number of the first frame that begins at `seconds` or later; a clip's count from 1001."""
        if not seconds:
            return FIRST_FRAME
        times = self._times
        return FIRST_FRAME + bisect_left(times, times[0] + timecode.exact_seconds(seconds))

    @cached_property
    def _times(self) -> list[Fraction]:
        return decoding.shown_times(self.info, self.max_pixels)  # goes through the whole file

    def _probe(self) -> probe.ClipInfo:
        with probe.open_source(self.path, self.max_pixels) as container:
            stream = probe.pick_stream(container, self.path, self.max_pixels)
            self._cut = damage.missing_tail(self.path, container.format.name, stream)
            first, by_dts = decoding.first_picture(container, stream)
            if first is None:
                told = stream.codec_context.width or self.max_pixels >= MAX_PIXELS
                limit = "" if told else f" to {self.max_pixels} pixels or fewer"
                raise SourceError(f"{self.path}: no frame of its video stream decodes{limit}")
            try:
                info = probe.describe(self.path, container, stream, first, by_dts=by_dts)
            except SourceError as error:
                raise SourceError(f"{self.path}: {error}") from error
            self._aspect = _aspect(stream)
            self._note_file_behind(container.format.name)
            self._note_streams(container, info)
        return info

    def _note_file_behind(self, format_name: str) -> None:
        if (at := behind.file_behind(self.path, format_name)) is None:
            return
        words = f"a second file begins at byte {at}, behind the first"
        if not self.keep_going:
            way = "split it there, or let --keep-going render what is read of it"
            raise SourceError(f"{self.path}: {words}: {way}")
        self.add_note(f"{words}: what is read of it is rendered")

    def _note_streams(self, container: InputContainer, info: probe.ClipInfo) -> None:
        real = probe.real_streams(container)
        if len(real) > 1:
            shape = f"{info.width}x{info.height} {info.codec}"
            self.add_note(f"{len(real)} video streams: rendering the first, {shape}")
        if any(probe.is_cover(stream) for stream in container.streams.video):
            self.add_note("the cover picture is not rendered")
        if info.is_raw:
            rate = float(info.rate or probe.FALLBACK_RATE)
            self.add_note(f"a stream without times: its frames are counted at {rate:.3f} fps")

    def _deliver(
        self, start: timecode.Seconds | None, end: timecode.Seconds | None
    ) -> Generator[Frame]:
        signs = damage.Signs()
        if self._cut:
            signs.add("the file ends too early")
        count = 0
        with closing(self._shown(start, signs)) as frames:
            for frame in _within(frames, self.info, start, end):
                if signs and not self.keep_going:
                    raise self._damaged()
                count += 1
                yield frame
        self._conclude(signs, count)

    def _conclude(self, signs: damage.Signs, count: int) -> None:
        if signs and not self.keep_going:
            raise self._damaged()
        if signs:
            self.add_note(
                f"damaged ({_reasons(signs)}): {_tally(count, signs, self.info)} rendered"
            )

    def _shown(self, start: timecode.Seconds | None, signs: damage.Signs) -> Generator[Frame]:
        """Yield frames with times in order, from the start or from a key frame before it."""
        frames = self._timed(self._pictures_from(start, signs))
        yield from _with_durations(frames, _shown_end(self.info))

    def _pictures_from(
        self, start: timecode.Seconds | None, signs: damage.Signs
    ) -> Iterator[av.VideoFrame]:
        joined = joints.joints_of(self.path)
        for begins in (joint.at for joint in joined if joint.at is not None):
            seconds = float(begins - self.info.start_pts * self.info.time_base)
            self.add_note(f"times begin anew at {seconds:.2f} s: picture and sound go on there")
        for back_seconds in _SEEK_BACK_SECONDS if start and self._can_seek and not joined else ():
            with self._decoder() as (container, stream):
                wanted = (
                    timecode.exact_seconds(start or 0) / self.info.time_base + self.info.start_pts
                )
                goal = math.floor(wanted - back_seconds / self.info.time_base)
                if (pictures := decoding.decode_from(container, stream, goal, signs)) is None:
                    break
                key = decoding.key_frame(pictures)
                at = None if key is None else self.info.shown_at(key)
                if key is not None and at is not None and at <= wanted:
                    signs.clear()
                    yield from self._of_one_aspect(chain([key], pictures), stream)
                    return
        with self._decoder() as (container, stream):
            pictures = decoding.decode(container, stream, signs, joined=joined)
            yield from self._of_one_aspect(pictures, stream)

    @property
    def _can_seek(self) -> bool:
        # times of raw streams are counted from the first on, and libvpx does not tell key frames
        return not self.info.is_raw and not self.info.alpha_beside

    def _of_one_aspect(
        self, pictures: Iterable[av.VideoFrame], stream: VideoStream
    ) -> Iterator[av.VideoFrame]:
        """Yield pictures while their pixels keep their shape, where no container says it once for all."""
        for picture in pictures:
            aspect = _aspect(stream)
            if self.info.has_aspect_by_picture and aspect != self._aspect:
                at = self.info.shown_at(picture)
                seconds = float(((at or 0) - self.info.start_pts) * self.info.time_base)
                words = f"changes from {self._aspect} to {aspect} near {seconds:.2f} s"
                raise SourceError(f"{self.path}: the pixel aspect {words}: split the clip there")
            yield picture

    @contextmanager
    def _decoder(self) -> Iterator[tuple[InputContainer, VideoStream]]:
        with probe.open_source(self.path, self.max_pixels) as container:
            stream = probe.pick_stream(container, self.path, self.max_pixels)
            decoding.prepare(stream)
            yield container, stream

    def _timed(self, pictures: Iterable[av.VideoFrame]) -> Iterator[Frame]:
        """Turn pictures into frames; times that are missing or go backwards are mended."""
        last: int | None = None
        step = max(1, round(self.info.frame_seconds / self.info.time_base))
        for picture in pictures:
            at = self.info.shown_at(picture)
            if self.info.is_raw and at is not None and last is not None and at - last < step / 2:
                at = None  # a count of pictures rather than a time
            if at is None and not self.info.by_dts:  # there the last pictures of all come without
                self.add_note("some frames carry no time: counted on from the frame rate")
            pts = _next(last, step, self.info) if at is None else at
            if last is not None and pts <= last:
                self.add_note("some frames' times run backwards: moved behind the frame before")
                pts = last + 1
            last = pts
            yield self._frame(picture, pts)

    def _frame(self, picture: av.VideoFrame, pts: int) -> Frame:
        info = self.info
        seconds = float((pts - info.start_pts) * info.time_base)
        if change := probe.change_of(info, picture):
            words = f"the picture changes {change} at {seconds:.2f} s: split the clip there"
            raise SourceError(f"{self.path}: {words}")
        if self._scan != picture.interlaced_frame and not self._scan_told:
            self._scan_told = True
            way = "interlaced" if picture.interlaced_frame else "progressive"
            self.add_note(f"turns {way} at {seconds:.2f} s: each frame is read by its own flag")
        planar = as_planar(picture)
        # what says nothing more would hold its pixels a second time, as long as the frame lives
        origin = planar if interlace.is_interlaced(info) or probe.says_more(planar) else None
        frame = frame_of(planar, info.coding, pts=pts)
        return replace(frame, time_base=info.time_base, origin=origin)

    def _damaged(self) -> DamagedSourceError:
        count, signs = decoding.survey(self.path, self.max_pixels)
        tally = _tally(count, signs, self.info)
        return DamagedSourceError(
            f"{self.path}: damaged: {tally} decode; --keep-going renders those"
        )


def early_words(path: Path, max_pixels: int = MAX_PIXELS) -> list[str]:
    """Return what the first pictures of a clip tell only when they are read: where it changes, or would be refused."""
    with Reader(path, keep_going=True, max_pixels=max_pixels) as reader:
        reader.notes.clear()
        try:
            deque(islice(reader.frames(), _LOOKED_AT), maxlen=0)
        except SourceError as error:
            reader.add_note(str(error).removeprefix(f"{path}: "))
        return reader.notes


def _aspect(stream: VideoStream) -> Fraction:
    return Fraction(stream.codec_context.sample_aspect_ratio or 1)


def _with_durations(frames: Iterable[Frame], end: int | None) -> Iterator[Frame]:
    """Let every frame last until the next, and the last one, if in doubt, until `end`.

    With B-frames mp4 and mov hold durations in coding order, which at a variable rate are not
    those of the shown frames.
    """
    last, step = None, 0
    for frame in frames:
        if last is not None:
            step = frame.pts - last.pts
            yield replace(last, duration=step)
        last = frame
    if last is not None:
        yield replace(last, duration=end - last.pts) if end and end > last.pts else last


def _shown_end(info: probe.ClipInfo) -> int | None:
    if "mov" not in info.container or info.duration_seconds is None:
        return None
    return info.start_pts + round(Fraction(info.duration_seconds) / info.time_base)


def _within(
    frames: Iterable[Frame],
    info: probe.ClipInfo,
    start: timecode.Seconds | None,
    end: timecode.Seconds | None,
) -> Iterator[Frame]:
    for frame in frames:
        seconds = (frame.pts - info.start_pts) * frame.time_base
        if end is not None and seconds >= timecode.exact_seconds(end):
            return
        if start is None or seconds >= timecode.exact_seconds(start):
            yield frame


def _next(last: int | None, step: int, info: probe.ClipInfo) -> int:
    return info.start_pts if last is None else last + step


def _tally(count: int, signs: damage.Signs, info: probe.ClipInfo) -> str:
    part = f" ({signs.patched} of them in part)" if signs.patched else ""
    about = max(info.frames_estimate or 0, count)
    return f"{count} of about {about} frames{part}"


def _reasons(signs: damage.Signs) -> str:
    return ", ".join(signs.found) or "broken pictures"
