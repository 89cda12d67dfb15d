"""Places along streets: the street of old houses, the avenue, the old town, the crossing."""

from __future__ import annotations

import math
from random import Random

from tools.town.layout.plan import Block, Plan, Slab, Span, Stance, Thing, Wire
from tools.town.layout.rows import (
    close_street,
    lamps_along,
    park_along,
    people_on,
    quarters,
    row,
    traffic_on,
    trees_along,
    zebra,
)

AHEAD, RIGHT, BACK, LEFT = math.pi / 2, 0.0, -math.pi / 2, math.pi
CROSS = 34.0  # metres ahead: where the other street crosses


def street(plan: Plan, rng: Random) -> None:
    """Rows of old houses, cars along both kerbs, lamps and trees."""
    half = rng.uniform(3.4, 5.6)
    front = half + rng.uniform(2.0, 5.0)
    road(plan, rng, half, front, (-30, 230))
    for side in (-1, 1):
        row(plan, rng, "house", side, front, (-30, 210), (7.5, 14), (2, 6))
        park_along(plan, rng, side * (half - 1.0), (-14, 160), rng.uniform(0.3, 0.9))
        if front - half > 2.6 and rng.random() < 0.7:
            trees_along(plan, rng, side * (half + 1.2), (2, 200), rng.uniform(9, 20))
    lamps_along(plan, rng, half + 0.4, (6, 200), rng.uniform(20, 32))
    close_street(plan, rng, rng.choice(["house", "tower", "open", "open"]), 240)
    if rng.random() < 0.4:  # seen over the roofs, from a high window alone
        quarters(plan, rng, (-120, -front - 26), (20, 200))
        quarters(plan, rng, (front + 26, 120), (20, 200))
    if rng.random() < 0.35:
        tram_wires(plan, rng, front, rng.choice([0.0, half / 2]), (6, 180))
    lane = half / 2 if half > 4 else 0.6
    traffic_on(plan, rng, lane, AHEAD, (12, 200), 30)
    traffic_on(plan, rng, -lane, BACK, (12, 200), 30)
    people_on(plan, rng, (half + 0.6, front - 0.4), (4, 80), rng.randrange(3, 16))
    plan.stances += [
        Stance((-lane, lane), (0, 60), (1.2, 2.2), (AHEAD - 0.25, AHEAD + 0.25)),
        Stance((half + 0.5, front - 0.6), (0, 60), (1.5, 1.9), (AHEAD - 0.1, AHEAD + 0.6)),
        Stance((-half, half), (0, 30), (3, 9), (AHEAD - 0.3, AHEAD + 0.3), (-0.25, 0.1)),
    ]


def avenue(plan: Plan, rng: Random) -> None:
    """A wide road between towers of glass, with trees in its middle."""
    half = rng.uniform(9, 15)
    front = half + rng.uniform(5, 10)
    road(plan, rng, half, front, (-40, 420), lanes=3)
    for side in (-1, 1):
        row(plan, rng, "tower", side, front, (-40, 400), (18, 42), (7, 34), gap=0.5)
        trees_along(plan, rng, side * (half + 2), (0, 220), rng.uniform(9, 16))
        for lane in (0.28, 0.55, 0.82):
            traffic_on(plan, rng, side * half * lane, AHEAD * side, (8, 260), 22)
    if rng.random() < 0.5:
        plan.slabs.append(Slab((-1.2, 1.2), (-40, 400), (0, 0.16), "grass"))
        trees_along(plan, rng, 0, (5, 220), rng.uniform(8, 14))
    lamps_along(plan, rng, half + 0.6, (4, 300), rng.uniform(26, 38), tall=1.35)
    close_street(plan, rng, rng.choice(["tower", "open"]), 430)
    people_on(plan, rng, (half + 2, front - 1), (4, 90), rng.randrange(4, 24))
    plan.stances += [
        Stance((1, half - 1), (0, 120), (1.2, 2.2), (AHEAD - 0.2, AHEAD + 0.35), (-0.04, 0.18)),
        Stance((half + 1, front - 1), (0, 120), (1.5, 1.9), (AHEAD, AHEAD + 0.7), (-0.02, 0.25)),
        Stance((-half, half), (0, 60), (5, 18), (AHEAD - 0.4, AHEAD + 0.4), (-0.25, 0.05)),
    ]


