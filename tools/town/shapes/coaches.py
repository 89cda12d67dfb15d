"""Buses and lorries."""

import random

import bpy

from tools.town.shapes.mesh import Build


def bus(rng: random.Random) -> bpy.types.Mesh:
    """Return a bus whose front points along +y."""
    b, paint = Build(), f"livery{rng.randrange(5)}"
    b.box((-1.25, 1.25), (-5.8, 5.8), (0.35, 3.05), paint)
    b.box((-1.26, 1.26), (-5.5, 5.4), (1.35, 2.55), "tint")
    b.box((-1.1, 1.1), (5.7, 5.83), (1.1, 2.75), "tint")
    b.box((-1.0, 1.0), (-5.83, -5.7), (1.6, 2.6), "tint")
    for x in (-1.27, 1.25):
        for y in range(-4, 6, 2):
            b.box((x, x + 0.02), (y - 0.05, y + 0.05), (1.3, 2.6), paint)
    return _wheeled(b, (-3.6, 3.4), 1.1, 5.84, 0.75).mesh("bus")


def lorry(rng: random.Random) -> bpy.types.Mesh:
    """Return a lorry or a van whose front points along +y."""
    b, paint = Build(), f"livery{rng.randrange(5)}"
    b.box((-1.2, 1.2), (-5.5, 2.6), (0.95, 3.5), rng.choice(["livery0", "livery0", paint]))
    b.box((-1.15, 1.15), (3.0, 5.0), (0.5, 3.0), paint)
    b.box((-1.05, 1.05), (4.95, 5.02), (1.6, 2.7), "tint")
    b.box((-1.16, 1.16), (3.6, 4.6), (1.7, 2.6), "tint")
    b.box((-0.9, 0.9), (-5.4, 3.2), (0.55, 0.95), "rubber")
    return _wheeled(b, (-4.0, 3.9), 1.05, 5.03, 0.8, back=-5.52).mesh("lorry")


def _wheeled(
    b: Build,
    axles: tuple[float, float],
    half: float,
    front: float,
    z: float,
    back: float | None = None,
) -> Build:
    rear = -front if back is None else back
    for side in (-1, 1):
        for y in axles:
            b.tube(
                [(side * half - 0.15, y, 0.48), (side * half + 0.15, y, 0.48)],
                [0.48, 0.48],
                "rubber",
                14,
            )
        b.blob((side * 0.95, front, z), (0.16, 0.05, 0.1), "head_on")
        b.box(
            (side * 0.95 - 0.12, side * 0.95 + 0.12), (rear - 0.03, rear), (z, z + 0.3), "tail_on"
        )
    return b
