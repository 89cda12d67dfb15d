"""Turn day footage into night, and night into day, for film.

import nightfx

nightfx.render("street.mp4", preset="night")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nightfx.errors import (
    NightfxError,
    PlanError,
    PresetError,
    RetryError,
    SourceError,
    TargetError,
    TrainingError,
    UsageError,
)

if TYPE_CHECKING:
    from nightfx.check import facts_of, failures, verify
    from nightfx.job.join import join_plan, missing_segments
    from nightfx.job.plan import plan_render, render_segment
    from nightfx.job.render import light_pictures, render
    from nightfx.lights import LightList, read_lights, write_lights
    from nightfx.mattes.lights import list_lights
    from nightfx.network import Preset, list_presets, load_preset
    from nightfx.options import EncodeOptions, Look, RenderOptions
    from nightfx.training.run.train_options import TrainOptions
    from nightfx.training.run.trainer import train

__version__ = "0.1.0"

# torch takes seconds to import: each name is fetched when it is first used
_HOMES = {
    "EncodeOptions": "nightfx.options.encode",
    "LightList": "nightfx.lights.listed",
    "Look": "nightfx.options.look",
    "Preset": "nightfx.network.presets",
    "RenderOptions": "nightfx.options.render",
    "TrainOptions": "nightfx.training.run.train_options",
    "facts_of": "nightfx.check.verification",
    "failures": "nightfx.check.verdict",
    "join_plan": "nightfx.job.join",
    "light_pictures": "nightfx.job.render",
    "list_lights": "nightfx.mattes.lights",
    "list_presets": "nightfx.network.presets",
    "load_preset": "nightfx.network.presets",
    "missing_segments": "nightfx.job.join",
    "plan_render": "nightfx.job.plan",
    "read_lights": "nightfx.lights.listed",
    "render": "nightfx.job.render",
    "render_segment": "nightfx.job.plan",
    "train": "nightfx.training.run.trainer",
    "verify": "nightfx.check.verification",
    "write_lights": "nightfx.lights.listed",
}

__all__ = [
    "EncodeOptions",
    "LightList",
    "Look",
    "NightfxError",
    "PlanError",
    "Preset",
    "PresetError",
    "RenderOptions",
    "RetryError",
    "SourceError",
    "TargetError",
    "TrainOptions",
    "TrainingError",
    "UsageError",
    "__version__",
    "facts_of",
    "failures",
    "join_plan",
    "light_pictures",
    "list_lights",
    "list_presets",
    "load_preset",
    "missing_segments",
    "plan_render",
    "read_lights",
    "render",
    "render_segment",
    "train",
    "verify",
    "write_lights",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nightfx' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
