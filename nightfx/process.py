"""How a process that renders is set up, beside what it computes: what glibc keeps of free memory, and how threads wait.

Planes pass between threads and codecs, and each encoder comes and goes with pictures of its own. So all threads share one
heap, or there would be holes in each one's own. Where frames are lit by fields, what is smaller than an encoder's pictures
stays in it when freed (getting pages anew took a sixth of a render's processor time), larger blocks go back at once, and all
free pages where a segment ends. The maps of a network that sees the full size are larger, and would be dear to get anew.

Where cores are few, a thread that waits for others in a loop takes the time of those that job: of the decoder's, the
encoder's, or another worker's. So it gives up soon (tens of microseconds); at once would be slow where nobody else works.
"""

from __future__ import annotations

import ctypes
import os
import sys

from nightfx.network.threads import look_at_cores, use_spare_cores
from nightfx.source import cores

_FEW_CORES = 4
_WAITING = {"GOMP_SPINCOUNT": "20000"}  # of the OpenMP that comes with torch
LARGE_BYTES, SPARE_BYTES = 4 << 20, 16 << 20
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of glibc's malloc.h


def set_up() -> None:
    """Set this process up, of a program of our own: before its threads begin, and before torch is imported."""
    wait_briefly()
    _call("mallopt", M_ARENA_MAX, 1)


def wait_briefly() -> None:
    """Let threads that wait for others give up soon where cores are few: for all that computes, before torch is imported."""
    if cores() <= _FEW_CORES:
        for name, value in _WAITING.items():
            os.environ.setdefault(name, value)


def set_up_training() -> None:
    """Set this process up to train, of a program of our own: before torch is imported, which this does."""
    began = look_at_cores()
    wait_briefly()
    use_spare_cores(began, cores())


def return_large_blocks() -> None:
    """Give large blocks back at once, from now on: for the relight method."""
    _call("mallopt", M_MMAP_THRESHOLD, LARGE_BYTES)
    _call("mallopt", M_TRIM_THRESHOLD, SPARE_BYTES)


def worker_variables() -> dict[str, str]:
    """The environment of one of several processes that fill a machine."""
    return _WAITING | {"MALLOC_ARENA_MAX": "1"}


def trim_heap() -> None:
    """Give the system all pages in which nothing is left."""
    _call("malloc_trim", 0)


def _call(name: str, *arguments: int) -> None:
    """Call a function of glibc; elsewhere nothing is done."""
    function = getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
    if function:
        function(*arguments)
