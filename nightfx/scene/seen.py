"""What a picture shows, pixel by pixel, as the scene network says."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch

from nightfx.network import SceneNetwork
from nightfx.picture import Float32
from nightfx.scene.kinds import LIGHTS, SURFACES


class Scene(NamedTuple):
    """The probability of each kind of thing at each pixel of a picture, float32 in [0, 1]."""

    surfaces: Float32
    """(6, h, w), in the order of `SURFACES`; they sum to 1."""
    lights: Float32
    """(5, h, w), in the order of `LIGHTS`."""

    def of(self, kind: str) -> Float32:
        """The probability (h, w) of one of `SURFACES` or `LIGHTS`."""
        is_surface = kind in SURFACES
        maps, names = (self.surfaces, SURFACES) if is_surface else (self.lights, LIGHTS)
        found: Float32 = maps[names.index(kind)]
        return found


@torch.inference_mode()
def see_scene(network: SceneNetwork, shown: Float32) -> Scene:
    """What an upright picture `shown` (3, h, w) in [0, 1] shows, in its size, wherever the network runs."""
    like = next(network.parameters())
    picture = np.ascontiguousarray(shown.clip(0, 1), np.float32)
    x = torch.from_numpy(picture)[None].to(like.device)
    logits = network(x.contiguous(memory_format=torch.channels_last))[0].float()
    surfaces, lights = logits.split([len(SURFACES), len(LIGHTS)])
    return Scene(surfaces.softmax(0).cpu().numpy(), lights.sigmoid().cpu().numpy())


def see_finely(network: SceneNetwork, shown: Float32, small: Float32) -> Scene:
    """What a picture `shown` (3, h, w) shows: its surfaces as its `small` copy has them, its lights in its own size.

    Surfaces are known best at working height, which the network learnt from: twice as large, a road's wall is a car.
    """
    if shown.shape == small.shape:
        return see_scene(network, shown)
    surfaces = see_scene(network, small).surfaces
    size = shown.shape[2], shown.shape[1]
    large = np.stack([cv2.resize(x, size, interpolation=cv2.INTER_LINEAR) for x in surfaces])
    return Scene(large.astype(np.float32), see_scene(network, shown).lights)
