"""Distil a small network: it learns to say what a preset's own says, by its answers to any stills.

The stills are shown as the relight method shows frames: whole pictures at the preset's working height, and crops of up
to twice that size.
"""

from __future__ import annotations

import copy
import logging
import math
import os
import platform
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nightfx.errors import TargetError, TrainingError, UsageError
from nightfx.metrics import psnr
from nightfx.network import (
    Preset,
    RelitGenerator,
    load_preset,
    pick_device,
    pick_trunk_dtype,
    save_draft,
    save_narrow,
)
from nightfx.network.draft import is_poor, tell_draft
from nightfx.options import MULTIPLE_PX, DeviceName, DistilledSize, DistilOptions
from nightfx.training.data.decode import load_picture, shrink
from nightfx.training.data.pictures import (
    Pictures,
    cut_crop,
    hash_pictures,
    open_pictures,
    to_tensor,
)
from nightfx.training.run.feed import seeded, to_pictures

_log = logging.getLogger(__name__)

SIZES: dict[DistilledSize, tuple[int, int]] = {"draft": (8, 2), "narrow": (16, 3)}
"""Width and residual blocks: a 24th, and 0.175, of the full network's work."""
_MOST_GRADIENT, _RISING = 1.0, 0.05
_SCALE = (1.0, 2.0)  # how many times taller than a crop a picture is
_RAMPS = 0.1  # of what is shown
_STILLS = 1000  # more are not kept in memory
_JUDGED = 48  # kept-out stills that the distance is measured on, at most
_MAPS_WEIGHT = 0.1  # of gains and offsets beside the pictures that they make


def distil(
    preset: Preset,
    stills: Path,
    out: Path | None = None,
    options: DistilOptions | None = None,
    *,
    device: DeviceName = "auto",
    on_progress: Callable[[int, int | None], None] = lambda step, total: None,
) -> Preset:
    """Distil a small network from `preset` by the pictures below `stills`; returns the preset with it.

    A draft is written into the preset's own folder where there is no `out`, else `out` is a new one. Every tenth picture
    is kept out, and the distance to the full network is measured on those. Raises a `NightfxError`; the preset is
    untouched then.
    """
    options, started = options or DistilOptions(), time.monotonic()
    folder = _check_folder(preset, out, options.size)
    teacher = preset.generator
    if not isinstance(teacher, RelitGenerator):
        words = f"a draft is distilled from a relit generator, and it has a {teacher.architecture}"
        raise UsageError(f"{preset.name}: {words} one; --backend openvino-int8 is quicker, too")
    height = preset.facts.working_height_px // MULTIPLE_PX * MULTIPLE_PX
    seen, kept_out = open_pictures(stills, None, crop_px=height)
    seen = seen.limit(_STILLS, seeded(options.seed, "stills"))
    student = _teach(teacher, seen, height, options, pick_device(device), on_progress)
    found = _distance(teacher, student, kept_out, height)
    _judge(preset, found, folder, options.size)
    facts = {
        "steps": options.steps,
        "batch": options.batch,
        "learning_rate": options.learning_rate,
        "seed": options.seed,
        "stills": len(seen),
        "stills_kept_out": len(kept_out),
        "stills_sha256": hash_pictures(seen, kept_out),
        "minutes": round((time.monotonic() - started) / 60, 1),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
    }
    size = dict(zip(("width", "blocks"), SIZES[options.size], strict=True))
    decibels = round(found, 2)
    if options.size == "narrow":
        teacher_sha256 = preset.facts.weights_sha256
        told = {**size, "teacher_sha256": teacher_sha256, **facts, "decibels": decibels}
        save_narrow(preset, student, folder, **told)
    else:
        save_draft(preset, student, folder, **size, decibels=decibels, training=facts)
    return load_preset(folder)


def _judge(preset: Preset, decibels: float, folder: Path, size: DistilledSize) -> None:
    """Warn of a network that is far from its teacher, and refuse a draft that would take the place of a better one."""
    more = "take more --steps, or more --stills, of what will be rendered"
    draft = preset.facts.draft if size == "draft" else None
    if not math.isfinite(decibels):
        raise TrainingError(
            f"{preset.name}: the {size}'s pictures are not finite; use another seed"
        )
    current = draft is not None and draft.teacher_sha256 == preset.facts.weights_sha256
    if draft and current and folder == preset.folder and decibels < draft.decibels:
        words = f"this draft is {decibels:.1f} dB from the full network, the one there {draft.decibels:.1f} dB"
        raise TrainingError(
            f"{folder}: {words}, which is nearer: it stays; {more}, or --out a new folder"
        )
    if is_poor(decibels):
        _log.warning("%s: %s; %s", folder, tell_draft(decibels, size), more)


