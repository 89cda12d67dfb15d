"""Low buildings: old houses, cottages, arcades, churches, and plain houses for what is far."""

from __future__ import annotations

import random
from dataclasses import replace

from tools.town.layout.plan import Block
from tools.town.shapes.houses import house, style
from tools.town.shapes.mesh import Build, Place
from tools.town.shapes.openings import Front, arch, cell, cells, gable
from tools.town.shapes.shell import DEEP, ends, shell


def old_house(b: Build, rng: random.Random, block: Block) -> None:
    """A house with shops, cornice and roof."""
    drawn = style(rng, block.width)
    house(b, rng, replace(drawn, floors=block.floors))


def cottage(b: Build, rng: random.Random, block: Block) -> None:
    """A house of a family, with a garage and a chimney."""
    wall, roof = (
        rng.choice([f"plaster{rng.randrange(8)}", f"brick{rng.randrange(3)}", "white", "wood"]),
        rng.choice(["tiles", "slate", "tiles", "zinc"]),
    )
    floors, storey, wide = min(block.floors, 2), 2.8, block.width * 0.68
    side = Front(
        wall,
        "white",
        (0.42, 0.45),
        0.32,
        0.15,
        shutters=rng.choice(["", "", "cloth1", "cloth2", "brown"]),
    )
    body = replace(block, width=wide)
    for floor in range(floors):
        cells(b, side, wide, 3, floor * storey, storey)
        ends(b, body, side, 3, floor * storey, storey)
    shell(b, body, floors * storey, wall, DEEP)
    b.box((wide * 0.43, wide * 0.57), (0, 0.06), (0, 2.1), "brown")
    gable(b, wide, block.depth, floors * storey, rng.uniform(2.2, 3.8), roof, wall, 0.5)
    b.box(
        (wide * 0.7, wide * 0.7 + 0.7),
        (-block.depth * 0.6, -block.depth * 0.6 + 0.7),
        (floors * storey, floors * storey + 4.2),
        "brick0",
    )
    b.box((wide, block.width), (-7, -1.5), (0, 2.6), wall)
    b.box(
        (wide + 0.3, block.width - 0.3),
        (-1.5, -1.46),
        (0, 2.2),
        rng.choice(["white", "brown", "zinc"]),
    )


def arcade(b: Build, rng: random.Random, block: Block) -> None:
    """An old house over arches, plastered, with shutters under a tiled roof."""
    wall = f"plaster{rng.choice([0, 1, 2, 3, 5, 7, 7])}"
    columns = max(2, round(block.width / rng.uniform(2.4, 3.4)))
    step, low, storey = block.width / columns, rng.uniform(3.6, 4.4), rng.uniform(3.0, 3.6)
    arched = rng.random() < 0.7
    for i in range(columns):
        u = (i * step, (i + 1) * step)
        if arched:
            arch(
                b,
                u,
                (0, low),
                wall,
                rng.choice([0.4, 0.4, 2.6]),
                rng.choice(["shop", "brown", "shop", "plinth"]),
            )
        else:
            cell(
                b,
                Front(wall, "brown", (0.6, 0.72), 0.03, 0.3, rng.choice(["shop", "pane", "brown"])),
                u,
                (0, low),
            )
    side = Front(
        wall,
        "white",
        (0.4, 0.58),
        0.22,
        0.22,
        shutters=rng.choice(["", "cloth1", "brown", "cloth2", "plinth"]),
        balcony=rng.choice(["", "", "iron"]),
    )
    for floor in range(block.floors - 1):
        cells(b, side, block.width, columns, low + floor * storey, storey)
    top = low + (block.floors - 1) * storey
    shell(b, block, top, wall)
    b.box((0, block.width), (-0.1, 0.1), (low - 0.12, low + 0.1), "stone")
    b.box((-0.05, block.width + 0.05), (-0.2, 0.45), (top - 0.2, top), "stone")
    gable(b, block.width, block.depth, top, rng.uniform(1.4, 2.6), "tiles", wall, 0.4)


def church(b: Build, rng: random.Random, block: Block) -> None:
    """A tower with a pointed roof, white or of stone."""
    wall, w = rng.choice(["plaster0", "stone", "plaster7", "brick0"]), block.width
    tall = rng.uniform(20, 30)
    shell(b, replace(block, depth=w), tall, wall)
    for z0, z1 in ((0, 4), (4, tall * 0.72)):
        b.face([(0, 0, z0), (w, 0, z0), (w, 0, z1), (0, 0, z1)], wall)
    arch(b, (0, w), (tall * 0.72, tall), wall, 0.8, "plinth")
    b.box((-0.2, w + 0.2), (-w - 0.2, 0.2), (tall, tall + 0.5), "stone")
    tip = (w / 2, -w / 2, tall + rng.uniform(6, 16))
    base = [(0, 0), (w, 0), (w, -w), (0, -w)]
    for (u0, d0), (u1, d1) in zip(base, base[1:] + base[:1], strict=True):
        b.face([(u0, d0, tall + 0.5), (u1, d1, tall + 0.5), tip], rng.choice(["slate", "zinc"]))


def plain(b: Build, rng: random.Random, block: Block) -> None:
    """A house seen from far: flush windows on all sides, under a flat or a pitched roof."""
    wall = rng.choice(
        [
            f"plaster{rng.randrange(8)}",
            f"brick{rng.randrange(3)}",
            f"wall{rng.randrange(8)}",
            "concrete",
        ]
    )
    w, deep, top = block.width, block.depth, 3.1 * block.floors + 0.8
    shell(b, block, top, wall)
    b.face([(0, 0, 0), (w, 0, 0), (w, 0, top), (0, 0, top)], wall)
    sides: tuple[tuple[float, Place], ...] = (
        (w, lambda u, d, z: (u, d, z)),
        (w, lambda u, d, z: (u, -deep - d, z)),
        (deep, lambda u, d, z: (-d, -u, z)),
        (deep, lambda u, d, z: (w + d, -u, z)),
    )
    for wide, at in sides:
        count = max(2, round(wide / 2.6))
        step = wide / count
        for i in range(count * block.floors):
            u, z = (i % count + 0.28) * step, 1.1 + 3.1 * (i // count)
            b.face(
                [
                    at(u, 0.03, z),
                    at(u + 0.44 * step, 0.03, z),
                    at(u + 0.44 * step, 0.03, z + 1.5),
                    at(u, 0.03, z + 1.5),
                ],
                "pane",
            )
    if rng.random() < 0.55:
        gable(
            b, w, deep, top, rng.uniform(2, 4), rng.choice(["tiles", "slate", "tiles"]), wall, 0.3
        )
    else:
        b.box((w * 0.3, w * 0.6), (-deep * 0.7, -deep * 0.4), (top, top + 2.4), "concrete")
