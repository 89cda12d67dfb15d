"""The state of a run, and its checkpoint: everything that the next step depends on."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nightfx.disk import partial_file
from nightfx.errors import NightfxError, TrainingError, UsageError
from nightfx.network import Generator, Preset, build_generator, load_preset, threads_again
from nightfx.network.model import Size, size_of
from nightfx.network.trunk import BLOCKS, WIDTH
from nightfx.network.weights import why_unread
from nightfx.training.run import judges, objective, train_options
from nightfx.training.run.share import Share

_RECENT = 64  # real pictures of each class that the fakes are compared with as a set
_FAKED = 24  # fakes that count as that set: older ones would answer to what the generator was, and it would swing
_POOLS = ("pool_A", "pool_B", "recent_A", "recent_B", "faked_A", "faked_B")
FREE = (
    "recipe",
    "steps",
    "epochs",
    "every",
    "patience",
)
"""Options that may change from one part of a run to the next."""
_RESTORED = ("G_AB", "G_BA", "D_A", "D_B", "ema_AB", "ema_BA", "generators", "discriminators")
_KINDS: dict[str, type] = {"options": dict, "data_sha256": str, "step": int}
_KINDS |= {"curves": dict, "best": dict, "rng": Tensor, "torch_rng": Tensor}
_KINDS |= dict.fromkeys(_RESTORED, dict) | dict.fromkeys(_POOLS, list)


@dataclass
class TrainingRun:
    """Everything that the next step depends on; A is day, B is night."""

    G_AB: Generator
    G_BA: Generator
    D_A: nn.Module
    D_B: nn.Module
    ema_AB: Generator
    ema_BA: Generator
    generators: torch.optim.Adam
    discriminators: torch.optim.Adam
    pool_A: objective.ImagePool
    pool_B: objective.ImagePool
    recent_A: objective.Recent
    recent_B: objective.Recent
    faked_A: objective.Recent
    faked_B: objective.Recent
    rng: torch.Generator
    share: Share = field(default_factory=Share)
    data_sha256: str = ""
    threads: int = field(default_factory=torch.get_num_threads)
    """Of torch: with others the weights differ in their last bits."""
    step: int = 0
    curves: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    best: dict[str, float] = field(default_factory=dict)
    recent_losses: list[dict[str, Tensor]] = field(default_factory=list)
    """Losses of the steps since the last point of the curves."""


def start_run(
    options: train_options.TrainOptions,
    device: torch.device,
    sizes: Sequence[Size] = ((WIDTH, BLOCKS),) * 2,
) -> TrainingRun:
    """Fresh networks and optimisers, seeded; `sizes` are those of the generators, to night and to day."""
    torch.manual_seed(options.seed)
    G_AB, G_BA = (build_generator(options.architecture, size) for size in sizes)
    D_A, D_B = (_build_discriminator(options) for _ in range(2))
    for network in (G_AB, G_BA, D_A, D_B):
        if (
            options.architecture == "paper"
        ):  # it does not say how weights begin: as in its framework
            judges.begin_as_tensorflow(network)
        network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    generators = [*G_AB.parameters(), *G_BA.parameters()]
    discriminators = [*D_A.parameters(), *D_B.parameters()]
    return TrainingRun(
        G_AB=G_AB,
        G_BA=G_BA,
        D_A=D_A,
        D_B=D_B,
        ema_AB=copy.deepcopy(G_AB).requires_grad_(False),
        ema_BA=copy.deepcopy(G_BA).requires_grad_(False),
        generators=_optimiser(generators, options, device),
        discriminators=_optimiser(discriminators, options, device),
        pool_A=objective.ImagePool(options.pool_size),
        pool_B=objective.ImagePool(options.pool_size),
        recent_A=objective.Recent(_RECENT),
        recent_B=objective.Recent(_RECENT),
        faked_A=objective.Recent(_FAKED),
        faked_B=objective.Recent(_FAKED),
        rng=torch.Generator().manual_seed(options.seed),
    )


def begun_as(
    preset: Preset, options: train_options.TrainOptions, device: torch.device
) -> TrainingRun:
    """A fresh run whose generators begin as those of a preset and of its other way round, where that lies beside it.

    Raises `UsageError` for a preset of another network.
    """
    other = preset.folder.with_name("day" if preset.facts.plate == "day" else "night")
    found = [preset, *([load_preset(other)] if (other / "preset.toml").is_file() else [])]
    weights = {one.facts.plate: _relit_weights(one) for one in found}
    sides = [weights.get(plate) for plate in ("day", "night")]
    sizes = [size_of(side) if side else (WIDTH, BLOCKS) for side in sides]
    run = start_run(options, device, sizes)
    for side, networks in zip(sides, ((run.G_AB, run.ema_AB), (run.G_BA, run.ema_BA)), strict=True):
        for network in networks if side else ():
            network.load_state_dict(side)  # type: ignore[arg-type]  # there is one
    return run


def _relit_weights(preset: Preset) -> dict[str, Tensor]:
    if preset.facts.architecture != "relit":
        words = f"its network is {preset.facts.architecture}, and relit is what is trained"
        raise UsageError(f"--from {preset.name}: {words}")
    return preset.generator.state_dict()


def note(run: TrainingRun, name: str, value: float) -> None:
    """Add a point to one of the run's curves."""
    run.curves.setdefault(name, []).append((run.step, value))


