"""`nightfx hosts`: plugins for other people's programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nightfx.cli import shell
from nightfx.errors import DONE, FAILED

app = typer.Typer(
    no_args_is_help=True, help="Plugins that put a bake on its plate in other programs."
)

Name = Annotated[str, typer.Argument(metavar="frei0r|ofx", help="The plugin.")]
Into = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="The folder of plugins; by default the user's own."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]


def list_hosts(into: Into = None) -> None:
    """Say for each plugin where it is, or would be, and which of its hosts are found here."""
    from nightfx.hosts.install import find_hosts

    for one in find_hosts(into):
        state = "installed" if one.is_installed else "not installed"
        hosts = ", ".join(one.programs) or "no host of it on the path"
        typer.echo(f"{one.name}: {state}, {one.place}; {hosts}")


def install(name: Name, into: Into = None, dry_run: DryRun = False) -> None:
    """Compile a plugin with this machine's C compiler, and put it where its hosts look."""
    from nightfx.hosts.install import INTERFACES, place_of
    from nightfx.hosts.install import install as install_plugin

    if dry_run:
        typer.echo(f"would compile {place_of(name, into)}")
        return
    typer.echo(str(install_plugin(name, into)))
    typer.echo(INTERFACES[name].words)


def uninstall(name: Name, into: Into = None, dry_run: DryRun = False) -> None:
    """Remove a plugin, and the folders that are empty then."""
    from nightfx.hosts.install import place_of
    from nightfx.hosts.install import uninstall as uninstall_plugin

    if dry_run:
        typer.echo(f"would remove {place_of(name, into)}")
        return
    typer.echo(f"removed {uninstall_plugin(name, into)}")


def doctor(into: Into = None) -> int:
    """Say what stands in the way of each plugin; leaves with 1 where one that is installed does not load."""
    from nightfx.hosts.install import find_hosts, problems

    is_broken = False
    for one in find_hosts(into):
        lines = list(problems(one))
        is_broken |= one.is_installed and bool(lines)
        for line in lines or [f"{one.name}: {one.place} loads"]:
            typer.echo(line)
    return FAILED if is_broken else DONE


for _name, _command in (
    *(("list", list_hosts), ("install", install)),
    *(("uninstall", uninstall), ("doctor", doctor)),
):
    app.command(_name)(shell.guarded(_command))
