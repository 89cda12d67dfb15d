"""Kernels as numba compiles them: its threading layer, its processor and where what is compiled is kept.

Kernels are compiled for one kind of processor, x86-64-v3, wherever the machine has all of it: so a farm of several
generations renders the same bits, and kernels that were compiled when nightfx was packed (`tools/pack_kernels.py`) run as
they are, on a machine that never compiled one and where no cache can be written.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import numba
from llvmlite import binding
from numba.core import event
from numba.core.caching import (
    CompileResultCacheImpl,
    FunctionCache,
    NullCache,
    UserWideCacheLocator,
)

from nightfx.pace import work_clock
from nightfx.picture.compiled import waiting

_PACKAGE = Path(__file__).parents[1]
READY = Path(os.environ.get("NIGHTFX_KERNELS") or _PACKAGE / "kernels_bundled")
"""The kernels that came compiled with nightfx, or that a farm shares, by the folder of the package they are of."""
_LEVEL, _NEEDS = "x86-64-v3", ("avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe")
numba.config.THREADING_LAYER = "workqueue"
if all(binding.get_host_cpu_features().get(feature) for feature in _NEEDS):
    numba.config.CPU_NAME, numba.config.CPU_FEATURES = _LEVEL, ""


def jit(function: Callable[..., Any], *, parallel: bool) -> Any:
    """Return numba's dispatcher of a function, which compiles at its first call what no cache has."""
    # nogil: decoding and encoding go on beside it; no fastmath: renders are equal bit for bit
    compiled = numba.njit(parallel=parallel, nogil=True, error_model="numpy")(function)
    compiled._cache = _Cache(function)  # noqa: SLF001  # as numba's own enable_caching() does
    return compiled


class _ReadyLocator(UserWideCacheLocator):  # type: ignore[misc]  # numba has no types
    """Says where the kernels of a file are that came with nightfx."""

    def __init__(self, py_func: Callable[..., Any], py_file: str) -> None:
        self._py_file, self._lineno = py_file, py_func.__code__.co_firstlineno
        self._cache_path = str(READY / Path(py_file).parent.relative_to(_PACKAGE))

    def ensure_cache_path(self) -> None:
        """Nothing is written there."""


class _ReadyImpl(CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (_ReadyLocator,)


class _Ready(FunctionCache):  # type: ignore[misc]
    _impl_class = _ReadyImpl


class _Cache(NullCache):  # type: ignore[misc]
    """Looks among the kernels that came with nightfx, then among those that this machine compiled before, and keeps new ones there."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._ready = _Ready(function) if READY.is_dir() else NullCache()
        try:
            self._own = FunctionCache(function)
        except RuntimeError:  # "no locator available": neither the package nor the home is writable
            self._own = NullCache()

    @property
    def cache_path(self) -> str | None:
        """Where this machine keeps its own."""
        return cast("str | None", self._own.cache_path)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return what is compiled for a signature, or None."""
        found = self._ready.load_overload(sig, target_context)
        return found or self._own.load_overload(sig, target_context)

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled here."""
        self._own.save_overload(sig, data)


class _Compiling(event.Listener):  # type: ignore[misc]  # numba has no types
    def __init__(self) -> None:
        self._begun: list[float] = []

    def on_start(self, event: object) -> None:
        """Hear that a kernel was in no cache."""
        self._begun.append(time.monotonic())
        with suppress(IndexError):
            waiting.pop()()

    def on_end(self, event: object) -> None:
        """Hear that it is compiled, as are those that it calls, one within the other."""
        seconds = time.monotonic() - self._begun.pop()
        if not self._begun:
            work_clock.leave_out(seconds)


event.register("numba:compile", _Compiling())
