"""The look's flags, of `nightfx render` and `nightfx preview` alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from nightfx.options.look import Look, Value

PANEL = (
    "The look: a number each, or keyframes such as 0:0,48:1, frames counted from the first rendered"
)


def _flag(words: str) -> typer.models.OptionInfo:
    info: typer.models.OptionInfo = typer.Option(help=words, rich_help_panel=PANEL)
    return info


Strength = Annotated[str, _flag("0 is the plate, 1 the preset with its look.")]
Exposure = Annotated[str | None, _flag("Stops, -10 to 10.")]
Temperature = Annotated[str | None, _flag("Mired, as of gels: -120 (cool) to 300 (warm).")]
Tint = Annotated[str | None, _flag("Duv in thousandths, -50 (green) to 50 (magenta).")]
Saturation = Annotated[str | None, _flag("0 is grey, 1 as it is, 4 at most.")]
Black = Annotated[str | None, _flag("Where black comes to lie, -0.5 to 0.5; white stays.")]
Sky = Annotated[str | None, _flag("How much of a sky by day turns to night, 0 to 1.")]
Glow = Annotated[str | None, _flag("Light that spreads around what is bright, 0 to 4.")]
Grain = Annotated[str | None, _flag("Grain's standard deviation, white being 1; 0 to 0.5.")]
Matte = Annotated[
    Path | None,
    typer.Option(help="Clip, sequence or picture that is white where the look applies."),
]
MatteInvert = Annotated[bool, typer.Option("--matte-invert", help="Black is where it applies.")]
MatteFeather = Annotated[float, typer.Option(metavar="PX", help="How far the matte is blurred.")]


def look_from(params: Mapping[str, Any]) -> Look:
    """The look in the flags of a command; raises UsageError."""
    from nightfx.options.look import Look, value_from

    said = {field.name: params[field.name] for field in fields(Look)}
    return Look(**{name: value_from(name, text) for name, text in said.items() if text})


def strength_from(text: str) -> Value:
    """What `--strength` says; raises UsageError."""
    from nightfx.options.look import value_from

    return value_from("strength", text)
