"""Between the library and a shell: exit codes, one-line errors, warnings, progress."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import signal
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from types import FrameType
from typing import Any, ParamSpec

import typer

from nightfx.errors import DONE, FAILED, INTERRUPTED, TERMINATED, NightfxError

P = ParamSpec("P")
PLAIN_SECONDS = 5.0  # between two lines of progress where the output is no terminal
JSON_SECONDS = 1.0


@dataclass
class ShellSettings:
    """The options that stand before the command."""

    debug: bool = False
    json: bool = False
    """Progress and results are lines of JSON on stdout."""


settings = ShellSettings()


class Terminated(BaseException):
    """The process was asked to end (SIGTERM); unwinds like Ctrl-C does."""


def listen() -> None:
    """Turn signals into exceptions, once, and the library's warnings into lines on stderr."""
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    logging.getLogger("nightfx").addHandler(handler)


def _end(number: int, frame: FrameType | None) -> None:
    # a second signal would break into the tidying up, and end in a core dump
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt if number == signal.SIGINT else Terminated


def printable(text: str) -> str:
    """Text from elsewhere, such as a file's name, without what would steer a terminal or cannot be encoded."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """`warning: message`."""
        return printable(f"{record.levelname.lower()}: {record.getMessage()}")


def guarded(command: Callable[P, int | None]) -> Callable[P, None]:
    """Wrap a command: its number becomes the exit code, a `NightfxError` one line on stderr."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        settings.json = False
        try:
            code = command(*args, **kwargs) or DONE
        except NightfxError as error:
            code = fail(error)
        except KeyboardInterrupt:
            code = _stop("interrupted", INTERRUPTED)
        except Terminated:
            code = _stop("terminated", TERMINATED)
        except (typer.Exit, typer.BadParameter):
            raise
        except Exception as error:  # noqa: BLE001 - the last line between a bug and a user's terminal
            code = _surprise(error)
        raise typer.Exit(code)

    return run


def fail(error: NightfxError) -> int:
    """Print `error` as one line on stderr and return its exit code."""
    if settings.debug:
        raise error
    typer.echo(printable(f"error: {error}"), err=True)
    return error.exit_code


def _surprise(error: Exception) -> int:
    if settings.debug:
        raise error
    words = f"error: {type(error).__name__}: {error} (nightfx --debug shows where)"
    typer.echo(printable(words), err=True)
    return FAILED


def _stop(word: str, code: int) -> int:
    typer.echo(f"{word}; nothing half-written is left", err=True)
    return code


def say(text: str, facts: dict[str, object]) -> None:
    """Print a result: a line of text, or of JSON."""
    typer.echo(json.dumps(facts) if settings.json else printable(text))


@contextlib.contextmanager
def progress(
    label: str, unit: str = "frames"
) -> Generator[Callable[[int, int | None], None], None, None]:
    """A bar with count, rate and time left on a terminal; a plain line every few seconds elsewhere, or one of JSON."""
    if settings.json:
        yield _json(label, unit)
        return
    label = printable(label)
    if not sys.stderr.isatty():
        yield _plain(label, unit)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    speed = TextColumn("{task.fields[rate]}")
    columns: tuple[Any, ...] = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TextColumn(unit), speed, TimeRemainingColumn(), console=Console(stderr=True)
    ) as bar:
        task = bar.add_task(label, total=None, rate="")
        rate_at = rate_meter()

        def show(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total, rate=f"{rate_at(done):.1f}/s")

        yield show


def _json(label: str, unit: str) -> Callable[[int, int | None], None]:
    last, rate_at = 0.0, rate_meter()

    def show(done: int, total: int | None) -> None:
        nonlocal last
        now, rate = time.monotonic(), rate_at(done)
        if now - last < JSON_SECONDS and done != total:
            return
        last = now
        facts = {"shot": label, unit: done, "total": total, "per_second": round(rate, 2)}
        typer.echo(json.dumps(facts))

    return show


def rate_meter(clock: Callable[[], float] = time.monotonic) -> Callable[[int], float]:
    """Start to measure speed: a function from how much is done to how much was done per second since then.

    What was done before the first call (a resumed run starts in the middle) took none of this time.
    """
    started, before = clock(), -1

    def rate_at(done: int) -> float:
        nonlocal before
        before = done - 1 if before < 0 else before
        return (done - before) / max(clock() - started, 1e-9)

    return rate_at


def _plain(label: str, unit: str) -> Callable[[int, int | None], None]:
    last, rate_at = time.monotonic(), rate_meter()

    def show(done: int, total: int | None) -> None:
        nonlocal last
        now, rate = time.monotonic(), rate_at(done)
        if now - last < PLAIN_SECONDS and done != total:
            return
        last = now
        left = f", {max(total - done, 0) / rate:.0f} s left" if total and total > done else ""
        typer.echo(
            f"{label}: {done}{f'/{total}' if total else ''} {unit}, {rate:.1f}/s{left}", err=True
        )

    return show
