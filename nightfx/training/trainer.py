"""The CycleGAN run: two generators, two discriminators, one visible loop.

A run is a folder: `night/` and `day/` are presets usable at any moment (the best so far), `losses.png` and
`samples_*.png` show how it goes, `run/checkpoint.pt` holds everything that the next step depends on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from nightfx.errors import TrainingError
from nightfx.model import DeviceName, Generator, RelitGenerator, pick_device, pick_trunk_dtype
from nightfx.training.data import Pictures, draw_batch, open_pictures
from nightfx.training.listed import Listed
from nightfx.training.objective import (
    as_shown,
    cycle_loss,
    discriminator_loss,
    distribution_loss,
    generator_loss,
    quantiles,
    roughness,
    warm_start_loss,
)
from nightfx.training.options import TrainOptions
from nightfx.training.report import report
from nightfx.training.state import Run, note, open_run, save_checkpoint

Curves = tuple[Tensor, Tensor]
Losses = dict[str, float]
Progress = Callable[[int, int, Losses], None]

JUDGES_FROM = 0.85  # of the warm start: discriminators that know nothing yet would undo it
CURVE_CROPS = 512  # of each class, to find the curves of the warm start from
CURVE_CROP_PX = 96


def train(
    day: Path | Listed,
    night: Path | Listed,
    out: Path,
    options: TrainOptions | None = None,
    *,
    day_held_out: Path | None = None,
    night_held_out: Path | None = None,
    device: DeviceName = "auto",
    on_progress: Progress | None = None,
) -> Path:
    """Train a night and a day preset from two folders of pictures, into the folder `out`; goes on where it stopped.

    The held-out folders choose the best checkpoint; without them every tenth picture is held out.
    """
    options = options or TrainOptions()
    where = pick_device(device)
    pictures_A, held_out_A = open_pictures(day, day_held_out, crop_px=options.crop_px)
    pictures_B, held_out_B = open_pictures(night, night_held_out, crop_px=options.crop_px)
    if out.exists() and not out.is_dir():
        raise TrainingError(f"{out}: is a file; --out names the folder of a run")
    out.mkdir(parents=True, exist_ok=True)
    run = open_run(out / "run/checkpoint.pt", options, where)
    curves = measure_curves(pictures_A, pictures_B, options, where)
    while run.step < options.steps:
        real_A, real_B = (
            _draw(pictures, options, run, where) for pictures in (pictures_A, pictures_B)
        )
        losses = train_step(run, real_A, real_B, options, curves)
        _record(run, losses)
        if on_progress:
            on_progress(run.step, options.steps, losses)
        if run.step % options.every == 0 or run.step == options.steps:
            report(run, options, out, held_out_A, held_out_B)
            save_checkpoint(run, options, out / "run/checkpoint.pt")
    return out


def measure_curves(
    pictures_A: Pictures, pictures_B: Pictures, options: TrainOptions, device: torch.device
) -> Curves:
    """The quantiles a channel, (3, 65), of either class, over `CURVE_CROPS` crops by the seed of `options`."""
    rng = torch.Generator().manual_seed(options.seed)
    drawn = [
        draw_batch(pictures, CURVE_CROPS, CURVE_CROP_PX, options.scale, rng)
        for pictures in (pictures_A, pictures_B)
    ]
    of_A, of_B = (quantiles(crops).to(device) for crops in drawn)
    return of_A, of_B


def _draw(pictures: Pictures, options: TrainOptions, run: Run, device: torch.device) -> Tensor:
    crops = draw_batch(pictures, options.batch, options.crop_px, options.scale, run.rng)
    return crops.to(device, memory_format=torch.channels_last)


def _record(run: Run, losses: Losses) -> None:
    # a point each 20 steps is enough for a curve, and a checkpoint stays small
    for name, value in losses.items():
        if run.step % 20 == 0:
            note(run, name, value)


def train_step(
    run: Run, real_A: Tensor, real_B: Tensor, options: TrainOptions, curves: Curves
) -> Losses:
    """One step on crops (N, 3, H, W): generators first, then discriminators. Returns the losses by name.

    `curves` is what `measure_curves` found; the warm start imitates it.
    """
    _set_learning_rate(run, options)
    if options.architecture == "relit" and run.step == options.warm_start_steps:
        # Adam's memory of the warm start's small gradients would make the first steps after it huge
        run.generators.state.clear()
    fake_A, fake_B, losses = _step_generators(run, real_A, real_B, options, curves)
    if not _is_warming(run, options) or run.step >= JUDGES_FROM * options.warm_start_steps:
        losses["discriminators"] = _step_discriminators(run, real_A, real_B, fake_A, fake_B)
    for mean, network in ((run.ema_AB, run.G_AB), (run.ema_BA, run.G_BA)):
        # early on the mean would be mostly the first guess: let it follow sooner
        _follow(mean, network, min(options.ema, (1 + run.step) / (10 + run.step)))
    run.step += 1
    return losses


def _step_generators(
    run: Run, real_A: Tensor, real_B: Tensor, options: TrainOptions, curves: Curves
) -> tuple[Tensor, Tensor, Losses]:
    for network in (run.D_A, run.D_B):
        network.requires_grad_(False)
    run.recent_A.add(real_A)
    run.recent_B.add(real_B)
    with _mixed(real_A.device):
        (fake_B, rough_A), (fake_A, rough_B) = (
            _translate(run.G_AB, real_A),
            _translate(run.G_BA, real_B),
        )
        if _is_warming(run, options):
            losses = {"warm start": warm_start_loss((real_A, real_B), (fake_B, fake_A), curves)}
        else:
            cycle = cycle_loss(real_A, run.G_BA(fake_B), real_B, run.G_AB(fake_A))
            scores = run.D_B(fake_B).float(), run.D_A(fake_A).float()
            losses = {"generators": generator_loss(*scores, cycle, options.cycle_weight)}
            if options.architecture == "relit":
                losses["roughness"] = options.smooth_weight * (rough_A + rough_B)
                losses["distribution"] = options.distribution_weight * _distribution(
                    run, fake_A, fake_B
                )
    run.generators.zero_grad()
    torch.stack(list(losses.values())).sum().backward()
    run.generators.step()
    return (
        fake_A.detach(),
        fake_B.detach(),
        {name: _finite(name, loss) for name, loss in losses.items()},
    )


def _distribution(run: Run, fake_A: Tensor, fake_B: Tensor) -> Tensor:
    sides = (fake_A, run.faked_A, run.recent_A), (fake_B, run.faked_B, run.recent_B)
    with torch.autocast(
        fake_A.device.type, enabled=False
    ):  # ranks of bf16 values would be full of ties
        losses = [
            distribution_loss(fake.float(), faked.all(like=fake), recent.all(), seed=run.step)
            for fake, faked, recent in sides
        ]
    for fake, faked, _ in sides:
        faked.add(fake.detach().float())
    return torch.stack(losses).sum()


def _translate(G: Generator, real: Tensor) -> tuple[Tensor, Tensor]:
    """G's picture of `real`, and how rough its maps are (0 for the paper's generator, which has none)."""
    if not isinstance(G, RelitGenerator):
        return G(real), real.new_zeros(())
    g, o = G.maps(real)
    return as_shown(real * torch.exp(g) + o), roughness(torch.cat([g, o], dim=1), real)


def _step_discriminators(
    run: Run, real_A: Tensor, real_B: Tensor, fake_A: Tensor, fake_B: Tensor
) -> float:
    for network in (run.D_A, run.D_B):
        network.requires_grad_(True)
    older_A, older_B = run.pool_A.query(fake_A, run.rng), run.pool_B.query(fake_B, run.rng)
    with _mixed(real_A.device):
        loss_A = discriminator_loss(run.D_A(real_A).float(), run.D_A(older_A).float())
        loss_B = discriminator_loss(run.D_B(real_B).float(), run.D_B(older_B).float())
    run.discriminators.zero_grad()
    (loss_A + loss_B).backward()
    run.discriminators.step()
    return _finite("discriminators", loss_A + loss_B)


def _is_warming(run: Run, options: TrainOptions) -> bool:
    return options.architecture == "relit" and run.step < options.warm_start_steps


def _set_learning_rate(run: Run, options: TrainOptions) -> None:
    left = (options.steps - run.step) / max(options.steps * (1 - options.decay_after), 1)
    rate = options.learning_rate * min(1.0, left)
    slow = options.architecture == "relit" and not _is_warming(run, options)
    shares = options.generator_share if slow else 1.0, 1.0
    for optimiser, share in zip((run.generators, run.discriminators), shares, strict=True):
        for group in optimiser.param_groups:
            group["lr"] = rate * share


def _mixed(device: torch.device) -> torch.autocast:
    dtype = pick_trunk_dtype(device)
    return torch.autocast(device.type, torch.bfloat16, enabled=dtype == torch.bfloat16)


def _finite(name: str, loss: Tensor) -> float:
    value = float(
        loss.detach()
    )  # waits for the device; a run that went wrong must not go on for hours
    if value != value or abs(value) == float("inf"):
        raise TrainingError(f"the {name} loss became {value}: lower learning_rate, or raise batch")
    return value


@torch.no_grad()
def _follow(mean: nn.Module, network: nn.Module, decay: float) -> None:
    for average, now in zip(mean.parameters(), network.parameters(), strict=True):
        average.lerp_(now, 1 - decay)
