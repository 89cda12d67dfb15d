"""Buildings by their kinds, with their signs, and with the light that they throw."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from tools.town.layout.plan import Block, Point
from tools.town.shapes.high_houses import hotel, tower
from tools.town.shapes.low_houses import arcade, church, cottage, old_house, plain
from tools.town.shapes.mesh import Build, Rgb
from tools.town.shapes.openings import dressed
from tools.town.surfaces.paints import BOARDS

KINDS: dict[str, Callable[[Build, random.Random, Block], None]] = {
    "house": old_house,
    "tower": tower,
    "cottage": cottage,
    "arcade": arcade,
    "hotel": hotel,
    "church": church,
    "plain": plain,
}


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
        tall = rng.choice([0.7, 0.8, 2.2])
        b.box((u, u + 0.14), (0.25, 1.05), (z, z + tall), f"board{(color + 1) % 7}" if on else back)
        for i in range(int(tall / 0.35)):  # its letters, one below the other, on both sides
            low = z + 0.08 + 0.35 * i
            b.box((u - 0.02, u + 0.16), (0.45, 0.85), (low, low + rng.uniform(0.1, 0.24)), ink)
    return [Glow("signs", block.at(left + wide / 2, 0.9, 3.15), BOARDS[color], 60.0)] if on else []
