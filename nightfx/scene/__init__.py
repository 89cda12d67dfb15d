"""Find what is in the picture."""

from nightfx.scene.any_sky import find_any_sky
from nightfx.scene.day_sky import darken, find_day_sky

__all__ = ["darken", "find_any_sky", "find_day_sky"]
