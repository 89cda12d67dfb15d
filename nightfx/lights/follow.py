"""Quads followed from one frame to another, by what the picture shows in and around them.

Dense flow errs by a twentieth of a pixel a frame, always to the same side, and lets what is followed ride away on whatever
passes before it. So each quad has points that are registered (Lucas-Kanade), there and back, and a small picture of what it
looked like when it was found: where it looks otherwise it is hidden, and goes with the rest of the picture.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from nightfx.picture import Float32

Byte = NDArray[np.uint8]
Bool = NDArray[np.bool_]

_PLACES = np.array([[-1, -1], [1, -1], [0, 0], [-1, 1], [1, 1]], np.float32)
_LEAST_HALF_PX = 6.0  # half of the box, at least, whose corners are registered
_WINDOW_PX, _LEVELS, _STEPS, _STEP_PX = 13, 3, 20, 0.005
_BACK_PX = 0.3  # by which the way there and back may miss
_FEWEST = 3  # points of a quad that are registered
_NEAR_PX, _NEAR_SHARE = (
    0.5,
    0.1,
)  # by which they may move otherwise than most: a constant, and of the move
_MOST_SCALE = 0.1  # by which a quad grows in a frame
_GRID = 9, 12  # points, down and across, that say how the whole picture moves
_FEWEST_OF_GRID = 8
_SIDE = 8  # of the small picture
_ROOM, _LEAST_LOOK_PX = 1.4, 4.0  # of it around a quad, and half of its side at least
_FLAT = 18.0  # codes², variance that is noise
_ALIKE = 0.4  # 1 for the same small picture, 0 for one that has nothing to do with it
_FEWEST_KNOWN = 20  # of its pixels must be in the picture
_BRIGHTER = 35.0  # codes by which it may have become brighter or darker on the mean


def looks_of(luma: Byte, quads: Float32) -> Float32:
    """What quads (n, 4, 2) look like, each with a little around it, (n, 64) codes; NaN outside the picture."""
    middle, half = _boxes(quads, _ROOM, _LEAST_LOOK_PX)
    line = (np.arange(_SIDE, dtype=np.float32) + 0.5) * np.float32(2 / _SIDE) - 1
    x = middle[:, :1] + half[:, :1] * np.tile(line, _SIDE) - np.float32(0.5)
    y = middle[:, 1:] + half[:, 1:] * np.repeat(line, _SIDE) - np.float32(0.5)
    picture = luma.astype(np.float32)
    looks = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = (x > -1) & (y > -1) & (x < luma.shape[1]) & (y < luma.shape[0])
    return np.where(inside, looks, np.float32(np.nan))


def follow(before: Byte, now: Byte, quads: Float32, looks: Float32) -> tuple[Float32, Bool]:
    """Return where quads (n, 4, 2) of a frame are in another, and which of them look there as they should."""
    if not len(quads):
        return quads, np.zeros(0, bool)
    grid, (middle, half) = _grid(now), _boxes(quads, 1.0, _LEAST_HALF_PX)
    offsets = half[:, None] * _PLACES
    points = np.concatenate([grid, (middle[:, None] + offsets).reshape(-1, 2)])
    moves, found = _registered(before, now, points)  # at once: pictures are made ready but one time
    guessed = _with_the_picture(grid, moves[: len(grid)], found[: len(grid)], quads)
    own, is_found = _by_themselves(offsets, moves[len(grid) :], found[len(grid) :], quads)
    own = np.where(is_found[:, None, None], own, guessed)
    (is_own, own_cut), (is_guessed, _) = (
        _is_alike(looks_of(now, x), looks) for x in (own, guessed)
    )
    is_own |= is_found & own_cut  # too little is in the picture to be told by what it looks like
    return np.where(is_own[:, None, None], own, guessed), is_own | is_guessed


def _boxes(quads: Float32, room: float, least: float) -> tuple[Float32, Float32]:
    low, high = quads.min(1), quads.max(1)
    half = np.maximum((high - low) * np.float32(room / 2), np.float32(least))
    return (low + high) / 2, half.astype(np.float32)


def _is_alike(looks: Float32, wanted: Float32) -> tuple[Bool, Bool]:
    """Which looks (n, k) are as they should be, and of which too little is known to say."""
    known = np.isfinite(looks) & np.isfinite(wanted)
    count = np.maximum(known.sum(1), 1).astype(np.float32)
    one, other = (np.where(known, x, 0) for x in (looks, wanted))
    means, others = one.sum(1) / count, other.sum(1) / count
    one, other = (np.where(known, x - m[:, None], 0) for x, m in ((one, means), (other, others)))
    differs = np.square(one - other).sum(1) / count
    varies = (np.square(one) + np.square(other)).sum(1) / count
    alike = 1 - differs / (varies + np.float32(_FLAT))
    is_cut = count < _FEWEST_KNOWN
    is_alike = (alike > _ALIKE) & (np.abs(means - others) < _BRIGHTER) & ~is_cut
    return np.asarray(is_alike), np.asarray(is_cut)


def _registered(before: Byte, now: Byte, points: Float32) -> tuple[Float32, Bool]:
    """How points (n, 2) move, and which of them are found there and back."""
    how = {
        "winSize": (_WINDOW_PX, _WINDOW_PX),
        "maxLevel": _LEVELS,
        "criteria": (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, _STEPS, _STEP_PX),
    }
    start = np.ascontiguousarray(points[:, None] - np.float32(0.5))
    there, is_there, _ = cv2.calcOpticalFlowPyrLK(before, now, start, None, **how)  # type: ignore[call-overload]
    back, is_back, _ = cv2.calcOpticalFlowPyrLK(now, before, there, None, **how)  # type: ignore[call-overload]
    missed = np.abs(back - start).max((1, 2))
    found = (is_there[:, 0] > 0) & (is_back[:, 0] > 0) & (missed < _BACK_PX)
    moves = (there - start)[:, 0].astype(np.float32)
    return np.where(found[:, None], moves, 0), found


def _by_themselves(
    offsets: Float32, moves: Float32, found: Bool, quads: Float32
) -> tuple[Float32, Bool]:
    """Quads moved and scaled as most of their own points are, and which of them have enough of those."""
    middle, _ = _boxes(quads, 1.0, _LEAST_HALF_PX)
    moves, found = moves.reshape(offsets.shape), found.reshape(offsets.shape[:2])
    enough = found.sum(1) >= _FEWEST
    known = np.where((found | ~enough[:, None])[..., None], moves, np.nan)
    typical = np.nanmedian(known, axis=1)
    allowed = _NEAR_PX + _NEAR_SHARE * np.abs(typical).sum(1)
    near = found & (np.abs(moves - typical[:, None]).max(2) <= allowed[:, None])
    enough &= near.sum(1) >= _FEWEST
    shift, scale = _fitted(offsets, moves, near)
    moved = (quads - middle[:, None]) * scale[:, None, None] + (middle + shift)[:, None]
    return moved.astype(np.float32), enough


def _fitted(offsets: Float32, moves: Float32, near: Bool) -> tuple[Float32, Float32]:
    """The shift of the middle (n, 2) and the scale (n,) by which points `near` (n, k) at their offsets move best."""
    weight = near[..., None].astype(np.float32)
    count = np.maximum(weight.sum(1), 1)
    place, move = (offsets * weight).sum(1) / count, (moves * weight).sum(1) / count
    around, other = (offsets - place[:, None]) * weight, (moves - move[:, None]) * weight
    spread = np.maximum(np.square(around).sum((1, 2)), np.float32(1))
    growth = np.clip((around * other).sum((1, 2)) / spread, -_MOST_SCALE, _MOST_SCALE)
    return move - growth[:, None] * place, 1 + growth


def _grid(picture: Byte) -> Float32:
    """Points (n, 2) all over a picture."""
    height, width = picture.shape
    down, across = ((np.arange(n) + 0.5) / n for n in _GRID)
    x, y = np.meshgrid(across * width, down * height)
    return np.stack([x.ravel(), y.ravel()], 1).astype(np.float32)


def _with_the_picture(points: Float32, moves: Float32, found: Bool, quads: Float32) -> Float32:
    """Quads moved as most of the picture's `points` are: shifted, turned and scaled."""
    if found.sum() < _FEWEST_OF_GRID:
        return quads
    matrix, _ = cv2.estimateAffinePartial2D(
        points[found], (points + moves)[found], ransacReprojThreshold=_NEAR_PX * 2
    )
    if matrix is None:
        return quads
    return np.asarray(quads @ matrix[:, :2].T + matrix[:, 2], np.float32)
