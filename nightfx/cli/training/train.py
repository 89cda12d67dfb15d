"""`nightfx train`."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nightfx.cli import shell
from nightfx.cli.flags import only, with_flags
from nightfx.cli.training.stopping import whole_steps
from nightfx.cli.training.table import drawn_table
from nightfx.cli.training.told import say, tell_of, verdicts
from nightfx.disk import check_folder
from nightfx.errors import UsageError
from nightfx.options import LightOptions, PairedOptions, PictureOptions, RecipeOptions

if TYPE_CHECKING:
    from nightfx.training.data.listed import Listed
    from nightfx.training.sets.mixed import Mixed


@with_flags(PictureOptions, RecipeOptions, also=("device",))
def train(
    out: Annotated[
        Path, typer.Option(help="Folder of the run; holds the presets night/ and day/.")
    ],
    sources: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[SOURCE]…",
            help="Pictures, clips and folders of both classes, sorted by their brightness.",
        ),
    ] = None,
    recipe: Annotated[
        str, typer.Option(help="relit, quick, paper-1, paper-2 or paper-3.")
    ] = "relit",
    resume: Annotated[
        bool, typer.Option("--resume", help="Refuse to start where there is no run to go on with.")
    ] = False,
    **given: Any,
) -> None:
    """Train a look from pictures and clips, or from a shot --before and --after; Ctrl-C saves it, and the same command goes on where it stopped.

    Several GPUs: torchrun --nproc-per-node 2 -m nightfx train ...
    """
    chosen = PictureOptions(**only(PictureOptions, given))
    if chosen.before:
        if sources:
            raise UsageError(
                f"{sources[0]}: is not for a run by --before and --after; leave it out"
            )
        _train_pairs(chosen, RecipeOptions(**only(RecipeOptions, given)), out, given)
        return
    settings = RecipeOptions(**only(RecipeOptions, given)).words()
    light = LightOptions(**only(LightOptions, given))
    light.check_machine()
    with shell.progress(out.name, "steps") as show:
        show.stage("reading", 0, None)
        from nightfx.network import load_preset
        from nightfx.training.run.place import refuse_folder
        from nightfx.training.run.recipes import get_recipe
        from nightfx.training.sets.mixed import Mixed

        arms = get_recipe(recipe, settings)
        for start in filter(None, {each.start for each in arms.values()}):
            load_preset(start)
        pictures = _choose(tuple(sources or ()), chosen, out)
        refuse_folder(out / next(iter(arms)), resume=resume)
        if isinstance(pictures, Mixed):
            pictures = _gather(pictures, out)
        from nightfx.process import set_up_training

        set_up_training()
        from nightfx.training.run.trainer import train as train_presets

    last: dict[str, float] = {}
    table = partial(drawn_table, last) if _is_first() else None
    for arm, options in arms.items():
        last.clear()
        with whole_steps() as stop, shell.progress(arm or out.name, "steps", table) as show:
            train_presets(
                *pictures,
                *(out / arm, options),
                day_held_out=chosen.day_held_out,
                night_held_out=chosen.night_held_out,
                device=light.device,
                resume=resume,
                plate=chosen.plate,
                on_progress=tell_of(show, stop, last, in_table=shell.has_bars()),
            )
        resume = False  # the first run was there; those after it may not have begun
        if _is_first():
            for line in verdicts(last):
                say(line)
            typer.echo(f"{out / arm / 'night'}\n{out / arm / 'day'}")


def _choose(
    sources: tuple[Path, ...], chosen: PictureOptions, out: Path
) -> tuple[Path | Listed, Path | Listed] | Mixed:
    """Days and nights as they lie, or what they are to be made of; raises for what can be known to be none."""
    from nightfx.training.data.folders import check_pictures
    from nightfx.training.data.listed import choose_pictures
    from nightfx.training.sets.mixed import Mixed, check_mixed, holds_clips

    if sources and (chosen.csv or chosen.where):
        raise UsageError("give the pictures as SOURCE, as --day and --night, or as --csv")
    if sources or (chosen.day and chosen.night and any(map(holds_clips, chosen.sides))):
        mixed = Mixed(sources, chosen.day, chosen.night)
        check_mixed(mixed, out)
        check_pictures(chosen.day_held_out, chosen.night_held_out)
        return mixed
    pictures = choose_pictures(chosen.day, chosen.night, chosen.csv, chosen.where)
    check_pictures(*pictures, chosen.day_held_out, chosen.night_held_out)
    return pictures


def _gather(mixed: Mixed, out: Path) -> tuple[Listed, Listed]:
    """The pictures made of `mixed` by the first of several processes; the others wait for them."""
    from nightfx.training.sets.mixed import gather, is_gathered

    while not _is_first() and not is_gathered(out):
        time.sleep(0.2)
    with shell.progress(f"{out.name}: pictures", "files") as show:
        return gather(mixed, out, on_progress=show)


def _train_pairs(
    chosen: PictureOptions, recipe: RecipeOptions, out: Path, given: Mapping[str, Any]
) -> None:
    """Learn a look from a shot before and after; raises `UsageError` for settings that such a run has not."""
    settings = dict(word.split("=", 1) for word in recipe.words() if "=" in word)
    if unknown := settings.keys() - {"steps", "seed"}:
        words = "a run by --before and --after takes --steps and --seed"
        raise UsageError(f"{min(unknown)}={settings[min(unknown)]}: {words}")
    options = PairedOptions(**{name: int(value) for name, value in settings.items()})
    light = LightOptions(**only(LightOptions, given))
    light.check_machine()
    with shell.progress(out.name, "steps") as show:
        show.stage("reading", 0, None)
        from nightfx.training.paired.match import check_sides

        assert chosen.before
        assert chosen.after
        check_sides(chosen.before, chosen.after)
        check_folder(out)
        from nightfx.process import set_up_training

        set_up_training()
        from nightfx.training.paired.run import train_pairs

    with whole_steps() as stop, shell.progress(out.name, "steps") as show:
        report = train_pairs(
            *(chosen.before, chosen.after, out, options),
            device=light.device,
            on_progress=tell_of(show, stop),
        )
    typer.echo(f"{report.words}\n{report.preset}")


def _is_first() -> bool:
    """Whether this is the one of several processes of a run that speaks."""
    return os.environ.get("RANK", "0") == "0"
