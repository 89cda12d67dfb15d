"""`nightfx farm export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nightfx.cli import shell

app = typer.Typer(no_args_is_help=True, help="Job files for the farm that you have.")


@app.callback()
def farm() -> None:
    """Keep the commands' names while there is one alone."""


def export(
    plan: Annotated[Path, typer.Argument(help="What nightfx plan wrote.")],
    format: Annotated[str, typer.Option(help="openjd, opencue or deadline.")],
    out: Annotated[
        Path, typer.Option("-o", "--out", help="The job file; for deadline a folder of four.")
    ],
    command: Annotated[
        str, typer.Option(help="What the farm's hosts start: nightfx, or its path there.")
    ] = "nightfx",
    show: Annotated[str | None, typer.Option(help="For opencue: a show that it knows.")] = None,
    shot: Annotated[
        str | None, typer.Option(help="For opencue: the shot; by default as the render.")
    ] = None,
    user: Annotated[
        str | None, typer.Option(help="For opencue: whose job it is; by default yours.")
    ] = None,
    facility: Annotated[
        str | None, typer.Option(help="For opencue: the facility; by default its own.")
    ] = None,
) -> None:
    """Write a plan as a job: a task for each segment, and one that joins them when all are done."""
    from nightfx.farm import FarmOptions, export_job

    options = FarmOptions(command, show, shot, user, facility)
    for path in export_job(plan, out, format, options):
        typer.echo(path)


app.command("export")(shell.guarded(export))
