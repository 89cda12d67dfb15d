"""The run of the scene network: labelled pictures in, weights out.

A run is a folder: `weights.safetensors` is what was learnt so far, `checkpoint.pt` all that the next step depends on, and
`losses.json` how it went. What a step is shown depends on its number, the seed and the pictures that are there; those that
are drawn or labelled while it runs are taken in at the next checkpoint.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from nightfx.disk import partial_file
from nightfx.errors import DeadRunError
from nightfx.network import pick_device, pick_trunk_dtype
from nightfx.network.weights import pack_weights
from nightfx.options import DeviceName, SceneTrainOptions
from nightfx.training.scene import state
from nightfx.training.scene.altering import altered
from nightfx.training.scene.framing import is_frontal, reframed
from nightfx.training.scene.gaps import with_gap
from nightfx.training.scene.gather import Sources, gather, read_keep_out
from nightfx.training.scene.labelled import Labelled
from nightfx.training.scene.lampposts import knows_lamps, with_lamps
from nightfx.training.scene.loss import held_loss, scene_loss, wanted_of
from nightfx.training.scene.rooms import draw_room

_log = logging.getLogger(__name__)

SIZE_PX = (224, 288)
"""(height, width) of what the network learns from: about a frame at working height."""
_GAPS = 0.4  # of the facades that get a piece of sky: few show any
_ROOMS = 0.03  # of all pictures, where there are photographs to furnish them with
_LAMPS = 0.6  # of the photographs that get street lamps
_AHEAD = 2  # batches

Batch = tuple[Tensor, list[Labelled]]


def train_scene(
    out: Path,
    options: SceneTrainOptions,
    *,
    device: DeviceName = "auto",
    on_progress: Callable[[int, int, dict[str, float]], None] = lambda step, total, losses: None,
) -> Path:
    """Train the scene network into the folder `out`, going on where a run in it stopped; returns the file of weights.

    Raises `TrainingError` where there is nothing to learn from, or the run went wrong. What `on_progress` raises stops
    the run between two steps, and is raised here when it is saved.
    """
    where = pick_device(device)
    sources, keep_out = Sources(), read_keep_out(options.keep_out)
    gather(sources, options, keep_out)
    run = state.open_run(out / "checkpoint.pt", options, where)
    out.mkdir(parents=True, exist_ok=True)
    _log.info("%d pictures to learn from", len(sources))
    sums: dict[str, float] = {}
    try:
        while run.step < options.steps:
            ends = min((run.step // options.every + 1) * options.every, options.steps)
            for batch in _batches(sources, options, range(run.step, ends)):
                losses = _step(run, batch, options, where)
                sums = {name: sums.get(name, 0) + loss for name, loss in losses.items()}
                on_progress(run.step, options.steps, losses)
            _keep(run, out, sums)
            sums = {}
            gather(sources, options, keep_out)
    except KeyboardInterrupt:
        _keep(run, out, sums)
        raise
    return out / "weights.safetensors"


def _batches(sources: Sources, options: SceneTrainOptions, steps: range) -> Iterator[Batch]:
    """Yield the batch of each step; the next ones are made meanwhile."""
    with ThreadPoolExecutor(1, "pictures") as pool:
        ahead: deque[Future[Batch]] = deque()
        try:
            for step in steps:
                ahead.append(pool.submit(draw_batch, sources, options, step))
                if len(ahead) > _AHEAD:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for one in ahead:
                one.cancel()


def draw_batch(sources: Sources, options: SceneTrainOptions, step: int) -> Batch:
    """Pictures (N, 3, H, W) float32 in [0, 1] for a step, and what is known of each."""
    cv2.setNumThreads(1)
    pictures, labels = [], []
    for index in range(options.batch):
        rng = np.random.default_rng((options.seed, step, index))
        item = _draw(sources, options, rng)
        pictures.append(altered(item, sources.skies, rng).transpose(2, 0, 1))
        labels.append(item)
    return torch.from_numpy(np.stack(pictures)), labels


def _draw(sources: Sources, options: SceneTrainOptions, rng: np.random.Generator) -> Labelled:
    """A picture of the size that is learnt from, before its light and camera are altered."""
    if sources.photographs and rng.uniform() < _ROOMS:
        some = [sources.draw(0.0, rng) for _ in range(4)]
        return draw_room(SIZE_PX, sources.persons, some, rng)
    drawn = sources.draw(options.town_share, rng)
    item = reframed(drawn, SIZE_PX, rng)
    if is_frontal(drawn) and rng.uniform() < _GAPS:
        item = with_gap(item, sources.skies, rng)
    if not knows_lamps(drawn) and rng.uniform() < _LAMPS:
        item = with_lamps(item, rng)
    return item


def _step(
    run: state.SceneRun, batch: Batch, options: SceneTrainOptions, device: torch.device
) -> dict[str, float]:
    x = batch[0].to(device).contiguous(memory_format=state.layout(device))
    quick = pick_trunk_dtype(device) == torch.bfloat16
    with torch.autocast(device.type, torch.bfloat16, enabled=quick):
        logits = run.network(x)
        before = run.before(x) if run.before else None
    wanted = wanted_of(batch[1], device)
    losses = scene_loss(logits, wanted)
    if before is not None:
        losses["held"] = options.hold * held_loss(logits, wanted, before)
    whole = torch.stack(list(losses.values())).sum()
    if not bool(whole.isfinite()):
        raise DeadRunError(f"step {run.step}: the loss is not finite; take a lower learning rate")
    whole.backward()
    run.follow(options)
    return {name: float(loss.detach()) for name, loss in losses.items()}


def _keep(run: state.SceneRun, out: Path, sums: dict[str, float]) -> None:
    """Save the run, its weights and its losses."""
    done = run.step - int(run.losses[-1]["step"] if run.losses else 0)
    if done:
        means = {name: round(v / done, 5) for name, v in sums.items()}
        run.losses.append({"step": float(run.step), **means})
    state.save(run, out / "checkpoint.pt")
    with partial_file(out / "weights.safetensors") as part:
        part.write_bytes(pack_weights(run.mean)[0])
    with partial_file(out / "losses.json") as part:
        part.write_text(json.dumps(run.losses, indent=1) + "\n", encoding="utf-8")
