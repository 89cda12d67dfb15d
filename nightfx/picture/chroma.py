"""Between the size of luma and that of chroma, whose samples stand on the even luma columns, and between two rows.

Going up is linear interpolation; going down is the triangle filter that matches it: [1], [1 2 1]/4 or [1 2 3 4 3 2 1]/16
across, and the mean of the rows that a sample serves.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nightfx.picture.compiled import kernel, prange
from nightfx.picture.frame import Float32, Plane

_Scalar = np.floating[Any]


def average_at_sites(plane: Plane, sub_x: int, sub_y: int) -> Float32:
    """Average a plane of full size where chroma samples stand: by the triangle that chroma is decimated with."""
    height, width = plane.shape
    out = np.empty((-(-height >> sub_y), -(-width >> sub_x)), np.float32)
    _average(plane, sub_x, sub_y, out)
    return out


@kernel(parallel=True)
def _average(plane: Plane, sub_x: int, sub_y: int, out: Float32) -> None:
    for row in prange(out.shape[0]):
        bottom = min((row + 1) << sub_y, plane.shape[0])
        average_rows(plane, row << sub_y, bottom, sub_x, out[row])


@kernel()
def average_rows(plane: Plane, top: int, bottom: int, sub_x: int, out: Float32) -> None:
    """Average the rows from `top` to before `bottom` where one row of chroma samples, `out`, stands."""
    step, width = 1 << sub_x, plane.shape[1]
    share = np.float32(1) / np.float32((bottom - top) * step * step)
    out[:] = 0
    for y in range(top, bottom):
        for k in range(1 - step, step):
            weight = np.float32(step - abs(k)) * share
            for x in range(out.shape[0]):
                out[x] += plane[y, min(max((x << sub_x) + k, 0), width - 1)] * weight


@kernel()
def widened(
    near: Plane, far: Plane, share: _Scalar, sub_x: int, width: int, centre: _Scalar
) -> Float32:
    """Return one row of chroma at full width, less its centre; linear between the samples."""
    step = 1 << sub_x
    count = near.shape[0]
    row = np.empty(count + 1, np.float32)
    for i in range(count):
        row[i] = near[i] * (np.float32(1) - share) + far[i] * share - centre
    row[count] = row[count - 1]
    full = np.empty(count * step, np.float32)
    for k in range(step):
        along = np.float32(k) / np.float32(step)
        for i in range(count):
            full[i * step + k] = row[i] + (row[i + 1] - row[i]) * along
    return full[:width]
