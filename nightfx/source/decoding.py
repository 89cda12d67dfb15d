"""Decode the pictures of an open clip, noting signs of damage; what does not decode is skipped.

A codec takes all cores, or fewer where several renders share a machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import av
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream

from nightfx.options import MAX_PIXELS
from nightfx.source import damage, probe
from nightfx.source.joined import joints

VARIABLE = "NIGHTFX_CODEC_THREADS"
_MOST_THREADS = 16  # FFmpeg warns of more
# decoders that conceal without a flag on the picture, and may be told to fail instead
_STRICT = {"mjpeg": {"err_detect": "explode"}}
_WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
_QUOTA = Path("/sys/fs/cgroup/cpu.max")  # "150000 100000": one and a half; or "max 100000"
_VP8_MATRIX = Colorspace.ITU601  # by its definition, RFC 6386 section 9.2
_FLAGGED_BEFORE = 3  # packets: a parser gives them late
_LOOKED_AT = 24  # pictures: reordered ones come early in a stream that has them


def decode(
    container: InputContainer,
    stream: VideoStream,
    signs: damage.Signs,
    *,
    whole: bool = True,
    joined: tuple[joints.Joint, ...] = (),
) -> Iterator[av.VideoFrame]:
    """Yield every picture that decodes, noting signs of damage on the way; times go on over the joints."""
    packets, decoder = container.demux(stream), _decoder_of(stream)
    end, count = Fraction(0), 0
    bridge, doubts, part = joints.Bridge(joined), 0, 0
    while (packet := _next_packet(packets, signs)) is not None:
        count += packet.size > 0
        before, part = part, bridge.move(packet)
        # the last packet before a joint is flagged, since the count of packets begins anew behind it
        doubts = 0 if part != before else doubts + (doubts > 0 or packet.is_corrupt)
        if doubts > _FLAGGED_BEFORE or (doubts and (not joined or not packet.size)):
            signs.add("broken packets")
        for picture in _pictures(packet, decoder, signs):
            signs.patched += picture.is_corrupt
            if picture.pts is not None:
                end = (picture.pts + (picture.duration or 0)) * Fraction(picture.time_base or 0)
            yield picture
    if damage.ends_early(stream, end) or (whole and _fell_short(container, stream, count)):
        signs.add("the stream ends too early")


def decode_from(
    container: InputContainer, stream: VideoStream, goal: int, signs: damage.Signs
) -> Iterator[av.VideoFrame] | None:
    """Seek to a time in ticks and decode from there; None where the container cannot seek."""
    try:
        container.seek(goal, stream=stream)
    except av.FFmpegError:
        return None
    return decode(container, stream, signs, whole=False)


def key_frame(pictures: Iterator[av.VideoFrame]) -> av.VideoFrame | None:
    """Return the first key frame; what comes before it may refer to pictures that were skipped."""
    return next((picture for picture in pictures if picture.key_frame), None)


def survey(path: Path, max_pixels: int = MAX_PIXELS) -> tuple[int, damage.Signs]:
    """Decode a clip to its end, skipping what does not, and count the frames that come out."""
    signs = damage.Signs()
    with probe.open_source(path, max_pixels) as container:
        stream = probe.pick_stream(container, path, max_pixels)
        prepare(stream)
        joined = joints.joints_of(path)
        count = sum(1 for _ in decode(container, stream, signs, joined=joined))
    return count, signs


_STEPS, _REORDERED = 250, 16  # packets that tell a rate, and those shown last among them


def shown_times(info: probe.ClipInfo, max_pixels: int = MAX_PIXELS) -> list[Fraction]:
    """When each picture of a clip is shown, in seconds and in order, by its packets: nothing is decoded."""
    ticks, unknown = [], 0
    with probe.open_source(info.path, max_pixels) as container:
        stream = probe.pick_stream(container, info.path, max_pixels)
        packets, signs = container.demux(stream), damage.Signs()
        bridge = joints.Bridge(joints.joints_of(info.path))
        while (packet := _next_packet(packets, signs)) is not None:
            bridge.move(packet)
            at = packet.dts if packet.pts is None or info.by_dts else packet.pts
            if packet.size and not packet.is_discard:
                late = at is None or (info.by_dts and at - info.lead < info.start_pts)
                unknown += late
                ticks += [] if at is None or late else [at]
    ticks.sort()
    step = info.frame_seconds / info.time_base
    last = ticks[-1] if ticks else info.start_pts - round(step)
    # a decoder gives its last pictures when there are no more packets
    ticks += [last + round(step * count) for count in range(1, unknown + 1)]
    return [at * info.time_base for at in ticks]


def rate_varies(info: probe.ClipInfo, max_pixels: int = MAX_PIXELS) -> bool:
    """Whether the first pictures of a clip are shown for different times; a clock that rounds them is no difference."""
    with probe.open_source(info.path, max_pixels) as container:
        stream = probe.pick_stream(container, info.path, max_pixels)
        packets, signs = container.demux(stream), damage.Signs()
        read = islice(iter(lambda: _next_packet(packets, signs), None), _STEPS)
        shown = sorted(p.pts for p in read if p.pts is not None and p.size)
    if (
        len(shown) == _STEPS
    ):  # those shown last may not be all there: they come in the order of decoding
        shown = shown[:-_REORDERED]
    steps = sorted(after - before for before, after in pairwise(shown))
    if info.by_dts or not steps:
        return False
    return steps[-1] - steps[0] > max(2, steps[len(steps) // 2] // 20)


def first_picture(
    container: InputContainer, stream: VideoStream
) -> tuple[av.VideoFrame | None, bool]:
    """Return the first picture that decodes, or None; and whether pictures are shown by dts, for want of true pts."""
    pictures = decode(container, stream, damage.Signs())
    first = next(pictures, None)
    if container.format.name == "avi" or probe.has_no_times(container):
        return first, True
    if first is None or None in (first.pts, first.dts) or first.pts == first.dts:
        return first, False
    seen = [first, *islice(pictures, _LOOKED_AT)]
    return first, not _ascend([p.pts for p in seen]) and _ascend([p.dts for p in seen])


def _ascend(times: list[int | None]) -> bool:
    known = [time for time in times if time is not None]
    return all(a < b for a, b in pairwise(known))


def prepare(stream: VideoStream) -> None:
    """Let the decoder use several cores, and fail where it would conceal unseen."""
    stream.thread_type = "AUTO"
    context = stream.codec_context
    context.thread_count = decoder_threads()
    context.options = context.options | _STRICT.get(context.name, {})


def codec_threads() -> int:
    """Return the environment's number, else one for each core; each more holds pictures of its own."""
    return asked_threads() or min(cores(), _MOST_THREADS)


