"""Write a render: encode the frames, copy everything else, and rename when it is complete.

Times stay the source's own ticks. Nothing is left under the final name, nor under the temporary
one, when anything fails.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from io import BytesIO
from itertools import chain
from pathlib import Path

import av
import cv2
from av.container import OutputContainer
from av.video.stream import VideoStream

from nightfx.carry import (
    FORMATS,
    REEL,
    Alone,
    Carrier,
    Note,
    Span,
    Timecode,
    captions_line,
    eyes_line,
    holds,
    place_of,
    read_timecode,
    timecode_lines,
)
from nightfx.disk import partial_file
from nightfx.errors import NightfxError, TargetError
from nightfx.picture import Frame
from nightfx.source import (
    FALLBACK_RATE,
    ClipInfo,
    Seconds,
    asked_threads,
    codec_threads,
    exact_seconds,
    side_data_of,
)
from nightfx.target import brightness, codecs
from nightfx.target.matroska import MatroskaHeader, complete_header, shown_size
from nightfx.target.movie import count_in_own_rate, date_tracks, name_regions
from nightfx.target.tags import (
    hdr_options,
    image_of,
    joined,
    measures_light,
    name_aspect,
    name_matrix,
    scan_options,
    tag_encoder,
)
from nightfx.target.times import Packet, Times, told

# metadata keys that mp4 and mov have a box of their own for; any other key needs the general one
_PLAIN_KEYS = {"title", "artist", "album", "album_artist", "comment", "genre", "date", "copyright"}
_PLAIN_KEYS |= {"composer", "description", "synopsis", "track", "disc", "show", "creation_time"}
_MOST_TICKS = 1_000_000  # a second
_CAPTIONS = "A53_CC"
_FEW_THREADS = 4
AVX_512F = 13  # of cv::CpuFeatures, which has no name in Python


def write_clip(
    frames: Iterable[Frame],
    target: Path,
    *,
    source: Path | None,
    info: ClipInfo,
    plan: codecs.OutputPlan,
    start_seconds: Seconds | None = None,
    end_seconds: Seconds | None = None,
    check: Callable[[Path], None] | None = None,
    on_note: Callable[[str], None],
    on_packet: Callable[[], None] = lambda: None,
) -> int:
    """Encode frames (in `plan.coding`) into `target` and return how many were written.

    Sound, subtitles, chapters and metadata are copied from `source`, from start to end; what
    cannot be copied is told through `on_note`. Without a `source` (of a sequence) the picture goes alone.
    `check` is called with the path of the finished file before it gets its final name; what it raises leaves no file.
    Raises TargetError where the target cannot be written and RetryError where the disk is full.
    """
    incoming = iter(frames)
    first = next(incoming, None)
    if first is None:
        raise NightfxError(f"{target}: no frame to write: check the start and end times")
    head = head_of(first, plan)
    span = span_of(info, plan, head.pts, start_seconds, end_seconds)
    measured = brightness.Brightness() if head.measures_light else None
    frames = captions_noted(chain([first], incoming), info, plan, on_note)
    times = Times(in_coding_order=holds(plan.container).is_movie)
    watched = times.watch(images(measured.watch(frames) if measured else frames, plan, span))
    with partial_file(target) as part:
        refuse_source(source, target)
        mux_clip(
            lambda video: told(map(times.stamp, encode(video, watched, plan)), on_packet),
            *(part, head),
            source=source,
            info=info,
            plan=plan,
            span=span,
            end=lambda: times.end,
            on_note=on_note,
        )
        if measured:
            measured.write(part)
        if check:
            check(part)
    return times.count


@dataclass(frozen=True)
class Head:
    """All that the first frame of a render decides for the rest."""

    width: int
    """Side of the picture in px."""
    height: int
    """Side of the picture in px."""
    pts: int
    """When the first frame is shown, on the source's clock."""
    options: dict[str, str]
    """Options of the encoder for HDR10."""
    measures_light: bool
    """Whether content light is measured and written."""


def head_of(first: Frame, plan: codecs.OutputPlan) -> Head:
    """Return all that a first frame decides."""
    light = measures_light(first, plan)
    return Head(first.width, first.height, first.pts, hdr_options(first, plan), light)


def refuse_source(source: Path | None, target: Path) -> None:
    """Raise TargetError where a target is the source itself."""
    if source and target.exists() and target.samefile(source):
        raise TargetError(f"{target}: is the source itself: choose another name")


