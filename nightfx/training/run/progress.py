"""How a run is doing: samples, curves, the distance to real pictures, and the best presets so far."""

from __future__ import annotations

import math
import platform
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import torch
from torch import Tensor

import nightfx
from nightfx.errors import DeadRunError
from nightfx.metrics import color_distance, hsp_brightness, patch_distance, structure_kept
from nightfx.network import Generator, load_preset, save_preset
from nightfx.options import MULTIPLE_PX
from nightfx.source import CLIP_SUFFIXES
from nightfx.training.data.charts import save_charts
from nightfx.training.data.decode import load_picture, shrink
from nightfx.training.data.drawings import save_grid
from nightfx.training.data.pictures import Pictures, to_tensor
from nightfx.training.data.sources import sample_frames
from nightfx.training.run import state, train_options
from nightfx.training.run.board import Board

VALIDATION_PX = 256
_VALIDATION_PICTURES = 96  # of each class, as many of each source
_SAMPLES = 6
LOSS_NAMES = {"G_AB": "generator day to night", "G_BA": "generator night to day"}
LOSS_NAMES |= {"D_A": "discriminator of day", "D_B": "discriminator of night"}
_DISTANCE, _STRUCTURE, _PLATE = "distance to ", "structure to ", "plates to "
LEAST_STRUCTURE = 0.7  # of the plate's, that is kept: below it a generator paints another picture
_LAST = 5  # presets that are kept beside the best
_PREVIEW_LINES = 256


def record(run: state.TrainingRun, board: Board | None, waiting: float) -> dict[str, float]:
    """Note the mean of the losses since the last record. Raises `DeadRunError` where one is not finite."""
    names = list(dict.fromkeys(name for losses in run.recent_losses for name in losses))
    means = torch.stack(
        [
            torch.stack(
                [losses[name].detach().float() for losses in run.recent_losses if name in losses]
            ).mean()
            for name in names
        ]
    )
    values = dict(zip(names, run.share.mean(means).tolist(), strict=True))
    run.recent_losses.clear()
    for name, value in values.items():
        if not math.isfinite(value):
            # no later than this a run that went wrong must end: not a number stays one
            raise DeadRunError(
                f"step {run.step}: the {name} loss became {value}: lower learning_rate, or raise batch"
            )
        state.note(run, name, value)
    if board:
        board.scalars({**values, "waiting for crops": waiting}, run.step)
    return values


