"""What stands about in a street beside trees and lamps: people, poles, hedges, signals, hoardings."""

import math
import random

import bpy

from tools.town.shapes.mesh import Build, Point

Bar = tuple[Point, Point, float]


def bars(b: Build, rods: list[Bar], surface: str, n: int = 5) -> None:
    """Add thin rods from point to point."""
    for start, end, radius in rods:
        b.tube([start, end], [radius, radius], surface, n)


def person(rng: random.Random, index: int) -> bpy.types.Mesh:
    """Return someone who stands or walks, 1.75 m tall, facing +y."""
    b, stride = Build(), rng.uniform(0, 0.28)
    coat, trousers = f"dress{rng.randrange(8)}", f"dress{rng.randrange(5)}"
    for side in (-1, 1):
        foot = (side * 0.1, side * stride, 0.02)
        b.tube([foot, (side * 0.09, 0, 0.88)], [0.065, 0.09], trousers, 7)
        hand = (side * 0.27, -side * stride * 0.8, 0.82)
        b.tube([hand, (side * 0.21, 0, 1.42)], [0.045, 0.06], coat, 6)
        b.blob(hand, (0.045, 0.05, 0.06), "skin")
    low = 0.45 if index % 3 == 0 else 0.82
    b.tube([(0, 0, low), (0, 0, 1.1), (0, 0, 1.5)], [0.2, 0.17, 0.19], coat, 9)
    b.blob((0, 0.01, 1.63), (0.095, 0.11, 0.125), "skin")
    b.blob((0, -0.03, 1.67), (0.105, 0.105, 0.11), "hair")
    return b.mesh("person", smooth=True)


def signal() -> bpy.types.Mesh:
    """Return traffic lights whose red faces whoever comes along +y."""
    b = Build()
    bars(b, [((0, 0, 0), (0, 0, 3.0), 0.06)], "iron", 8)
    b.box((-0.17, 0.17), (-0.1, 0.1), (2.3, 3.25), "iron")
    for z, surface in ((3.08, "board_red"), (2.78, "iron"), (2.48, "tower")):
        b.tube([(0, -0.1, z), (0, -0.13, z)], [0.11, 0.11], surface, 12)
    return b.mesh("signal")


def hedge(rng: random.Random) -> bpy.types.Mesh:
    """Return 14 metres of hedge along x."""
    b = Build()
    b.box((-7, 7), (-0.35, 0.35), (0, 1.25), "hedge")
    for _ in range(1500):
        x, y, z = (
            rng.uniform(-7, 7),
            rng.choice([-0.36, 0.36, rng.uniform(-0.4, 0.4)]),
            rng.uniform(0.1, 1.35),
        )
        s, turn = rng.uniform(0.05, 0.11), rng.uniform(0, math.tau)
        dx, dy = s * math.cos(turn), s * math.sin(turn)
        tip = rng.uniform(-s, s)
        b.face(
            [(x - dx, y - dy, z), (x - dy, y + dx, z + tip), (x + dx, y + dy, z + s)],
            f"leaf{rng.randrange(3)}",
        )
    return b.mesh("hedge")


def pole() -> bpy.types.Mesh:
    """Return a wooden pole with a cross arm, for wires."""
    b = Build()
    b.tube([(0, 0, 0), (0, 0, 8.2)], [0.15, 0.1], "wood", 8)
    for z in (7.55, 6.65):
        b.box((-0.95, 0.95), (-0.06, 0.06), (z - 0.08, z + 0.02), "wood")
        for x in (-0.75, -0.25, 0.25, 0.75):
            b.box((x - 0.04, x + 0.04), (-0.04, 0.04), (z, z + 0.14), "white")
    b.tube([(0.25, 0, 5.6), (0.25, 0, 6.4)], [0.2, 0.2], "zinc", 10)
    return b.mesh("pole")


def railing() -> bpy.types.Mesh:
    """Return two metres of railing along y."""
    b = Build()
    rods = [((0, 0, z), (0, 2, z), 0.03) for z in (1.0, 0.6, 0.25)]
    bars(b, [*rods, ((0, 0, 0), (0, 0, 1.05), 0.035)], "white")
    return b.mesh("railing")


def billboard(rng: random.Random) -> bpy.types.Mesh:
    """Return a hoarding that faces away from +y, with a picture of coloured fields."""
    b = Build()
    b.box((-2.2, 2.2), (0.02, 0.2), (0, 2.6), "iron")
    for i in range(4):
        for j in range(2):
            surface = f"board{rng.randrange(7)}"
            corners = [(-2.1 + 1.05 * i, 0.1 + 1.2 * j), (-1.05 + 1.05 * i, 0.1 + 1.2 * j)]
            (x0, z0), (x1, _) = corners
            b.face([(x0, 0, z0), (x1, 0, z0), (x1, 0, z0 + 1.2), (x0, 0, z0 + 1.2)], surface)
    return b.mesh("billboard")
