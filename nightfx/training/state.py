"""The state of a run, and its checkpoint: everything that the next step depends on."""

from __future__ import annotations

import copy
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import nn

from nightfx.errors import RetryError, TrainingError
from nightfx.model import Generator, PaperDiscriminator, PatchDiscriminator, build_generator
from nightfx.training.objective import ImagePool, Recent
from nightfx.training.options import TrainOptions

RECENT = 64  # real pictures of each class that the fakes are compared with as a set
FAKED = 24  # fakes that count as that set: older ones would answer to what the generator was, and it would swing
POOLS = ("pool_A", "pool_B", "recent_A", "recent_B", "faked_A", "faked_B")
RESTORED = ("G_AB", "G_BA", "D_A", "D_B", "ema_AB", "ema_BA", "generators", "discriminators")


@dataclass
class Run:
    """Everything that the next step depends on; A is day, B is night."""

    G_AB: Generator
    G_BA: Generator
    D_A: nn.Module
    D_B: nn.Module
    ema_AB: Generator
    ema_BA: Generator
    generators: torch.optim.Adam
    discriminators: torch.optim.Adam
    pool_A: ImagePool
    pool_B: ImagePool
    recent_A: Recent
    recent_B: Recent
    faked_A: Recent
    faked_B: Recent
    rng: torch.Generator
    step: int = 0
    curves: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    best: dict[str, float] = field(default_factory=dict)


def start_run(options: TrainOptions, device: torch.device) -> Run:
    """Fresh networks and optimisers, seeded."""
    torch.manual_seed(options.seed)
    G_AB, G_BA = (build_generator(options.architecture).to(device) for _ in range(2))
    D_A, D_B = (_build_discriminator(options).to(device) for _ in range(2))
    for network in (G_AB, G_BA, D_A, D_B):
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    generators = [*G_AB.parameters(), *G_BA.parameters()]
    discriminators = [*D_A.parameters(), *D_B.parameters()]
    return Run(
        G_AB=G_AB,
        G_BA=G_BA,
        D_A=D_A,
        D_B=D_B,
        ema_AB=copy.deepcopy(G_AB).requires_grad_(False),
        ema_BA=copy.deepcopy(G_BA).requires_grad_(False),
        generators=torch.optim.Adam(generators, options.learning_rate, (0.5, 0.999)),
        discriminators=torch.optim.Adam(discriminators, options.learning_rate, (0.5, 0.999)),
        pool_A=ImagePool(options.pool_size),
        pool_B=ImagePool(options.pool_size),
        recent_A=Recent(RECENT),
        recent_B=Recent(RECENT),
        faked_A=Recent(FAKED),
        faked_B=Recent(FAKED),
        rng=torch.Generator().manual_seed(options.seed),
    )


def note(run: Run, name: str, value: float) -> None:
    """Add a point to one of the run's curves."""
    run.curves.setdefault(name, []).append((run.step, value))


def _build_discriminator(options: TrainOptions) -> nn.Module:
    return PaperDiscriminator() if options.architecture == "paper" else PatchDiscriminator()


def save_checkpoint(run: Run, options: TrainOptions, path: Path) -> None:
    """Write `run` to `path`; a crash while writing leaves the one before."""
    state: dict[str, Any] = {name: getattr(run, name).state_dict() for name in RESTORED}
    state |= {name: getattr(run, name) for name in ("step", "curves", "best")}
    state |= {name: getattr(run, name).pictures for name in POOLS}
    state |= {
        "rng": run.rng.get_state(),
        "torch_rng": torch.get_rng_state(),
        "options": asdict(options),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    try:
        torch.save(state, part)
        part.replace(path)
    except (OSError, RuntimeError) as error:
        part.unlink(missing_ok=True)
        raise RetryError(f"{path}: the checkpoint cannot be written: {error}") from error


def open_run(path: Path, options: TrainOptions, device: torch.device) -> Run:
    """The run of the checkpoint at `path`, or a fresh one where there is none.

    Raises `TrainingError` where the checkpoint was made with other options; only `steps` and `every` may differ.
    """
    run = start_run(options, device)
    if not path.exists():
        return run
    state = _read_checkpoint(path, device)
    _refuse_other_options(path, state["options"], asdict(options))
    for name in RESTORED:
        getattr(run, name).load_state_dict(state[name])
    for name in ("step", "curves", "best"):
        setattr(run, name, state[name])
    for name in POOLS:
        getattr(run, name).pictures = state[name]
    run.rng.set_state(state["rng"].cpu())
    torch.set_rng_state(state["torch_rng"].cpu())
    return run


def _read_checkpoint(path: Path, device: torch.device) -> dict[str, Any]:
    try:
        return dict(torch.load(path, map_location=device, weights_only=True))
    except (OSError, RuntimeError, ValueError, EOFError, UnpicklingError, struct.error) as error:
        first_line = str(error).splitlines()[0] if str(error) else type(error).__name__
        words = f"{path}: not a checkpoint ({first_line}); delete it to start anew"
        raise TrainingError(words) from error


def _refuse_other_options(path: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    changed = [key for key in new if key not in ("steps", "every") and old.get(key) != new[key]]
    if changed:
        words = ", ".join(f"{key} was {old.get(key)}, is {new[key]}" for key in changed)
        raise TrainingError(
            f"{path}: belongs to a run with other options ({words}); use another --out"
        )