def mux_clip(
    packets: Callable[[VideoStream], Iterable[Packet]],
    part: Path | BytesIO,
    head: Head,
    *,
    source: Path | None,
    info: ClipInfo,
    plan: codecs.OutputPlan,
    span: Span,
    end: Callable[[], Fraction],
    on_note: Note,
) -> None:
    """Write the packets of a picture into `part`, those of everything else between them in order of time.

    Their times are the source's, moved by the span's shift; `end` is asked last, and says when the last picture ends.
    """
    with (
        Carrier(source, span, on_note) if source else Alone() as carrier,
        _opened(part, info, plan, carrier) as container,
    ):
        add = partial(add_video, container, head, info, plan)
        video = carrier.attach(container, info.stream_index, add)
        timecode = read_timecode(info, source)
        for line in timecode_lines(timecode, plan.container, info) if timecode else ():
            on_note(line)
        moved = timecode and timecode.after((head.pts - info.start_pts) * info.time_base)
        apart = moved and _set_timecode(video, moved, info, plan.container)
        if eyes := eyes_line(info, plan.container, video.metadata):
            on_note(eyes)
        header, dates = _header_of(video, head, info, carrier), carrier.dates
        for packet in packets(video):
            ticks = packet.dts if packet.dts is not None else packet.pts
            seconds = Fraction((ticks or 0) * packet.time_base) + span.shift
            container.mux(packet)
            carrier.copy_until(seconds)
        carrier.finish(end() + span.shift)
    if plan.container == "matroska":
        complete_header(part, header)
    if plan.container == "mxf":
        name_aspect(part, head.width, head.height, info.sample_aspect)
    if holds(plan.container).is_movie:
        date_tracks(part, dates)
        name_regions(part, header.regions)
    if apart:
        count_in_own_rate(part, apart)


@contextmanager
def _opened(
    part: Path | BytesIO, info: ClipInfo, plan: codecs.OutputPlan, carrier: Carrier | Alone
) -> Iterator[OutputContainer]:
    options = {}
    if holds(plan.container).is_movie:  # the source's ticks, or pts would be rounded
        options["video_track_timescale"] = str(info.time_base.denominator)
        options["movie_timescale"] = str(_movie_ticks(info, carrier))
        if not _PLAIN_KEYS.issuperset(key.lower() for key in carrier.metadata):
            options["movflags"] = "use_metadata_tags"
    if plan.container == "matroska":
        options["metadata_header_padding"] = str(MatroskaHeader(chapters=carrier.chapters).room)
    with av.open(part, "w", format=plan.container, container_options=options) as container:
        yield container


def _header_of(
    video: VideoStream, head: Head, info: ClipInfo, carrier: Carrier | Alone
) -> MatroskaHeader:
    eyes = video.metadata.get("stereo_mode")
    shown = shown_size(head.width, head.height, info.sample_aspect, eyes)
    return MatroskaHeader(place_of(video), shown, carrier.regions, carrier.chapters)


def _movie_ticks(info: ClipInfo, carrier: Carrier | Alone) -> int:
    """Return ticks a second in which every stream's first time is whole, if they are not too many.

    Edit lists are written in them: at the muxer's 1000, a start of 1001/30000 s would be rounded.
    """
    ticks = math.lcm(info.time_base.denominator, *carrier.sample_rates)
    return ticks if ticks <= _MOST_TICKS else info.time_base.denominator


def add_video(
    container: OutputContainer, head: Head, info: ClipInfo, plan: codecs.OutputPlan
) -> VideoStream:
    """Add a picture to a file, with its encoder."""
    # SVT prints a banner past FFmpeg's log, unless told by this variable
    os.environ.setdefault("SVT_LOG", "1")
    options = joined(
        *(plan.encoder_options, scan_options(info, plan), head.options),
        *(_same_again(head, plan), _few_pictures(plan)),
    )
    video = container.add_stream(plan.encoder, rate=info.rate or FALLBACK_RATE, options=options)
    assert isinstance(video, VideoStream), plan.encoder
    context = video.codec_context
    context.width, context.height, context.pix_fmt = head.width, head.height, plan.pix_fmt
    context.time_base = info.time_base
    context.sample_aspect_ratio = info.sample_aspect
    context.thread_type, context.thread_count = "AUTO", _threads(plan)
    tag_encoder(context, plan.tags)
    if info.interlaced:
        context.field_order = info.field_order
    if plan.family == "h265" and holds(plan.container).is_movie:
        context.codec_tag = "hvc1"  # the name that Apple's players look for
    if info.display_matrix is not None:
        video.set_display_matrix(info.display_matrix)
    elif info.rotation:
        video.set_display_rotation(info.rotation)
    return video