def _check_folder(preset: Preset, out: Path | None, size: DistilledSize) -> Path:
    folder = out or preset.folder
    if size == "narrow" and not out:
        words = (
            "--size narrow takes the place of the preset's own network: --out names a new folder"
        )
        raise UsageError(f"{words} for it")
    if out and out.exists():
        raise TargetError(f"{out}: exists already; --out names a new folder")
    if not out and not os.access(folder, os.W_OK):
        raise TargetError(f"{folder}: may not be written to; --out names a new folder")
    return folder


def _teach(
    teacher: RelitGenerator,
    stills: Pictures,
    height: int,
    options: DistilOptions,
    device: torch.device,
    on_progress: Callable[[int, int | None], None],
) -> RelitGenerator:
    """The student in float32 on the CPU, after all steps."""
    torch.manual_seed(options.seed)
    student = RelitGenerator(*SIZES[options.size])
    student.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    quick = copy.deepcopy(teacher).to(device)
    quick.trunk.to(pick_trunk_dtype(device), memory_format=torch.channels_last)  # type: ignore[call-overload]
    adam = torch.optim.Adam(
        student.parameters(), options.learning_rate, fused=device.type in ("cpu", "cuda")
    )
    most, length = options.learning_rate, max(options.steps, 2)
    rising_and_falling = torch.optim.lr_scheduler.OneCycleLR(adam, most, length, pct_start=_RISING)
    for step, x in enumerate(_crops(stills, height, options, device), start=1):
        with torch.inference_mode():
            wanted = quick.maps(x)
        # the student in float32: with so few channels bf16 is no quicker
        loss = _loss(x, student.maps(x), wanted)
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), _MOST_GRADIENT)
        adam.step()
        if step < length:
            rising_and_falling.step()
        on_progress(step, options.steps)
    return student.cpu()


def _loss(x: Tensor, found: tuple[Tensor, Tensor], wanted: tuple[Tensor, Tensor]) -> Tensor:
    """L1 of the lit pictures, and a little of gains and offsets, which the fit looks at too."""
    (g, o), (wanted_g, wanted_o) = found, wanted
    pictures = F.l1_loss(x * g.exp() + o, x * wanted_g.exp() + wanted_o)
    return pictures + _MAPS_WEIGHT * (F.l1_loss(g, wanted_g) + F.l1_loss(o, wanted_o))


def _ramp(side: int, rng: torch.Generator) -> np.ndarray:
    """A ramp, nearly grey, between two levels, (side, side, 3) uint8: whites and blacks that fill a frame are in few stills."""
    ends = torch.rand(2, 1, generator=rng) * 1.4 - 0.2
    tint = 1 + 0.1 * (torch.rand(1, 3, generator=rng) - 0.5)
    across = torch.linspace(0, 1, side)[:, None]
    line = (255 * (ends[0] + (ends[1] - ends[0]) * across) * tint).clamp(0, 255)
    picture = line.round().to(torch.uint8)[None].expand(side, side, 3)
    upright = picture if torch.rand((), generator=rng) < 0.5 else picture.transpose(0, 1)
    return upright.contiguous().numpy()


def _crops(
    stills: Pictures, height: int, options: DistilOptions, device: torch.device
) -> Iterator[Tensor]:
    """A batch (N, 3, height, height) in [0, 1] for each step."""
    rng, kept = seeded(options.seed, "draws"), dict[Path, np.ndarray]()
    for _ in range(options.steps):
        crops = []
        for _ in range(options.batch):
            if torch.rand((), generator=rng) < _RAMPS:
                crops.append(_ramp(height, rng))
                continue
            path = stills.draw(rng)
            if path not in kept:
                kept[path] = shrink(load_picture(path), round(_SCALE[1] * height))
            crops.append(cut_crop(kept[path], height, _SCALE, rng))
        yield to_pictures(torch.from_numpy(np.stack(crops).transpose(0, 3, 1, 2)), device)


@torch.inference_mode()
def _distance(
    teacher: RelitGenerator, student: RelitGenerator, stills: Pictures, height: int
) -> float:
    """Mean PSNR in dB of the student's whole pictures to the teacher's, both clipped."""
    found = []
    for path in stills.spread(_JUDGED)[:_JUDGED]:
        x = to_tensor(shrink(load_picture(path), height).copy())[None]
        x = x[
            ...,
            : x.shape[2] // MULTIPLE_PX * MULTIPLE_PX,
            : x.shape[3] // MULTIPLE_PX * MULTIPLE_PX,
        ]
        found.append(min(psnr(*(network(x).clamp(0, 1) for network in (teacher, student))), 99.0))
    return sum(found) / len(found)
