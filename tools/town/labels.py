"""Which kind each surface of a town is of, and how the kinds lie in the passes of a render."""

from __future__ import annotations

from functools import cache

SURFACES = ("sky", "ground", "wall", "leaves", "vehicle", "person")
LIGHTS = ("window", "sign", "lamp", "front-lamp", "rear-lamp")
GROUPS = ("sun", "sky", "lamps", "windows", "cars", "signs")
PASSES = {  # a pass has three channels; what sky is, is what none of them covers
    "kinds0": ("ground", "wall", "leaves"),
    "kinds1": ("vehicle", "person", "near"),
    "kinds2": ("window", "sign", "lamp"),
    "kinds3": ("front-lamp", "rear-lamp", "wet"),
}
NEAR_METRES = 400.0  # "near" is exp(-distance / this): as haze weakens what it covers

_STARTS = {  # how the names of surfaces begin: their kind, and the light they are
    "asphalt": "ground", "patch": "ground", "paint": "ground", "slabs": "ground", "kerb": "ground",
    "cobble": "ground", "grass": "ground", "soil": "ground", "sand": "ground", "water": "ground",
    "manhole": "ground", "gravel": "ground",
    "leaf": "leaves", "bark": "leaves", "hedge": "leaves", "hill": "leaves",
    "tint": "vehicle", "rubber": "vehicle", "rim": "vehicle", "plate": "vehicle", "car": "vehicle",
    "livery": "vehicle", "coach": "vehicle",
    "head": "vehicle", "tail": "vehicle", "skin": "person", "dress": "person", "hair": "person",
}  # fmt: skip
_LIGHTS = {
    "pane": "window", "shop": "window", "glass": "window", "board": "sign", "bulb": "lamp",
    "globe": "lamp", "head": "front-lamp", "tail": "rear-lamp",
}  # fmt: skip
_GROUPS = {
    "window": "windows",
    "sign": "signs",
    "lamp": "lamps",
    "front-lamp": "cars",
    "rear-lamp": "cars",
}


@cache
def surface_of(name: str) -> str:
    """The kind of a surface by its name; what is not told is built, a wall."""
    return _longest(_STARTS, name) or "wall"


@cache
def light_of(name: str) -> str | None:
    """The kind of light that a surface is, or None."""
    return _longest(_LIGHTS, name)


def group_of(light: str) -> str:
    """The group in which a kind of light is switched."""
    return _GROUPS[light]


def cover_of(name: str) -> dict[str, tuple[float, float, float]]:
    """What a surface writes into each pass: 1 for its kinds, 0 for all others."""
    kinds = {surface_of(name), light_of(name)}
    return {
        label: (float(a in kinds), float(b in kinds), float(c in kinds))
        for label, (a, b, c) in PASSES.items()
    }


def _longest(table: dict[str, str], name: str) -> str | None:
    starts = [start for start in table if name.startswith(start)]
    return table[max(starts, key=len)] if starts else None
