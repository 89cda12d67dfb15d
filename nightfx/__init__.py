"""Turn day footage into night, and night into day, for film.

import nightfx

nightfx.render("street.mp4", preset="night")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nightfx.errors import NightfxError

if TYPE_CHECKING:
    from nightfx.engine.options import RenderOptions
    from nightfx.engine.render import render
    from nightfx.look import Look
    from nightfx.presets import Preset, list_presets, load_preset
    from nightfx.training.options import TrainOptions
    from nightfx.training.trainer import train
    from nightfx.video.codecs import EncodeOptions

__version__ = "0.1.0"

__all__ = [
    "EncodeOptions",
    "Look",
    "NightfxError",
    "Preset",
    "RenderOptions",
    "TrainOptions",
    "__version__",
    "list_presets",
    "load_preset",
    "render",
    "train",
]

# torch takes seconds to import: each name is fetched when it is first used
_HOMES = {
    "EncodeOptions": "nightfx.video.codecs",
    "Look": "nightfx.look",
    "Preset": "nightfx.presets",
    "RenderOptions": "nightfx.engine.options",
    "TrainOptions": "nightfx.training.options",
    "list_presets": "nightfx.presets",
    "load_preset": "nightfx.presets",
    "render": "nightfx.engine.render",
    "train": "nightfx.training.trainer",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nightfx' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
