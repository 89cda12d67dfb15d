"""`nightfx train`."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from nightfx.cli import shell
from nightfx.cli.flags import only, with_flags
from nightfx.disk import check_folder
from nightfx.errors import UsageError
from nightfx.options import LightOptions, PairedOptions, PictureOptions, RecipeOptions


@with_flags(PictureOptions, RecipeOptions, also=("device",))
def train(
    out: Annotated[
        Path, typer.Option(help="Folder of the run; holds the presets night/ and day/.")
    ],
    recipe: Annotated[
        str, typer.Option(help="relit, quick, paper-1, paper-2 or paper-3.")
    ] = "relit",
    resume: Annotated[
        bool, typer.Option("--resume", help="Refuse to start where there is no run to go on with.")
    ] = False,
    **given: Any,
) -> None:
    """Train a look from two folders of pictures, or from a shot --before and --after; Ctrl-C saves it, and the same command goes on where it stopped.

    Several GPUs: torchrun --nproc-per-node 2 -m nightfx train ...
    """
    chosen = PictureOptions(**only(PictureOptions, given))
    if chosen.before:
        _train_pairs(chosen, RecipeOptions(**only(RecipeOptions, given)), out, given)
        return
    settings = RecipeOptions(**only(RecipeOptions, given)).words()
    light = LightOptions(**only(LightOptions, given))
    light.check_machine()
    with shell.progress(out.name, "steps") as show:
        show.stage("reading", 0, None)
        from nightfx.network import load_preset
        from nightfx.training.data.folders import check_pictures
        from nightfx.training.data.listed import choose_pictures
        from nightfx.training.run.place import refuse_folder
        from nightfx.training.run.recipes import get_recipe

        arms = get_recipe(recipe, settings)
        for start in filter(None, {each.start for each in arms.values()}):
            load_preset(start)
        pictures = choose_pictures(chosen.day, chosen.night, chosen.csv, chosen.where)
        check_pictures(*pictures, chosen.day_held_out, chosen.night_held_out)
        refuse_folder(out / next(iter(arms)), resume=resume)
        from nightfx.job.process import set_up_training

        set_up_training()
        from nightfx.training.run.trainer import train as train_presets

    last: dict[str, float] = {}
    for arm, options in arms.items():
        with whole_steps() as stop, shell.progress(arm or out.name, "steps") as show:
            train_presets(
                *pictures,
                *(out / arm, options),
                day_held_out=chosen.day_held_out,
                night_held_out=chosen.night_held_out,
                device=light.device,
                resume=resume,
                plate=chosen.plate,
                on_progress=_teller(show, stop, last),
            )
        resume = False  # the first run was there; those after it may not have begun
        if _is_first():
            for line in _verdicts(last):
                _say(line)
            typer.echo(f"{out / arm / 'night'}\n{out / arm / 'day'}")


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
        from nightfx.job.process import set_up_training

        set_up_training()
        from nightfx.training.paired.run import train_pairs

    with whole_steps() as stop, shell.progress(out.name, "steps") as show:
        report = train_pairs(
            *(chosen.before, chosen.after, out, options),
            device=light.device,
            on_progress=_teller(show, stop),
        )
    typer.echo(f"{report.words}\n{report.preset}")


def _teller(
    show: Callable[[int, int | None], None],
    stop: Callable[[], None],
    last: dict[str, float] | None = None,
) -> Callable[[int, int, dict[str, float]], None]:
    """What tells of a run: where it goes on, its losses now and then, and each new distance; it ends where asked to.

    `last` gets what was told last.
    """
    begun, measured, told_at, losses = False, "", time.monotonic(), ""

    def tell(step: int, total: int, told: dict[str, float]) -> None:
        nonlocal begun, measured, told_at, losses
        if last is not None:
            last.update(told)
        distances, newest, now = _distances(told), _losses(told), time.monotonic()
        if not begun and step:
            words = "has made all its steps:" if step == total else "resuming at"
            _say(f"{words} step {step:,} of {total:,}; {distances or 'no distance yet'}")
        elif newest != losses and (distances != measured or now - told_at > _LOSSES_SECONDS):
            _say(f"step {step:,}: {newest}")
            told_at, losses = now, newest
        if begun and distances != measured:
            _say(f"step {step:,}: {distances}")
        begun, measured = True, distances
        show(step, total)
        stop()

    return tell


def _say(words: str) -> None:
    # not by typer: it would write past the bar, which stands in for stderr
    print(words, file=sys.stderr)


def _losses(told: Mapping[str, float]) -> str:
    """The losses of a step in a terminal's line, those of both ways round together."""
    pairs = {"generators": ("G_AB", "G_BA"), "discriminators": ("D_A", "D_B")}
    parts = [
        f"{words} {told[one]:.3g} {told[other]:.3g}"
        for words, (one, other) in pairs.items()
        if one in told
    ]
    paired = {name for pair in pairs.values() for name in pair}
    rest = (name for name in told if name not in paired and not name.startswith("distance"))
    return ", ".join([*parts, *(f"{name} {told[name]:.3g}" for name in rest)])


