"""Find what is in the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightfx.lazy import later
from nightfx.scene.any_sky import find_any_sky
from nightfx.scene.kinds import KINDS, LIGHTS, SURFACES
from nightfx.scene.matte import Matte, read_model, refine, refine_picture, with_colour
from nightfx.scene.sky_edits import (
    SkyEdit,
    SkyEdits,
    parse_sky_edits,
    read_sky_edits,
    sky_edits_told,
    write_sky_edits,
)
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
    "SkyEdit",
    "SkyEdits",
    "TownJudge",
    "find_any_sky",
    "parse_sky_edits",
    "places_of",
    "pooled",
    "read_model",
    "read_sky_edits",
    "refine",
    "refine_picture",
    "scene_of",
    "see_finely",
    "see_scene",
    "sky_edits_told",
    "sky_of",
    "town_odds",
    "with_colour",
    "write_sky_edits",
]

__getattr__ = later(
    __name__,
    {
        "places": ("Places", "places_of", "scene_of", "sky_of"),
        "seen": ("Scene", "see_finely", "see_scene"),
    },
)
