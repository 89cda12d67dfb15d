"""Drawn rooms: walls as plain and as bright as a sky, that meet in corners, with people of photographs before them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from nightfx.training.scene.labelled import (
    ALL_LIGHTS,
    GROUND,
    NOT_SKY,
    PERSON,
    UNKNOWN,
    WALL,
    Byte,
    Labelled,
    bit,
)

Float = NDArray[np.float32]
Points = NDArray[np.float64]

_LEAST_PERSON = 0.04  # of a picture: smaller ones are not cut out
_DOUBT = 128  # trust in there being no light on what is drawn
_PLANES = ("ceiling", "left", "right", "floor", "back")


def persons_in(item: Labelled) -> tuple[Byte, Byte] | None:
    """The persons of a picture, cut out: (h, w, 3) uint8 and (h, w) of 0 or 255; None where they are small or none."""
    mask = (item.surface == PERSON).astype(np.uint8) * 255
    if mask.mean() < 255 * _LEAST_PERSON:
        return None
    left, top, width, height = cv2.boundingRect(mask)
    part = slice(top, top + height), slice(left, left + width)
    return item.picture[part].copy(), mask[part].copy()


def draw_room(
    size: tuple[int, int],
    persons: Sequence[tuple[Byte, Byte]],
    photographs: Sequence[Labelled],
    rng: np.random.Generator,
) -> Labelled:
    """A room of (height, width) = `size`, of which all is known but what its windows show."""
    picture = np.zeros((*size, 3), np.float32)
    surface = np.full(size, WALL, np.uint8)
    corners = _corners(size, rng)
    _paint_planes(picture, surface, corners, rng)
    for _ in range(int(rng.integers(0, 4))):
        _hang(picture, surface, corners, photographs[int(rng.integers(len(photographs)))], rng)
    for _ in range(int(rng.integers(0, 5))):
        _furnish(picture, surface, rng)
    picture *= _daylight(size, rng)[..., None]
    for _ in range(int(rng.choice(3, p=(0.3, 0.5, 0.2))) if persons else 0):
        _seat(picture, surface, persons[int(rng.integers(len(persons)))], rng)
    picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.5, 1.2))).clip(0, 255)
    lights = np.where(surface == UNKNOWN, 0, bit("window") | bit("sign") | bit("lamp"))
    known = np.where(surface == PERSON, ALL_LIGHTS, lights).astype(np.uint8)
    nothing = np.zeros(size, np.uint8)
    trust = np.where(surface == PERSON, 255, _DOUBT).astype(np.uint8)
    return Labelled(picture.astype(np.uint8), nothing, surface, nothing.copy(), known, trust)


def _corners(size: tuple[int, int], rng: np.random.Generator) -> Points:
    """The corners of the back wall, clockwise from the left one above; any may be beyond the frame."""
    height, width = size
    left, right = rng.uniform(-0.5, 0.4) * width, rng.uniform(0.6, 1.5) * width
    top, bottom = rng.uniform(-0.6, 0.3) * height, rng.uniform(0.6, 1.6) * height
    wall = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    return np.asarray(wall + rng.normal(size=(4, 2)) * (0.01 * width, 0.02 * height))


def _paint_planes(picture: Float, surface: Byte, corners: Points, rng: np.random.Generator) -> None:
    """Ceiling, walls and floor, each in one colour that wears off a little."""
    height, width = surface.shape
    seen_from = np.array([rng.uniform(0.3, 0.7) * width, rng.uniform(0.35, 0.6) * height])
    outer = seen_from + 8 * (corners - seen_from)
    around = {
        "ceiling": [corners[0], corners[1], outer[1], outer[0]],
        "right": [corners[1], corners[2], outer[2], outer[1]],
        "floor": [corners[2], corners[3], outer[3], outer[2]],
        "left": [corners[3], corners[0], outer[0], outer[3]],
        "back": list(corners),
    }
    paint = _paint(rng)
    picture[:] = paint * np.float32(0.8)
    for name in _PLANES:
        colour = _paint(rng) * 0.7 if name == "floor" else paint * rng.uniform(0.6, 1.1)
        at = [np.round(np.array(around[name])).astype(np.int32)]
        cv2.fillPoly(picture, at, tuple(map(float, colour)))
        if name == "floor":
            cv2.fillPoly(surface, at, GROUND)


def _paint(rng: np.random.Generator) -> Float:
    """A colour of a wall: mostly pale, warm or cool, seldom strong, sometimes as blue as a sky."""
    warm, strong = rng.normal() * 0.08, 0.2 * rng.uniform() ** 3
    tint = np.array([1 + warm, 1.0, 1 - warm]) + strong * rng.normal(size=3)
    if rng.uniform() < 0.2:
        tint = np.array([0.72, 0.87, 1.0]) * rng.uniform(0.95, 1.05, 3)
    return np.asarray(255 * rng.uniform(0.5, 1.15) * tint, np.float32)


def _daylight(size: tuple[int, int], rng: np.random.Generator) -> Float:
    """How light falls off from where it comes in, and a soft pool or shadow or two; about 1."""
    height, width = size
    noise = rng.uniform(0.75, 1.1, (int(rng.integers(2, 4)), int(rng.integers(2, 5))))
    smooth = cv2.resize(noise.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    x = np.linspace(-1, 1, width, dtype=np.float32)
    return np.asarray(smooth * (1 + np.float32(rng.uniform(-0.3, 0.3)) * x), np.float32)


def _hang(
    picture: Float,
    surface: Byte,
    corners: Points,
    photograph: Labelled,
    rng: np.random.Generator,
) -> None:
    """A picture on the back wall, or a window in it, whose panes nothing is known of."""
    height, width = surface.shape
    middle = corners[0] + rng.uniform(0.1, 0.9, 2) * (corners[2] - corners[0])
    half = rng.uniform(0.03, 0.2, 2) * (width, height)
    left, top = np.maximum(middle - half, 0).astype(int)
    right, bottom = (middle + half).astype(int)
    part = slice(top, max(bottom, 0)), slice(left, max(right, 0))
    shape = surface[part].shape
    if min(shape) < 4:
        return
    is_window = rng.uniform() < 0.4
    shown = cv2.resize(photograph.picture, shape[::-1], interpolation=cv2.INTER_AREA)
    lift = rng.uniform(0.6, 1.0) if is_window else 0.0
    picture[part] = shown + np.float32(lift) * (255 - shown.astype(np.float32))
    surface[part] = UNKNOWN if is_window else WALL
    frame = tuple(map(float, _paint(rng) * rng.uniform(0.2, 1)))
    start, end = (int(left), int(top)), (int(right), int(bottom))
    cv2.rectangle(picture, start, end, frame, int(rng.integers(1, 5)))
    cv2.rectangle(surface, start, end, WALL, 2)


def _furnish(picture: Float, surface: Byte, rng: np.random.Generator) -> None:
    """A box that stands low in the frame: a table, a shelf, a bed."""
    height, width = surface.shape
    left, top = rng.uniform(-0.1, 0.9) * width, rng.uniform(0.35, 0.9) * height
    wide, tall = rng.uniform(0.08, 0.5) * width, rng.uniform(0.05, 0.6) * height
    lean = rng.normal(size=4) * 0.03 * width
    corners = np.array(
        [[left, top], [left + wide, top], [left + wide, top + tall], [left, top + tall]]
    )
    corners[:, 0] += lean
    at = [np.round(corners).astype(np.int32)]
    cv2.fillPoly(picture, at, tuple(map(float, _paint(rng) * rng.uniform(0.1, 1))))
    cv2.fillPoly(surface, at, NOT_SKY)


def _seat(
    picture: Float, surface: Byte, person: tuple[Byte, Byte], rng: np.random.Generator
) -> None:
    """A person before the wall, cut off by the lower edge of the frame, with a soft shadow beside."""
    (height, width), (shown, mask) = surface.shape, person
    tall = rng.uniform(0.4, 1.2) * height
    size = max(round(tall * mask.shape[1] / mask.shape[0]), 4), max(round(tall), 4)
    shown = cv2.resize(shown, size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    x = float(rng.uniform(0, 1) * width - size[0] / 2)
    y = float(height - tall * rng.uniform(0.6, 1.0))
    move = np.array([[1, 0, x], [0, 1, y]], np.float32)
    alpha = cv2.warpAffine(mask, move, (width, height)).astype(np.float32) * np.float32(1 / 255)
    whole = cv2.warpAffine(shown, move, (width, height)).astype(np.float32)
    away = np.array([[1, 0, rng.normal() * 0.05 * width], [0, 1, 0.02 * height]], np.float32)
    shadow = cv2.GaussianBlur(cv2.warpAffine(alpha, away, (width, height)), (0, 0), 0.03 * width)
    picture *= 1 - np.float32(rng.uniform(0, 0.4)) * shadow[..., None]
    picture += alpha[..., None] * (whole - picture)
    surface[alpha > 0.5] = PERSON
