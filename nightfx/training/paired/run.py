"""A look from pairs of one shot: a grade by place in closed form, then a network that learns what that leaves.

One pair is held out, and judges: the preset kept is the one that comes nearest to it. A run is a folder: `look/` is the
preset, `sample.png` the held-out pair before, as learnt, and after; `run/paired.pt` holds all that the next step needs.
"""

from __future__ import annotations

import hashlib
import logging
import math
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

import nightfx
from nightfx.disk import partial_file
from nightfx.errors import TrainingError
from nightfx.metrics import psnr
from nightfx.network import pick_device, save_preset
from nightfx.network.graded import GradedGenerator
from nightfx.options import MULTIPLE_PX, DeviceName, PairedOptions
from nightfx.training.data.drawings import save_grid
from nightfx.training.data.pictures import to_tensor
from nightfx.training.paired.grade import fit_grade
from nightfx.training.paired.match import ShotPair, find_pairs
from nightfx.training.run.feed import seeded
from nightfx.training.run.objective import as_shown

HEIGHT_PX = 256  # of the shorter side: as the relight method shows frames
CROP_PX, BATCH = 128, 2
EVERY = 25  # steps between two looks at the held-out pair
PATIENCE = 8  # looks without a better one, after which a run is over
_SAVED_SECONDS = 60.0
_TRUNK_RATE, _GRADE_RATE = 5e-4, 5e-4  # Adam's; they fall to nothing along a cosine
_NOISE = 2 / 255  # most of what is added to plates: grain is no part of a look

_Progress = Callable[[int, int, dict[str, float]], None]
_Example = tuple[Tensor, Tensor]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PairedReport:
    """What came of a run by pairs."""

    preset: Path
    """The preset's folder."""
    decibels: float
    """PSNR of the held-out pair, as learnt."""
    plate_decibels: float
    """The same of the plate itself."""
    held_out: str
    """That pair's name."""
    step: int
    """The step whose preset is kept."""

    @property
    def words(self) -> str:
        """A plain verdict."""
        judged = "usable" if self.decibels >= 36 else "near" if self.decibels >= 30 else "hold on"
        way = (
            "" if judged == "usable" else ": more pairs, of what the others do not show, would help"
        )
        return (
            f"{judged}: {self.decibels:.1f} dB from {self.held_out} after, which was held out (the plate: "
            f"{self.plate_decibels:.1f} dB); best at step {self.step}{way}"
        )


@dataclass
class _Run:
    G: GradedGenerator
    adam: torch.optim.Adam
    facts: dict[str, Any]
    """All that a checkpoint must agree in."""
    step: int = 0
    best: float = -math.inf
    best_step: int = 0
    looks: int = 0
    """Looks since the best one."""
    told: dict[str, float] = field(default_factory=dict)


