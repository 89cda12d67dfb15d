"""Where the segments of a shot begin, and from where on its steadying must have run before them.

A segment begins at a cut, where one lies near, else after `most` pictures. The rule looks at nothing but the pictures since
the segment's own beginning, so that every process that starts there finds the same borders.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

LEAST_FRAMES, MOST_FRAMES = 240, 300  # ten seconds: what a killed render loses at most
LEAST_FILES, MOST_FILES = 48, 60  # of a sequence, whose every file is kept: what is looked at anew
FEW_FILES = 8  # not worth a folder of their own
PHASE = 4  # --field-every is 1, 2 or 4: fields are computed at its multiples
_LEFT = 1 / 256  # of the light before a warm-up that may be left in a steadied field
MOST_WARM_UP = 120  # pictures


@dataclass(frozen=True)
class Lengths:
    """How long segments are; in pictures, which are frames, or fields where those are lit one by one."""

    least: int = LEAST_FRAMES
    """From here on a segment ends at a cut."""
    most: int = MOST_FRAMES
    """Here it ends in any case, but at a multiple of 4 of the shot."""
    warm_up: int = 0
    """For so many pictures before it steadying runs, unless it meets a cut."""
    per_frame: int = 1
    """Pictures in a frame: 2 where they are fields."""

    def end_of(self, start: int) -> int:
        """Where a segment that begins at `start` ends if there is no cut."""
        return max((start + self.most) // PHASE * PHASE, start + PHASE)

    def warm_up_of(self, start: int) -> int:
        """The picture at which steadying begins for a segment that begins at `start`."""
        return max((start - self.warm_up) // PHASE * PHASE, 0) if self.warm_up else start


def warm_up_of(steady: float, rate: float) -> int:
    """Pictures until all but a 256th of the light before them is forgotten: `steady` is the share kept at 24 a second."""
    if steady <= 0:
        return 0
    pictures = math.log(_LEFT) / math.log(steady) * rate / 24
    return min(math.ceil(pictures / PHASE) * PHASE, MOST_WARM_UP)


class Borders:
    """The borders of a shot, as its pictures go by from `begun_at` on; those before `first` are a warm-up.

    Of the first segment, `skip` pictures are there already: they are seen, and not lit. Without `lengths` there are none; where they are `known` they are not looked for.
    """

    def __init__(
        self,
        lengths: Lengths | None = None,
        first: int = 0,
        known: Collection[int] | None = None,
        skip: int = 0,
    ) -> None:
        self._lengths = lengths or Lengths()
        self._known = known if lengths else ()
        self.first, self.shown_from = first, first + skip
        self.begun_at = self._lengths.warm_up_of(first) if lengths else 0
        self.starts = {first}
        self._begin(first)

    def watches(self, index: int) -> bool:
        """Whether a cut at this picture would be a border."""
        return self._known is None and self._window[0] <= index < self._window[1]

    def begins(self, index: int, *, is_cut: bool) -> bool:
        """Whether a segment begins at this picture; to be asked once for each, in order."""
        if index <= self.first:
            return False
        if self._known is not None:
            begins = index in self._known
        else:
            whole = index % self._lengths.per_frame == 0
            begins = index == self._window[1] or (is_cut and whole and self.watches(index))
        if begins:
            self.starts.add(index)
            self._begin(index)
        return begins

    def warms_up(self, index: int) -> bool:
        """Whether the steadying of the segment to come begins at this picture."""
        return index in self._run_ins

    def _begin(self, start: int) -> None:
        end = self._lengths.end_of(start)
        self._window = start + self._lengths.least, end
        ends = [end] if self._known is None else self._known
        # without a warm-up steadying begins with the segment itself
        self._run_ins = {self._lengths.warm_up_of(x) for x in ends if x > start} - set(ends)
