"""Walls with rows of windows, as all buildings but the old houses are made of."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import dataclass

from tools.town.shapes.mesh import Build, Span

PANE = "pane"  # what is behind it is drawn later, see `dressed`


@dataclass(frozen=True)
class Front:
    """How one side of a building is divided: shares of a cell, metres."""

    wall: str
    frame: str = "white"
    hole: Span = (0.45, 0.55)
    """How much of a cell's width and height is window."""
    sill: float = 0.25
    """Where in the cell's height the window begins."""
    recess: float = 0.18
    glass: str = PANE
    bars: bool = True
    shutters: str = ""
    balcony: str = ""


def cells(b: Build, side: Front, width: float, columns: int, z: float, storey: float) -> None:
    """Add a storey of windows."""
    step = width / columns
    for i in range(columns):
        cell(b, side, (i * step, (i + 1) * step), (z, z + storey))


def cell(b: Build, side: Front, u: Span, z: Span) -> None:
    """Add a window in its piece of wall."""
    wide, tall = (u[1] - u[0]) * side.hole[0], (z[1] - z[0]) * side.hole[1]
    left, low = (u[0] + u[1] - wide) / 2, z[0] + side.sill * (z[1] - z[0])
    right, high, deep = left + wide, low + tall, -side.recess
    for u0, u1, z0, z1 in (
        (u[0], u[1], z[0], low), (u[0], u[1], high, z[1]), (u[0], left, low, high), (right, u[1], low, high),
    ):  # fmt: skip
        if u1 - u0 > 1e-3 and z1 - z0 > 1e-3:
            b.face([(u0, 0, z0), (u1, 0, z0), (u1, 0, z1), (u0, 0, z1)], side.wall)
    ring = [(left, low), (right, low), (right, high), (left, high)]
    if side.recess > 0.08:
        for (u0, z0), (u1, z1) in zip(ring, ring[1:] + ring[:1], strict=True):
            b.face([(u0, 0, z0), (u1, 0, z1), (u1, deep, z1), (u0, deep, z0)], side.wall)
    b.face([(a, deep, c) for a, c in ring], side.glass)
    if side.bars:
        _bars(b, left, right, low, high, deep + 0.03, side.frame)
    if side.shutters:
        for edge in (left - 0.3 * wide, right):
            b.box((edge, edge + 0.3 * wide), (0, 0.05), (low, high), side.shutters)
    if side.balcony:
        b.box((u[0] + 0.15, u[1] - 0.15), (0, 1.1), (z[0] - 0.1, z[0] + 0.05), side.wall)
        b.box((u[0] + 0.15, u[1] - 0.15), (1.04, 1.1), (z[0] + 0.05, z[0] + 0.95), side.balcony)


def _bars(
    b: Build, left: float, right: float, low: float, high: float, d: float, frame: str
) -> None:
    middle, cross, w = (left + right) / 2, low + 0.66 * (high - low), 0.045
    edges = (
        (left, left + w, low, high),
        (right - w, right, low, high),
        (left, right, low, low + w),
    )
    for u0, u1, z0, z1 in (
        *edges,
        (middle - w, middle + w, low, high),
        (left, right, cross - w, cross + w),
    ):
        b.face([(u0, d, z0), (u1, d, z0), (u1, d, z1), (u0, d, z1)], frame)


def arch(b: Build, u: Span, z: Span, wall: str, deep: float, back: str) -> None:
    """Add an arch of the whole height of a wall's piece, with a passage behind it that ends at `back`."""
    left, right = u[0] + 0.35, u[1] - 0.35
    radius, middle = (right - left) / 2, (left + right) / 2
    spring = z[1] - 0.5 - radius
    turn = [math.pi * i / 10 for i in range(11)]
    curve = [(middle - radius * math.cos(t), spring + radius * math.sin(t)) for t in turn]
    for edge, end in ((u[0], left), (right, u[1])):
        b.face([(edge, 0, z[0]), (end, 0, z[0]), (end, 0, z[1]), (edge, 0, z[1])], wall)
    path = [(left, z[0]), *curve, (right, z[0])]
    for (u0, z0), (u1, z1) in itertools.pairwise(curve):
        b.face([(u0, 0, z0), (u1, 0, z1), (u1, 0, z[1]), (u0, 0, z[1])], wall)
    for (u0, z0), (u1, z1) in itertools.pairwise(path):
        b.face([(u0, 0, z0), (u1, 0, z1), (u1, -deep, z1), (u0, -deep, z0)], wall)
    b.face(
        [(left, -deep, z[0]), (right, -deep, z[0]), (right, -deep, z[1]), (left, -deep, z[1])], back
    )


def gable(
    b: Build,
    width: float,
    depth: float,
    z: float,
    rise: float,
    roof: str,
    wall: str,
    over: float = 0.4,
) -> None:
    """Add a roof of two slopes, its ridge along the front."""
    ring = [
        (over, z - 0.1),
        (-depth / 2, z + rise),
        (-depth - over, z - 0.1),
        (-depth / 2, z + rise - 0.25),
    ]
    b.loft([[(u, d, h) for d, h in ring] for u in (-over, width + over)], lambda i, j: roof)
    for u in (0.0, width):
        b.face([(u, 0, z - 0.2), (u, -depth, z - 0.2), (u, -depth / 2, z + rise - 0.2)], wall)


def dressed(surfaces: list[str], rng: random.Random, share: float, bright: float) -> list[str]:
    """Draw what is behind each window of a house: a share of them lit, most in one colour; shops lit by chance `bright`."""
    glow = rng.choices(["warm", "amber", "white", "screen"], [5, 3, 3, 0])[0]
    mirrored = rng.choice([0, 0, 3, 40])  # a house has much the same glass all over
    shop = "shop" if rng.random() < bright else "shop_off"

    def draw(name: str) -> str:
        if name == "shop":
            return shop
        if name.startswith("glass"):
            lit = rng.random() < share
            return f"{name}_{'warm' if glow == 'warm' else 'white'}" if lit else name
        if not name.startswith("pane"):
            return name
        day = rng.choices(["dark", "drape", "blind", "mirror"], [9, 5, 3, mirrored])[0]
        if rng.random() >= share:
            return f"pane_{day}"
        return f"pane_{day}_{rng.choices([glow, 'warm', 'white', 'screen'], [8, 2, 1, 1])[0]}"

    return [draw(name) for name in surfaces]
