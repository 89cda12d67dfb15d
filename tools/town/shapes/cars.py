"""Cars: their bodies, lights and wheels."""

import math
from dataclasses import dataclass
from typing import Any

import bpy  # first: it brings bmesh and mathutils

# isort: split
from mathutils import Matrix, Vector

from tools.town.shapes.mesh import Build, Point, Span, put


@dataclass(frozen=True)
class Shape:
    """The proportions of a car, in metres; the front points along +y."""

    long: float
    tall: float
    belt: float
    bonnet: float
    boot: float
    half: float = 0.88

    @property
    def axles(self) -> Span:
        """Where the rear and the front axle are."""
        return -self.long / 2 + 0.78, self.long / 2 - 0.85


SHAPES = {
    "hatch": Shape(4.0, 1.47, 0.95, 1.0, 0.06),
    "saloon": Shape(4.65, 1.43, 0.93, 1.25, 0.85, 0.9),
    "estate": Shape(4.6, 1.47, 0.94, 1.2, 0.08, 0.9),
    "suv": Shape(4.45, 1.66, 1.06, 1.1, 0.10, 0.92),
}


def hull(s: Shape) -> Build:
    """Return the body below the windows."""
    b, end, belt = Build(), s.long / 2, s.belt
    stations = [  # along the car, underside, top, share of the half width
        (-end, 0.40, belt - 0.22, 0.78), (-end + 0.05, 0.30, belt - 0.06, 0.9),
        (-end + 0.3, 0.25, belt + 0.02, 0.97), (-end + 1.2, 0.21, belt, 1.0),
        (0, 0.20, belt - 0.02, 1.0), (end - s.bonnet, 0.21, belt - 0.03, 1.0),
        (end - 0.5, 0.23, belt - 0.15, 0.98), (end - 0.15, 0.25, belt - 0.24, 0.9),
        (end - 0.02, 0.28, belt - 0.32, 0.82), (end, 0.36, belt - 0.42, 0.72),
    ]  # fmt: skip
    rings = []
    for y, low, top, wide in stations:
        w, rise = s.half * wide, top - low
        half = [
            (0.75 * w, low), (0.94 * w, low + 0.04), (w, low + 0.42 * rise),
            (0.985 * w, low + 0.72 * rise), (0.93 * w, top - 0.035), (0.84 * w, top),
            (0.4 * w, top + 0.025),
        ]  # fmt: skip
        rings.append([(x, y, z) for x, z in half] + [(-x, y, z) for x, z in reversed(half)])
    b.loft(rings, lambda i, j: "rubber" if i >= 0 and j in (0, 12, 13) else "car0")
    return b


def cabin_ring(s: Shape, share: float, z: float) -> list[Point]:
    """Return the outline of the cabin at one height: right, front, left, back."""
    low, high = -s.long / 2 + s.boot, s.long / 2 - s.bonnet + 0.28
    rear = low + (0.75 if s.boot > 0.5 else 0.42) * share
    front, w = high - 0.95 * share, s.half * (0.865 - 0.19 * share)
    cuts = (0, 0.07 if s.boot < 0.5 else 0.13, 0.46, 0.485, 0.96, 1)
    right = [(w, rear + (front - rear) * cut, z) for cut in cuts]
    left = [(-x, y, z) for x, y, z in reversed(right)]
    bow = 0.1 * (1 - 0.4 * share)
    ends = ((0.93, front + 0.4 * bow), (0, front + bow), (-0.93, front + 0.4 * bow))
    tails = ((-0.92, rear - 0.03), (0, rear - 0.07), (0.92, rear - 0.03))
    nose, tail = ([(x * w, y, z) for x, y in pair] for pair in (ends, tails))
    return right + nose + left + tail


def cabin(s: Shape) -> Build:
    """Return windows, pillars and roof."""
    low, tall = s.belt - 0.06, s.tall
    levels = [(0, low), (0.16, low + 0.08), (0.24, low + 0.11), (0.84, tall - 0.085), (0.92, tall - 0.04), (1.04, tall)]  # fmt: skip
    rings = [cabin_ring(s, share, z) for share, z in levels]
    middle = (rings[5][0][1] + rings[5][5][1]) / 2
    for keep, rise in ((0.8, 0.02), (0.4, 0.035)):
        rings.append(
            [(keep * x, middle + keep * (y - middle), tall + rise) for x, y, _ in rings[5]]
        )
    glass = {1, 2, 3, 6, 7, 10, 11, 12, 15, 16}
    b = Build()
    b.loft(rings, lambda i, j: "tint" if i == 2 and j in glass else "car0")
    return b


