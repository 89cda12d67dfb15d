"""The objects of an AAF that lead from a composition to the file that a clip shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

_DEEPEST = 32  # references of mobs to mobs


@dataclass
class Leaf:
    """A source clip of a composition."""

    clip: Any
    rate: Fraction
    at: Fraction
    """Seconds in its track."""
    over: list[Any]
    """The operation groups that it is in, the outermost first."""


@dataclass
class Link:
    """One mob on the way from a clip to its file."""

    mob: Any
    slot: Any
    clip: Any
    """The source clip in the slot, which refers to the next."""
    position: Fraction
    """Seconds in the slot."""


def leaves(file: Any) -> Iterator[Leaf]:
    """The clips that the timelines show, those of nested compositions too."""
    seen: set[str] = set()
    tops = list(file.content.toplevel()) or list(file.content.compositionmobs())
    for mob in tops:
        yield from _leaves_of(mob, seen)


def all_leaves(file: Any) -> Iterator[Leaf]:
    """The clips of every composition by itself, also of those that no timeline shows."""
    for mob in file.content.compositionmobs():
        yield from _leaves_of(
            mob, {str(m.mob_id) for m in file.content.compositionmobs()} - {str(mob.mob_id)}
        )


def _leaves_of(mob: Any, seen: set[str]) -> Iterator[Leaf]:
    if str(mob.mob_id) in seen:
        return
    seen.add(str(mob.mob_id))
    for slot in mob.slots:
        if slot.media_kind == "Picture" and hasattr(slot, "edit_rate"):
            rate = Fraction(str(slot.edit_rate))
            if rate > 0:
                yield from _walk(slot.segment, rate, Fraction(0), [], seen)


def _walk(
    part: Any, rate: Fraction, at: Fraction, over: list[Any], seen: set[str]
) -> Iterator[Leaf]:
    import aaf2

    kinds = aaf2.components
    if isinstance(part, kinds.SourceClip):
        if isinstance(part.mob, aaf2.mobs.CompositionMob):
            yield from _leaves_of(part.mob, seen)
        elif part.mob is not None:
            yield Leaf(part, rate, at, over)
    elif isinstance(part, kinds.Sequence):
        for each in part.components:
            length = Fraction(each.length or 0) / rate
            if isinstance(each, kinds.Transition):
                at -= length
                continue
            yield from _walk(each, rate, at, over, seen)
            at += length
    else:
        for each in _inside(part):
            more = [*over, part] if isinstance(part, kinds.OperationGroup) else over
            yield from _walk(each, rate, at, more, seen)


def _inside(part: Any) -> list[Any]:
    """The segments that are shown of one that holds others."""
    for name in ("InputSegments", "Slots", "Selected", "Choices"):
        found = part.get(name, allkeys=False)
        if found is not None and found.value is not None:
            return [found.value] if name == "Selected" else list(found.value)
    return []


def chain_of(leaf: Leaf) -> list[Link]:
    """The mobs from a clip's on, as far as they are there."""
    links: list[Link] = []
    clip, position = leaf.clip, Fraction(leaf.clip.start or 0) / leaf.rate
    while clip is not None and clip.mob is not None and len(links) < _DEEPEST:
        slot = clip.mob.slot_at(clip.slot_id)
        inner = inner_clip(slot.segment)
        links.append(Link(clip.mob, slot, inner, position))
        if inner is not None:
            rate = Fraction(str(slot.edit_rate))
            position += Fraction(inner.start or 0) / rate if inner.mob is not None else 0
        clip = inner
    return links


def inner_clip(segment: Any) -> Any:
    """The source clip in a segment of a mob; None where there is none."""
    import aaf2

    for _ in range(_DEEPEST):
        if segment is None or isinstance(segment, aaf2.components.SourceClip):
            return segment
        if isinstance(segment, aaf2.components.Sequence):
            segment = next(iter(segment.components), None)
        else:
            segment = next(iter(_inside(segment)), None)
    return None


def file_place(chain: list[Link]) -> int:
    """Which mob of a chain is the file's: the first with a locator, else the last before the tape."""
    places = [n for n, link in enumerate(chain) if locators_of(link.mob)]
    return places[0] if places else min(1, len(chain) - 1)


def locators_of(mob: Any) -> list[Any]:
    """The locators of a mob's file that have a URL."""
    descriptor = mob.get("EssenceDescription", allkeys=False)
    found = descriptor and descriptor.value and descriptor.value.get("Locator", allkeys=False)
    return [each for each in (found.value if found else []) if each.get("URLString", allkeys=False)]


def imported_from(mob: Any) -> Iterator[Any]:
    """The locators in a mob's settings of import, which an editor imports from again."""
    for setting in tagged(mob, "MobAttributeList"):
        for value in tagged(setting, "TaggedValueAttributeList"):
            found = value.get("PortableObject", allkeys=False)
            locator = found and found.value
            if hasattr(locator, "get") and locator.get("URLString", allkeys=False):
                yield locator


def is_timecode(slot: Any) -> bool:
    """Whether a slot is a track of timecode."""
    import aaf2

    return isinstance(slot.segment, aaf2.components.Timecode)


def tagged(mob: Any, name: str) -> list[Any]:
    """The tagged values of a mob, such as its user comments."""
    found = mob.get(name, allkeys=False)
    return list(found.value or []) if found is not None else []


def references_of(mob: Any) -> Iterator[Any]:
    """All in a mob that refers to other mobs."""
    import aaf2

    for item, _ in mob.walk_references():
        if isinstance(item, aaf2.components.SourceReference) and item.mob_id is not None:
            yield item
