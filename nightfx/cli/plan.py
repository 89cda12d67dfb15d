"""`nightfx plan` and `nightfx join`, and what `nightfx render` does with a plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nightfx.cli import shell
from nightfx.cli.flags import To, with_flags
from nightfx.cli.own.config import own_settings
from nightfx.disk import check_free
from nightfx.errors import DONE, PlanError
from nightfx.options import GROUPS, RenderOptions, all_options


def check_plan(plan: Path) -> None:
    """Raise PlanError where there is none: to read one takes torch, and seconds."""
    if not plan.is_file():
        raise PlanError(f"{plan}: no such file: nightfx plan writes one")


def render_planned(plan: Path | None, number: int | None, inputs: list[Path] | None) -> int:
    """Render a segment of a plan."""
    if plan is None or number is None or inputs:
        raise typer.BadParameter("--plan FILE and --segment NUMBER go together, without an input")
    check_plan(plan)
    with shell.progress(f"{plan.name} {number}") as show:
        show.stage("reading", 0, None)
        from nightfx.process import set_up

        set_up()
        from nightfx.job.manifest import read_manifest

        read_manifest(plan).check_segment(number)
        from nightfx.job.plan import render_segment

        is_new = render_segment(plan, number, show)
    words = "rendered already"
    if not is_new and shell.settings.json:
        shell.say("", {"plan": str(plan), "segment": number, "state": words})
    elif not is_new:
        typer.echo(shell.printable(f"{plan.name} {number}: {words}"), err=True)
    return DONE


@with_flags(*GROUPS.values())
def plan(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="A clip or a sequence.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The plan, a JSON file.")],
    target: Annotated[
        Path | None, typer.Option(help="Where the render goes; by default beside the input.")
    ] = None,
    to: To = None,
    json_lines: Annotated[
        bool, typer.Option("--json", help="Say progress as lines of JSON on the output.")
    ] = False,
    **given: Any,
) -> None:
    """Plan a render for a farm: find its segments. Takes the options of nightfx render."""
    shell.settings.json = json_lines
    own = own_settings(given | {"to": to}, all_options())
    to = to or own.pop("to", "night")
    options = RenderOptions.of(**own | given)
    with shell.progress(source.name) as show:
        show.stage("reading", 0, None)
        from nightfx.process import set_up

        set_up()
        from nightfx.job.inputs import check_render
        from nightfx.job.source_target import check_place, check_shot, find_source
        from nightfx.job.store import check_fresh
        from nightfx.network import load_preset

        preset = load_preset(to)
        check_shot(find_source(source))
        check_free(out, overwrite=options.job.overwrite)
        check_place(out)
        check_fresh(check_render(source, target, preset, options), options)
        from nightfx.job.plan import plan_render

        found = plan_render(
            source, out, target=target, preset=preset, options=options, on_progress=show
        )
    count = len(found.starts or ())
    words = f"segments 0 to {count - 1}" if count > 1 else "one segment, 0"
    shell.say(f"{out}: {words}", {"plan": str(out), "segments": count})


def join(
    plan: Annotated[Path, typer.Argument(help="What nightfx plan wrote.")],
    json_lines: Annotated[bool, typer.Option("--json", help="Say the result as JSON.")] = False,
) -> None:
    """Join the segments of a plan, with the source's sound, when all are rendered."""
    shell.settings.json = json_lines
    check_plan(plan)
    with shell.progress(plan.name, "packets") as show:
        show.stage("reading", 0, None)
        from nightfx.job.join import join_plan

        target = join_plan(plan, show)
    shell.say(str(target), {"target": str(target)})
