"""`nightfx mattes`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nightfx.cli import shell
from nightfx.cli.flags import with_flags
from nightfx.options import RenderOptions, SourceOptions


@with_flags(
    SourceOptions,
    also=("working_height", "steady", "device", "overwrite", "fresh"),
    but=("interlaced",),
)
def mattes(
    source: Annotated[
        Path, typer.Argument(metavar="INPUT", help="A clip, a picture or a sequence.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder; made where it is missing.")],
    kinds: Annotated[
        str,
        typer.Option(
            help="What of: sky is sure; ground, wall and leaves are good at large; vehicle and window are rough; "
            "sign, lamp, front-lamp, rear-lamp and person are found seldom.",
            metavar="KIND,...",
        ),
    ] = "sky",
    files: Annotated[
        bool, typer.Option("--files", help="A PNG for each frame of a clip, not a clip.")
    ] = False,
    **given: Any,
) -> None:
    """Write mattes of a plate: 16-bit grey, white being sky, or what --kinds names; NAME.sky.png, or .mkv of a clip.

    What was stopped goes on from there when the same command is run again.
    """
    options = RenderOptions.of(**given)
    with shell.progress(source.name) as show:
        show.stage("reading", 0, None)
        from nightfx.mattes.targets import check_mattes, kinds_of

        wanted = kinds_of(kinds)
        check_mattes(source, out, wanted, options)
        from nightfx.mattes.mattes import write_mattes

        paths = write_mattes(
            *(source, out),
            kinds=wanted,
            options=options,
            files=files,
            on_progress=show,
        )
    for path in paths:
        typer.echo(str(path))
