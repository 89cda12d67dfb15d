"""Places in the open: the suburb, the highway, the square from above, the seafront."""

from __future__ import annotations

import itertools
import math
from random import Random

from tools.town.layout.plan import Plan, Slab, Span, Stance, Thing, Wire
from tools.town.layout.rows import (
    close_street,
    lamps_along,
    park_along,
    people_on,
    quarters,
    row,
    skyline,
    traffic_on,
    trees_along,
    wires_along,
)

AHEAD, RIGHT, BACK, LEFT = math.pi / 2, 0.0, -math.pi / 2, math.pi


def suburb(plan: Plan, rng: Random) -> None:
    """Low houses in gardens, hedges, poles with wires, big trees."""
    half = rng.uniform(2.8, 4.0)
    plan.slabs += [
        Slab((-300, 300), (-100, 500), (-0.5, -0.02), rng.choice(["grass", "grass", "soil"])),
        Slab((-half, half), (-40, 300), (-0.3, 0.0), "asphalt"),
    ]
    front = half + rng.uniform(8, 13)
    for side in (-1, 1):
        gardens(plan, rng, side, half, front)
    wood(plan, rng, 26, (-70, 70), (20, 230), half + 3)
    wires_along(plan, rng, -half - 1.2, (-10, 200), rng.uniform(24, 38), 4)
    lamps_along(plan, rng, half + 0.6, (8, 200), rng.uniform(30, 45), sides=(1,))
    traffic_on(plan, rng, half / 2, AHEAD, (20, 200), 60)
    traffic_on(plan, rng, -half / 2, BACK, (20, 200), 60)
    people_on(plan, rng, (half + 0.2, half + 1.6), (4, 60), rng.randrange(0, 5))
    skyline(plan, rng, "hill", 500)
    plan.stances += [
        Stance((-half, half), (0, 90), (1.2, 2.0), (AHEAD - 0.35, AHEAD + 0.35)),
        Stance((half, half + 1.8), (0, 90), (1.4, 1.9), (AHEAD, AHEAD + 0.9)),
        Stance((-8, 8), (-15, 10), (8, 24), (AHEAD - 0.4, AHEAD + 0.4), (-0.4, -0.1)),
    ]


def gardens(plan: Plan, rng: Random, side: int, half: float, front: float) -> None:
    """One side of a suburb's street: pavement, houses, trees, hedges, cars."""
    near, far = sorted((side * half, side * (half + 1.8)))
    plan.slabs.append(Slab((near, far), (-40, 300), (-0.3, 0.1), "slabs"))
    row(plan, rng, "cottage", side, front, (-20, 180), (9, 14), (1, 3), gap=7, lean=1.5)
    trees_along(plan, rng, side * (half + 4.5), (0, 180), rng.uniform(14, 30), big=1.7)
    if rng.random() < 0.7:
        for y in range(-6, 150, 17):
            size = rng.uniform(0.7, 1.3)
            plan.things.append(Thing("hedge", side * (half + 2.4), y, 0, AHEAD, size))
    park_along(plan, rng, side * (half + 5), (-5, 160), 0.2)
    park_along(plan, rng, side * (half - 1), (-5, 160), 0.25)


def wood(plan: Plan, rng: Random, count: int, x: Span, y: Span, clear: float = 0.0) -> None:
    """Scatter trees, none nearer to the street than `clear`."""
    for _ in range(count):
        at, ahead = rng.uniform(*x), rng.uniform(*y)
        if abs(at) > clear and plan.free(at, ahead, 3):
            kind = rng.choice(["tree0", "tree1", "tree2", "tree3", "bare"])
            size = rng.uniform(0.8, 2.2)
            plan.things.append(Thing(kind, at, ahead, -0.1, rng.uniform(0, 6), size))


