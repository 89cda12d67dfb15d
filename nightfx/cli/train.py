"""`nightfx train`."""

from __future__ import annotations

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
    steps: Annotated[int, typer.Option(min=1, help="Steps in all.")] = 12_000,
    batch: Annotated[int, typer.Option(min=1, help="Crops of each class a step.")] = 4,
    crop_px: Annotated[
        int | None, typer.Option(help="Side of a crop; by default 128, and 256 for paper.")
    ] = None,
    warm_start_steps: Annotated[
        int,
        typer.Option(
            min=0, help="Of them, steps that imitate the best curves before the adversary."
        ),
    ] = 2000,
    every: Annotated[int, typer.Option(min=1, help="Steps between checkpoints.")] = 500,
    seed: Annotated[int, typer.Option(help="Seeds weights and draws.")] = 0,
    architecture: Annotated[str, typer.Option(help="relit, or paper (crops of 256).")] = "relit",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
) -> None:
    """Train a look from two folders of pictures; run it again to go on where it stopped."""
    from nightfx.training.listed import choose_pictures
    from nightfx.training.options import TrainOptions
    from nightfx.training.trainer import train as train_presets

    options = TrainOptions(
        architecture=architecture,  # type: ignore[arg-type]  # checked by TrainOptions
        steps=steps,
        batch=batch,
        crop_px=crop_px or (256 if architecture == "paper" else 128),
        warm_start_steps=warm_start_steps,
        every=every,
        seed=seed,
    )
    with shell.progress(out.name, "steps") as show:
        train_presets(
            *choose_pictures(day, night, csv, where or ()),
            *(out, options),
            day_held_out=day_held_out,
            night_held_out=night_held_out,
            device=device,  # type: ignore[arg-type]  # checked by pick_device
            on_progress=lambda step, total, losses: show(step, total),
        )
    typer.echo(f"{out / 'night'}\n{out / 'day'}")
