"""Buildings by their kinds: old houses, towers, cottages, arcades, hotels, churches."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from tools.town.layout.plan import Block, Point
from tools.town.shapes.houses import house, style
from tools.town.shapes.mesh import Build, Rgb
from tools.town.shapes.openings import Front, arch, cell, cells, dressed, gable
from tools.town.shapes.paints import BOARDS

DEEP = 0.4  # metres: deeper than any window


@dataclass(frozen=True)
class Glow:
    """A light that a building throws before it."""

    group: str
    at: Point
    color: Rgb
    power: float
    """Watts."""


def build_block(block: Block) -> tuple[Build, list[Glow]]:
    """Build one building, and tell what lights it throws."""
    rng, b = random.Random(block.seed), Build(block.at)
    KINDS[block.kind](b, rng, block)
    share, bright = rng.choice([0.15, 0.3, 0.45, 0.6]), 0.85
    b.mats = dressed(b.mats, rng, share, bright)
    glows = (
        [
            Glow(
                "windows",
                block.at(block.width / 2, 1.3, 1.9),
                (1.0, 0.74, 0.45),
                34.0 * block.width,
            )
        ]
        if "shop" in b.mats
        else []
    )
    if block.kind in ("house", "arcade", "hotel") and rng.random() < 0.55:
        glows += _board(b, rng, block)
    return b, glows


def _board(b: Build, rng: random.Random, block: Block) -> list[Glow]:
    # a board above the shops, and often one that stands out from the wall
    color = rng.randrange(len(BOARDS))
    on = rng.random() < 0.85
    back = f"board{color}" if on and rng.random() < 0.6 else f"board{color}_off"
    left, wide, low = rng.uniform(0.6, block.width * 0.4), rng.uniform(0.3, 0.6) * block.width, 3.15
    b.box((left, left + wide), (0.15, 0.24), (low, low + 0.55), back)
    at, ink = left + 0.2, "board_ink" if on else "white"
    while at < left + wide - 0.35:
        letter = rng.uniform(0.08, 0.26)
        b.box((at, at + letter), (0.25, 0.27), (low + 0.12, low + rng.uniform(0.3, 0.43)), ink)
        at += letter + rng.choice([0.06, 0.06, 0.25])
    if rng.random() < 0.6:
        u, z = rng.uniform(0.4, block.width - 0.4), rng.uniform(3.6, 4.4)
        b.box(
            (u, u + 0.14),
            (0.25, 1.05),
            (z, z + rng.choice([0.7, 0.8, 2.2])),
            f"board{(color + 1) % 7}" if on else back,
        )
    return [Glow("signs", block.at(left + wide / 2, 0.9, low), BOARDS[color], 60.0)] if on else []


def old_house(b: Build, rng: random.Random, block: Block) -> None:
    """A house with shops, cornice and roof."""
    drawn = style(rng, block.width)
    house(b, rng, replace(drawn, floors=block.floors))


def shell(b: Build, block: Block, top: float, wall: str, inset: float = 0.0) -> None:
    """Close a building's sides, `inset` metres behind its windows there, its back, and its roof where that is flat."""
    w, d, left, right = block.width, -block.depth, inset, block.width - inset
    for u0, d0, u1, d1 in ((left, -0.3, left, d), (right, -0.3, right, d), (0, d, w, d)):
        b.face([(u0, d0, 0), (u1, d1, 0), (u1, d1, top), (u0, d0, top)], wall)
    b.face([(0, 0, top), (w, 0, top), (w, d, top), (0, d, top)], "concrete")
    b.box((0, w), (-0.3, -0.28), (0, top), "plinth")


def podium(b: Build, block: Block, top: float, wall: str) -> None:
    """Close both ends of a ground floor that has no windows there."""
    for u in (0.0, block.width):
        b.face([(u, 0, 0), (u, -block.depth, 0), (u, -block.depth, top), (u, 0, top)], wall)


def ends(b: Build, block: Block, side: Front, columns: int, z: float, storey: float) -> None:
    """Add a storey of windows to both ends of a building."""
    place, w = b.place, block.width
    for turned in (lambda u, d, z: place(-d, -u, z), lambda u, d, z: place(w + d, -u, z)):
        b.place = turned
        cells(b, side, block.depth, columns, z, storey)
    b.place = place


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
    sides = (
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


KINDS: dict[str, Callable[[Build, random.Random, Block], None]] = {
    "house": old_house,
    "tower": tower,
    "cottage": cottage,
    "arcade": arcade,
    "hotel": hotel,
    "church": church,
    "plain": plain,
}
