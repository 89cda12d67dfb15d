"""How a run is doing: samples, curves, the distance to real pictures, and the best presets so far."""

from __future__ import annotations

import math
import platform
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
from nightfx.training.data.charts import save_charts
from nightfx.training.data.drawings import save_grid
from nightfx.training.data.pictures import Pictures, to_tensor
from nightfx.training.run import state, train_options
from nightfx.training.run.board import Board

VALIDATION_PX = 256
_VALIDATION_PICTURES = 96  # of each class, as many of each source
_SAMPLES = 6
LOSS_NAMES = {"G_AB": "generator day to night", "G_BA": "generator night to day"}
LOSS_NAMES |= {"D_A": "discriminator of day", "D_B": "discriminator of night"}
_DISTANCE = "distance to "


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
    _keep_best(run, options, out, "night", night, (run.ema_AB, real_A, real_B))
    _keep_best(run, options, out, "day", day, (run.ema_BA, real_B, real_A))
    draw_curves(run, out)


def draw_curves(run: state.TrainingRun, out: Path) -> None:
    """Draw the losses, and below them the distances with the best step of each, into `losses.png`."""
    distances = find_distances(run)
    losses = {LOSS_NAMES.get(x, x): y for x, y in run.curves.items() if not x.startswith(_DISTANCE)}
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


def show_distances(run: state.TrainingRun) -> dict[str, float]:
    """The distances as numbers by name, beside the losses that a run tells: last, best and the best's step of each."""
    return {
        f"{_DISTANCE}{to}{suffix}": float(value)
        for to, found in find_distances(run).items()
        for suffix, value in (
            ("", found.last),
            (", best", found.best),
            (", best step", found.best_step),
        )
    }


def find_distances(run: state.TrainingRun) -> dict[str, Distances]:
    """The distances to night and to day, those that were measured."""
    found = {}
    for to in ("night", "day"):
        if points := run.curves.get(f"{_DISTANCE}{to}"):
            step, best = min(points, key=lambda point: point[1])
            found[to] = Distances(points[-1][1], best, int(step))
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


def _keep_best(
    run: state.TrainingRun,
    options: train_options.TrainOptions,
    out: Path,
    to: Literal["night", "day"],
    figures: dict[str, float],
    sides: tuple[Generator, Tensor, Tensor],
) -> None:
    distance = figures["colour_distance"] + figures["patch_distance"]
    state.note(run, f"{_DISTANCE}{to}", distance)
    if distance >= run.best.get(to, float("inf")):
        return
    run.best[to] = distance
    G, real, wanted = sides
    training = {**asdict(options), "scale": list(options.scale), "step": run.step}
    training |= {"data_sha256": run.data_sha256, "nightfx": nightfx.__version__}
    training |= {"torch": torch.__version__, "python": platform.python_version()}
    training |= {"threads": run.threads}
    facts: dict[str, Any] = {
        "name": to,
        "description": f"Turns {'day' if to == 'night' else 'night'} into {to}; {run.step} steps of training.",
        "plate": "night" if to == "day" else "day",
        "heights_px": options.heights_px,
        "method": "relight" if options.architecture == "relit" else "tiles",
        "training": training,
    }
    save_preset(out / to, G, "", **facts)
    shipped = load_preset(
        out / to
    ).generator  # float16 on disk: what it does is measured, not what it was
    save_preset(
        out / to, G, _card(to, run.step, measure(real, translate(shipped, real), wanted)), **facts
    )


def _card(to: str, step: int, figures: dict[str, float]) -> str:
    rows = "\n".join(f"| {name.replace('_', ' ')} | {value} |" for name, value in figures.items())
    return f"# {to}\n\nStep {step}. On held-out pictures at {VALIDATION_PX} px:\n\n| figure | value |\n|---|---|\n{rows}\n"
