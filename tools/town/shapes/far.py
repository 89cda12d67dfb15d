"""What is large or far: cranes, masts, pylons, gantries, bridges, far towers and hills."""

import math
import random

import bpy

from tools.town.shapes.furniture import bars
from tools.town.shapes.mesh import Build


def crane(rng: random.Random) -> bpy.types.Mesh:
    """Return a tower crane."""
    b, tall = Build(), rng.uniform(38, 55)
    surface = rng.choice(["yellow", "red", "white"])
    lattice(b, 0.9, (0, tall + 4), 2.6, surface)
    for z in (tall, tall + 1.6):
        bars(b, [((-14, 0, z), (42, 0, z if z == tall else z - 0.4), 0.13)], surface, 4)
    for i in range(18):
        bars(b, [((-12 + 3 * i, 0, tall), (-10.5 + 3 * i, 0, tall + 1.5), 0.07)], surface, 4)
    bars(b, [((0, 0, tall + 8), (x, 0, tall + 1.5), 0.06) for x in (-13, 20, 38)], "iron", 4)
    bars(
        b,
        [((0, 0, tall), (0, 0, tall + 8), 0.3), ((24, 0, tall), (24, 0, tall - 18), 0.06)],
        surface,
        4,
    )
    b.box((-14, -10), (-1, 1), (tall - 2.4, tall - 0.2), "concrete")
    b.box((-1, 1), (0.9, 2.5), (tall - 2.4, tall - 0.2), "white")
    return b.mesh("crane")


def lattice(b: Build, half: float, z: tuple[float, float], step: float, surface: str) -> None:
    """Add a square mast of rods with crosses between them."""
    r = 0.07
    corners = [(-half, -half), (half, -half), (half, half), (-half, half)]
    bars(b, [((x, y, z[0]), (x, y, z[1]), r) for x, y in corners], surface, 4)
    at = z[0]
    while at + step <= z[1]:
        for (xa, ya), (xb, yb) in zip(corners, corners[1:] + corners[:1], strict=True):
            bars(b, [((xa, ya, at), (xb, yb, at + step), r * 0.7)], surface, 4)
        at += step


def mast() -> bpy.types.Mesh:
    """Return a thin mast, red and white, with its ropes."""
    b = Build()
    for i in range(8):
        bars(
            b, [((0, 0, 7 * i), (0, 0, 7 * i + 7), 0.5 - 0.05 * i)], "red" if i % 2 else "white", 6
        )
    bars(b, [((x, y, 0), (0, 0, 45), 0.05) for x, y in ((18, 0), (-9, 15), (-9, -15))], "iron", 4)
    return b.mesh("mast")


def pylon() -> bpy.types.Mesh:
    """Return a pylon whose arms reach along x."""
    b = Build()
    for side in (-1, 1):
        bars(
            b,
            [((side * 2.6, y * 2.6, 0), (side * 0.5, y * 0.5, 20), 0.12) for y in (-1, 1)],
            "zinc",
            4,
        )
    for i in range(6):
        wide = 2.6 - 0.36 * i
        rods = [
            ((-wide, y * wide, 3.4 * i), (wide - 0.3, y * (wide - 0.3), 3.4 * i + 3.4), 0.06)
            for y in (-1, 1)
        ]
        rods += [
            ((x * wide, -wide, 3.4 * i), (x * (wide - 0.3), wide - 0.3, 3.4 * i + 3.4), 0.06)
            for x in (-1, 1)
        ]
        bars(b, rods, "zinc", 4)
    bars(b, [((0, 0, 20), (0, 0, 28), 0.3), ((-6.5, 0, 23.4), (6.5, 0, 23.4), 0.16)], "zinc", 4)
    bars(b, [((side * 6.5, 0, 23.4), (0, 0, 25.5), 0.08) for side in (-1, 1)], "zinc", 4)
    return b.mesh("pylon")


def gantry() -> bpy.types.Mesh:
    """Return a gantry over a highway of twice 12 metres, with its panels."""
    b = Build()
    for x in (-12.6, 12.6):
        b.box((x - 0.2, x + 0.2), (-0.2, 0.2), (0, 7.4), "zinc")
    for z in (6.3, 7.2):
        b.box((-12.6, 12.6), (-0.15, 0.15), (z, z + 0.15), "zinc")
    for x, surface in ((5.5, "road_sign"), (9.5, "road_sign"), (-5.5, "steel"), (-9.5, "steel")):
        b.box((x - 1.6, x + 1.6), (-0.3, -0.2), (5.4, 7.6), surface)
        if surface == "road_sign":
            for i, z in enumerate((7.0, 6.5, 6.0)):
                b.box((x - 1.3, x + 0.9 - 0.5 * i), (-0.32, -0.3), (z, z + 0.22), "white")
    return b.mesh("gantry")


def bridge() -> bpy.types.Mesh:
    """Return a bridge across a highway of twice 12 metres."""
    b = Build()
    b.box((-60, 60), (-5, 5), (5.6, 6.9), "concrete")
    for y in (-5, 4.8):
        b.box((-60, 60), (y, y + 0.2), (6.9, 7.9), "concrete")
        bars(b, [((-60, y, 8.3), (60, y, 8.3), 0.05)], "steel", 4)
    for x in (-14.5, 0, 14.5):
        b.box((x - 0.5, x + 0.5), (-4, 4), (0, 5.6), "concrete")
    return b.mesh("bridge")


def far_tower(rng: random.Random) -> bpy.types.Mesh:
    """Return a far tower, some of its windows lit."""
    b, half, tall = Build(), rng.uniform(7, 15), rng.uniform(22, 75)
    wall = rng.choice(["tower", "concrete", "plaster0", "brick1", "tower"])
    b.box((-half, half), (-half, half), (0, tall), wall)
    b.box((-half / 3, half / 3), (-half / 3, half / 3), (tall, tall + 4), "concrete")
    step, share = 2 * half / 8, rng.uniform(0.1, 0.5)
    for z in range(4, int(tall) - 3, 4):
        for i in range(8):
            u0, u1 = -half + (i + 0.2) * step, -half + (i + 0.8) * step
            for out in (-half - 0.1, half + 0.1):
                glow = f"_{rng.choice(['warm', 'white'])}" if rng.random() < share else ""
                b.face(
                    [(u0, out, z), (u1, out, z), (u1, out, z + 2.2), (u0, out, z + 2.2)],
                    f"pane_dark{glow}",
                )
                b.face(
                    [(out, u0, z), (out, u1, z), (out, u1, z + 2.2), (out, u0, z + 2.2)],
                    f"pane_dark{glow}",
                )
    return b.mesh("far")


def hill(rng: random.Random) -> bpy.types.Mesh:
    """Return a far hill."""
    b, rings = Build(), []
    wobble = [rng.uniform(0.8, 1.2) for _ in range(24)]
    for share, tall in ((1.0, -2), (0.75, 14), (0.5, 36), (0.25, 52), (0.06, 58)):
        rings.append([
            (240 * share * w * math.cos(math.tau * i / 24), 130 * share * w * math.sin(math.tau * i / 24), tall * rng.uniform(0.85, 1.1))
            for i, w in enumerate(wobble)
        ])  # fmt: skip
    b.loft(rings, lambda i, j: "hill")
    return b.mesh("hill", smooth=True)
