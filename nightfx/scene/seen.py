"""What a picture shows, pixel by pixel, as the scene network says."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch

from nightfx.network import SceneNetwork
from nightfx.picture import Float32
from nightfx.scene.clouds import clouds
from nightfx.scene.kinds import LIGHTS, SURFACES

_LAMP = LIGHTS.index("lamp")
_SKY = SURFACES.index("sky")
_ALL_SKY = np.eye(len(SURFACES), dtype=np.float32)[:, [_SKY]]


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
    seen = surfaces.softmax(0).cpu().numpy()
    seen[:, clouds(seen[_SKY], picture)] = _ALL_SKY
    return Scene(seen, lights.sigmoid().cpu().numpy())


def see_finely(network: SceneNetwork, shown: Float32, small: Float32) -> Scene:
    """What a picture `shown` (3, h, w) shows: its surfaces as its `small` copy has them, its lights in its own size.

    Surfaces are known best at working height, which the network learnt from: twice as large, a road's wall is a car. A
    street lamp is what is one in both.
    """
    if shown.shape == small.shape:
        return see_scene(network, shown)
    coarse, lights = see_scene(network, small), see_scene(network, shown).lights
    lamps = lights[_LAMP]
    np.sqrt(lamps * _enlarged(coarse.of("lamp"), lamps.shape), out=lamps)
    surfaces = np.stack([_enlarged(surface, lamps.shape) for surface in coarse.surfaces])
    return Scene(surfaces, lights)


def _enlarged(odds: Float32, size: tuple[int, ...]) -> Float32:
    return np.asarray(cv2.resize(odds, size[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
