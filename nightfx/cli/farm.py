"""`nightfx farm export` and `nightfx farm run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nightfx.cli import shell
from nightfx.cli.flags import only, with_flags
from nightfx.cli.plan import check_plan
from nightfx.errors import DONE
from nightfx.options import EngineOptions

app = typer.Typer(
    no_args_is_help=True, help="A plan on several workers, or as a job for your farm."
)


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
    check_plan(plan)
    with shell.progress(plan.name) as told:
        told.stage("reading", 0, None)
        from nightfx.farm import FarmOptions, export_job

        options = FarmOptions(command, show, shot, user, facility)
        paths = list(export_job(plan, out, format, options))
    for path in paths:
        typer.echo(path)


@with_flags(EngineOptions, but=("stale",))
def run(
    plan: Annotated[Path, typer.Argument(help="What nightfx plan wrote.")],
    json_lines: Annotated[
        bool, typer.Option("--json", help="A line of JSON for each event, on standard output.")
    ] = False,
    **given: Any,
) -> int:
    """Render the segments of a plan that are not done, several at a time, and join them."""
    check_plan(plan)
    options = EngineOptions(**only(EngineOptions, given))
    shell.settings.json = json_lines
    with shell.progress(plan.name) as show:
        show.stage("reading", 0, None)
        from nightfx.batch.queue.segments import plan_tasks

        tasks = plan_tasks(plan)
        from nightfx.batch.queue.run import run_plan
    from nightfx.cli.table import watching
    from nightfx.job.join import join_plan

    if tasks:
        with watching(tasks, as_json=json_lines) as watch:
            run_plan(plan, tasks, options, watch)
    else:
        typer.echo(shell.printable(f"{plan.name}: all segments are rendered already"), err=True)
    failed = [task for task in tasks if task.state == "failed"]
    for task in failed:
        typer.echo(shell.printable(f"error: {task.error}"), err=True)
    if failed:
        typer.echo(f"{len(failed)} of {len(tasks)} segments failed; the others are kept", err=True)
        return min(task.code for task in failed)  # what is not worth retrying counts
    with shell.progress(plan.name, "packets") as show:
        show.stage("reading", 0, None)
        target = join_plan(plan, show)
    shell.say(str(target), {"target": str(target)})
    return DONE


app.command("export")(shell.guarded(export))
app.command("run")(shell.guarded(run))
