"""What was made and may be wanted again: so many things, the longest unused ones forgotten."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class LastUsed(Generic[T]):
    """Things by their keys; for one thread at a time."""

    def __init__(self, most: int) -> None:
        self._things, self._most = OrderedDict[Hashable, T](), most

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The thing of that key; it is made where it is not there."""
        if key not in self._things:
            self._things[key] = make()
        self._things.move_to_end(key)
        while len(self._things) > self._most:
            self._things.popitem(last=False)
        return self._things[key]
