"""Render the example clip: a city street by day, or the same street truly at night.

The street is built from nothing but numbers with Blender's Python module, so the clip is free
of rights and can be remade by anyone. The same seed gives the same street by day and by night:

    python3.11 -m venv street && street/bin/pip install bpy==5.0.1 "av>=18.1,<19"
    street/bin/python examples/make_street.py --out day --encode examples/street.mp4
    street/bin/python examples/make_street.py --out night --night --encode night.mp4

A day frame takes about twenty seconds on two cores. Frames that exist are not rendered again, so
an interrupted render goes on where it stopped; with all of them there, `--encode` only encodes.
`--step 7` renders every seventh frame, and `--street N` builds another street.

`--lights` draws where the lights of the night are, and what they are: red for street lamps, green
for windows, blue for the lights of cars. examples/twins has frame 30 of four more streets in all
three ways, as `python -m bench.paired --streets 4 --blender street/bin/python` draws them.
"""

import argparse
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import bpy  # first: it brings bmesh and mathutils

# isort: split
import av
import bmesh
import numpy as np
from mathutils import Euler, Matrix, Vector

Point = tuple[float, float, float]
Span = tuple[float, float]
Rgb = tuple[float, float, float]
Place = Callable[[float, float, float], Point]

FPS, FRAMES = 24, 84
ROAD, WALK, FRONT = 5.3, 5.5, 9.6  # half widths: asphalt, kerb, house fronts (metres)
NEAR, FAR = -30.0, 250.0  # the street runs along +y
RATE, BT709, LIMITED = 48000, 1, 1  # of the sound; the tags of the video
SPEED = 8.0  # of the camera, metres a second
SUN = Vector((-0.36, -0.62, 0.76)).normalized()  # towards the sun: behind us, from the left
WARM, COOL = (1.0, 0.62, 0.30), (0.75, 0.86, 1.0)
LAMP, WINDOW, CAR = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)  # in the picture of lights
PANES = {  # name: colour by day, glow by night, share
    "pane_dark": ((0.020, 0.026, 0.032), None, 9),
    "pane_drape": ((0.17, 0.16, 0.14), None, 5),
    "pane_blind": ((0.34, 0.33, 0.30), None, 3),
    "pane_warm": ((0.05, 0.05, 0.05), (*WARM, 1.6), 3),
    "pane_amber": ((0.20, 0.18, 0.15), (1.0, 0.48, 0.18, 0.8), 2),
    "pane_cool": ((0.03, 0.04, 0.05), (*COOL, 0.9), 1),
}
WALLS: list[Rgb] = [
    (0.62, 0.55, 0.43), (0.70, 0.66, 0.58), (0.55, 0.40, 0.28), (0.66, 0.50, 0.36),
    (0.48, 0.50, 0.50), (0.72, 0.60, 0.40), (0.52, 0.56, 0.50), (0.60, 0.36, 0.28),
]  # fmt: skip
BRICKS: list[Rgb] = [(0.36, 0.13, 0.08), (0.42, 0.22, 0.13), (0.30, 0.15, 0.11)]
LEAVES: list[Rgb] = [(0.09, 0.17, 0.03), (0.06, 0.13, 0.03), (0.13, 0.19, 0.04)]
CLOTHS: list[Rgb] = [(0.45, 0.05, 0.04), (0.04, 0.16, 0.10), (0.05, 0.09, 0.22), (0.6, 0.5, 0.33)]
PAINTS: list[Rgb] = [
    (0.02, 0.02, 0.022), (0.55, 0.56, 0.57), (0.80, 0.80, 0.79), (0.03, 0.08, 0.22),
    (0.38, 0.02, 0.02), (0.12, 0.13, 0.14), (0.25, 0.27, 0.28), (0.05, 0.16, 0.12),
]  # fmt: skip


# Meshes ------------------------------------------------------------------------------------


