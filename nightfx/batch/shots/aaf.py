"""AAF, edited in place: effects, retimes, markers and tracks stay; clips refer to new mobs, whose locators are the renders.

A clip of a composition refers to a master mob, that to a file's source mob, and that to the tape or import it came from.
A render has a copy of the first two, as much later on the tape as its first frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote

from nightfx.batch.shots.document import Render, TimelineClip
from nightfx.errors import UsageError

_DEEPEST = 32  # references of mobs to mobs
_PATH_COMMENT = "UNC Path"
_OF_RETIMES = ("speed", "motion", "timewarp", "freeze")


@dataclass
class _Leaf:
    """A source clip of a composition."""

    clip: Any
    rate: Fraction
    at: Fraction
    """Seconds in its track."""
    over: list[Any]
    """The operation groups that it is in, the outermost first."""


@dataclass
class _Link:
    """One mob on the way from a clip to its file."""

    mob: Any
    slot: Any
    clip: Any
    """The source clip in the slot, which refers to the next."""
    position: Fraction
    """Seconds in the slot."""


class Aaf:
    """An AAF."""

    def __init__(self, path: Path, content: bytes, rate: Fraction) -> None:
        self._content = content
        self._renders: dict[int, Render] = {}
        with _opened(content) as file:
            self.clips = [_clip_of(leaf) for leaf in _leaves(file)]

    def repoint(self, index: int, render: Render) -> None:
        """Let a clip show a render."""
        self._renders[index] = render

    def save(self, path: Path) -> None:
        """Write it."""
        import aaf2

        path.write_bytes(self._content)
        with aaf2.open(str(path), "rw") as file:
            _Relinking(file).all(self._renders)


class _Relinking:
    """The new mobs of an open AAF."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._made: dict[tuple[str, int, Path], tuple[Any, int]] = {}
        self._replaced: list[Any] = []

    def all(self, renders: dict[int, Render]) -> None:
        """Point clips to renders, and those of subsequences that no timeline shows to a render that covers them."""
        leaves = list(_leaves(self._file))
        shown = {id(leaf.clip): n for n, leaf in enumerate(leaves)}
        rest = [leaf for leaf in _all_leaves(self._file) if id(leaf.clip) not in shown]
        keys = {n: _key_of(leaves[n]) for n in renders}
        for leaf in rest:
            if (fitting := _covering(leaf, renders, keys)) is not None:
                self._relink(leaf, fitting)
        for index, render in renders.items():
            self._relink(leaves[index], render)
        self._remove_unused()

    def _relink(self, leaf: _Leaf, render: Render) -> None:
        chain = _chain(leaf)
        place = _file_place(chain)
        key = str(leaf.clip.mob_id), leaf.clip.slot_id, render.path
        if key not in self._made:
            self._made[key] = self._make(chain, place, render)
        start = chain[place].position - render.base / render.rate
        leaf.clip.mob_id, leaf.clip.slot_id = self._made[key]
        leaf.clip.start = round(start * leaf.rate)
        for group in leaf.over:  # what was computed of day
            self._drop_rendering(group)

    def _make(self, chain: list[_Link], place: int, render: Render) -> tuple[Any, int]:
        """Copy the mobs of a chain that have a path, or lead to one; returns the outermost's id, and its slot's."""
        last = max([place, *(n for n, link in enumerate(chain) if _locators(link.mob))])
        below: Any = None
        for number in range(last, -1, -1):
            link = chain[number]
            mob = self._copied(link, render)
            self._shorten(mob.slot_at(link.slot.slot_id), below, render)
            if number > place:  # an import, which has the timecode
                _move_timecodes(mob, render)
            below = mob.mob_id, link.slot.slot_id
        found: tuple[Any, int] = below
        return found

    def _shorten(self, slot: Any, below: Any, render: Render) -> None:
        """Let a copied slot begin where the render does, or with the copy below it."""
        rate = Fraction(str(slot.edit_rate))
        clip = _inner_clip(slot.segment)
        if clip is None:
            return
        clip.length = round(render.length / render.rate * rate)
        if below is not None:
            clip.mob_id, clip.slot_id = below
            clip.start = 0
        elif clip.mob is not None:
            clip.start = clip.start + round(render.base / render.rate * rate)

    def _copied(self, link: _Link, render: Render) -> Any:
        import aaf2

        mob = link.mob.copy(root=self._file)
        mob.mob_id = aaf2.mobid.MobID.new()
        for index in reversed(range(len(mob.slots))):
            slot = mob.slots[index]
            if slot.slot_id != link.slot.slot_id and not _is_timecode(slot):
                mob.slots.pop(index)
        self._file.content.mobs.append(mob)
        self._replaced.append(link.mob)
        _unmark(mob.slot_at(link.slot.slot_id))
        for comment in _tagged(mob, "UserComments"):
            if comment.name == _PATH_COMMENT:
                comment.value = str(render.file)
        if locators := _locators(mob):
            for locator in locators:
                locator["URLString"].value = render.file.as_uri()
            _set_length(mob, render)
        return mob

    def _drop_rendering(self, group: Any) -> None:
        if (found := group.get("Rendering", allkeys=False)) is not None and found.value is not None:
            mob = getattr(found.value, "mob", None)
            if mob is not None:
                self._replaced.append(mob)
            found.value = None

    def _remove_unused(self) -> None:
        """Remove what nothing refers to any more, of what was replaced."""
        mobs = {str(mob.mob_id): mob for mob in self._file.content.mobs}
        asked = {str(mob.mob_id) for mob in self._replaced}
        while asked:
            used = {str(found.mob_id) for mob in mobs.values() for found in _references(mob)}
            gone = [name for name in asked & mobs.keys() if name not in used]
            asked = set()
            for name in gone:
                mob = mobs.pop(name)
                asked |= {str(found.mob_id) for found in _references(mob)}
                self._file.content.mobs.pop(mob.mob_id)
            asked &= mobs.keys()


