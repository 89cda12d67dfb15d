"""Segments of a plan as orders for workers, so that one long shot is rendered by several."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from nightfx.batch.task import Say, Task, paced
from nightfx.engine.plan import RenderSegment, missing_segments, segments_of


@dataclass(frozen=True)
class Segment:
    """A segment to render, as it is sent to a worker."""

    plan: Path
    """What `nightfx plan` wrote."""
    number: int
    """Of the segment, from 0 on."""

    @property
    def key(self) -> str:
        """As people call it."""
        return f"{self.plan.name} {self.number}"

    def as_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self), default=str)


def plan_tasks(plan: Path) -> list[Task[Segment]]:
    """A task for each segment that is not rendered yet. Raises PlanError, TargetError."""
    return [Task(Segment(plan.absolute(), number)) for number in missing_segments(plan)]


def serve_segment(order: Segment, say: Say) -> None:
    """Render a segment unless it is done; raises NightfxError."""
    started, show, frames = time.monotonic(), paced(say), 0

    def count(done: int, total: int | None) -> None:
        nonlocal frames
        frames = done
        show(done, total)

    try:
        _desk.take(order.plan)(order.number, count)
    except BaseException:  # with what it had in memory
        _desk.clear()
        raise
    facts = {"frames": frames, "seconds": round(time.monotonic() - started, 2)}
    say("done", facts=facts, target="")


class _Desk:
    """The plan that this process has open: the next segment is of the same one, most often."""

    def __init__(self) -> None:
        self._closing, self._of = ExitStack(), ""

    def take(self, plan: Path) -> RenderSegment:
        """What renders segments of a plan."""
        about = plan.stat() if plan.exists() else None
        of = f"{plan} {about and (about.st_mtime_ns, about.st_size)}"
        if self._of != of:
            self.clear()
            self._render = self._closing.enter_context(segments_of(plan))
            self._of = of
        return self._render

    def clear(self) -> None:
        """Close what is open."""
        self._of = ""
        self._closing.close()


_desk = _Desk()
