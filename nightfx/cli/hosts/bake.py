"""`nightfx bake`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nightfx.cli import shell
from nightfx.cli.flags import To, with_flags
from nightfx.cli.own.config import own_settings
from nightfx.options import FieldOptions, LightOptions, Look, RenderOptions, SourceOptions
from nightfx.options.option import options_in

_GROUPS = (SourceOptions, LightOptions, FieldOptions, Look)
_NOT = ("interlaced", "matte", "matte_invert", "matte_feather", "sky_matte", "baked")


@with_flags(*_GROUPS, also=("overwrite",), but=_NOT)
def bake(
    source: Annotated[Path, typer.Argument(metavar="SHOT", help="A clip or a sequence.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE.nfx", help="The bake.")],
    to: To = None,
    json_lines: Annotated[
        bool, typer.Option("--json", help="Say progress, and what was baked, as lines of JSON.")
    ] = False,
    **given: Any,
) -> None:
    """Write the light of a shot, decided and steadied for every frame, as one file that plugins and `render --baked` put on its plate."""
    shell.settings.json = json_lines
    keys = [one.key for group in _GROUPS for one in options_in(group).values()]
    own = own_settings(given | {"to": to}, set(keys) - set(_NOT))
    to = to or own.pop("to", "night")
    options = RenderOptions.of(**own | given)
    with shell.progress(source.name) as show:
        show.stage("reading", 0, None)
        from nightfx.hosts.targets import check_bake
        from nightfx.network import load_preset

        check_bake(source, out, load_preset(to), options)
        from nightfx.hosts.bake import bake as bake_shot

        made = bake_shot(source, out, preset=to, options=options, on_progress=show)
    shell.say(str(out), {"target": str(out), **made._asdict()})
    if not shell.settings.json:
        per_frame = made.size_bytes / made.frames / 1000
        near = f"{made.mean_db:.1f} dB from the render, at worst {made.least_db:.1f}"
        typer.echo(f"{made.frames} frames, {per_frame:.0f} kB each, {near}")
