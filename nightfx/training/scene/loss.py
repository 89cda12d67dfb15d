"""What is learnt from pixels of which only something is known."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nightfx.scene.kinds import LIGHTS, SURFACES
from nightfx.training.scene.labelled import PERSON, SKY, VEHICLE, Byte, Labelled, allowed_surfaces

_EDGE = 2.0  # how much more a pixel counts on the edge of a sky
_EDGE_PX = 7
_RARE = 0.5  # how much more one of a vehicle or a person counts
# how much more it counts that a light is there than that it is not
_THERE = {"window": 1.0, "sign": 2.0, "lamp": 2.0, "front-lamp": 5.0, "rear-lamp": 5.0}
_DICE = 0.3
_LEAST = 1e-6  # of a probability
_SOME, _SOME_PX = 0.01, 20  # of a picture, and in px: fewer have no shape
_LIGHTS = 1.5  # lights beside surfaces: they are few pixels


class Wanted(NamedTuple):
    """What a batch of N pictures is known to show."""

    sky: Tensor
    """(N, H, W) float32: the sky's share of each pixel."""
    edges: Tensor
    """(N, H, W): 1 near an edge of the sky, 0 elsewhere."""
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
    bits = (1 << torch.arange(len(LIGHTS), device=device, dtype=torch.uint8)).view(1, -1, 1, 1)
    return Wanted(
        sky.float() / 255,
        torch.from_numpy(np.stack([_edges(item.sky) for item in items])).to(device),
        table.T[:, surface.long()].transpose(0, 1),
        ((lit[:, None] & bits) != 0).float(),
        ((known[:, None] & bits) != 0) * (trust[:, None].float() / 255),
    )


def _edges(sky: Byte) -> np.ndarray:
    """1 near an edge of the sky, 0 elsewhere, (H, W) float32."""
    square = np.ones((_EDGE_PX, _EDGE_PX), np.uint8)
    edges = np.asarray(cv2.morphologyEx(sky, cv2.MORPH_GRADIENT, square))
    return edges.astype(np.float32) * np.float32(1 / 255)


def scene_loss(logits: Tensor, wanted: Wanted) -> dict[str, Tensor]:
    """The terms of the loss of logits (N, 11, H, W) float32, by name."""
    surfaces, lights = logits.contiguous().split([len(SURFACES), len(LIGHTS)], dim=1)
    log_p, known = surfaces.log_softmax(1), wanted.allowed.amax(1)
    return {
        "surfaces": _surfaces_loss(log_p, known, wanted),
        "sky's shape": _DICE * _dice(log_p[:, SKY].exp(), known, wanted.sky),
        "lights": _LIGHTS * _lights_loss(lights, wanted),
    }


def held_loss(logits: Tensor, wanted: Wanted, before: Tensor) -> Tensor:
    """How far logits (N, 11, H, W) are from those of another network, `before`, where the labels leave something open."""
    sizes = [len(SURFACES), len(LIGHTS)]
    (own, lights), (old, old_lights) = (
        x.contiguous().split(sizes, dim=1) for x in (logits, before)
    )
    # which of the surfaces but the sky it is: how much of it is sky, the labels say
    own, old = own[:, 1:].log_softmax(1), old[:, 1:].log_softmax(1)
    open_ = (wanted.allowed.sum(1) != 1) * (1 - wanted.sky)
    apart = ((old.exp() * (old - own)).sum(1) * open_).sum() / open_.sum().clamp(min=1)
    doubt = 1 - wanted.trust
    loss = F.binary_cross_entropy_with_logits(lights, old_lights.sigmoid(), doubt, reduction="none")
    least = F.binary_cross_entropy_with_logits(
        old_lights, old_lights.sigmoid(), doubt, reduction="none"
    )
    of_lights = (loss - least).sum((0, 2, 3)) / doubt.sum((0, 2, 3)).clamp(min=1)
    whole: Tensor = apart + _LIGHTS * of_lights.sum()
    return whole


def _surfaces_loss(log_p: Tensor, known: Tensor, wanted: Wanted) -> Tensor:
    """Cross entropy of the sky's share, and of the rest against all that it may be together."""
    rest = ((log_p.exp() * wanted.allowed).sum(1) + _LEAST).log()
    loss = -(wanted.sky * log_p[:, SKY] + (1 - wanted.sky) * rest)
    is_one = wanted.allowed.sum(1) == 1
    rare = (wanted.allowed[:, VEHICLE] + wanted.allowed[:, PERSON]) * is_one
    weight = known * (1 + _EDGE * wanted.edges + _RARE * rare)
    return (loss * weight).sum() / weight.sum().clamp(min=1)


def _dice(found: Tensor, known: Tensor, sky: Tensor) -> Tensor:
    """How far the sky is from the wanted one as a shape, mean over the pictures that have some."""
    both = (found * sky * known).sum((1, 2))
    either = ((found + sky) * known).sum((1, 2))
    there = (sky * known).sum((1, 2)) > _SOME * found[0].numel()
    missed = 1 - (2 * both + 1) / (either + 1)
    return (missed * there).sum() / there.sum().clamp(min=1)


def _lights_loss(logits: Tensor, wanted: Wanted) -> Tensor:
    """Cross entropy and shape of each kind of light, over all pictures of the batch."""
    more = logits.new_tensor([_THERE[light] for light in LIGHTS]).view(-1, 1, 1)
    loss = F.binary_cross_entropy_with_logits(
        logits, wanted.lit, wanted.trust, reduction="none", pos_weight=more
    )
    trusted = wanted.trust.sum((0, 2, 3))
    there = wanted.lit * wanted.trust
    p = logits.sigmoid()
    both, found, wanted_too = (x.sum((0, 2, 3)) for x in (p * there, p * wanted.trust, there))
    missed = (1 - (2 * both + 1) / (found + wanted_too + 1)) * (wanted_too > _SOME_PX)
    return (loss.sum((0, 2, 3)) / trusted.clamp(min=1)).sum() + _DICE * missed.mean()
