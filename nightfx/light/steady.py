"""Steady a field over time: light that flickers from frame to frame is averaged away along the motion of the picture.

A field belongs to a frame. The steadied field of the frame before is carried along by optical flow (DIS, Kroeger et al.
2016, arXiv 1603.03590) and mixed with the new one, where the flows there and back agree and the picture looks the same;
elsewhere the new one counts alone. At a cut it starts anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np

from nightfx.apply import Field
from nightfx.light.borders import Borders
from nightfx.light.see import Byte, Seen, luma_of
from nightfx.picture import Float32, kernel, prange

_RATE = 24.0  # amounts are meant at this many frames a second
_LEAST_PX = 32  # DIS chooses its scales by the width alone where a side is shorter, and reads past the picture
_AGREE_CELLS = 0.5  # a flow there and back that misses by so much is trusted by e⁻¹
_ALIKE = 15.0  # codes of luma that a cell may differ by, likewise
_CUT_SHARE = 0.15  # a cut: less of the picture than this is found again; between real shots nothing is, in a fast pan 0.3
_TRUST_RADIUS_CELLS = 2  # trust is smoothed, since a field is smooth


@dataclass(frozen=True)
class Steadying:
    """How fields follow each other."""

    amount: float = 0.8
    """The share of the past at 24 frames a second, 0 to below 1."""
    every: int = 1
    """A field is computed for every so many frames of the shot, and carried by motion between."""


@dataclass(frozen=True)
class Memory:
    """The state that a frame leaves to the next."""

    field: Field
    trust: Float32
    """How far what lies in a cell was followed since its field was last computed."""
    computed_seconds: float
    """When that was."""
    count: int = 1
    """Fields in the mean."""


@dataclass(frozen=True)
class Motion:
    """Where the picture was in the frame before: the flow back (h, w, 2) in cells, and how far it is trusted (h, w)."""

    flow: Float32
    trust: Float32

    @property
    def is_cut(self) -> bool:
        """Whether too little of the picture is found again."""
        return float(self.trust.mean()) < _CUT_SHARE


class Part(NamedTuple):
    """One of the things of a frame that are followed along its motion, as a field (c, h, w) is."""

    of: Callable[[Seen], Field]
    """Says what a frame's own one is."""
    how: Steadying
    is_lost: Callable[[Memory, Motion], bool] = lambda past, motion: False
    """Whether what was known of the frame before says too little of this one, which is then looked at itself."""


def steady(
    shot: Iterable[Seen],
    field_of: Callable[[Seen], Field],
    how: Steadying,
    borders: Borders | None = None,
) -> Iterator[tuple[Seen, Field]]:
    """Each frame of a shot, and its field (12, h, w), steadied; `field_of` says what the generator makes of a frame."""
    for seen, (field,) in steady_parts(shot, [Part(field_of, how)], borders):
        yield seen, field


def steady_parts(
    shot: Iterable[Seen], parts: Sequence[Part], borders: Borders | None = None
) -> Iterator[tuple[Seen, list[Field]]]:
    """Each frame of a shot, and the field of each of its parts, which are followed by one motion.

    At the first frame of a segment the past is that of its warm-up alone, which is followed beside the segment before it.
    """
    borders, followed = borders or Borders(), [_Followed(part) for part in parts]
    uses_past = any(one.uses_past for one in followed)
    before = None
    for index, seen in enumerate(shot, borders.begun_at):
        luma, seconds = luma_of(seen.cells), float(seen.frame.pts * seen.frame.time_base)
        looks = before is not None and (uses_past or borders.watches(index))
        motion = find_motion(before, luma) if looks and before is not None else None
        is_cut = motion is not None and motion.is_cut
        begins, warms_up = borders.begins(index, is_cut=is_cut), borders.warms_up(index)
        for one in followed:
            if begins:
                one.begin()
            if is_cut:
                one.forget()
            one.warms_up = one.warms_up or warms_up
        yield seen, [one.at(index, seen, seconds, motion) for one in followed]
        before = luma


class _Followed:
    """What was seen of one part: its past, and beside it that of the segment to come."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self.uses_past = part.how.amount > 0 or part.how.every > 1
        self.warms_up = False
        self._past: Memory | None = None
        self._warm_up: Memory | None = None

    def begin(self) -> None:
        """A segment begins: its past is its warm-up."""
        self._past, self._warm_up, self.warms_up = self._warm_up, None, False

    def forget(self) -> None:
        """What went before has nothing to do with what comes."""
        self._past = self._warm_up = None

    def at(self, index: int, seen: Seen, seconds: float, motion: Motion | None) -> Field:
        """The part's field at a frame."""
        if not self.uses_past:
            self.forget()
        look, is_due = cache(lambda: self._part.of(seen)), index % self._part.how.every == 0
        self._past = self._after(self._past, seconds, motion, look, is_due)
        # the segment to come knows its warm-up alone, and by that it is decided where to look
        warm_up = self._warm_up
        self._warm_up = (
            self._after(warm_up, seconds, motion, look, is_due) if self.warms_up else None
        )
        return self._past.field

    def _after(
        self,
        past: Memory | None,
        seconds: float,
        motion: Motion | None,
        look: Callable[[], Field],
        is_due: bool,
    ) -> Memory:
        looks = is_due or past is None or motion is None or self._part.is_lost(past, motion)
        return follow(past, Now(seconds, motion, look() if looks else None), self._part.how)


