"""A small mark of what a picture shows, even out of light, by which frames are held to their plates."""

from __future__ import annotations

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from nightfx.errors import SourceError
from nightfx.picture import as_planar

MARK = (18, 32)
"""Rows and columns of a mark."""
_ROWS = 8  # of the picture that are averaged to one of a mark, of both fields
_BLUR = (5, 5)  # of a mark, within which light is taken as even
_FAINT = 0.02  # of the whole range: detail below it counts for little
_STEPS, _MOST = 31, 4  # codes for one, and most, of a mark

Marks = NDArray[np.int8]
"""A mark of each picture (N, rows * columns): its detail, even out of light."""


def mark_of(image: av.VideoFrame) -> Marks:
    """Return the mark of a decoded picture; of a format that is not read it is empty, and alike."""
    try:
        planar = as_planar(image)
    except SourceError:
        return np.zeros(MARK, np.int8)
    plane, deep = planar.planes[0], planar.format.components[0].bits > 8
    kind = np.dtype(np.uint16 if deep else np.uint8)
    rows = np.frombuffer(memoryview(plane), kind).reshape(
        plane.height, plane.line_size // kind.itemsize
    )
    peak = (1 << planar.format.components[0].bits) - 1
    return mark_of_plane(rows[:, : plane.width], peak)


def mark_of_plane(plane: NDArray[np.generic], peak: float = 1) -> Marks:
    """Return the mark of luma or green: detail within its neighbourhood, so that light counts for little."""
    some = plane[:: max(plane.shape[0] // (MARK[0] * _ROWS), 1) | 1]
    small = cv2.resize(np.ascontiguousarray(some), MARK[::-1], interpolation=cv2.INTER_AREA)
    small = np.nan_to_num(small.astype(np.float32)) / peak
    detail = small - cv2.blur(small, _BLUR)
    spread = np.sqrt(cv2.blur(detail * detail, _BLUR))
    even = detail / (spread + _FAINT * float(spread.mean()) + 1e-3)
    mark: Marks = np.rint(np.clip(even, -_MOST, _MOST) * _STEPS).astype(np.int8)
    return mark
