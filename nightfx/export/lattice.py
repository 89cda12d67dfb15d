"""A smooth transform of colours on a lattice over the cube of red, green and blue, fitted to pairs by least squares.

What is fitted is how far the lattice is from where it started. It bends little, and where no colour of the pairs is near it
goes on as its neighbours do, back to where it started: no place is left without a value.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nightfx.export.bins import Binned
from nightfx.picture import Float64

_BEND, _TILT, _SIZE = 1e-5, 2e-5, 1e-5  # what curvature, slope and size of the change cost
_MOST_STEPS = 60
_NEAR_ENOUGH = 1e-10  # of the first residual's square

Corners = tuple[NDArray[np.int64], Float64]
"""Of each colour the 8 points of the lattice around it (N, 8), and their shares (N, 8)."""


def corners(colours: Float64, size: int) -> Corners:
    """Return between which points of a lattice of `size` colours (N, 3) in [0, 1] lie."""
    at = colours.clip(0, 1) * (size - 1)
    low = np.minimum(at.astype(np.int64), size - 2)
    part = at - low
    steps = np.array([(r, g, b) for r in (0, 1) for g in (0, 1) for b in (0, 1)])
    places = (low[:, None] + steps) @ np.array([size**2, size, 1])
    shares = np.where(steps, part[:, None], 1 - part[:, None]).prod(2)
    return places, shares


def read(lattice: Float64, near: Corners) -> Float64:
    """Return what a lattice (S, S, S, 3) has at colours: between its points, in straight lines."""
    places, shares = near
    flat = lattice.reshape(-1, 3)
    found: Float64 = np.einsum("nk,nkc->nc", shares, flat[places])
    return found


def points(size: int) -> Float64:
    """Return the colours of a lattice's own points, (S, S, S, 3), red first."""
    line = np.linspace(0, 1, size)
    return np.stack(np.meshgrid(line, line, line, indexing="ij"), -1)


def resized(lattice: Float64, size: int) -> Float64:
    """Return a lattice of another size that says the same."""
    colours = points(size).reshape(-1, 3)
    found = read(lattice, corners(colours, lattice.shape[0]))
    return found.reshape(size, size, size, 3)


def fit_change(pairs: Binned, start: Float64, change: Float64) -> Float64:
    """Return the change (S, S, S, 3) that a lattice `start` needs to bring pairs together, found from a first guess `change`."""
    size = start.shape[0]
    near = corners(pairs.plate, size)
    weight = pairs.weight[:, None]

    def normal(x: Float64) -> Float64:
        return _splat(weight * read(x, near), near, size) + _stiff(x)

    wanted = _splat(weight * (pairs.render - read(start, near)), near, size)
    own = _splat(np.repeat(weight, 3, 1), near, size) + _stiffness(size)
    return _solved(normal, wanted, change, own)


def density(pairs: Binned, size: int) -> Float64:
    """Return how much of the picture is near each point of a lattice (S, S, S); 1 together."""
    near = corners(pairs.plate, size)
    found: Float64 = _splat(pairs.weight[:, None], near, size)[..., 0]
    return found


def _splat(values: Float64, near: Corners, size: int) -> Float64:
    places, shares = near
    flat, count = places.ravel(), size**3
    planes = [np.bincount(flat, (shares * x[:, None]).ravel(), count) for x in values.T]
    found: Float64 = np.stack(planes, -1).astype(np.float64).reshape(size, size, size, -1)
    return found


def _costs(size: int) -> tuple[float, float, float]:
    """What differences of neighbours cost, so that the whole says the same at every size."""
    step = 1 / (size - 1)
    return _BEND / step, _TILT * step, _SIZE * step**3


def _stiffness(size: int) -> float:
    bend, tilt, own = _costs(size)
    return 18 * bend + 6 * tilt + own


def _stiff(x: Float64) -> Float64:
    bend, tilt, own = _costs(x.shape[0])
    out = own * x
    for axis in range(3):
        along, told = np.moveaxis(x, axis, 0), np.moveaxis(out, axis, 0)
        slope = np.diff(along, axis=0)
        curve = bend * np.diff(slope, axis=0)
        told[1:] += tilt * slope
        told[:-1] -= tilt * slope
        told[2:] += curve
        told[1:-1] -= 2 * curve
        told[:-2] += curve
    return out


def _solved(
    normal: Callable[[Float64], Float64], wanted: Float64, x: Float64, own: Float64
) -> Float64:
    """Solve normal(x) = wanted for each channel by conjugate gradients, from a first guess."""
    rest = wanted - normal(x)
    enough = _NEAR_ENOUGH * max(float(np.square(wanted).sum()), 1e-30)
    eased = rest / own
    way, good = eased, _dot(rest, eased)
    for _ in range(_MOST_STEPS):
        if float(np.square(rest).sum()) <= enough:
            break
        pushed = normal(way)
        step = good / np.maximum(_dot(way, pushed), 1e-300)
        x, rest = x + step * way, rest - step * pushed
        eased = rest / own
        before, good = good, _dot(rest, eased)
        way = eased + good / np.maximum(before, 1e-300) * way
    return x


def _dot(a: Float64, b: Float64) -> Float64:
    found: Float64 = (a * b).sum((0, 1, 2))
    return found
