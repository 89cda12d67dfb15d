"""One step of a run: the generators against the discriminators, then the discriminators against them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from nightfx.network import Generator, RelitGenerator, pick_trunk_dtype
from nightfx.training.run import state, train_options
from nightfx.training.run.objective import (
    ImagePool,
    as_shown,
    cycle_loss,
    discriminator_loss,
    distribution_loss,
    generator_loss,
    generators_loss,
    gradient_penalty,
    identity_loss,
    roughness,
    warm_start_loss,
)

_Pair = tuple[Tensor, Tensor]
_Losses = dict[str, Tensor]

_JUDGES_FROM = 0.85  # of the warm start: discriminators that know nothing yet would undo it


def train_step(
    run: state.TrainingRun,
    real_A: Tensor,
    real_B: Tensor,
    options: train_options.TrainOptions,
    guides: _Pair | None = None,
) -> _Losses:
    """One step on crops (N, 3, H, W): generators first, then discriminators. Returns the losses by name.

    The paper gives no order. `guides` are the pictures that the warm start imitates, of real_A in B and of real_B in A.
    """
    _set_learning_rate(run, options)
    if options.architecture == "relit" and run.step == options.warm_start_steps:
        # Adam's memory of the warm start's small gradients would make the first steps after it huge
        run.generators.state.clear()
    fake_A, fake_B, losses = _step_generators(run, real_A, real_B, options, guides)
    if not options.is_warming(run.step) or run.step >= _JUDGES_FROM * options.warm_start_steps:
        losses |= _step_discriminators(run, options, (real_A, fake_A), (real_B, fake_B))
    for mean, network in ((run.ema_AB, run.G_AB), (run.ema_BA, run.G_BA)):
        # early on the mean would be mostly the first guess: let it follow sooner
        _follow(mean, network, min(options.ema, (1 + run.step) / (10 + run.step)))
    run.step += 1
    return losses


def _step_generators(
    run: state.TrainingRun,
    real_A: Tensor,
    real_B: Tensor,
    options: train_options.TrainOptions,
    guides: _Pair | None = None,
) -> tuple[Tensor, Tensor, _Losses]:
    for network in (run.D_A, run.D_B):
        network.requires_grad_(False)
    if options.distribution_weight:
        run.recent_A.add(run.share.gather(real_A))
        run.recent_B.add(run.share.gather(real_B))
    shown: _Losses = {}
    with _mixed(real_A.device, options):
        (fake_B, rough_A), (fake_A, rough_B) = (
            _translate(run.G_AB, real_A),
            _translate(run.G_BA, real_B),
        )
        if guides:
            losses = {"warm start": warm_start_loss(guides, (fake_B, fake_A))}
        else:
            cycle = cycle_loss(real_A, run.G_BA(fake_B), real_B, run.G_AB(fake_A))
            on_B, on_A = run.D_B(fake_B).float(), run.D_A(fake_A).float()
            losses = {"generators": generators_loss(on_B, on_A, cycle, options.cycle_weight)}
            shown["G_AB"] = generator_loss(on_B, cycle, options.cycle_weight)
            shown["G_BA"] = generator_loss(on_A, cycle, options.cycle_weight)
            losses |= _extras(run, options, (real_A, fake_A, rough_A), (real_B, fake_B, rough_B))
    run.generators.zero_grad()
    torch.stack(list(losses.values())).sum().backward()
    _descend(run, run.generators, options)
    losses = {name: loss for name, loss in losses.items() if name != "generators"} | shown
    return fake_A.detach(), fake_B.detach(), {name: loss.detach() for name, loss in losses.items()}


def _extras(
    run: state.TrainingRun,
    options: train_options.TrainOptions,
    A: tuple[Tensor, Tensor, Tensor],
    B: tuple[Tensor, Tensor, Tensor],
) -> _Losses:
    """Return the terms that the paper's objective lacks; `A` and `B` are the real, the fake and the roughness of the maps of each."""
    (real_A, fake_A, rough_A), (real_B, fake_B, rough_B) = A, B
    losses: _Losses = {}
    if options.architecture == "relit":
        losses["roughness"] = options.smooth_weight * (rough_A + rough_B)
        if options.distribution_weight:
            losses["distribution"] = options.distribution_weight * _distribution(
                run, fake_A, fake_B
            )
    if options.identity_weight:
        (idt_A, _), (idt_B, _) = _translate(run.G_BA, real_A), _translate(run.G_AB, real_B)
        losses["identity"] = options.identity_weight * identity_loss(real_A, idt_A, real_B, idt_B)
    return losses


def _descend(
    run: state.TrainingRun, optimiser: torch.optim.Adam, options: train_options.TrainOptions
) -> None:
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    run.share.average_gradients(parameters)
    if options.clip_norm:
        nn.utils.clip_grad_norm_(parameters, options.clip_norm)
    optimiser.step()


def _distribution(run: state.TrainingRun, fake_A: Tensor, fake_B: Tensor) -> Tensor:
    fake_A, fake_B = run.share.join(fake_A), run.share.join(fake_B)
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
    run: state.TrainingRun,
    options: train_options.TrainOptions,
    A: tuple[Tensor, Tensor],
    B: tuple[Tensor, Tensor],
) -> _Losses:
    losses = {
        "D_A": _judge(run, options, run.D_A, run.pool_A, *A),
        "D_B": _judge(run, options, run.D_B, run.pool_B, *B),
    }
    if options.r1_weight:
        slopes = gradient_penalty(run.D_A, A[0]) + gradient_penalty(run.D_B, B[0])
        losses["slope"] = options.r1_weight * slopes
    run.discriminators.zero_grad()
    torch.stack(list(losses.values())).sum().backward()
    _descend(run, run.discriminators, options)
    return {name: loss.detach() for name, loss in losses.items()}


def _judge(
    run: state.TrainingRun,
    options: train_options.TrainOptions,
    D: nn.Module,
    pool: ImagePool,
    real: Tensor,
    fake: Tensor,
) -> Tensor:
    D.requires_grad_(True)
    older = fake
    if options.pool_size:
        older = run.share.own(pool.query(run.share.gather(fake), run.rng))
    with _mixed(real.device, options):
        # both in one pass: small batches leave a device idle
        on_real, on_fake = D(torch.cat([real, older.to(real.dtype)])).float().chunk(2)
    return discriminator_loss(on_real, on_fake)


def _set_learning_rate(run: state.TrainingRun, options: train_options.TrainOptions) -> None:
    left = (options.steps - run.step) / max(options.steps * (1 - options.decay_after), 1)
    rate = options.learning_rate * min(1.0, left)
    slow = options.architecture == "relit" and not options.is_warming(run.step)
    shares = options.generator_share if slow else 1.0, 1.0
    for optimiser, share in zip((run.generators, run.discriminators), shares, strict=True):
        for group in optimiser.param_groups:
            group["lr"] = rate * share


def _mixed(device: torch.device, options: train_options.TrainOptions) -> torch.autocast:
    wanted = options.precision == "bfloat16"
    if options.precision == "auto":
        wanted = pick_trunk_dtype(device) == torch.bfloat16
    return torch.autocast(device.type, torch.bfloat16, enabled=wanted)


def _follow(mean: nn.Module, network: nn.Module, decay: float) -> None:
    follow = get_ema_multi_avg_fn(decay)
    follow(list(mean.parameters()), list(network.parameters()), 0)