@dataclass
class Build:
    """Faces gathered in local coordinates, later made one object."""

    place: Place = lambda u, d, z: (u, d, z)
    points: list[Point] = field(default_factory=list)
    faces: list[range] = field(default_factory=list)
    mats: list[str] = field(default_factory=list)

    def face(self, corners: Sequence[Point], mat: str) -> None:
        """Add one polygon."""
        start = len(self.points)
        self.points += [self.place(*corner) for corner in corners]
        self.faces.append(range(start, len(self.points)))
        self.mats.append(mat)

    def box(self, u: Span, d: Span, z: Span, mat: str) -> None:
        """Add an axis-aligned box."""
        c = [(u[i & 1], d[i >> 1 & 1], z[i >> 2]) for i in range(8)]
        for ids in ("0132", "4576", "0154", "2376", "0264", "1375"):
            self.face([c[int(i)] for i in ids], mat)

    def loft(self, rings: Sequence[Sequence[Point]], mat: Callable[[int, int], str]) -> None:
        """Join closed rings of equal length by quads and cap both ends."""
        n = len(rings[0])
        for i, (a, b) in enumerate(pairwise(rings)):
            for j in range(n):
                k = (j + 1) % n
                self.face([a[j], a[k], b[k], b[j]], mat(i, j))
        self.face(rings[0], mat(-1, 0))
        self.face(rings[-1], mat(-1, 0))

    def tube(self, path: Sequence[Point], radii: Sequence[float], mat: str, n: int = 10) -> None:
        """Add a round tube whose rings all face from the first point to the last."""
        axis = (Vector(path[-1]) - Vector(path[0])).normalized()
        side = axis.orthogonal().normalized()
        turns = [Matrix.Rotation(math.tau * j / n, 3, axis) @ side for j in range(n)]
        hoops = zip(path, radii, strict=True)
        rings = [[tuple(Vector(p) + r * t) for t in turns] for p, r in hoops]
        self.loft(rings, lambda i, j: mat)

    def blob(self, centre: Point, radii: Point, mat: str) -> None:
        """Add an ellipsoid."""
        rings = []
        for a in (math.pi * (i + 0.02) / 8.04 for i in range(9)):
            ring = [(math.tau * j / 14, math.sin(a)) for j in range(14)]
            unit = [Vector((s * math.cos(t), s * math.sin(t), math.cos(a))) for t, s in ring]
            rings.append([tuple(Vector(centre) + Vector(radii) * p) for p in unit])
        self.loft(rings, lambda i, j: mat)

    def mesh(self, name: str, *, smooth: bool = False) -> bpy.types.Mesh:
        """Return the gathered faces as a mesh."""
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata(self.points, [], [list(face) for face in self.faces])
        slots = {mat: i for i, mat in enumerate(dict.fromkeys(self.mats))}
        for mat in slots:
            mesh.materials.append(bpy.data.materials[mat])
        mesh.polygons.foreach_set("material_index", [slots[mat] for mat in self.mats])
        mesh.polygons.foreach_set("use_smooth", [smooth] * len(self.faces))
        return weld(mesh) if smooth else mesh

    def link(self, name: str) -> bpy.types.Object:
        """Put the gathered faces in the scene."""
        return put(self.mesh(name))


def weld(mesh: bpy.types.Mesh) -> bpy.types.Mesh:
    """Merge the corners that touch and turn all faces outwards."""
    work = bmesh.new()
    work.from_mesh(mesh)
    bmesh.ops.remove_doubles(work, verts=work.verts, dist=1e-4)
    bmesh.ops.recalc_face_normals(work, faces=work.faces)
    work.to_mesh(mesh)
    work.free()
    mesh.set_sharp_from_angle(angle=0.9)
    return mesh


def put(data: Any, place: Point = (0, 0, 0), turn: float = 0.0) -> bpy.types.Object:
    """Put mesh, lamp or camera data in the scene."""
    made = bpy.data.objects.new(data.name, data)
    made.location, made.rotation_euler = place, (0, 0, turn)
    bpy.context.scene.collection.objects.link(made)
    return made


# Materials ---------------------------------------------------------------------------------


def node(tree: Any, kind: str, inputs: dict[str | int, Any] | None = None, **props: Any) -> Any:
    """Add a shader node; an input is a value or another node's output."""
    made = tree.nodes.new("ShaderNode" + kind)
    for name, value in props.items():
        setattr(made, name, value)
    for key, value in (inputs or {}).items():
        if isinstance(value, bpy.types.NodeSocket):
            tree.links.new(value, made.inputs[key])
        else:
            made.inputs[key].default_value = value
    return made


def mix(tree: Any, share: Any, first: Any, second: Any, blend: str = "MIX") -> Any:
    """Return the mix of two colours."""
    inputs = {0: share, 6: first, 7: second}
    return node(tree, "Mix", inputs, data_type="RGBA", blend_type=blend).outputs[2]


def math_node(tree: Any, operation: str, *inputs: Any) -> Any:
    """Return the result of an arithmetic node."""
    return node(tree, "Math", dict(enumerate(inputs)), operation=operation).outputs[0]


def weathered(tree: Any, color: Rgb, vary: float, scale: float) -> Any:
    """Return a colour that coarse and fine noise darken."""
    spot = node(tree, "NewGeometry").outputs["Position"]
    inputs = {"Vector": spot, "Scale": scale, "Detail": 2.0, "Roughness": 0.7}
    noise = node(tree, "TexNoise", inputs).outputs[0]
    span = {"Value": noise, "From Min": 0.3, "From Max": 0.7, "To Min": 1 - vary}
    shade = node(tree, "MapRange", span).outputs[0]
    return mix(tree, 1.0, (*color, 1), shade, "MULTIPLY")


def bricked(tree: Any, color: Any, plane: str, size: Span) -> Any:
    """Return a colour with the joints of bricks or slabs."""
    spot = node(tree, "NewGeometry").outputs["Position"]
    split = node(tree, "SeparateXYZ", {0: spot}).outputs
    vector = node(tree, "CombineXYZ", {i: split["XYZ".index(axis)] for i, axis in enumerate(plane)})
    greys = {"Color1": (1, 1, 1, 1), "Color2": (0.72,) * 3 + (1,), "Mortar": (0.54,) * 3 + (1,)}
    sizes = {"Scale": 1.0, "Brick Width": size[0], "Row Height": size[1], "Mortar Size": 0.012}
    brick = node(tree, "TexBrick", {"Vector": vector.outputs[0], **greys, **sizes})
    return mix(tree, 1.0, color, brick.outputs[0], "MULTIPLY")


