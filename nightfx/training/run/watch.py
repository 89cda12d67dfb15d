"""Runs that have gone wrong for good: stopped with a sentence rather than left to waste hours."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from nightfx.errors import DeadRunError
from nightfx.network import PaperGenerator
from nightfx.training.run.state import TrainingRun

PATIENCE = 5  # looks in a row; a network may have a bad moment
_FLAT = 1e-3  # darkest to brightest
_PLAIN = 8 / 255  # what a real picture must at least have for a flat fake to mean something
_EVEN = 1e-6
_SURE = 1e-6

_ANEW = "start anew with another seed (--set seed=1) or a lower rate (--set learning_rate={rate:g})"
_CALMER = "lower the rate (--set learning_rate={rate:g}), or calm it with --set r1_weight=1 or --set spectral_norm=true"


class Watch:
    """Looks at the networks now and then, and raises when something was wrong `PATIENCE` times in a row."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def look(self, run: TrainingRun, real_A: Tensor, real_B: Tensor, learning_rate: float) -> None:
        """Try `run`'s networks on pictures (N, 3, H, W) in [0, 1]. Raises `DeadRunError`."""
        wrong = dict(find_faults(run, real_A, real_B))
        self._seen = {fault: self._seen.get(fault, 0) + 1 for fault in wrong}
        for fault, advice in wrong.items():
            if self._seen[fault] >= PATIENCE:
                words = advice.format(rate=learning_rate / 4)
                raise DeadRunError(f"step {run.step}: {fault}; {words}")


@torch.no_grad()
def find_faults(run: TrainingRun, real_A: Tensor, real_B: Tensor) -> Iterator[tuple[str, str]]:
    """Return the faults of the networks, each with what to change."""
    fakes = {}
    for name, G, real in (("night", run.G_AB, real_A), ("day", run.G_BA, real_B)):
        fakes[name] = G(real)
        if _is_flat(fakes[name].clamp(0, 1), _FLAT) and not _is_flat(real, _PLAIN):
            yield f"the {name} generator is dead: it paints one flat colour", _ANEW
        elif isinstance(G, PaperGenerator) and (channels := _dead_channels(fakes[name])):
            yield f"the {name} generator is dead in {channels}: its ReLU gives 0 everywhere", _ANEW
    for name, D, real, fake in (
        ("day", run.D_A, real_A, fakes["day"]),
        ("night", run.D_B, real_B, fakes["night"]),
    ):
        yield from _judge(name, *_scores(D, real, fake))


def _is_flat(pictures: Tensor, span: float) -> bool:
    # every picture, in every channel
    rows = pictures.flatten(2)
    return bool((rows.amax(2) - rows.amin(2) < span).all())


def _dead_channels(fake: Tensor) -> str:
    dead = (fake == 0).all(dim=3).all(dim=2).all(dim=0).tolist()
    return " and ".join(
        c for c, is_dead in zip(("red", "green", "blue"), dead, strict=True) if is_dead
    )


def _scores(D: nn.Module, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    D.eval()  # a look must not move the spectral norm's estimates
    scores = D(real).float(), D(fake).float()
    D.train()
    return scores


def _judge(name: str, on_real: Tensor, on_fake: Tensor) -> Iterator[tuple[str, str]]:
    loss = (on_real - 1).square().mean() + on_fake.square().mean()
    if (on_real - on_fake).abs().max() < _EVEN:
        yield (
            f"the {name} discriminator has collapsed: it scores real and fake pictures alike",
            _ANEW,
        )
    elif loss < _SURE:
        fault = f"the {name} discriminator has collapsed: it is so sure that it teaches nothing"
        yield fault, _CALMER
