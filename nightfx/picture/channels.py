"""Which channels of a film file are its picture, by their names and those of the file's parts: layers, and views of them.

`beauty.left.R` is red in the layer `beauty` as the left eye sees it. A layer that renderers name for the whole picture
comes before all others; where none is, and there are several, somebody has to choose.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from nightfx.errors import SourceError

_COLOURS = {"r": 0, "red": 0, "g": 1, "green": 1, "b": 2, "blue": 2, "a": 3, "alpha": 3}
# Blender; Arnold, Redshift, Octane; Nuke; V-Ray; Houdini; RenderMan; Unreal
_BEAUTIES = {
    *("", "combined", "beauty", "rgba", "rgb", "color", "colour", "main", "image"),
    *("rgb_color", "c", "ci", "finalimage", "final"),
}


class PartNames(NamedTuple):
    """What one part of a file says of its channels."""

    channels: Sequence[str]
    """Their names in order."""
    name: str = ""
    """The part's own."""
    view: str = ""
    """The view that all of it is of."""
    views: Sequence[str] = ()
    """The views that its channels' names tell apart; the first one's have no name."""


class Layer(NamedTuple):
    """Channels R, G, B and perhaps A that belong together."""

    part: int
    """Which part they stand in."""
    channels: tuple[int, ...]
    """Their places in it."""
    name: str
    """Without the view; empty where they are just R, G and B."""
    view: str
    """Empty where the file has one picture alone."""


def layers_of(parts: Iterable[PartNames]) -> list[Layer]:
    """Return all layers of colour in the order in which they stand."""
    return [layer for index, part in enumerate(parts) for layer in _layers_of_part(index, part)]


def choose_layer(layers: Sequence[Layer], name: str | None, view: str | None) -> Layer:
    """Return the layer that is the picture, or the one that is asked for; raises SourceError where there is none such."""
    seen = [layer for layer in layers if layer.view == _view(layers, view)]
    if name is not None:
        return _named(seen, name)
    beauties = [layer for layer in seen if _last(layer.name) in _BEAUTIES]
    bare = [layer for layer in beauties if not layer.name]
    if len(seen) > 1 and not beauties:
        words = f"{_listed(layer.name for layer in seen)}, and none of them is known as its picture"
        raise SourceError(f"has the layers {words}: --layer names one")
    return [*bare, *beauties, *seen][0]


def choice_lines(layers: Sequence[Layer], chosen: Layer) -> Iterator[str]:
    """Yield the lines for a user: which layer and view is lit where others stay as they are."""
    others = [each.name for each in layers if each.view == chosen.view and each is not chosen]
    if chosen.name:
        rest = f", not {_listed(others)}: --layer names another" if others else ""
        yield f"layer {chosen.name} is lit{rest}"
    views = [view for view in _views(layers) if view != chosen.view]
    if views:
        yield f"view {chosen.view} is lit, not {_listed(views)}: --view {views[0]} lights that"


def _layers_of_part(index: int, part: PartNames) -> Iterator[Layer]:
    groups: dict[str, dict[int, int]] = defaultdict(dict)
    for place, channel in enumerate(part.channels):
        layer, _, last = channel.rpartition(".")
        colour = _COLOURS.get(last.lower())
        if colour is not None:
            groups[layer].setdefault(colour, place)
    for layer, places in groups.items():
        if {0, 1, 2} <= set(places):
            view = part.view or _view_in(layer, part.views)
            name = _without(layer or part.name, view)
            yield Layer(index, tuple(places[c] for c in sorted(places)), name, view)


def _view_in(layer: str, views: Sequence[str]) -> str:
    named = [view for view in views if view in layer.split(".")]
    return named[0] if named else views[0] if views else ""


def _without(layer: str, view: str) -> str:
    return ".".join(word for word in layer.split(".") if word != view or not view)


def _views(layers: Sequence[Layer]) -> list[str]:
    return list(dict.fromkeys(layer.view for layer in layers if layer.view))


def _view(layers: Sequence[Layer], wanted: str | None) -> str:
    views = _views(layers)
    if wanted is None:
        return layers[0].view if layers and layers[0].view in ("", *views[:1]) else views[0]
    found = [view for view in views if view.lower() == wanted.lower()]
    if not found:
        words = f"its views are {_listed(views)}" if views else "it has one picture and no views"
        raise SourceError(f"--view {wanted}: no such view; {words}")
    return found[0]


def _named(layers: Sequence[Layer], name: str) -> Layer:
    same = [layer for layer in layers if layer.name.lower() == name.lower()]
    alike = [layer for layer in layers if _last(layer.name) == name.lower()]
    if same or len(alike) == 1:
        return (same or alike)[0]
    words = _listed(layer.name for layer in layers)
    raise SourceError(f"--layer {name}: no such layer of colour; there are {words}")


def _last(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _listed(names: Iterable[str]) -> str:
    told = [name or "(R, G, B without a name)" for name in names]
    more = f" and {len(told) - 8} more" if len(told) > 8 else ""
    return ", ".join(told[:8]) + more