def haze(tree: Any, shader: Any, night: bool) -> Any:
    """Return a shader that far surfaces lose to the air before them."""
    far = node(tree, "CameraData").outputs["View Distance"]
    kept = math_node(tree, "EXPONENT", math_node(tree, "DIVIDE", far, -1300.0))
    share = math_node(tree, "SUBTRACT", 1.0, kept)
    seen = math_node(tree, "MULTIPLY", share, node(tree, "LightPath").outputs["Is Camera Ray"])
    air = (0.006, 0.006, 0.008, 1) if night else (0.62, 0.72, 0.86, 1)
    glow = node(tree, "Emission", {"Color": air}).outputs[0]
    return node(tree, "MixShader", {0: seen, 1: shader, 2: glow}).outputs[0]


@dataclass(frozen=True)
class Look:
    """What a surface looks like."""

    color: Rgb
    rough: float = 0.8
    metal: float = 0.0
    coat: float = 0.0
    vary: float = 0.0
    scale: float = 1.0
    plane: str = ""
    size: Span = (0.25, 0.08)
    leaf: float = 0.0
    glow: tuple[float, float, float, float] | None = None


def surface(tree: Any, look: Look, lit: bool) -> Any:
    """Return the shader of a surface."""
    color: Any = (*look.color, 1)
    color = weathered(tree, look.color, look.vary, look.scale) if look.vary else color
    color = bricked(tree, color, look.plane, look.size) if look.plane else color
    made = node(tree, "BsdfPrincipled", {"Base Color": color, "Roughness": look.rough})
    made.inputs["Metallic"].default_value = look.metal
    made.inputs["Coat Weight"].default_value = look.coat
    if lit and look.glow:
        glow = weathered(tree, look.glow[:3], look.vary, look.scale)
        tree.links.new(glow, made.inputs["Emission Color"])
        made.inputs["Emission Strength"].default_value = look.glow[3]
    if not look.leaf:
        return made.outputs[0]
    thin = node(tree, "BsdfTranslucent", {"Color": color}).outputs[0]
    return node(tree, "MixShader", {0: look.leaf, 1: made.outputs[0], 2: thin}).outputs[0]


def light_material(name: str, look: Look) -> None:
    """Make one material of the picture of lights: black, or the colour of its kind where it glows by night."""
    made = bpy.data.materials.new(name)
    made.node_tree.nodes.clear()
    kind = {"bulb": LAMP, "head_on": CAR, "tail_on": CAR}.get(name, WINDOW)
    color = kind if look.glow else (0.0, 0.0, 0.0)
    glow = node(made.node_tree, "Emission", {"Color": (*color, 1)}).outputs[0]
    node(made.node_tree, "OutputMaterial", {"Surface": glow})


def material(name: str, look: Look, night: bool) -> None:
    """Make one material, found later by its name."""
    made = bpy.data.materials.new(name)
    made.node_tree.nodes.clear()
    lit = night and look.glow is not None
    shader = surface(made.node_tree, look, lit)
    node(made.node_tree, "OutputMaterial", {"Surface": haze(made.node_tree, shader, night)})
    made.cycles.emission_sampling = "AUTO" if lit else "NONE"


def looks() -> dict[str, Look]:
    """Return every surface of the street by name."""
    table = {
        "asphalt": Look((0.155, 0.153, 0.155), 0.8, vary=0.3, scale=2.6),
        "patch": Look((0.095, 0.095, 0.10), 0.75, vary=0.3, scale=3),
        "paint": Look((0.62, 0.62, 0.59), 0.6, vary=0.45, scale=5),
        "slabs": Look((0.36, 0.35, 0.33), vary=0.35, scale=0.9, plane="XY", size=(0.8, 0.5)),
        "kerb": Look((0.42, 0.41, 0.39), vary=0.3, scale=2),
        "stone": Look((0.62, 0.59, 0.52), vary=0.3, scale=1.2),
        "plinth": Look((0.30, 0.29, 0.27), vary=0.35, scale=1.5),
        "white": Look((0.72, 0.72, 0.70), 0.5),
        "brown": Look((0.11, 0.055, 0.03), 0.5),
        "iron": Look((0.03, 0.032, 0.034), 0.45, 0.4),
        "zinc": Look((0.23, 0.25, 0.27), 0.5, 0.3, vary=0.25),
        "tiles": Look((0.34, 0.12, 0.07), 0.8, vary=0.4, scale=2.5),
        "slate": Look((0.11, 0.12, 0.14), 0.55, vary=0.35, scale=2),
        "shop": Look((0.035, 0.038, 0.04), 0.04, vary=0.8, scale=1.4, glow=(1.0, 0.74, 0.45, 1.1)),
        "bark": Look((0.12, 0.09, 0.065), vary=0.5, scale=6),
        "tint": Look((0.010, 0.013, 0.015), 0.02),
        "rubber": Look((0.014, 0.014, 0.015), 0.7),
        "rim": Look((0.5, 0.5, 0.51), 0.3, 0.9),
        "plate": Look((0.75, 0.75, 0.72), 0.5),
        "head": Look((0.75, 0.77, 0.80), 0.08, 0.5, coat=1.0),
        "head_on": Look((0.75, 0.77, 0.80), 0.08, 0.5, coat=1.0, glow=(1.0, 0.93, 0.82, 60.0)),
        "tail": Look((0.35, 0.008, 0.008), 0.12, coat=1.0),
        "tail_on": Look((0.35, 0.008, 0.008), 0.12, coat=1.0, glow=(1.0, 0.03, 0.015, 12.0)),
        "bulb": Look((0.8, 0.8, 0.76), 0.3, glow=(*WARM, 45.0)),
        "tower": Look((0.30, 0.33, 0.37), 0.4, vary=0.3, scale=0.05, plane="XZ", size=(6, 3.2)),
        "sign_blue": Look((0.02, 0.09, 0.42), 0.4),
        "sign_red": Look((0.55, 0.02, 0.02), 0.4),
    }
    table |= {f"wall{i}": Look(c, vary=0.22, scale=0.8) for i, c in enumerate(WALLS)}
    table |= {f"brick{i}": Look(c, vary=0.3, scale=1, plane="YZ") for i, c in enumerate(BRICKS)}
    table |= {f"car{i}": Look(c, 0.25, 0.2, coat=1.0) for i, c in enumerate(PAINTS)}
    table |= {f"leaf{i}": Look(c, 0.5, leaf=0.35) for i, c in enumerate(LEAVES)}
    table |= {f"cloth{i}": Look(c, 0.8) for i, c in enumerate(CLOTHS)}
    return table | {name: Look(c, 0.03, glow=g) for name, (c, g, _) in PANES.items()}


