"""The pictures that a warm start imitates: curves that carry the values of one class to the other's, rank by rank.

A night is not a darker day. What is brightest by day, the sky, is darkest by night: so skies may have curves of their
own, and a network that has learnt them has the light of the whole picture right. That takes it far longer to learn than
one curve for all; without, every pixel counts as none of the sky.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nightfx.picture import BT601
from nightfx.training.data.pictures import Pictures
from nightfx.training.run import feed, train_options

_Pair = tuple[Tensor, Tensor]

DRAWS = 384  # pictures of each class, of each source as many, that the curves are found in
_PIXELS_A_DRAW = 600
_POINTS = 65  # of a curve
_BLACK = 0.05  # added to luma under tints: those of black are noise


@dataclass(frozen=True)
class Curves:
    """Values at equal ranks, each (3, 65) and rising: RGB of the rest, luma and two tints of skies."""

    rest: Tensor
    sky: Tensor

    def to(self, device: torch.device) -> Curves:
        """The same on `device`."""
        return Curves(self.rest.to(device), self.sky.to(device))


def find_curves(
    pictures: tuple[Pictures, Pictures], options: train_options.TrainOptions, device: torch.device
) -> tuple[Curves, Curves]:
    """The curves of both classes, by the seed of `options`; of none where nothing imitates them."""
    if not options.is_warming(0) or options.is_paired:
        nothing = Curves(torch.zeros(3, _POINTS), torch.zeros(3, _POINTS))
        return nothing, nothing
    of_A, of_B = (
        measure_curves(*_sample(x, options, feed.seeded(options.seed, "curves", letter))).to(device)
        for x, letter in zip(pictures, "AB", strict=True)
    )
    return of_A, of_B


def split_guides(batch: _Pair, curves: tuple[Curves, Curves]) -> tuple[_Pair, _Pair]:
    """Crops of A and of B, (N, 3, H, W), or (N, 4, H, W) with their sky: the crops alone, and what they should become."""
    of_A, of_B = curves
    (real_A, sky_A), (real_B, sky_B) = (
        (x[:, :3], x[:, 3:] if x.shape[1] > 3 else torch.zeros_like(x[:, :1])) for x in batch
    )
    guides = guide(real_A, sky_A, of_A, of_B), guide(real_B, sky_B, of_B, of_A)
    last = torch.channels_last
    return (
        real_A.contiguous(memory_format=last),
        real_B.contiguous(memory_format=last),
    ), guides


def _sample(pictures: Pictures, options: train_options.TrainOptions, rng: torch.Generator) -> _Pair:
    # random pixels of random pictures, as (M, 3) in [0, 1], and how much each is sky, (M,)
    load = pictures.load_with_sky if options.sees_sky(0) else pictures.load
    rows = []
    for _ in range(DRAWS):
        pixels = load(pictures.draw(rng))
        pixels = pixels.reshape(-1, pixels.shape[2])
        rows.append(pixels[torch.randint(len(pixels), (_PIXELS_A_DRAW,), generator=rng).numpy()])
    values = torch.from_numpy(np.concatenate(rows)).float() / 255
    return values[:, :3], values[:, 3] if options.sees_sky(0) else torch.zeros(len(values))


def measure_curves(pixels: Tensor, sky: Tensor) -> Curves:
    """The curves of a class from samples: `pixels` (M, 3) in [0, 1], `sky` (M,) in [0, 1] says how much each is sky."""
    return Curves(_ranked(pixels, 1 - sky), _ranked(to_tints(pixels.T[None])[0].T, sky))


def guide(real: Tensor, sky: Tensor, own: Curves, wanted: Curves) -> Tensor:
    """`real` (N, 3, H, W) in [0, 1] as it would be in the class wanted, `sky` being (N, 1, H, W); clipped to [0, 1]."""
    rest = _follow(real, own.rest, wanted.rest)
    of_sky = from_tints(_follow(to_tints(real), own.sky, wanted.sky))
    return torch.lerp(rest, of_sky, sky).clamp(0, 1)


def to_tints(rgb: Tensor) -> Tensor:
    """Luma Y, (R − Y)/(Y + 0.05) and (B − Y)/(Y + 0.05) of `rgb`; channels in dimension 1, as in all of these."""
    y = (rgb * _weights(rgb)).sum(1, keepdim=True)
    return torch.cat([y, (rgb[:, ::2] - y) / (y + _BLACK)], dim=1)


def from_tints(tints: Tensor) -> Tensor:
    """The inverse of `to_tints`."""
    y = tints[:, :1]
    red, blue = (y + tint * (y + _BLACK) for tint in tints[:, 1:].split(1, dim=1))
    green = (y - BT601[0] * red - BT601[2] * blue) / BT601[1]
    return torch.cat([red, green, blue], dim=1)


def _weights(like: Tensor) -> Tensor:
    return like.new_tensor(BT601).view(3, *([1] * (like.dim() - 2)))


def _ranked(values: Tensor, weights: Tensor) -> Tensor:
    # weighted quantiles of each column of `values` (M, 3); a class without any of the kind is ranked as a whole
    weights = weights + 1e-6
    ranks = (torch.arange(_POINTS, dtype=torch.float64) + 0.5) / _POINTS
    return torch.stack([_quantiles(column, weights, ranks) for column in values.T])


def _quantiles(values: Tensor, weights: Tensor, ranks: Tensor) -> Tensor:
    values, order = values.sort()
    mass = weights[order].double()
    places = (mass.cumsum(0) - mass / 2) / mass.sum()
    return interpolate(ranks, places, values.double()).float()


def _follow(x: Tensor, own: Tensor, wanted: Tensor) -> Tensor:
    channels = [interpolate(x[:, i].contiguous(), own[i], wanted[i]) for i in range(x.shape[1])]
    return torch.stack(channels, dim=1)


def interpolate(x: Tensor, at: Tensor, values: Tensor) -> Tensor:
    """`values` (M,), known at the rising places `at` (M,), at `x` of any shape; flat beyond both ends."""
    right = torch.searchsorted(at, x).clamp(1, len(at) - 1)
    low, high = at[right - 1], at[right]
    share = ((x - low) / (high - low).clamp(min=1e-9)).clamp(0, 1)
    return torch.lerp(values[right - 1], values[right], share)
