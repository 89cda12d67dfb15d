"""Decide the light that a frame gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightfx.lazy import later
from nightfx.light.borders import PHASE, Borders, Lengths, warm_up_of
from nightfx.light.lock import Lock

if TYPE_CHECKING:
    from nightfx.light.fit import FieldPlan
    from nightfx.light.light import (
        Beside,
        Lit,
        light_as,
        light_frames,
        light_looks,
        mark_borders,
        wanted_light,
    )
    from nightfx.light.lighting import (
        Footage,
        Lighting,
        build_lighting,
        find_lights_of,
        plan_lamps,
        show_frames,
        working_height,
    )
    from nightfx.light.mattes import MattePlan, mattes_of_shot
    from nightfx.light.steady import Steadying
    from nightfx.light.tiling import plan_tiles

__all__ = [
    "PHASE",
    "Beside",
    "Borders",
    "FieldPlan",
    "Footage",
    "Lengths",
    "Lighting",
    "Lit",
    "Lock",
    "MattePlan",
    "Steadying",
    "build_lighting",
    "find_lights_of",
    "light_as",
    "light_frames",
    "light_looks",
    "mark_borders",
    "mattes_of_shot",
    "plan_lamps",
    "plan_tiles",
    "show_frames",
    "wanted_light",
    "warm_up_of",
    "working_height",
]

__getattr__ = later(
    __name__,
    {
        "fit": ("FieldPlan",),
        "light": (
            *("Beside", "Lit", "light_as", "light_frames", "light_looks", "mark_borders"),
            "wanted_light",
        ),
        "lighting": (
            *("Footage", "Lighting", "build_lighting", "find_lights_of", "plan_lamps"),
            *("show_frames", "working_height"),
        ),
        "mattes": ("MattePlan", "mattes_of_shot"),
        "steady": ("Steadying",),
        "tiling": ("plan_tiles",),
    },
)
