"""`nightfx dataset prepare|nexet`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nightfx.cli import shell
from nightfx.cli.flags import only, with_flags
from nightfx.disk import check_folder
from nightfx.errors import DONE, FAILED
from nightfx.options import PrepareOptions

app = typer.Typer(no_args_is_help=True, help="Make data sets to train on.")


@with_flags(PrepareOptions)
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
    threshold: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SOURCE=NIGHT,DAY", help="night-below and day-above of one source; repeatable."
        ),
    ] = None,
    **given: Any,
) -> None:
    """Sort pictures and frames into day and night, crop them, and draw a test set."""
    with shell.progress(out.name, "files") as show:
        show.stage("reading", 0, None)
        from nightfx.training.data.sources import (
            check_new,
            check_root,
            find_candidates,
            parse_threshold,
            refuse_inside,
        )

        options = PrepareOptions(
            labels=Path(labels) if labels and labels != "folders" else None,
            by_folder=labels == "folders",
            thresholds=dict(parse_threshold(text) for text in threshold or ()),
            **only(PrepareOptions, given),
        )
        for root in sources:
            check_root(root)
        refuse_inside(out, sources)
        check_new(out)
        check_folder(out)
        find_candidates(sources, options.labels, options.by_folder)
        from nightfx.training.sets.dataset import describe
        from nightfx.training.sets.prepare import prepare as prepare_set

        data = prepare_set(sources, out, options, on_progress=show)
    typer.echo(f"{describe(data)}\n{out / 'manifest.csv'}")


def nexet(
    root: Annotated[Path, typer.Option(metavar="DIR", help="Where NEXET lies, or will lie.")],
) -> int:
    """Say what is missing of NEXET, the data set of the paper, and where to ask for it."""
    from nightfx.training.sets.nexet import ASK, check_nexet, commands

    found, missing = check_nexet(root)
    for line in found:
        typer.echo(f"found    {line}")
    for line in missing:
        typer.echo(f"missing  {line}")
    typer.echo(ASK if missing else "\n".join(commands(root)))
    return FAILED if missing else DONE


for name, command in (("prepare", prepare), ("nexet", nexet)):
    app.command(name)(shell.guarded(command))