def highway(plan: Plan, rng: Random) -> None:
    """Two carriageways, gantries, barriers, a bridge, fields and far hills."""
    lanes = rng.choice([2, 3, 3])
    middle, wide = rng.uniform(1.0, 3.0), 3.7 * lanes + 2.8
    land = rng.choice(["grass", "soil", "grass"])
    plan.slabs += [
        Slab((-900, 900), (-100, 1500), (-0.6, -0.15), land),
        Slab((-0.25, 0.25), (-40, 700), (0, 0.9), "concrete"),
    ]
    for side in (-1, 1):
        carriageway(plan, rng, side, middle, lanes)
        roadside(plan, rng, side, middle + wide + 0.6)
    if rng.random() < 0.7:
        lamps_along(plan, rng, 0.0, (10, 330), rng.uniform(30, 45), tall=1.6, sides=(1, -1))
    for at in (rng.uniform(50, 110), rng.uniform(180, 300)):
        kind = rng.choices(["gantry", "bridge", ""], [4, 2, 3])[0]
        if kind:
            plan.things.append(Thing(kind, 0, at, 0, 0, (middle + wide) / 12))
    skyline(plan, rng, rng.choice(["hill", "hill", "tower"]), 700)
    pylons(plan, rng)
    inside = (middle + 1, middle + wide - 2)
    plan.stances += [
        Stance(inside, (0, 60), (1.2, 2.6), (AHEAD - 0.12, AHEAD + 0.12), (-0.06, 0.08)),
        Stance((-6, 6), (0, 20), (6, 14), (AHEAD - 0.2, AHEAD + 0.2), (-0.2, 0.0)),
    ]


def carriageway(plan: Plan, rng: Random, side: int, middle: float, lanes: int) -> None:
    """One direction of a highway: asphalt, lines, traffic."""
    near, far = sorted((side * middle, side * (middle + 3.7 * lanes + 2.8)))
    plan.slabs.append(Slab((near, far), (-40, 900), (-0.3, 0), "asphalt"))
    for i in range(lanes + 1):
        x = side * (middle + 0.7 + 3.7 * i)
        whole = i in (0, lanes)
        for y in range(-30, 320, 350 if whole else 12):
            line = (y, y + (600 if whole else 4))
            plan.slabs.append(Slab((x - 0.09, x + 0.09), line, (0.01, 0.01), "paint"))
    for i in range(lanes):
        traffic_on(plan, rng, side * (middle + 2.5 + 3.7 * i), AHEAD * side, (10, 400), 34)


def roadside(plan: Plan, rng: Random, side: int, rail: float) -> None:
    """What is beside a highway: a rail, and a barrier against noise or trees."""
    x = side * rail
    plan.slabs.append(Slab((x - 0.05, x + 0.05), (-40, 500), (0.45, 0.75), "zinc"))
    if rng.random() < 0.35:
        long, tall = (-40, rng.uniform(80, 400)), (0, rng.uniform(2.5, 4.5))
        surface = rng.choice(["concrete", "wall2", "cloth1"])
        plan.slabs.append(Slab((x + side - 0.1, x + side + 0.1), long, tall, surface))
    else:
        near, far = sorted((x + side * 4, x + side * 45))
        wood(plan, rng, rng.randrange(10, 46), (near, far), (0, 330))


def square(plan: Plan, rng: Random) -> None:
    """A square among houses, from above."""
    half = rng.uniform(22, 42)
    paved(plan, rng, half)
    kind = rng.choice(["house", "arcade", "hotel"])
    for side in (-1, 1):
        edge(plan, rng, kind, side, half)
    close_street(plan, rng, kind, half + 14, wide=half + 4)
    inner = (-half + 3, half - 3)
    people_on(plan, rng, inner, inner, rng.randrange(15, 60))
    skyline(plan, rng, rng.choice(["tower", "hill", "tower"]), 380)
    quarters(plan, rng, (-190, 190), (half + 50, half + 230))
    roofs(plan, rng, half)
    wide, narrow = (AHEAD - 1.2, AHEAD + 1.2), (AHEAD - 0.35, AHEAD + 0.35)
    plan.stances += [
        Stance((-half, half), (-half - 50, -half + 5), (22, 60), narrow, (-0.75, -0.25)),
        Stance((-half, half), (-half - 40, -half), (12, 40), narrow, (-0.4, -0.12)),
        Stance(inner, (-half + 2, 0), (1.5, 2), wide, (-0.02, 0.15)),
    ]


def paved(plan: Plan, rng: Random, half: float) -> None:
    """The ground of a square, with a lawn or a basin, and often rows of trees."""
    land, stone = (
        rng.choice(["asphalt", "soil", "grass"]),
        rng.choice(["slabs", "cobble", "cobble"]),
    )
    heart, bed = (-half / 3, half / 3), rng.choice(["grass", "water", "gravel"])
    plan.slabs += [
        Slab((-500, 500), (-500, 700), (-0.5, -0.02), land),
        Slab((-half, half), (-half, half), (-0.3, 0.12), stone),
        Slab(heart, (-half / 3, half / 4), (0, 0.2), bed),
    ]
    if rng.random() < 0.6:
        for i in range(-2, 3):
            trees_along(plan, rng, i * half / 5, (-half * 0.8, half * 0.8), rng.uniform(7, 20))