def oldtown(plan: Plan, rng: Random) -> None:
    """Narrow, paved with stone, with arches, white walls, a church tower, wires across."""
    half = rng.uniform(2.4, 4.5)
    plan.slabs.append(Slab((-60, 60), (-40, 200), (-0.5, 0), "cobble"))
    for side in (-1, 1):
        row(plan, rng, "arcade", side, half, (-30, 110), (6, 11), (2, 4), lean=0.35)
    wires_across(plan, rng, half, (4, 100))
    plan.blocks.append(
        Block(
            "church", rng.uniform(-9, 1), 114, RIGHT, rng.uniform(6, 9), 8, 5, rng.randrange(10**6)
        )
    )
    close_street(plan, rng, "arcade", 125)
    people_on(plan, rng, (0, half - 0.5), (4, 60), rng.randrange(3, 16))
    people_on(plan, rng, (-half + 0.5, 0), (4, 60), rng.randrange(3, 12))
    park_along(plan, rng, half - 1.1, (5, 60), rng.choice([0, 0, 0.25]))
    for y in range(8, 100, rng.randrange(14, 22)):
        plan.things.append(Thing("lantern", rng.choice([-1, 1]) * (half - 0.35), y))
    plan.stances += [
        Stance((-0.8, 0.8), (0, 50), (1.4, 2.0), (AHEAD - 0.3, AHEAD + 0.3), (0.0, 0.25)),
        Stance((-1, 1), (0, 30), (3, 7), (AHEAD - 0.3, AHEAD + 0.3), (-0.2, 0.15)),
    ]


def crossing(plan: Plan, rng: Random) -> None:
    """Two streets that cross, with shops, signs, zebras and people."""
    half = rng.uniform(5.5, 9.0)
    front = half + rng.uniform(3, 5)
    road(plan, rng, half, front, (-40, 260))
    kind = rng.choice(["house", "house", "arcade", "hotel"])
    for side in (-1, 1):
        corner(plan, rng, kind, side, half, front)
        cross_street(plan, rng, kind, side, half, front)
        people_on(plan, rng, sides(side, half + 0.5, front - 0.5), (2, 80), rng.randrange(4, 14))
    lamps_along(plan, rng, half + 0.5, (4, 200), rng.uniform(20, 30))
    near = CROSS - half
    people_on(plan, rng, (-half, half), (near - 3.5, near - 1.5), rng.randrange(2, 12))
    wires_across(plan, rng, front, (10, 120))
    close_street(plan, rng, rng.choice(["house", "tower", "open"]), 270)
    hoardings(plan, rng, front)
    plan.stances += [
        Stance((-half + 1, half - 1), (-8, 14), (1.3, 2.2), (AHEAD - 0.3, AHEAD + 0.3)),
        Stance((half + 0.5, front - 0.5), (-5, 20), (1.5, 1.9), (AHEAD, AHEAD + 0.7)),
        Stance((-half, half), (-15, 5), (4, 16), (AHEAD - 0.3, AHEAD + 0.3), (-0.35, 0.0)),
    ]


def corner(plan: Plan, rng: Random, kind: str, side: int, half: float, front: float) -> None:
    """One side of the street before and behind a crossing, and the zebra and signals of one direction."""
    before, behind = (-40, CROSS - front), (CROSS + front, 240)
    for part in (before, behind):
        row(plan, rng, kind, side, front, part, (8, 14), (3, 7))
    trees_along(plan, rng, side * (half + 1), (behind[0], 200), 17)
    lane, free = side * half * 0.5, (CROSS - half, CROSS + half)
    traffic_on(plan, rng, lane, AHEAD * side, (3, 200), 20, skip=free)
    park_along(plan, rng, side * (half - 1), (behind[0] + 8, 180), 0.6)
    zebra(plan, half, CROSS + side * (half + 2.5))
    for x in (-half - 0.7, half + 0.7):
        at = CROSS + side * (half + 0.8)
        plan.things.append(Thing("signal", x, at, 0, AHEAD if side > 0 else BACK))


