"""Find what is in the picture."""

from nightfx.scene.any_sky import find_any_sky
from nightfx.scene.day_sky import darken, find_day_sky
from nightfx.scene.kinds import KINDS, LIGHTS, SURFACES
from nightfx.scene.places import Places, places_of, scene_of, sky_of
from nightfx.scene.seen import Scene, see_scene

__all__ = [
    "KINDS",
    "LIGHTS",
    "SURFACES",
    "Places",
    "Scene",
    "darken",
    "find_any_sky",
    "find_day_sky",
    "places_of",
    "scene_of",
    "see_scene",
    "sky_of",
]
