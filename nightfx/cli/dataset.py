"""`nightfx dataset prepare|nexet`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nightfx.cli import shell
from nightfx.errors import DONE, FAILED

app = typer.Typer(no_args_is_help=True, help="Make data sets to train on.")


def prepare(
    sources: Annotated[
        list[Path], typer.Argument(metavar="SOURCE…", help="Pictures, clips, or folders of them.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the data set, a new one.")],
    labels: Annotated[
        str | None,
        typer.Option(
            help="Instead of brightness: folders (called day and night), a CSV, or labels of BDD100K (JSON)."
        ),
    ] = None,
    normalise: Annotated[
        str, typer.Option(help="Divide brightness by the data set's max, or by 255.")
    ] = "max",
    day_above: Annotated[float, typer.Option(help="Day is brighter than this.")] = 0.6,
    night_below: Annotated[float, typer.Option(help="Night is darker than this.")] = 0.4,
    threshold: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SOURCE=NIGHT,DAY", help="night-below and day-above of one source; repeatable."
        ),
    ] = None,
    test: Annotated[int, typer.Option(help="Pictures of each class in the test set.")] = 500,
    seed: Annotated[int, typer.Option(help="Seeds the test set and random crops.")] = 0,
    crop: Annotated[str, typer.Option(help="The largest square: centre, or random.")] = "centre",
    size: Annotated[int, typer.Option(help="Side of the squares in px.")] = 256,
    every: Annotated[float, typer.Option(help="Seconds between two frames of a clip.")] = 1.0,
    repeats: Annotated[
        str, typer.Option(help="Leave out near-duplicates among frames of a clip, all, or none.")
    ] = "frames",
    near: Annotated[
        float, typer.Option(help="Correlation of thumbnails from which two are near-duplicates.")
    ] = 0.97,
) -> None:
    """Sort pictures and frames into day and night, crop them, and draw a test set."""
    from nightfx.training.data.dataset import describe
    from nightfx.training.data.prepare import PrepareOptions, parse_threshold
    from nightfx.training.data.prepare import prepare as prepare_set

    options = PrepareOptions(
        labels=Path(labels) if labels and labels != "folders" else None,
        by_folder=labels == "folders",
        normalise=normalise,  # type: ignore[arg-type]  # checked by PrepareOptions, like the next ones
        day_above=day_above,
        night_below=night_below,
        thresholds=dict(parse_threshold(text) for text in threshold or ()),
        test=test,
        seed=seed,
        crop=crop,  # type: ignore[arg-type]
        size_px=size,
        every_seconds=every,
        repeats=repeats,  # type: ignore[arg-type]
        near=near,
    )
    with shell.progress(out.name, "files") as show:
        data = prepare_set(sources, out, options, on_progress=show)
    typer.echo(f"{describe(data)}\n{out / 'manifest.csv'}")


def nexet(
    root: Annotated[Path, typer.Option(metavar="DIR", help="Where NEXET lies, or will lie.")],
) -> int:
    """Say what is missing of NEXET, the data set of the paper, and where to ask for it."""
    from nightfx.training.data.nexet import ASK, check_nexet, commands

    found, missing = check_nexet(root)
    for line in found:
        typer.echo(f"found    {line}")
    for line in missing:
        typer.echo(f"missing  {line}")
    typer.echo(ASK if missing else "\n".join(commands(root)))
    return FAILED if missing else DONE


for name, command in (("prepare", prepare), ("nexet", nexet)):
    app.command(name)(shell.guarded(command))
