"""`nightfx plan` and `nightfx join`, and what `nightfx render` does with a plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nightfx.cli import shell

if TYPE_CHECKING:
    from nightfx.options.render import RenderOptions


def render_planned(plan: Path | None, number: int | None, inputs: list[Path] | None) -> int:
    """Render a segment of a plan."""
    from nightfx.job.process import set_up

    if plan is None or number is None or inputs:
        raise typer.BadParameter("--plan FILE and --segment NUMBER go together, without an input")
    set_up()
    from nightfx.job.plan import render_segment

    with shell.progress(f"{plan.name} {number}") as show:
        render_segment(plan, number, show)
    return 0


def plan_to_file(
    inputs: list[Path], plan: Path, target: Path | None, to: str, options: RenderOptions
) -> int:
    """Write the plan of a render."""
    from nightfx.job.plan import plan_render

    if len(inputs) > 1:
        raise typer.BadParameter("a plan is of one clip or sequence")
    with shell.progress(inputs[0].name) as show:
        found = plan_render(
            inputs[0], plan, target=target, preset=to, options=options, on_progress=show
        )
    count = len(found.starts or ())
    shell.say(f"{plan}: segments 0 to {count - 1}", {"plan": str(plan), "segments": count})
    return 0


def plan(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="A clip or a sequence.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The plan, a JSON file.")],
    target: Annotated[
        Path | None, typer.Option(help="Where the render goes; by default beside the input.")
    ] = None,
) -> None:
    """Plan a render for a farm: find its segments. Takes every flag of nightfx render, too."""
    words = [str(source), "--plan-to", str(out), *context.args]
    words += ["-o", str(target)] if target else []
    group: Any = context.find_root().command
    command = group.commands["render"]
    with command.make_context("plan", words, parent=context.parent) as inner:
        command.invoke(inner)


def join(
    plan: Annotated[Path, typer.Argument(help="What nightfx plan wrote.")],
    json_lines: Annotated[bool, typer.Option("--json", help="Say the result as JSON.")] = False,
) -> None:
    """Join the segments of a plan, with the source's sound, when all are rendered."""
    from nightfx.job.plan import join_plan

    shell.settings.json = json_lines
    target = join_plan(plan)
    shell.say(str(target), {"target": str(target)})