def cross_street(plan: Plan, rng: Random, kind: str, side: int, half: float, front: float) -> None:
    """One arm of the street that crosses: asphalt, houses that face us, cars that wait or drive."""
    arm = sides(side, 0, 200)
    plan.slabs.append(Slab(arm, (CROSS - half, CROSS + half), (-0.3, 0.004), "asphalt"))
    for i in range(4):
        away = front + 13.2 + 12 * i  # behind the house at the corner
        left = away if side > 0 else -away - 12
        floors, seed = rng.randrange(3, 7), rng.randrange(10**6)
        plan.blocks.append(Block(kind, left, CROSS + front, RIGHT, 12, 9, floors, seed))
    x, y = side * rng.uniform(10, 18), CROSS - side * half * 0.45
    for _ in range(rng.randrange(0, 4)):
        plan.things.append(Thing("car on", x, y, 0, RIGHT if side > 0 else LEFT))
        x += side * rng.uniform(6, 14)


def hoardings(plan: Plan, rng: Random, front: float) -> None:
    """Hang a few hoardings on the houses."""
    for _ in range(rng.randrange(1, 5)):
        x, y, z = rng.choice([-1, 1]) * (front - 0.3), rng.uniform(4, 90), rng.uniform(3.6, 7)
        turn, size = rng.choice([AHEAD, AHEAD, AHEAD, BACK]), rng.uniform(0.5, 1.2)
        plan.things.append(Thing("billboard", x, y, z, turn, size))


def tram_wires(plan: Plan, rng: Random, front: float, x: float, y: Span) -> None:
    """Cables for trams along the street, which others across it carry."""
    wires_across(plan, rng, front, y)
    at = y[0]
    while at < y[1]:
        for side in (-1, 1):
            ends = (side * x, at, 5.6), (side * x, at + 24, 5.6)
            plan.wires.append(Wire(*ends, 0.12, 0.012))
        at += 24


def sides(side: int, near: float, far: float) -> Span:
    """The span from `near` to `far` metres on one side of a street's middle."""
    return (near, far) if side > 0 else (-far, -near)


def road(plan: Plan, rng: Random, half: float, front: float, y: Span, lanes: int = 1) -> None:
    """Asphalt with its lines, between kerbs and pavements."""
    plan.slabs += [
        Slab((-900, 900), (-300, 1500), (-0.6, -0.05), rng.choice(["asphalt", "soil", "slabs"])),
        Slab((-half, half), y, (-0.3, 0), "asphalt"),
    ]
    for side in (-1, 1):
        for near, far, top, surface in (
            (half, half + 0.2, 0.15, "kerb"),
            (half, front + 1, 0.13, "slabs"),
        ):
            a, b = sorted((side * near, side * far))
            plan.slabs.append(Slab((a, b), y, (-0.3, top), surface))
    for i in range(-lanes + 1, lanes):
        x = half * i / lanes
        for dash in range(int(y[0]), min(int(y[1]), 240), 8):
            plan.slabs.append(
                Slab((x - 0.07, x + 0.07), (dash, dash + 3.5), (0.008, 0.008), "paint")
            )
    for _ in range(rng.randrange(0, 14)):
        x, start = rng.uniform(-half, half - 1.5), rng.uniform(0, 90)
        plan.slabs.append(
            Slab(
                (x, x + rng.uniform(0.4, 1.5)),
                (start, start + rng.uniform(1, 8)),
                (0.004, 0.004),
                "patch",
            )
        )


def wires_across(plan: Plan, rng: Random, half: float, y: Span) -> None:
    """Cables across the street, some with a lamp that hangs from them."""
    at = y[0]
    while at < y[1]:
        tall = rng.uniform(5.5, 7.5)
        plan.wires.append(
            Wire(
                (-half, at, tall), (half, at + rng.uniform(-1.5, 1.5), tall), rng.uniform(0.1, 0.4)
            )
        )
        if rng.random() < 0.5:
            plan.things.append(Thing("hanging", 0, at, tall - 0.55))
        at += rng.uniform(5, 16)
