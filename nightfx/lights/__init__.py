"""Find what would be lit by night, and keep the list of it."""

from nightfx.lights.find import Found, find_lights
from nightfx.lights.kinds import GROUPS, KINDS, group_of
from nightfx.lights.sources import Source

__all__ = ["GROUPS", "KINDS", "Found", "Source", "find_lights", "group_of"]