@contextmanager
def _opened(content: bytes) -> Iterator[Any]:
    try:
        import aaf2
    except ImportError as error:
        raise UsageError("AAF needs pip install 'nightfx[film]'") from error
    with TemporaryDirectory() as folder:
        copy = Path(folder, "timeline.aaf")
        copy.write_bytes(content)
        with aaf2.open(str(copy), "r") as file:
            yield file


def _leaves(file: Any) -> Iterator[_Leaf]:
    """The clips that the timelines show, those of nested compositions too."""
    seen: set[str] = set()
    tops = list(file.content.toplevel()) or list(file.content.compositionmobs())
    for mob in tops:
        yield from _leaves_of(mob, seen)


def _all_leaves(file: Any) -> Iterator[_Leaf]:
    for mob in file.content.compositionmobs():
        yield from _leaves_of(
            mob, {str(m.mob_id) for m in file.content.compositionmobs()} - {str(mob.mob_id)}
        )


def _leaves_of(mob: Any, seen: set[str]) -> Iterator[_Leaf]:
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
) -> Iterator[_Leaf]:
    import aaf2

    kinds = aaf2.components
    if isinstance(part, kinds.SourceClip):
        if isinstance(part.mob, aaf2.mobs.CompositionMob):
            yield from _leaves_of(part.mob, seen)
        elif part.mob is not None:
            yield _Leaf(part, rate, at, over)
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


def _chain(leaf: _Leaf) -> list[_Link]:
    """The mobs from a clip's on, as far as they are there."""
    links: list[_Link] = []
    clip, position = leaf.clip, Fraction(leaf.clip.start or 0) / leaf.rate
    while clip is not None and clip.mob is not None and len(links) < _DEEPEST:
        slot = clip.mob.slot_at(clip.slot_id)
        inner = _inner_clip(slot.segment)
        links.append(_Link(clip.mob, slot, inner, position))
        if inner is not None:
            rate = Fraction(str(slot.edit_rate))
            position += Fraction(inner.start or 0) / rate if inner.mob is not None else 0
        clip = inner
    return links


def _inner_clip(segment: Any) -> Any:
    import aaf2

    for _ in range(_DEEPEST):
        if segment is None or isinstance(segment, aaf2.components.SourceClip):
            return segment
        if isinstance(segment, aaf2.components.Sequence):
            segment = next(iter(segment.components), None)
        else:
            segment = next(iter(_inside(segment)), None)
    return None


def _file_place(chain: list[_Link]) -> int:
    """Which mob of a chain is the file's: the first with a locator, else the last before the tape."""
    places = [n for n, link in enumerate(chain) if _locators(link.mob)]
    return places[0] if places else min(1, len(chain) - 1)


