"""A generator says how the light of a picture changes: what each value is multiplied by, and what is added to it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class GainOffset(NamedTuple):
    """A change of light: `picture * gain + offset`, both (N, 3, H, W) float32."""

    gain: Tensor
    offset: Tensor


def replaced(x: Tensor, picture: Tensor) -> GainOffset:
    """The change from pictures `x` to a generator's own `picture`: nothing of them is left."""
    return GainOffset(torch.zeros_like(x), picture.float())
