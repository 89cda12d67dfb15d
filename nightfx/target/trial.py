"""Whether a container takes what a render will write, tried before the first frame.

What a muxer does not hold, some say with the header, some with the first packets, and some only at the end, after hours. So a
black picture and the first packets of all else are written into memory, from header to trailer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import av
from av import logging
from av.video.stream import VideoStream

from nightfx.carry import CONTAINERS, FORMATS, Note, either
from nightfx.errors import TargetError
from nightfx.source import ClipInfo
from nightfx.target import codecs, writer
from nightfx.target.times import Packet, Times

_PACKETS = 100  # of the source, of all its streams together


def try_target(
    target: Path, source: Path | None, info: ClipInfo, plan: codecs.OutputPlan
) -> list[str]:
    """Return the lines that a render by `plan` has to say of what stands beside its picture.

    Raises TargetError where its container does not take it, with FFmpeg's reason and those that do.
    """
    notes: list[str] = []
    try:
        _write(source, info, plan, notes.append)
    except (av.FFmpegError, ValueError, OSError):
        raise TargetError(f"{target}: {_refusal(source, info, plan)}") from None
    return notes


def _refusal(source: Path | None, info: ClipInfo, plan: codecs.OutputPlan) -> str:
    reason = _reason(source, info, plan)
    others = [
        suffix for suffix in FORMATS[plan.codec].homes if CONTAINERS[suffix] != plan.container
    ]
    able = [suffix for suffix in others if not _reason(source, info, _moved(plan, suffix))]
    advice = f": name one that ends in {either(able)}" if able else ""
    return f"{plan.suffix[1:]} cannot hold all of {info.path.name} ({reason}){advice}"


def _moved(plan: codecs.OutputPlan, suffix: str) -> codecs.OutputPlan:
    """Return the plan, in another container."""
    return replace(plan, suffix=suffix, container=CONTAINERS[suffix])


def _reason(source: Path | None, info: ClipInfo, plan: codecs.OutputPlan) -> str | None:
    """Why a container does not take it, in FFmpeg's words, with the last line that it logged; None where it does."""
    before = logging.get_level()
    # only here: a log that is always listened to would hold up FFmpeg's threads
    logging.set_level(logging.ERROR)
    try:
        with logging.Capture() as said:
            _write(source, info, plan, lambda _: None)
    except (av.FFmpegError, ValueError, OSError) as error:
        words = getattr(error, "strerror", None) or str(error)
        return ": ".join([words, *(line.strip() for *_, line in said[-1:])])
    finally:
        logging.set_level(before)
    return None


def _write(source: Path | None, info: ClipInfo, plan: codecs.OutputPlan, on_note: Note) -> None:
    times = Times(in_coding_order=True)
    pictures = times.watch([_black(info, plan)])

    def packets(video: VideoStream) -> Iterable[Packet]:
        return map(times.stamp, writer.encode(video, pictures, plan))

    span = writer.span_of(info, plan, info.start_pts, None, None)
    writer.mux_clip(
        packets,
        BytesIO(),
        writer.Head(info.width, info.height, info.start_pts, {}, measures_light=False),
        source=source,
        info=info,
        plan=_quickly(plan),
        span=replace(span, packets=_PACKETS),
        end=lambda: times.end,
        on_note=on_note,
    )


def _quickly(plan: codecs.OutputPlan) -> codecs.OutputPlan:
    """The plan with x264 or x265 at their fastest: what a container takes does not depend on it."""
    fast = {"preset": "ultrafast"} if plan.family in ("h264", "h265") else {}
    return replace(plan, encoder_options=plan.encoder_options | fast)


def _black(info: ClipInfo, plan: codecs.OutputPlan) -> av.VideoFrame:
    picture = av.VideoFrame(info.width, info.height, plan.pix_fmt)
    for plane in picture.planes:
        plane.update(bytes(plane.buffer_size))
    picture.pts, picture.time_base = info.start_pts, info.time_base
    picture.duration = max(round(info.frame_seconds / info.time_base), 1)
    picture.color_primaries, picture.color_trc = plan.tags.primaries, plan.tags.transfer
    picture.colorspace, picture.color_range = plan.tags.matrix, plan.tags.range
    return picture
