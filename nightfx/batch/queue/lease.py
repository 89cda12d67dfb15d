"""Leases: of several processes, on one machine or on many that share a disk, one alone renders a shot.

A lease is a file `KEY.lease.N` that was created exclusively, with who holds it; its time is its heartbeat. A dead or
silent holder is followed by creating N + 1, exclusively again, so of all who see it dead one alone succeeds; numbers
are never used twice until the shot is done. Who has created one looks once more, and gives way to any other that lives.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from nightfx.disk import translated
from nightfx.errors import RetryError

_BEATS = 6  # within the time after which a lease counts as stale
_FREE_BYTES = 1  # of a lease that was given up


class DiskClock:
    """The clock of the disk that leases are on, which is not that of this machine where it is a network's."""

    def now_on(self, place: Path) -> float:
        """The time in seconds, by the disk that holds `place`."""
        probe = place.with_name(f".clock.{secrets.token_hex(8)}")
        try:
            probe.touch(exist_ok=False)
            return probe.stat().st_mtime
        finally:
            probe.unlink(missing_ok=True)

    def stamp(self, path: Path) -> None:
        """Give a file the present time."""
        os.utime(path)  # no times given: the disk takes its own


class Lease:
    """A lease that is held; `lost` once another process has followed."""

    def __init__(self, path: Path, place: Path, stale_seconds: float, clock: DiskClock) -> None:
        self.path, self.place = path, place
        self.lost = False
        self._pause, self._clock = stale_seconds / _BEATS, clock
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat_until_done, name="lease", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise RetryError where another process has taken the shot: this one must not go on writing."""
        if self.lost:
            raise RetryError(f"{self.place.stem}: was taken over, this process was silent too long")

    def beat(self) -> None:
        """Show that the holder lives, and learn whether another has followed; the heartbeat does so all the time."""
        try:
            self._clock.stamp(self.path)
        except OSError:
            self.lost = not self.path.exists()
        self.lost = self.lost or max(_leases(self.place), default=0) > _number(self.path)

    def stop(self) -> None:
        """End the heartbeat."""
        self._done.set()
        self._thread.join()

    def _beat_until_done(self) -> None:
        while not self._done.wait(self._pause):
            self.beat()


@contextmanager
def leased(
    place: Path, stale_seconds: float, clock: DiskClock | None = None
) -> Iterator[Lease | None]:
    """Hold the lease of `place`, or None where another process does. Raises RetryError on a full disk.

    It counts as stale when its process has gone, on this machine, or has been silent for `stale_seconds` by `clock`.
    """
    clock = clock or DiskClock()
    with translated(place):
        path = _claim(place, stale_seconds, clock)
    if path is None:
        yield None
        return
    lease = Lease(path, place, stale_seconds, clock)
    try:
        yield lease
    finally:
        lease.stop()
        if not lease.lost:
            _give_up(path)


def forget(place: Path) -> None:
    """Remove the leases of a shot that is done: nobody will ask for them."""
    for path in _leases(place).values():
        with suppress(OSError):
            path.unlink()


def _claim(place: Path, stale_seconds: float, clock: DiskClock) -> Path | None:
    held = _leases(place)
    if _any_alive(held.values(), place, stale_seconds, clock):
        return None
    path = place.with_name(f"{place.name}.lease.{max(held, default=0) + 1}")
    try:
        _create(path, place)
    except FileExistsError:
        return None
    others = (lease for lease in _leases(place).values() if lease != path)
    if _any_alive(others, place, stale_seconds, clock):
        _give_up(path)
        return None
    return path


def _create(path: Path, place: Path) -> None:
    """Make a lease, whole or not at all; raises FileExistsError where another was faster."""
    own = place.with_name(f".lease.{secrets.token_hex(8)}")
    try:
        own.write_text(json.dumps(_self()), encoding="utf-8")
        try:
            os.link(own, path)
        except FileExistsError:
            raise
        except OSError:  # a file system without links: one who dies within counts as silent
            file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
            with os.fdopen(file, "w", encoding="utf-8") as out:
                json.dump(_self(), out)
    finally:
        own.unlink(missing_ok=True)


def _leases(place: Path) -> dict[int, Path]:
    found = place.parent.glob(f"{_escaped(place.name)}.lease.*")
    return {_number(path): path for path in found if path.suffix[1:].isdecimal()}


def _escaped(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _number(path: Path) -> int:
    return int(path.suffix[1:])


def _give_up(path: Path) -> None:
    """Mark a lease as free, by cutting it to a byte: one step, for which a full disk has room. Its number stays taken."""
    with suppress(OSError):
        os.truncate(path, _FREE_BYTES)


def _any_alive(leases: Iterable[Path], place: Path, stale_seconds: float, clock: DiskClock) -> bool:
    paths = list(leases)
    if not paths:
        return False
    now = clock.now_on(place)
    return any(_is_alive(path, now, stale_seconds) for path in paths)


def _is_alive(path: Path, now: float, stale_seconds: float) -> bool:
    try:
        about, text = path.stat(), path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return False
    if about.st_size == _FREE_BYTES:
        return False
    try:
        holder = json.loads(text)
    except ValueError:  # about to be written
        holder = None
    me = _self()
    if me["machine"] and isinstance(holder, dict) and holder.get("machine") == me["machine"]:
        return bool(_born(holder.get("pid")) == holder.get("born", ""))
    return now - about.st_mtime < stale_seconds


def _self() -> dict[str, Any]:
    pid = os.getpid()
    return {"host": socket.gethostname(), "machine": _machine(), "pid": pid, "born": _born(pid)}


def _machine() -> str | None:
    """Return a name that processes share which see each other's ids, and no others; None where it is not known."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return None


def _born(pid: Any) -> str | None:
    """When a process started, as a word: ids are given out again; None where there is none of this id."""
    if type(pid) is not int:
        return None
    try:
        words = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, *rest = words.rpartition(")")[2].split()
    return None if state in "ZX" else rest[18]
