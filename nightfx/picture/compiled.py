"""Compile array loops with numba: the one place that chooses its threading layer.

The work-queue layer needs nothing installed, but aborts the process when two threads are in
parallel kernels at once. A lock makes them take turns, for programs that render in several threads.
"""

from __future__ import annotations

import functools
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar, cast

import numba
from numba.core import event

from nightfx.pace import work_clock

F = TypeVar("F", bound=Callable[..., Any])

_TURN = threading.Lock()
_WAITING: deque[Callable[[], None]] = deque(maxlen=1)  # who is to be told
numba.config.THREADING_LAYER = "workqueue"


def kernel(*, parallel: bool = False) -> Callable[[F], F]:
    """Decorate a numba kernel; compiled code is cached on disk where a cache can be written."""

    def compile_lazily(function: F) -> F:
        return cast(F, _jit(function, parallel=parallel))

    return compile_lazily


def _jit(function: Callable[..., Any], *, parallel: bool) -> Any:
    compiled = _compile(function, parallel=parallel)
    if not parallel:
        return compiled  # called from inside other kernels: must stay numba's own

    @functools.wraps(function)
    def take_turns(*args: Any) -> Any:
        with _TURN:
            return compiled(*args)

    return take_turns


def _compile(function: Callable[..., Any], *, parallel: bool) -> Any:
    # nogil: decoding and encoding go on beside it; no fastmath: renders are equal bit for bit
    options = {"parallel": parallel, "nogil": True, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # "no locator available": neither the package nor the home is writable
        return numba.njit(**options)(function)


def watch_compiling(told: Callable[[], None]) -> None:
    """Call `told`, once and from whichever thread it is, when something must be compiled: what no process needed before on this machine."""
    _WAITING.append(told)


def end_watch() -> None:
    """Call nobody from now on: what is compiled yet takes no time that anybody would see."""
    _WAITING.clear()


class _Compiling(event.Listener):  # type: ignore[misc]  # numba has no types
    def __init__(self) -> None:
        self._begun: list[float] = []

    def on_start(self, event: object) -> None:
        """Hear that a kernel was in no cache."""
        self._begun.append(time.monotonic())
        with suppress(IndexError):
            _WAITING.pop()()

    def on_end(self, event: object) -> None:
        """Hear that it is compiled, as are those that it calls, one within the other."""
        seconds = time.monotonic() - self._begun.pop()
        if not self._begun:
            work_clock.leave_out(seconds)


event.register("numba:compile", _Compiling())
