"""AAF, edited in place: effects, retimes, markers and tracks stay; clips refer to new mobs, whose locators are the renders.

A clip of a composition refers to a master mob, that to a file's source mob, and that to the tape or import it came from.
A render has a copy of the first two, as much later on the tape as its first frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote

from nightfx.batch.shots.aaf_tree import (
    Leaf,
    Link,
    all_leaves,
    chain_of,
    file_place,
    imported_from,
    inner_clip,
    is_timecode,
    leaves,
    locators_of,
    references_of,
    tagged,
)
from nightfx.batch.shots.document import Render, TimelineClip
from nightfx.errors import UsageError, install_words

_PATH_COMMENT = "UNC Path"
_OF_RETIMES = ("speed", "motion", "timewarp", "freeze")


class Aaf:
    """An AAF."""

    def __init__(self, path: Path, content: bytes, rate: Fraction) -> None:
        self._content = content
        self._renders: dict[int, Render] = {}
        with _opened(content) as file:
            self.clips = [_clip_of(leaf) for leaf in leaves(file)]

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
        shown = list(leaves(self._file))
        known = {id(leaf.clip) for leaf in shown}
        rest = [leaf for leaf in all_leaves(self._file) if id(leaf.clip) not in known]
        keys = {n: _key_of(shown[n]) for n in renders}
        for leaf in rest:
            if (fitting := _covering(leaf, renders, keys)) is not None:
                self._relink(leaf, fitting)
        for index, render in renders.items():
            self._relink(shown[index], render)
        self._remove_unused()

    def _relink(self, leaf: Leaf, render: Render) -> None:
        chain = chain_of(leaf)
        place = file_place(chain)
        key = str(leaf.clip.mob_id), leaf.clip.slot_id, render.path
        if key not in self._made:
            self._made[key] = self._make(chain, place, render)
        start = chain[place].position - render.base / render.rate
        leaf.clip.mob_id, leaf.clip.slot_id = self._made[key]
        leaf.clip.start = round(start * leaf.rate)
        for group in leaf.over:  # what was computed of day
            self._drop_rendering(group)

    def _make(self, chain: list[Link], place: int, render: Render) -> tuple[Any, int]:
        """Copy the mobs of a chain that have a path, or lead to one; returns the outermost's id, and its slot's."""
        last = max([place, *(n for n, link in enumerate(chain) if locators_of(link.mob))])
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
        clip = inner_clip(slot.segment)
        if clip is None:
            return
        clip.length = round(render.length / render.rate * rate)
        if below is not None:
            clip.mob_id, clip.slot_id = below
            clip.start = 0
        elif clip.mob is not None:
            clip.start = clip.start + round(render.base / render.rate * rate)

    def _copied(self, link: Link, render: Render) -> Any:
        import aaf2

        mob = link.mob.copy(root=self._file)
        mob.mob_id = aaf2.mobid.MobID.new()
        for index in reversed(range(len(mob.slots))):
            slot = mob.slots[index]
            if slot.slot_id != link.slot.slot_id and not is_timecode(slot):
                mob.slots.pop(index)
        self._file.content.mobs.append(mob)
        self._replaced.append(link.mob)
        _unmark(mob.slot_at(link.slot.slot_id))
        for comment in tagged(mob, "UserComments"):
            if comment.name == _PATH_COMMENT:
                comment.value = str(render.file)
        locators = locators_of(mob)
        for locator in (*locators, *imported_from(mob)):
            locator["URLString"].value = render.file.as_uri()
        if locators:
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
            used = {str(found.mob_id) for mob in mobs.values() for found in references_of(mob)}
            gone = [name for name in asked & mobs.keys() if name not in used]
            asked = set()
            for name in gone:
                mob = mobs.pop(name)
                asked |= {str(found.mob_id) for found in references_of(mob)}
                self._file.content.mobs.pop(mob.mob_id)
            asked &= mobs.keys()


@contextmanager
def _opened(content: bytes) -> Iterator[Any]:
    try:
        import aaf2
    except ImportError as error:
        raise UsageError(f"AAF needs {install_words('film')}") from error
    with TemporaryDirectory() as folder:
        copy = Path(folder, "timeline.aaf")
        copy.write_bytes(content)
        with aaf2.open(str(copy), "r") as file:
            yield file


def _move_timecodes(mob: Any, render: Render) -> None:
    for slot in filter(is_timecode, mob.slots):
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


def _clip_of(leaf: Leaf) -> TimelineClip:
    chain = chain_of(leaf)
    place = file_place(chain)
    link = chain[place]
    first = _timecode_at(chain, place, leaf.rate)
    start = link.position * leaf.rate
    paths = [
        tag.value
        for each in chain
        for tag in tagged(each.mob, "UserComments")
        if tag.name == _PATH_COMMENT
    ]
    paths += [one["URLString"].value for each in chain for one in locators_of(each.mob)]
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


def _timecode_at(chain: list[Link], place: int, rate: Fraction) -> Fraction:
    """The timecode of a file's first frame as frames; 0 where no tape says one."""
    for link in chain[place:]:
        for slot in filter(is_timecode, link.mob.slots):
            later = link.position - chain[place].position
            return Fraction(slot.segment.start or 0) + round(later * rate)
    return Fraction(0)


def _speed(leaf: Leaf) -> float | None:
    """How fast a clip runs by the retimes that it is in; None for what has no one speed."""
    speed = 1.0
    for group in leaf.over:
        name = str(getattr(group.operation, "name", "")).lower()
        if not any(word in name for word in _OF_RETIMES):
            continue
        lengths = leaf.clip.length or 1, group.length or 1
        speed *= _constant_speed(group) or lengths[0] / lengths[1]
    return speed


def _length(leaf: Leaf, speed: float | None) -> Fraction:
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


def _key_of(leaf: Leaf) -> str:
    return str(leaf.clip.mob_id)


def _covering(leaf: Leaf, renders: dict[int, Render], keys: dict[int, str]) -> Render | None:
    chain = chain_of(leaf)
    position = chain[file_place(chain)].position
    for index, render in renders.items():
        first = render.base / render.rate
        end = first + render.length / render.rate
        last = position + Fraction(leaf.clip.length or 1) / leaf.rate
        if keys[index] == _key_of(leaf) and first <= position and last <= end:
            return render
    return None
