"""Show a batch while it runs: a live table on a terminal, plain lines elsewhere, or JSON lines."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import typer

from nightfx.cli import shell
from nightfx.cli.display import PLAIN_SECONDS, clock_time

if TYPE_CHECKING:
    from rich.table import Table

    from nightfx.batch.queue.task import Task

Watch = Callable[["Task[Any]"], None]
ROWS = 20  # the table's, at most: a terminal does not scroll back to more
STYLES = {"rendering": "cyan", "failed": "bold red", "done": "green", "elsewhere": "magenta"}


def watching(tasks: Sequence[Task[Any]], *, as_json: bool) -> AbstractContextManager[Watch]:
    """Show how tasks go, by calls of what is given."""
    if as_json:
        return _json()
    return _table(tasks) if sys.stderr.isatty() else _lines(tasks)


@contextmanager
def _json() -> Generator[Watch]:
    told: dict[int, tuple[str, int]] = {}

    def show(task: Task[Any]) -> None:
        if told.get(id(task)) == (task.state, task.frames):  # a stage, which is for people
            return
        told[id(task)] = task.state, task.frames
        line = {"shot": task.order.key, "state": task.state, "frames": task.frames}
        line |= {"total": task.total, "fps": round(task.rate, 3)}
        if task.state == "failed":
            line |= {"error": task.error, "code": task.code}
        if task.state == "done":
            facts = {k: v for k, v in task.facts.items() if k not in ("before", "after", "player")}
            line |= {"target": task.target, **facts, "warnings": task.facts.get("notes", [])}
        typer.echo(json.dumps(line))
        sys.stdout.flush()

    yield show


@contextmanager
def _lines(tasks: Sequence[Task[Any]]) -> Generator[Watch]:
    last = time.monotonic()
    told: dict[int, tuple[str, int]] = {}

    def show(task: Task[Any]) -> None:
        nonlocal last
        for note in task.notes[told.get(id(task), ("", 0))[1] :]:
            typer.echo(shell.printable(f"warning: {task.order.key}: {note}"), err=True)
        changed = told.get(id(task), ("", 0))[0] != _doing(task)
        told[id(task)] = _doing(task), len(task.notes)
        now = time.monotonic()
        if not changed and now - last < PLAIN_SECONDS:
            return
        last = now
        done = sum(not each.open for each in tasks)
        words = f"[{done}/{len(tasks)}] {task.order.key}: {_doing(task)}{_detail(task)}"
        typer.echo(shell.printable(words), err=True)

    yield show


def _detail(task: Task[Any]) -> str:
    if task.state == "failed":
        return f" ({task.error})"
    count = f"{task.frames}{f'/{task.total}' if task.total else ''}"
    words = f", {count} frames" if task.frames and not task.stage else ""
    words += f", {task.rate:.1f}/s" if task.rate else ""
    left = _left(task)
    return words + (f", {left} left" if left else "")


def _doing(task: Task[Any]) -> str:
    """The state of a task, by the stage that it is in where it has one."""
    return task.stage if task.state == "rendering" and task.stage else task.state


def _left(task: Task[Any]) -> str:
    return "" if task.seconds_left is None else clock_time(task.seconds_left)


@contextmanager
def _table(tasks: Sequence[Task[Any]]) -> Generator[Watch]:
    from rich.console import Console
    from rich.live import Live

    console, began = Console(stderr=True), time.monotonic()

    def draw() -> Table:
        return drawn_table(tasks, time.monotonic() - began)

    with Live(get_renderable=draw, console=console, refresh_per_second=4):
        yield lambda task: None  # it draws itself


def drawn_table(tasks: Sequence[Task[Any]], seconds: float = 0.0) -> Table:
    """Return the table of shots as it is shown while they are rendered, for `seconds` so far: in a long stage only they go on."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("shot", "state"):
        table.add_column(title, overflow="ellipsis")  # these make room: their cells do not wrap
    for title in ("frames", "fps", "left"):
        table.add_column(title, justify="right", no_wrap=True)
    shown = _shown(tasks)
    for task in shown:
        frames = f"{task.frames}/{task.total or '?'}" if task.frames else ""
        cells = [shell.printable(task.order.key), _doing(task), frames]
        cells += [f"{task.rate:.1f}" if task.rate else "", _left(task)]
        style = STYLES.get(task.state, "dim")
        styles = ("", *(style for _ in cells[1:]))
        table.add_row(*(Text(*each, no_wrap=True) for each in zip(cells, styles, strict=True)))
    ended = sum(not task.open for task in tasks)
    more = f", {len(tasks) - len(shown)} not shown" if len(shown) < len(tasks) else ""
    words = f"{ended} of {len(tasks)} done{more}, {clock_time(seconds)} so far"
    table.caption = Text(words, style="dim")
    table.caption_justify = "left"
    return table


def _shown(tasks: Sequence[Task[Any]]) -> list[Task[Any]]:
    """Return the tasks that are going on, those that failed, and as many others as there is room for, in their order."""
    rank = {"rendering": 0, "failed": 1, "elsewhere": 2, "waiting": 3, "done": 4, "skipped": 5}
    kept = {id(t) for t in sorted(tasks, key=lambda task: rank[task.state])[:ROWS]}
    return [task for task in tasks if id(task) in kept]
