"""`nightfx presets save`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from nightfx.cli.flags import To, only, with_flags
from nightfx.options import FieldOptions, LightOptions, Look


@with_flags(Look, also=("method", "working_height", "steady", "overwrite"))
def save(
    name: Annotated[str, typer.Argument(help="What --to will know it by.")],
    to: To = None,
    **given: Any,
) -> None:
    """Keep a look under a name of your own: a preset, and the flags of a render that change its look.

    It lies among the presets of your own, beside none that come along. What is not of a look, such as --codec, may
    stand in your config.toml.
    """
    from nightfx.network import load_preset, save_look

    light, field = only(LightOptions, given), only(FieldOptions, given)
    preset = save_look(
        load_preset(to or "night"),
        name,
        Look(**only(Look, given)),
        overwrite="overwrite" in given,
        method=light.get("method"),
        working_height_px=field.get("working_height"),
        steady=field.get("steady"),
    )
    typer.echo(f"{preset.folder}\nrender with --to {preset.name}")
