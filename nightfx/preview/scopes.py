"""Scopes of a picture as a grader reads them: waveform and histogram of its signal, drawn as pictures."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from nightfx.picture import BT709, Float32

Pixels = NDArray[np.uint8]
"""A picture (H, W, 3), red first."""

COLUMNS, LEVELS = 480, 256
BACKGROUND, LINE = 16, 52
# of red, green and blue on dark: even to the eye, and white where they coincide
_INKS = np.array([[1.0, 0.28, 0.22], [0.2, 0.9, 0.35], [0.25, 0.45, 1.0]], np.float32)
_TRACE = np.array([0.55, 0.9, 0.75], np.float32)
_PURE = ((1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1))
_MARKS = (0, 0.25, 0.5, 0.75, 1)


def waveform(rgb: Float32, height: int, width: int) -> Pixels:
    """Where the values of red, green and blue lie, column by column of `rgb` (3, H, W): 0 at the bottom, 1 on top."""
    drawn = np.zeros((LEVELS, COLUMNS, 3), np.float32)
    for channel, ink in zip(rgb, _INKS, strict=True):
        counts = count_levels(cv2.resize(channel, (COLUMNS, 270), interpolation=cv2.INTER_AREA))
        drawn += np.sqrt(counts / 28)[..., None] * ink
    return _on_grid(drawn[::-1], height, width, across=False)


def count_levels(plane: Float32) -> Float32:
    """How many values of each column of `plane` (H, W) lie at each of 256 levels: (256, W); beyond [0, 1] at the ends."""
    levels = np.rint(plane.clip(0, 1) * (LEVELS - 1)).astype(np.int64)
    width = plane.shape[1]
    counts = np.bincount((levels * width + np.arange(width)).ravel(), minlength=LEVELS * width)
    return counts.reshape(LEVELS, width).astype(np.float32)


def histogram(rgb: Float32, height: int, width: int) -> Pixels:
    """How often red, green and blue of `rgb` (3, H, W) have each value, 0 at the left, as the root of the share."""
    drawn = np.zeros((height, width, 3), np.float32)
    counts = np.stack([count_levels(c.reshape(-1, 1))[:, 0] for c in rgb])
    shares = np.sqrt(counts / max(float(np.partition(counts.ravel(), -4)[-4]), 1.0))
    rows = np.arange(height, 0, -1)[:, None] / height
    for share, ink in zip(shares, _INKS, strict=True):
        tall = np.interp(np.linspace(0, LEVELS - 1, width), np.arange(LEVELS), share.clip(0, 1))
        drawn += (rows <= tall * 0.96)[..., None] * ink * np.float32(0.5)
    return _on_grid(drawn, height, width, across=True)


def vectorscope(rgb: Float32, side: int) -> Pixels:
    """Where the colours of `rgb` (3, H, W) lie, grey in the middle: blue to the right, red on top, by BT.709, with marks of the six pure colours at 75 %."""
    small = np.stack([cv2.resize(c, (COLUMNS, 270), interpolation=cv2.INTER_AREA) for c in rgb])
    across, down = _places(small.reshape(3, -1), side)
    counts = np.bincount(down * side + across, minlength=side * side).reshape(side, side)
    drawn = np.zeros((side, side, 3), np.float32)
    drawn[:] = np.minimum(np.sqrt(counts.astype(np.float32) / 28), 1)[..., None] * _TRACE
    scope = _on_grid(drawn, side, side, across=True)
    cv2.circle(scope, (side // 2, side // 2), round(side * 0.45), (LINE, LINE, LINE), 1)
    pure = np.float32(0.75) * np.array(_PURE, np.float32).T
    for ink, x, y in zip(_PURE, *_places(pure, side), strict=True):
        cv2.rectangle(
            scope, (int(x) - 3, int(y) - 3), (int(x) + 3, int(y) + 3), [90 + 120 * c for c in ink]
        )
    return scope


def _places(rgb: Float32, side: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Column and row of colours (3, n) on a vectorscope."""
    luma = np.array(BT709, np.float32) @ rgb
    spread = np.float32(0.9 * (side - 1))  # a pure colour lies within the ring
    across = (rgb[2] - luma) / np.float32(2 * (1 - BT709[2]))
    up = (rgb[0] - luma) / np.float32(2 * (1 - BT709[0]))
    x, y = (np.rint((side - 1) / 2 + spread * v).astype(np.int64) for v in (across, -up))
    return x.clip(0, side - 1), y.clip(0, side - 1)


def _on_grid(drawn: Float32, height: int, width: int, *, across: bool) -> Pixels:
    sized = cv2.resize(drawn, (width, height), interpolation=cv2.INTER_AREA)
    grid = np.full((height, width, 3), BACKGROUND, np.float32)
    for mark in _MARKS:
        if across:
            grid[:, round(mark * (width - 1))] = LINE
        else:
            grid[round((1 - mark) * (height - 1))] = LINE
    lit: Pixels = np.rint((grid + sized * 255).clip(0, 255)).astype(np.uint8)
    return lit
