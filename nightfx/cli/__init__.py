"""The command line: parse, one library call, print.

Exit codes: 0 done, 1 failed, 2 usage, 3 some of several inputs failed, 75 worth retrying, 130 interrupted, 143 terminated.
Commands import what they need when they run, so that `nightfx --help` answers at once.
"""

from __future__ import annotations

import gc
from typing import Annotated

import typer

import nightfx
from nightfx.cli import (
    batch,
    evaluate,
    farm,
    plan,
    presets,
    render,
    shell,
    tools,
)
from nightfx.cli.export import commands as export
from nightfx.cli.flags import NamingPresets
from nightfx.cli.hosts import bake
from nightfx.cli.hosts import commands as hosts
from nightfx.cli.look import preview, studio
from nightfx.cli.own import save
from nightfx.cli.scene import lights, mattes
from nightfx.cli.training import dataset, reproduce, train, train_scene

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Turn day footage into night, and night into day, for film.",
)
app.command("render", cls=NamingPresets)(shell.guarded(render.render))
app.command("preview", cls=NamingPresets)(shell.guarded(preview.preview))
app.command("studio")(shell.guarded(studio.studio))
app.command("mattes")(shell.guarded(mattes.mattes))
app.command("lights")(shell.guarded(lights.lights))
app.command("batch", cls=NamingPresets)(shell.guarded(batch.batch))
app.command("bake", cls=NamingPresets)(shell.guarded(bake.bake))
app.command("plan", cls=NamingPresets)(shell.guarded(plan.plan))
app.command("join")(shell.guarded(plan.join))
app.command("train")(shell.guarded(train.train))
app.command("train-scene")(shell.guarded(train_scene.train_scene))
app.command("probe")(shell.guarded(tools.probe))
app.command("verify")(shell.guarded(tools.verify))
app.command("evaluate")(shell.guarded(evaluate.evaluate))
app.command("reproduce")(shell.guarded(reproduce.reproduce))
app.command("doctor")(shell.guarded(tools.doctor))
app.add_typer(dataset.app, name="dataset")
app.add_typer(export.app, name="export")
app.add_typer(farm.app, name="farm")
app.add_typer(hosts.app, name="hosts")
presets.app.command("save", cls=NamingPresets)(shell.guarded(save.save))
app.add_typer(presets.app, name="presets")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nightfx {nightfx.__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show a traceback where an error ends the command.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Options that stand before every command."""
    shell.settings.debug = debug


def main() -> None:
    """The program `nightfx`."""
    shell.listen()
    try:
        app()
    finally:
        gc.freeze()  # the last collection would look through all that PyTorch made: a second after the last line
