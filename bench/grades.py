"""Grades without a network: what a colourist does in a minute, and the best one grade for all that a search finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import av
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from nightfx.metrics import sliced_wasserstein
from nightfx.metrics.pictures import to_lines
from nightfx.picture.weights import BT601, BT709

HAND_STOPS = -2.6
HAND_GAINS = (0.75, 0.95, 1.35)  # cool
HAND_SATURATION = 0.55
# half the colour, then these filters of FFmpeg
MINUTE_SATURATION = 0.5
MINUTE_FILTERS = {
    "curves": "master='0/0 0.25/0.06 0.5/0.17 0.8/0.30 1/0.50'",
    "colorbalance": "rs=-.04:bs=.05:rm=-.06:bm=.08:rh=-.05:bh=.06",
}
GRID_PX = 32  # the search looks at so many points each way of every picture
CELLS = (8, 4, 2, 1)
PROJECTIONS = 24
RANDOM_GRADES = 300  # first guesses; the best of them are refined
STARTS = 2
ROUNDS = 40  # of refinement at most; steps are halved when none helps, and end at 1/32


@dataclass(frozen=True)
class Grade:
    """An ASC CDL (v1.2): saturation(clip(x · slope + offset) ^ power), the exchange format of graders.

    It holds exposure, tint, gamma, contrast, black lift and saturation.
    """

    slope: tuple[float, ...]
    offset: tuple[float, ...]
    power: tuple[float, ...]
    saturation: float

    def apply(self, x: Tensor) -> Tensor:
        """Grade pictures (3, H, W) or (N, 3, H, W); the result is in [0, 1]."""
        slope, offset, power, luma = (
            x.new_tensor(v).view(3, 1, 1) for v in (self.slope, self.offset, self.power, BT709)
        )
        v = (x * slope + offset).clamp(0, 1) ** power
        y = (v * luma).sum(-3, keepdim=True)
        return (y + self.saturation * (v - y)).clamp(0, 1)


class Points(NamedTuple):
    """A set of pictures by so few points that a grade of all takes milliseconds; grading points is grading pictures."""

    points: Tensor
    """(N, 3, 32, 32)."""
    weights: Tensor
    """(N,)."""


def hand_grade(x: Tensor) -> Tensor:
    """−2.6 stops in linear light, cooler, half the colour: pictures (…, 3, H, W) in [0, 1]."""
    gains, luma = (x.new_tensor(v).view(3, 1, 1) for v in (HAND_GAINS, BT709))
    light = to_linear(x) * 2**HAND_STOPS * gains
    y = (light * luma).sum(-3, keepdim=True)
    return to_shown(y + HAND_SATURATION * (light - y)).clamp(0, 1)


def minute_grade(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What an editor does in a minute by curves and colour balance, to a photograph (H, W, 3) RGB."""
    grey = (photo @ np.array(BT601, np.float32))[..., None]
    pale = np.rint(grey + MINUTE_SATURATION * (photo - grey)).clip(0, 255).astype(np.uint8)
    height, width = pale.shape[:2]
    graph = av.filter.Graph()
    first = graph.add_buffer(
        width=width, height=height, format=av.VideoFormat("rgb24"), time_base=Fraction(1, 24)
    )
    filters = [graph.add(name, settings) for name, settings in MINUTE_FILTERS.items()]
    graph.link_nodes(first, *filters, graph.add("buffersink")).configure()
    graph.push(av.VideoFrame.from_ndarray(pale, "rgb24"))
    graded = graph.pull()
    assert isinstance(graded, av.VideoFrame)
    return graded.to_ndarray(format="rgb24").astype(np.uint8)


