"""Between FFmpeg's pixel formats and ours: what a decoded frame's codes mean, planes in and out.

Planar integer formats are taken as they are. All others (nv12, p010, uyvy422, rgb24, pal8, big
endian …) are first laid out as their planar sibling of the same family and depth by swscale,
which moves samples and changes none: no matrix, no range and no chroma filter is involved.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import av
import numpy as np

from nightfx.errors import SourceError
from nightfx.picture.frame import Coding, Frame, Matrix, Plane, Planes

_PLANAR = re.compile(
    r"(?P<family>yuvj?|yuva|gbrp|gbrap|gray)(?P<sub>4(?:[24]0|22|44|11)p)?(?P<depth>9|1[0246])?(?:le)?"
)
# floats, whole numbers of 32 bits, chroma of a quarter both ways, and what swscale cannot lay out without touching a sample
_NOT_EXACT = re.compile(r"f16|f32|bayer|xyz|msb|^ya8|^ya16|^mono|^uyyvyy|32[bl]e|96|128|^yuv410")
SUBSAMPLING = {(1, 1): "420", (1, 0): "422", (0, 0): "444", (2, 0): "411", (0, 1): "440"}
_MATRICES: dict[int, Matrix] = {
    1: "bt709",
    4: "fcc",
    5: "bt601",
    6: "bt601",
    7: "smpte240m",
    9: "bt2020",
}
_REFUSED = {8: "YCgCo", 11: "YDzDx", 15: "IPT-C2"}
_REFUSED |= {10: "BT.2020 constant luminance in HDR", 14: "ICtCp that is neither PQ nor HLG"}
_BY_TRANSFER: dict[tuple[int, int], Matrix] = {(14, 16): "ictcp_pq", (14, 18): "ictcp_hlg"}
_BY_TRANSFER |= {(10, transfer): "bt2020c" for transfer in (1, 2, 6, 14, 15)}
_REFUSED |= {12: "chroma-derived", 13: "chroma-derived", 16: "YCgCo-R", 17: "YCgCo-R"}
RGB, UNSPECIFIED, LIMITED, FULL = 0, 2, 1, 2


def frame_of(image: av.VideoFrame, coding: Coding | None = None, *, pts: int = 0) -> Frame:
    """Copy a decoded picture out of FFmpeg, its planes in our order.

    `coding` is taken from the picture's own tags unless given. Raises SourceError for a float
    format and for a matrix that is not linear.
    """
    coding = coding or coding_of(image)
    image = as_planar(image)
    planes = tuple(_rows(plane, coding)[:, : plane.width].copy() for plane in image.planes)
    time_base = Fraction(image.time_base) if image.time_base else Fraction(1)
    return Frame(_rgb_order(planes, coding), coding, pts, time_base, image.duration or 0, image)


def fill(image: av.VideoFrame, planes: Planes, coding: Coding) -> None:
    """Copy planes in our order into a planar FFmpeg picture of the same size and format."""
    for target, plane in zip(image.planes, _ffmpeg_order(planes, coding), strict=True):
        _rows(target, coding)[:, : target.width] = plane


def coding_of(image: av.VideoFrame) -> Coding:
    """Return what the codes of a picture mean, by its tags; untagged means BT.709 from 720 lines.

    Raises SourceError for a float format and for a matrix that is not linear.
    """
    name = planar_name(image.format.name)
    found = _PLANAR.fullmatch(name)
    assert found, name
    form = av.VideoFormat(name, 64, 64)
    matrix = _matrix(found["family"], int(image.colorspace), int(image.color_trc), image.height)
    return Coding(
        pix_fmt=name.replace("yuvj", "yuv"),
        depth=int(found["depth"] or 8),
        sub_x=_log2(64 // form.chroma_width(64)) if found["sub"] else 0,
        sub_y=_log2(64 // form.chroma_height(64)) if found["sub"] else 0,
        matrix=matrix,
        full_range=_full_range(found["family"], int(image.color_range)),
        has_alpha=found["family"] in ("yuva", "gbrap"),
    )


def as_planar(image: av.VideoFrame) -> av.VideoFrame:
    """Return the picture itself, or laid out as the planar sibling of its format."""
    name = planar_name(image.format.name)
    return image if name == image.format.name else relaid(image, name)


def relaid(image: av.VideoFrame, pix_fmt: str) -> av.VideoFrame:
    """Return the same samples in another layout of the same family and depth."""
    try:
        # one thread: with more, swscale in FFmpeg 8.1 now and then leaves rows of p416, v30x and
        # ayuv64 unwritten (269 of 300 runs differed; with one thread none)
        return image.reformat(format=pix_fmt, threads=1)
    except (av.FFmpegError, OSError) as error:
        words = "is not supported: convert the clip first"
        raise SourceError(f"pixel format {image.format.name} {words}") from error


def planar_name(pix_fmt: str) -> str:
    """Return the planar little-endian format that holds the samples of `pix_fmt` unchanged."""
    if _PLANAR.fullmatch(pix_fmt):
        return pix_fmt
    form = av.VideoFormat(pix_fmt, 64, 64)
    if _NOT_EXACT.search(pix_fmt) or not form.components:
        raise SourceError(f"pixel format {pix_fmt} is not supported: convert the clip first")
    if pix_fmt == "pal8":
        return "gbrap"
    return _sibling(form)


def _sibling(form: av.VideoFormat) -> str:
    alpha = "a" if any(component.is_alpha for component in form.components) else ""
    bits = max(8, *(component.bits for component in form.components))
    depth = next(d for d in (8, 9, 10, 12, 14, 16) if d >= bits)
    suffix = "" if depth == 8 else f"{depth}le"
    if form.is_rgb:
        return f"gbr{alpha}p{suffix}"
    if len(form.components) < 3:
        return f"gray{suffix}"
    shift = _log2(64 // form.chroma_width(64)), _log2(64 // form.chroma_height(64))
    return f"yuv{alpha}{SUBSAMPLING[shift]}p{suffix}"


def _matrix(family: str, tag: int, transfer: int, height: int) -> Matrix:
    if family in ("gbrp", "gbrap"):
        return "rgb"
    if family == "gray":
        return "gray"
    if (tag, transfer) in _BY_TRANSFER:
        return _BY_TRANSFER[tag, transfer]
    if tag in _REFUSED:
        raise SourceError(
            f"colour matrix {_REFUSED[tag]} is not supported: convert to BT.709 first"
        )
    return _MATRICES.get(tag, "bt709" if height >= 720 else "bt601")


def _full_range(family: str, tag: int) -> bool:
    if family in ("gbrp", "gbrap", "yuvj"):
        return True
    # untagged gray is full in FFmpeg's own hands, untagged YUV limited
    return tag == FULL or (family == "gray" and tag != LIMITED)


def _rows(plane: av.video.plane.VideoPlane, coding: Coding) -> Plane:
    pitch = abs(plane.line_size) // np.dtype(coding.dtype).itemsize
    rows: Plane = np.frombuffer(cast(Any, plane), coding.dtype).reshape(plane.height, pitch)
    return rows if plane.line_size > 0 else rows[::-1]


def _rgb_order(planes: Planes, coding: Coding) -> Planes:
    if coding.matrix != "rgb":
        return planes
    green, blue, red, *alpha = planes
    return red, green, blue, *alpha


def _ffmpeg_order(planes: Planes, coding: Coding) -> Planes:
    if coding.matrix != "rgb":
        return planes
    red, green, blue, *alpha = planes
    return green, blue, red, *alpha


def _log2(power: int) -> int:
    return power.bit_length() - 1


@dataclass(frozen=True)
class ColorTags:
    """Colour tags as numbers of ITU-T H.273, as read; 2 (range: 0) is unspecified."""

    primaries: int = 2
    """Colour primaries."""
    transfer: int = 2
    """Transfer characteristics."""
    matrix: int = 2
    """Matrix coefficients."""
    range: int = 0
    """1 limited, 2 full (FFmpeg's numbers)."""


TRANSFER_PQ = 16  # transfer characteristics of SMPTE ST 2084
HDR_TRANSFERS = {TRANSFER_PQ: "PQ", 18: "HLG"}
_LINEAR = 8


def untold_transfer(tags: ColorTags, coding: Coding) -> str | None:
    """Return what has to be said of codes for them to be understood, such as PQ; None where SDR or light in floats is expected."""
    known = HDR_TRANSFERS | {_LINEAR: "linear light"}
    return None if coding.is_float else known.get(tags.transfer)
