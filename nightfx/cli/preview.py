"""`nightfx preview`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nightfx.cli import shell
from nightfx.cli.flags import To, with_flags
from nightfx.cli.own.config import own_settings
from nightfx.options import FieldOptions, LightOptions, Look, RenderOptions, SourceOptions
from nightfx.options.option import options_in

_SHOWN = (SourceOptions, LightOptions, FieldOptions, Look)


@with_flags(
    *_SHOWN,
    also=("overwrite",),
    but=("start", "end", "frames"),
)
def preview(
    source: Annotated[
        Path, typer.Argument(metavar="INPUT", help="A clip, a picture or a sequence.")
    ],
    to: To = None,
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
    """Show one frame as plate, wipe and render on a sheet, a PNG; below, the other presets for such plates, and the chosen one weaker where there is room."""
    keys = [one.key for group in _SHOWN for one in options_in(group).values()]
    own = own_settings(given | {"to": to}, set(keys) - {"start", "end", "frames"})
    to = to or own.pop("to", "night")
    options = RenderOptions.of(**own | given)
    with shell.progress(source.name) as show:
        show.stage("reading", 0, None)
        _check(source, out, to, options, frame, at)
        from nightfx.preview.preview import preview as draw

        path = draw(
            source,
            out,
            preset=to,
            options=options,
            frame=frame,
            at_seconds=at,
            scopes=scopes,
            on_progress=show,
        )
    typer.echo(str(path))


def _check(
    source: Path,
    out: Path | None,
    to: str,
    options: RenderOptions,
    frame: int | None,
    at: float | None,
) -> None:
    """Raise what can be known without torch, which takes seconds to import."""
    from nightfx.job.matte import open_mattes
    from nightfx.job.render_job import check_options
    from nightfx.network import load_preset
    from nightfx.preview.pick import pick_frame, sheet_of

    source, _ = sheet_of(source, out, options)
    check_options(options, load_preset(to))
    with open_mattes(options.light, options.source):
        pass
    picked = pick_frame(source, options, frame, at)
    with open_mattes(options.light, options.source, picked.info):
        pass
