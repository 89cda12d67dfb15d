"""Who waits for a render is told of its frames, and of the stages before and after them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from nightfx.picture import watch_compiling

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
