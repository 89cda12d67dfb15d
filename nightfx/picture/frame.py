"""A picture as decoded: planes of code values, what they stand for, and when it is shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[Any]
"""One plane (H, W), uint8, uint16 or float32, C-contiguous."""

Planes = tuple[Plane, ...]
"""Y, U, V or R, G, B or Y alone; then alpha, when there is one."""
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

FIRST_FRAME = 1001
"""Number of the first frame of a clip, as shots count; files of a sequence have their own."""
Matrix = Literal[
    "rgb",
    "gray",
    "bt709",
    "bt601",
    "bt2020",
    "smpte240m",
    "fcc",
    "bt2020c",
    "ictcp_pq",
    "ictcp_hlg",
]
"""The last three are not linear: they tie light to codes."""


@dataclass(frozen=True)
class Coding:
    """How code values stand for colour."""

    pix_fmt: str
    """Planar little-endian FFmpeg name, such as `yuv420p`, `gbrp16le` or `gbrpf32le` (never `yuvj…`)."""
    depth: int
    """Bits in a code value, 8 to 16; 32 is float, where nothing is rounded or clipped."""
    sub_x: int
    """log2 of the horizontal chroma subsampling."""
    sub_y: int
    """log2 of the vertical chroma subsampling."""
    matrix: Matrix
    """The matrix that ties the planes to RGB."""
    full_range: bool
    """Codes 0 to `peak` for black to white, rather than 16 to 235 (at 8 bits)."""
    has_alpha: bool
    """The last plane is alpha, always full range."""
    multiplied: bool = False
    """Colour is multiplied by alpha (associated), as EXR has it."""

    @property
    def peak(self) -> int:
        """Largest code value; of float the one that stands for 1."""
        return 1 if self.is_float else (1 << self.depth) - 1

    @property
    def is_float(self) -> bool:
        """Values have no bounds: below 0 and above 1 they mean what they say."""
        return self.depth == 32

    @property
    def dtype(self) -> type[np.uint8] | type[np.uint16] | type[np.float32]:
        """Type of the planes' elements."""
        if self.is_float:
            return np.float32
        return np.uint8 if self.depth == 8 else np.uint16

    @property
    def plane_count(self) -> int:
        """Number of planes, alpha included."""
        return (1 if self.matrix == "gray" else 3) + self.has_alpha

    def plane_size(self, index: int, height: int, width: int) -> tuple[int, int]:
        """Return (height, width) of a plane of a picture; chroma is rounded up."""
        if index not in (1, 2):
            return height, width
        return -(-height >> self.sub_y), -(-width >> self.sub_x)


def rgb_coding(depth: int, *, alpha: bool) -> Coding:
    """The coding of RGB planes of full range: 8 to 16 bits, or 32 for float, whose alpha is associated."""
    bits = {8: "", 32: "f32le"}.get(depth, f"{depth}le")
    name = f"gbr{'a' if alpha else ''}p{bits}"
    return Coding(
        *(name, depth, 0, 0, "rgb"),
        full_range=True,
        has_alpha=alpha,
        multiplied=alpha and depth == 32,
    )


@dataclass(frozen=True, eq=False)
class Frame:
    """One shown picture."""

    planes: Planes
    """Y, U, V[, A] or R, G, B[, A] or Y; each (H, W), C-contiguous, of the coding's dtype."""
    coding: Coding
    """The meaning of the code values."""
    pts: int
    """When it is shown, in units of `time_base`."""
    time_base: Fraction
    """Seconds in one tick."""
    duration: int = 0
    """How long it is shown, in units of `time_base`; 0 is unknown."""
    origin: av.VideoFrame | None = None
    """The decoded frame, where it has side data or fields; its pixels may be overwritten by the writer."""
    number: int | None = None
    """Its number in a sequence of files; None in a clip."""
    sheet: Any = None
    """The sheet of its file in a sequence (see still.py), for the writer."""

    @property
    def width(self) -> int:
        """Width of the picture in pixels."""
        return int(self.planes[0].shape[1])

    @property
    def height(self) -> int:
        """Height of the picture in pixels."""
        return int(self.planes[0].shape[0])

    @property
    def rotation(self) -> int:
        """Degrees counter-clockwise by which a player turns the picture."""
        return self.origin.rotation if self.origin is not None else 0

    @property
    def alpha(self) -> Plane | None:
        """The alpha plane (H, W), or None."""
        return self.planes[-1] if self.coding.has_alpha else None

    def with_planes(self, planes: Planes, coding: Coding | None = None) -> Frame:
        """Return this frame with other pixels, and with another coding if one is given."""
        return replace(self, planes=planes, coding=coding or self.coding)


def upright(rgb: np.ndarray, frame: Frame) -> np.ndarray:
    """A picture (3, H, W) of `frame`, turned as a player turns it: the generator was taught that the sky is above."""
    return np.ascontiguousarray(np.rot90(rgb, round(frame.rotation / 90), axes=(1, 2)))


def as_coded(maps: np.ndarray, frame: Frame) -> np.ndarray:
    """Return maps that `upright` turned, turned back."""
    return np.ascontiguousarray(np.rot90(maps, -round(frame.rotation / 90), axes=(1, 2)))


class Numbering(NamedTuple):
    """How the pictures of a shot are numbered: as their files are, or from the first one on."""

    first: int = FIRST_FRAME
    """Number of the first frame that is rendered, where it is no file's."""
    per_frame: int = 1
    """Pictures in a frame: 2 where they are fields."""

    def of(self, frame: Frame, place: int) -> int:
        """The number of the picture at a `place`, which counts from 0, the first one rendered."""
        return frame.number if frame.number is not None else self.first + place // self.per_frame


CLIP_NUMBERS = Numbering()
"""Those of a clip that is rendered from its first frame on, and of a single picture."""
