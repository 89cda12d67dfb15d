"""What is found in one picture that may be lit."""

from __future__ import annotations

from typing import NamedTuple

from nightfx.picture import Float32


class Found(NamedTuple):
    """A thing that may be lit."""

    kind: str
    quad: Float32
    """(4, 2) px x, y of the picture it was found in, clockwise from its top left."""
    confidence: float
    """0 to 1."""
    house: int = -1
    """The house or the car it belongs to, by its number in this picture; -1 for none."""