def _threads(plan: codecs.OutputPlan) -> int:
    # x264 would take half as many again as there are cores
    return codec_threads() if plan.family == "h264" else asked_threads()


def _few_pictures(plan: codecs.OutputPlan) -> dict[str, str]:
    # a thread of its own for x264's lookahead holds four pictures more, and is of use where cores are idle
    few = plan.family == "h264" and _threads(plan) <= _FEW_THREADS
    return {"x264-params": "sync-lookahead=0"} if few else {}


def _same_again(head: Head, plan: codecs.OutputPlan) -> dict[str, str]:
    """Options by which an encoder gives the same packets for the same pictures, each time.

    With AVX-512, x264 165 looks past the ends of rows of macroblocks when it weighs them (mbtree), unless they are
    whole eights: at 720x480 two in six encodings differed, at 160x96 all.
    """
    blocks = -(-head.width // 16)
    if plan.family != "h264" or not blocks % 8 or not cv2.checkHardwareSupport(AVX_512F):
        return {}
    return {"x264-params": "asm=avx2"}


def _set_timecode(
    video: VideoStream, timecode: Timecode, info: ClipInfo, container: str
) -> Timecode | None:
    """Let a picture's stream have a timecode; returns it where it does not count with the pictures, as only mov and mp4 say."""
    held, rate = holds(container), info.rate or FALLBACK_RATE
    if held.names_reels and REEL in timecode.facts:
        video.metadata[REEL] = timecode.facts[REEL]
    video.metadata["timecode"] = timecode.start
    if timecode.fps == round(rate) or not (held.is_movie or held.is_bare):
        return None
    same = timecode.counted_as(rate)
    if same:
        video.metadata["timecode"] = same.start
    elif held.is_movie:
        video.metadata["timecode"] = "00:00:00:00"  # stands in for it
    else:
        video.metadata.pop("timecode")
    return timecode if held.is_movie else None


def encode(
    video: VideoStream, pictures: Iterable[av.VideoFrame], plan: codecs.OutputPlan
) -> Iterator[Packet]:
    """The packets of pictures, in coding order."""
    for picture in chain(pictures, [None]):
        for packet in video.encode(picture):
            if plan.family == "dnxhr":
                name_matrix(packet, plan.tags.matrix)
            yield packet


def images(frames: Iterable[Frame], plan: codecs.OutputPlan, span: Span) -> Iterator[av.VideoFrame]:
    """Frames for the encoder, with the times of the render."""
    for frame in frames:
        assert frame.coding == plan.coding, f"{frame.coding} is not what was planned"
        image = image_of(frame, plan)
        image.pts = frame.pts - round(span.shift / frame.time_base)
        yield image


def captions_noted(
    frames: Iterable[Frame], info: ClipInfo, plan: codecs.OutputPlan, on_note: Note
) -> Iterator[Frame]:
    """Say where captions that begin after the first picture, of which the plan knows, are not written."""
    told = FORMATS[plan.codec].captions or _CAPTIONS in info.side_data
    for frame in frames:
        if not told and frame.origin is not None and _CAPTIONS in side_data_of(frame.origin):
            on_note(captions_line(FORMATS[plan.codec]))
            told = True
        yield frame


def span_of(
    info: ClipInfo,
    plan: codecs.OutputPlan,
    first_pts: int,
    start: Seconds | None,
    end: Seconds | None,
) -> Span:
    """Put start and end on the source's own clock, on which its sound is timed too.

    MXF begins everything with the first picture, whenever that is shown.
    """
    timeless = holds(plan.container).is_bare
    beginning = info.start_pts * info.time_base
    shift = (first_pts - info.start_pts) * info.time_base if start else Fraction(0)
    at = beginning + shift
    return Span(
        start=at if shift or timeless else None,
        end=None if end is None else beginning + exact_seconds(end),
        shift=at if timeless else shift,
    )
