"""The street of the example clip: its houses, ground and traffic."""

import math
import random

import bpy

from tools.town.shapes.cars import SHAPES, car, car_parts, wheel_mesh
from tools.town.shapes.houses import house, style
from tools.town.shapes.mesh import Build, Place, Span, put
from tools.town.shapes.things import lamp_mesh, spot, tree_mesh
from tools.town.surfaces.looks import PAINTS, WARM

FPS, FRAMES = 24, 84
ROAD, WALK, FRONT = 5.3, 5.5, 9.6  # half widths: asphalt, kerb, house fronts (metres)
NEAR, FAR = -30.0, 250.0  # the street runs along +y


def rows(rng: random.Random) -> None:
    """Add both rows of houses and those that close the street."""
    for side in (-1, 1):
        at = NEAR
        while at < FAR:
            width, back = rng.uniform(7.5, 13.0), rng.choice([0, 0, 0.15, 0.4])
            b = Build(facing(side, at, FRONT + back))
            house(b, rng, style(rng, width))
            b.link("house")
            at += width
    at = -34.0
    while at < 30:
        width = rng.uniform(8, 12)
        b = Build(across_the_end(at))
        house(b, rng, style(rng, width))
        b.link("house")
        at += width


def facing(side: int, at: float, front: float) -> Place:
    """Return where points of a house lie whose front stands beside the street, `front` metres from its middle."""
    return lambda u, d, z: (side * (front - d), at + u, z)


def across_the_end(at: float) -> Place:
    """Return where points of a house lie that closes the street."""
    return lambda u, d, z: (at + u, FAR + 28 - d, z + 0.14)


def skyline(rng: random.Random) -> None:
    """Add far towers that the haze pales."""
    b = Build()
    for _ in range(26):
        x, y, half = rng.uniform(-260, 260), rng.uniform(420, 1100), rng.uniform(9, 20)
        tall = rng.uniform(25, 75) * y / 600
        b.box((x - half, x + half), (y - half, y + half), (0, tall), "tower")
    b.link("skyline")


def flat(b: Build, x: Span, y: Span, z: float, mat: str) -> None:
    """Add a level rectangle."""
    b.face([(x[0], y[0], z), (x[1], y[0], z), (x[1], y[1], z), (x[0], y[1], z)], mat)


def pavement(b: Build, side: int) -> None:
    """Add the kerb, the pavement and the line of the parking lane on one side."""

    def across(near: float, far: float) -> Span:
        return (near, far) if side > 0 else (-far, -near)

    b.box(across(ROAD, WALK), (NEAR, FAR), (-0.1, 0.14), "kerb")
    b.box(across(WALK, FRONT + 1), (NEAR, FAR), (-0.1, 0.135), "slabs")
    for y in range(int(NEAR), int(FAR) - 5, 6):
        flat(b, across(3.15, 3.27), (y, y + 1.5), 0.006, "paint")


def ground(rng: random.Random) -> None:
    """Add asphalt, markings, kerbs and pavements."""
    b = Build()
    flat(b, (-900, 900), (-200, 1500), -0.02, "asphalt")
    flat(b, (-ROAD, ROAD), (NEAR, FAR + 15), 0, "asphalt")
    for side in (-1, 1):
        pavement(b, side)
    for y in range(int(NEAR), int(FAR) - 6, 7):
        flat(b, (-0.07, 0.07), (y, y + 3.5), 0.006, "paint")
    for i in range(11):
        flat(b, (-5.0 + 0.95 * i, -4.5 + 0.95 * i), (60, 63.5), 0.007, "paint")
    for _ in range(16):
        x, near, wide = rng.uniform(-3, 2), rng.uniform(5, 150), rng.uniform(0.5, 1.5)
        flat(b, (x, x + wide), (near, near + rng.uniform(0.8, 7)), 0.003, "patch")
    for i in range(8):
        x, at = rng.uniform(-2.5, 2.5), 7 + 14 * i + rng.uniform(-3, 3)
        b.tube([(x, at, 0), (x, at, 0.009)], [0.34, 0.34], "iron", 20)
    b.link("ground")


