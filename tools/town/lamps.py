"""Lights that things throw about, each in its group."""

from __future__ import annotations

import math

import bpy

# isort: split
from mathutils import Vector

from tools.town.layout.plan import Thing
from tools.town.shapes.mesh import put

Point = tuple[float, float, float]


def throw(thing: Thing) -> None:
    """Add the light that a thing throws about."""
    cos, sin = math.cos(thing.turn), math.sin(thing.turn)
    x, y, z = thing.x, thing.y, thing.z
    if thing.kind == "lamp":
        reach, tall = 1.68 * thing.scale, 6.85 * thing.scale
        cone(
            "lamps",
            (x + reach * cos, y + reach * sin, z + tall),
            (0, 0, -1),
            (1, 1, 1),
            900 * thing.scale**2,
            150,
        )
    elif thing.kind in ("globe", "lantern", "hanging"):
        tall = {"globe": 4.15, "lantern": 3.3, "hanging": -0.12}[thing.kind]
        point("lamps", (x, y, z + tall), (1, 1, 1), 190, 0.25)
    elif thing.kind.endswith(" on"):
        long = 2.4 if thing.kind.startswith("car") else 6.0
        front, back = (x + long * cos, y + long * sin, 0.7), (x - long * cos, y - long * sin, 0.8)
        cone("cars", front, (cos, sin, -0.09), (1, 0.93, 0.82), 1300, 62)
        point("cars", back, (1, 0.04, 0.02), 4.0, 0.12)


def cone(
    group: str,
    at: tuple[float, float, float],
    way: tuple[float, float, float],
    color: tuple[float, float, float],
    power: float,
    angle: float,
) -> None:
    """Add a cone of light towards `way`, `angle` degrees wide."""
    data = bpy.data.lights.new("cone", "SPOT")
    data.energy, data.color, data.shadow_soft_size = power, color, 0.15
    data.spot_size, data.spot_blend = math.radians(angle), 0.7
    made = put(data, at)
    made.rotation_euler = Vector(way).to_track_quat("-Z", "Y").to_euler()
    made.lightgroup = group


def point(
    group: str,
    at: tuple[float, float, float],
    color: tuple[float, float, float],
    power: float,
    radius: float,
) -> None:
    """Add a light that shines all about."""
    data = bpy.data.lights.new("point", "POINT")
    data.energy, data.color, data.shadow_soft_size = power, color, radius
    put(data, at).lightgroup = group
