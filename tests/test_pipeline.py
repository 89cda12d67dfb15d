"""Order, bound, errors and endings of `prefetch`."""

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest

from nightfx.ahead import prefetch


def test_items_keep_their_order() -> None:
    assert list(prefetch(range(100), 3)) == list(range(100))


def test_at_most_depth_items_wait() -> None:
    made: list[int] = []

    def produce() -> Iterator[int]:
        for i in range(50):
            made.append(i)
            yield i

    for taken in prefetch(produce(), 4):
        assert len(made) <= taken + 1 + 4  # in hand here, and waiting or being made


def test_what_was_taken_is_not_kept_until_the_next_one_comes() -> None:
    class Item:
        pass

    slow = threading.Event()

    def produce() -> Iterator[Item]:
        yield Item()
        slow.wait(5)
        yield Item()

    items = prefetch(produce(), 1)
    taken = weakref.ref(next(items))
    gc.collect()
    assert taken() is None
    slow.set()
    items.close()


def test_error_arrives_after_the_items_before_it() -> None:
    def produce() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("broken")

    items = prefetch(produce(), 8)
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(ValueError, match="broken"):
        next(items)


def test_closing_ends_the_thread_and_closes_the_source() -> None:
    ended = threading.Event()

    def produce() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            ended.set()

    items = prefetch(prefetch(produce(), 2), 2)
    next(items)
    items.close()
    assert ended.wait(5)
    assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]


def test_a_depth_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        prefetch([], 0)
