"""Show how one piece of work goes: bars on a terminal, plain lines elsewhere, or lines of JSON."""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import typer

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PLAIN_SECONDS = 5.0  # between two lines of progress where the output is no terminal
JSON_SECONDS = 1.0
LEAST_ITEMS = 10  # before them nobody says how long the rest will take
_WINDOW_SECONDS = 60.0  # of the past that speak for the future
_SAMPLE_SECONDS = 0.25
_FLUSH_SPEED = (
    2.0  # of an encoder that has the machine for itself, beside the whole, where nothing is known
)
_MOST_SPEED = 10.0


class Display(Protocol):
    """Told of what is done of a piece of work, and of the stages before and after."""

    def __call__(self, done: int, total: int | None) -> None:
        """Tell how many items are done, and how many are expected."""

    def stage(self, name: str, done: int, total: int | None) -> None:
        """Begin a stage by its name, or tell how far it is."""


class Pace:
    """How fast items are done of late, measured from the first one on: what comes before it takes a time of its own."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        work: Callable[[], float] = time.process_time,
    ) -> None:
        self._clock, self._work = clock, work
        self._settled: tuple[int, float] | None = None
        """Items and work when the first ones were done, which have work of their own."""
        self._filled: tuple[int, float] | None = None
        """Items and work when an encoder had all that it takes in."""
        self._past: deque[tuple[float, int]] = deque()
        self._first = 0
        self._is_filling = True
        self.encoded: int | None = None
        """Of the items that are done, those that an encoder does not hold any more; None where there is none."""

    def rate(self, done: int) -> float:
        """Items a second, when so many are `done`; 0 where that is not known yet."""
        now = self._clock()
        if self.encoded and self._is_filling:  # from here on its work counts
            self._is_filling, self._filled = False, (done, self._work())
            self._past.clear()
        if not self._past:
            self._first = done
        if self._settled is None and done - self._first >= LEAST_ITEMS:
            self._settled = done, self._work()
        if not self._past or now - self._past[-1][0] >= _SAMPLE_SECONDS:
            self._past.append((now, done))
        while len(self._past) > 2 and now - self._past[1][0] >= _WINDOW_SECONDS:
            self._past.popleft()
        began, before = self._past[0]
        return (done - before) / (now - began) if now - began >= _SAMPLE_SECONDS else 0.0

    def seconds_left(self, done: int, total: int | None) -> float | None:
        """Return how long the rest will take; None before there are ten items to judge by.

        An encoder takes its first few dozen frames in before it works on them: they say nothing of the rest.
        """
        rate = self.rate(done)
        is_early = done - self._first < LEAST_ITEMS or self.encoded == 0
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


def clock_time(seconds: float) -> str:
    """Return `0:07`, or `1:02:03`."""
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


@contextmanager
def display(label: str, unit: str, *, as_json: bool) -> Generator[Display]:
    """Show a piece of work while it goes on."""
    if as_json:
        yield _JsonLines(label, unit)
    elif sys.stderr.isatty():
        with _bars() as bars:
            shown = _Bars(label, unit, bars)
            yield shown
            shown.drop_empty()
    else:
        yield _Lines(label, unit)


@contextmanager
def _bars() -> Generator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    what = TextColumn("{task.description}", markup=False)
    facts = TextColumn("{task.fields[facts]}", markup=False)
    with Progress(
        SpinnerColumn(finished_text=" "), what, BarColumn(), facts, console=Console(stderr=True)
    ) as bars:
        yield bars


class _Bars:
    """A bar for the items, and one for each stage; a stage of unknown length goes when the next begins."""

    def __init__(self, label: str, unit: str, bars: Progress) -> None:
        self._label, self._unit, self._bars = label, unit, bars
        self._name, self._pace = "", Pace()
        self._task: TaskID | None = None
        self._done = 0
        self._encoded: int | None = None

    def __call__(self, done: int, total: int | None) -> None:
        self._done, self._pace.encoded = done, self._encoded
        self._show(self._unit, done, total)

    def stage(self, name: str, done: int, total: int | None) -> None:
        if name != "encoding":
            self._show(name, done, total)
            return
        self._encoded = done
        if self._name == "finishing":
            self._show(self._name, done, self._done)

    def _show(self, name: str, done: int, total: int | None) -> None:
        if name != self._name:
            self._end()
            words = self._label if name == self._unit else f"{self._label}: {name}"
            self._task = self._bars.add_task(words, total=None, facts="")
            self._name, self._pace = name, Pace()
        assert self._task is not None, "the first call begins one"
        most = max(total, done) if total else None
        facts = _told(done, most, self._pace, self._unit) if done or most else ""
        self._bars.update(self._task, completed=done, total=most, facts=facts)

    def drop_empty(self) -> None:
        """Take the bar away of a stage that counted nothing: it has nothing to show when it is over."""
        if any(each.id == self._task and not each.completed for each in self._bars.tasks):
            assert self._task is not None
            self._bars.remove_task(self._task)
            self._task = None

    def _end(self) -> None:
        if self._task is None:
            return
        (task,) = (each for each in self._bars.tasks if each.id == self._task)
        if not task.completed:
            self.drop_empty()
            return
        done = int(task.completed)  # as many as came, whatever a header claimed
        self._bars.update(self._task, total=done, facts=_told(done, done, self._pace, self._unit))


class _Lines:
    """A line for each stage, and one every few seconds."""

    def __init__(self, label: str, unit: str) -> None:
        self._label, self._unit = label, unit
        self._name, self._pace, self._last = "", Pace(), time.monotonic()
        self._encoded: int | None = None

    def __call__(self, done: int, total: int | None) -> None:
        if self._name != self._unit:
            self._name, self._pace = self._unit, Pace()
        self._pace.encoded = self._encoded
        facts = _told(done, max(total, done) if total else None, self._pace, self._unit)
        if self._is_due() or done == total:
            self._say(facts)

    def stage(self, name: str, done: int, total: int | None) -> None:
        if name == "encoding":
            self._encoded = done
        elif name != self._name:
            self._name, self._last = name, time.monotonic()
            self._say(name)
        elif self._is_due():
            self._say(f"{name} {done}{f'/{total}' if total else ''}")

    def _is_due(self) -> bool:
        now = time.monotonic()
        if now - self._last < PLAIN_SECONDS:
            return False
        self._last = now
        return True

    def _say(self, words: str) -> None:
        typer.echo(f"{self._label}: {words}", err=True)


class _JsonLines:
    """A line of JSON every second, on standard output: of the items alone, as programs know it."""

    def __init__(self, label: str, unit: str) -> None:
        self._label, self._unit = label, unit
        self._pace, self._last = Pace(), 0.0

    def __call__(self, done: int, total: int | None) -> None:
        rate, now = self._pace.rate(done), time.monotonic()
        if now - self._last < JSON_SECONDS and done != total:
            return
        self._last = now
        facts = {self._unit: done, "total": total, "per_second": round(rate, 2)}
        typer.echo(json.dumps({"shot": self._label} | facts))

    def stage(self, name: str, done: int, total: int | None) -> None:
        """Stages are for people."""


def _told(done: int, total: int | None, pace: Pace, unit: str) -> str:
    """Return `12/84 frames, 3.1/s, 0:23 left`."""
    rate, left = pace.rate(done), pace.seconds_left(done, total)
    words = f"{done}{f'/{total}' if total else ''} {unit}"
    words += f", {rate:.1f}/s" if rate else ""
    return words + (f", {clock_time(left)} left" if left is not None and done != total else "")
