"""Write a render: encode the frames, copy everything else, and rename when it is complete.

Times stay the source's own ticks. Nothing is left under the final name, nor under the temporary
one, when anything fails.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from itertools import chain
from pathlib import Path

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

from nightfx.errors import NightfxError, TargetError
from nightfx.video.brightness import Brightness
from nightfx.video.carry import Alone, Carrier, Note, Span
from nightfx.video.codecs import OutputPlan
from nightfx.video.formats import FORMATS
from nightfx.video.frame import Frame
from nightfx.video.losses import CAPTIONED, captions_line
from nightfx.video.partial import partial_file
from nightfx.video.probe import FALLBACK_RATE, ClipInfo, side_data_of
from nightfx.video.tags import (
    aspect_note,
    hdr_options,
    image_of,
    joined,
    measures_light,
    name_matrix,
    scan_options,
    tag_encoder,
)
from nightfx.video.threads import codec_threads
from nightfx.video.timecode import Seconds, exact_seconds, shift_timecode

# metadata keys that mp4 and mov have a box of their own for; any other key needs the general one
PLAIN_KEYS = {"title", "artist", "album", "album_artist", "comment", "genre", "date", "copyright"}
PLAIN_KEYS |= {"composer", "description", "synopsis", "track", "disc", "show", "creation_time"}
MOV = ("mp4", "mov")
MOST_TICKS = 1_000_000  # a second
CAPTIONS = "A53_CC"


def write_clip(
    frames: Iterable[Frame],
    target: Path,
    *,
    source: Path | None,
    info: ClipInfo,
    plan: OutputPlan,
    start_seconds: Seconds | None = None,
    end_seconds: Seconds | None = None,
    with_sound: bool = True,
    check: Callable[[Path], None] | None = None,
    on_note: Callable[[str], None],
) -> int:
    """Encode frames (in `plan.coding`) into `target` and return how many were written.

    Sound, subtitles, chapters and metadata are copied from `source`, from start to end; what
    cannot be copied is told through `on_note`. With `with_sound=False` the picture goes alone, and
    without a `source` (of a sequence) with no metadata either.
    `check` is called with the path of the finished file before it gets its final name; what it raises leaves no file.
    Raises TargetError where the target cannot be written and RetryError where the disk is full.
    """
    incoming = iter(frames)
    first = next(incoming, None)
    if first is None:
        raise NightfxError(f"{target}: no frame to write: check the start and end times")
    if source and target.exists() and target.samefile(source):
        raise TargetError(f"{target}: is the source itself: choose another name")
    span = _span(info, first, start_seconds, end_seconds, timeless=plan.container == "mxf")
    measured = Brightness() if measures_light(first, plan) else None
    frames = chain([first], incoming)
    with partial_file(target) as part:
        with (
            Carrier(source, span, on_note) if source else Alone() as carrier,
            _opened(part, info, plan, carrier) as container,
        ):
            add_video = partial(_add_video, container, first, info, plan)
            video = carrier.attach(container, info.stream_index, add_video, sound=with_sound)
            _set_timecode(video, info, first, on_note)
            if note := aspect_note(info, plan):
                on_note(note)
            watched = measured.watch(frames) if measured else frames
            watched = _with_captions_noted(watched, info, plan, on_note)
            count = _encode(container, video, watched, plan, span, carrier)
        if measured:
            measured.write(part)
        if check:
            check(part)
    return count


@contextmanager
def _opened(
    part: Path, info: ClipInfo, plan: OutputPlan, carrier: Carrier | Alone
) -> Iterator[OutputContainer]:
    options = {}
    if plan.container in MOV:  # the source's ticks, or pts would be rounded
        options["video_track_timescale"] = str(info.time_base.denominator)
        options["movie_timescale"] = str(_movie_ticks(info, carrier))
        if not PLAIN_KEYS.issuperset(key.lower() for key in carrier.metadata):
            options["movflags"] = "use_metadata_tags"
    with av.open(part, "w", format=plan.container, container_options=options) as container:
        yield container


def _movie_ticks(info: ClipInfo, carrier: Carrier | Alone) -> int:
    """Return ticks a second in which every stream's first time is whole, if they are not too many.

    Edit lists are written in them: at the muxer's 1000, a start of 1001/30000 s would be rounded.
    """
    ticks = math.lcm(info.time_base.denominator, *carrier.sample_rates)
    return ticks if ticks <= MOST_TICKS else info.time_base.denominator


def _add_video(
    container: OutputContainer, first: Frame, info: ClipInfo, plan: OutputPlan
) -> VideoStream:
    # SVT prints a banner past FFmpeg's log, unless told by this variable
    os.environ.setdefault("SVT_LOG", "1")
    options = joined(plan.encoder_options, scan_options(info, plan), hdr_options(first, plan))
    video = container.add_stream(plan.encoder, rate=info.rate or FALLBACK_RATE, options=options)
    assert isinstance(video, VideoStream), plan.encoder
    context = video.codec_context
    context.width, context.height, context.pix_fmt = first.width, first.height, plan.pix_fmt
    context.time_base = info.time_base
    context.sample_aspect_ratio = info.sample_aspect
    context.thread_type, context.thread_count = "AUTO", codec_threads()
    tag_encoder(context, plan.tags)
    if info.interlaced:
        context.field_order = info.field_order
    if plan.family == "h265" and plan.container in MOV:
        context.codec_tag = "hvc1"  # the name that Apple's players look for
    if info.display_matrix is not None:
        video.set_display_matrix(info.display_matrix)
    elif info.rotation:
        video.set_display_rotation(info.rotation)
    return video


def _set_timecode(video: VideoStream, info: ClipInfo, first: Frame, on_note: Note) -> None:
    if info.timecode is None:
        return
    rate = info.rate or FALLBACK_RATE
    past = (first.pts - info.start_pts) * info.time_base
    moved = shift_timecode(info.timecode, round(past * rate), rate)
    if moved is None:
        on_note(f"timecode {info.timecode} is not understood at {float(rate):.3f} fps: left out")
    else:
        video.metadata["timecode"] = moved


def _encode(
    container: OutputContainer,
    video: VideoStream,
    frames: Iterable[Frame],
    plan: OutputPlan,
    span: Span,
    carrier: Carrier | Alone,
) -> int:
    """Encode and mux all frames, the copied packets between them in order of time."""
    times = _Times(in_coding_order=plan.container in MOV)
    for packet in _packets(video, times.watch(_images(frames, plan, span))):
        times.stamp(packet)
        if plan.family == "dnxhr":
            name_matrix(packet, plan.tags.matrix)
        ticks = packet.dts if packet.dts is not None else packet.pts
        seconds = Fraction((ticks or 0) * packet.time_base) + span.shift
        container.mux(packet)
        carrier.copy_until(seconds)
    carrier.finish(times.end + span.shift)
    return times.count


def _packets(
    video: VideoStream, images: Iterable[av.VideoFrame]
) -> Iterator[av.Packet[VideoStream]]:
    for image in images:
        yield from video.encode(image)
    yield from video.encode(None)


class _Times:
    """Gives packets the durations of their frames, which encoders forget.

    In mp4 and mov a duration is the time to the next packet in coding order. The last packet
    gets what makes their sum the shown time, so that the last shown frame keeps its duration.
    """

    def __init__(self, *, in_coding_order: bool) -> None:
        self.count = 0
        self.end = Fraction(0)
        """When the last picture ends, in seconds."""
        self._in_coding_order = in_coding_order
        self._durations: dict[int | None, int] = {}
        self._start, self._end = 0, 0
        self._delay: int | None = None
        self._packets = 0

    def watch(self, images: Iterable[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """Remember the times of the pictures that go by."""
        for image in images:
            pts = image.pts or 0
            self._start = pts if self.count == 0 else self._start
            self._end = pts + image.duration
            self.end = Fraction(self._end * (image.time_base or 1))
            self._durations[pts] = image.duration
            self.count += 1
            yield image

    def stamp(self, packet: av.Packet[VideoStream]) -> None:
        """Set the duration of a packet, and its dts where the encoder got that wrong."""
        self._packets += 1
        if packet.dts is not None and not self._is_possible(packet.dts, packet.pts or 0):
            # any order before the first pts will do
            packet.dts = self._start - self.count + self._packets - 1
        packet.duration = self._durations.pop(packet.pts, 0)
        if packet.dts is None or not self._in_coding_order:
            return
        if self._delay is None:
            self._delay = self._start - packet.dts
        if not self._durations:  # the last one, in coding order
            packet.duration = max(1, self._end - packet.dts - self._delay)

    def _is_possible(self, dts: int, pts: int) -> bool:
        """Say whether a dts can be: of a clip shorter than its delay, x265 gives an unset number."""
        return 2 * self._start - self._end <= dts <= pts


def _images(frames: Iterable[Frame], plan: OutputPlan, span: Span) -> Iterator[av.VideoFrame]:
    for frame in frames:
        assert frame.coding == plan.coding, f"{frame.coding} is not what was planned"
        image = image_of(frame, plan)
        image.pts = frame.pts - round(span.shift / frame.time_base)
        yield image


def _with_captions_noted(
    frames: Iterable[Frame], info: ClipInfo, plan: OutputPlan, on_note: Note
) -> Iterator[Frame]:
    """Say where captions that begin after the first picture, of which the plan knows, are not written."""
    told = plan.family in CAPTIONED or CAPTIONS in info.side_data
    for frame in frames:
        if not told and frame.origin is not None and CAPTIONS in side_data_of(frame.origin):
            on_note(captions_line(FORMATS[plan.codec]))
            told = True
        yield frame


def _span(
    info: ClipInfo, first: Frame, start: Seconds | None, end: Seconds | None, *, timeless: bool
) -> Span:
    """Put start and end on the source's own clock, on which its sound is timed too.

    A `timeless` container begins everything with the first picture, whenever that is shown.
    """
    beginning = info.start_pts * info.time_base
    shift = (first.pts - info.start_pts) * info.time_base if start else Fraction(0)
    at = beginning + shift
    return Span(
        start=at if shift or timeless else None,
        end=None if end is None else beginning + exact_seconds(end),
        shift=at if timeless else shift,
    )
