"""Carry colour, HDR, field and orientation tags from a source onto what is encoded.

Tags go on the encoder and on every frame: ProRes writes its header from the frame, H.26x from
the encoder. HDR10 numbers reach x265 only as parameters.
"""

from __future__ import annotations

import struct
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import av.filter
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from nightfx.carry import FORMATS
from nightfx.errors import TargetError
from nightfx.options import Family
from nightfx.picture import TRANSFER_PQ, ColorTags, Frame, fill, relaid
from nightfx.source import BOTTOM_FIRST, ClipInfo, side_data_of
from nightfx.target import brightness, codecs
from nightfx.target.matroska import opened

_MXF_ASPECT = (
    b"\x32\x0e\x00\x08"  # tag and size of a picture descriptor's aspect ratio, SMPTE ST 377-1
)
_MXF_HEADER_BYTES = 1 << 20
_VOLUME_AT = 0x2C  # of a DNxHR picture
# the option, its keys for the mastering display and content light, and what goes with them
HDR_NAMES: dict[Family, tuple[str, ...]] = {
    "h264": ("x264-params", "mastering-display", "cll"),
    "h265": ("x265-params", "master-display", "max-cll", "hdr10=1", "repeat-headers=1"),
    "av1": ("svtav1-params", "mastering-display", "content-light"),
}
# made for the source's light, shot by shot: untrue of another
_DYNAMIC = ("DYNAMIC_HDR_PLUS", "DYNAMIC_HDR_VIVID", "DOVI_METADATA", "DOVI_RPU_BUFFER")


def tag_encoder(context: VideoCodecContext, tags: ColorTags) -> None:
    """Set the colour tags of an encoder."""
    context.color_primaries = tags.primaries
    context.color_trc = tags.transfer
    context.colorspace = tags.matrix
    context.color_range = tags.range


def name_matrix(packet: av.Packet[VideoStream], matrix: int) -> None:
    """Write the matrix into a DNxHR packet: the encoder says BT.709 there whatever it is told.

    It stands in two bits of the header, the colour volume of SMPTE ST 2019-1.
    """
    data = bytearray(bytes(packet))
    volume = {1: 0, 9: 1}.get(matrix, 3)  # BT.709, BT.2020, and what the container says
    data[_VOLUME_AT] = data[_VOLUME_AT] & ~0b110 | volume << 1
    packet.update(bytes(data))


def name_aspect(target: Path | BytesIO, width: int, height: int, aspect: Fraction) -> None:
    """Write the shape of a picture into MXF: for DNxHR the muxer says there that its pixels are square."""
    square, shown = Fraction(width, height), Fraction(width, height) * aspect
    with opened(target) as file:
        at = file.read(_MXF_HEADER_BYTES).find(
            _MXF_ASPECT + struct.pack(">2I", *square.as_integer_ratio())
        )
        if at >= 0:
            file.seek(at + len(_MXF_ASPECT))
            file.write(struct.pack(">2I", *shown.as_integer_ratio()))


def image_of(frame: Frame, plan: codecs.OutputPlan) -> av.VideoFrame:
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
    if origin is None or any(kind in side_data_of(origin) for kind in _DYNAMIC):
        return av.VideoFrame(*shape)
    if (origin.width, origin.height) != shape[:2]:
        return av.VideoFrame(*shape)
    if origin.format.name != shape[2]:
        has_more = origin.interlaced_frame or "A53_CC" in side_data_of(origin)
        # only FFmpeg's own copy has the flags and captions too; its pixels are written over
        return relaid(origin, shape[2]) if has_more else av.VideoFrame(*shape)
    origin.make_writable()  # the decoder may still refer to it: then this is a copy
    return origin


def scan_options(info: ClipInfo, plan: codecs.OutputPlan) -> dict[str, str]:
    """Return the encoder options that keep an interlaced source interlaced."""
    if not info.interlaced or plan.family not in ("h264", "prores"):
        return {}
    flags = {"flags": "+ilme+ildct"}
    if plan.family == "h264":
        order = "bff" if info.field_order in BOTTOM_FIRST else "tff"
        return flags | {"x264-params": f"{order}=1"}
    return flags


def hdr_options(first: Frame, plan: codecs.OutputPlan) -> dict[str, str]:
    """Return encoder options for the HDR10 numbers of the first frame, if it has any.

    Content light is measured anew for PQ (see brightness.py); what is given here stands in for it.
    """
    if first.origin is None or plan.family not in HDR_NAMES:
        return {}
    data, (key, display, light, *always) = side_data_of(first.origin), HDR_NAMES[plan.family]
    params = []
    if mastering := data.get("MASTERING_DISPLAY_METADATA"):
        units = (1, 1) if plan.family == "av1" else (50000, 10000)
        params.append(f"{display}={_mastering(mastering, *units)}")
    if measures_light(first, plan):
        params.append("{}={},{}".format(light, *brightness.STAND_IN))
    return {key: ":".join([*always, *params])} if params else {}


def measures_light(first: Frame, plan: codecs.OutputPlan) -> bool:
    """Say whether the render's content light is measured and written: PQ that had it before."""
    had = first.origin is not None and "CONTENT_LIGHT_LEVEL" in side_data_of(first.origin)
    return had and plan.tags.transfer == TRANSFER_PQ and plan.family in HDR_NAMES


def joined(*options: dict[str, str]) -> dict[str, str]:
    """Return all options as one, the parameters of x264, x265 and SVT-AV1 one behind the other."""
    whole: dict[str, str] = {}
    for some in options:
        for key, value in some.items():
            both = key in whole and key.endswith("-params")
            whole[key] = f"{whole[key]}:{value}" if both else value
    return whole


def _mastering(data: bytes, place_unit: int, nits_unit: int) -> str:
    """Format a mastering display in steps of chromaticity and nits: 1/50000 and 1/10000 for x265."""
    numbers = struct.unpack("<20i2i", data[:88])
    values = [n / d if d else 0.0 for n, d in zip(numbers[0:20:2], numbers[1:20:2], strict=True)]
    red, green, blue, white = (
        f"({_number(x, place_unit)},{_number(y, place_unit)})"
        for x, y in zip(values[0:8:2], values[1:8:2], strict=True)
    )
    low, high = (_number(nits, nits_unit) for nits in values[8:10])
    return f"G{green}B{blue}R{red}WP{white}L({high},{low})"


def _number(value: float, unit: int) -> str:
    return f"{value:.6g}" if unit == 1 else str(round(value * unit))


def check_fields(info: ClipInfo, plan: codecs.OutputPlan) -> None:
    """Refuse to keep the fields of a clip where codec or size cannot; raises TargetError."""
    if not FORMATS[plan.codec].fields:
        raise TargetError(
            f"{info.path}: its fields cannot be kept in {plan.codec}: use --codec h264, prores or ffv1"
        )
    lines = 4 if info.coding.sub_y or plan.coding.sub_y else 2
    if info.height % lines:
        raise TargetError(
            f"{info.path}: {info.height} lines of {info.coding.pix_fmt} are not two whole fields:"
            " leave out --interlaced keep"
        )
