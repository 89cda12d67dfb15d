"""`nightfx presets list|show|verify|import|distill`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nightfx.cli import shell
from nightfx.cli.flags import complete_preset, only, with_flags
from nightfx.options import DistilOptions, LightOptions

if TYPE_CHECKING:
    from nightfx.network import Preset

app = typer.Typer(no_args_is_help=True, help="The looks that come with nightfx, and your own.")
Name = Annotated[
    str, typer.Argument(help="A preset's name, or its folder.", autocompletion=complete_preset)
]


def list_all(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Look for presets here, in place of the folder that you are in."),
    ] = None,
) -> int:
    """List the presets that come with nightfx, and your own: those of this folder, and those of training runs in it."""
    from nightfx.errors import PresetError
    from nightfx.network import list_presets, load_preset

    if folder is not None and not folder.is_dir():
        raise PresetError(f"{folder}: no such folder: presets show NAME tells of one preset")
    wrong, own = 0, list(list_presets())
    lines = [(preset.name, preset) for preset in own]
    names, known = {preset.name for preset in own}, {preset.folder.resolve() for preset in own}
    for place in _folders_in(folder or Path()):
        if place.resolve() in known:
            continue
        try:
            # a folder called night does not hide the preset night
            said = f"./{place}" if str(place) in names else str(place)
            lines.append((said, load_preset(place.resolve())))
        except PresetError as error:
            wrong = shell.fail(error)
    _print_lines(lines)
    return wrong


def _folders_in(folder: Path) -> list[Path]:
    """The folders of presets in `folder`, and in those of runs, which hold night/ and day/."""
    found = {path.parent for depth in ("*", "*/*") for path in folder.glob(f"{depth}/preset.toml")}
    return sorted(found)


def _print_lines(lines: Sequence[tuple[str, Preset]]) -> None:
    """Print presets, each beside what `--to` takes for it."""
    width = max((len(said) for said, _ in lines), default=0)
    for said, preset in lines:
        only = "" if preset.renders_tiles else " (--method relight only)"
        typer.echo(f"{said:{width}}  {preset.facts.description}{only}")


def show(
    name: Name,
    full: Annotated[
        bool, typer.Option("--full", help="Its whole card, and all that preset.toml says.")
    ] = False,
) -> None:
    """Show a preset on one screen: what it does, its numbers, what it gets wrong."""
    from nightfx.network import load_preset

    preset = load_preset(name)
    if not full:
        from nightfx.cli.own.shown import screen

        for line in screen(preset):
            typer.echo(line, color=True)
        return
    typer.echo(f"{preset.folder}\n")
    typer.echo((preset.folder / "preset.toml").read_text(encoding="utf-8"))
    card = preset.folder / "CARD.md"
    typer.echo(
        card.read_text(encoding="utf-8", errors="replace") if card.exists() else "(no CARD.md)"
    )


def verify(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names or folders; by default all that come along.")
    ] = None,
) -> int:
    """Check weights against their hashes, and run each preset on each backend that is installed."""
    from nightfx.errors import BackendError, PresetError
    from nightfx.network import list_presets, load_preset

    wrong, known = 0, list[str]()
    for name in names or [preset.name for preset in list_presets()]:
        try:
            load_preset(name)
            known.append(name)
        except PresetError as error:
            wrong = shell.fail(error)
    if not known:
        return wrong
    typer.echo(f"verifying {', '.join(known)}", err=True)
    from nightfx.process import wait_briefly

    wait_briefly()
    from nightfx.network import verify_backends, verify_preset

    for name in known:
        try:
            typer.echo(f"{name}: {verify_preset(name)}")
            preset = load_preset(name)
            for line in verify_backends(preset.generator):
                typer.echo(f"{name}: {line}")
            for line in verify_backends(preset.draft) if preset.facts.draft else ():
                typer.echo(f"{name}, draft: {line}")
        except (PresetError, BackendError) as error:
            wrong = shell.fail(error)
    return wrong


def import_one(
    file: Annotated[Path, typer.Argument(metavar="FILE.pth", help="A checkpoint of a CycleGAN.")],
    name: Annotated[
        str | None, typer.Option(help="What to call the preset; by default as the file.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder that the preset's own goes into.")] = Path(),
) -> None:
    """Make a preset of somebody's CycleGAN: ResNet generators of 6 or 9 blocks with instance norm."""
    with shell.progress(file.name) as show:
        show.stage("reading", 0, None)
        from nightfx.errors import PresetError

        if not file.is_file():  # before torch, which takes seconds to import
            raise PresetError(f"{file}: no such file")
        _check_head(file)
        from nightfx.network.checkpoints import import_checkpoint

        preset = import_checkpoint(file, name, out)
    _print_lines([(preset.name, preset)])
    typer.echo(f"its licence is for you to find out; render with --to {out / preset.name}")


def _check_head(file: Path) -> None:
    """Raise PresetError for what begins as no file of torch.save does: an archive, or a pickle."""
    from nightfx.errors import PresetError

    with file.open("rb") as opened:
        head = opened.read(2)
    if head[:1] != b"\x80" and head != b"PK":
        raise PresetError(f"{file}: no checkpoint of torch.save: give the generator's .pth")


@with_flags(DistilOptions, also=("device",), but=("batch", "learning_rate"))
def distill(
    name: Name,
    stills: Annotated[
        Path, typer.Option(help="Folder of any pictures; its subfolders are drawn alike.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="A new folder; by default the preset's own gets the draft.")
    ] = None,
    **given: Any,
) -> None:
    """Teach a small network what a preset's own does: a draft for render --draft, or a narrow one for every render."""
    options = DistilOptions(**only(DistilOptions, given))
    light = LightOptions(**only(LightOptions, given))
    light.check_machine()
    with shell.progress(name, "steps") as progress:
        progress.stage("reading", 0, None)
        from nightfx.network import load_preset
        from nightfx.network.draft import tell_draft
        from nightfx.training.data.folders import check_pictures

        preset = load_preset(name)
        check_pictures(stills)
        from nightfx.process import set_up_training

        set_up_training()
        from nightfx.training.run.distil import distil

        found = distil(*(preset, stills, out, options), device=light.device, on_progress=progress)
    if options.size == "narrow":
        decibels = (found.facts.training or {})["distilled"]["decibels"]
    else:
        assert found.facts.draft
        decibels = found.facts.draft.decibels
    typer.echo(f"{found.folder}: {tell_draft(decibels, options.size)}")


for name, command in (("list", list_all), ("show", show), ("verify", verify)):
    app.command(name)(shell.guarded(command))
app.command("import")(shell.guarded(import_one))
app.command("distill")(shell.guarded(distill))
