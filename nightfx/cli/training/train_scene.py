"""`nightfx train-scene`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from nightfx.cli import shell
from nightfx.cli.flags import only, with_flags
from nightfx.cli.training.stopping import whole_steps
from nightfx.disk import check_folder
from nightfx.options import LightOptions, SceneTrainOptions

_TOLD_SECONDS = 15.0


@with_flags(SceneTrainOptions, also=("device",))
def train_scene(
    out: Annotated[Path, typer.Option(help="Folder of the run; holds weights.safetensors.")],
    **given: Any,
) -> None:
    """Train the network that finds sky, windows and lamps; Ctrl-C saves it, and the same command goes on from there.

    It learns from photographs that tools/teach_scene.py has labelled, from boxes, and from drawn towns.
    """
    options = SceneTrainOptions(**only(SceneTrainOptions, given))
    light = LightOptions(**only(LightOptions, given))
    light.check_machine()
    with shell.progress(out.name, "steps") as told:
        told.stage("reading", 0, None)
        check_folder(out)
        from nightfx.training.scene.gather import check_folders

        check_folders(options)
        from nightfx.training.scene.run import train_scene as train

    with whole_steps() as stop, shell.progress(out.name, "steps") as show:
        path = train(out, options, device=light.device, on_progress=_teller(show, stop))
    typer.echo(path)


def _teller(
    show: Callable[[int, int | None], None], stop: Callable[[], None]
) -> Callable[[int, int, Mapping[str, float]], None]:
    """What tells of a run: its losses now and then; it ends where asked to."""
    told_at = time.monotonic()

    def tell(step: int, total: int, losses: Mapping[str, float]) -> None:
        nonlocal told_at
        if time.monotonic() - told_at > _TOLD_SECONDS:
            words = ", ".join(f"{name} {loss:.3g}" for name, loss in losses.items())
            typer.echo(f"step {step:,}: {words}", err=True)
            told_at = time.monotonic()
        show(step, total)
        stop()

    return tell
