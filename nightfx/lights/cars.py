"""Which of the lamps found on vehicles are: two of one end of a car, on a level, and nothing between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nightfx.lights.found import Found

CAR_LAMPS = "front-lamp", "rear-lamp"
_CAR_WIDE = 1.6  # its width by its height: what is wider is several
_MOST = 2  # times as many, since cars hide others
_LAMP_SIDES = 0.45, 0.35  # width and height of a lamp by its car's height
_RED_SAYS = 0.25  # so large a rear is believed beside a front
_ALONE = 0.9  # confidence of a lamp whose partner is not seen
_PAIR_SIZES, _PAIR_LEVEL, _PAIR_SLOPE = 1.8, 0.6, 0.12  # how two lamps of a car may differ
_PAIR_APART = 2.5, 14.0  # of their size
_BELOW = 3  # heights of a lamp below it that number plates and bumpers hang
_TINY = 1e-3

Pair = tuple[Found, Found]
Car = tuple[Found, ...]


def lamps_of_cars(lamps: list[Found], cars: NDArray[Any]) -> Iterator[Found]:
    """Of each car the two lamps of one end, front or rear, that are seen best, each car with a number of its own.

    `cars` (h, w) numbers regions of vehicles, the houses of `lamps`: several cars that run together are one.
    """
    numbers = count()
    for region in sorted({x.house for x in lamps}):
        body = cars == region
        own = [x for x in lamps if x.house == region and _is_small(x, body)]
        own.sort(key=_weight, reverse=True)
        rows, columns = np.nonzero(body)
        wide = float(np.ptp(columns) + 1) / (_CAR_WIDE * float(np.ptp(rows) + 1))
        for car in _cars_of(own, max(round(wide), 1)):
            number = next(numbers)
            yield from (x._replace(house=number) for x in car)


def _cars_of(lamps: list[Found], most: int) -> list[Car]:
    """The lamps of each car of a region that is about so many cars wide."""
    fronts, rears = ([x for x in lamps if x.kind == kind] for kind in CAR_LAMPS)
    if most == 1:
        # red is seen on rears alone; a front lamp may be a number plate, or a window that mirrors the sky
        is_rear = _sum(rears[:2]) > _RED_SAYS * _sum(fronts[:2])
        seen = _well_seen((rears if is_rear else fronts)[:2])
        return [tuple(x for car in seen for x in car)]
    pairs = _pairs(rears)
    fronts = [x for x in fronts if not _is_of_a_rear(x, rears, pairs)]
    seen = [*_well_seen(rears), *_well_seen(fronts)]
    return sorted(seen, key=_sum, reverse=True)[: _MOST * most]


def _is_small(lamp: Found, body: NDArray[np.bool_]) -> bool:
    """Whether a lamp is one beside the height of its car where it sits: a red car is none."""
    (left, _), (right, _) = lamp.quad.min(0), lamp.quad.max(0)
    columns = body[:, max(int(left), 0) : int(np.ceil(right))]
    tall = int(columns.sum(0).max(initial=0))
    wide, high = np.ptp(lamp.quad, axis=0) - 1
    return bool(wide <= _LAMP_SIDES[0] * tall and high <= _LAMP_SIDES[1] * tall)


def _is_of_a_rear(front: Found, rears: list[Found], pairs: list[Pair]) -> bool:
    return any(_near(front, x) for x in rears) or any(_lies_between(front, *x) for x in pairs)


def _well_seen(lamps: list[Found]) -> list[Car]:
    """Those of one kind that have a partner on the other side of their car, or are sure without; nothing between two of a car."""
    pairs = _pairs(lamps)
    paired = {id(x) for pair in pairs for x in pair}
    alone = [
        (x,)
        for x in lamps
        if id(x) not in paired
        and x.confidence >= _ALONE
        and not any(_lies_between(x, *pair) for pair in pairs)
    ]
    return [*pairs, *alone]


def _pairs(lamps: list[Found]) -> list[Pair]:
    """Which lamps are of one car: the most alike first, each once."""
    scored = [(x, y, score) for x, y in combinations(lamps, 2) if (score := _unlike(x, y)) < 1]
    pairs, used = list[Pair](), set[int]()
    for one, other, _ in sorted(scored, key=lambda pair: pair[2]):
        if not used & {id(one), id(other)}:
            pairs.append((one, other))
            used |= {id(one), id(other)}
    return pairs


def _unlike(one: Found, other: Found) -> float:
    """How unlike the two lamps of one car two are, 0 to 1: in size, in level, and by how far they are apart; 1 for none."""
    across, down = np.abs(one.quad.mean(0) - other.quad.mean(0))
    sizes = [float(np.sqrt(np.ptp(x.quad, axis=0).prod())) for x in (one, other)]
    size = sum(sizes) / 2
    ratio, apart = max(sizes) / max(min(sizes), _TINY), across / max(size, _TINY)
    slant = down / max(_PAIR_LEVEL * size, _PAIR_SLOPE * across, _TINY)
    if ratio > _PAIR_SIZES or slant > 1 or not _PAIR_APART[0] <= apart <= _PAIR_APART[1]:
        return 1.0
    return float((slant + (ratio - 1) / (_PAIR_SIZES - 1) + apart / _PAIR_APART[1]) / 3)


def _lies_between(x: Found, one: Found, other: Found) -> bool:
    (left, y1), (right, y2) = sorted((one.quad.mean(0), other.quad.mean(0)), key=lambda at: at[0])
    (at, row), tall = x.quad.mean(0), max(np.ptp(z.quad, axis=0)[1] for z in (one, other))
    return bool(left < at < right and min(y1, y2) - 2 * tall < row < max(y1, y2) + _BELOW * tall)


def _near(one: Found, other: Found) -> bool:
    """Whether two lamps lie on one another."""
    apart = np.abs(one.quad.mean(0) - other.quad.mean(0))
    sides = (np.ptp(one.quad, axis=0) + np.ptp(other.quad, axis=0)) / 2
    return bool((apart < sides).all())


def _sum(lamps: Sequence[Found]) -> float:
    return sum(map(_weight, lamps))


def _weight(found: Found) -> float:
    width, height = np.ptp(found.quad, axis=0)
    return found.confidence * float(width * height)
