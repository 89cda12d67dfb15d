"""The CycleGAN run: two generators, two discriminators, one visible loop.

A run is a folder: `night/` and `day/` are presets usable at any moment (the best so far), `losses.png` and
`samples_*.png` show how it goes, `run/checkpoint.pt` holds everything that the next step depends on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from nightfx.errors import TrainingError
from nightfx.network import pick_device
from nightfx.options import DeviceName
from nightfx.training.data.listed import Listed
from nightfx.training.data.pictures import Pictures, hash_pictures, open_pictures
from nightfx.training.run import guide, progress, step, train_options
from nightfx.training.run.board import Board
from nightfx.training.run.feed import Feed, count_steps, seeded, to_pictures
from nightfx.training.run.share import processes
from nightfx.training.run.state import TrainingRun, open_run, refuse_folder, save_checkpoint
from nightfx.training.run.watch import Watch

_Progress = Callable[[int, int, dict[str, float]], None]

RECORD_EVERY = 20  # steps; to read a loss is to wait for the device


def train(
    day: Path | Listed,
    night: Path | Listed,
    out: Path,
    options: train_options.TrainOptions | None = None,
    *,
    day_held_out: Path | Listed | None = None,
    night_held_out: Path | Listed | None = None,
    device: DeviceName = "auto",
    resume: bool = False,
    on_progress: _Progress | None = None,
) -> Path:
    """Train a night and a day preset from two folders of pictures, into the folder `out`; goes on where it stopped.

    The held-out pictures choose the best checkpoint; without them every tenth picture is held out. `resume` demands a
    run to go on with. Raises `TrainingError` for pictures, folders and checkpoints that do not do, and for a run that
    went wrong.
    """
    options = options or train_options.TrainOptions()
    where = pick_device(device)
    pictures_A, held_out_A = open_pictures(day, day_held_out, crop_px=options.crop_px)
    pictures_B, held_out_B = open_pictures(night, night_held_out, crop_px=options.crop_px)
    pictures_A, pictures_B = (
        pictures.limit(options.limit, seeded(options.seed, "limit", letter))
        for pictures, letter in ((pictures_A, "A"), (pictures_B, "B"))
    )
    options = replace(options, steps=count_steps(options, (pictures_A, pictures_B)))
    checkpoint = out / "run/checkpoint.pt"
    with processes(where) as share:
        refuse_folder(out, checkpoint, resume=resume)
        data_sha256 = hash_pictures(pictures_A, pictures_B)
        run = open_run(checkpoint, options, where, data_sha256=data_sha256)
        run.share = share
        share.wait()
        if run.step == 0 and share.rank == 0:
            save_checkpoint(run, options, checkpoint)  # a disk that takes none is told from now
        curves = guide.find_curves((pictures_A, pictures_B), options, where)
        with Feed((pictures_A, pictures_B), options, first=run.step, share=share) as feed:
            held_out = held_out_A, held_out_B
            _loop(run, options, out, curves, feed, held_out, on_progress)
    return out


def _loop(
    run: TrainingRun,
    options: train_options.TrainOptions,
    out: Path,
    curves: tuple[guide.Curves, guide.Curves],
    feed: Feed,
    held_out: tuple[Pictures, Pictures],
    on_progress: _Progress | None,
) -> None:
    first, losses = run.share.rank == 0, dict[str, float]()
    device = next(run.G_AB.parameters()).device
    watch, board = Watch(), Board(out / "run/tensorboard", run.step) if first else None
    try:
        while run.step < options.steps:
            real_A, real_B = (to_pictures(real, device) for real in next(feed))
            guides = None
            if options.is_warming(run.step):
                (real_A, real_B), guides = guide.split_guides((real_A, real_B), curves)
            run.recent_losses.append(step.train_step(run, real_A, real_B, options, guides))
            ends = run.step % options.every == 0 or run.step == options.steps
            if ends or run.step % RECORD_EVERY == 0:
                losses = progress.record(run, board, feed.waiting)
                watch.look(run, real_A, real_B, options.learning_rate)
            if on_progress and first:
                on_progress(run.step, options.steps, losses)
            if ends and first:
                _keep(run, options, out, held_out, board)
    except TrainingError:
        if first:
            progress.draw_curves(run, out)
        raise
    finally:
        if board:
            board.close()


def _keep(
    run: TrainingRun,
    options: train_options.TrainOptions,
    out: Path,
    held_out: tuple[Pictures, Pictures],
    board: Board | None,
) -> None:
    progress.report(run, options, out, *held_out)
    save_checkpoint(run, options, out / "run/checkpoint.pt")
    if board:
        distances = {name: points[-1][1] for name, points in run.curves.items() if "to" in name}
        board.scalars(distances, run.step)
        board.picture("samples", progress.samples_path(out, run.step), run.step)
