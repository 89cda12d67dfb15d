"""Steps a second of the trainer beside a plain eager float32 loop, with the same networks, batch and losses.

    python -m bench.training [--rounds 5] [--steps 4] [--threads N] [--only paper relit]

One process, both in each round, so that a noisy machine is noisy for both; medians, and the ratio within the run. The
plain loop is what one would write: float32, PyTorch's defaults, the two generators in one backward pass, each
discriminator in its own, its crops drawn between the steps. The trainer draws ahead; the share of time for which its
steps waited for crops is beside it.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from bench.layers import machine
from nightfx.network.model import pick_device
from nightfx.training.data.pictures import Pictures, draw_batch, find_pictures
from nightfx.training.run.feed import Feed, to_pictures
from nightfx.training.run.objective import (
    ImagePool,
    cycle_loss,
    discriminator_loss,
    distribution_loss,
    generators_loss,
    roughness,
)
from nightfx.training.run.recipes import PAPER
from nightfx.training.run.state import TrainingRun, start_run
from nightfx.training.run.step import train_step
from nightfx.training.run.train_options import TrainOptions

SETUPS = {
    "paper": PAPER,  # 256 px, batch 1
    "relit": TrainOptions(warm_start_steps=0),  # 128 px, batch 4
}
PICTURES, SIZE = 24, (720, 1280)


def main() -> None:
    """Read the arguments, time both loops with each of the networks, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--only", nargs="*", choices=SETUPS, default=list(SETUPS))
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    print(f"{machine()}, device {args.device}")
    print(f"{'':8}{'plain, steps/s':>16}{'trainer, steps/s':>18}{'ratio':>8}{'waiting':>9}")
    with tempfile.TemporaryDirectory() as folder:
        pictures = paint(Path(folder))
        for name in args.only:
            compare(name, pictures, args.rounds, args.steps, pick_device(args.device))


def compare(name: str, pictures: Pictures, rounds: int, steps: int, device: torch.device) -> None:
    """Time both loops, `steps` a round, and print a row; a round before the first does not count."""
    options = SETUPS[name]
    plain = plain_loop(pictures, options, device)
    with Feed((pictures, pictures), options) as feed:
        ours = trainer_loop(feed, options, device)
        seconds: dict[str, list[float]] = {"plain": [], "trainer": []}
        waited = 0.0
        for turn in range(rounds + 1):
            for loop, work in (("plain", plain), ("trainer", ours)):
                before = feed.waited_seconds
                seconds[loop].append(time_steps(work, steps, device))
                waited += (feed.waited_seconds - before) * (turn > 0)
    a, b = (statistics.median(taken[1:]) / steps for taken in seconds.values())
    share = waited / sum(seconds["trainer"][1:])
    print(f"{name:8}{1 / a:16.2f}{1 / b:18.2f}{a / b:8.2f}{share:9.2%}", flush=True)


def time_steps(work: Callable[[], object], steps: int, device: torch.device) -> float:
    """Seconds for `steps` calls of `work`."""
    started = time.perf_counter()
    for _ in range(steps):
        work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def trainer_loop(feed: Feed, options: TrainOptions, device: torch.device) -> Callable[[], object]:
    """A step of nightfx's trainer."""
    run = start_run(options, device)

    def step() -> None:
        real_A, real_B = (to_pictures(real, device) for real in next(feed))
        losses = train_step(run, real_A, real_B, options)
        torch.stack(list(losses.values())).tolist()  # as the plain loop shows its loss

    return step


def plain_loop(
    pictures: Pictures, options: TrainOptions, device: torch.device
) -> Callable[[], object]:
    """A step as one would write it first."""
    run = start_run(replace(options, precision="float32"), device)
    for network in (run.G_AB, run.G_BA, run.D_A, run.D_B, run.ema_AB, run.ema_BA):
        network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # torch's stubs lack it
    generators, discriminators = (
        torch.optim.Adam(optimiser.param_groups[0]["params"], options.learning_rate, (0.5, 0.999))
        for optimiser in (run.generators, run.discriminators)
    )

    def step() -> float:
        real_A, real_B = (
            draw_batch(pictures, options.batch, options.crop_px, options.scale, run.rng).to(device)
            for _ in "AB"
        )
        fake_A, fake_B, loss = plain_generators(run, options, real_A, real_B)
        generators.zero_grad()
        loss.backward()
        generators.step()
        discriminators.zero_grad()
        plain_discriminator(run, run.D_A, run.pool_A, real_A, fake_A)
        plain_discriminator(run, run.D_B, run.pool_B, real_B, fake_B)
        discriminators.step()
        if options.ema:
            follow(run, options.ema)
        return float(loss.detach())

    return step


def plain_generators(
    run: TrainingRun, options: TrainOptions, real_A: Tensor, real_B: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Both fakes, and the loss of both generators: the trainer's own terms."""
    for D in (run.D_A, run.D_B):
        D.requires_grad_(False)
    fake_B, fake_A = run.G_AB(real_A), run.G_BA(real_B)
    cycle = cycle_loss(real_A, run.G_BA(fake_B), real_B, run.G_AB(fake_A))
    loss = generators_loss(run.D_B(fake_B), run.D_A(fake_A), cycle, options.cycle_weight)
    if options.architecture == "relit":
        sets = (real_A, fake_A, run.recent_A, run.faked_A), (real_B, fake_B, run.recent_B, run.faked_B)  # fmt: skip
        for real, fake, recent, faked in sets:
            recent.add(real)
            older = faked.all(like=fake)
            loss = loss + options.distribution_weight * distribution_loss(
                fake, older, recent.all(), 0
            )
            loss = loss + options.smooth_weight * roughness(fake - real, real)
            faked.add(fake.detach())
    return fake_A.detach(), fake_B.detach(), loss


def plain_discriminator(
    run: TrainingRun, D: nn.Module, pool: ImagePool, real: Tensor, fake: Tensor
) -> None:
    """One discriminator's backward pass."""
    D.requires_grad_(True)
    discriminator_loss(D(real), D(pool.query(fake, run.rng))).backward()


@torch.no_grad()
def follow(run: TrainingRun, decay: float) -> None:
    """The running mean of the weights."""
    for mean, network in ((run.ema_AB, run.G_AB), (run.ema_BA, run.G_BA)):
        for average, now in zip(mean.parameters(), network.parameters(), strict=True):
            average.mul_(decay).add_(now, alpha=1 - decay)


def paint(folder: Path) -> Pictures:
    """Pictures of noise at 720p, as JPEG."""
    rng = np.random.default_rng(0)
    for index in range(PICTURES):
        small = rng.integers(0, 255, (SIZE[0] // 8, SIZE[1] // 8, 3), dtype=np.uint8)
        Image.fromarray(small).resize(SIZE[::-1]).save(folder / f"{index}.jpg", quality=90)
    return find_pictures(folder, crop_px=256)


if __name__ == "__main__":
    main()
