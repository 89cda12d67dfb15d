"""Tasks on their way to workers: where each stands, which comes next, and what becomes of one whose worker dies.

A task's order says what to do; it is a shot of a batch (`worker.Order`) or a segment of a plan (`segments.Segment`).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar

from nightfx.batch.queue.record import number_of
from nightfx.errors import RETRY

TRIES = 3  # of a task whose worker dies
_PAUSE_SECONDS = 0.2  # between two reports of progress
_BUSY_SECONDS = 2.0  # until what another process renders is asked for again
_State = Literal["waiting", "rendering", "elsewhere", "done", "failed", "skipped"]


class Ordered(Protocol):
    """An order that a worker can be given."""

    @property
    def key(self) -> str:
        """Return the name that people know it by."""

    def as_json(self) -> str:
        """One line."""


_OrderT = TypeVar("_OrderT", bound=Ordered)


@dataclass(eq=False)
class Task(Generic[_OrderT]):
    """An order on its way."""

    order: _OrderT
    """The order to carry out."""
    state: _State = "waiting"
    """Where it stands."""
    frames: int = 0
    """Frames done."""
    total: int | None = None
    """Frames expected."""
    began: float = 0.0
    """When its first frame came, on the monotonic clock."""
    first: int = 0
    """The frames that were done by then."""
    tries: int = 0
    """Workers that died of it, or with it."""
    not_before: float = 0.0
    """When to ask again."""
    error: str = ""
    """The line that says why it failed."""
    code: int = 0
    """The exit code of that."""
    notes: list[str] = field(default_factory=list)
    """Warnings."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """The facts in its record."""
    target: str = ""
    """The render, below the folder of renders."""

    @property
    def rate(self) -> float:
        """Frames a second; 0 where it is not known."""
        if seconds := number_of(self.facts, "seconds"):
            return number_of(self.facts, "frames") / seconds
        spent = time.monotonic() - self.began if self.began else 0.0
        return (self.frames - self.first) / spent if spent > 0 else 0.0

    @property
    def open(self) -> bool:
        """Whether it is still to end."""
        return self.state not in ("done", "failed", "skipped")

    def on_event(self, event: Mapping[str, Any]) -> None:
        """Note what its worker says."""
        match event["event"]:
            case "frames":
                self.state, self.frames, self.total = "rendering", event["done"], event["total"]
                if not self.began:
                    self.began, self.first = time.monotonic(), self.frames
            case "note":
                self.notes.append(event["text"])
            case "busy":
                self.state, self.not_before = "elsewhere", time.monotonic() + _BUSY_SECONDS
            case "done":
                self.state, self.facts, self.target = "done", event["facts"], event["target"]
            case "failed":
                self.state, self.error, self.code = "failed", event["error"], event["code"]

    def lose_worker(self, how: str) -> None:
        """Note that its worker died; it is for another one, unless it was the last of `TRIES`."""
        self.tries += 1
        self.frames, self.total, self.began = 0, None, 0.0
        if self.tries < TRIES:
            self.state = "waiting"
            return
        self.state, self.code = "failed", RETRY
        self.error = f"{self.order.key}: its worker died {self.tries} times, last by {how}"


Watch = Callable[[Task[Any]], None]
Emit = Callable[..., None]


def paced(emit: Emit) -> Callable[[int, int | None], None]:
    """Progress as events, not too many of them."""
    last = 0.0

    def tell(done: int, total: int | None) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > _PAUSE_SECONDS or done == total:
            last = now
            emit("frames", done=done, total=total)

    return tell


class TaskQueue:
    """The open ones of `tasks`, which may be many and made as they are asked for, in the order in which workers get them.

    What is rendered elsewhere comes after the others, and not at once.
    """

    def __init__(self, tasks: Iterable[Task[Any]]) -> None:
        self._fresh = (task for task in tasks if task.open)
        self._again: deque[Task[Any]] = deque()
        self._elsewhere: deque[Task[Any]] = deque()

    @property
    def is_waiting(self) -> bool:
        """Whether something is left that is to be asked for later."""
        return bool(self._elsewhere)

    def take(self) -> Task[Any] | None:
        """The next task; None where there is none now."""
        task = self._again.popleft() if self._again else next(self._fresh, None)
        if task is None and self._elsewhere and self._elsewhere[0].not_before <= time.monotonic():
            return self._elsewhere.popleft()
        if task is not None:
            task.state = "rendering"
        return task

    def put_back(self, task: Task[Any]) -> None:
        """Take a task back that has not ended."""
        (self._elsewhere if task.state == "elsewhere" else self._again).append(task)
