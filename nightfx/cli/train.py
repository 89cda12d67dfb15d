"""`nightfx train`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from nightfx.cli import shell
from nightfx.cli.flags import only, with_flags
from nightfx.options import LightOptions, PictureOptions, RecipeOptions


@with_flags(PictureOptions, RecipeOptions, also=("device",))
def train(
    out: Annotated[
        Path, typer.Option(help="Folder of the run; holds the presets night/ and day/.")
    ],
    recipe: Annotated[
        str, typer.Option(help="relit, quick, paper-1, paper-2 or paper-3.")
    ] = "relit",
    resume: Annotated[
        bool, typer.Option("--resume", help="Refuse to start where there is no run to go on with.")
    ] = False,
    **given: Any,
) -> None:
    """Train a look from two folders of pictures; run it again to go on where it stopped.

    Several GPUs: torchrun --nproc-per-node 2 -m nightfx train ...
    """
    chosen = PictureOptions(**only(PictureOptions, given))
    settings = RecipeOptions(**only(RecipeOptions, given)).words()
    device = LightOptions(**only(LightOptions, given)).device
    from nightfx.training.data.listed import choose_pictures
    from nightfx.training.run.recipes import get_recipe
    from nightfx.training.run.trainer import train as train_presets

    pictures = choose_pictures(chosen.day, chosen.night, chosen.csv, chosen.where)
    for arm, options in get_recipe(recipe, settings).items():
        with shell.progress(arm or out.name, "steps") as show:
            train_presets(
                *pictures,
                *(out / arm, options),
                day_held_out=chosen.day_held_out,
                night_held_out=chosen.night_held_out,
                device=device,
                resume=resume,
                on_progress=_steps_of(show),
            )
        resume = False  # the first run was there; those after it may not have begun
        if os.environ.get("RANK", "0") == "0":
            typer.echo(f"{out / arm / 'night'}\n{out / arm / 'day'}")


def _steps_of(show: Callable[[int, int | None], None]) -> Callable[[int, int, object], None]:
    return lambda step, total, losses: show(step, total)
