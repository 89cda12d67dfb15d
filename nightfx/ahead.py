"""Run a chain of generators concurrently, with bounded memory: the only threads of a render.

A stage is a generator over frames, so a pipeline is plain composition and every `prefetch` is one
thread boundary. The slowest stage paces all the others.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


def prefetch(items: Iterable[T], depth: int) -> Generator[T, None, None]:
    """Yield `items`, produced at most `depth` ahead by a background thread.

    What the producer raises is raised here, after the items that came before it.
    Closing the generator stops the thread and closes `items`.
    """
    if depth < 1:
        raise ValueError(f"depth must be at least 1, got {depth}")
    return _drain(_Handoff(items, depth))


def _drain(handoff: _Handoff[T]) -> Generator[T, None, None]:
    worker = threading.Thread(target=handoff.produce, name="prefetch", daemon=True)
    worker.start()
    try:
        yield from handoff.take()
    finally:
        handoff.close()
        worker.join()


class _Handoff(Generic[T]):
    """A bounded queue between one producer and one consumer, closable from either end."""

    def __init__(self, items: Iterable[T], depth: int) -> None:
        self._items = iter(items)
        self._depth = depth
        self._ready: deque[T] = deque()
        self._changed = threading.Condition()
        self._finished = self._closed = False
        self._error: BaseException | None = None

    def produce(self) -> None:
        try:
            while self._pass_on():
                pass
        except BaseException as error:  # noqa: BLE001 - re-raised in the consumer
            self._error = error
        finally:
            if isinstance(self._items, Generator):
                self._items.close()
            with self._changed:
                self._finished = True
                self._changed.notify_all()

    def take(self) -> Generator[T, None, None]:
        while self._comes():
            yield self._taken()  # by no name: what was given away is not kept until the next one comes
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _comes(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._finished)
            return bool(self._ready)

    def _taken(self) -> T:
        with self._changed:
            self._changed.notify_all()
            return self._ready.popleft()

    def _pass_on(self) -> bool:
        """Make one item when there is room for it; False when there is none, or nobody takes any."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._ready) < self._depth)
            if self._closed:
                return False
        for item in self._items:
            with self._changed:
                self._ready.append(item)
                self._changed.notify_all()
                return not self._closed
        return False
