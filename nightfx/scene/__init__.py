"""Find what is in the picture."""

from nightfx.scene.any_sky import find_any_sky
from nightfx.scene.kinds import KINDS, LIGHTS, SURFACES
from nightfx.scene.matte import Matte, read_model, refine, refine_picture, with_colour
from nightfx.scene.seen import Scene, see_scene

__all__ = [
    "KINDS",
    "LIGHTS",
    "SURFACES",
    "Matte",
    "Scene",
    "find_any_sky",
    "read_model",
    "refine",
    "refine_picture",
    "see_scene",
    "with_colour",
]
