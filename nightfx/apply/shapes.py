"""The shapes of lights at the size of the plate: the panes of a window on its own edges, the round head of a lamp."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nightfx.apply.patches import Patch, Shape
from nightfx.picture import Float32, Frame, Plane, kernel

_MARGIN_PX = 3  # around a quad, where the wall is looked at
_ROUND = 1.2  # a lamp's head fades out at as many of its radii squared
_TEXTURE = 0.7  # how much of a pane's own contrast is left
_TOP, _FOOT = (
    1.25,
    0.6,
)  # of a room's mean light, seen at the top of its window, where lamps hang, and at the foot
_LEAST_CONTRAST = 0.04  # of white: panes that differ from their wall by less shine wholly


class Clear(NamedTuple):
    """The plane in which edges are seen best, luma or green."""

    plane: Plane
    white: float
    """The largest code in it."""


def clear_of(frame: Frame) -> Clear:
    """Return the plane of a frame in which panes are told from their wall."""
    is_rgb = frame.coding.matrix == "rgb"
    return Clear(frame.planes[1 if is_rgb else 0], float(frame.coding.peak))


def shape_of(
    quad: Float32, light: Float32, clear: Clear, *, has_panes: bool, group: str = ""
) -> Shape | None:
    """Return the shape of a light whose corners (4, 2), px x, y, are a `quad` of the plate; None where it is outside."""
    low = np.floor(quad.min(0)).astype(int) - _MARGIN_PX
    high = np.ceil(quad.max(0)).astype(int) + _MARGIN_PX
    left, top = (int(v) for v in np.maximum(low, 0))
    right, bottom = (int(v) for v in np.minimum(high, clear.plane.shape[::-1]))
    if right - left < 2 or bottom - top < 2:
        return None
    size = bottom - top, right - left
    inside = (quad - np.array([left, top])).astype(np.float32)
    wall, glass = _looked_at(_box_of(clear, left, top, size), inside) if has_panes else (0.0, 0.0)
    return Shape(left, top, size, inside, light, has_panes, wall, glass, group)


def patch_of(shape: Shape, clear: Clear) -> Patch | None:
    """Return the light of a shape on a plate; None where nothing of it shines."""
    cover = np.zeros(shape.size, np.float32)
    if shape.has_panes:
        box = _box_of(clear, shape.left, shape.top, shape.size)
        brightest = _panes(box, shape.quad, shape.wall, shape.glass, cover)
    else:
        brightest = _head(shape.quad, cover)
    if brightest <= 0:
        return None
    most = np.float32(brightest)
    return Patch(shape.left, shape.top, cover / most, shape.light * most, shape=shape)


def _box_of(clear: Clear, left: int, top: int, size: tuple[int, int]) -> Float32:
    box = clear.plane[top : top + size[0], left : left + size[1]].astype(np.float32)
    return np.asarray(box * np.float32(1 / clear.white), np.float32)


def _looked_at(box: Float32, quad: Float32) -> tuple[float, float]:
    cover = np.zeros(box.shape, np.float32)
    _fill(quad, cover)
    wall, glass = _wall_and_glass(box, cover)
    return float(np.float32(wall)), float(np.float32(glass))


@kernel()
def _fill(quad: Float32, cover: Float32) -> None:
    """Write how much of each pixel of a box (h, w) lies in a quad."""
    for y in range(cover.shape[0]):
        for x in range(cover.shape[1]):
            cover[y, x] = _inside(quad, x + 0.5, y + 0.5)


@kernel()
def _panes(box: Float32, quad: Float32, wall: float, glass: float, cover: Float32) -> float:
    """Write how much each pixel of a box (h, w), 0 to 1, shines as glass of a window; returns the most.

    Glass by day is darker than its wall and its frame, or where it mirrors the sky brighter; how far a pixel is from the
    wall's brightness towards the glass's says how much of it is glass.
    """
    height, width = box.shape
    _fill(quad, cover)
    top, foot = quad[:, 1].min(), quad[:, 1].max()
    most = 0.0
    for y in range(height):
        room = _TOP + (_FOOT - _TOP) * min(max((y + 0.5 - top) / max(foot - top, 1.0), 0.0), 1.0)
        for x in range(width):
            if cover[y, x] > 0:
                cover[y, x] *= room * _glow_of(box[y, x], wall, glass)
                most = max(most, cover[y, x])
    return most


@kernel()
def _wall_and_glass(box: Float32, cover: Float32) -> tuple[float, float]:
    """The brightness around the panes, and that of the glass in them: of those pixels that differ most from the wall."""
    outside = 1 - cover
    inside = cover.sum()
    middle = (box * cover).sum() / max(inside, 1e-3)
    wall = (box * outside).sum() / outside.sum() if outside.sum() > 0 else middle
    glass, count = 0.0, 0.0
    for y in range(box.shape[0]):
        for x in range(box.shape[1]):
            if cover[y, x] > 0.5 and (box[y, x] <= middle) == (middle <= wall):
                glass += box[y, x]
                count += 1
    return wall, glass / count if count > 0 else middle


@kernel()
def _glow_of(value: float, wall: float, glass: float) -> float:
    """How much a pixel of panes shines, 1 where it is glass of the mean brightness."""
    share, contrast = 1.0, wall - glass
    if abs(contrast) > _LEAST_CONTRAST:
        t = min(max((wall - value) / contrast, 0.0), 1.0)
        share = t * t * (3 - 2 * t)
    own = min(max(max(value, 0.004) / max(glass, 0.02), 0.5), 1.6)
    return share * (1 + _TEXTURE * (own * own - 1))


@kernel()
def _inside(quad: Float32, x: float, y: float) -> float:
    """How much of a pixel around a place lies in a convex quad whose corners go round clockwise."""
    least = 1.0
    for i in range(4):
        j = (i + 1) % 4
        along_x, along_y = quad[j, 0] - quad[i, 0], quad[j, 1] - quad[i, 1]
        length = max((along_x * along_x + along_y * along_y) ** 0.5, 1e-6)
        away = (along_x * (y - quad[i, 1]) - along_y * (x - quad[i, 0])) / length
        least = min(least, away + 0.5)
    return max(least, 0.0)


@kernel()
def _head(quad: Float32, cover: Float32) -> float:
    """Write how much each pixel shines as the round head of a lamp; returns the most."""
    height, width = cover.shape
    middle_x = (quad[0, 0] + quad[1, 0] + quad[2, 0] + quad[3, 0]) / 4
    middle_y = (quad[0, 1] + quad[1, 1] + quad[2, 1] + quad[3, 1]) / 4
    half_x = max((quad[:, 0].max() - quad[:, 0].min()) / 2, 0.7)
    half_y = max((quad[:, 1].max() - quad[:, 1].min()) / 2, 0.7)
    most = 0.0
    for y in range(height):
        for x in range(width):
            across, down = (x + 0.5 - middle_x) / half_x, (y + 0.5 - middle_y) / half_y
            cover[y, x] = min(max(_ROUND - across * across - down * down, 0.0), 1.0)
            most = max(most, cover[y, x])
    return most
