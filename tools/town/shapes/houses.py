"""Houses of a street: windows, shops, balconies, roofs."""

import random
from dataclasses import dataclass
from itertools import pairwise

from tools.town.shapes.mesh import Build, Span
from tools.town.surfaces.looks import BRICKS, PANES, WALLS


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
