"""The kinds of places, each a plan that a seed decides."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tools.town.layout.outskirts import highway, seafront, square, suburb
from tools.town.layout.plan import Plan
from tools.town.layout.streets import avenue, crossing, oldtown, street

KINDS: dict[str, Callable[[Plan, Random], None]] = {
    "street": street,
    "square": square,
    "suburb": suburb,
    "avenue": avenue,
    "seafront": seafront,
    "oldtown": oldtown,
    "highway": highway,
    "crossing": crossing,
}


BUILT_ON = ("billboard", "lantern", "crane", "mast", "far", "hill")  # may stand in a building


def draw_place(kind: str, seed: int) -> Plan:
    """Draw a place of a kind, of `KINDS`; the same seed gives the same place."""
    rng = Random(f"{kind} {seed}")
    plan = Plan(kind)
    KINDS[kind](plan, rng)
    plan.things = [t for t in plan.things if plan.free(t.x, t.y, 0) or t.kind in BUILT_ON]
    return plan
