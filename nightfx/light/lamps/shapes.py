"""The patches of a frame's lights: those with panes, and round ones."""

from __future__ import annotations

from collections.abc import Sequence

from nightfx.apply import Patch
from nightfx.apply.shapes import clear_of, patch_of, shape_of
from nightfx.lights import Source, group_of
from nightfx.picture import Frame

PANES = ("window", "shop", "sign")
"""Kinds that have panes; others are round."""


def patches(sources: Sequence[Source], frame: Frame) -> tuple[Patch, ...]:
    """The patches of all sources that are seen in a frame."""
    clear = clear_of(frame)
    shapes = (
        shape_of(x.quad, x.light, clear, has_panes=x.kind in PANES, group=group_of(x.kind))
        for x in sources
    )
    made = (patch_of(shape, clear) for shape in shapes if shape is not None)
    return tuple(patch for patch in made if patch is not None)
