"""Find in one picture what would be lit by night: windows and signs as quads, lamps, and the lamps of cars.

The scene network says how surely each pixel belongs to one; here its maps become things with a shape, a place and a
house or a car that they belong to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from nightfx.lights.cars import CAR_LAMPS, lamps_of_cars
from nightfx.lights.found import Found
from nightfx.lights.windows import true_windows
from nightfx.picture import Float32

if TYPE_CHECKING:
    from nightfx.scene import Scene

Bool = NDArray[np.bool_]
Labels = NDArray[np.int32]


class _Rule(NamedTuple):
    """What a thing of a kind looks like, in shares of the picture's shorter side where it says so."""

    map: str
    on: str
    """The surface that it is part of."""
    odds: float
    """From here on a pixel belongs to it."""
    least_px: float
    largest: float
    """Of the picture's pixels."""
    longest: float
    """Its longer side by its shorter one."""
    filled: float
    """How much of the box around it belongs to it at least."""
    sure: float = 0.0
    """Its least confidence: of what is less sure four in five are none, in drawn streets."""


_RULES = {
    "window": _Rule("window", "wall", 0.5, 8, 0.02, 6.0, 0.5),
    "sign": _Rule("sign", "wall", 0.7, 24, 0.02, 14.0, 0.6, 0.95),
    "lamp": _Rule("lamp", "", 0.6, 3, 0.0012, 8.0, 0.35, 0.95),
    "front-lamp": _Rule("front-lamp", "vehicle", 0.4, 2, 0.003, 4.0, 0.35, 0.8),
    "rear-lamp": _Rule("rear-lamp", "vehicle", 0.4, 2, 0.003, 4.0, 0.35, 0.65),
}
_CLEFT_PX = 9, 9
_RED, _RED_SHARE = 0.05, 0.3  # how much more red a tail lamp has than green or blue
_CAR_PX = 10  # height of the least car whose lamps are seen
_RED_CAR, _TAIL = 0.2, 0.06  # of a car: with more red it is red itself; one tail lamp at most
_TAIL_ROWS = 0.15, 0.75  # of a car's height
_RED_ODDS = 0.6
_SURE = 0.85  # odds that count as sure
_OTHERS = (
    "sky",
    "ground",
    "leaves",
    "person",
)  # nothing on these is lit, but a street lamp before the sky
_MOST_OTHERS = 0.35  # mean share of these within a thing
# px that are looked at around a lamp, and mean odds of ground there with which it is paint, a rail or a puddle
_AROUND_PX, _LYING = 4, 0.7
_HOUSE = 0.5  # odds of a wall, of a vehicle
_FEW_COLUMNS, _STEEPEST = 6, 0.8
_GROW_PX = 1.0  # the network's odds fall off within a thing's rim


def find_lights(scene: Scene, picture: Float32) -> list[Found]:
    """Find what may be lit in an upright picture (3, h, w) in [0, 1], and whose scene this is."""
    dark = np.asarray(np.sum([scene.of(kind) for kind in _OTHERS], axis=0), np.float32)
    unlit = dict.fromkeys(_RULES, dark) | {"lamp": dark - scene.of("sky")}
    houses = _numbered(scene.of("wall") > _HOUSE)
    cars = _numbered(_filled(scene.of("vehicle") > _HOUSE))
    odds = {kind: scene.of(rule.map) for kind, rule in _RULES.items()}
    odds["lamp"] = odds["lamp"] * (cars == 0)
    odds["rear-lamp"] = np.maximum(odds["rear-lamp"], _red_spots(picture, cars))
    found = [
        found
        for kind, rule in _RULES.items()
        for found in _of_kind(
            kind, rule, odds[kind], unlit[kind], cars if rule.on == "vehicle" else houses
        )
    ]
    found = [x for x in found if x.kind != "lamp" or not _lies(x.quad, scene.of("ground"))]
    windows = true_windows([x for x in found if x.kind == "window"])
    lamps = [x for x in found if x.kind in CAR_LAMPS]
    others = [x for x in found if x.kind not in ("window", *CAR_LAMPS)]
    return windows + others + list(lamps_of_cars(lamps, cars))


def _red_spots(picture: Float32, cars: Labels) -> Float32:
    """How surely each pixel is a tail lamp by its red, which it has by day too: small spots at half the height of a car that is not red."""
    red, green, blue = picture
    more = red - np.maximum(green, blue)
    is_red = (more > np.maximum(_RED, _RED_SHARE * red)) & (cars > 0)
    surely = np.zeros_like(red)
    for car in np.unique(cars[is_red]):
        rows = np.flatnonzero((cars == car).any(1))
        own, size = is_red & (cars == car), np.count_nonzero(cars == car)
        if len(rows) < _CAR_PX or np.count_nonzero(own) > _RED_CAR * size:
            continue
        top, bottom = (rows[0] + round(share * len(rows)) for share in _TAIL_ROWS)
        count, spots, stats, middles = cv2.connectedComponentsWithStats(own.astype(np.uint8))
        for spot in range(1, count):
            if stats[spot, cv2.CC_STAT_AREA] <= _TAIL * size and top <= middles[spot, 1] < bottom:
                surely[spots == spot] = _RED_ODDS
    return np.asarray(surely, np.float32)


