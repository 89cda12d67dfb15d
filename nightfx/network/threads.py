"""How many threads networks are computed with: no more than there are cores to spare when the work begins.

A team of threads waits for its slowest member after each layer. Where others keep the cores busy, that is the one that
the system has put to sleep: two threads on two busy cores took three to four times as long as one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "OMP_NUM_THREADS"
_LEAST_SECONDS = 0.5  # of looking: the system counts in hundredths
_STAT = Path("/proc/stat")


@dataclass(frozen=True)
class CoreTimes:
    """What cores have done up to a moment."""

    seconds: float
    """The moment itself."""
    idle_seconds: float
    """How long the cores that this process may use did nothing, all together."""
    own_seconds: float
    """How long they worked for this process."""


def look_at_cores() -> CoreTimes | None:
    """Return what cores have done until now; None where the system does not say."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    try:
        words = [line.split() for line in _STAT.read_text(encoding="ascii").splitlines()]
    except OSError:
        return None
    names = {f"cpu{core}" for core in os.sched_getaffinity(0)}
    # name user nice system idle iowait ...; who waits for a disk leaves the core to others
    ticks = sum(int(x) for line in words if line and line[0] in names for x in line[4:6])
    return CoreTimes(time.monotonic(), ticks / os.sysconf("SC_CLK_TCK"), time.process_time())


def count_spare(before: CoreTimes, after: CoreTimes) -> float:
    """Return how many cores were this process's to use, on the mean: those it used, and those that did nothing."""
    used = after.own_seconds - before.own_seconds + after.idle_seconds - before.idle_seconds
    return used / (after.seconds - before.seconds)


def pick_threads(cores: int, spare: float | None) -> int:
    """Return how many of `cores` threads there are spare cores for, at least one; all where nothing is known."""
    return cores if spare is None else max(min(cores, round(spare)), 1)


def use_spare_cores(before: CoreTimes | None, cores: int) -> None:
    """Let torch use as many threads as cores were spare since `before`; a number in OMP_NUM_THREADS stands."""
    import torch

    if VARIABLE in os.environ:
        return
    if before and (wait := before.seconds + _LEAST_SECONDS - time.monotonic()) > 0:
        time.sleep(wait)
    after = look_at_cores() if before else None
    spare = count_spare(before, after) if before and after else None
    torch.set_num_threads(pick_threads(min(cores, torch.get_num_threads()), spare))


def threads_again(recorded: int | None) -> int:
    """Return how many threads work goes on with that began with `recorded`; a number in OMP_NUM_THREADS stands."""
    import torch

    return torch.get_num_threads() if recorded is None or VARIABLE in os.environ else recorded


@contextmanager
def same_threads(count: int) -> Iterator[None]:
    """Let torch use as many threads as the work began with: another number gives other bits."""
    import torch

    own = torch.get_num_threads()
    if count != own:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        if count != own:
            torch.set_num_threads(own)
