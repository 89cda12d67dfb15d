"""Segments of a plan as orders for workers, so that one long shot is rendered by several."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nightfx.batch.queue.task import Emit, Task, Telling
from nightfx.disk import to_line
from nightfx.errors import NightfxError
from nightfx.job.join import missing_segments

if TYPE_CHECKING:
    from nightfx.job.plan import RenderSegment


@dataclass(frozen=True)
class Segment:
    """A segment to render, as it is sent to a worker."""

    plan: Path
    """The plan, as `nightfx plan` wrote it."""
    number: int
    """Number of the segment, from 0 on."""

    @property
    def key(self) -> str:
        """As people call it."""
        return f"{self.plan.name} {self.number}"

    def as_json(self) -> str:
        """One line."""
        return to_line(self)


def plan_tasks(plan: Path) -> list[Task[Segment]]:
    """A task for each segment that is not rendered yet. Raises PlanError, TargetError."""
    return [Task(Segment(plan.absolute(), number)) for number in missing_segments(plan)]


def serve_segment(order: Segment, emit: Emit) -> None:
    """Render a segment unless it is done; raises NightfxError, with its name."""
    started, show = time.monotonic(), Telling(emit)
    try:
        with _open_plan.open(order.plan) as render:
            render(order.number, show)
    except NightfxError as error:
        raise type(error)(f"{order.key}: {error}") from error
    facts = {"frames": show.frames, "seconds": round(time.monotonic() - started, 2)}
    emit("done", facts=facts, target="")


class _OpenPlan:
    """The plan that this process has open: the next segment is of the same one, most often."""

    def __init__(self) -> None:
        self._closing, self._of = ExitStack(), ""

    @contextmanager
    def open(self, plan: Path) -> Iterator[RenderSegment]:
        """Give what renders segments of a plan; where it fails, all that it had in memory is let go."""
        from nightfx.job.plan import (
            segments_of,
        )  # torch, which is not needed to know what is missing

        about = plan.stat() if plan.exists() else None
        of = f"{plan} {about and (about.st_mtime_ns, about.st_size)}"
        try:
            if self._of != of:
                self._close()
                self._render = self._closing.enter_context(segments_of(plan))
                self._of = of
            yield self._render
        except BaseException:
            self._close()
            raise

    def _close(self) -> None:
        self._of = ""
        self._closing.close()


_open_plan = _OpenPlan()
