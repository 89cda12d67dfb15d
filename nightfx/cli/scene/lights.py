"""`nightfx lights`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nightfx.cli import shell
from nightfx.cli.flags import with_flags
from nightfx.options import RenderOptions, SourceOptions


@with_flags(SourceOptions, also=("device", "overwrite"), but=("interlaced",))
def lights(
    source: Annotated[
        Path, typer.Argument(metavar="INPUT", help="A clip, a picture or a sequence.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", metavar="FILE", help="The list; by default INPUT's name.lights.json."
        ),
    ] = None,
    **given: Any,
) -> None:
    """Find what would be lit by night, and write a list of it that can be edited and given to render --lights."""
    options = RenderOptions.of(**given)
    with shell.progress(source.name) as show:
        show.stage("reading", 0, None)
        from nightfx.mattes.targets import check_lights

        check_lights(source, out, options)
        from nightfx.mattes.lights import list_lights

        path = list_lights(source, out, options=options, on_progress=show)
    typer.echo(str(path))
