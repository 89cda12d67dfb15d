"""The light of a shot in one file, that hosts and renders put on its plate without a network."""

from __future__ import annotations

from nightfx.baked.bake import Bake, open_bake
from nightfx.baked.header import BakeFacts, LumaWeights, PlateFacts
from nightfx.baked.lit import BakedLight, light_of_steps
from nightfx.baked.tracks import track_sizes
from nightfx.baked.writer import BakeWriter

__all__ = [
    "Bake",
    "BakeFacts",
    "BakeWriter",
    "BakedLight",
    "LumaWeights",
    "PlateFacts",
    "light_of_steps",
    "open_bake",
    "track_sizes",
]
