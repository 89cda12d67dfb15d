"""The sky by day, found in one small picture, and turned to night.

A generator that has learnt curves leaves a white cloud the brightest thing of the night. The sky by day is what looks
like one (bright, or blue and less so; not warm, not green, without texture) and is reached from the top edge without
crossing an edge. A night's sky, a room and a face are none. `any_sky.py` has a cue for skies of any hour.
"""

from __future__ import annotations

import cv2
import numpy as np

from nightfx.picture import BT709, Float32, luma
from nightfx.scene.way import cheapest_way

_LINES = 256  # of the shorter side; the map has half as many
_WEIGHTS = np.array(BT709, np.float32)
_BLACK = np.float32(0.05)  # added to luma under logarithms and tints: those of black are noise
# the least brightness (largest of R, G, B) of a sky: of a grey one, and of one as blue as skies get
LEAST_GREY, LEAST_BLUE, PER_BLUE = 0.62, 0.30, 1.2
_REACH = 0.55  # the way from the top edge at which a sky ends
_PER_PX = 0.25  # what a step costs over what looks like no sky at all
_PER_NEPER = 2.0  # and over an edge, beyond the softness of clouds
_CLOUD = 0.05
LOW, PER_LOW_PX = (
    0.55,
    0.03,
)  # below so much of the height a step down costs, the more the lower: snow is no sky
# the part that lies in the lower half, per part of the top edge: to 0.39 in photographs of streets, from 0.8 on squares
_LOW_FOR_TOP = 0.45, 0.8
_EDGE_ROWS = 4
_SWEEPS = 2
_WIRE_PX = 3
_NEAR = 0.1  # of the height: how far colours of the sky are looked up around a pixel
_COARSE = 4  # the same, at this part of the size
_ALIKE = 0.11  # how much such a colour may differ
# a night's sky: luma y becomes BRIGHTEST y / (y + SOFTNESS), in this tint, with a quarter of its own colour
BRIGHTEST, SOFTNESS = np.float32(0.22), np.float32(0.6)
_TINT = np.array([0.88, 0.97, 1.18], np.float32)
_OWN_COLOUR = np.float32(0.25)


def find_day_sky(rgb: Float32) -> Float32:
    """How surely each 2×2 px of an upright picture `rgb` (3, 2h, 2w) in [0, 1] is sky by day: (h, w) in [0, 1].

    exp(−(d / 0.55)²) of the cheapest way d from the top edge, or what is coloured as the sky around it (sky between
    the branches of a tree).
    """
    size = rgb.shape[2] // 2, rgb.shape[1] // 2
    picture = _reduced(np.ascontiguousarray(np.moveaxis(rgb, 0, -1)))
    small = _halved(picture)
    clear = _without_wires(small, _WIRE_PX)
    coloured = _likeness(clear)
    like = coloured * (1 - _ramp(_texture(picture, small), 0.06, 0.16))
    smooth = cv2.bilateralFilter(clear, 5, 0.08, 2)
    way = _way(like, np.log(_luma(smooth) + _BLACK))
    sky = _if_above(np.exp(-np.square(way / _REACH)).astype(np.float32))
    found = np.maximum(sky, _alike(small, sky) * np.sqrt(coloured))
    return np.asarray(cv2.resize(found, size, interpolation=cv2.INTER_LINEAR), np.float32)


def darken(lit: Float32, gain: Float32, share: Float32) -> tuple[Float32, Float32]:
    """The picture `lit` (3, h, w) and its gain with `share` (h, w), 0 to 1, of a night's sky in them."""
    grey = np.maximum(luma(lit), 0)
    night = BRIGHTEST * grey / (grey + SOFTNESS)
    tint = (_TINT / (_TINT @ _WEIGHTS)).reshape(3, 1, 1)
    colour = night * (tint * (1 - _OWN_COLOUR) + _OWN_COLOUR * lit / (grey + np.float32(1e-3)))
    slope = BRIGHTEST * SOFTNESS / np.square(grey + SOFTNESS)
    darker: Float32 = (lit + share * (colour - lit)).astype(np.float32)
    return darker, (gain * (1 + share * (slope - 1))).astype(np.float32)


