"""Measures of pictures: tensors in, numbers out.

Pictures are (N, 3, H, W) or (3, H, W) float tensors in [0, 1], encoded as they are shown (not linear light).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightfx.lazy import later

if TYPE_CHECKING:
    from nightfx.metrics.classifier import DayNight, load_classifier
    from nightfx.metrics.distance import (
        Distance,
        Sample,
        color_distance,
        patch_distance,
        pyramid_distance,
        sample_picture,
        sliced_wasserstein,
    )
    from nightfx.metrics.edges import dissolved, halos, seams
    from nightfx.metrics.features import Features, fid, kid, load_features
    from nightfx.metrics.judges import Called, call_night
    from nightfx.metrics.lights import invented_lights, light_share, misplaced_lights
    from nightfx.metrics.motion import flicker
    from nightfx.metrics.pictures import HSP, hsp_brightness, psnr, structure_kept
    from nightfx.metrics.skylines import Skyline, skyline

__all__ = [
    "HSP",
    "Called",
    "DayNight",
    "Distance",
    "Features",
    "Sample",
    "Skyline",
    "call_night",
    "color_distance",
    "dissolved",
    "fid",
    "flicker",
    "halos",
    "hsp_brightness",
    "invented_lights",
    "kid",
    "light_share",
    "load_classifier",
    "load_features",
    "misplaced_lights",
    "patch_distance",
    "psnr",
    "pyramid_distance",
    "sample_picture",
    "seams",
    "skyline",
    "sliced_wasserstein",
    "structure_kept",
]

__getattr__ = later(
    __name__,
    {
        "classifier": (
            "DayNight",
            "load_classifier",
        ),
        "distance": (
            "Distance",
            "Sample",
            "color_distance",
            "patch_distance",
            "pyramid_distance",
            "sample_picture",
            "sliced_wasserstein",
        ),
        "edges": (
            "dissolved",
            "halos",
            "seams",
        ),
        "features": (
            "Features",
            "fid",
            "kid",
            "load_features",
        ),
        "judges": (
            "Called",
            "call_night",
        ),
        "lights": (
            "invented_lights",
            "light_share",
            "misplaced_lights",
        ),
        "motion": ("flicker",),
        "pictures": (
            "HSP",
            "hsp_brightness",
            "psnr",
            "structure_kept",
        ),
        "skylines": (
            "Skyline",
            "skyline",
        ),
    },
)