def trim(s: Shape, head: str, tail: str) -> Build:
    """Return lights, plates, grille, bumpers and mirrors."""
    b, end, w, belt = Build(), s.long / 2, s.half, s.belt
    for side in (-1, 1):
        b.blob((side * 0.70 * w, end - 0.15, belt - 0.33), (0.2, 0.12, 0.06), head)
        b.blob((side * 0.76 * w, -end + 0.11, belt - 0.17), (0.16, 0.095, 0.085), tail)
        mirror = (side * (w + 0.07), end - s.bonnet - 0.15, belt + 0.05)
        b.blob(mirror, (0.1, 0.05, 0.065), "car0")
    b.box((-0.5, 0.5), (end - 0.05, end + 0.012), (0.36, 0.46), "rubber")
    b.box((-0.6, 0.6), (-end - 0.02, -end + 0.1), (0.28, 0.40), "rubber")
    b.box((-0.26, 0.26), (end, end + 0.025), (0.47, 0.58), "plate")
    b.box((-0.26, 0.26), (-end - 0.025, -end + 0.05), (0.56, 0.67), "plate")
    b.box((-0.42, 0.42), (-end - 0.02, -end + 0.05), (0.545, 0.70), "rubber")
    return b


def wheel_mesh() -> bpy.types.Mesh:
    """Return a wheel whose outer side faces +x."""
    b = Build()
    xs, radii = [-0.1, -0.1, -0.07, 0.07, 0.1, 0.1], [0.2, 0.29, 0.32, 0.32, 0.29, 0.22]
    b.tube([(x, 0, 0) for x in xs], radii, "rubber", 28)
    rim = {0.06: 0.235, 0.106: 0.235, 0.108: 0.21, 0.07: 0.2}
    b.tube([(x, 0, 0) for x in rim], list(rim.values()), "rim", 28)
    b.tube([(0.10, 0, 0), (0.102, 0, 0)], [0.2, 0.2], "rubber", 28)
    b.tube([(0.10, 0, 0), (0.12, 0, 0)], [0.06, 0.05], "rim", 12)
    for i in range(5):
        turn = Matrix.Rotation(math.tau * i / 5, 3, "X")
        arm = [(-0.035, 0.03), (0.035, 0.03), (0.025, 0.215), (-0.025, 0.215)]
        b.face([tuple(turn @ Vector((0.112, *p))) for p in arm], "rim")
    return b.mesh("wheel")


def refined(build: Build, name: str, cutter: bpy.types.Object | None = None) -> bpy.types.Mesh:
    """Return a subdivided mesh, less the wheel arches that the cutter takes away."""
    work = put(build.mesh(name, smooth=True))
    work.modifiers.new("round", "SUBSURF").levels = 2
    if cutter:
        cut = work.modifiers.new("arches", "BOOLEAN")
        cut.object, cut.solver, cut.material_mode = cutter, "EXACT", "TRANSFER"
    graph = bpy.context.evaluated_depsgraph_get()
    mesh = bpy.data.meshes.new_from_object(work.evaluated_get(graph))
    bpy.data.objects.remove(work)
    return mesh


def car_parts(s: Shape, lit: bool) -> list[bpy.types.Mesh]:
    """Return the meshes of a car without its wheels."""
    arches = Build()
    for y in s.axles:
        for side in (-1, 1):
            ends = [(side * (s.half - 0.26), y, 0.32), (side * (s.half + 0.3), y, 0.32)]
            arches.tube(ends, [0.385, 0.385], "rubber", 40)
    cutter = put(arches.mesh("arches", smooth=True))
    parts = [refined(hull(s), "hull", cutter), refined(cabin(s), "cabin")]
    bpy.data.objects.remove(cutter)
    lights = ("head_on", "tail_on") if lit else ("head", "tail")
    return [*parts, trim(s, *lights).mesh("trim", smooth=True)]


def car(parts: list[Any], wheel: Any, s: Shape, paint: str) -> bpy.types.Object:
    """Assemble one car about an empty that moves it."""
    root = put_empty()
    for mesh in parts:
        part = put(mesh)
        part.parent = root
        for slot in part.material_slots:
            if slot.material.name == "car0":
                slot.link, slot.material = "OBJECT", bpy.data.materials[paint]
    for y in s.axles:
        for side in (-1, 1):
            made = put(wheel, (side * (s.half - 0.115), y, 0.32), 0 if side > 0 else math.pi)
            made.parent = root
    return root


def put_empty() -> bpy.types.Object:
    """Add an object without a shape."""
    made = bpy.data.objects.new("car", None)
    bpy.context.scene.collection.objects.link(made)
    return made
