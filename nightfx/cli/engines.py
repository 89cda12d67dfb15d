"""The flags that say what renders, for `batch` and `farm run` alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nightfx.batch.queue.seats import EngineOptions

Workers = Annotated[
    int | None,
    typer.Option(min=1, help="Renders at a time; by default one a GPU, or one for 4 cores."),
]
Engine = Annotated[
    str,
    typer.Option(help="local: processes of this machine; ray: tasks of Ray, here or on a cluster."),
]
Address = Annotated[
    str | None,
    typer.Option(help="Of a Ray cluster that runs, such as head:6379; else one is started here."),
]


def options_from(engine: str, workers: int | None, address: str | None) -> EngineOptions:
    """The options; raises UsageError."""
    from nightfx.batch.queue.seats import EngineOptions

    return EngineOptions(engine, workers, address)  # type: ignore[arg-type]  # checked by EngineOptions
