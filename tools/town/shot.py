"""What one render saw of a view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]


@dataclass(frozen=True)
class Shot:
    """What a render saw; all (height, width, …), linear, in front of no sky."""

    groups: dict[str, Plane]
    """Light by `GROUPS`, RGB, as one unit of each gives it."""
    maps: dict[str, Plane]
    """How much of a pixel is of a kind, by `SURFACES` and `LIGHTS`, in [0, 1]; the first six sum to 1."""
    near: Plane
    """exp(-distance / NEAR_METRES), in the mean over what covers the pixel; 0 in the sky."""
    depth: Plane
    """Metres; infinite in the sky."""
    albedo: Plane
