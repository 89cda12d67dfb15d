"""Trees and lamps."""

import math
import random

import bpy  # first: it brings bmesh and mathutils

# isort: split
from mathutils import Euler, Vector

from tools.town.shapes.furniture import bars
from tools.town.shapes.mesh import Build, Point, Rgb, put


def leaf(b: Build, rng: random.Random, heart: Vector, index: int, large: float) -> None:
    """Add one leaf somewhere about the end of a bough."""
    place = heart + Vector([rng.gauss(0, 0.36) for _ in range(3)])
    turn = Euler([rng.uniform(0, math.tau) for _ in range(3)]).to_matrix()
    size = large * rng.uniform(0.06, 0.12)
    shape = [(-1, 0, 0), (0, -0.6, 0.1), (1.1, 0, 0), (0, 0.6, 0.1)]
    green = f"leaf{(index + (rng.random() < 0.3)) % 3}"
    b.face([tuple(place + size * (turn @ Vector(p))) for p in shape], green)


def tree_mesh(
    rng: random.Random, index: int, leaves: int = 330, large: float = 1.0
) -> bpy.types.Mesh:
    """Return a street tree: trunk, boughs and a crown of so many leaves a bough, `large` times as large as is usual."""
    b, tall = Build(), rng.uniform(2.5, 3.0)
    b.tube([(0, 0, 0), (0, 0, 0.25), (0.04, 0, tall)], [0.2, 0.15, 0.11], "bark")
    for _ in range(17):
        around, up, out = rng.uniform(0, math.tau), rng.random(), rng.uniform(0.3, 1.0)
        reach = 1.75 * math.sin(math.pi * (0.2 + 0.7 * up)) * out
        heart = Vector((reach * math.cos(around), reach * math.sin(around), tall + 0.5 + 3.4 * up))
        b.tube([(0.04, 0, tall - 0.1), tuple(heart)], [0.06, 0.015], "bark", 5)
        for _ in range(leaves):
            leaf(b, rng, heart, index, large)
    return b.mesh("tree")


def bare_tree(rng: random.Random) -> bpy.types.Mesh:
    """Return a tree of winter: a trunk that forks five times."""
    b = Build()
    tips = [(Vector((0, 0, 0)), Vector((0, 0, 1)), 2.2, 0.16)]
    for _ in range(6):
        grown = []
        for foot, way, long, thick in tips:
            end = foot + long * way
            b.tube(
                [tuple(foot), tuple(end)], [thick, 0.66 * thick], "bark", 5 if thick > 0.05 else 3
            )
            for _ in range(rng.choice([2, 3, 3])):
                bent = way + Vector([rng.gauss(0, 0.5) for _ in range(3)]) + Vector((0, 0, 0.12))
                grown.append((end, bent.normalized(), long * rng.uniform(0.55, 0.8), 0.6 * thick))
        tips = grown
    return b.mesh("tree")


def lamp_mesh() -> bpy.types.Mesh:
    """Return a street lamp whose arm reaches along +x."""
    b = Build()
    heights, radii = [0, 0.9, 0.95, 6.6], [0.11, 0.1, 0.065, 0.045]
    b.tube([(0, 0, z) for z in heights], radii, "iron", 12)
    b.tube([(0, 0, 6.5), (1.5, 0, 7.0)], [0.04, 0.03], "iron", 8)
    b.blob((1.65, 0, 7.02), (0.42, 0.15, 0.08), "iron")
    b.blob((1.68, 0, 6.97), (0.3, 0.11, 0.06), "bulb")
    return b.mesh("lamp", smooth=True)


def spot(place: Point, tilt: float, color: Rgb, power: float, angle: float) -> bpy.types.Object:
    """Add a cone of light, which points down unless tilted."""
    data = bpy.data.lights.new("spot", "SPOT")
    data.energy, data.color, data.shadow_soft_size = power, color, 0.12
    data.spot_size, data.spot_blend = math.radians(angle), 0.6
    made = put(data, place)
    made.rotation_euler.x = math.radians(tilt)
    return made


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