class Now(NamedTuple):
    """A frame to be steadied."""

    seconds: float
    motion: Motion | None
    """None for the first frame."""
    computed: Field | None
    """The field that the generator makes of it; None where it is carried from the frame before."""


def follow(before: Memory | None, now: Now, how: Steadying) -> Memory:
    """Return the state after a frame, its steadied field among it, from that of the frame before; None after a cut."""
    if before is None or now.motion is None:
        assert now.computed is not None, "what has no past is computed"
        return Memory(now.computed, np.ones(now.computed.shape[1:], np.float32), now.seconds)
    trust, mixed = before.trust * now.motion.trust, np.empty_like(before.field)
    if now.computed is None:
        _mix(before.field, before.field, now.motion.flow, np.ones_like(trust), mixed)
        return replace(before, field=mixed, trust=trust)
    # a plain mean of the first fields, before it becomes exponential: the first one is as uncertain as any other
    past = how.amount ** ((now.seconds - before.computed_seconds) * _RATE)
    share = min(past, before.count / (before.count + 1)) if how.amount else 0.0
    _mix(before.field, now.computed, now.motion.flow, trust * np.float32(share), mixed)
    return Memory(mixed, np.ones_like(trust), now.seconds, before.count + 1)


def find_motion(before: Byte, now: Byte) -> Motion:
    """How the picture moved from `before` to `now`, both (h, w)."""
    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    below, right = (max(_LEAST_PX - side, 0) for side in now.shape)
    old, new = (np.pad(x, ((0, below), (0, right)), mode="edge") for x in (before, now))
    back, forth = (np.asarray(finder.calc(a, b, None)) for a, b in ((new, old), (old, new)))
    back, forth = (np.ascontiguousarray(f[: now.shape[0], : now.shape[1]]) for f in (back, forth))
    trust = np.empty(now.shape, np.float32)
    _judge(back, forth, before, now, 1 / _AGREE_CELLS, 1 / _ALIKE, trust)
    side = 2 * _TRUST_RADIUS_CELLS + 1
    return Motion(back, np.asarray(cv2.blur(trust, (side, side)), np.float32))


@kernel(parallel=True)
def _judge(
    back: Float32,
    forth: Float32,
    old: Byte,
    new: Byte,
    per_px: float,
    per_code: float,
    trust: Float32,
) -> None:
    """exp(−miss² − difference²), both in units of what is tolerated; nothing for what comes from outside the frame."""
    height, width = new.shape
    for y in prange(height):
        for x in range(width):
            at_x, at_y = x + back[y, x, 0], y + back[y, x, 1]
            if (
                at_x < 0
                or at_y < 0
                or at_x > width - 1
                or at_y > height - 1
                or min(height, width) < 2
            ):
                trust[y, x] = 0
                continue
            left, upper = min(int(at_x), width - 2), min(int(at_y), height - 2)
            part_x, part_y = at_x - left, at_y - upper
            miss_x, miss_y, luma = back[y, x, 0], back[y, x, 1], np.float32(0)
            for j in range(2):
                for i in range(2):
                    share = abs(1 - i - part_x) * abs(1 - j - part_y)
                    miss_x += share * forth[upper + j, left + i, 0]
                    miss_y += share * forth[upper + j, left + i, 1]
                    luma += share * old[upper + j, left + i]
            differs = (luma - new[y, x]) * per_code
            miss = (miss_x * miss_x + miss_y * miss_y) * per_px * per_px
            trust[y, x] = np.exp(-miss - differs * differs)


@kernel(parallel=True)
def _mix(past: Field, new: Field, flow: Float32, share: Float32, mixed: Field) -> None:
    """new + share · (past, where the picture was, − new); all at cells."""
    channels, height, width = new.shape
    for y in prange(height):
        for x in range(width):
            at_x = min(max(x + flow[y, x, 0], 0.0), width - 1.0)
            at_y = min(max(y + flow[y, x, 1], 0.0), height - 1.0)
            left, upper = int(at_x), int(at_y)
            right, lower = min(left + 1, width - 1), min(upper + 1, height - 1)
            part_x, part_y = np.float32(at_x - left), np.float32(at_y - upper)
            for c in range(channels):
                above = (
                    past[c, upper, left] + (past[c, upper, right] - past[c, upper, left]) * part_x
                )
                below = (
                    past[c, lower, left] + (past[c, lower, right] - past[c, lower, left]) * part_x
                )
                old = above + (below - above) * part_y
                mixed[c, y, x] = new[c, y, x] + share[y, x] * (old - new[c, y, x])
