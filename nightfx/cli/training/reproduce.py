"""`nightfx reproduce`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nightfx.cli import shell
from nightfx.cli.flags import only, with_flags
from nightfx.cli.training.stopping import whole_steps
from nightfx.disk import check_folder
from nightfx.options import LightOptions, ReproduceOptions


@with_flags(ReproduceOptions, also=("device",))
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
    **given: Any,
) -> None:
    """Run an experiment of the paper again and report its claims beside what was measured; goes on where it stopped."""
    options = ReproduceOptions(**only(ReproduceOptions, given))
    light = LightOptions(**only(LightOptions, given))
    light.check_machine()
    with shell.progress(experiment, "steps") as told:
        told.stage("reading", 0, None)
        from nightfx.training.data.folders import check_pictures
        from nightfx.training.reproduce.asked import arms_of, find_sides

        arms_of(experiment, options)
        check_pictures(*(folder for side in find_sides(data) for folder in side))
        check_folder(out)
        from nightfx.process import set_up_training

        set_up_training()
        from nightfx.training.reproduce.experiments import reproduce as run_experiment

    with whole_steps() as stop, shell.progress(experiment, "steps") as show:

        def tell(step: int, total: int) -> None:
            show(step, total)
            stop()

        report = run_experiment(
            *(experiment, data, out, options), device=light.device, on_progress=tell
        )
    typer.echo(report)