# Houses ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Style:
    """How one house looks."""

    width: float
    floors: int
    wall: str
    frame: str
    column: float
    hole: Span
    shop: bool
    roof: str
    balcony: float
    ground: float = 4.0
    storey: float = 3.15

    @property
    def top(self) -> float:
        """The height of the cornice."""
        return self.ground + self.storey * (self.floors - 1) + 0.35


def style(rng: random.Random, width: float) -> Style:
    """Draw the style of a house."""
    walls = [f"wall{i % len(WALLS)}" for i in range(2 * len(WALLS))]
    walls += [f"brick{i % len(BRICKS)}" for i in range(2 * len(BRICKS))]
    return Style(
        width, rng.choice([3, 3, 4, 4, 5]), rng.choice(walls), rng.choice(["white", "white", "brown"]),
        rng.uniform(2.1, 2.7), (rng.uniform(1.0, 1.3), rng.uniform(1.6, 2.0)), rng.random() < 0.72,
        rng.choice(["tiles", "slate", "slate", "zinc", "flat"]), rng.choice([0, 0, 0.3, 0.6]),
        rng.uniform(3.7, 4.3), rng.uniform(3.0, 3.35),
    )  # fmt: skip


def pane(rng: random.Random) -> str:
    """Draw what is behind a window."""
    return rng.choices(list(PANES), [share for _, _, share in PANES.values()])[0]


def window(b: Build, u: Span, z: Span, glass: str, frame: str, sashes: int = 2) -> None:
    """Add a recessed window: reveal, glass and the bars of its frame."""
    depth, bar = -0.22, 0.07
    corners = [(u[0], z[0]), (u[1], z[0]), (u[1], z[1]), (u[0], z[1])]
    for (u0, z0), (u1, z1) in zip(corners, corners[1:] + corners[:1], strict=True):
        b.face([(u0, 0, z0), (u1, 0, z1), (u1, depth, z1), (u0, depth, z0)], "stone")
    b.face([(a, depth, c) for a, c in corners], glass)
    deep = (depth, depth + 0.06)
    for i in range(sashes + 1):
        left = u[0] + (u[1] - u[0] - bar) * i / sashes
        b.box((left, left + bar), deep, z, frame)
    for low in (z[0], z[1] - bar, z[0] + 0.68 * (z[1] - z[0])):
        b.box(u, deep, (low, low + bar), frame)


def wall(b: Build, u: Span, z: Span, hole: tuple[Span, Span], mat: str) -> None:
    """Add a piece of wall around a hole."""
    (a, c), (low, high) = hole
    above, beside = [(u, (z[0], low)), (u, (high, z[1]))], [(u[0], a), (c, u[1])]
    for (u0, u1), (z0, z1) in above + [(part, (low, high)) for part in beside]:
        b.face([(u0, 0, z0), (u1, 0, z0), (u1, 0, z1), (u0, 0, z1)], mat)


def balcony(b: Build, u: Span, z: float) -> None:
    """Add a stone slab with an iron railing."""
    b.box(u, (0, 0.8), (z - 0.12, z), "stone")
    b.box(u, (0.74, 0.78), (z + 0.92, z + 0.97), "iron")
    count = int((u[1] - u[0]) / 0.14)
    for i in range(count + 1):
        at = u[0] + (u[1] - u[0] - 0.025) * i / count
        b.box((at, at + 0.025), (0.75, 0.775), (z, z + 0.92), "iron")
    for side in (u[0], u[1] - 0.025):
        b.box((side, side + 0.025), (0, 0.77), (z + 0.92, z + 0.97), "iron")
        b.box((side, side + 0.025), (0.3, 0.325), (z, z + 0.92), "iron")


