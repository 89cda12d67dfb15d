"""A run that is asked to stop ends between two steps, when it is saved."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from types import FrameType

import typer

from nightfx.cli import shell

_AGAIN_SECONDS = (
    1.0  # a launcher passes on the signal that a terminal sent to all: the same one twice
)


@contextlib.contextmanager
def whole_steps() -> Iterator[Callable[[], None]]:
    """Hold Ctrl-C and SIGTERM until what is yielded is called, between two steps; another one stops at once."""
    asked: list[tuple[int, float]] = []

    def ask(number: int, frame: FrameType | None) -> None:
        if not asked:
            asked.append((number, time.monotonic()))
            typer.echo(
                "stopping when this step is made and saved; once more stops at once", err=True
            )
        elif time.monotonic() - asked[0][1] > _AGAIN_SECONDS:
            _end(number)

    def stop() -> None:
        if asked:
            _end(asked[0][0])

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    except RuntimeError:
        stop()  # the first of several processes has saved the run and left
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int) -> None:
    """Raise what a signal means to a command, and hear no other: one could break into the saving."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt if number == signal.SIGINT else shell.Terminated
