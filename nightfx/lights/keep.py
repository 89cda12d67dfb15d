"""What a person locked in a list of lights stays as it is when the shot is searched anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nightfx.lights.listed import Light, LightList

_NEAR = 0.5  # of the larger one's size, between the middles of two lights that are one
_LOOKS = 8  # frames at which two are held against each other


def keep_locked(found: LightList, old: LightList) -> LightList:
    """Return what was found, with the locked lights of an old list of the same shot in place of those that they are.

    New lights get numbers that no locked one has, and new houses and cars likewise.
    """
    locked = tuple(x for x in old.lights if x.locked)
    new = [x for x in found.lights if not any(_is_same(x, y) for y in locked)]
    above = max((n for x in locked for n in (x.id, x.parent or 0)), default=0)
    numbered = (_counted(x, i, above) for i, x in enumerate(new, start=above + 1))
    return replace(found, lights=(*locked, *numbered))


def _counted(light: Light, number: int, above: int) -> Light:
    parent = None if light.parent is None else light.parent + above
    return replace(light, id=number, parent=parent)


def _is_same(one: Light, other: Light) -> bool:
    """Whether two lights of a kind lie at one place, in most of the frames that both are in."""
    first = max(one.track.frames[0], other.track.frames[0])
    last = min(one.track.frames[-1], other.track.frames[-1])
    if one.kind != other.kind or first > last:
        return False
    frames = np.unique(np.linspace(first, last, _LOOKS).astype(int))
    near = [_is_near(one, other, int(frame)) for frame in frames]
    return sum(near) * 2 > len(near)


def _is_near(one: Light, other: Light, frame: int) -> bool:
    places = one.track.at(frame), other.track.at(frame)
    quads = [place[0] for place in places if place is not None]
    size = max(float(np.ptp(quad, axis=0).max()) for quad in quads)
    apart = float(np.hypot(*(quads[0].mean(0) - quads[-1].mean(0))))
    return apart <= _NEAR * max(size, 1.0)
