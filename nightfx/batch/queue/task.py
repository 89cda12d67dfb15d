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
from nightfx.pace import Course, Pace

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
    stage: str = ""
    """What its worker does before the first frame comes, or after the last one; empty while they come."""
    frames: int = 0
    """Frames done."""
    total: int | None = None
    """Frames expected."""
    per_second: float = 0.0
    """Frames a second, as its worker says; 0 where it is not known."""
    ends_at: float | None = None
    """When it will end, on the monotonic clock; None where nobody knows."""
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
        """Frames a second, of a render that goes on or was done now; 0 where it is not known."""
        if self.state == "done":
            seconds = number_of(self.facts, "seconds")
            return number_of(self.facts, "frames") / seconds if seconds else 0.0
        return self.per_second if self.state == "rendering" and not self.stage else 0.0

    @property
    def seconds_left(self) -> float | None:
        """How long it will go on, with what comes after its last frame; None where nobody knows, or it took longer."""
        if self.state != "rendering" or self.ends_at is None:
            return None
        left = self.ends_at - time.monotonic()
        return left if left > 0 else None

    @property
    def open(self) -> bool:
        """Whether it is still to end."""
        return self.state not in ("done", "failed", "skipped")

    def begin(self) -> None:
        """Give it to a worker, which reads before it says anything."""
        self.state, self.stage, self.ends_at = "rendering", "reading", None

    def on_event(self, event: Mapping[str, Any]) -> None:
        """Note what its worker says."""
        match event["event"]:
            case "frames":
                self._go_on("", event)
                self.frames, self.total = event["done"], event["total"]
                self.per_second = number_of(event, "per_second")
            case "stage":
                self._go_on(event["name"], event)
            case "note":
                self.notes.append(event["text"])
            case "busy":
                self.state, self.not_before = "elsewhere", time.monotonic() + _BUSY_SECONDS
            case "done":
                self.state, self.facts, self.target = "done", event["facts"], event["target"]
            case "failed":
                self.state, self.error, self.code = "failed", event["error"], event["code"]

    def _go_on(self, stage: str, event: Mapping[str, Any]) -> None:
        self.state, self.stage = "rendering", stage
        if (left := event.get("left")) is not None:  # else what was known before still holds
            self.ends_at = time.monotonic() + left

    def lose_worker(self, how: str) -> None:
        """Note that its worker died; it is for another one, unless it was the last of `TRIES`."""
        self.tries += 1
        self.frames, self.total, self.stage = 0, None, ""
        if self.tries < TRIES:
            self.state = "waiting"
            return
        self.state, self.code = "failed", RETRY
        self.error = f"{self.order.key}: its worker died {self.tries} times, last by {how}"


Watch = Callable[[Task[Any]], None]
Emit = Callable[..., None]


class Telling:
    """Progress of a render as events, not too many of them."""

    def __init__(
        self,
        emit: Emit,
        after_seconds: Callable[[float], float] = lambda per_second: 0.0,
        new_pace: Callable[[], Pace] = Pace,
    ) -> None:
        """`after_seconds` says how long what comes after the render takes, by how fast that goes."""
        self.frames = 0
        """Frames done."""
        self.on_frame: Callable[[], None] = lambda: None
        """What else is to be done at each; what it raises ends the render."""
        self._emit, self._after_seconds = emit, after_seconds
        self._course = Course("frames", new_pace)
        self._name, self._last, self._per_second = "", 0.0, 0.0

    def __call__(self, done: int, total: int | None) -> None:
        """Tell how many frames are done, and how many are expected."""
        self.on_frame()
        self.frames = done
        self._course(done, total)
        rate = self._per_second = self._course.pace.rate(done)
        left = self._left()
        if self._is_due() or done == total:
            self._emit("frames", done=done, total=total, per_second=rate, left=left)

    def stage(self, name: str, done: int, total: int | None) -> None:
        """Tell of a stage before or after the frames, or how far it is."""
        if self._course.stage(name, done, total):
            left = self._left() if self.frames else None  # before them it is of the stage alone
            if self._is_due():
                self._emit("stage", name=self._course.name, left=left)

    def after(self, name: str) -> None:
        """Tell that what comes after the render begins."""
        self._emit("stage", name=name, left=self._after_seconds(self._per_second) or None)

    def _left(self) -> float | None:
        own = self._course.seconds_left()
        return None if own is None else own + self._after_seconds(self._per_second)

    def _is_due(self) -> bool:
        now, name = time.monotonic(), self._course.name
        if name == self._name and now - self._last <= _PAUSE_SECONDS:
            return False
        self._name, self._last = name, now
        return True


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
            task.begin()
        return task

    def put_back(self, task: Task[Any]) -> None:
        """Take a task back that has not ended."""
        (self._elsewhere if task.state == "elsewhere" else self._again).append(task)
