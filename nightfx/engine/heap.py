"""What glibc keeps of memory that is free: on Linux; elsewhere nothing is done.

Planes pass between threads and codecs, and each encoder comes and goes with pictures of its own. So all threads share one
heap, or there would be holes in each one's own. What is smaller than an encoder's pictures stays in it when freed (getting
pages anew took a sixth of a render's processor time); larger blocks go back at once, and all free pages where a segment ends.
"""

from __future__ import annotations

import ctypes
import sys

LARGE_BYTES, SPARE_BYTES = 4 << 20, 16 << 20
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of glibc's malloc.h


def share_heap() -> None:
    """Set this process up so: for a program of our own, before its threads begin."""
    _call("mallopt", M_ARENA_MAX, 1)
    _call("mallopt", M_MMAP_THRESHOLD, LARGE_BYTES)
    _call("mallopt", M_TRIM_THRESHOLD, SPARE_BYTES)


def heap_variables() -> dict[str, str]:
    """The environment of a process that is set up so."""
    sizes = {"MALLOC_MMAP_THRESHOLD_": LARGE_BYTES, "MALLOC_TRIM_THRESHOLD_": SPARE_BYTES}
    return {name: str(value) for name, value in ({"MALLOC_ARENA_MAX": 1} | sizes).items()}


def give_back() -> None:
    """Give the system all pages in which nothing is left."""
    _call("malloc_trim", 0)


def _call(name: str, *arguments: int) -> None:
    function = getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
    if function:  # another C library has none
        function(*arguments)
