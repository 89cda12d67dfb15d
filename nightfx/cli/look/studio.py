"""`nightfx studio`."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from nightfx.cli.own.config import own_settings
from nightfx.errors import UsageError, install_words
from nightfx.options import all_options

_NEEDS = ("starlette", "uvicorn")
_MOST_PORT = 65535


def studio(
    source: Annotated[
        Path, typer.Argument(metavar="SHOT|FOLDER", help="A clip, a sequence, or a folder of them.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", help="Folder for the renders; by default night beside the shots."
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=_MOST_PORT, help="Port on this machine; 0 is any free one.")
    ] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
    ] = True,
) -> None:
    """Open a page in the browser in which a look is found by looking, and lamps are placed; Ctrl-C closes it.

    What is said there is kept in the nightfx.toml and the list of lights beside each shot, which nightfx batch reads. The
    page is for this machine alone, behind the token in its address.
    """
    if missing := [name for name in _NEEDS if find_spec(name) is None]:
        raise UsageError(f"nightfx studio needs {missing[0]}: {install_words('studio')}")
    own = own_settings({}, all_options())
    from nightfx.process import set_up
    from nightfx.studio.studio import Studio
    from nightfx.studio.web.serve import serve

    set_up()
    room = Studio(source, out, own)
    try:
        serve(room, port, typer.echo, browser=browser)
    finally:
        typer.echo("closing the studio: what it is computing is finished first", err=True)
        room.close()
    typer.echo("the studio is closed; what was said is in the files beside the shots", err=True)
