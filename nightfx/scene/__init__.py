"""Find what is in the picture."""

from nightfx.scene.any_sky import find_any_sky
from nightfx.scene.day_sky import darken, find_day_sky
from nightfx.scene.kinds import KINDS, LIGHTS, SURFACES
from nightfx.scene.matte import Matte, refine, refine_picture
from nightfx.scene.seen import Scene, see_scene

__all__ = [
    "KINDS",
    "LIGHTS",
    "SURFACES",
    "Matte",
    "Scene",
    "darken",
    "find_any_sky",
    "find_day_sky",
    "refine",
    "refine_picture",
    "see_scene",
]
