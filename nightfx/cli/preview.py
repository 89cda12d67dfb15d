"""`nightfx preview`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nightfx.cli.flags import with_flags
from nightfx.options import FieldOptions, LightOptions, Look, RenderOptions, SourceOptions


@with_flags(
    *(SourceOptions, LightOptions, FieldOptions, Look),
    also=("overwrite",),
    but=("start", "end", "frames"),
)
def preview(
    source: Annotated[
        Path, typer.Argument(metavar="INPUT", help="A clip, a picture or a sequence.")
    ],
    to: Annotated[str, typer.Option(help="night, day, or the folder of a preset.")] = "night",
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="PNG; by default NAME.preview.png beside it.")
    ] = None,
    frame: Annotated[
        int | None,
        typer.Option(min=0, help="Frame: its file's number; those of a clip count from 1001."),
    ] = None,
    at: Annotated[
        float | None, typer.Option(min=0, help="Second; by default the middle frame is shown.")
    ] = None,
    scopes: Annotated[bool, typer.Option("--scopes", help="Add waveforms and histograms.")] = False,
    **given: Any,
) -> None:
    """Show one frame as plate, wipe and render, and under every preset, on a sheet: a PNG."""
    options = RenderOptions.of(**given)
    from nightfx.preview.preview import preview as draw

    path = draw(source, out, preset=to, options=options, frame=frame, at_seconds=at, scopes=scopes)
    typer.echo(str(path))