def report(
    run: state.TrainingRun,
    options: train_options.TrainOptions,
    out: Path,
    held_out_A: Pictures,
    held_out_B: Pictures,
) -> None:
    """Write samples and curves, measure both generators on held-out pictures, keep the better presets."""
    real_A, real_B = load_squares(held_out_A), load_squares(held_out_B)
    fake_B, fake_A = translate(run.ema_AB, real_A), translate(run.ema_BA, real_B)
    every_A, every_B = (slice(None, None, max(len(x) // _SAMPLES, 1)) for x in (real_A, real_B))
    rows_A = [x[every_A][:_SAMPLES] for x in (real_A, fake_B)]
    rows_B = [x[every_B][:_SAMPLES] for x in (real_B, fake_A)]
    save_grid([*rows_A, *rows_B], samples_path(out, run.step))
    night, day = measure(real_A, fake_B, real_B), measure(real_B, fake_A, real_A)
    _keep(run, options, out, "night", night, (run.ema_AB, real_A, real_B))
    _keep(run, options, out, "day", day, (run.ema_BA, real_B, real_A))
    for old in sorted((out / "last").iterdir())[:-_LAST]:
        shutil.rmtree(old)
    draw_curves(run, out)


def open_plate(path: Path) -> Tensor:
    """A user's own picture, or the first frame of a clip, at the height that a preset sees: (3, H, W) in [0, 1]."""
    is_clip = path.suffix.lower() in CLIP_SUFFIXES
    pixels = next(sample_frames(path, 1.0))[1] if is_clip else load_picture(path)
    small = shrink(pixels, _PREVIEW_LINES)
    height, width = (x // MULTIPLE_PX * MULTIPLE_PX for x in small.shape[:2])
    return to_tensor(small[:height, :width])


def save_preview(run: state.TrainingRun, plate: Tensor, out: Path) -> None:
    """Write a user's plate, and what the run makes of it so far, into `preview.png`."""
    made = translate(run.ema_AB, plate[None])
    save_grid([plate[None], made], out / "preview.png")


def draw_curves(run: state.TrainingRun, out: Path) -> None:
    """Draw the losses, and below them the distances with the best step of each, into `losses.png`."""
    distances = find_distances(run)
    losses = {
        LOSS_NAMES.get(x, x): y
        for x, y in run.curves.items()
        if not x.startswith((_DISTANCE, _STRUCTURE))
    }
    best = ", ".join(
        f"{to} {found.best:.3f} at step {found.best_step:,}" for to, found in distances.items()
    )
    title = f"distance to real pictures, lower is better; the best: {best or 'none yet'}"
    curves = {f"to {to}": run.curves[f"{_DISTANCE}{to}"] for to in distances}
    named = ("loss", "distance")
    save_charts({"losses": losses, title: curves}, out / "losses.png", upwards=named)


@dataclass(frozen=True)
class Distances:
    """How far a generator's pictures are from real ones: colours and patches, as sets; lower is better."""

    last: float
    """The newest."""
    best: float
    """The one of the preset that is kept."""
    best_step: int
    """The step that made it."""
    structure: float
    """How much of the plate's structure the newest keeps, 0 to 1."""
    best_structure: float
    """The same of the one that is kept."""
    plates: float
    """How far the plates themselves are; not a number where nobody measured it."""
    since: int
    """Measurements since the one that is kept."""


def show_distances(run: state.TrainingRun) -> dict[str, float]:
    """The distances as numbers by name, beside the losses that a run tells: last, best and the best's step of each."""
    return {
        f"{_DISTANCE}{to}{suffix}": float(value)
        for to, found in find_distances(run).items()
        for suffix, value in (
            ("", found.last),
            (", best", found.best),
            (", best step", found.best_step),
            (", structure", found.structure),
            (", best structure", found.best_structure),
            (", plates", found.plates),
        )
    }


def score(distance: float, structure: float) -> float:
    """What the best preset is chosen by, lower is better: the distance, and what lacks of `LEAST_STRUCTURE`."""
    return distance + max(LEAST_STRUCTURE - structure, 0)


def is_patient(run: state.TrainingRun, patience: int) -> bool:
    """Whether a run may go on: a preset got better within the last `patience` measurements; always where that is 0."""
    found = find_distances(run).values()
    return not patience or not found or min(x.since for x in found) < patience


def find_distances(run: state.TrainingRun) -> dict[str, Distances]:
    """The distances to night and to day, those that were measured."""
    found = {}
    for to in ("night", "day"):
        if points := run.curves.get(f"{_DISTANCE}{to}"):
            # older runs told of no structure
            kept = dict(run.curves.get(f"{_STRUCTURE}{to}", ()))
            structures = [kept.get(step, 1.0) for step, _ in points]
            scores = [score(x, y) for (_, x), y in zip(points, structures, strict=True)]
            at = scores.index(min(scores))
            found[to] = Distances(
                last=points[-1][1],
                best=points[at][1],
                best_step=int(points[at][0]),
                structure=structures[-1],
                best_structure=structures[at],
                plates=run.best.get(f"{_PLATE}{to}", math.nan),
                since=len(points) - 1 - at,
            )
    return found


def samples_path(out: Path, step: int) -> Path:
    """Where the samples of `step` are."""
    return out / f"samples_{step:06d}.png"


def load_squares(pictures: Pictures) -> Tensor:
    """The centre squares of about `_VALIDATION_PICTURES` of `pictures`, (N, 3, 256, 256) in [0, 1]."""
    return torch.stack([_square(pictures.load(x)) for x in pictures.spread(_VALIDATION_PICTURES)])


def _square(pixels: np.ndarray) -> Tensor:
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = pixels[top : top + side, left : left + side]
    return to_tensor(
        cv2.resize(square, (VALIDATION_PX, VALIDATION_PX), interpolation=cv2.INTER_AREA)
    )


@torch.no_grad()
def translate(G: Generator, real: Tensor) -> Tensor:
    """G's pictures of `real` (N, 3, H, W), clipped to [0, 1], on the CPU."""
    device = next(G.parameters()).device
    return torch.cat([G(x.to(device)).clamp(0, 1).cpu() for x in real.split(8)])


def measure(real: Tensor, fake: Tensor, wanted: Tensor) -> dict[str, float]:
    """Figures of the pictures `fake`, made from `real`, against unrelated real pictures `wanted`."""
    return {
        "colour_distance": round(color_distance(fake, wanted), 4),
        "patch_distance": round(patch_distance(fake, wanted), 4),
        "brightness": round(hsp_brightness(fake), 3),
        "brightness_wanted": round(hsp_brightness(wanted), 3),
        "structure_kept": round(structure_kept(real, fake), 3),
    }


def _keep(
    run: state.TrainingRun,
    options: train_options.TrainOptions,
    out: Path,
    to: Literal["night", "day"],
    figures: dict[str, float],
    sides: tuple[Generator, Tensor, Tensor],
) -> None:
    """Note how near a generator comes; keep its preset among the last ones, and in the best one's place where it is better."""
    distance, structure = _distance(figures), figures["structure_kept"]
    state.note(run, f"{_DISTANCE}{to}", distance)
    state.note(run, f"{_STRUCTURE}{to}", structure)
    G, real, wanted = sides
    if f"{_PLATE}{to}" not in run.best:
        run.best[f"{_PLATE}{to}"] = _distance(measure(real, real, wanted))
    facts = _facts(run, options, to)
    last = out / "last" / f"step-{run.step:06d}" / to
    save_preset(last, G, _card(to, run.step, figures), **facts)
    if score(distance, structure) >= run.best.get(to, float("inf")):
        return
    run.best[to] = score(distance, structure)
    # float16 on disk: what it does is measured, not what it was
    shipped = measure(real, translate(load_preset(last).generator, real), wanted)
    save_preset(out / to, G, _card(to, run.step, shipped), **facts)


def _distance(figures: dict[str, float]) -> float:
    return figures["colour_distance"] + figures["patch_distance"]


def _facts(
    run: state.TrainingRun, options: train_options.TrainOptions, to: Literal["night", "day"]
) -> dict[str, Any]:
    training = {**asdict(options), "scale": list(options.scale), "step": run.step}
    training |= {"data_sha256": run.data_sha256, "nightfx": nightfx.__version__}
    training |= {"torch": torch.__version__, "python": platform.python_version()}
    training |= {"threads": run.threads}
    return {
        "name": to,
        "description": f"Turns {'day' if to == 'night' else 'night'} into {to}; {run.step} steps of training.",
        "plate": "night" if to == "day" else "day",
        "heights_px": options.heights_px,
        "method": "relight" if options.architecture == "relit" else "tiles",
        "training": training,
    }


def _card(to: str, step: int, figures: dict[str, float]) -> str:
    rows = "\n".join(f"| {name.replace('_', ' ')} | {value} |" for name, value in figures.items())
    return f"# {to}\n\nStep {step}. On held-out pictures at {VALIDATION_PX} px:\n\n| figure | value |\n|---|---|\n{rows}\n"
