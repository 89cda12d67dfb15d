"""A matte of the sky at the size of the plate, on the plate's own edges.

The scene network says at working height about where the sky is. In each neighbourhood the colours of sky and of all else are
told apart by one line in colour (`apart.py`), and alpha is how far on it a pixel lies: 0 at the colour of what stands before
the sky, 1 at the sky's. That is affine in the plate's codes, as the field is, and so it resolves roofs, leaves and wires that
the network never saw. Away from edges what the network says holds alone, and alpha is exactly 0 or 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nightfx.picture import (
    Float32,
    Float64,
    Frame,
    Plane,
    Planes,
    kernel,
    matrix_of,
    prange,
    widened,
)
from nightfx.scene.apart import tell_apart
from nightfx.scene.thin import Channel, with_thin

_BLOCKS = 32  # parts of a frame that threads share


class Matte(NamedTuple):
    """How much of each pixel is sky, and the sky's own colour."""

    alpha: Float32
    """(H, W) in [0, 1], at the size of the plate; exactly 0 or 1 away from edges."""
    sky_colour: Float32
    """(3, h, w): the daylight sky's smooth colour in the working encoding, continued where there is none."""
    model: Float32 | None = None
    """(6, h, w): what alpha was read from the plate by; see `read_model`."""


def refine(sky: Float32, small: Float32, frame: Frame) -> Matte:
    """Return the matte of a frame whose codes are affine in RGB, in SDR: nothing of full size is made but alpha.

    `sky` (h, w) in [0, 1] is how surely each place is sky, and `small` (3, h', w') the frame in small RGB, both as the frame
    is coded (not turned) and of any size.
    """
    return _refine(sky, small, _pixels_of(frame))


def refine_picture(sky: Float32, small: Float32, work: Float32) -> Matte:
    """Return the matte of a picture (3, H, W) in the working encoding, of which `small` is a small one; see `refine`."""
    return _refine(sky, small, _pixels_in(work))


def with_colour(alpha: Float32, sky: Float32, small: Float32) -> Matte:
    """Return a matte of somebody else's `alpha` (H, W), with the sky's own colour in it; see `refine` for the others."""
    return Matte(alpha, tell_apart(sky, small).colour)


def read_model(model: Float32, plate: Frame | Float32) -> Float32:
    """Return alpha (H, W) by a model (6, h, w) of RGB: three slopes, a constant, and the least and the most that it may be.

    `plate` is a frame whose codes are affine in RGB, in SDR, or a picture (3, H, W).
    """
    pixels = _pixels_of(plate) if isinstance(plate, Frame) else _pixels_in(plate)
    return _alpha_of(pixels, model)


class _Pixels(NamedTuple):
    """Planes, and what their values are in RGB: inverse · (values - zero)."""

    planes: Planes
    inverse: Float64
    zero: Float64
    clear: int
    """The plane in which thin things are looked for: luma, or green."""
    sub: tuple[int, int] = (0, 0)
    """log2 of the subsampling of the second and third plane, across and down."""

    def channel(self) -> Channel:
        """Return the plane in which thin things are looked for, and what it holds."""
        row = np.linalg.pinv(self.inverse)[self.clear]
        scale = float(row.sum())
        black = float(self.zero[self.clear])
        return Channel(self.planes[self.clear], (row / scale).astype(np.float32), scale, black)

    def model_of(self, model: Float32) -> Float32:
        """Return a model (6, h, w) of RGB as one of the planes' values."""
        slopes = np.tensordot(self.inverse.T, model[:3], 1)
        constant = model[3] - np.tensordot(self.zero, slopes, 1)
        return np.concatenate([slopes, constant[None], model[4:]]).astype(np.float32)


def _pixels_of(frame: Frame) -> _Pixels:
    coding, (matrix, zero) = frame.coding, matrix_of(frame.coding)
    if coding.matrix == "gray":
        inverse = np.outer(np.ones(3), [1 / matrix[0].sum(), 0, 0])
        return _Pixels(frame.planes[:1] * 3, inverse, zero, 0)
    inverse = np.linalg.inv(matrix).astype(np.float64)
    clear = 1 if coding.matrix == "rgb" else 0
    return _Pixels(frame.planes[:3], inverse, zero, clear, (coding.sub_x, coding.sub_y))


