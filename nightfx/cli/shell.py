"""Between the library and a shell: exit codes, one-line errors, warnings, progress."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import signal
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, ParamSpec

import typer

from nightfx.cli.display import Display, display
from nightfx.errors import DONE, FAILED, INTERRUPTED, TERMINATED, NightfxError

if TYPE_CHECKING:
    from rich.console import RenderableType

P = ParamSpec("P")


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
    """Turn signals into exceptions, once, and what the library tells into lines on stderr."""
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    logger = logging.getLogger("nightfx")
    logger.addHandler(_Lines())
    logger.setLevel(logging.INFO)


def _end(number: int, frame: FrameType | None) -> None:
    # a second signal would break into the tidying up, and end in a core dump
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt if number == signal.SIGINT else Terminated


def printable(text: str) -> str:
    """Text from elsewhere, such as a file's name, without what would steer a terminal or cannot be encoded."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


class _Lines(logging.Handler):
    """`warning: message`, or news as they are, above the bars where there are any: they take the place of stderr while they are shown."""

    def emit(self, record: logging.LogRecord) -> None:
        # typer writes past what bars put in the place of stderr
        words = printable(record.getMessage())
        line = words if record.levelno == logging.INFO else f"{record.levelname.lower()}: {words}"
        print(line, file=sys.stderr, flush=True)


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
        except (typer.Exit, typer.BadParameter, BrokenPipeError):
            raise  # of a pipe that nobody reads any more typer makes a quiet end
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


def has_bars() -> bool:
    """Whether progress is shown as bars, which lines would push up."""
    return sys.stderr.isatty() and not settings.json


@contextlib.contextmanager
def progress(
    label: str, unit: str = "frames", above: Callable[[], RenderableType] | None = None
) -> Generator[Display]:
    """Show how work goes: what is given is told of items done and expected, and its `stage` of stages.

    `above` draws what stands over the bars of a terminal.
    """
    with display(printable(label), unit, as_json=settings.json, above=above) as shown:
        yield shown
