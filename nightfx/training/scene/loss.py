"""What is learnt from pixels of which only something is known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nightfx.scene.kinds import LIGHTS, SURFACES
from nightfx.training.scene.labelled import SKY, Labelled, allowed_surfaces

_EDGE = 2.0  # how much more a pixel counts on the edge of a sky
_EDGE_PX = 7
_DICE = 0.3
_LIGHTS = 1.5  # lights beside surfaces: they are few pixels


class Wanted(NamedTuple):
    """What a batch of N pictures is known to show."""

    sky: Tensor
    """(N, H, W) float32: the sky's share of each pixel."""
    allowed: Tensor
    """(N, 6, H, W): 1 for each surface that the rest may be, 0 everywhere where nothing is known."""
    lit: Tensor
    """(N, 5, H, W): 1 where a light is."""
    trust: Tensor
    """(N, 5, H, W): how much it counts whether a light is there, 0 where nobody knows."""


def wanted_of(items: list[Labelled], device: torch.device) -> Wanted:
    """The maps of all pictures as tensors."""
    sky, surface, lit, known, trust = (
        torch.from_numpy(np.stack([item[i] for item in items])).to(device) for i in range(1, 6)
    )
    table = torch.from_numpy(allowed_surfaces()).to(device)
    bits = (1 << torch.arange(len(LIGHTS), device=device)).view(1, -1, 1, 1)
    has = (known[:, None] & bits) != 0
    return Wanted(
        sky.float() / 255,
        table[surface.long()].permute(0, 3, 1, 2),
        ((lit[:, None] & bits) != 0).float(),
        has * trust[:, None].float() / 255,
    )


def scene_loss(logits: Tensor, wanted: Wanted) -> dict[str, Tensor]:
    """The terms of the loss of logits (N, 11, H, W) float32, by name."""
    surfaces, lights = logits.split([len(SURFACES), len(LIGHTS)], dim=1)
    return {
        "surfaces": _surfaces_loss(surfaces, wanted),
        "sky's shape": _DICE * _dice(surfaces.softmax(1)[:, SKY], wanted),
        "lights": _LIGHTS * _lights_loss(lights, wanted),
    }


def _surfaces_loss(logits: Tensor, wanted: Wanted) -> Tensor:
    """Cross entropy of the sky's share, and of the rest against all that it may be together."""
    log_p = logits.log_softmax(1)
    closed = torch.where(wanted.allowed > 0, 0.0, -40.0)  # e⁻⁴⁰: finite where nothing is allowed
    rest = (log_p + closed).logsumexp(1)
    loss = -(wanted.sky * log_p[:, SKY] + (1 - wanted.sky) * rest)
    weight = wanted.allowed.amax(1) * (1 + _EDGE * _edges(wanted.sky))
    return (loss * weight).sum() / weight.sum().clamp(min=1)


def _edges(sky: Tensor) -> Tensor:
    """1 near an edge of the sky, 0 elsewhere, (N, H, W)."""
    size, pad = _EDGE_PX, _EDGE_PX // 2
    most = F.max_pool2d(sky[:, None], size, 1, pad)
    least = -F.max_pool2d(-sky[:, None], size, 1, pad)
    return (most - least)[:, 0]


def _dice(found: Tensor, wanted: Wanted) -> Tensor:
    known = wanted.allowed.amax(1)
    both = (found * wanted.sky * known).sum((1, 2))
    either = ((found + wanted.sky) * known).sum((1, 2))
    there = (wanted.sky * known).sum((1, 2)) > 0.01 * found[0].numel()
    missed = 1 - (2 * both + 1) / (either + 1)
    return (missed * there).sum() / there.sum().clamp(min=1)


def _lights_loss(logits: Tensor, wanted: Wanted) -> Tensor:
    loss = F.binary_cross_entropy_with_logits(logits, wanted.lit, reduction="none")
    each = (loss * wanted.trust).sum((0, 2, 3)) / wanted.trust.sum((0, 2, 3)).clamp(min=1)
    p = logits.sigmoid() * wanted.trust
    both = (p * wanted.lit).sum((0, 2, 3))
    either = (p + wanted.lit * wanted.trust).sum((0, 2, 3))
    there = (wanted.lit * wanted.trust).sum((0, 2, 3)) > 20
    missed = (1 - (2 * both + 1) / (either + 1)) * there
    return each.sum() + _DICE * missed.mean()
