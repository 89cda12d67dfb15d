"""The generator of a look that was learnt from pairs of one shot: a grade for each place of the frame, and a trunk's word on it.

    y = (A x + Q x² + b) · exp(g) + o

A, Q and b are 21 numbers a cell of a grid over the whole frame, between whose nodes they are interpolated; g and o are
the relit generator's maps. A place is one of the frame: whole frames alone can be shown to it, no tiles.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nightfx.network.gain_offset import GainOffset
from nightfx.network.model import MAX_LOG_GAIN, RelitGenerator

GRID = 9, 16  # nodes down and across; the outer ones lie on the frame's edges
FEATURES = 7  # of a pixel: its three values, their squares, and 1
_MOST_GAIN = float(torch.exp(torch.tensor(MAX_LOG_GAIN)))


class GradedGenerator(RelitGenerator):
    """A relit generator behind a grade by place; it starts as the identity."""

    architecture = "graded"

    def __init__(self) -> None:
        super().__init__()
        identity = torch.zeros(3, FEATURES)
        identity[:, :3] = torch.eye(3)
        self.grade = nn.Parameter(identity.view(1, -1, 1, 1).repeat(1, 1, *GRID))

    def forward(self, x: Tensor, at: Tensor | None = None) -> Tensor:
        """Map pictures (N, 3, H, W) in [0, 1] to relit ones, not clipped.

        `at` (N, H, W, 2) says where in its frame each pixel of a crop lies, x and y from -1 to 1; without it `x` are whole.
        """
        g, o = self.maps(x)
        return graded(x, self._numbers(x, at)) * torch.exp(g) + o

    def light(self, x: Tensor) -> GainOffset:
        """The change of light for whole frames `x`, (N, 3, H, W)."""
        numbers, (g, o) = self._numbers(x), self.maps(x)
        y = graded(x, numbers) * torch.exp(g) + o
        own = torch.stack([numbers[:, FEATURES * c + c] for c in range(3)], dim=1)
        bent = torch.stack([numbers[:, FEATURES * c + 3 + c] for c in range(3)], dim=1)
        gain = ((own + 2 * bent * x) * torch.exp(g)).clamp(0, _MOST_GAIN)
        return GainOffset(gain, y - gain * x)

    def _numbers(self, x: Tensor, at: Tensor | None = None) -> Tensor:
        """The grade's 21 numbers at each pixel."""
        if at is None:
            return F.interpolate(self.grade, x.shape[-2:], mode="bilinear", align_corners=True)
        grade = self.grade.expand(len(x), -1, -1, -1)
        return F.grid_sample(grade, at, padding_mode="border", align_corners=True)


def graded(x: Tensor, numbers: Tensor) -> Tensor:
    """A x + Q x² + b for `x` (N, 3, H, W), the 21 numbers (N or 1, 21, H, W) being A, Q and b row by row."""
    features = torch.cat([x, x.square(), torch.ones_like(x[:, :1])], dim=1)
    rows = numbers.chunk(3, dim=1)
    return torch.stack([(row * features).sum(1) for row in rows], dim=1)
