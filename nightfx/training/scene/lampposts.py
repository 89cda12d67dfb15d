"""Street lamps drawn into photographs, where nobody labelled any: what tells a lamp is its post or its wire, and its head."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from nightfx.training.scene.labelled import STANDING, UNKNOWN, Byte, Labelled, bit

Points = NDArray[np.float64]

_FINE = 4  # times finer than the picture they are drawn
_TALL_PX = 16.0, 190.0  # from the least post to the tallest
_ROW = 4  # lamps of a street at most, each smaller than the one before it
_DOUBT = 128  # trust in there being no lamp but those that are drawn: few photographs show one
_KNOWN = 0.9  # of the pixels: a drawn town, or nothing but sky and leaves
_CIRCLE = np.linspace(0, 2 * np.pi, 24, endpoint=False)


class _Canvas(NamedTuple):
    """How much of each fine pixel is post, and head, and how bright it is: (H, W) each, 0 to 255."""

    post: Byte
    head: Byte
    tone: Byte

    def line(self, points: Points, wide: float, tone: float) -> None:
        """Draw a post, an arm or a wire."""
        at = [np.round(points * _FINE).astype(np.int32)]
        for plane, value in ((self.post, 255), (self.tone, tone)):
            cv2.polylines(plane, at, False, float(value), max(round(wide * _FINE), 1))

    def shape(self, corners: Points, tone: float) -> None:
        """Draw a head."""
        at = np.round(corners * _FINE).astype(np.int32)
        for plane, value in ((self.head, 255), (self.tone, tone)):
            cv2.fillPoly(plane, [at], float(value))


class _Post(NamedTuple):
    """The measures of the lamps of one street, whose posts are one `tall`, and the colours of their parts."""

    wide: float
    arm: float
    """Its length; to the left where it is negative."""
    head: tuple[float, float]
    """Width and height."""
    tilt: float
    dark: float
    glass: float


def knows_lamps(item: Labelled) -> bool:
    """Whether somebody said of nearly every pixel if it is a lamp."""
    return bool(((item.known & bit("lamp")) > 0).mean() > _KNOWN)


def with_lamps(item: Labelled, rng: np.random.Generator) -> Labelled:
    """The picture with the lamps of a street, known as such, and no other lamp in it."""
    height, width = item.sky.shape
    fine = (height * _FINE, width * _FINE)
    canvas = _Canvas(*(np.zeros(fine, np.uint8) for _ in range(3)))
    draw, post = _KINDS[int(rng.integers(len(_KINDS)))], _post_of(rng)
    for foot, tall in _street((height, width), rng):
        draw(canvas, foot, tall, post, rng)
    return _put(item, canvas, rng)


def _street(size: tuple[int, int], rng: np.random.Generator) -> list[tuple[Points, float]]:
    """Feet and heights in px of lamps that run towards a point, from the nearest."""
    height, width = size
    tall = float(np.exp(rng.uniform(*np.log(_TALL_PX))))
    top = rng.uniform(-0.05, 0.75) * height
    foot = np.array([rng.uniform(0, width), top + tall])
    to = np.array(
        [rng.uniform(0.2, 0.8) * width, max(top + tall * rng.uniform(0.6, 1.0), 0.3 * height)]
    )
    shrink = rng.uniform(0.45, 0.8)
    scales = [shrink**i for i in range(int(rng.integers(1, _ROW + 1)))]
    return [(to + (foot - to) * scale, tall * scale) for scale in scales]


def _post_of(rng: np.random.Generator) -> _Post:
    dark = rng.uniform(20, 190)
    glass = float(np.clip(dark + rng.choice([-1, 1]) * rng.uniform(20, 120), 10, 250))
    side = rng.choice([-1, 1])
    return _Post(
        rng.uniform(0.012, 0.03),
        side * rng.uniform(0.1, 0.3),
        (rng.uniform(0.06, 0.13), rng.uniform(0.018, 0.04)),
        rng.uniform(-0.1, 0.35) * side,
        dark,
        glass,
    )


def _curved(
    canvas: _Canvas, foot: Points, tall: float, post: _Post, rng: np.random.Generator
) -> None:
    """A post whose arm bends over the street, or two of them, with a flat head at its end."""
    top = foot - [0, tall]
    canvas.line(np.array([foot, top + np.array([0, 0.1 * tall])]), post.wide * tall, post.dark)
    bend = np.linspace(0, np.pi / 2, 8)
    for side in (1, -1) if rng.uniform() < 0.25 else (1,):
        arm = side * post.arm * tall
        way = top + np.column_stack([arm * (1 - np.cos(bend)), 0.1 * tall * (1 - np.sin(bend))])
        canvas.line(way, 0.7 * post.wide * tall, post.dark)
        _flat(canvas, way[-1], tall, post._replace(tilt=side * post.tilt), np.sign(arm))


def _straight(
    canvas: _Canvas, foot: Points, tall: float, post: _Post, rng: np.random.Generator
) -> None:
    """A post with a flat head on its top, to one side or to both."""
    top = foot - [0, tall]
    canvas.line(np.array([foot, top]), post.wide * tall, post.dark)
    for side in (1, -1) if rng.uniform() < 0.3 else (1,):
        _flat(canvas, top, tall, post, side * np.sign(post.arm))


def _flat(canvas: _Canvas, at: Points, tall: float, post: _Post, side: float) -> None:
    wide, high = np.array(post.head) * tall
    across = np.array([0, 1, 0.95, 0.1]) * wide * side
    down = np.array([-0.5, -0.3, 0.5, 0.6]) * high
    canvas.shape(at + _turned(np.column_stack([across, down]), post.tilt), post.glass)


def _turned(points: Points, angle: float) -> Points:
    sin, cos = np.sin(angle), np.cos(angle)
    turned: Points = points @ np.array([[cos, sin], [-sin, cos]])
    return turned


def _globes(
    canvas: _Canvas, foot: Points, tall: float, post: _Post, rng: np.random.Generator
) -> None:
    """A post with a globe on its top, or one at each end of a bar."""
    top, radius = foot - [0, tall], rng.uniform(0.03, 0.07) * tall
    canvas.line(np.array([foot, top]), post.wide * tall, post.dark)
    ends = [0.0] if rng.uniform() < 0.6 else [-abs(post.arm), abs(post.arm)]
    for end in ends:
        at = top + np.array([end * tall * 0.7, 0])
        canvas.line(np.array([top, at]), post.wide * tall * 0.7, post.dark)
        ring = np.column_stack([np.cos(_CIRCLE), np.sin(_CIRCLE)]) * radius
        canvas.shape(at - [0, radius] + ring, post.glass)


def _lantern(
    canvas: _Canvas, foot: Points, tall: float, post: _Post, rng: np.random.Generator
) -> None:
    """A lantern with a roof, on a post or on a bracket at a wall."""
    size = rng.uniform(0.1, 0.2) * min(tall, 90)
    top = foot - [0, tall]
    if rng.uniform() < 0.5:
        canvas.line(np.array([foot, top]), 1.3 * post.wide * tall, post.dark)
    else:
        wall = top + np.array([np.sign(post.arm), -0.2]) * size
        canvas.line(
            np.array([wall + np.array([0, size]), wall, top - [0, 0.2 * size]]),
            0.1 * size,
            post.dark,
        )
    glass = np.array([[-0.22, 0], [0.22, 0], [0.36, -0.7], [-0.36, -0.7]]) * size
    canvas.shape(top + glass, post.glass)
    for x in (-0.3, 0.0, 0.3):
        frame = np.array([[0.7 * x, 0], [x, -0.7]]) * size
        canvas.line(top + frame, 0.05 * size, post.dark)
    roof = np.array([[-0.45, -0.7], [0, -1.05], [0.45, -0.7], [-0.45, -0.7]]) * size
    canvas.line(top + roof, 0.12 * size, post.dark)


def _hung(
    canvas: _Canvas, foot: Points, tall: float, post: _Post, rng: np.random.Generator
) -> None:
    """A lamp that hangs from a wire across the street."""
    at, reach = foot - [0, tall], rng.uniform(0.5, 3) * tall
    sag = np.linspace(-1, 1, 12)
    slope = rng.uniform(-0.1, 0.1) * reach
    wire = np.column_stack([sag * reach, (sag**2 - 1) * 0.05 * reach + sag * slope])
    canvas.line(at + wire, 0.25, post.dark)
    wide, high = np.array([1.0, rng.uniform(0.4, 1.0)]) * rng.uniform(0.04, 0.09) * min(tall, 90)
    cap = np.array([[-0.25, 0], [0.25, 0], [0.5, 0.6], [0.3, 1], [-0.3, 1], [-0.5, 0.6]])
    canvas.shape(at + cap * [wide, high], post.glass)


_KINDS: tuple[Callable[[_Canvas, Points, float, _Post, np.random.Generator], None], ...] = (
    _curved,
    _curved,
    _straight,
    _globes,
    _lantern,
    _hung,
)


def _put(item: Labelled, canvas: _Canvas, rng: np.random.Generator) -> Labelled:
    size = item.sky.shape[::-1]
    drawn = np.maximum(canvas.post, canvas.head)
    share, head, tone = (
        np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32) / 255
        for plane in (drawn, canvas.head, canvas.tone)
    )
    tint = 1 + rng.normal(size=3) * 0.06
    lights = np.clip(tone[..., None] * 255 * tint, 0, 255 * share[..., None])
    picture = item.picture * (1 - share[..., None]) + lights
    is_post = share > 0.5
    lamp = bit("lamp")
    known = item.known | lamp
    is_new = (item.known == 0) & (head == 0)
    return Labelled(
        np.rint(picture).astype(np.uint8),
        np.rint(item.sky * (1 - share)).astype(np.uint8),
        np.where(is_post & (item.surface != UNKNOWN), STANDING, item.surface).astype(np.uint8),
        np.where(head > 0.5, lamp, np.where(is_post, 0, item.lit)).astype(np.uint8),
        np.where((head > 0) & (head <= 0.5), known & ~lamp, known).astype(np.uint8),
        np.where(is_new, _DOUBT, np.where(head > 0, 255, item.trust)).astype(np.uint8),
    )
