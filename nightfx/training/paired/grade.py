"""The grade by place that carries frames before to frames after: local least squares, in closed form.

Around each node of the grid the pixels are weighted by a tent that reaches its neighbours, as the grade between nodes is
interpolated; a hundredth of the whole frame is added, so that a node that sees one colour alone knows what others become.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from nightfx.network.graded import FEATURES, GRID

_WHOLE = 0.01  # of the whole frame's weight beside a node's own
_STEADY = 1e-6  # of the weight, towards the whole frame's grade: what nothing says stays so


def fit_grade(pairs: Iterable[tuple[Tensor, Tensor]]) -> Tensor:
    """The grade's numbers (1, 21, *GRID) of pairs of pictures (3, H, W) in [0, 1]."""
    squares, products, mass = (
        torch.zeros(*GRID, FEATURES, n, dtype=torch.float64) for n in (FEATURES, 3, 1)
    )
    for before, after in pairs:
        features = torch.cat([before, before.square(), torch.ones_like(before[:1])]).double()
        tents = [_tents(n, size) for n, size in zip(GRID, before.shape[1:], strict=True)]
        squares += _gathered(features, features, tents)
        products += _gathered(features, after.double(), tents)
        mass += _gathered(features, torch.ones_like(features[:1]), tents)
    whole, wanted, weight = (x.sum((0, 1)) for x in (squares, products, mass[..., -1:, :]))
    identity = torch.zeros(FEATURES, 3, dtype=torch.float64)
    identity[:3] = torch.eye(3)
    of_all = _solve(whole, wanted, identity, weight)
    share = mass[..., -1:, :] * _WHOLE / weight
    numbers = _solve(squares + share * whole, products + share * wanted, of_all, mass[..., -1:, :])
    return numbers.permute(3, 2, 0, 1).reshape(1, -1, *GRID).float()


def _solve(squares: Tensor, products: Tensor, prior: Tensor, weight: Tensor) -> Tensor:
    steady = _STEADY * weight * torch.eye(FEATURES, dtype=torch.float64)
    found: Tensor = torch.linalg.solve(squares + steady, products + steady @ prior)
    return found


def _gathered(one: Tensor, other: Tensor, tents: list[Tensor]) -> Tensor:
    """Sums of the products of (A, H, W) and (B, H, W) around each node: (rows, columns, A, B)."""
    products = (one[:, None] * other).flatten(0, 1)
    found: Tensor = tents[0] @ products @ tents[1].T
    return found.permute(1, 2, 0).reshape(*GRID, len(one), len(other))


def _tents(nodes: int, size: int) -> Tensor:
    """How much each of `size` pixels counts at each node, (nodes, size)."""
    at = torch.linspace(0, nodes - 1, size, dtype=torch.float64)
    return (1 - (at - torch.arange(nodes).view(-1, 1)).abs()).clamp(min=0)
