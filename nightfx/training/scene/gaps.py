"""Sky put before a facade that fills its picture: a corner beside a wall, a gap between two houses, above an eave, through arches."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from nightfx.training.scene.labelled import ALL_LIGHTS, NOT_SKY, Byte, Labelled

_ARCHES = 0.2  # of the gaps: sky through a wall, as through a gate
_FINE = 4  # times finer than the picture the edge is drawn


def with_gap(item: Labelled, skies: Sequence[np.ndarray], rng: np.random.Generator) -> Labelled:
    """The picture with a piece of another's sky, above or beside straight edges or through arches, known as such."""
    if not skies:
        return item
    height, width = item.sky.shape
    shape = _through_arches if rng.uniform() < _ARCHES else _above_edges
    share = shape((height, width), rng)
    other = skies[int(rng.integers(len(skies)))]
    behind = np.asarray(cv2.resize(other, (width, height), interpolation=cv2.INTER_LINEAR))
    part = share[..., None].astype(np.float32) * np.float32(1 / 255)
    picture = part * behind + (1 - part) * item.picture
    is_sky, is_edge = share > 127, share > 0
    return Labelled(
        np.rint(picture).astype(np.uint8),
        np.maximum(item.sky, share),
        np.where(is_sky, np.uint8(NOT_SKY), item.surface).astype(np.uint8),
        np.where(is_edge, np.uint8(0), item.lit).astype(np.uint8),
        np.where(is_sky, ALL_LIGHTS, item.known).astype(np.uint8),
        np.where(is_sky, np.uint8(255), item.trust).astype(np.uint8),
    )


def _above_edges(size: tuple[int, int], rng: np.random.Generator) -> Byte:
    """How much of each pixel is above one edge, or above two that meet in a gap: (height, width), 0 to 255."""
    height, width = size
    y, x = np.mgrid[0 : height * _FINE, 0 : width * _FINE].astype(np.float32) / _FINE
    middle = rng.uniform(-0.1, 1.1) * width, rng.uniform(0.1, 0.7) * height
    above = np.ones(x.shape, bool)
    for side in rng.permutation([-1, 1])[: int(rng.integers(1, 3))]:
        steep = np.tan(rng.uniform(0.03, 1.5)) * side
        above &= y < middle[1] - steep * (x - middle[0])
    area = above.astype(np.uint8) * 255
    return np.asarray(cv2.resize(area, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _through_arches(size: tuple[int, int], rng: np.random.Generator) -> Byte:
    """How much of each pixel is in one of up to three openings with a round top, side by side: (height, width), 0 to 255."""
    height, width = (n * _FINE for n in size)
    area = np.zeros((height, width), np.uint8)
    count = int(rng.integers(1, 4))
    wide, tall = rng.uniform(0.1, 0.7) * width / count, rng.uniform(0.15, 0.7) * height
    left, top = rng.uniform(-0.1, 0.3) * width, rng.uniform(0, 0.5) * height
    rise = min(rng.uniform(0.2, 0.6) * wide, tall)
    for place in range(count):
        x = round(left + place * wide * rng.uniform(1.1, 1.5))
        middle = round(x + wide / 2), round(top + rise)
        cv2.ellipse(area, middle, (round(wide / 2), round(rise)), 0, 180, 360, 255, -1)
        foot = round(x + wide), round(top + tall)
        cv2.rectangle(area, (x, middle[1]), foot, 255, -1)
    return np.asarray(cv2.resize(area, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)