def _distances(told: Mapping[str, float]) -> str:
    """How far held-out pictures are from real ones, and the step whose preset is kept; lower is better."""
    parts = []
    for name in ("distance to night", "distance to day"):
        if name in told:
            best, step = told[f"{name}, best"], int(told[f"{name}, best step"])
            kept = "the best so far" if told[name] <= best else f"best {best:.3f} at step {step:,}"
            structure = told.get(f"{name}, structure")
            words = "" if structure is None else f", structure {structure:.2f}"
            parts.append(f"{name} {told[name]:.3f} ({kept}){words}")
    return ", ".join(parts)


def _verdicts(told: Mapping[str, float]) -> Iterator[str]:
    """A plain line on each preset that is kept."""
    from nightfx.training.run.progress import LEAST_STRUCTURE

    for to in ("night", "day"):
        name = f"distance to {to}"
        structure = told.get(f"{name}, best structure")
        if structure is None:
            continue
        best, plates = told[f"{name}, best"], told[f"{name}, plates"]
        verdict = "usable"
        if structure < LEAST_STRUCTURE:
            verdict = "hold on: it paints another picture"
        elif best > _NEARER * plates:
            verdict = "hold on: hardly nearer to real ones than the plates"
        # plates are not a number where an older version measured them not
        beside = "" if math.isnan(plates) else f" (the plates: {plates:.2f})"
        yield f"{to}: {verdict}; distance {best:.2f}{beside}, structure {structure:.2f}"


_NEARER = 0.75  # of the plates' distance, that a usable preset has at most
_LOSSES_SECONDS = 15.0  # between two lines of losses, where no distance is measured
_STOPPING = b"\nstopping when this step is made and saved; once more stops at once\n"
_AGAIN_SECONDS = (
    1.0  # a launcher passes on the signal that a terminal sent to all: the same one twice
)


@contextlib.contextmanager
def whole_steps() -> Iterator[Callable[[], None]]:
    """Hold Ctrl-C and SIGTERM until what is yielded is called, between two steps; another one stops at once."""
    asked: list[tuple[int, float]] = []

    def ask(number: int, frame: FrameType | None) -> None:
        if not asked:
            asked.append((number, time.monotonic()))
            typer.echo(
                "stopping when this step is made and saved; once more stops at once", err=True
            )
        elif time.monotonic() - asked[0][1] > _AGAIN_SECONDS:
            _end(number)

    def stop() -> None:
        if asked:
            _end(asked[0][0])

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    except RuntimeError:
        stop()  # the first of several processes has saved the run and left
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int) -> None:
    """Raise what a signal means to a command, and hear no other: one could break into the saving."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt if number == signal.SIGINT else shell.Terminated


def _is_first() -> bool:
    """Whether this is the one of several processes of a run that speaks."""
    return os.environ.get("RANK", "0") == "0"
