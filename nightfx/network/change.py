"""The change of light that a generator wants for a frame."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Light(NamedTuple):
    """A change of light: `picture * gain + offset`, both (N, 3, H, W) float32, linear in strength's terms."""

    gain: Tensor
    offset: Tensor


def replaced(x: Tensor, picture: Tensor, strength: float) -> Light:
    """The change from pictures `x` to a generator's own `picture`, which replaces them by `strength`."""
    return Light(torch.full_like(x, 1 - strength), strength * picture.float())
