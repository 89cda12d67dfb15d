"""Whether a picture shows a town: houses, streets or roads whose lamps would be lit by night.

A linear judge of what the scene network says of a picture as a whole. `tools/teach_town.py` fits it, to the network that
comes along; `scene/CARD.md` has its figures.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from nightfx.errors import PresetError
from nightfx.network import bundled_scene
from nightfx.picture import Float32

if TYPE_CHECKING:
    from nightfx.scene.seen import Scene

_PER_CELL = 4  # px each way, before anything is counted
_BANDS = 3  # of rows, each with means of its own
_RANKS = 0.9, 0.99
_LEAST = 1e-3


class TownJudge(NamedTuple):
    """A linear judge of `pooled` scenes."""

    weights: Float32
    bias: float


def town_odds(scene: Scene, judge: TownJudge | None = None) -> float:
    """How likely a scene is a town, as log odds; 0 is even. The judge is the one that comes along."""
    weights, bias = judge or bundled_judge()
    return float(pooled(scene) @ weights) + bias


def pooled(scene: Scene) -> Float32:
    """A scene in 66 numbers: of each kind the mean in three bands of rows, two high ranks and the spread, as logarithms."""
    maps = np.concatenate([scene.surfaces, scene.lights])
    height, width = (max(side // _PER_CELL, _BANDS) for side in maps.shape[1:])
    small = np.stack([cv2.resize(x, (width, height), interpolation=cv2.INTER_AREA) for x in maps])
    bands = [band.mean((1, 2)) for band in np.array_split(small, _BANDS, axis=1)]
    whole = small.reshape(len(maps), -1)
    ranks = np.quantile(whole, _RANKS, axis=1)
    numbers = np.concatenate([*bands, *ranks, whole.std(1)])
    return np.log(numbers + _LEAST).astype(np.float32)


@cache
def bundled_judge() -> TownJudge:
    """The judge that comes along. Raises `PresetError` where its file is missing or damaged."""
    path = bundled_scene().with_name("town.json")
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        return TownJudge(np.array(facts["weights"], np.float32), float(facts["bias"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PresetError(f"{path}: no judge of towns ({error}): reinstall") from error