def upper_cell(b: Build, rng: random.Random, s: Style, u: Span, z: Span) -> None:
    """Add one window of an upper floor with its wall, sill and perhaps a balcony."""
    middle, low = (u[0] + u[1]) / 2, z[0] + 0.75
    tall = rng.random() < s.balcony
    low = z[0] + 0.1 if tall else low
    hole = (middle - s.hole[0] / 2, middle + s.hole[0] / 2), (low, z[0] + 0.75 + s.hole[1])
    wall(b, u, z, hole, s.wall)
    window(b, *hole, pane(rng), s.frame)
    out = (hole[0][0] - 0.12, hole[0][1] + 0.12)
    b.box(out, (0, 0.09), (hole[1][1], hole[1][1] + 0.16), "stone")
    if tall:
        balcony(b, (out[0] - 0.15, out[1] + 0.15), z[0] + 0.1)
    else:
        b.box(out, (0, 0.12), (low - 0.09, low), "stone")


def awning(b: Build, u: Span, z: float, cloth: str) -> None:
    """Add a slanted awning with a hanging edge."""
    edges = [(0.02, z), (1.25, z - 0.5), (1.25, z - 0.72)]
    for (d0, z0), (d1, z1) in pairwise(edges):
        b.face([(u[0], d0, z0), (u[1], d0, z0), (u[1], d1, z1), (u[0], d1, z1)], cloth)


def ground_floor(b: Build, rng: random.Random, s: Style) -> None:
    """Add a shop front, or windows and a door."""
    count = max(2, round(s.width / (3.4 if s.shop else s.column)))
    step, door = s.width / count, rng.randrange(count)
    cloth, shaded = f"cloth{rng.randrange(4)}", rng.random() < 0.6
    for i in range(count):
        half = 0.55 if i == door else step / 2 - 0.25 if s.shop else s.hole[0] / 2
        low = 0.05 if i == door else 0.55 if s.shop else 1.1
        hole = ((i + 0.5) * step - half, (i + 0.5) * step + half), (low, 2.95 if s.shop else 2.7)
        wall(b, (i * step, (i + 1) * step), (0, s.ground), hole, "plinth" if s.shop else s.wall)
        glass = "brown" if i == door else "shop" if s.shop else pane(rng)
        window(b, *hole, glass, "iron" if s.shop else s.frame, 1 if i == door else 2)
        if s.shop and shaded and i != door:
            awning(b, hole[0], hole[1][1], cloth)
    if s.shop:
        b.box((0.3, s.width - 0.3), (0, 0.14), (3.08, 3.6), cloth)
    else:
        b.box((0, s.width), (0, 0.06), (0, 0.7), "plinth")


def dormer(b: Build, mid: float, z: float, s: Style, glass: str) -> None:
    """Add a small house for a window that looks out of the roof."""
    b.box((mid - 0.65, mid + 0.65), (-3.0, -0.45), (z - 0.4, z + 1.55), s.frame)
    b.box((mid - 0.8, mid + 0.8), (-3.0, -0.3), (z + 1.55, z + 1.68), s.roof)
    corners = [(-0.45, 0.1), (0.45, 0.1), (0.45, 1.35), (-0.45, 1.35)]
    b.face([(mid + x, -0.43, z + y) for x, y in corners], glass)


def roof(b: Build, rng: random.Random, s: Style) -> None:
    """Add the cornice, a pitched, mansard or flat roof, dormers and chimneys."""
    w, top = s.width, s.top
    for out, low, high in ((0.12, -0.5, -0.3), (0.28, -0.3, -0.12), (0.42, -0.12, 0.02)):
        b.box((0, w), (-0.3, out), (top + low, top + high), "stone")
    if s.roof == "flat":
        b.box((0, w), (-0.25, 0.05), (top, top + 0.8), s.wall)
        return
    back, rise = (-1.5, 2.7) if s.roof == "zinc" else (-5.5, 3.6)
    b.box((0, 0.3), (-7.5, -0.9), (top, top + rise * 0.5), s.wall)
    ring = [(0.3, 0), (back, rise), (-11 - back, rise), (-11.3, 0)]
    b.loft([[(u, d, top + z) for d, z in ring] for u in (0.02, w - 0.02)], lambda i, j: s.roof)
    count = max(1, round(w / 3.6))
    for i in range(count):
        dormer(b, w * (i + 0.5) / count, top + 0.55, s, pane(rng))
    for u in (0.4, w - 1.2):
        stack = (top + rise - 1.5, top + rise + 1.1)
        b.box((u, u + 0.8), (-6.2, -4.8), stack, rng.choice(["brick0", "brick1"]))


def house(b: Build, rng: random.Random, s: Style) -> None:
    """Add one house whose front lies at depth nought."""
    ground_floor(b, rng, s)
    b.box((0, s.width), (0, 0.14), (s.ground - 0.25, s.ground), "stone")
    count = max(2, round(s.width / s.column))
    step = s.width / count
    for floor in range(s.floors - 1):
        low = s.ground + floor * s.storey
        high = low + s.storey if floor < s.floors - 2 else s.top
        for i in range(count):
            upper_cell(b, rng, s, (i * step, (i + 1) * step), (low, high))
    b.box((0, s.width), (-11, -0.23), (0, s.top), s.wall)
    for side in (0.0, s.width - 0.01):
        b.box((side, side + 0.01), (-0.23, 0), (0, s.top), s.wall)
    roof(b, rng, s)


