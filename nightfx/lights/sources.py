"""The lights of a frame that are on, as light."""

from __future__ import annotations

from typing import NamedTuple

from nightfx.picture import Float32


class Source(NamedTuple):
    """A light that is on, in one frame."""

    kind: str
    quad: Float32
    """(4, 2) px x, y of the plate, clockwise from its top left."""
    light: Float32
    """(3,): how bright it is, in linear light; 1 is the picture's white."""
