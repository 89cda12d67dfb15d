"""`nightfx presets save`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nightfx.cli.flags import To, only, with_flags
from nightfx.errors import UsageError
from nightfx.options import FieldOptions, LightOptions, LightTable, Look

if TYPE_CHECKING:
    from nightfx.network import Preset


@with_flags(Look, also=("method", "working_height", "steady", "lights", "lit_windows", "overwrite"))
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
    base = load_preset(to or "night")
    preset = save_look(
        replace(base, facts=replace(base.facts, lights=_lights(base, LightOptions(**light)))),
        name,
        Look(**only(Look, given)),
        overwrite="overwrite" in given,
        method=light.get("method"),
        working_height_px=field.get("working_height"),
        steady=field.get("steady"),
        said={key: light[key] for key in ("lights", "lit_windows") if key in light},
    )
    typer.echo(f"{preset.folder}\nrender with --to {preset.name}")


def _lights(base: Preset, asked: LightOptions) -> LightTable | None:
    """The lights of the preset with what flags say of them; raises UsageError for what is of one shot, or has none."""
    table = base.facts.lights
    if asked.lights not in ("auto", "off"):
        raise UsageError(f"--lights {asked.lights} is of one shot: a preset keeps auto or off")
    if table is None and asked.lit_windows is not None:
        raise UsageError(f"--lit-windows: {base.name} lights no lamps")
    if asked.lights == "off" or table is None:
        return None
    share = asked.lit_windows
    return table if share is None else replace(table, windows_on=(share, share))