def rows(rng: random.Random) -> None:
    """Add both rows of houses and those that close the street."""
    for side in (-1, 1):
        at = NEAR
        while at < FAR:
            width, back = rng.uniform(7.5, 13.0), rng.choice([0, 0, 0.15, 0.4])
            b = Build(lambda u, d, z, a=at, f=FRONT + back: (side * (f - d), a + u, z))  # noqa: B023
            house(b, rng, style(rng, width))
            b.link("house")
            at += width
    at = -34.0
    while at < 30:
        width = rng.uniform(8, 12)
        b = Build(lambda u, d, z, a=at: (a + u, FAR + 28 - d, z + 0.14))
        house(b, rng, style(rng, width))
        b.link("house")
        at += width


def skyline(rng: random.Random) -> None:
    """Add far towers that the haze pales."""
    b = Build()
    for _ in range(26):
        x, y, half = rng.uniform(-260, 260), rng.uniform(420, 1100), rng.uniform(9, 20)
        tall = rng.uniform(25, 75) * y / 600
        b.box((x - half, x + half), (y - half, y + half), (0, tall), "tower")
    b.link("skyline")


# The ground and what stands on it ----------------------------------------------------------


def flat(b: Build, x: Span, y: Span, z: float, mat: str) -> None:
    """Add a level rectangle."""
    b.face([(x[0], y[0], z), (x[1], y[0], z), (x[1], y[1], z), (x[0], y[1], z)], mat)


def pavement(b: Build, side: int) -> None:
    """Add the kerb, the pavement and the line of the parking lane on one side."""

    def across(near: float, far: float) -> list[float]:
        return sorted((side * near, side * far))

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
        x, y, wide = rng.uniform(-3, 2), rng.uniform(5, 150), rng.uniform(0.5, 1.5)
        flat(b, (x, x + wide), (y, y + rng.uniform(0.8, 7)), 0.003, "patch")
    for i in range(8):
        x, y = rng.uniform(-2.5, 2.5), 7 + 14 * i + rng.uniform(-3, 3)
        b.tube([(x, y, 0), (x, y, 0.009)], [0.34, 0.34], "iron", 20)
    b.link("ground")


def leaf(b: Build, rng: random.Random, heart: Vector, index: int) -> None:
    """Add one leaf somewhere about the end of a bough."""
    place = heart + Vector([rng.gauss(0, 0.36) for _ in range(3)])
    turn = Euler([rng.uniform(0, math.tau) for _ in range(3)]).to_matrix()
    size = rng.uniform(0.06, 0.12)
    shape = [(-1, 0, 0), (0, -0.6, 0.1), (1.1, 0, 0), (0, 0.6, 0.1)]
    green = f"leaf{(index + (rng.random() < 0.3)) % 3}"
    b.face([tuple(place + size * (turn @ Vector(p))) for p in shape], green)


def tree_mesh(rng: random.Random, index: int) -> bpy.types.Mesh:
    """Return a street tree: trunk, boughs and a crown of leaves."""
    b, tall = Build(), rng.uniform(2.5, 3.0)
    b.tube([(0, 0, 0), (0, 0, 0.25), (0.04, 0, tall)], [0.2, 0.15, 0.11], "bark")
    for _ in range(17):
        around, up, out = rng.uniform(0, math.tau), rng.random(), rng.uniform(0.3, 1.0)
        reach = 1.75 * math.sin(math.pi * (0.2 + 0.7 * up)) * out
        heart = Vector((reach * math.cos(around), reach * math.sin(around), tall + 0.5 + 3.4 * up))
        b.tube([(0.04, 0, tall - 0.1), tuple(heart)], [0.06, 0.015], "bark", 5)
        for _ in range(330):
            leaf(b, rng, heart, index)
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


def spot(place: Point, tilt: float, color: Rgb, power: float, angle: float) -> bpy.types.Object:
    """Add a cone of light, which points down unless tilted."""
    data = bpy.data.lights.new("spot", "SPOT")
    data.energy, data.color, data.shadow_soft_size = power, color, 0.12
    data.spot_size, data.spot_blend = math.radians(angle), 0.6
    made = put(data, place)
    made.rotation_euler.x = math.radians(tilt)
    return made


# Cars --------------------------------------------------------------------------------------


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


# Light, camera and render ------------------------------------------------------------------


def clouds(tree: Any, sky: Any) -> Any:
    """Return the sky with loose white clouds."""
    way = node(tree, "SeparateXYZ", {0: node(tree, "TexCoord").outputs["Generated"]}).outputs
    height = math_node(tree, "ADD", math_node(tree, "MAXIMUM", way[2], 0.0), 0.12)
    flat_way = [math_node(tree, "DIVIDE", way[i], height) for i in (0, 1)]
    spot_at = node(tree, "CombineXYZ", dict(enumerate(flat_way))).outputs[0]
    inputs = {"Vector": spot_at, "Scale": 1.1, "Detail": 3.0, "Roughness": 0.6}
    span = {"Value": node(tree, "TexNoise", inputs).outputs[0], "From Min": 0.5, "From Max": 0.62}
    cover = node(tree, "MapRange", span).outputs[0]
    return mix(tree, cover, sky, (5.2, 5.4, 5.7, 1))


