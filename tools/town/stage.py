"""The stage: a plan built in Blender, from a stock of meshes that all places share."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import bpy

from tools.town.labels import group_of, light_of
from tools.town.lamps import point, throw
from tools.town.layout.plan import Plan, Thing, Wire
from tools.town.shapes import coaches, far, furniture, things
from tools.town.shapes.buildings import Glow, build_block
from tools.town.shapes.cars import SHAPES, car, car_parts, wheel_mesh
from tools.town.shapes.mesh import Build, put
from tools.town.shapes.things import tree_mesh
from tools.town.surfaces.looks import PAINTS
from tools.town.surfaces.materials import make_materials
from tools.town.surfaces.paints import town_looks

LEAVES = 150  # of a bough: less than half of the clip's, and larger, are as good at 216 lines
VARIANTS = 3  # of each thing that differs from one to the next
ALIKE: dict[str, Callable[[], Any]] = {
    "lamp": things.lamp_mesh,
    "globe": things.globe_lamp,
    "lantern": things.lantern,
    "hanging": things.hanging,
    "signal": furniture.signal,
    "pole": furniture.pole,
    "railing": furniture.railing,
    "mast": far.mast,
    "pylon": far.pylon,
    "gantry": far.gantry,
    "bridge": far.bridge,
}
DRAWN: dict[str, Callable[[random.Random], Any]] = {
    "hedge": furniture.hedge,
    "bare": things.bare_tree,
    "crane": far.crane,
    "far": far.far_tower,
    "hill": far.hill,
    "billboard": furniture.billboard,
    "bus on": coaches.bus,
    "lorry on": coaches.lorry,
}


class Stage:
    """Blender's scene with everything that can be put into it; `build` puts a place there."""

    def __init__(self) -> None:
        """Empty Blender and make the stock."""
        bpy.ops.wm.read_factory_settings(use_empty=True)
        make_materials(town_looks())
        rng = random.Random(1)
        self.wheel = wheel_mesh()
        self.cars = {
            (name, lit): car_parts(s, lit) for name, s in SHAPES.items() for lit in (False, True)
        }
        self.stock: dict[str, list[Any]] = {
            f"tree{i}": [tree_mesh(rng, i % 3, LEAVES, 1.4)] for i in range(4)
        }
        self.stock |= {f"person{i}": [furniture.person(rng, i)] for i in range(6)}
        self.stock |= {name: [make()] for name, make in ALIKE.items()}
        self.stock |= {name: [make(rng) for _ in range(VARIANTS)] for name, make in DRAWN.items()}
        self.kept = {mesh.name for mesh in bpy.data.meshes}

    def build(self, plan: Plan, seed: int) -> None:
        """Clear the scene and put a place there."""
        self.clear()
        rng = random.Random(seed)
        glows = self.raise_blocks(plan)
        put_slabs(plan)
        hang_wires(plan.wires)
        for thing in plan.things:
            self.put_thing(thing, rng)
        for glow in glows:
            point(glow.group, glow.at, glow.color, glow.power, 0.5)

    def clear(self) -> None:
        """Take away what the last place added."""
        for made in list(bpy.data.objects):
            bpy.data.objects.remove(made)
        for mesh in list(bpy.data.meshes):
            if mesh.name not in self.kept:
                bpy.data.meshes.remove(mesh)
        for kept in (bpy.data.lights, bpy.data.cameras, bpy.data.actions):
            for made in list(kept):
                kept.remove(made)

    def raise_blocks(self, plan: Plan) -> list[Glow]:
        """Put all buildings as one mesh for walls and one for each group of lights in them."""
        parts = {group: Build() for group in ("", "windows", "signs")}
        glows: list[Glow] = []
        for block in plan.blocks:
            built, thrown = build_block(block)
            glows += thrown
            for face, name in zip(built.faces, built.mats, strict=True):
                light = light_of(name)
                corners = [built.points[i] for i in face]
                parts[group_of(light) if light else ""].face(corners, name)
        for group, part in parts.items():
            if part.faces:
                part.link(f"blocks {group}").lightgroup = group
        return glows

    def put_thing(self, thing: Thing, rng: random.Random) -> None:
        """Put one of the stock somewhere, with the light it throws."""
        at = (thing.x, thing.y, thing.z)
        if thing.kind in ("car", "car on"):
            self.put_car(thing, rng)
            return
        turn = (
            thing.turn - math.pi / 2
            if thing.kind.split()[0] in ("bus", "lorry", "signal", "billboard")
            else thing.turn
        )
        made = put(rng.choice(self.stock[thing.kind]), at, turn)
        made.scale = (thing.scale,) * 3
        made.lightgroup = THING_GROUPS.get(thing.kind, "")
        throw(thing)

    def put_car(self, thing: Thing, rng: random.Random) -> None:
        """Put a car of any shape and paint."""
        name, lit = rng.choice(list(SHAPES)), thing.kind == "car on"
        root = car(
            self.cars[name, lit], self.wheel, SHAPES[name], f"car{rng.randrange(len(PAINTS))}"
        )
        root.location, root.rotation_euler = (
            (thing.x, thing.y, thing.z),
            (0, 0, thing.turn - math.pi / 2),
        )
        for part in root.children:
            part.lightgroup = "cars"
        throw(thing)


THING_GROUPS = {
    "lamp": "lamps", "globe": "lamps", "lantern": "lamps", "hanging": "lamps",
    "bus on": "cars", "lorry on": "cars", "signal": "signs", "billboard": "signs", "far": "windows",
}  # fmt: skip


def put_slabs(plan: Plan) -> None:
    """Put all slabs as one mesh."""
    b = Build()
    for slab in plan.slabs:
        if slab.z[0] == slab.z[1]:
            (x0, x1), (y0, y1), z = slab.x, slab.y, slab.z[0]
            b.face([(x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)], slab.surface)
        else:
            b.box(slab.x, slab.y, slab.z, slab.surface)
    b.link("slabs")


def hang_wires(wires: list[Wire]) -> None:
    """Hang all wires as one mesh, each a curve of eight pieces."""
    b = Build()
    for wire in wires:
        path = []
        for i in range(9):
            t = i / 8
            x, y, z = (a + (c - a) * t for a, c in zip(wire.start, wire.end, strict=True))
            path.append((x, y, z - 4 * wire.sag * t * (1 - t)))
        b.tube(path, [wire.radius] * 9, "iron", 4)
    if wires:
        b.link("wires")
