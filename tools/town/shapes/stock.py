"""The stock of things that places put about: figures, lamps, poles, cranes, vehicles that are no cars."""

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


def globe_lamp() -> bpy.types.Mesh:
    """Return a post with a globe that glows."""
    b = Build()
    b.tube([(0, 0, 0), (0, 0, 0.8), (0, 0, 3.9)], [0.1, 0.06, 0.05], "iron", 8)
    b.blob((0, 0, 4.15), (0.24, 0.24, 0.26), "globe")
    return b.mesh("globe", smooth=True)


def lantern() -> bpy.types.Mesh:
    """Return a lantern on a bracket, its glass 3.6 m above the ground."""
    b = Build()
    bars(b, [((-0.5, 0, 3.7), (0.5, 0, 3.95), 0.03)], "iron")
    b.box((-0.16, 0.16), (-0.16, 0.16), (3.45, 3.85), "globe")
    b.box((-0.2, 0.2), (-0.2, 0.2), (3.85, 3.92), "iron")
    return b.mesh("lantern")


def hanging() -> bpy.types.Mesh:
    """Return a lamp that hangs from a wire 0.55 m above it."""
    b = Build()
    bars(b, [((0, 0, 0.1), (0, 0, 0.5), 0.015)], "iron")
    b.tube([(0, 0, 0), (0, 0, 0.14)], [0.34, 0.12], "iron", 12)
    b.blob((0, 0, -0.03), (0.2, 0.2, 0.08), "bulb")
    return b.mesh("hanging")


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
    for x, surface in ((5.5, "panel"), (9.5, "panel"), (-5.5, "steel"), (-9.5, "steel")):
        b.box((x - 1.6, x + 1.6), (-0.3, -0.2), (5.4, 7.6), surface)
        if surface == "panel":
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


def bus(rng: random.Random, lit: bool) -> bpy.types.Mesh:
    """Return a bus whose front points along +y."""
    b, paint = Build(), f"livery{rng.randrange(5)}"
    b.box((-1.25, 1.25), (-5.8, 5.8), (0.35, 3.05), paint)
    b.box((-1.26, 1.26), (-5.5, 5.4), (1.35, 2.55), "tint")
    b.box((-1.1, 1.1), (5.7, 5.83), (1.1, 2.75), "tint")
    b.box((-1.0, 1.0), (-5.83, -5.7), (1.6, 2.6), "tint")
    for x in (-1.27, 1.25):
        for y in range(-4, 6, 2):
            b.box((x, x + 0.02), (y - 0.05, y + 0.05), (1.3, 2.6), paint)
    return _wheeled(b, (-3.6, 3.4), 1.1, 5.84, 0.75, lit).mesh("bus")


def lorry(rng: random.Random, lit: bool) -> bpy.types.Mesh:
    """Return a lorry or a van whose front points along +y."""
    b, paint = Build(), f"livery{rng.randrange(5)}"
    b.box((-1.2, 1.2), (-5.5, 2.6), (0.95, 3.5), rng.choice(["livery0", "livery0", paint]))
    b.box((-1.15, 1.15), (3.0, 5.0), (0.5, 3.0), paint)
    b.box((-1.05, 1.05), (4.95, 5.02), (1.6, 2.7), "tint")
    b.box((-1.16, 1.16), (3.6, 4.6), (1.7, 2.6), "tint")
    b.box((-0.9, 0.9), (-5.4, 3.2), (0.55, 0.95), "rubber")
    return _wheeled(b, (-4.0, 3.9), 1.05, 5.03, 0.8, lit, back=-5.52).mesh("lorry")


def _wheeled(
    b: Build,
    axles: tuple[float, float],
    half: float,
    front: float,
    z: float,
    lit: bool,
    back: float | None = None,
) -> Build:
    head, tail = ("head_on", "tail_on") if lit else ("head", "tail")
    rear = -front if back is None else back
    for side in (-1, 1):
        for y in axles:
            b.tube(
                [(side * half - 0.15, y, 0.48), (side * half + 0.15, y, 0.48)],
                [0.48, 0.48],
                "rubber",
                14,
            )
        b.blob((side * 0.95, front, z), (0.16, 0.05, 0.1), head)
        b.box((side * 0.95 - 0.12, side * 0.95 + 0.12), (rear - 0.03, rear), (z, z + 0.3), tail)
    return b
