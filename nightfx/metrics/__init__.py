"""Measures of pictures: tensors in, numbers out.

Pictures are (N, 3, H, W) or (3, H, W) float tensors in [0, 1], encoded as they are shown (not linear light).
"""

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
from nightfx.metrics.lights import invented_lights, light_share
from nightfx.metrics.motion import flicker
from nightfx.metrics.pictures import HSP, hsp_brightness, psnr, structure_kept

__all__ = [
    "HSP",
    "DayNight",
    "Distance",
    "Features",
    "Sample",
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
    "patch_distance",
    "psnr",
    "pyramid_distance",
    "sample_picture",
    "seams",
    "sliced_wasserstein",
    "structure_kept",
]
