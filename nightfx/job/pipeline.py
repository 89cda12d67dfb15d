"""Run a chain of generators concurrently, with bounded memory: the only threads of a render.

A stage is a generator over frames, so a pipeline is plain composition and every `prefetch` is one
thread boundary. The slowest stage paces all the others. Who waits for a render is told of its frames, and of the stages
before and after them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import Generic, Protocol, TypeVar, runtime_checkable

from nightfx.picture import watch_compiling

T = TypeVar("T")
FIRST_TIME = "preparing (first time on this machine)"
Progress = Callable[[int, int | None], None]
"""Told of the frames that are done, and how many are expected; where it has a method `stage`, of what else is done, too."""


@runtime_checkable
class StagedProgress(Protocol):
    """Progress that is told of what comes before and after the frames."""

    def stage(self, name: str, done: int, total: int | None) -> None:
        """Begin a stage, such as joining, or tell how far it is; encoding goes on beside the frames, some behind."""


def begin_stage(on_progress: Progress | None, name: str) -> None:
    """Tell that a stage begins of which nobody knows how long it takes."""
    if isinstance(on_progress, StagedProgress):
        on_progress.stage(name, 0, None)


def begin_preparing(on_progress: Progress | None) -> None:
    """Tell that what comes before the first frame begins, and once more where kernels are compiled for it, which takes up to minutes."""
    begin_stage(on_progress, "preparing")
    watch_compiling(lambda: begin_stage(on_progress, FIRST_TIME))


def search_counter(
    on_progress: Progress | None, total: int | None, per_frame: int = 1
) -> Callable[[int], None]:
    """Return what is to be told how many pictures of a shot were searched for lights; its frames are `total`."""

    def count(pictures: int) -> None:
        if isinstance(on_progress, StagedProgress):
            on_progress.stage("looking for lights first", pictures // per_frame, total)

    return count


def stage_counter(
    on_progress: Progress | None, name: str, total: int | None, done: int = 0
) -> Callable[[], None]:
    """Begin a stage of `total` steps, some of them `done`, and return what is to be called after each."""

    def count() -> None:
        nonlocal done
        done += 1
        if isinstance(on_progress, StagedProgress):
            on_progress.stage(name, done, total)

    begin_stage(on_progress, name)
    return count


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