def signs() -> None:
    """Stand round signs and bollards along the kerbs."""
    b = Build()
    places = [(1, 21, "blue"), (-1, 33, "red"), (1, 57, "blue"), (-1, 66, "red")]
    for x, y, color in ((side * 5.9, y, color) for side, y, color in places):
        b.tube([(x, y, 0.1), (x, y, 2.9)], [0.03, 0.03], "zinc", 8)
        b.tube([(x, y - 0.04, 2.6), (x, y - 0.06, 2.6)], [0.32, 0.32], f"sign_{color}", 24)
        if color == "red":
            b.box((x - 0.2, x + 0.2), (y - 0.07, y - 0.06), (2.55, 2.65), "white")
    for i in range(30):
        b.tube([(5.8, 44 + 1.5 * i, 0.1), (5.8, 44 + 1.5 * i, 1.0)], [0.05, 0.05], "iron", 8)
    b.link("signs")


def furniture(rng: random.Random, night: bool) -> None:
    """Stand trees, lamps, bollards and signs along the kerbs."""
    trees, lamp = [tree_mesh(rng, i) for i in range(3)], lamp_mesh()
    for side in (-1, 1):
        for i in range(16):
            y = 4 + 16.5 * i + rng.uniform(-1, 1) + 5 * side
            made = put(rng.choice(trees), (side * 6.7, y, 0.13), rng.uniform(0, math.tau))
            grown = rng.uniform(0.85, 1.2)
            made.scale = [grown if rng.random() >= 0.25 else 0.0] * 3
        for i in range(10):
            y = 10 + 26 * i + 13 * (side > 0)
            put(lamp, (side * 5.95, y, 0.13), 0 if side < 0 else math.pi)
            if night:
                spot((side * 4.25, y, 6.95), 0.0, WARM, 900, 140)
    signs()


def traffic(rng: random.Random, night: bool) -> None:
    """Park cars along both kerbs and send a few along the lanes."""
    wheel = wheel_mesh()
    kinds = {(name, lit): car_parts(s, lit) for name, s in SHAPES.items() for lit in (False, True)}

    def draw(lit: bool) -> bpy.types.Object:
        name = rng.choice(list(SHAPES))
        return car(kinds[name, lit], wheel, SHAPES[name], f"car{rng.randrange(len(PAINTS))}")

    for side in (-1, 1):
        for i in range(34):
            y = -14 + 6.0 * i + rng.uniform(-0.3, 0.3)
            if rng.random() < 0.72 and not 56 < y < 67:
                parked = draw(False)
                parked.location = (side * (4.3 + rng.uniform(-0.08, 0.08)), y, 0)
                parked.rotation_euler = (0, 0, (math.pi if side < 0 else 0) + rng.gauss(0, 0.012))
    ahead = [(1.75, 17, 8.4), (1.7, 62, 8.0), (1.7, 120, 8.0)]
    for x, y, speed in [*ahead, (-1.7, 48, -9), (-1.65, 78, -9), (-1.7, 150, -9)]:
        drive(draw(True), x, y + rng.uniform(-2, 2), speed, night)


def drive(root: bpy.types.Object, x: float, y: float, speed: float, night: bool) -> None:
    """Move a car along the street and roll its wheels, its lights on by night."""
    heading = 0.0 if speed > 0 else math.pi
    root.rotation_euler = (0, 0, heading)
    for frame in (0, FRAMES + 1):
        way = speed * frame / FPS
        root.location = (x, y + way, 0)
        root.keyframe_insert("location", frame=frame)
        for part in root.children:
            if part.name.startswith("wheel"):
                part.rotation_euler.x = -abs(way) / 0.32 * math.cos(part.rotation_euler.z)
                part.keyframe_insert("rotation_euler", frame=frame)
    if night:
        for side in (-0.65, 0.65):
            spot((side, 2.4, 0.65), 84, (1, 0.9, 0.76), 900, 60).parent = root
