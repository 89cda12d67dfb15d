"""What comes in rows: houses, trees, lamps, cars, people along a street, and what stands far behind it."""

from __future__ import annotations

import itertools
import math
from random import Random

from tools.town.layout.plan import Block, Plan, Slab, Span, Thing, Wire

AHEAD, BACK = math.pi / 2, -math.pi / 2


def row(
    plan: Plan,
    rng: Random,
    kind: str,
    side: int,
    front: float,
    y: Span,
    width: Span,
    floors: tuple[int, int],
    gap: float = 0.0,
    lean: float = 0.2,
) -> None:
    """Add buildings whose fronts face the middle of a street, at `front` metres from it or up to `lean` behind."""
    at, usual = y[0], rng.randrange(floors[0], floors[1] + 1)
    while at < y[1]:
        wide = rng.uniform(*width)
        if at + wide > y[1] and at > y[0]:
            break
        back = front + rng.choice([0, 0, 0.5, 1.0]) * lean
        tall = min(max(usual + rng.choice([-1, -1, 0, 0, 1, 2]), floors[0]), floors[1])
        tall = rng.randrange(floors[0], floors[1] + 1) if kind == "tower" else tall
        start = at if side < 0 else at + wide
        plan.blocks.append(
            Block(
                kind, side * back, start, AHEAD if side < 0 else BACK, wide,
                rng.uniform(9, 13), tall, rng.randrange(10**6),
            )
        )  # fmt: skip
        at += wide + (rng.uniform(0.2, 1.0) * gap if gap else 0.0)


def close_street(plan: Plan, rng: Random, kind: str, y: float, wide: float = 45) -> None:
    """Put a row across the end of a street, or leave it open to what is far."""
    if kind != "open":
        at = -wide
        while at < wide:
            width = rng.uniform(16, 30) if kind == "tower" else rng.uniform(8, 13)
            if at + width > wide:
                break
            floors = rng.randrange(6, 22) if kind == "tower" else rng.randrange(3, 6)
            plan.blocks.append(Block(kind, at, y, 0.0, width, 11, floors, rng.randrange(10**6)))
            at += width
    skyline(plan, rng, rng.choice(["tower", "tower", "hill", "none"]), y + 150)


def skyline(plan: Plan, rng: Random, kind: str, y: float) -> None:
    """Put far towers or hills behind, and perhaps a crane or a mast."""
    for _ in range({"tower": 24, "hill": 7}.get(kind, 0)):
        x, far = rng.uniform(-0.7, 0.7), y * rng.uniform(1.0, 2.2)
        thing = "far" if kind == "tower" else "hill"
        plan.things.append(Thing(thing, x * far, far, 0, rng.uniform(0, 3), rng.uniform(0.5, 1.5)))
    for _ in range(rng.choice([0, 0, 0, 1, 1, 2])):
        what = rng.choice(["crane", "crane", "mast"])
        x, far = rng.uniform(-60, 60), y * rng.uniform(0.4, 0.9)
        plan.things.append(Thing(what, x, far, 0, rng.uniform(0, 6), rng.uniform(0.8, 1.5)))


def trees_along(plan: Plan, rng: Random, x: float, y: Span, step: float, big: float = 1.2) -> None:
    """Plant trees in a line, some missing."""
    at, kind = y[0] + rng.uniform(0, step), f"tree{rng.randrange(4)}"
    others = [f"tree{i}" for i in range(4)]
    if rng.random() < 0.25:
        kind, others = "bare", ["bare"]
    while at < y[1]:
        if rng.random() < 0.8:
            size = rng.uniform(0.7, 1.0) * big
            which = kind if rng.random() < 0.7 else rng.choice(others)
            tree = Thing(which, x + rng.uniform(-0.3, 0.3), at, 0, rng.uniform(0, 6), size)
            plan.things.append(tree)
        at += step * rng.uniform(0.85, 1.15)


