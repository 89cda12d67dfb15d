"""Pairs of colours as fewer, weighted ones: pixels of nearly the same colour in the plate become one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nightfx.picture import Float64

_BINS = 64  # along each of red, green and blue
_USUAL = 12 / 255  # an error above it pulls less: it is of a place, and not of the look


class Binned(NamedTuple):
    """Colours of the plate, what they become on the mean, and how much of the picture they are."""

    plate: Float64
    """(M, 3)."""
    render: Float64
    """(M, 3)."""
    weight: Float64
    """(M,), 1 together."""


def binned(plate: Float64, render: Float64, weight: Float64) -> Binned:
    """Return pairs (N, 3) of some weight (N,) as fewer ones."""
    places = np.minimum(plate * _BINS, _BINS - 1).astype(np.int64) @ np.array([_BINS**2, _BINS, 1])
    _, index = np.unique(places, return_inverse=True)
    total = np.bincount(index, weight)
    x, y = (
        np.stack([np.bincount(index, weight * x) for x in colours.T], 1) / total[:, None]
        for colours in (plate, render)
    )
    return Binned(x, y, total / total.sum())


def trust(error: Float64) -> Float64:
    """Return how much each pair (N,) counts that a transform misses by `error` (N, 3): the further, the less (Huber's weights)."""
    size = np.sqrt(np.square(error).mean(1))
    trusted: Float64 = _USUAL / np.maximum(size, _USUAL)
    return trusted