def _filled(where: Bool) -> Bool:
    """Regions without their holes and clefts: lamps are seldom called a vehicle."""
    closed = cv2.morphologyEx(where.astype(np.uint8), cv2.MORPH_CLOSE, np.ones(_CLEFT_PX, np.uint8))
    rims, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    whole = cv2.drawContours(closed, rims, -1, 1, cv2.FILLED)
    return np.asarray(whole > 0)


def _numbered(where: Bool) -> Labels:
    """Connected regions, counted from 1; 0 elsewhere."""
    _, labels = cv2.connectedComponents(where.astype(np.uint8), connectivity=4)
    return np.asarray(labels, np.int32)


def _of_kind(
    kind: str, rule: _Rule, odds: Float32, others: Float32, owners: Labels
) -> Iterator[Found]:
    odds = np.asarray(odds * (1 - others), np.float32)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        (odds > rule.odds).astype(np.uint8), connectivity=4
    )
    for label in range(1, count):
        left, top, width, height, area = stats[label]
        box = np.s_[top : top + height, left : left + width]
        inside = labels[box] == label
        if not _is_shaped(rule, (width, height), area, odds.size):
            continue
        if float(others[box][inside].mean()) > _MOST_OTHERS:
            continue
        confidence = min(float(odds[box][inside].mean()) / _SURE, 1.0)
        if confidence < rule.sure:
            continue
        owner = _most(owners[box][inside])
        if rule.on == "vehicle" and owner < 1:
            continue
        quad = _quad(inside)
        if _overlap(quad, inside) < rule.filled:
            continue
        quad += np.array([left, top], np.float32)
        yield Found(kind, quad.astype(np.float32), confidence, owner if owner > 0 else -1)


def _lies(quad: Float32, ground: Float32) -> bool:
    """Whether nearly all around a thing is ground."""
    low, high = quad.min(0), quad.max(0)
    left, top = np.maximum(np.floor(low - _AROUND_PX), 0).astype(int)
    right, bottom = np.ceil(high + _AROUND_PX).astype(int)
    box = ground[top:bottom, left:right]
    ring = np.ones(box.shape, bool)
    x, y = (
        slice(max(int(low[i]) - o, 0), int(np.ceil(high[i])) - o) for i, o in ((0, left), (1, top))
    )
    ring[y, x] = False
    return bool(ring.any()) and float(box[ring].mean()) > _LYING


def _is_shaped(rule: _Rule, size: tuple[int, int], area: int, pixels: int) -> bool:
    width, height = size
    if area < rule.least_px or area > rule.largest * pixels:
        return False
    return (
        max(width, height) <= rule.longest * min(width, height)
        and area >= rule.filled * width * height
    )


def _most(labels: Labels) -> int:
    counts = np.bincount(labels)
    return int(counts.argmax())


def _quad(inside: Bool) -> Float32:
    """The corners of a shape (h, w) whose sides stand upright: top and bottom are the lines that fit it best."""
    columns = np.flatnonzero(inside.any(0))
    top = inside.argmax(0)[columns]
    bottom = inside.shape[0] - inside[::-1].argmax(0)[columns]
    left, right = columns[0] - _GROW_PX / 2, columns[-1] + 1 + _GROW_PX / 2
    ends = np.array([left, right])
    upper = _line(columns + 0.5, top, ends) - _GROW_PX / 2
    lower = _line(columns + 0.5, bottom, ends) + _GROW_PX / 2
    corners = [(left, upper[0]), (right, upper[1]), (right, lower[1]), (left, lower[0])]
    return np.array(corners, np.float32)


def _overlap(quad: Float32, inside: Bool) -> float:
    """Intersection over union of a quad and the shape that it stands for."""
    drawn = np.zeros(inside.shape, np.uint8)
    corners = np.round((quad - 0.5) * 16).astype(np.int32)
    cv2.fillConvexPoly(drawn, corners, 1, cv2.LINE_8, 4)
    both = int(np.count_nonzero((drawn > 0) & inside))
    either = int(np.count_nonzero((drawn > 0) | inside))
    return both / max(either, 1)


def _line(x: NDArray[Any], y: NDArray[Any], at: NDArray[Any]) -> NDArray[Any]:
    """A line through the middles of both halves of the points, at two places; level where they are few."""
    if len(x) < _FEW_COLUMNS:
        return np.full(2, float(np.median(y)))
    half = len(x) // 2
    across = np.mean(x[-half:]) - np.mean(x[:half])
    steep = float((np.median(y[-half:]) - np.median(y[:half])) / across)
    slope = min(max(steep, -_STEEPEST), _STEEPEST)
    return np.asarray(np.median(y - slope * x) + slope * at)