def day_sky(tree: Any) -> Any:
    """Return the sky: clouds where the camera looks, a plain gradient where light is gathered."""
    turn = {"sun_elevation": math.asin(SUN.z), "sun_rotation": math.atan2(SUN.x, SUN.y)}
    sky = node(tree, "TexSky", sky_type="MULTIPLE_SCATTERING", sun_disc=False, **turn)
    way = node(tree, "SeparateXYZ", {0: node(tree, "TexCoord").outputs["Generated"]}).outputs
    up = node(tree, "MapRange", {"Value": way[2], "From Max": 0.7}).outputs[0]
    plain = mix(tree, up, (0.74, 0.80, 0.88, 1), (0.30, 0.46, 0.78, 1))
    seen = node(tree, "Background", {"Color": clouds(tree, sky.outputs[0]), "Strength": 0.2})
    cast = node(tree, "Background", {"Color": plain, "Strength": 0.85})
    eye = node(tree, "LightPath").outputs["Is Camera Ray"]
    return node(tree, "MixShader", {0: eye, 1: cast.outputs[0], 2: seen.outputs[0]}).outputs[0]


def night_sky(tree: Any) -> Any:
    """Return a dark sky that the city warms near the horizon."""
    way = node(tree, "SeparateXYZ", {0: node(tree, "TexCoord").outputs["Generated"]}).outputs
    up = node(tree, "MapRange", {"Value": way[2], "From Max": 0.55}).outputs[0]
    color = mix(tree, up, (0.024, 0.018, 0.014, 1), (0.004, 0.0058, 0.012, 1))
    return node(tree, "Background", {"Color": color}).outputs[0]


def light(night: bool) -> None:
    """Add sun and sky, or the moon and the glow of the city."""
    world = bpy.data.worlds.new("sky")
    bpy.context.scene.world = world
    tree = world.node_tree
    tree.nodes.clear()
    node(tree, "OutputWorld", {"Surface": night_sky(tree) if night else day_sky(tree)})
    sun = bpy.data.lights.new("sun", "SUN")
    sun.energy, sun.angle = (0.012, 0.01) if night else (5.6, 0.009)
    sun.color = (0.6, 0.75, 1.0) if night else (1.0, 0.93, 0.83)
    put(sun).rotation_euler = SUN.to_track_quat("Z", "Y").to_euler()


def camera() -> None:
    """Add the camera and drive it along the street with a slight sway."""
    data = bpy.data.cameras.new("camera")
    data.lens, data.clip_end = 27.0, 3000.0
    made = put(data)
    bpy.context.scene.camera = made
    for frame in range(FRAMES + 2):
        t = frame / FPS
        drift, bump = 0.03 * math.sin(1.9 * t), 0.012 * math.sin(7.1 * t)
        made.location = (1.45 + drift, SPEED * t, 1.5 + bump)
        sway = 0.12 * math.sin(5.3 * t), 0.10 * math.sin(2.9 * t + 1), 0.35 * math.sin(1.3 * t)
        made.rotation_euler = [math.radians(a) for a in (94.5 + sway[0], sway[1], 1.0 + sway[2])]
        for path in ("location", "rotation_euler"):
            made.keyframe_insert(path, frame=frame)


def setup(size: tuple[int, int], samples: int, night: bool) -> None:
    """Choose Cycles with few samples, a denoiser and a photographic tone curve."""
    scene = bpy.context.scene
    render, cycles = scene.render, scene.cycles
    render.engine, render.use_persistent_data = "CYCLES", True
    render.resolution_x, render.resolution_y = size
    render.image_settings.file_format = "PNG"
    render.use_motion_blur, render.motion_blur_shutter = True, 0.25
    cycles.samples, cycles.adaptive_threshold, cycles.use_denoising = samples, 0.03, True
    cycles.denoising_prefilter, cycles.denoising_quality = "FAST", "FAST"
    cycles.use_fast_gi, cycles.ao_bounces_render = not night, 1
    cycles.use_light_tree = night
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 3, 2, 2
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_direct, cycles.sample_clamp_indirect = 30.0, 3.0
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Punchy"
    scene.view_settings.exposure = 1.4 if night else 0.95


def glare() -> None:
    """Spread light around what is brighter than white, as a lens does; by day little is."""
    scene = bpy.context.scene
    tree = bpy.data.node_groups.new("glare", "CompositorNodeTree")
    tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    kinds = ("CompositorNodeRLayers", "CompositorNodeGlare", "NodeGroupOutput")
    layers, bloom, out = (tree.nodes.new(kind) for kind in kinds)
    for name, value in {"Type": "Bloom", "Threshold": 1.0, "Strength": 0.7, "Size": 0.75}.items():
        bloom.inputs[name].default_value = value
    tree.links.new(layers.outputs["Image"], bloom.inputs["Image"])
    tree.links.new(bloom.outputs["Image"], out.inputs[0])
    scene.compositing_node_group, scene.render.use_compositing = tree, True


def show_lights() -> None:
    """Show what stands in the middle of each pixel, in the middle of the exposure, as it is."""
    scene = bpy.context.scene
    scene.cycles.samples, scene.cycles.use_denoising = 1, False
    scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BOX", 0.01
    scene.render.use_motion_blur, scene.render.dither_intensity = False, 0
    scene.view_settings.view_transform, scene.view_settings.look = "Raw", "None"
    scene.view_settings.exposure = 0


