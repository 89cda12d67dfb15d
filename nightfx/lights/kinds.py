"""What may be lit by night, and the groups that a user turns up and down together."""

from __future__ import annotations

GROUPS = {
    "lamps": ("lamp", "traffic-light"),
    "windows": ("window", "shop"),
    "cars": ("front-lamp", "rear-lamp"),
    "signs": ("sign",),
}
"""The kinds of each group."""

KINDS = ("window", "shop", "sign", "lamp", "traffic-light", "front-lamp", "rear-lamp")


def group_of(kind: str) -> str:
    """Return the group of a kind."""
    return next(group for group, kinds in GROUPS.items() if kind in kinds)
