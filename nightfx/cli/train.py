"""`nightfx train`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from nightfx.cli import shell


def train(
    out: Annotated[
        Path, typer.Option(help="Folder of the run; holds the presets night/ and day/.")
    ],
    day: Annotated[
        Path | None, typer.Option(help="Folder of day pictures; its subfolders are drawn alike.")
    ] = None,
    night: Annotated[Path | None, typer.Option(help="Folder of night pictures.")] = None,
    csv: Annotated[
        Path | None,
        typer.Option(
            help="Instead of folders: a table with path and class, as of dataset prepare."
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=VALUE,VALUE", help="Rows of --csv to take; all must hold."),
    ] = None,
    day_held_out: Annotated[
        Path | None, typer.Option(help="Day pictures to judge by; by default every tenth.")
    ] = None,
    night_held_out: Annotated[Path | None, typer.Option(help="Night pictures to judge by.")] = None,
    recipe: Annotated[
        str, typer.Option(help="relit, quick, paper-1, paper-2 or paper-3.")
    ] = "relit",
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting of the recipe."),
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps in all.")] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the larger set, in place of steps.")
    ] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Crops of each class a step.")] = None,
    crop_px: Annotated[int | None, typer.Option(help="Side of a crop.")] = None,
    warm_start_steps: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Of them, steps that imitate curves before the adversary.",
        ),
    ] = None,
    every: Annotated[int | None, typer.Option(min=1, help="Steps between checkpoints.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seeds weights and draws.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Refuse to start where there is no run to go on with.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
) -> None:
    """Train a look from two folders of pictures; run it again to go on where it stopped.

    Several GPUs: torchrun --nproc-per-node 2 -m nightfx train ...
    """
    from nightfx.training.data.listed import choose_pictures
    from nightfx.training.run.recipes import get_recipe
    from nightfx.training.run.trainer import train as train_presets

    flags = {
        "steps": steps,
        "epochs": epochs,
        "batch": batch,
        "crop_px": crop_px,
        "warm_start_steps": warm_start_steps,
        "every": every,
        "seed": seed,
    }
    settings = [f"{key}={value}" for key, value in flags.items() if value is not None]
    pictures = choose_pictures(day, night, csv, where or ())
    for arm, options in get_recipe(recipe, [*settings, *(set_ or ())]).items():
        with shell.progress(arm or out.name, "steps") as show:
            train_presets(
                *pictures,
                *(out / arm, options),
                day_held_out=day_held_out,
                night_held_out=night_held_out,
                device=device,  # type: ignore[arg-type]  # checked by pick_device
                resume=resume,
                on_progress=_steps_of(show),
            )
        resume = False  # the first run was there; those after it may not have begun
        if os.environ.get("RANK", "0") == "0":
            typer.echo(f"{out / arm / 'night'}\n{out / arm / 'day'}")


def _steps_of(show: Callable[[int, int | None], None]) -> Callable[[int, int, object], None]:
    return lambda step, total, losses: show(step, total)
