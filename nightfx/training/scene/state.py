"""The state of a run of the scene network, and its checkpoint: everything that the next step depends on but pictures."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from nightfx.disk import partial_file
from nightfx.errors import TrainingError
from nightfx.network import SceneNetwork, load_scene_network, pick_trunk_dtype
from nightfx.network.weights import why_unread
from nightfx.options import SceneTrainOptions
from nightfx.scene.kinds import KINDS

_EMA = 0.998
_WARM_UP = 0.04  # of all steps
_DECAY = 1e-4
_CLIP = 1.0


@dataclass
class SceneRun:
    """The network that learns, the running mean of its weights, which is what ships, and the optimiser."""

    network: SceneNetwork
    mean: SceneNetwork
    optimiser: torch.optim.AdamW
    before: SceneNetwork | None = None
    """The network it started from, where what labels do not say is held to what that one says."""
    step: int = 0
    losses: list[dict[str, float]] = field(default_factory=list)
    """Means over the steps between two checkpoints, with the step as `step`."""

    def follow(self, options: SceneTrainOptions) -> None:
        """Make the step that the gradients ask for, and let the mean follow."""
        nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.step, options)
        self.optimiser.step()
        self.optimiser.zero_grad()
        # early on the mean would be mostly the first guess: let it follow sooner
        follow = get_ema_multi_avg_fn(min(_EMA, (1 + self.step) / (10 + self.step)))
        follow(list(self.mean.parameters()), list(self.network.parameters()), 0)
        self.step += 1


def learning_rate(step: int, options: SceneTrainOptions) -> float:
    """It rises over the first steps, and falls along a cosine to a hundredth."""
    share = min(step / options.steps, 1.0)
    falling = 0.01 + 0.99 * 0.5 * (1 + float(torch.cos(torch.tensor(share * torch.pi))))
    return options.learning_rate * min((step + 1) / (_WARM_UP * options.steps), 1.0) * falling


def start(options: SceneTrainOptions, device: torch.device) -> SceneRun:
    """A fresh network, seeded, or one of the weights to start from. Raises `PresetError` where these are not read."""
    torch.manual_seed(options.seed)
    network = _seeded() if options.start is None else load_scene_network(options.start)
    network.train().requires_grad_(True)
    network.to(device, memory_format=layout(device))  # type: ignore[call-overload]  # torch's stubs lack it
    mean = copy.deepcopy(network).requires_grad_(False)
    before = copy.deepcopy(mean).eval() if options.start and options.hold else None
    adam = torch.optim.AdamW(
        network.parameters(),
        options.learning_rate,
        weight_decay=_DECAY,
        fused=device.type in ("cpu", "cuda"),
    )
    return SceneRun(network, mean, adam, before)


def layout(device: torch.device) -> torch.memory_format:
    """The order of numbers in which `device` learns fastest."""
    # in float32 oneDNN's way back takes 1.4 times as long with the channels last (AVX2)
    quick = device.type == "cuda" or pick_trunk_dtype(device) == torch.bfloat16
    return torch.channels_last if quick else torch.contiguous_format


def _seeded() -> SceneNetwork:
    network = SceneNetwork(len(KINDS))
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]  # Conv2d has a bias by default
    network.around.hush()
    nn.init.normal_(network.leave.weight, std=0.01)
    return network


def save(run: SceneRun, path: Path) -> None:
    """Write the run to `path`; a crash while writing leaves the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "network": run.network.state_dict(),
        "mean": run.mean.state_dict(),
        "optimiser": run.optimiser.state_dict(),
        "step": run.step,
        "losses": run.losses,
    }
    with partial_file(path) as part, part.open("wb") as file:
        torch.save(state, file)


def open_run(path: Path, options: SceneTrainOptions, device: torch.device) -> SceneRun:
    """The run of the checkpoint at `path`, or a fresh one where there is none. Raises `TrainingError`."""
    run = start(options, device)
    if not path.exists():
        return run
    state = _read(path)
    try:
        run.network.load_state_dict(state["network"])
        run.mean.load_state_dict(state["mean"])
        run.optimiser.load_state_dict(state["optimiser"])
        run.step, run.losses = int(state["step"]), list(state["losses"])
    except (TypeError, ValueError, RuntimeError, KeyError) as error:
        raise TrainingError(f"{path}: not of this network; use another --out") from error
    return run


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # the bytes of others can break an unpickler in any way
        words = f"not a checkpoint ({why_unread(error)}); delete it to start anew"
        raise TrainingError(f"{path}: {words}") from error
