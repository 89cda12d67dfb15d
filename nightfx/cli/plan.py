"""`nightfx plan` and `nightfx join`, and what `nightfx render` does with a plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nightfx.cli import shell
from nightfx.cli.flags import with_flags
from nightfx.errors import DONE
from nightfx.options import GROUPS, RenderOptions


def render_planned(plan: Path | None, number: int | None, inputs: list[Path] | None) -> int:
    """Render a segment of a plan."""
    from nightfx.job.process import set_up

    if plan is None or number is None or inputs:
        raise typer.BadParameter("--plan FILE and --segment NUMBER go together, without an input")
    set_up()
    from nightfx.job.plan import render_segment

    with shell.progress(f"{plan.name} {number}") as show:
        render_segment(plan, number, show)
    return DONE


@with_flags(*GROUPS.values())
def plan(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="A clip or a sequence.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The plan, a JSON file.")],
    target: Annotated[
        Path | None, typer.Option(help="Where the render goes; by default beside the input.")
    ] = None,
    to: Annotated[str, typer.Option(help="night, day, or the folder of a preset.")] = "night",
    json_lines: Annotated[
        bool, typer.Option("--json", help="Say progress as lines of JSON on the output.")
    ] = False,
    **given: Any,
) -> None:
    """Plan a render for a farm: find its segments. Takes the options of nightfx render."""
    shell.settings.json = json_lines
    options = RenderOptions.of(**given)
    from nightfx.job.process import set_up

    set_up()
    from nightfx.job.plan import plan_render

    with shell.progress(source.name) as show:
        found = plan_render(
            source, out, target=target, preset=to, options=options, on_progress=show
        )
    count = len(found.starts or ())
    shell.say(f"{out}: segments 0 to {count - 1}", {"plan": str(out), "segments": count})


def join(
    plan: Annotated[Path, typer.Argument(help="What nightfx plan wrote.")],
    json_lines: Annotated[bool, typer.Option("--json", help="Say the result as JSON.")] = False,
) -> None:
    """Join the segments of a plan, with the source's sound, when all are rendered."""
    from nightfx.job.plan import join_plan

    shell.settings.json = json_lines
    target = join_plan(plan)
    shell.say(str(target), {"target": str(target)})
