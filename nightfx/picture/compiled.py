"""Compile array loops with numba at their first call: a command that calls none never waits for numba itself.

The work-queue layer of `nightfx.picture.jit` needs nothing installed, but aborts the process when two threads are in
parallel kernels at once. A lock makes them take turns, for programs that render in several threads.
"""

from __future__ import annotations

import functools
import threading
from collections import deque
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])

_TURN = threading.Lock()
_MAKING = threading.RLock()
waiting: deque[Callable[[], None]] = deque(maxlen=1)
"""Who is to be told that something is compiled."""
prange = range
"""A range whose turns a parallel kernel shares out over its threads; in a kernel, numba's."""


def kernel(*, parallel: bool = False) -> Callable[[F], F]:
    """Decorate a numba kernel; compiled code is cached on disk where a cache can be written."""

    def compile_lazily(function: F) -> F:
        return cast(F, _Kernel(function, parallel=parallel))

    return compile_lazily


class _Kernel:
    """A function that numba compiles when it is first called, from Python or from within another kernel."""

    def __init__(self, function: Callable[..., Any], *, parallel: bool) -> None:
        functools.update_wrapper(self, function)
        self._function, self._parallel = function, parallel
        self._compiled: Any = None

    def __call__(self, *args: Any) -> Any:
        """Run it."""
        compiled = self._compiled or self.compile()
        if not self._parallel:
            return compiled(*args)
        with _TURN:
            return compiled(*args)

    def compile(self) -> Any:
        """Return what numba calls, which knows its own for the kernels and ranges that the function names."""
        from nightfx.picture.jit import jit  # half a second, which a refusal does without

        with _MAKING:
            self._compiled = self._compiled or jit(
                _seen_by_numba(self._function), parallel=self._parallel
            )
        return self._compiled


def _seen_by_numba(function: Any) -> Any:
    import numba  # as above

    own = {"prange": numba.prange}
    for name in _names(function.__code__):
        if isinstance(named := function.__globals__.get(name), _Kernel):
            own[name] = named.compile()
    copy = FunctionType(
        function.__code__, function.__globals__ | own, function.__name__, function.__defaults__
    )
    return functools.update_wrapper(copy, function)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)


def watch_compiling(told: Callable[[], None]) -> None:
    """Call `told`, once and from whichever thread it is, when something must be compiled: what no process needed before on this machine."""
    waiting.append(told)


def end_watch() -> None:
    """Call nobody from now on: what is compiled yet takes no time that anybody would see."""
    waiting.clear()
