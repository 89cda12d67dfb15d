"""All that is learnt: networks, their weights, presets, and what runs them."""

from nightfx.network.backends import build_backend, installed_backends, verify_backends
from nightfx.network.gain_offset import GainOffset
from nightfx.network.model import (
    HALO_PX,
    MAX_LOG_GAIN,
    Architecture,
    Generator,
    PaperGenerator,
    RelitGenerator,
    build_generator,
    pick_device,
    pick_trunk_dtype,
)
from nightfx.network.presets import (
    NO_TILES,
    Preset,
    list_presets,
    load_preset,
    save_draft,
    save_preset,
    verify_preset,
)

__all__ = [
    "HALO_PX",
    "MAX_LOG_GAIN",
    "NO_TILES",
    "Architecture",
    "GainOffset",
    "Generator",
    "PaperGenerator",
    "Preset",
    "RelitGenerator",
    "build_backend",
    "build_generator",
    "installed_backends",
    "list_presets",
    "load_preset",
    "pick_device",
    "pick_trunk_dtype",
    "save_draft",
    "save_preset",
    "verify_backends",
    "verify_preset",
]
