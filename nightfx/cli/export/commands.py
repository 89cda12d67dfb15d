"""`nightfx export cube` and `nightfx export cdl`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nightfx.cli import shell
from nightfx.cli.flags import NamingPresets, To, with_flags
from nightfx.cli.own.config import own_settings
from nightfx.options import FieldOptions, LightOptions, Look, RenderOptions, SourceOptions
from nightfx.options.option import options_in

if TYPE_CHECKING:
    from nightfx.export.fidelity import Fidelity

app = typer.Typer(
    no_args_is_help=True, help="The global part of a look, as colourists and editors load it."
)

_GROUPS = (SourceOptions, LightOptions, FieldOptions, Look)
_NOT = ("interlaced", "matte", "matte_invert", "matte_feather", "baked")
_with_look = with_flags(*_GROUPS, also=("overwrite",), but=_NOT)

Shot = Annotated[Path, typer.Argument(metavar="INPUT", help="A clip, a picture or a sequence.")]
JsonLines = Annotated[
    bool,
    typer.Option(
        "--json", help="Say progress, and how near it comes, as lines of JSON on the output."
    ),
]


@_with_look
def cube(
    source: Shot,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE.cube", help="The LUT.")],
    to: To = None,
    size: Annotated[
        int, typer.Option(metavar="17|33|65", help="Points of the LUT along each side.")
    ] = 33,
    json_lines: JsonLines = False,
    **given: Any,
) -> None:
    """Write the 3D LUT that comes nearest to a shot's render, a .cube, and say how near it comes.

    A handful of frames is rendered for it. Lamps, which are of a place and not of a colour, are not in it; of the night sky, what has colours of its own.
    """
    shell.settings.json = json_lines
    to, options = _asked(given, to)
    with shell.progress(source.name) as show:
        show.stage("reading", 0, None)
        from nightfx.export.targets import CUBE_SUFFIXES, check_export, check_size
        from nightfx.network import load_preset

        check_size(size)
        check_export(source, out, CUBE_SUFFIXES, load_preset(to), options)
        from nightfx.export.export import export_cube

        near = export_cube(source, out, size=size, preset=to, options=options, on_progress=show)
    _tell(out, near)


@_with_look
def cdl(
    source: Shot,
    out: Annotated[
        Path,
        typer.Option(
            "-o",
            "--out",
            metavar="FILE",
            help="The CDL: .cc, .cdl (a list) or .ccc (a collection).",
        ),
    ],
    to: To = None,
    json_lines: JsonLines = False,
    **given: Any,
) -> None:
    """Write the ASC CDL that comes nearest to a shot's render, as XML, and say how near it comes.

    A handful of frames is rendered for it. Night sky and lamps, which are of a place and not of a colour, are not in it.
    """
    shell.settings.json = json_lines
    to, options = _asked(given, to)
    with shell.progress(source.name) as show:
        show.stage("reading", 0, None)
        from nightfx.export.targets import CDL_SUFFIXES, check_export
        from nightfx.network import load_preset

        check_export(source, out, CDL_SUFFIXES, load_preset(to), options)
        from nightfx.export.export import export_cdl

        near = export_cdl(source, out, preset=to, options=options, on_progress=show)
    _tell(out, near)


def _asked(given: dict[str, Any], to: str | None) -> tuple[str, RenderOptions]:
    """The preset and the options of flags and of the user's own settings."""
    keys = [one.key for group in _GROUPS for one in options_in(group).values()]
    own = own_settings(given | {"to": to}, set(keys) - set(_NOT))
    to = to or own.pop("to", "night")
    return to, RenderOptions.of(**own | given)


def _tell(target: Path, near: Fidelity) -> None:
    shell.say(str(target), {"target": str(target), **near.facts()})
    for line in () if shell.settings.json else near.lines():
        typer.echo(line)


for name, command in (("cube", cube), ("cdl", cdl)):
    app.command(name, cls=NamingPresets)(shell.guarded(command))