def lamps_along(
    plan: Plan,
    rng: Random,
    x: float,
    y: Span,
    step: float,
    tall: float = 1.0,
    sides: tuple[int, ...] = (-1, 1),
) -> None:
    """Stand lamps along both sides, one kind a street."""
    kind = rng.choice(["lamp", "lamp", "globe"]) if tall == 1.0 else "lamp"
    for side in sides:
        at = y[0] + (step / 2 if side > 0 else 0)
        while at < y[1]:
            turn = 0.0 if side * (x or 1) < 0 else math.pi
            plan.things.append(Thing(kind, side * x, at, 0.1, turn, tall))
            at += step


def park_along(plan: Plan, rng: Random, x: float, y: Span, share: float) -> None:
    """Park cars in a line, their lights off."""
    at = y[0] + rng.uniform(0, 4)
    while at < y[1]:
        if rng.random() < share:
            turn = (BACK if x < 0 else AHEAD) + rng.gauss(0, 0.015)
            plan.things.append(Thing("car", x + rng.uniform(-0.1, 0.1), at, 0, turn))
        at += rng.uniform(5.6, 7.0)


def traffic_on(
    plan: Plan, rng: Random, x: float, turn: float, y: Span, step: float, skip: Span = (0, 0)
) -> None:
    """Send cars along a lane, their lights on, now and then a bus or a lorry."""
    at = y[0] + rng.uniform(0, step)
    while at < y[1]:
        if not skip[0] <= at <= skip[1]:
            kind = rng.choices(["car on", "bus on", "lorry on"], [12, 1, 1])[0]
            plan.things.append(Thing(kind, x + rng.uniform(-0.2, 0.2), at, 0, turn))
        at += step * rng.uniform(0.4, 1.6) + 6


def people_on(plan: Plan, rng: Random, x: Span, y: Span, count: int) -> None:
    """Let people stand and walk about."""
    for _ in range(count):
        place = rng.uniform(*x), rng.uniform(*y)
        if plan.free(*place, 0.3):
            kind = f"person{rng.randrange(6)}"
            plan.things.append(
                Thing(kind, *place, 0.1, rng.uniform(0, math.tau), rng.uniform(0.9, 1.08))
            )


def wires_along(plan: Plan, rng: Random, x: float, y: Span, step: float, count: int) -> None:
    """Carry cables along the street from pole to pole."""
    at, places = y[0], []
    while at < y[1]:
        places.append(at)
        plan.things.append(Thing("pole", x, at))
        at += step
    for a, b in itertools.pairwise(places):
        for i in range(count):
            across, tall = x - 0.75 + 1.5 * i / max(1, count - 1), 7.6 - 0.9 * (i % 2)
            sag = rng.uniform(0.3, 0.8)
            plan.wires.append(Wire((across, a, tall), (across, b, tall), sag))


def zebra(plan: Plan, half: float, y: float) -> None:
    """Paint a zebra crossing across the street."""
    for i in range(int(2 * half / 0.95)):
        x = -half + 0.3 + 0.95 * i
        plan.slabs.append(Slab((x, x + 0.5), (y - 1.6, y + 1.6), (0.012, 0.012), "paint"))


def quarters(plan: Plan, rng: Random, x: Span, y: Span) -> None:
    """Fill a part of the town with plain houses along streets, lit and with cars, leaving what stands there already."""
    at = y[0]
    while at < y[1]:
        left = x[0]
        while left < x[1]:
            wide = rng.uniform(11, 22)
            corners = [(left + u * wide, at + v * 12) for u in (0, 0.5, 1) for v in (0, 0.5, 1)]
            if all(plan.free(*corner, 3) for corner in corners):
                floors = rng.choice([2, 3, 3, 4, 4, 5, 9])
                block = Block("plain", left, at, 0.0, wide, 11, floors, rng.randrange(10**6))
                plan.blocks.append(block)
                if rng.random() < 0.4:
                    size, kind = rng.uniform(0.8, 1.6), f"tree{rng.randrange(4)}"
                    plan.things.append(Thing(kind, left + wide / 2, at - 5, 0, 0, size))
                if rng.random() < 0.3:
                    plan.things.append(Thing("lamp", left, at - 4, 0, 0.0))
                if rng.random() < 0.4:
                    plan.things.append(
                        Thing("car on", left + wide / 2, at - 9, 0, rng.choice([0, math.pi]))
                    )
            left += wide + rng.choice([0, 0, 0, 9])
        at += rng.uniform(24, 30)