def _pixels_in(picture: Float32) -> _Pixels:
    red, green, blue = picture
    return _Pixels((red, green, blue), np.eye(3), np.zeros(3), 1)


def _refine(sky: Float32, small: Float32, pixels: _Pixels) -> Matte:
    apart = tell_apart(sky, small)
    model = with_thin(apart, pixels.channel())
    return Matte(_alpha_of(pixels, model), apart.colour, model)


def _alpha_of(pixels: _Pixels, model: Float32) -> Float32:
    alpha = np.empty(pixels.planes[0].shape, np.float32)
    _read(pixels.planes, pixels.model_of(model), *pixels.sub, alpha)
    return alpha


@kernel(parallel=True)
def _read(planes: Planes, model: Float32, sub_x: int, sub_y: int, alpha: Float32) -> None:
    """Alpha of each pixel by the model, read between its cells; chroma is linear between its samples."""
    first, second, third = planes
    height, width = first.shape
    _, cells_y, cells_x = model.shape
    begins = _spans(width, cells_x)
    share, none = np.float32(0.25 * sub_y), np.float32(0)
    for block in prange(_BLOCKS):
        row = np.empty((6, cells_x + 2), np.float32)
        for y in range(height * block // _BLOCKS, height * (block + 1) // _BLOCKS):
            place = min(max((y + 0.5) * cells_y / height - 0.5, 0.0), cells_y - 1.0)
            upper = min(int(place), max(cells_y - 2, 0))
            lower, along = min(upper + 1, cells_y - 1), np.float32(place - upper)
            for c in range(6):
                for x in range(cells_x):
                    above = model[c, upper, x]
                    row[c, x + 1] = above + (model[c, lower, x] - above) * along
                row[c, 0], row[c, cells_x + 1] = row[c, 1], row[c, cells_x]
            if _is_told(row, begins, alpha[y]):
                continue
            near = y >> sub_y
            far = min(max(near + 2 * (y & 1) - 1, 0), second.shape[0] - 1)
            full_b = widened(second[near], second[far], share, sub_x, width, none)
            full_r = widened(third[near], third[far], share, sub_x, width, none)
            _alpha_row(first[y], full_b, full_r, row, begins, alpha[y])


@kernel()
def _spans(width: int, cells: int) -> np.ndarray:
    """The first pixel after the centre of each cell, from before the first cell to after the last."""
    begins = np.zeros(cells + 2, np.int64)
    for cell in range(cells):
        begins[cell + 1] = int(np.ceil((cell + 0.5) * width / cells - 0.5))
    begins[cells + 1] = width
    return begins


@kernel()
def _is_told(row: Float32, begins: np.ndarray, out: Float32) -> bool:
    """Write alpha where no colour can change it; returns whether that is everywhere."""
    told = True
    for cell in range(begins.shape[0] - 1):
        most = max(row[5, cell], row[5, cell + 1])
        if most == 0 or min(row[4, cell], row[4, cell + 1]) == 1:
            out[begins[cell] : begins[cell + 1]] = np.float32(most != 0)
        else:
            told = False
    return told


@kernel()
def _alpha_row(
    a: Plane, b: Plane, c: Plane, row: Float32, begins: np.ndarray, out: Float32
) -> None:
    """Write alpha where colours tell, a span between two cells' centres at a time."""
    cells = begins.shape[0] - 2
    step = np.float32(cells / out.shape[0])
    for cell in range(cells + 1):
        left, right = row[:, cell], row[:, cell + 1]
        if max(left[5], right[5]) == 0 or min(left[4], right[4]) == 1:
            continue
        for x in range(begins[cell], begins[cell + 1]):
            on = (x + np.float32(0.5)) * step - np.float32(cell) + np.float32(0.5)
            value = (left[0] + (right[0] - left[0]) * on) * np.float32(a[x])
            value += (left[1] + (right[1] - left[1]) * on) * b[x]
            value += (left[2] + (right[2] - left[2]) * on) * c[x]
            value += left[3] + (right[3] - left[3]) * on
            least = left[4] + (right[4] - left[4]) * on
            most = left[5] + (right[5] - left[5]) * on
            out[x] = min(max(value, least), most)