def _locators(mob: Any) -> list[Any]:
    descriptor = mob.get("EssenceDescription", allkeys=False)
    found = descriptor and descriptor.value and descriptor.value.get("Locator", allkeys=False)
    return [each for each in (found.value if found else []) if "URLString" in each.keys()]  # noqa: SIM118  # no dict


def _is_timecode(slot: Any) -> bool:
    import aaf2

    return isinstance(slot.segment, aaf2.components.Timecode)


def _move_timecodes(mob: Any, render: Render) -> None:
    for slot in filter(_is_timecode, mob.slots):
        code = slot.segment
        code.start = code.start + round(render.base / render.rate * (code.fps or render.rate))


def _unmark(slot: Any) -> None:
    for name in ("MarkIn", "MarkOut"):
        if (mark := slot.get(name, allkeys=False)) is not None:
            slot.property_entries.pop(mark.pid)


def _set_length(mob: Any, render: Render) -> None:
    descriptor = mob["EssenceDescription"].value
    if descriptor.get("Length", allkeys=False) is not None:
        descriptor["Length"].value = render.length


def _tagged(mob: Any, name: str) -> list[Any]:
    found = mob.get(name, allkeys=False)
    return list(found.value or []) if found is not None else []


def _references(mob: Any) -> Iterator[Any]:
    import aaf2

    for item, _ in mob.walk_references():
        if isinstance(item, aaf2.components.SourceReference) and item.mob_id is not None:
            yield item


def _clip_of(leaf: _Leaf) -> TimelineClip:
    chain = _chain(leaf)
    place = _file_place(chain)
    link = chain[place]
    first = _timecode_at(chain, place, leaf.rate)
    start = link.position * leaf.rate
    paths = [
        tag.value
        for each in chain
        for tag in _tagged(each.mob, "UserComments")
        if tag.name == _PATH_COMMENT
    ]
    paths += [one["URLString"].value for each in chain for one in _locators(each.mob)]
    names = [each.mob.name for each in chain if each.mob.name]
    speed = _speed(leaf)
    return TimelineClip(
        names[0] if names else "a clip",
        f"at {float(leaf.at):.2f} s",
        rate=leaf.rate,
        start=first + start,
        length=_length(leaf, speed),
        known=first,
        paths=tuple(str(path) for path in paths),
        names=(*names, *(unquote(str(path)) for path in paths)),
        speed=speed,
    )


def _timecode_at(chain: list[_Link], place: int, rate: Fraction) -> Fraction:
    """The timecode of a file's first frame as frames; 0 where no tape says one."""
    for link in chain[place:]:
        for slot in filter(_is_timecode, link.mob.slots):
            later = link.position - chain[place].position
            return Fraction(slot.segment.start or 0) + round(later * rate)
    return Fraction(0)


def _speed(leaf: _Leaf) -> float | None:
    """How fast a clip runs by the retimes that it is in; None for what has no one speed."""
    speed = 1.0
    for group in leaf.over:
        name = str(getattr(group.operation, "name", "")).lower()
        if not any(word in name for word in _OF_RETIMES):
            continue
        lengths = leaf.clip.length or 1, group.length or 1
        speed *= _constant_speed(group) or lengths[0] / lengths[1]
    return speed


def _length(leaf: _Leaf, speed: float | None) -> Fraction:
    """What a retime takes in, by its input or by how long it runs."""
    shown = next((group.length for group in leaf.over), 0) or 0
    return max(Fraction(leaf.clip.length or 1), Fraction(round(shown * (speed or 1))))


def _constant_speed(group: Any) -> float | None:
    for parameter in group.parameters:
        points = parameter.get("PointList", allkeys=False)
        if "SPEED_MAP" in str(parameter.name).upper() and points is not None:
            values = {float(point.value) for point in points.value}
            return values.pop() if len(values) == 1 else None
    return None


def _key_of(leaf: _Leaf) -> str:
    return str(leaf.clip.mob_id)


def _covering(leaf: _Leaf, renders: dict[int, Render], keys: dict[int, str]) -> Render | None:
    chain = _chain(leaf)
    position = chain[_file_place(chain)].position
    for index, render in renders.items():
        first = render.base / render.rate
        end = first + render.length / render.rate
        last = position + Fraction(leaf.clip.length or 1) / leaf.rate
        if keys[index] == _key_of(leaf) and first <= position and last <= end:
            return render
    return None
