"""All that is learnt: networks, their weights, presets, and what runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightfx.lazy import later
from nightfx.network.presets import (
    NO_TILES,
    Preset,
    list_presets,
    load_preset,
    verify_preset,
)
from nightfx.network.saved import save_draft, save_look, save_narrow, save_preset
from nightfx.network.scene_file import bundled_scene
from nightfx.network.threads import same_threads, threads_again
from nightfx.network.trunk import Architecture

if TYPE_CHECKING:
    from nightfx.network.backends import build_backend, installed_backends, verify_backends
    from nightfx.network.gain_offset import GainOffset
    from nightfx.network.model import (
        HALO_PX,
        MAX_LOG_GAIN,
        Generator,
        PaperGenerator,
        RelitGenerator,
        build_generator,
        pick_device,
        pick_trunk_dtype,
    )
    from nightfx.network.scene_backends import build_scene_backend
    from nightfx.network.scene_net import SceneNetwork, load_scene_network

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
    "SceneNetwork",
    "build_backend",
    "build_generator",
    "build_scene_backend",
    "bundled_scene",
    "installed_backends",
    "list_presets",
    "load_preset",
    "load_scene_network",
    "pick_device",
    "pick_trunk_dtype",
    "same_threads",
    "save_draft",
    "save_look",
    "save_narrow",
    "save_preset",
    "threads_again",
    "verify_backends",
    "verify_preset",
]

__getattr__ = later(
    __name__,
    {
        "backends": ("build_backend", "installed_backends", "verify_backends"),
        "gain_offset": ("GainOffset",),
        "model": (
            *("HALO_PX", "MAX_LOG_GAIN", "Generator", "PaperGenerator", "RelitGenerator"),
            *("build_generator", "pick_device", "pick_trunk_dtype"),
        ),
        "scene_backends": ("build_scene_backend",),
        "scene_net": ("SceneNetwork", "load_scene_network"),
    },
)
