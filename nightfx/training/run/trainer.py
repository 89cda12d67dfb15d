"""The CycleGAN run: two generators, two discriminators, one visible loop.

A run is a folder: `night/` and `day/` are presets usable at any moment (the best so far), `losses.png` and
`samples_*.png` show how it goes, `run/checkpoint.pt` holds everything that the next step depends on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from nightfx.errors import TrainingError
from nightfx.network import pick_device, same_threads
from nightfx.options import DeviceName
from nightfx.training.data.listed import Listed
from nightfx.training.data.pairs import check_pairs
from nightfx.training.data.pictures import Pictures, hash_pictures, open_pictures
from nightfx.training.data.usable import refuse_shared
from nightfx.training.run import guide, progress, step, train_options
from nightfx.training.run.board import Board
from nightfx.training.run.feed import Feed, count_steps, seeded, to_pictures
from nightfx.training.run.place import checkpoint_in, refuse_folder
from nightfx.training.run.share import processes
from nightfx.training.run.state import TrainingRun, open_run, save_checkpoint
from nightfx.training.run.watch import Watch

_Progress = Callable[[int, int, dict[str, float]], None]

_Judged = tuple[Pictures, Pictures, Tensor | None]
"""Held-out pictures of day and night, and a user's own plate."""

_log = logging.getLogger(__name__)

SAVED_SECONDS = 60.0  # between two checkpoints, at most, and a step
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
    plate: Path | None = None,
    on_progress: _Progress | None = None,
) -> Path:
    """Train a night and a day preset from two folders of pictures, into the folder `out`; goes on where it stopped.

    The held-out pictures choose the best checkpoint; without them every tenth picture is held out. `resume` demands a
    run to go on with; `plate` is a picture or clip that `preview.png` shows as it goes. Raises `TrainingError` for pictures, folders and checkpoints that do not do, and for a run that
    went wrong. `on_progress` is told of the step to begin with, and of each that is made; whatever it raises stops the
    run between two steps, and is raised here when the run is saved.
    """
    options = options or train_options.TrainOptions()
    where = pick_device(device)
    shown = progress.open_plate(plate) if plate else None
    pictures_A, held_out_A = open_pictures(day, day_held_out, crop_px=options.crop_px)
    pictures_B, held_out_B = open_pictures(night, night_held_out, crop_px=options.crop_px)
    apart = {"--day-held-out": day_held_out, "--night-held-out": night_held_out}
    own = [name if given else name.removesuffix("-held-out") for name, given in apart.items()]
    sides = zip(
        ("--day", "--night", *own), (pictures_A, pictures_B, held_out_A, held_out_B), strict=True
    )
    refuse_shared([(name, pictures.paths) for name, pictures in sides])
    pictures_A, pictures_B = (
        pictures.limit(options.limit, seeded(options.seed, "limit", letter))
        for pictures, letter in ((pictures_A, "A"), (pictures_B, "A" if options.is_paired else "B"))
    )
    if options.is_paired:
        check_pairs(pictures_A, pictures_B)
    options = replace(options, steps=count_steps(options, (pictures_A, pictures_B)))
    checkpoint = checkpoint_in(out)
    with processes(where) as share:
        refuse_folder(out, resume=resume)
        data_sha256 = hash_pictures(pictures_A, pictures_B)
        run = open_run(checkpoint, options, where, data_sha256=data_sha256)
        run.share = share
        share.wait()
        if run.step == 0 and share.rank == 0:
            save_checkpoint(run, options, checkpoint)  # a disk that takes none is told from now
        both, held_out = (pictures_A, pictures_B), (held_out_A, held_out_B)
        with same_threads(run.threads):
            curves = guide.find_curves(both, options, where)
            with Feed(both, options, first=run.step, share=share) as feed:
                _loop(run, options, out, curves, feed, (*held_out, shown), on_progress)
    return out


