"""A picture with what is known of its pixels, which is seldom everything: each source labels what it knows.

What nobody says of a pixel is not learnt from it. A surface is known as one kind, as one of several, or not at all; a
light as there, as not there, or not at all.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from nightfx.scene.kinds import LIGHTS, SURFACES

Byte = NDArray[np.uint8]

NOT_SKY, UNKNOWN, STANDING = len(SURFACES), len(SURFACES) + 1, len(SURFACES) + 2
"""Codes of surfaces beyond their own: any but sky; nothing is known; neither sky, nor vehicle, nor person."""
SKY, GROUND, WALL, LEAVES, VEHICLE, PERSON = range(len(SURFACES))
ALL_LIGHTS = np.uint8((1 << len(LIGHTS)) - 1)


class Labelled(NamedTuple):
    """A picture (H, W, 3) uint8 RGB, and five maps (H, W) uint8 of what is known of it."""

    picture: Byte
    sky: Byte
    """How much of a pixel is sky, 0 to 255, wherever `surface` is not unknown."""
    surface: Byte
    """The code of what the rest of the pixel is."""
    lit: Byte
    """A bit for each of `LIGHTS` that is there."""
    known: Byte
    """A bit for each of `LIGHTS` of which is known whether it is there."""
    trust: Byte
    """How much what is known of lights counts, 0 to 255."""


def allowed_surfaces() -> NDArray[np.float32]:
    """Which of `SURFACES` but sky each code allows, a row a code."""
    table = np.zeros((STANDING + 1, len(SURFACES)), np.float32)
    table[: len(SURFACES)] = np.eye(len(SURFACES))
    table[SKY] = table[NOT_SKY] = [
        0,
        1,
        1,
        1,
        1,
        1,
    ]  # beside the sky's share of a pixel on its edge
    table[STANDING] = [0, 1, 1, 1, 0, 0]
    return table


def bit(light: str) -> np.uint8:
    """The bit of one of `LIGHTS`."""
    return np.uint8(1 << LIGHTS.index(light))


def shrunk(item: Labelled, lines: int) -> Labelled:
    """The same with `lines` px of its shorter side at most."""
    height, width = item.picture.shape[:2]
    scale = lines / min(height, width)
    if scale >= 1:
        return item
    size = round(width * scale), round(height * scale)
    smooth = [cv2.resize(v, size, interpolation=cv2.INTER_AREA) for v in item[:2]]
    codes = [cv2.resize(v, size, interpolation=cv2.INTER_NEAREST) for v in item[2:]]
    return Labelled(*(np.asarray(v, np.uint8) for v in (*smooth, *codes)))