def decoder_threads() -> int:
    """Return the environment's number, else one for two cores: the light takes the others."""
    return asked_threads() or max(codec_threads() // 2, 1)


def asked_threads() -> int:
    """Return the environment's number; 0 lets FFmpeg choose."""
    said = os.environ.get(VARIABLE, "")
    return int(said) if said.isdecimal() else 0


def cores() -> int:
    """Cores that this process may use, with the quota of its container, if it has one."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(own, _quota() or own)


def _quota() -> int | None:
    """Return the cores of a container's quota, rounded up; None without one."""
    try:
        most, period = _QUOTA.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return None
    return -(-int(most) // int(period)) if most.isdecimal() else None


def _fell_short(container: InputContainer, stream: VideoStream, count: int) -> bool:
    """Say whether fewer packets came than an index of single samples holds."""
    return "mov" in container.format.name and count < len(stream.index_entries)


def _next_packet(
    packets: Iterator[av.Packet[VideoStream]], signs: damage.Signs
) -> av.Packet[VideoStream] | None:
    try:
        return next(packets, None)
    except av.FFmpegError as error:
        signs.add(damage.describe_error(error))
        return None


def _decoder_of(stream: VideoStream) -> VideoCodecContext:
    """The stream's own decoder; FFmpeg's of VP8 and VP9 pass over alpha, libvpx does not."""
    own = stream.codec_context
    if not probe.has_alpha_beside(stream):
        return own
    decoder = av.CodecContext.create(_WITH_ALPHA[own.name], "r")
    assert isinstance(decoder, VideoCodecContext), decoder
    decoder.extradata, decoder.options = own.extradata, own.options
    decoder.thread_count = own.thread_count
    decoder.color_primaries, decoder.color_trc = own.color_primaries, own.color_trc
    return decoder


def _pictures(
    packet: av.Packet[VideoStream], decoder: VideoCodecContext, signs: damage.Signs
) -> list[av.VideoFrame]:
    try:
        pictures = decoder.decode(packet)
    except av.FFmpegError as error:
        signs.add(damage.describe_error(error))
        return []
    if decoder.name == _WITH_ALPHA["vp8"]:
        for picture in pictures:  # libvpx leaves unsaid what FFmpeg's own decoder says
            picture.colorspace = _VP8_MATRIX
    return pictures
