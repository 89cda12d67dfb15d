"""`nightfx render`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nightfx.cli import plan as planned
from nightfx.cli import shell
from nightfx.cli.flags import To, with_flags
from nightfx.cli.own.config import own_settings
from nightfx.errors import DONE, SOME_FAILED, NightfxError
from nightfx.options import GROUPS, RenderOptions, all_options

if TYPE_CHECKING:
    from nightfx.cli.display import Display
    from nightfx.job.inputs import PlannedRender
    from nightfx.network import Preset


@with_flags(*GROUPS.values())
def render(
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="INPUT…", help="Clips, pictures, sequences (shot.####.exr), or folders of them."
        ),
    ] = None,
    to: To = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Output file; for several inputs a folder.")
    ] = None,
    json_lines: Annotated[
        bool, typer.Option("--json", help="Say progress as lines of JSON on the output.")
    ] = False,
    plan: Annotated[
        Path | None, typer.Option(help="Render a segment of what nightfx plan wrote.")
    ] = None,
    segment: Annotated[
        int | None, typer.Option(help="The number of the segment, from 0 on; with --plan.")
    ] = None,
    **given: Any,
) -> int:
    """Render clips and pictures to night, or to day; each output stands beside its input as NAME.night.EXT.

    A long render that was stopped goes on when it is called again.
    """
    shell.settings.json = json_lines
    if plan is not None or segment is not None:
        return planned.render_planned(plan, segment, inputs)
    if not inputs:
        raise typer.BadParameter("name a clip, a picture, a sequence, or a folder of them")
    own = own_settings(given | {"to": to}, all_options())
    to = to or own.pop("to", "night")
    options = RenderOptions.of(**own | given)
    with shell.progress(inputs[0].name) as show:
        show.stage("reading", 0, None)
        jobs, preset = _planned(inputs, to, out, options)
        errors = list(_refused(jobs, preset, options, show))
        if len(jobs) == 1:
            if errors[0]:
                raise errors[0]
            target = _render_one(jobs[0], preset, options, show)
    if len(jobs) == 1:
        _tell(jobs[0], target)
        return DONE
    for error in filter(None, errors):
        shell.fail(error)
    sound = [job for job, error in zip(jobs, errors, strict=True) if not error]
    failed = len(jobs) - sum(_survives(job, preset, options) for job in sound)
    if failed:
        typer.echo(f"{failed} of {len(jobs)} failed", err=True)
    return SOME_FAILED if failed else DONE


def _planned(
    inputs: list[Path], to: str, out: Path | None, options: RenderOptions
) -> tuple[list[PlannedRender], Preset]:
    """What is to be rendered, and by which preset."""
    from nightfx.process import return_large_blocks, set_up

    set_up()
    from nightfx.job.inputs import plan_renders
    from nightfx.network import load_preset

    preset = load_preset(to)
    if preset.method(options.light.method) == "relight":
        return_large_blocks()
    return plan_renders(inputs, out, preset, options), preset


def _refused(
    jobs: list[PlannedRender], preset: Preset, options: RenderOptions, show: Display
) -> Iterator[NightfxError | None]:
    """Yield why each of them cannot be rendered, as far as it can be known without torch, before the first one is."""
    from nightfx.job.inputs import check_render

    for done, job in enumerate(jobs, start=1):
        error: NightfxError | None = job.error
        try:
            if not error:
                check_render(job.source, job.target, preset, options)
        except NightfxError as found:
            error = found
        yield error
        if len(jobs) > 1:
            show.stage("reading", done, len(jobs))


def _survives(job: PlannedRender, preset: Preset, options: RenderOptions) -> bool:
    try:
        with shell.progress(job.source.name) as show:
            target = _render_one(job, preset, options, show)
        _tell(job, target)
    except NightfxError as error:
        shell.fail(error)
        return False
    return True


def _render_one(job: PlannedRender, preset: Preset, options: RenderOptions, show: Display) -> Path:
    from nightfx.job.render import render as render_file

    show.stage("reading", 0, None)
    return render_file(job.source, job.target, preset=preset, options=options, on_progress=show)


def _tell(job: PlannedRender, target: Path) -> None:
    shell.say(str(target), {"shot": job.source.name, "target": str(target)})
