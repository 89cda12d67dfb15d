"""A look as a 3D LUT, fitted to pairs of colours, and as a .cube, which editors and OpenColorIO read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nightfx.export.bins import Binned, binned, trust
from nightfx.export.lattice import corners, density, fit_change, points, read, resized
from nightfx.export.targets import SIZES
from nightfx.picture import BT709, Float64

_FIRST_SIZE = 9  # it is found on a coarse lattice first
_RIDGE = 1e-5  # what a straight start costs away from a mere gain
_LEAST_DENSITY = 1e-3  # of points that no colour is near, together
_LUMA = np.array(BT709)


@dataclass(frozen=True)
class Cube:
    """A 3D LUT of signals between 0 and 1."""

    lattice: Float64
    """(S, S, S, 3): what red, green and blue become, red first."""

    def of_colours(self, colours: Float64) -> Float64:
        """Return what colours (N, 3) become, in straight lines between the points of the lattice."""
        return read(self.lattice, corners(colours, self.lattice.shape[0]))

    def text(self, title: str, lines: tuple[str, ...] = ()) -> str:
        """Return it as a .cube, `lines` as comments on top."""
        size = self.lattice.shape[0]
        head = [*(f"# {_plain(line)}" for line in lines), f'TITLE "{_plain(title)}"']
        head += [f"LUT_3D_SIZE {size}", "DOMAIN_MIN 0.0 0.0 0.0", "DOMAIN_MAX 1.0 1.0 1.0"]
        rows = self.lattice.transpose(2, 1, 0, 3).reshape(-1, 3)  # red runs fastest
        values = [f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in rows]
        return "\n".join([*head, *values, ""])


def fit_cube(plate: Float64, render: Float64, share: Float64, size: int, *, darkens: bool) -> Cube:
    """Return the 3D LUT of `size` that brings colours of the plate (N, 3) nearest to those of the render, each by its share (N,).

    A channel never falls where it rises in the plate. Where the look `darkens`, luma is nowhere above the plate's.
    """
    pairs = binned(plate, render, share)
    straight = _straight(pairs)
    change = np.zeros((_FIRST_SIZE, _FIRST_SIZE, _FIRST_SIZE, 3))
    for each in (_FIRST_SIZE, *(one for one in SIZES if one <= size)):
        start = _start(straight, each)
        change = fit_change(pairs, start, resized(change, each))
        lattice = start + change
        weight = share * trust(Cube(lattice).of_colours(plate) - render)
        pairs = binned(plate, render, weight)
    rising = _rising(lattice.clip(0, 1), density(pairs, size) + _LEAST_DENSITY / size**3)
    return Cube((_no_brighter(rising) if darkens else rising).clip(0, 1))


def _straight(pairs: Binned) -> Float64:
    """The affine transform (4, 3) nearest to pairs; a mere gain of each channel where they do not say more."""
    x, y, w = pairs.plate, pairs.render, pairs.weight[:, None]
    gain = np.diag((w * x * y).sum(0) / np.maximum((w * x * x).sum(0), 1e-12))
    gain = np.vstack([gain, np.zeros(3)])
    whole = np.column_stack([x, np.ones(len(x))])
    left = whole.T @ (w * whole) + _RIDGE * np.eye(4)
    found: Float64 = gain + np.linalg.solve(left, whole.T @ (w * (y - whole @ gain)))
    return found


def _start(straight: Float64, size: int) -> Float64:
    whole: Float64 = (points(size) @ straight[:3] + straight[3]).clip(0, 1)
    return whole


def _rising(lattice: Float64, weight: Float64) -> Float64:
    """The nearest lattice in which no channel falls where it rises in the plate, errors counted by the weight (S, S, S) of points."""
    out = np.empty_like(lattice)
    for channel in range(3):
        values, told = (np.moveaxis(x[..., channel], channel, -1) for x in (lattice, out))
        weights = np.moveaxis(weight, channel, -1)
        for row in range(len(values)):  # all at once would take much memory
            told[row] = _isotonic(values[row], weights[row])
    return out


def _isotonic(values: Float64, weights: Float64) -> Float64:
    """The nearest rows (R, S) that never fall: the largest of the least means of what lies around each value."""
    zero = np.zeros((len(values), 1))
    mass, sums = (np.cumsum(np.concatenate([zero, x], 1), 1) for x in (weights, weights * values))
    count = values.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        means = (sums[:, None, 1:] - sums[:, :-1, None]) / (mass[:, None, 1:] - mass[:, :-1, None])
    inside = np.tri(count, dtype=np.bool_).T  # from i to j, where i <= j
    means = np.where(inside, means, np.inf)
    least = np.minimum.accumulate(means[..., ::-1], 2)[..., ::-1]
    found: Float64 = np.where(inside, least, -np.inf).max(1)
    return found


def _no_brighter(lattice: Float64) -> Float64:
    """A lattice whose luma is nowhere above the plate's; between its points neither, as luma is a sum."""
    before, after = points(lattice.shape[0]) @ _LUMA, lattice @ _LUMA
    held: Float64 = lattice * np.minimum(before / np.maximum(after, 1e-12), 1)[..., None]
    return held


def _plain(text: str) -> str:
    """Text as readers of such files take it: ASCII without quotes."""
    told = "".join(c if c.isprintable() and c != '"' else "?" for c in text)
    return told.encode("ascii", "replace").decode()
