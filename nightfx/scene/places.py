"""Places of a picture that a judge of renders asks for: where the sky is, and where no light can be."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from nightfx.network import SceneNetwork, load_scene_network
from nightfx.scene.seen import Scene, see_scene

LAMPLESS = ("sky", "leaves", "person")
LAMPED = ("wall", "vehicle", "sign", "lamp")
_LINES = 288  # of the shorter side, as renders see it
_LONGEST = 4  # sides by the shorter one: what is longer is squeezed


class Places(NamedTuple):
    """Maps (h, w) in [0, 1] of a plate, of another size than its own."""

    sky: Tensor
    lampless: Tensor
    """Where no light can be: sky, leaves, people."""
    ground: Tensor
    """Where none can be by itself: pools and reflections have their lamp above them."""
    lamped: Tensor
    """Where windows, signs and lamps are: walls, vehicles, lamps on poles."""


def places_of(plate: Tensor) -> Places:
    """The places of an upright plate (3, H, W) in [0, 1], by the scene network that comes along."""
    scene = scene_of(plate)
    lampless = np.sum([scene.of(kind) for kind in LAMPLESS], axis=0)
    lamped = np.max([scene.of(kind) for kind in LAMPED], axis=0)
    maps = scene.of("sky"), lampless, scene.of("ground"), lamped
    return Places(*(torch.from_numpy(np.ascontiguousarray(x)) for x in maps))


def scene_of(plate: Tensor) -> Scene:
    """All that an upright plate (3, H, W) in [0, 1] shows, at 288 px of its shorter side."""
    return see_scene(_network(), _small(plate))


def sky_of(plate: Tensor) -> Tensor:
    """How surely each place of an upright plate (3, H, W) in [0, 1] is sky: (h, w) in [0, 1], of another size."""
    return places_of(plate).sky


@cache
def _network() -> SceneNetwork:
    return load_scene_network()


def _small(plate: Tensor) -> np.ndarray:
    pixels = np.ascontiguousarray(plate.float().cpu().permute(1, 2, 0).numpy())
    scale = _LINES / min(pixels.shape[:2])
    height, width = (min(round(side * scale), _LONGEST * _LINES) for side in pixels.shape[:2])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(pixels, (width, height), interpolation=how)
    return np.ascontiguousarray(small.transpose(2, 0, 1))
