"""Hand what comes along once to several takers, each in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Full, Queue
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
Taker = Callable[[Iterator[T]], R]

_DEPTH = 1  # items that wait for a taker
_PATIENCE_SECONDS = 0.2  # after which is looked whether it still takes


def fan_out(items: Iterable[Sequence[T]], takers: Sequence[Taker[T, R]]) -> list[R]:
    """Give the n-th of each group of `items` to the n-th taker; returns what they return, and raises what one of them raises.

    Where the items end by an error the takers see it too, so that none takes what it has for the whole.
    """
    queues: list[Queue[T | _End]] = [Queue(_DEPTH) for _ in takers]
    with ThreadPoolExecutor(len(takers), thread_name_prefix="taker") as pool:
        running = [
            pool.submit(taker, _taken(queue)) for taker, queue in zip(takers, queues, strict=True)
        ]
        end = _End(None)
        try:
            for group in items:
                for item, queue, taker in zip(group, queues, running, strict=True):
                    _put(queue, item, taker)
        except BaseException as error:
            end = _End(error)
            raise
        finally:
            for queue, taker in zip(queues, running, strict=True):
                _put(queue, end, taker)
        return [taker.result() for taker in running]


class _End:
    """The end of what comes, and the error that it came by."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def _taken(queue: Queue[T | _End]) -> Iterator[T]:
    while not isinstance(item := queue.get(), _End):
        yield item
    if item.error is not None:
        raise item.error


def _put(queue: Queue[T | _End], item: T | _End, taker: Future[R]) -> None:
    """Wait until a taker has room; where it has ended before, raise what it ended by."""
    while True:
        if taker.done():
            if isinstance(item, _End):
                return
            taker.result()
        try:
            return queue.put(item, timeout=_PATIENCE_SECONDS)
        except Full:
            continue
