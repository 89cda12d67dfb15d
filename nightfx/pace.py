"""How far a piece of work is, how fast it goes, and how long the rest will take: for bars, tables and workers alike."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

LEAST_ITEMS = 10  # before them nobody says how long the rest will take
_WINDOW_SECONDS = 60.0  # of the past that speak for the future
_SAMPLE_SECONDS = 0.25
# of an encoder that has the machine for itself, beside the whole, where nothing is known
_FLUSH_SPEED = 5.0
_FILLING = 1.1  # times as long a frame takes once an encoder works on those that it took in
_MOST_SPEED = 10.0


class WorkClock:
    """Seconds of work: it stands still while something is prepared that is needed once."""

    def __init__(self) -> None:
        self._still = 0.0

    def __call__(self) -> float:
        """Return the seconds, from some moment on."""
        return time.monotonic() - self._still

    def leave_out(self, seconds: float) -> None:
        """Leave out what was no work of the kind that goes on."""
        self._still += seconds


work_clock = WorkClock()
"""Of this process."""


class Course:
    """How far a piece of work is: its items, and the stages before and after them, each at its own pace.

    An encoder works beside the items, some behind; once all have come, what it still holds is what is finished.
    """

    def __init__(self, unit: str, new_pace: Callable[[], Pace] | None = None) -> None:
        self.unit, self._new_pace = unit, new_pace or Pace
        self.name = ""
        """The stage; that of the items themselves has their name, `unit`."""
        self.done, self.pace = 0, self._new_pace()
        self.total: int | None = None
        self._items = 0
        self._encoded: int | None = None

    def __call__(self, done: int, total: int | None) -> None:
        """Note how many items are done, and how many are expected."""
        self._items = done
        self._go_on(self.unit, done, total)
        self.pace.encoded = self._encoded

    def stage(self, name: str, done: int, total: int | None) -> bool:
        """Note a stage, or how far it is; returns whether there is anything to show of it."""
        if name == "encoding":
            self._encoded = done
            if self.name != "finishing":
                return False
            name, total = self.name, self._items
        self._go_on(name, done, total)
        return True

    def seconds_left(self) -> float | None:
        """Return how long the rest of this stage will take; None where that is not known."""
        return self.pace.seconds_left(self.done, self.total)

    def _go_on(self, name: str, done: int, total: int | None) -> None:
        if name != self.name:
            self.name, self.pace = name, self._new_pace()
        self.done, self.total = done, max(total, done) if total else None


class Pace:
    """How fast items are done of late, measured from the first one on: what comes before it takes a time of its own."""

    def __init__(
        self,
        clock: Callable[[], float] = work_clock,
        work: Callable[[], float] = time.process_time,
    ) -> None:
        self._clock, self._work = clock, work
        self._settled: tuple[int, float] | None = None
        """Items and work when the first ones were done, which have work of their own."""
        self._filled: tuple[int, float] | None = None
        """Items and work when an encoder had all that it takes in."""
        self._filling_rate = 0.0
        """Items a second until then."""
        self._past: deque[tuple[float, int]] = deque()
        self._start = 0
        """Items that were done when the first pace was asked for."""
        self._is_new = True
        self._is_filling = True
        self.encoded: int | None = None
        """Of the items that are done, those that an encoder does not hold any more; None where there is none."""

    def rate(self, done: int) -> float:
        """Items a second, when so many are `done`; 0 where that is not known yet."""
        now = self._clock()
        if self.encoded and self._is_filling:  # from here on its work counts
            self._is_filling, self._filled = False, (done, self._work())
            self._filling_rate = self._mean_rate(now, done)
            self._past.clear()
        if self._is_new:
            self._is_new, self._start = False, done
        if self._settled is None and done - self._start >= LEAST_ITEMS:
            self._settled = done, self._work()
        if not self._past or now - self._past[-1][0] >= _SAMPLE_SECONDS:
            self._past.append((now, done))
        while len(self._past) > 2 and now - self._past[1][0] >= _WINDOW_SECONDS:
            self._past.popleft()
        return self._mean_rate(now, done)

    def _mean_rate(self, now: float, done: int) -> float:
        began, before = self._past[0] if self._past else (now, done)
        return (done - before) / (now - began) if now - began >= _SAMPLE_SECONDS else 0.0

    def seconds_left(self, done: int, total: int | None) -> float | None:
        """Return how long the rest will take; None before there are ten items to judge by.

        An encoder takes its first few dozen frames in before it works on them: those that follow take somewhat longer, and
        nobody knows how much until some have come.
        """
        rate = self.rate(done)
        if self.encoded is not None and self._is_filling:
            rate /= _FILLING
        elif self._filling_rate and self._filled and done - self._filled[0] < LEAST_ITEMS:
            rate = self._filling_rate / _FILLING
        is_early = done - self._start < LEAST_ITEMS
        if total is None or is_early or rate <= 0:
            return None
        held = 0 if self.encoded is None else max(done - self.encoded, 0)
        return (max(total - done, 0) + held / self._flush_speed(done)) / rate

    def _flush_speed(self, done: int) -> float:
        """Return how much faster than the whole an encoder is with what it holds at the end, when nothing else works.

        Its own work is what an item takes more of processor time than while it only took them in.
        """
        if not (self._settled and self._filled and self._settled[0] < self._filled[0] < done):
            return _FLUSH_SPEED
        light = _work_each(self._settled, self._filled)
        whole = _work_each(self._filled, (done, self._work()))
        return whole / max(whole - light, whole / _MOST_SPEED) if whole else _FLUSH_SPEED


def _work_each(start: tuple[int, float], end: tuple[int, float]) -> float:
    return (end[1] - start[1]) / (end[0] - start[0])
