"""`nightfx presets list|show|verify`."""

from __future__ import annotations

from typing import Annotated

import typer

from nightfx.cli import shell

app = typer.Typer(no_args_is_help=True, help="The looks that come with nightfx, and your own.")
Name = Annotated[str, typer.Argument(help="A preset's name, or its folder.")]


def list_all() -> None:
    """List the presets that come with nightfx."""
    from nightfx.presets import list_presets

    for preset in list_presets():
        typer.echo(f"{preset.name:12} {preset.facts.description}")


def show(name: Name) -> None:
    """Show what a preset is made of: its facts and its card."""
    from nightfx.presets import load_preset

    preset = load_preset(name)
    typer.echo(f"{preset.folder}\n")
    typer.echo((preset.folder / "preset.toml").read_text(encoding="utf-8"))
    card = preset.folder / "CARD.md"
    typer.echo(
        card.read_text(encoding="utf-8", errors="replace") if card.exists() else "(no CARD.md)"
    )


def verify(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names or folders; by default all that come along.")
    ] = None,
) -> int:
    """Check weights against their hashes, and run each preset on each backend that is installed."""
    from nightfx.engine.backends import verify_backends
    from nightfx.errors import BackendError, PresetError
    from nightfx.presets import list_presets, load_preset, verify_preset

    wrong = 0
    for name in names or [preset.name for preset in list_presets()]:
        try:
            typer.echo(f"{name}: {verify_preset(name)}")
            for line in verify_backends(load_preset(name).generator):
                typer.echo(f"{name}: {line}")
        except (PresetError, BackendError) as error:
            wrong = shell.fail(error)
    return wrong


for name, command in (("list", list_all), ("show", show), ("verify", verify)):
    app.command(name)(shell.guarded(command))