def build(seed: int, street: int, night: bool, lights: bool) -> None:
    """Build the whole street; by night, and in the picture of lights, only lights and glow differ."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.edit.keyframe_new_interpolation_type = "LINEAR"
    rng = random.Random(1000 * seed + street)
    for name, look in looks().items():
        light_material(name, look) if lights else material(name, look, night)
    ground(rng)
    rows(rng)
    skyline(rng)
    furniture(rng, night)
    traffic(rng, night)
    if not lights:
        light(night)
    camera()


def render(paths: dict[int, Path]) -> None:
    """Render the frames whose files are not there yet."""
    scene = bpy.context.scene
    for frame, path in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            scene.frame_set(frame)
            scene.render.filepath = str(path.resolve())
            bpy.ops.render.render(write_still=True)


def frame_paths(out: Path, frames: range, webp: int | None) -> dict[int, Path]:
    """Return where each frame is kept."""
    return {frame: out / f"{frame:04}.{'webp' if webp else 'png'}" for frame in frames}


# The clip ----------------------------------------------------------------------------------


def ambience(seconds: float, rate: int) -> np.ndarray:
    """Return a stereo street: a soft rumble and a car that passes from left to right."""
    rng, n = np.random.default_rng(7), int(seconds * rate)
    hertz = np.fft.rfftfreq(n, 1 / rate)

    def noise(middle: float) -> np.ndarray:
        raw = np.fft.rfft(rng.standard_normal(n)) / (1 + (hertz / middle) ** 2) * (hertz > 30)
        wave = np.fft.irfft(raw, n)
        return wave / np.abs(wave).max()

    t = np.arange(n) / rate
    swell = np.exp(-(((t - 0.6 * seconds) / 0.45) ** 2))
    pan = np.clip((t - 0.6 * seconds) / 1.2 + 0.5, 0, 1)
    swoosh, fade = noise(900) * swell * 0.45, np.clip(np.minimum(t, seconds - t) / 0.15, 0, 1)
    sides = [noise(160) * 0.22 + swoosh * np.cos(s * np.pi / 2) for s in (pan, 1 - pan)]
    return (np.stack(sides) * fade).astype(np.float32)


def pictures(paths: list[Path], rate: Fraction) -> Iterator[av.VideoFrame]:
    """Yield the rendered frames as BT.709 video."""
    for i, path in enumerate(paths):
        with av.open(str(path)) as image:
            frame = next(image.decode(video=0))
        spaces = {"src_colorspace": "ITU709", "dst_colorspace": "ITU709"}
        ranges = {"src_color_range": "JPEG", "dst_color_range": "MPEG"}
        made = frame.reformat(format="yuv420p", **spaces, **ranges)
        made.color_primaries = made.color_trc = BT709
        made.pts, made.time_base = i, 1 / rate
        yield made


def sound_track(file: Any, stream: Any, seconds: float) -> None:
    """Write the sound of the street."""
    sound = av.AudioFrame.from_ndarray(ambience(seconds, RATE), "fltp", "stereo")
    sound.rate = RATE
    file.mux(stream.encode(sound))
    file.mux(stream.encode())


def encode(paths: list[Path], target: Path, rate: Fraction, crf: int) -> None:
    """Write the clip as H.264 with sound and a start timecode."""
    with av.open(str(target), "w", options={"movflags": "+faststart"}) as file:
        video = file.add_stream("libx264", rate=rate, options={"crf": str(crf), "preset": "slow"})
        first = next(pictures(paths, rate))
        video.width, video.height, video.pix_fmt = first.width, first.height, "yuv420p"
        context = video.codec_context
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = LIMITED
        video.metadata["timecode"] = "01:00:00:00"
        audio = file.add_stream("aac", rate=RATE, layout="stereo")
        for frame in pictures(paths, rate):
            file.mux(video.encode(frame))
        file.mux(video.encode())
        sound_track(file, audio, len(paths) / float(rate))


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Render a street by day or by night.")
    parser.add_argument("--out", type=Path, required=True, help="folder of the frames")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--night", action="store_true", help="the true night of the same street")
    kinds.add_argument("--lights", action="store_true", help="what glows by night, by its kind")
    parser.add_argument("--frames", default=f"1-{FRAMES}", help="first and last frame")
    parser.add_argument("--step", type=int, default=1, help="render every n-th frame")
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--samples", type=int, default=5)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--street", type=int, default=0, help="another street of the same town")
    parser.add_argument("--webp", type=int, help="write WebP of this quality, not PNG")
    parser.add_argument("--encode", type=Path, help="the clip to write from the frames")
    parser.add_argument("--crf", type=int, default=23)
    return parser.parse_args()


def main() -> None:
    """Render and encode what the command line asks for."""
    args = options()
    first, _, last = args.frames.partition("-")
    frames = range(int(first), int(last or first) + 1, args.step)
    width, height = (int(n) for n in args.size.split("x"))
    paths = frame_paths(args.out, frames, args.webp)
    if not all(path.exists() for path in paths.values()):
        build(args.seed, args.street, args.night, args.lights)
        setup((width, height), args.samples, args.night)
        if args.night:
            glare()
        if args.lights:
            show_lights()
        if args.webp:
            settings = bpy.context.scene.render.image_settings
            settings.file_format, settings.quality = "WEBP", args.webp
        render(paths)
    if args.encode:
        encode(list(paths.values()), args.encode, Fraction(FPS, args.step), args.crf)


if __name__ == "__main__":
    main()
