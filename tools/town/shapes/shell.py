"""The sides, backs and flat roofs of buildings."""

from __future__ import annotations

from tools.town.layout.plan import Block
from tools.town.shapes.mesh import Build
from tools.town.shapes.openings import Front, cells

DEEP = 0.4  # metres: deeper than any window


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
