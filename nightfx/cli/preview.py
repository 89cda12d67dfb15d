"""`nightfx preview`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nightfx.cli import look as flags


def preview(
    context: typer.Context,
    source: Annotated[
        Path, typer.Argument(metavar="INPUT", help="A clip, a picture or a sequence.")
    ],
    to: Annotated[str, typer.Option(help="night, day, or the folder of a preset.")] = "night",
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="PNG; by default NAME.preview.png beside it.")
    ] = None,
    frame: Annotated[
        int | None, typer.Option(min=0, help="Frame: from 0, or a sequence's own number.")
    ] = None,
    at: Annotated[
        float | None, typer.Option(min=0, help="Second; by default the middle frame is shown.")
    ] = None,
    scopes: Annotated[bool, typer.Option("--scopes", help="Add waveforms and histograms.")] = False,
    method: Annotated[
        str | None, typer.Option(help="relight or tiles; by default the preset's own.")
    ] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Use the preset's small network.")] = False,
    strength: flags.Strength = "1",
    exposure: flags.Exposure = None,
    temperature: flags.Temperature = None,
    tint: flags.Tint = None,
    saturation: flags.Saturation = None,
    black: flags.Black = None,
    sky: flags.Sky = None,
    glow: flags.Glow = None,
    grain: flags.Grain = None,
    matte: flags.Matte = None,
    matte_invert: flags.MatteInvert = False,
    matte_feather: flags.MatteFeather = 0.0,
    input_space: Annotated[
        str | None, typer.Option(help="What the source's signal stands for, as of render.")
    ] = None,
    ocio: Annotated[
        str | None, typer.Option(help="OpenColorIO config that --input-space is a name of.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing preview.")
    ] = False,
) -> None:
    """Show one frame as plate, wipe and render, and under every preset, on a sheet: a PNG."""
    from nightfx.options.render import RenderOptions
    from nightfx.preview.preview import preview as draw

    options = RenderOptions(
        method=method,  # type: ignore[arg-type]  # checked by RenderOptions
        draft=draft,
        strength=flags.strength_from(strength),
        look=flags.look_from(context.params),
        matte=matte,
        matte_invert=matte_invert,
        matte_feather=matte_feather,
        input_space=input_space,
        ocio=ocio,
        overwrite=overwrite,
    )
    path = draw(source, out, preset=to, options=options, frame=frame, at_seconds=at, scopes=scopes)
    typer.echo(str(path))
