"""Find what would be lit by night, follow it through a shot, and keep the list of it."""

from nightfx.lights.choose import Choice, choose
from nightfx.lights.find import find_lights
from nightfx.lights.found import Found
from nightfx.lights.keep import keep_locked
from nightfx.lights.kinds import GROUPS, KINDS, group_of
from nightfx.lights.listed import (
    Light,
    LightList,
    LightTrack,
    Shown,
    as_written,
    lights_text,
    parse_lights,
    read_lights,
    write_lights,
)
from nightfx.lights.sources import Source, sources_of, turned
from nightfx.lights.track import Tracker

__all__ = [
    "GROUPS",
    "KINDS",
    "Choice",
    "Found",
    "Light",
    "LightList",
    "LightTrack",
    "Shown",
    "Source",
    "Tracker",
    "as_written",
    "choose",
    "find_lights",
    "group_of",
    "keep_locked",
    "lights_text",
    "parse_lights",
    "read_lights",
    "sources_of",
    "turned",
    "write_lights",
]