def _optimiser(
    parameters: list[nn.Parameter], options: train_options.TrainOptions, device: torch.device
) -> torch.optim.Adam:
    # the paper names no optimiser: Adam, β₁ = 0.5, as in CycleGAN
    fused = device.type in ("cpu", "cuda")
    return torch.optim.Adam(parameters, options.learning_rate, (0.5, 0.999), fused=fused)


def _build_discriminator(options: train_options.TrainOptions) -> nn.Module:
    network = (
        judges.PaperDiscriminator()
        if options.architecture == "paper"
        else judges.PatchDiscriminator()
    )
    return judges.spectrally_normed(network) if options.spectral_norm else network


def save_checkpoint(run: TrainingRun, options: train_options.TrainOptions, path: Path) -> None:
    """Write `run` to `path`; a crash while writing leaves the one before."""
    state: dict[str, Any] = {name: getattr(run, name).state_dict() for name in _RESTORED}
    state |= {name: getattr(run, name) for name in ("step", "curves", "best")}
    state |= {name: getattr(run, name).pictures for name in _POOLS}
    state |= {
        "recent_losses": run.recent_losses,
        "rng": run.rng.get_state(),
        "torch_rng": torch.get_rng_state(),
        "options": asdict(options),
        "data_sha256": run.data_sha256,
        "threads": run.threads,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with partial_file(path) as part, part.open("wb") as file:
            torch.save(state, file)
    except (NightfxError, RuntimeError) as error:
        raise TrainingError(_why_unwritten(path, error)) from error


def _why_unwritten(path: Path, error: Exception) -> str:
    # torch's writer raises a RuntimeError of its own over the disk's
    free_mib = shutil.disk_usage(path.parent).free / 2**20
    cause = next((x for x in (error, error.__context__) if isinstance(x, OSError)), error)
    why = str(cause).splitlines()[0]
    return (
        f"{path}: the checkpoint cannot be written ({why}; {free_mib:.0f} MiB are free); "
        "make room and run again: it goes on from the one before"
    )


def open_run(
    path: Path, options: train_options.TrainOptions, device: torch.device, *, data_sha256: str = ""
) -> TrainingRun:
    """The run of the checkpoint at `path`, or a fresh one where there is none.

    Raises `TrainingError` where the checkpoint was made with other pictures or options; only `FREE` may differ.
    """
    if not path.exists():
        start = load_preset(options.start) if options.start else None
        run = begun_as(start, options, device) if start else start_run(options, device)
        run.data_sha256 = data_sha256
        return run
    state = read_checkpoint(path)
    refuse_other_options(path, state["options"], options)
    if state["data_sha256"] != data_sha256:
        raise TrainingError(
            f"{path}: belongs to a run with other pictures (they hashed to {state['data_sha256'][:12]}, "
            f"now to {data_sha256[:12]}); bring them back, or use another --out"
        )
    try:
        run = start_run(options, device, _sizes_in(state, options))
        run.data_sha256 = data_sha256
        _restore(run, state, device)
    except (TypeError, ValueError, RuntimeError, AttributeError, KeyError, IndexError) as error:
        raise TrainingError(_no_checkpoint(path, "its networks are of another shape")) from error
    return run


def _sizes_in(state: Mapping[str, Any], options: train_options.TrainOptions) -> list[Size]:
    if options.architecture == "paper":
        return [(WIDTH, BLOCKS)] * 2
    return [size_of(state[name]) for name in ("G_AB", "G_BA")]


def _restore(run: TrainingRun, state: Mapping[str, Any], device: torch.device) -> None:
    for name in _RESTORED:
        getattr(run, name).load_state_dict(state[name])
    for name in ("step", "curves", "best"):
        setattr(run, name, state[name])
    for name in _POOLS:
        getattr(run, name).pictures = [picture.to(device) for picture in state[name]]
    run.recent_losses = [
        {name: loss.to(device) for name, loss in losses.items()}
        for losses in state.get("recent_losses", [])  # older checkpoints have none
    ]
    run.threads = threads_again(state.get("threads"))  # nor have they this
    run.rng.set_state(state["rng"])
    torch.set_rng_state(state["torch_rng"])


def read_checkpoint(path: Path) -> dict[str, Any]:
    """All that a checkpoint holds, on the CPU; raises `TrainingError`. Code in it is not run."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise TrainingError(f"{path}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # the bytes of others can break an unpickler in any way
        raise TrainingError(_no_checkpoint(path, why_unread(error))) from error
    wrong = next((name for name, kind in _KINDS.items() if not _holds(state, name, kind)), None)
    if wrong:
        raise TrainingError(_no_checkpoint(path, f"it has no {wrong} as nightfx train writes it"))
    return dict(state)


def _holds(state: Any, name: str, kind: type) -> bool:
    return isinstance(state, dict) and isinstance(state.get(name), kind)


def _no_checkpoint(path: Path, why: str) -> str:
    return f"{path}: not a checkpoint ({why}); delete it to start anew"


def refuse_other_options(
    path: Path, old: Mapping[str, Any], new: train_options.TrainOptions
) -> None:
    """Raise `TrainingError` where the run at `path` was begun with other options; only `FREE` may differ.

    What an older version did not know yet was its default.
    """
    before = {**asdict(train_options.TrainOptions()), **old}
    changed = {x: y for x, y in asdict(new).items() if x not in FREE and before[x] != y}
    if changed:
        words = ", ".join(f"{key} was {before[key]}, is {value}" for key, value in changed.items())
        raise TrainingError(
            f"{path}: belongs to a run with other options ({words}); use another --out"
        )
