"""`nightfx preview`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    frames: Annotated[
        int | None,
        typer.Option(
            help="Show so many frames, from the first to the last, each in a row; a number, where render takes a range."
        ),
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUES",
            help="Show the frame with each value of a number of the look or the light, or under each preset: exposure=-1,0,1 or to=night,blue-hour. Given twice: a grid; with --frames: a row for each frame.",
        ),
    ] = None,
    scopes: Annotated[bool, typer.Option("--scopes", help="Add waveforms and histograms.")] = False,
    **given: Any,
) -> None:
    """Show one frame as plate, wipe and render on a sheet, a PNG; below, the other presets for such plates, and the chosen one weaker where there is room. Or several frames, or values of a look side by side."""
    keys = [one.key for group in _SHOWN for one in options_in(group).values()]
    own = own_settings(given | {"to": to}, set(keys) - {"start", "end", "frames"})
    to = to or own.pop("to", "night")
    options = RenderOptions.of(**own | given)
    varied = _varied(vary or ())
    with shell.progress(source.name) as show:
        show.stage("reading", 0, None)
        _check(source, out, to, options, (frame, at, frames), varied, scopes=scopes)
        from nightfx.preview.preview import preview as draw

        path = draw(
            source,
            out,
            preset=to,
            options=options,
            frame=frame,
            at_seconds=at,
            scopes=scopes,
            frames=frames,
            vary=varied,
            on_progress=show,
        )
    typer.echo(str(path))


def _varied(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    from nightfx.preview.vary import vary_from

    return vary_from(texts)


def _check(
    source: Path,
    out: Path | None,
    to: str,
    options: RenderOptions,
    wanted: tuple[int | None, float | None, int | None],
    vary: Mapping[str, Sequence[str]],
    *,
    scopes: bool,
) -> None:
    """Raise what can be known without torch, which takes seconds to import."""
    from nightfx.job.asked import check_options
    from nightfx.job.matte import open_mattes
    from nightfx.network import load_preset
    from nightfx.preview.pick import Asked, pick_frames, sheet_of
    from nightfx.preview.vary import check_sheet, variants_of

    source, _ = sheet_of(source, out, options)
    preset = load_preset(to)
    check_options(options, preset)
    check_sheet(wanted[-1], vary, len(variants_of(preset, options, vary)), scopes=scopes)
    with open_mattes(options.light, options.source):
        pass
    picked = pick_frames(source, options, Asked(*wanted))[0]
    with open_mattes(options.light, options.source, picked.info):
        pass