def _loop(
    run: TrainingRun,
    options: train_options.TrainOptions,
    out: Path,
    curves: tuple[guide.Curves, guide.Curves],
    feed: Feed,
    judged: _Judged,
    on_progress: _Progress | None,
) -> None:
    first, losses = run.share.rank == 0, progress.show_distances(run)
    device = next(run.G_AB.parameters()).device
    watch, board = Watch(), Board(out / "run/tensorboard", run.step) if first else None
    saved, is_whole = run.step, True  # in the middle of a step nothing can be saved
    saved_at = time.monotonic()
    keeps = False  # what could not be saved is not tried again
    try:
        if on_progress and first:
            on_progress(run.step, options.steps, losses)
        while _goes_on(run, options):
            real_A, real_B = (to_pictures(real, device) for real in next(feed))
            is_whole = False
            real_A, real_B = _make_step(run, options, curves, (real_A, real_B))
            ends = run.step % options.every == 0 or run.step == options.steps
            if ends or run.step % RECORD_EVERY == 0:
                losses = progress.record(run, board, feed.waiting) | progress.show_distances(run)
                watch.look(run, real_A, real_B, options.learning_rate)
            is_whole = True
            if first and (ends or _is_due(run, saved_at)):
                keeps = True
                _keep(run, options, out, judged if ends else None, board)
                keeps = False
                saved, saved_at = run.step, time.monotonic()
                losses = losses | progress.show_distances(run)
            if on_progress and first:
                on_progress(run.step, options.steps, losses)
    except BaseException as error:
        failed = isinstance(error, TrainingError)
        if first and failed:
            progress.draw_curves(run, out)
        if first and is_whole and not (keeps and failed):
            _save_stopped(run, options, out, is_saved=run.step == saved)
        raise
    finally:
        if board:
            board.close()


def _goes_on(run: TrainingRun, options: train_options.TrainOptions) -> bool:
    """Whether another step is to be made; of several processes the first one knows, which judges."""
    if run.step >= options.steps or not options.patience or run.step % options.every:
        return run.step < options.steps
    over = run.share.rank == 0 and not progress.is_patient(run, options.patience)
    told = torch.tensor([float(over)], device=next(run.G_AB.parameters()).device)
    return not bool(run.share.mean(told).item())


def _is_due(run: TrainingRun, saved_at: float) -> bool:
    """Whether a checkpoint is, between two reports: where the losses have just been recorded."""
    return run.step % RECORD_EVERY == 0 and time.monotonic() - saved_at > SAVED_SECONDS


def _make_step(
    run: TrainingRun,
    options: train_options.TrainOptions,
    curves: tuple[guide.Curves, guide.Curves],
    reals: tuple[Tensor, Tensor],
) -> tuple[Tensor, Tensor]:
    """Make a step on crops of both classes; returns them without the sky, which may guide the warm start."""
    guides = None
    if options.is_warming(run.step):
        reals, guides = (
            (reals, reals[::-1]) if options.is_paired else guide.split_guides(reals, curves)
        )
    run.recent_losses.append(step.train_step(run, *reals, options, guides))
    return reals


def _save_stopped(
    run: TrainingRun, options: train_options.TrainOptions, out: Path, *, is_saved: bool
) -> None:
    """Save a run that stops between two steps, and say that it is."""
    if not is_saved:
        save_checkpoint(run, options, checkpoint_in(out))
    told = "saved; the same command goes on from there"
    _log.info("%s: stopped at step %d of %d: %s", out, run.step, options.steps, told)


def _keep(
    run: TrainingRun,
    options: train_options.TrainOptions,
    out: Path,
    judged: _Judged | None,
    board: Board | None,
) -> None:
    """Judge the run by what is held out, where that is due, and write its checkpoint."""
    if judged:
        progress.report(run, options, out, *judged[:2])
    if judged and judged[2] is not None:
        progress.save_preview(run, judged[2], out)
    save_checkpoint(run, options, checkpoint_in(out))
    if judged and board:
        distances = {name: points[-1][1] for name, points in run.curves.items() if "to" in name}
        board.scalars(distances, run.step)
        board.picture("samples", progress.samples_path(out, run.step), run.step)