def edge(plan: Plan, rng: Random, kind: str, side: int, half: float) -> None:
    """One side of a square: two rows of houses, trees, cars, lamps."""
    long = (-half - 60, half + 70)
    row(plan, rng, kind, side, half + 7, long, (8, 16), (3, 6))
    behind = rng.choice(["house", "hotel", "tower"])
    row(plan, rng, behind, side, half + 34, long, (12, 20), (3, 9))
    trees_along(plan, rng, side * (half - 4), (-half, half), rng.uniform(8, 14))
    park_along(plan, rng, side * (half + 2), (-half, half), 0.6)
    traffic_on(plan, rng, side * (half + 4.6), AHEAD * side, (-half, half + 60), 24)
    lamps_along(plan, rng, side * half, (-half, half), 22, sides=(1,))


def seafront(plan: Plan, rng: Random) -> None:
    """A promenade between white hotels and the sea."""
    half = rng.uniform(3.5, 5.5)
    plan.slabs += [
        Slab((-1500, -half - 16), (-300, 1800), (-3, -2.2), "water"),
        Slab((-half - 30, -half - 7), (-100, 400), (-3, -1.9), "sand"),
        Slab((-half - 7, -half), (-60, 360), (-3, 0.14), "slabs"),
        Slab((-half, half), (-60, 360), (-3, 0), "asphalt"),
        Slab((half, 300), (-60, 900), (-3, 0.13), "slabs"),
    ]
    row(plan, rng, "hotel", 1, half + rng.uniform(4, 9), (-40, 330), (14, 26), (3, 10), gap=2)
    trees_along(plan, rng, -half - 1.5, (0, 200), rng.uniform(8, 16))
    lamps_along(plan, rng, half + 0.5, (4, 220), rng.uniform(20, 30), sides=(-1,))
    park_along(plan, rng, half - 1, (0, 160), rng.uniform(0.3, 0.8))
    traffic_on(plan, rng, 1.2, AHEAD, (10, 200), 34)
    traffic_on(plan, rng, -half + 1.6, BACK, (10, 200), 34)
    people_on(plan, rng, (-half - 6, -half - 0.5), (3, 90), rng.randrange(5, 24))
    for y in range(-40, 240, 2):
        plan.things.append(Thing("railing", -half - 6.8, y, 0.14))
    if rng.random() < 0.7:
        x, y0, size = rng.uniform(-500, -200), rng.uniform(900, 1300), rng.uniform(0.6, 1.2)
        plan.things.append(Thing("hill", x, y0, -3, rng.uniform(0, 6), size))
    beach = (-half - 40, -half - 20)
    plan.stances += [
        Stance((-half - 5, -half), (0, 100), (1.5, 2), (AHEAD - 0.25, AHEAD + 0.8)),
        Stance((-half, half), (0, 80), (1.2, 2.4), (AHEAD - 0.2, AHEAD + 0.3)),
        Stance(beach, (-30, 20), (4, 40), (AHEAD - 0.9, AHEAD + 0.1), (-0.3, 0.0)),
    ]


def pylons(plan: Plan, rng: Random) -> None:
    """Sometimes a line of pylons that crosses the land, its cables against the sky."""
    if rng.random() < 0.5:
        return
    x0, y0 = rng.choice([-1, 1]) * rng.uniform(45, 90), rng.uniform(60, 140)
    step = rng.uniform(-0.5, 0.5)
    places = [(x0 + step * 130 * i, y0 + 110 * i) for i in range(-1, 4)]
    for x, y in places:
        plan.things.append(Thing("pylon", x, y, -0.2, math.atan2(1, step)))
    for (xa, ya), (xb, yb) in itertools.pairwise(places):
        for across, tall in ((-6, 23), (0, 27), (6, 23)):
            plan.wires.append(Wire((xa + across, ya, tall), (xb + across, yb, tall), 4.0, 0.05))


def roofs(plan: Plan, rng: Random, half: float) -> None:
    """Cranes and masts above the houses."""
    for kind in rng.choices(["crane", "mast", "mast"], k=rng.randrange(0, 4)):
        plan.things.append(
            Thing(
                kind,
                rng.uniform(-120, 120),
                half + rng.uniform(40, 150),
                0,
                rng.uniform(0, 6),
                rng.uniform(0.8, 1.4),
            )
        )