def to_linear(x: Tensor) -> Tensor:
    """Linear light of sRGB's curve (IEC 61966-2-1)."""
    return torch.where(x <= 0.04045, x / 12.92, ((x.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4)


def to_shown(light: Tensor) -> Tensor:
    """sRGB's curve of linear light, clipped to [0, 1]."""
    v = light.clamp(0, 1)
    return torch.where(
        v <= 0.0031308, 12.92 * v, 1.055 * v.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    )


def points_of(pictures: Sequence[Tensor], weights: Sequence[float]) -> Points:
    """What the search looks at of pictures (3, H, W): the pixel in the middle of each cell of a grid."""
    grids = [
        F.interpolate(to_lines(x)[None], (GRID_PX, GRID_PX), mode="nearest-exact") for x in pictures
    ]
    return Points(torch.cat(grids), torch.tensor(weights))


def best_grade(plates: Points, wanted: Points, *, effort: int = 1) -> Grade:
    """The grade of plates that comes nearest to those wanted, by the colours and the layout of `pyramid_distance`.

    Random guesses, then steps along one number or one kind of number at a time; no chance but a fixed seed.
    """
    guesses = sorted((_cost(x, plates, wanted), x.tolist()) for x in _guess(RANDOM_GRADES * effort))
    refined = [
        _refine(torch.tensor(x), cost, plates, wanted) for cost, x in guesses[: STARTS * effort]
    ]
    return _to_grade(min(refined, key=lambda found: found[0])[1])


@torch.inference_mode()
def _cost(x: Tensor, plates: Points, wanted: Points) -> float:
    graded = plates._replace(points=_to_grade(x).apply(plates.points))
    pairs = zip(_parts(graded), _parts(wanted), strict=True)
    return sum(
        sliced_wasserstein(a, b, projections=PROJECTIONS, weights=(w_a, w_b))
        for (a, w_a), (b, w_b) in pairs
    )


def _parts(pictures: Points) -> list[tuple[Tensor, Tensor]]:
    """Colours, and what `nightfx.metrics` calls layout, with their weights."""
    colours = pictures.points[..., 2::8, 2::8].flatten(2).transpose(1, 2)
    parts = [(colours.reshape(-1, 3), pictures.weights.repeat_interleave(colours.shape[1]))]
    cells = [F.adaptive_avg_pool2d(pictures.points, n) for n in CELLS]
    for own, coarser in zip(cells, [*cells[1:], None], strict=True):
        less = 0 if coarser is None else F.interpolate(coarser, own.shape[2:], mode="nearest")
        band = own - less
        parts.append((torch.cat([band, band.flip(3)]).flatten(1), pictures.weights.repeat(2)))
    return parts


def _to_grade(x: Tensor) -> Grade:
    slope, offset, power = (tuple(v.tolist()) for v in (x[:3].exp2(), x[3:6], x[6:9].exp2()))
    return Grade(slope, offset, power, float(x[9].clamp(0, 3)))


def _guess(count: int) -> Tensor:
    # stops of slope, offset, stops of power, each common to the channels and with a tint; saturation
    rng = torch.Generator().manual_seed(2)
    u = torch.rand(count, 13, generator=rng) * 2 - 1
    slope = -1.5 + 2.5 * u[:, :1] + 0.5 * u[:, 1:4]
    offset = -0.05 + 0.15 * u[:, 4:5] + 0.05 * u[:, 5:8]
    power = 0.5 + 1.5 * u[:, 8:9] + 0.3 * u[:, 9:12]
    return torch.cat([slope, offset, power, 1 + 0.8 * u[:, 12:]], dim=1)


def _refine(x: Tensor, cost: float, plates: Points, wanted: Points) -> tuple[float, Tensor]:
    scale = torch.tensor([0.5] * 3 + [0.06] * 3 + [0.4] * 3 + [0.3])
    kinds = torch.block_diag(torch.ones(1, 3), torch.ones(1, 3), torch.ones(1, 3), torch.ones(1))
    directions = torch.cat([torch.eye(10), kinds[:3]]) * scale
    size = 1.0
    for _ in range(ROUNDS):
        before = cost
        for step in torch.cat([directions, -directions]) * size:
            moved = _cost(x + step, plates, wanted)
            if moved < cost:
                x, cost = x + step, moved
        if cost > before * 0.999:
            size /= 2
        if size < 1 / 32:
            break
    return cost, x