def _reduced(picture: Float32) -> Float32:
    scale = _LINES / min(picture.shape[:2])
    if scale >= 1:
        return picture
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def _halved(picture: Float32) -> Float32:
    half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.asarray(half, np.float32)


def _without_wires(picture: Float32, size: int) -> Float32:
    """The picture without what is dark and thinner than `size` px: wires, twigs and poles do not end a sky."""
    square = np.ones((size, size), np.uint8)
    # of bytes: ten times as fast
    codes = np.rint(picture.clip(0, 1) * 255).astype(np.uint8)
    closed = cv2.morphologyEx(codes, cv2.MORPH_CLOSE, square)
    clear: Float32 = np.maximum(picture, closed * np.float32(1 / 255))
    return clear


def _luma(picture: Float32) -> Float32:
    grey: Float32 = np.maximum(cv2.transform(picture, _WEIGHTS[None]), 0)
    return grey


def _texture(picture: Float32, small: Float32) -> Float32:
    """Mean gradient of log luma around each pixel of `small`, in nepers a px of `picture`."""
    v = np.log(_without_wires(_luma(picture), _WIRE_PX) + _BLACK)
    across, down = (cv2.Sobel(v, cv2.CV_32F, dx, 1 - dx, scale=1 / 8) for dx in (1, 0))
    steep = cv2.resize(np.hypot(across, down), small.shape[1::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.blur(steep, (3, 3)), np.float32)


def _likeness(small: Float32) -> Float32:
    """By brightness and colour alone."""
    red, green, blue = cv2.split(small)
    grey = _luma(small) + np.float32(0.1)
    cool, leafy = (blue - red) / grey, (green - np.maximum(red, blue)) / grey
    least = np.clip(LEAST_GREY - PER_BLUE * np.clip(cool, 0, 1), LEAST_BLUE, LEAST_GREY)
    bright = _ramp(np.maximum(np.maximum(red, green), blue) - least, -0.12, 0.06)
    return bright * (1 - _ramp(-cool, 0.06, 0.22)) * (1 - _ramp(leafy, 0.02, 0.10))


def _ramp(x: Float32, low: float, high: float) -> Float32:
    t = np.clip((x - low) / (high - low), 0, 1)
    smooth: Float32 = (t * t * (3 - 2 * t)).astype(np.float32)
    return smooth


def _if_above(sky: Float32) -> Float32:
    """Nothing of it where most lies low and little at the top edge: that is a square or a road, seen from above."""
    low = sky[sky.shape[0] // 2 :].sum() / (sky.sum() + _EDGE_ROWS)
    share = low / (sky[:_EDGE_ROWS].mean() + np.float32(1e-3))
    above: Float32 = sky * (1 - _ramp(np.asarray(share), *_LOW_FOR_TOP))
    return above


def _alike(small: Float32, sky: Float32) -> Float32:
    """1 where a pixel has the mean colour of the sky around it, towards 0 where there is none or it differs."""
    size, radius = small.shape[1::-1], _NEAR * small.shape[0] / _COARSE
    both = np.dstack([sky[..., None] * small, sky])
    coarse = cv2.resize(both, None, fx=1 / _COARSE, fy=1 / _COARSE, interpolation=cv2.INTER_AREA)
    around = cv2.resize(cv2.GaussianBlur(coarse, (0, 0), radius), size)
    weight = around[..., 3]
    far = np.square(small - around[..., :3] / (weight[..., None] + 1e-4)).sum(-1)
    near: Float32 = (np.exp(-far / _ALIKE**2) * _ramp(weight, 0.05, 0.3)).astype(np.float32)
    return near


def _way(like: Float32, v: Float32) -> Float32:
    """The cheapest way from the top edge, over what looks like no sky, over edges, and down."""
    height = v.shape[0]
    step = _PER_PX * (1 - like.astype(np.float64))
    low = np.maximum(np.arange(height) / height - LOW, 0.0)
    down = PER_LOW_PX * low / (1 - LOW) * _LINES / 2 / height
    return cheapest_way(1 - like[0], v, step, down, _PER_NEPER, _CLOUD, _SWEEPS)
