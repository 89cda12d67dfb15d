"""Carry colour, HDR, field and orientation tags from a source onto what is encoded.

Tags go on the encoder and on every frame: ProRes writes its header from the frame, H.26x from
the encoder. HDR10 numbers reach x265 only as parameters.
"""

from __future__ import annotations

import struct

import av
from av.video.codeccontext import VideoCodecContext

from nightfx.video.codecs import OutputPlan
from nightfx.video.coding import fill, relaid
from nightfx.video.frame import Frame
from nightfx.video.probe import ClipInfo, ColorTags, side_data_of


def tag_encoder(context: VideoCodecContext, tags: ColorTags) -> None:
    """Set the colour tags of an encoder."""
    context.color_primaries = tags.primaries
    context.color_trc = tags.transfer
    context.colorspace = tags.matrix
    context.color_range = tags.range


def aspect_note(info: ClipInfo, plan: OutputPlan) -> str | None:
    """Return a line where the pixel aspect is lost: PyAV can say it to encoders, and FFV1 does not write it."""
    if info.sample_aspect == 1 or plan.codec != "ffv1":
        return None
    return f"pixel aspect {info.sample_aspect} is left out: FFV1 does not carry it (ProRes does)"


def image_of(frame: Frame, plan: OutputPlan) -> av.VideoFrame:
    """Return the frame for an encoder: pixels, time and tags; captions and fields if it has them.

    Where its origin has the format already, its pixels are replaced there, because only so the
    side data (captions, field order) stays with it.
    """
    image = _canvas(frame)
    fill(image, frame.planes, frame.coding)
    if image.format.name != plan.pix_fmt:
        image = relaid(image, plan.pix_fmt)
    image.pts, image.time_base = frame.pts, frame.time_base
    image.duration = frame.duration
    image.pict_type = 0  # the encoder decides, not the source's
    image.color_primaries, image.color_trc = plan.tags.primaries, plan.tags.transfer
    image.colorspace, image.color_range = plan.tags.matrix, plan.tags.range
    return image


def _canvas(frame: Frame) -> av.VideoFrame:
    origin = frame.origin
    shape = (frame.width, frame.height, frame.coding.pix_fmt)
    if origin is None or (origin.width, origin.height, origin.format.name) != shape:
        return av.VideoFrame(*shape)
    origin.make_writable()  # the decoder may still refer to it: then this is a copy
    return origin


def scan_options(info: ClipInfo, plan: OutputPlan) -> dict[str, str]:
    """Return the encoder options that keep an interlaced source interlaced."""
    if not info.interlaced or plan.codec == "ffv1":
        return {}
    flags = {"flags": "+ilme+ildct"}
    if plan.codec == "h264":
        order = "bff" if info.field_order in (3, 4) else "tff"
        return flags | {"x264-params": f"{order}=1"}
    return flags if plan.codec == "prores" else {}


def hdr_options(first: Frame, plan: OutputPlan) -> dict[str, str]:
    """Return x265 options for the HDR10 numbers of the first frame, if it has any."""
    if plan.codec != "h265" or first.origin is None:
        return {}
    data = side_data_of(first.origin)
    params = []
    if mastering := data.get("MASTERING_DISPLAY_METADATA"):
        params.append(f"master-display={_mastering(mastering)}")
    if light := data.get("CONTENT_LIGHT_LEVEL"):
        params.append("max-cll={},{}".format(*struct.unpack("<2I", light[:8])))
    if not params:
        return {}
    base = plan.encoder_options.get("x265-params", "log-level=none")
    return {"x265-params": ":".join([base, "hdr10=1", "repeat-headers=1", *params])}


def _mastering(data: bytes) -> str:
    """Format a mastering display as x265 wants it: chromaticity in 1/50000, nits in 1/10000."""
    numbers = struct.unpack("<20i2i", data[:88])
    values = [n / d if d else 0.0 for n, d in zip(numbers[0:20:2], numbers[1:20:2], strict=True)]
    red, green, blue, white = (
        f"({round(x * 50000)},{round(y * 50000)})"
        for x, y in zip(values[0:8:2], values[1:8:2], strict=True)
    )
    low, high = (round(nits * 10000) for nits in values[8:10])
    return f"G{green}B{blue}R{red}WP{white}L({high},{low})"
