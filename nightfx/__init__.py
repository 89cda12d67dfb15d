"""Turn day footage into night, and night into day, for film.

import nightfx

nightfx.render("street.mp4", preset="night")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nightfx.errors import NightfxError

if TYPE_CHECKING:
    from nightfx.job.render import render
    from nightfx.network import Preset, list_presets, load_preset
    from nightfx.options import EncodeOptions, Look, RenderOptions
    from nightfx.training.run.train_options import TrainOptions
    from nightfx.training.run.trainer import train

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
    "EncodeOptions": "nightfx.options.encode",
    "Look": "nightfx.options.look",
    "Preset": "nightfx.network.presets",
    "RenderOptions": "nightfx.options.render",
    "TrainOptions": "nightfx.training.run.train_options",
    "list_presets": "nightfx.network.presets",
    "load_preset": "nightfx.network.presets",
    "render": "nightfx.job.render",
    "train": "nightfx.training.run.trainer",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nightfx' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
