"""Show how one piece of work goes: bars on a terminal, plain lines elsewhere, or lines of JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import typer

from nightfx.pace import Course, Pace

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress, TaskID

PLAIN_SECONDS = 5.0  # between two lines of progress where the output is no terminal
JSON_SECONDS = 1.0


class Display(Protocol):
    """Told of what is done of a piece of work, and of the stages before and after."""

    def __call__(self, done: int, total: int | None) -> None:
        """Tell how many items are done, and how many are expected."""

    def stage(self, name: str, done: int, total: int | None) -> None:
        """Begin a stage by its name, or tell how far it is."""


def clock_time(seconds: float) -> str:
    """Return `0:07`, or `1:02:03`."""
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


@contextmanager
def display(
    label: str, unit: str, *, as_json: bool, above: Callable[[], RenderableType] | None = None
) -> Generator[Display]:
    """Show a piece of work while it goes on; on a terminal `above` draws what stands over its bars."""
    if as_json:
        yield _JsonLines(label, unit)
    elif sys.stderr.isatty():
        with _bars(above) as bars:
            shown = _Bars(label, unit, bars)
            yield shown
            shown.drop_empty()
    else:
        yield _Lines(label, unit)


@contextmanager
def _bars(above: Callable[[], RenderableType] | None) -> Generator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    what = TextColumn("{task.description}", markup=False)
    facts = TextColumn("{task.fields[facts]}", markup=False)
    columns = (SpinnerColumn(finished_text=" "), what, BarColumn(), facts)

    class Under(Progress):
        def get_renderables(self) -> Iterator[RenderableType]:
            if above:
                yield above()
            yield from super().get_renderables()

    with Under(*columns, console=Console(stderr=True)) as bars:
        yield bars


class _Bars:
    """A bar for the items, and one for each stage; a stage of unknown length goes when the next begins."""

    def __init__(self, label: str, unit: str, bars: Progress) -> None:
        self._label, self._unit, self._bars = label, unit, bars
        self._name, self._pace, self._course = "", Pace(), Course(unit)
        self._task: TaskID | None = None

    def __call__(self, done: int, total: int | None) -> None:
        self._course(done, total)
        self._show()

    def stage(self, name: str, done: int, total: int | None) -> None:
        if self._course.stage(name, done, total):
            self._show()

    def _show(self) -> None:
        name, done, total = self._course.name, self._course.done, self._course.total
        if name != self._name:
            self._end()
            words = self._label if name == self._unit else f"{self._label}: {name}"
            self._task = self._bars.add_task(words, total=None, facts="")
            self._name, self._pace = name, self._course.pace
        assert self._task is not None, "the first call begins one"
        facts = _told(done, total, self._pace, self._unit) if done or total else ""
        self._bars.update(self._task, completed=done, total=total, facts=facts)

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
        self._label, self._unit, self._course = label, unit, Course(unit)
        self._name, self._last = "", time.monotonic()

    def __call__(self, done: int, total: int | None) -> None:
        self._course(done, total)
        self._name = self._unit
        facts = _told(done, self._course.total, self._course.pace, self._unit)
        if self._is_due() or done == total:
            self._say(facts)

    def stage(self, name: str, done: int, total: int | None) -> None:
        if not self._course.stage(name, done, total):
            return
        name, done, total = self._course.name, self._course.done, self._course.total
        if name != self._name:
            self._name, self._last = name, time.monotonic()
            self._say(name)
        elif self._is_due():
            self._say(f"{name} {done}{f'/{total}' if total else ''}" if done else name)

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
