"""A thread that works for all pages, the most urgent first; of each lane it does only what was asked last."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from itertools import count
from typing import Any, NamedTuple

from nightfx.errors import RetryError

_MOST_LANES = 128


class SupersededError(Exception):
    """Somebody asked for something newer in the same lane."""


class _Asked(NamedTuple):
    urgency: int
    turn: int
    work: Callable[[], Any]
    future: Future[Any]


class Lanes:
    """Work that waits for one thread. A lane holds one piece of it: a newer one takes its place."""

    def __init__(self, name: str) -> None:
        self._waiting: dict[str, _Asked] = {}
        self._ready, self._turns, self._ended = threading.Condition(), count(), False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def ask(self, lane: str, urgency: int, work: Callable[[], Any]) -> Future[Any]:
        """Return what `work` will give; the lowest `urgency` comes first. Raises RetryError where too many wait."""
        with self._ready:
            before = self._waiting.pop(lane, None)
            if before is None and len(self._waiting) >= _MOST_LANES:
                raise RetryError(f"more than {_MOST_LANES} pictures are waited for: try again")
            asked = _Asked(urgency, next(self._turns), work, Future())
            self._waiting[lane] = asked
            self._ready.notify()
        if before is not None and before.future.set_running_or_notify_cancel():
            before.future.set_exception(SupersededError())
        return asked.future

    def close(self) -> None:
        """End the thread when what it is doing is done; nothing that waits is begun."""
        with self._ready:
            self._ended = True
            self._ready.notify()
        self._thread.join()  # a process that ends while LLVM compiles in a thread is aborted by it

    def _run(self) -> None:
        while (asked := self._next()) is not None:
            if not asked.future.set_running_or_notify_cancel():
                continue  # nobody waits for it any more
            try:
                result = asked.work()
            except BaseException as error:  # noqa: BLE001 - the boundary of the thread: whoever asked raises it
                asked.future.set_exception(error)
            else:
                asked.future.set_result(result)

    def _next(self) -> _Asked | None:
        with self._ready:
            self._ready.wait_for(lambda: self._waiting or self._ended)
            if self._ended:
                return None
            lane = min(self._waiting, key=lambda name: self._waiting[name][:2])
            return self._waiting.pop(lane)
