"""High buildings: towers and hotels."""

from __future__ import annotations

import random

from tools.town.layout.plan import Block
from tools.town.shapes.mesh import Build
from tools.town.shapes.openings import Front, cells
from tools.town.shapes.shell import DEEP, ends, podium, shell


def tower(b: Build, rng: random.Random, block: Block) -> None:
    """A tower: all of glass, in bands, or a grid of stone."""
    glass = f"glass{rng.randrange(4)}"
    side = rng.choice([
        Front("tower", "steel", (0.94, 0.92), 0.04, 0.04, glass, bars=False),
        Front("steel", "steel", (0.97, 0.72), 0.14, 0.05, glass, bars=False),
        Front("plaster0", "iron", (1.0, 0.52), 0.3, 0.12, glass, bars=False),
        Front(f"plaster{rng.randrange(8)}", "iron", (0.6, 0.62), 0.2, 0.3, rng.choice([glass, "pane"]), bars=False),
        Front("concrete", "iron", (0.5, 0.5), 0.28, 0.25, "pane"),
        Front(f"brick{rng.randrange(3)}", "white", (0.45, 0.5), 0.28, 0.2, "pane"),
    ])  # fmt: skip
    storey, cell_wide = rng.uniform(3.1, 3.9), rng.choice([1.6, 2.4, 3.2, 4.0])
    columns, low = max(2, round(block.width / cell_wide)), rng.uniform(4.5, 6.5)
    lobby = Front(side.wall, "steel", (0.9, 0.8), 0.05, 0.3, "shop", bars=False)
    cells(b, lobby, block.width, max(2, round(block.width / 5)), 0, low)
    for floor in range(block.floors):
        cells(b, side, block.width, columns, low + floor * storey, storey)
        ends(b, block, side, max(2, round(block.depth / cell_wide)), low + floor * storey, storey)
    top = low + block.floors * storey
    shell(b, block, top, side.wall, DEEP)
    podium(b, block, low, side.wall)
    b.box((0, block.width), (-0.2, 0.05), (top, top + rng.choice([0.6, 1.2, 3.0])), side.wall)
    if rng.random() < 0.6:
        b.box((block.width * 0.3, block.width * 0.7), (-8, -3), (top, top + 3.5), "concrete")
        b.tube(
            [(block.width / 2, -5, top), (block.width / 2, -5, top + rng.uniform(6, 16))],
            [0.15, 0.05],
            "steel",
            6,
        )


def hotel(b: Build, rng: random.Random, block: Block) -> None:
    """A white block with balconies and a flat roof, its ground floor all glass."""
    wall = rng.choice(["white", "plaster0", "plaster7", "plaster1", "plaster5"])
    columns, storey = max(2, round(block.width / 3.6)), 3.1
    balcony = rng.choice([wall, "steel", "tower", ""])
    side = Front(wall, "white", (0.66, 0.72), 0.04, 0.25, balcony=balcony)
    cells(b, Front(wall, "steel", (0.88, 0.78), 0.04, 0.3, "shop"), block.width, columns, 0, 4.0)
    plain = Front(wall, "white", (0.35, 0.45), 0.3, 0.15)
    for floor in range(block.floors):
        cells(b, side, block.width, columns, 4.0 + floor * storey, storey)
        ends(b, block, plain, 3, 4.0 + floor * storey, storey)
    top = 4.0 + block.floors * storey
    shell(b, block, top, wall, DEEP)
    podium(b, block, 4.0, wall)
    b.box((0, block.width), (-0.25, 0), (top, top + 0.9), wall)
    b.box((block.width * 0.4, block.width * 0.6), (-8, -4), (top, top + 2.6), wall)
    for _ in range(rng.randrange(4)):
        u, d, tall = rng.uniform(0.5, block.width - 0.5), rng.uniform(-8, -0.6), rng.uniform(1.5, 5)
        b.tube([(u, d, top), (u, d, top + tall)], [0.04, 0.03], "steel", 4)
        b.box((u - 0.6, u + 0.6), (d - 0.02, d + 0.02), (top + tall - 0.1, top + tall), "steel")
