"""See a frame as the generator does: small, in the working encoding."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from nightfx.apply import straight_rgb
from nightfx.options import MULTIPLE_PX
from nightfx.picture import SDR, Encoding, Float32, Frame, averaged, luma, to_rgb, to_working

Byte = NDArray[np.uint8]


class Seen(NamedTuple):
    """A frame and what the generator sees of it."""

    frame: Frame
    small: Float32
    """RGB (3, 2h, 2w) at working height, as the frame is coded (not turned)."""
    cells: Float32
    """The same at the size of the field, (3, h, w)."""


def see(frame: Frame, height: int, encoding: Encoding = SDR) -> Seen:
    """The frame at a working `height` in px, in the working encoding."""
    size = working_size(frame.height, frame.width, height)
    # averaged as seen: one glint would outshine its surroundings in light
    if encoding.is_linear or frame.coding.multiplied:
        work = to_working(straight_rgb(frame), encoding)
        small = np.stack([cv2.resize(c, size[::-1], interpolation=cv2.INTER_AREA) for c in work])
    else:
        small = to_working(small_rgb(frame, *size), encoding)
    return Seen(frame, small, halved(small))


def halved(picture: Float32) -> Float32:
    """Mean of 2×2 px, of (3, 2h, 2w)."""
    half = [cv2.resize(c, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for c in picture]
    return np.stack(half)


def working_size(height: int, width: int, working_height: int) -> tuple[int, int]:
    """(h, w), multiples of 8, of an upright frame whose shorter side becomes about `working_height` px; never larger."""
    scale = min(working_height / min(height, width), 1.0)
    small = [max(round(side * scale / MULTIPLE_PX), 1) * MULTIPLE_PX for side in (height, width)]
    return small[0], small[1]


def small_rgb(frame: Frame, height: int, width: int) -> Float32:
    """The frame as RGB (3, height, width) float32, averaged over areas plane by plane, not clipped."""
    planes = tuple(averaged(plane, (width, height)) for plane in frame.planes[:3])
    return to_rgb(frame.with_planes(planes, replace(frame.coding, sub_x=0, sub_y=0)))


def luma_of(small: Float32) -> Byte:
    """Luma of an RGB picture (3, h, w), clipped to 8 bits: what motion is found in."""
    return (np.clip(luma(small), 0, 1) * 255 + 0.5).astype(np.uint8)
