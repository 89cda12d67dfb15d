"""`nightfx reproduce`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nightfx.cli import shell


def reproduce(
    experiment: Annotated[
        str, typer.Argument(metavar="EXPERIMENT", help="paper-1, paper-2 or paper-3.")
    ],
    data: Annotated[
        Path,
        typer.Option(
            metavar="DIR", help="Holds day/ and night/, or is a set that dataset prepare made."
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="Folder of runs, figures and report; the same for all experiments.")
    ] = Path("reproduction"),
    scale: Annotated[float, typer.Option(help="Take this share of the paper's pictures.")] = 1.0,
    images: Annotated[
        int | None, typer.Option(min=2, help="Pictures of each class, in place of --scale.")
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Passes over the larger class; the paper's by default."),
    ] = None,
    size: Annotated[
        int,
        typer.Option(help="Side of a picture in px; the discriminators see it enlarged to 256."),
    ] = 256,
    seeds: Annotated[int, typer.Option(help="Runs of each arm; a verdict needs 3.")] = 3,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
) -> None:
    """Run an experiment of the paper again and report its claims beside what was measured; goes on where it stopped."""
    from nightfx.training.reproduce.experiments import ReproduceOptions
    from nightfx.training.reproduce.experiments import reproduce as run_experiment

    options = ReproduceOptions(
        scale=scale, images=images or 0, epochs=epochs or 0, size_px=size, seeds=seeds
    )
    with shell.progress(experiment, "steps") as show:
        report = run_experiment(
            *(experiment, data, out, options),
            device=device,  # type: ignore[arg-type]  # checked by pick_device
            on_progress=show,
        )
    typer.echo(report)
