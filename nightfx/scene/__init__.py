"""Find what is in the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightfx.lazy import later
from nightfx.scene.any_sky import find_any_sky
from nightfx.scene.kinds import KINDS, LIGHTS, SURFACES
from nightfx.scene.matte import Matte, read_model, refine, refine_picture, with_colour
from nightfx.scene.town import TownJudge, pooled, town_odds

if TYPE_CHECKING:
    from nightfx.scene.places import Places, places_of, scene_of, sky_of
    from nightfx.scene.seen import Scene, see_finely, see_scene

__all__ = [
    "KINDS",
    "LIGHTS",
    "SURFACES",
    "Matte",
    "Places",
    "Scene",
    "TownJudge",
    "find_any_sky",
    "places_of",
    "pooled",
    "read_model",
    "refine",
    "refine_picture",
    "scene_of",
    "see_finely",
    "see_scene",
    "sky_of",
    "town_odds",
    "with_colour",
]

__getattr__ = later(
    __name__,
    {
        "places": ("Places", "places_of", "scene_of", "sky_of"),
        "seen": ("Scene", "see_finely", "see_scene"),
    },
)
