"""Compile array loops with numba: the one place that chooses its threading layer.

The work-queue layer needs nothing installed, but aborts the process when two threads are in
parallel kernels at once. A lock makes them take turns, for programs that render in several threads.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

_TURN = threading.Lock()
# folders of compiled kernels, and whether an earlier process lit a frame by them as their source is now
_CACHES: dict[Path, bool] = {}
_LIT = threading.Event()  # a frame, by this process
_MARK = f"lit.{sys.implementation.cache_tag}"  # of a frame that was lit: planning compiles too, but a few kernels only
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
        compiled = numba.njit(cache=True, **options)(function)
        folder = Path(compiled.stats.cache_path)
        was_lit = _is_newer(folder / _MARK, Path(function.__code__.co_filename))
        _CACHES[folder] = _CACHES.get(folder, True) and was_lit
        return compiled
    except RuntimeError:  # "no locator available": neither the package nor the home is writable
        return numba.njit(**options)(function)


def is_cached() -> bool:
    """Whether a whole frame was lit on this machine, by an earlier process or by this one: what was compiled to read or to plan does not count."""
    return _LIT.is_set() or (bool(_CACHES) and all(_CACHES.values()))


def note_lit() -> None:
    """Note that a frame was lit: what that takes is compiled."""
    if not _LIT.is_set():
        _LIT.set()
        for folder in _CACHES:
            with suppress(OSError):  # full, or not ours: then each process is the first
                (folder / _MARK).touch()


def _is_newer(mark: Path, source: Path) -> bool:
    try:
        return mark.stat().st_mtime >= source.stat().st_mtime
    except OSError:
        return False