def train_pairs(
    before: Path,
    after: Path,
    out: Path,
    options: PairedOptions | None = None,
    *,
    device: DeviceName = "auto",
    on_progress: _Progress | None = None,
) -> PairedReport:
    """Learn the look that makes the frames `after` of those `before`, folders or clips, into the folder `out`; goes on where it stopped.

    Raises `TrainingError` for pairs and folders that do not do. Whatever `on_progress` raises stops the run between two
    steps, and is raised here when the run is saved.
    """
    options, where = options or PairedOptions(), pick_device(device)
    if out.exists() and not out.is_dir():
        raise TrainingError(f"{out}: is a file; --out names the folder of a run")
    pairs = find_pairs(before, after)
    judged = pairs.pop(len(pairs) // 2)
    held_out, examples = _example(judged), [_example(pair) for pair in pairs]
    facts = {"data_sha256": _hash([*pairs, judged]), "seed": options.seed}
    run = _open(out, facts, examples, where)
    _loop(run, options, out, examples, held_out, on_progress or (lambda *_: None))
    plate = psnr(*held_out)
    return PairedReport(out / "look", run.best, plate, judged.name, run.best_step)


def _example(pair: ShotPair) -> _Example:
    """A pair at the height that the relight method shows, both (3, H, W) in [0, 1], multiples of 8."""
    height, width = pair.before.shape[:2]
    share = HEIGHT_PX / min(height, width)
    size = [max(round(x * share / MULTIPLE_PX), 1) * MULTIPLE_PX for x in (width, height)]
    one, other = (
        to_tensor(np.asarray(cv2.resize(x, size, interpolation=cv2.INTER_AREA)))
        for x in (pair.before, pair.after)
    )
    return one, other


def _open(
    out: Path, facts: dict[str, Any], examples: Sequence[_Example], where: torch.device
) -> _Run:
    """The run in `out`, or a new one that begins with the grade in closed form."""
    torch.manual_seed(facts["seed"])
    G, path = GradedGenerator(), out / "run/paired.pt"
    if not path.exists():
        if (out / "look").exists():
            raise TrainingError(f"{out / 'look'}: is here already and of no run; use another --out")
        G.grade.data = fit_grade(examples)
    G.to(where, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    rest = [weights for name, weights in G.named_parameters() if name != "grade"]
    groups = [{"params": rest, "top": _TRUNK_RATE}, {"params": [G.grade], "top": _GRADE_RATE}]
    run = _Run(G, torch.optim.Adam(groups, _TRUNK_RATE), facts)
    if path.exists():
        _restore(run, path)
    return run


def _restore(run: _Run, path: Path) -> None:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["facts"] != run.facts:
            raise TrainingError(
                f"{path}: belongs to a run with other pairs or seed; use another --out"
            )
        run.G.load_state_dict(state["G"])
        run.adam.load_state_dict(state["adam"])
        run.step, run.best, run.best_step, run.looks = state["at"]
    except TrainingError:
        raise
    except Exception as error:
        raise TrainingError(f"{path}: not a checkpoint; delete it to start anew") from error


def _save(run: _Run, path: Path) -> None:
    state: dict[str, Any] = {
        "G": run.G.state_dict(),
        "adam": run.adam.state_dict(),
        "facts": run.facts,
    }
    state["at"] = [run.step, run.best, run.best_step, run.looks]
    path.parent.mkdir(parents=True, exist_ok=True)
    with partial_file(path) as part, part.open("wb") as file:
        torch.save(state, file)


def _loop(
    run: _Run,
    options: PairedOptions,
    out: Path,
    examples: Sequence[_Example],
    held_out: _Example,
    on_progress: _Progress,
) -> None:
    saved_at, path = time.monotonic(), out / "run/paired.pt"
    if run.best == -math.inf:
        _look(run, out, held_out)
        _save(run, path)
    try:
        on_progress(run.step, options.steps, run.told)
        while run.step < options.steps and run.looks < PATIENCE:
            _make_step(run, options, examples)
            if run.step % EVERY == 0 or run.step == options.steps:
                _look(run, out, held_out)
            if time.monotonic() - saved_at > _SAVED_SECONDS:
                _save(run, path)
                saved_at = time.monotonic()
            on_progress(run.step, options.steps, run.told)
    finally:
        _save(run, path)


def _make_step(run: _Run, options: PairedOptions, examples: Sequence[_Example]) -> None:
    """Lead the generator nearer to the frames after, on a few crops that the seed and the step say."""
    rng = seeded(options.seed, "pairs", run.step)
    device = run.G.grade.device
    x, wanted, at = (
        torch.stack(parts).to(device)
        for parts in zip(*(_draw(examples, rng) for _ in range(BATCH)), strict=True)
    )
    for group in run.adam.param_groups:
        group["lr"] = group["top"] * (1 + math.cos(math.pi * run.step / options.steps)) / 2
    loss = F.l1_loss(as_shown(run.G(x, at)), wanted)
    run.adam.zero_grad()
    loss.backward()
    run.adam.step()
    run.step += 1
    if not math.isfinite(value := loss.item()):
        raise TrainingError(f"step {run.step}: the loss became {value}; take another --seed")
    run.told = {**run.told, "loss": value}


def _draw(examples: Sequence[_Example], rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """A crop before, with some noise, the same after, and where its pixels lie in the frame; mirrored half of the time."""
    before, after = examples[int(torch.randint(len(examples), (), generator=rng))]
    height, width = before.shape[1:]
    side = int(torch.randint(CROP_PX, HEIGHT_PX + 1, (), generator=rng))
    top, left = (int(torch.randint(x - side + 1, (), generator=rng)) for x in (height, width))
    places = torch.stack(
        torch.meshgrid(torch.linspace(-1, 1, width), torch.linspace(-1, 1, height), indexing="xy")
    )
    whole = torch.cat([before, after, places])
    crop = F.interpolate(
        whole[None, :, top : top + side, left : left + side], (CROP_PX, CROP_PX), mode="area"
    )[0]
    if torch.rand((), generator=rng) < 0.5:
        crop = crop.flip(2)
    noise = _NOISE * torch.rand((), generator=rng) * torch.randn(crop[:3].shape, generator=rng)
    return (crop[:3] + noise).clamp(0, 1), crop[3:6], crop[6:].permute(1, 2, 0)


def _look(run: _Run, out: Path, held_out: _Example) -> None:
    """Hold the generator against the held-out pair; the best so far becomes the preset."""
    before, after = held_out
    with torch.inference_mode():
        made = run.G(before[None].to(run.G.grade.device)).clamp(0, 1).cpu()[0]
    decibels = min(psnr(made, after), 99.0)
    run.looks += 1
    if decibels > run.best:
        run.best, run.best_step, run.looks = decibels, run.step, 0
        _keep(run, out)
        save_grid([torch.stack([before, made, after])], out / "sample.png")
    run.told = {**run.told, "held-out pair, dB": decibels, "best, dB": run.best}


def _keep(run: _Run, out: Path) -> None:
    training: Mapping[str, Any] = {
        **run.facts,
        "step": run.step,
        "nightfx": nightfx.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    out.mkdir(parents=True, exist_ok=True)
    words = f"Learnt from pairs of one shot; {run.best:.1f} dB from a pair that was held out."
    save_preset(
        out / "look",
        run.G,
        f"# look\n\n{words} Step {run.step}, at {HEIGHT_PX} px.\n",
        name="look",
        description=words,
        heights_px=(HEIGHT_PX, HEIGHT_PX),
        method="relight",
        training=training,
    )


def _hash(pairs: Sequence[ShotPair]) -> str:
    whole = hashlib.sha256()
    for pair in pairs:
        whole.update(pair.before.tobytes() + pair.after.tobytes())
    return whole.hexdigest()
