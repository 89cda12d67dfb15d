"""The plan of a place: what stands where, as numbers that a seed decides and Blender need not be there for.

Metres; x to the right, y ahead, z up. A turn is in radians from +x, anticlockwise; a heading is a turn too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

Span = tuple[float, float]
Point = tuple[float, float, float]


@dataclass(frozen=True)
class Slab:
    """A box of one surface; a level rectangle where its heights are equal."""

    x: Span
    y: Span
    z: Span
    surface: str


@dataclass(frozen=True)
class Block:
    """A building."""

    kind: str
    x: float
    """Of the left end of its front, seen from before it; so is y."""
    y: float
    turn: float
    """Of its front from that end on; what is before the front lies to the right of that way."""
    width: float
    depth: float
    floors: int
    seed: int
    """Of everything that its kind leaves open."""

    def at(self, u: float, d: float, z: float) -> Point:
        """Where a point is that lies `u` along the front and `d` before it."""
        cos, sin = math.cos(self.turn), math.sin(self.turn)
        return self.x + u * cos + d * sin, self.y + u * sin - d * cos, z

    def holds(self, x: float, y: float, margin: float = 0.0) -> bool:
        """Whether a place of the ground lies in the building, or nearer to it than `margin`."""
        cos, sin = math.cos(self.turn), math.sin(self.turn)
        u = (x - self.x) * cos + (y - self.y) * sin
        d = (x - self.x) * sin - (y - self.y) * cos
        return -margin < u < self.width + margin and -self.depth - margin < d < margin


@dataclass(frozen=True)
class Thing:
    """One of the stock, put somewhere: a tree, a lamp, a car, a person, a sign."""

    kind: str
    x: float
    y: float
    z: float = 0.0
    turn: float = 0.0
    scale: float = 1.0


@dataclass(frozen=True)
class Wire:
    """A cable that hangs between two points."""

    start: Point
    end: Point
    sag: float
    radius: float = 0.015


@dataclass(frozen=True)
class Stance:
    """Where a camera may stand, and where it may look."""

    x: Span
    y: Span
    z: Span
    heading: Span
    pitch: Span = (-0.05, 0.12)
    """Radians; up is positive."""


@dataclass(frozen=True)
class Camera:
    """Where a camera stands and looks."""

    x: float
    y: float
    z: float
    heading: float
    """Radians from +x, anticlockwise."""
    pitch: float
    roll: float
    fov: float
    """Across the width, radians."""


@dataclass
class Plan:
    """A whole place."""

    kind: str
    slabs: list[Slab] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    stances: list[Stance] = field(default_factory=list)

    def free(self, x: float, y: float, margin: float = 0.5) -> bool:
        """Whether no building stands on a place of the ground."""
        return not any(block.holds(x, y, margin) for block in self.blocks)
