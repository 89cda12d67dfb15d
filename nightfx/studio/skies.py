"""Changes that a person makes to what is sky: each gives new edits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nightfx.errors import UsageError
from nightfx.picture import Float32
from nightfx.scene import SkyEdits, parse_sky_edits, sky_edits_told

Byte = NDArray[np.uint8]
Lumas = Callable[[int], Byte]
"""The luma (H, W) of a frame, by its number."""

FAR_FRAMES = 240
"""So far before and behind its frame a polygon is carried."""
_KEY_EVERY = 6  # frames
_POINTS, _NEAR_PX = 150, 12
_LEAST_POINTS, _LEAST_SHARE = 8, 0.4  # of them that move alike
_BACK_PX = 1.0  # how far from where it was a point may come back to


def changed_sky(edits: SkyEdits, edit: Mapping[str, Any]) -> SkyEdits:
    """The edits with one change, as a page asks for it. Raises UsageError."""
    data = sky_edits_told(edits)
    rows = data["edits"]
    match edit:
        case {"do": "sky-add", "sky": bool(is_sky), "frame": int(frame), "corners": list(corners)}:
            rows.append({"sky": is_sky, "keys": [_key(frame, corners)]})
        case {"do": "sky-shape", "edit": int(n), "frame": int(frame), "corners": list(corners)}:
            kept = [key for key in _row(rows, n)["keys"] if key[0] != frame]
            rows[n]["keys"] = sorted([*kept, _key(frame, corners)], key=lambda key: key[0])
        case {"do": "sky-say", "edit": int(n), "said": dict(said)}:
            rows[n] = {**_row(rows, n), **said}
        case {"do": "sky-delete", "edit": int(n)}:
            _row(rows, n)
            del rows[n]
        case _:
            raise UsageError(f"no such change of the sky: {edit!s:.120}")
    return _parsed(data)


def carried_sky(
    edits: SkyEdits, number: int, frame: int, ends: tuple[int, int], lumas: Lumas
) -> SkyEdits:
    """The edits with one of them carried along what it lies on, from a frame on to both ends of a shot, or until it is lost.

    A cut, or a picture without anything to hold on to, ends it there. Raises UsageError.
    """
    data = sky_edits_told(edits)
    row = _row(data["edits"], number)
    corners = edits.edits[number].at(frame)
    if corners is None:
        raise UsageError(f"the polygon does not count in frame {frame}")
    own = edits.edits[number]
    low = ends[0] if own.first is None else max(ends[0], own.first)
    high = ends[1] if own.last is None else min(ends[1], own.last)
    first, last = max(low, frame - FAR_FRAMES), min(high, frame + FAR_FRAMES)
    shown = {n: lumas(n) for n in range(first, last + 1)}
    scale = np.divide(shown[frame].shape[::-1], edits.size_px).astype(np.float32)
    found = {frame: corners}
    for way in (range(frame, last), range(frame, first, -1)):
        for before in way:
            after = before + (1 if way.step > 0 else -1)
            moved = follow_polygon(shown[before], shown[after], found[before] * scale)
            if moved is None:
                break
            found[after] = moved / scale
    lost = min(found), max(found)
    keys = sorted({*lost, frame, *range(lost[0], lost[1], _KEY_EVERY)})
    row["keys"] = [_key(n, found[n].tolist()) for n in keys]
    row |= {"first": lost[0]} if lost[0] > low else {}
    row |= {"last": lost[1]} if lost[1] < high else {}
    return _parsed(data)


def follow_polygon(before: Byte, after: Byte, corners: Float32) -> Float32 | None:
    """Where the corners (n, 2) px are in the next frame, by what is in and around them; None where that is not seen again."""
    mask = np.zeros_like(before)
    cv2.fillPoly(mask, [np.rint(corners).astype(np.int32)], 255)
    mask = np.asarray(cv2.dilate(mask, np.ones((2 * _NEAR_PX + 1,) * 2, np.uint8)), np.uint8)
    points = cv2.goodFeaturesToTrack(before, _POINTS, 0.01, 4, mask=mask)
    if points is None or len(points) < _LEAST_POINTS:
        return None
    moved, there, _ = cv2.calcOpticalFlowPyrLK(before, after, points, None)
    back, again, _ = cv2.calcOpticalFlowPyrLK(after, before, moved, None)
    steady = (np.abs(back - points).max((1, 2)) < _BACK_PX) & (there * again).ravel().astype(bool)
    if steady.sum() < max(_LEAST_POINTS, _LEAST_SHARE * len(points)):
        return None
    matrix, alike = cv2.estimateAffinePartial2D(points[steady], moved[steady])
    if matrix is None or alike.mean() < _LEAST_SHARE:
        return None
    inside = alike.ravel().astype(bool)
    return _scaled(points[steady][inside, 0], moved[steady][inside, 0], corners)


def _scaled(points: Float32, moved: Float32, corners: Float32) -> Float32:
    """The corners moved and scaled as points (n, 2) have: cameras seldom roll, and of few points a turn is mostly an error."""
    before, after = points - points.mean(0), moved - moved.mean(0)
    scale = (before * after).sum() / max(float((before * before).sum()), 1e-6)
    return np.asarray((corners - points.mean(0)) * scale + moved.mean(0), np.float32)


def _row(rows: Sequence[dict[str, Any]], number: int) -> dict[str, Any]:
    if not 0 <= number < len(rows):
        raise UsageError(f"there is no polygon {number}")
    return rows[number]


def _key(frame: int, corners: Sequence[Any]) -> list[Any]:
    if not all(isinstance(corner, list) and len(corner) == 2 for corner in corners):
        raise UsageError("a corner is a place: x, y")
    return [frame, *(v for corner in corners for v in corner)]


def _parsed(data: Mapping[str, Any]) -> SkyEdits:
    """The edits as they are when they were written and read; raises UsageError for what cannot be read."""
    try:
        return parse_sky_edits(data)
    except (ValueError, TypeError) as error:
        raise UsageError(str(error)) from error
