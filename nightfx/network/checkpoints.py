"""Others' checkpoints: CycleGAN generators of the usual ResNet layout, read and made presets.

A `.pth` is a pickle, which can carry code: it is read with `weights_only=True`, which builds tensors and containers and
nothing else. What a network is shows in names and shapes of its weights: with dropout the second convolution of a block
has the number 6, without it 5; instance norm without running statistics is the rule, but torch before 0.4 stored some.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nightfx.disk import partial_folder
from nightfx.errors import PresetError, TargetError, UsageError
from nightfx.network import presets, resnet, saved
from nightfx.network.weights import why_unread

UNDERSTOOD = (
    "what can be imported: CycleGAN generators of the ResNet layout with 6 or 9 blocks, RGB to RGB, instance norm with or "
    "without affine, with or without dropout, transposed convolutions; as a state dict of torch.save, plain, of "
    "DataParallel, or nested in a checkpoint"
)
_WORKING_HEIGHT_PX = 256  # what CycleGAN is trained on where nobody says otherwise
_FIRST_BLOCK = "model.10.conv_block.1.weight"
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
_BEHIND_DROPOUT = re.compile(r"(model\.\d+\.conv_block\.)([67])\.")
_LONGEST_KEY = 200


@dataclass(frozen=True)
class Checkpoint:
    """A generator as it was found in somebody's file."""

    generator: resnet.ResnetGenerator
    sha256: str
    """Hash of the file."""
    layout: dict[str, Any]
    """Facts by its weights: blocks, channels, affine, dropout, statistics_dropped."""


def import_checkpoint(path: Path, name: str | None = None, out: Path = Path()) -> presets.Preset:
    """Make the generator in the checkpoint `path` a preset in the folder `out` / `name`, by default the file's name.

    Raises `PresetError` for a file that is not understood, `UsageError` or `TargetError` for a name or folder that will
    not do, `RetryError` for a full disk; there is no such folder then.
    """
    name = re.sub(r"[^\w-]+", "-", path.stem) if name is None else name
    _check_name(name)
    target = out / name
    if target.exists():
        raise TargetError(f"{target}: exists already; choose another --name or --out")
    found = read_checkpoint(path)
    with partial_folder(target) as part:
        _save(part, name, path, found)
    return presets.load_preset(target.resolve())


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a generator, float32 on the CPU. Raises `PresetError`, with what can be read instead."""
    saved, sha256 = _load(path)
    try:
        weights = _generator_in(_tensors(saved))
        plain = {key: w for key, w in weights.items() if not key.endswith(_STATISTICS)}
        if len(plain) < len(weights) and "model.1.bias" not in plain:
            # the layout leaves this bias out before batch norm alone
            raise ValueError("it has batch norm, not instance norm")
        dropout = _is_kernel(plain.get("model.10.conv_block.6.weight"))
        generator = resnet.resnet_of(_without_dropout(plain) if dropout else plain)
        _check_range(generator)
    except ValueError as error:
        raise PresetError(f"{path}: {error}; {UNDERSTOOD}") from error
    layout = {
        "blocks": sum(".conv_block.1.weight" in key for key in plain),
        "channels": len(plain["model.1.weight"]),
        "affine": "model.2.weight" in plain,
        "dropout": dropout,
        "statistics_dropped": len(weights) - len(plain),
    }
    return Checkpoint(generator, sha256, layout)


def _check_name(name: str) -> None:
    if not presets.NAME.fullmatch(name):
        raise UsageError(f"--name is letters, digits, - and _, got {name!r}")
    if name in {preset.name for preset in presets.list_presets()}:
        raise UsageError(f"--name {name} is that of a preset that comes along; choose another")


def _load(path: Path) -> tuple[Any, str]:
    """Return the tensors of a file, and its hash."""
    if not path.is_file():
        raise PresetError(f"{path}: no such file")
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # of old storages and of TorchScript: what matters is raised
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            return torch.load(file, map_location="cpu", weights_only=True), sha256
    except Exception as error:  # the bytes of others can break an unpickler in any way
        raise PresetError(f"{path}: {why_unread(error)}; {UNDERSTOOD}") from error


def _tensors(saved: Any) -> dict[str, Tensor]:
    """All tensors in dictionaries of dictionaries, by their keys joined with dots; a dictionary can hold itself."""
    found: dict[str, Tensor] = {}
    left, seen = [("", saved)], set[int]()
    while left:
        key, part = left.pop()
        if isinstance(part, Tensor):
            found[key] = part
        elif isinstance(part, dict) and id(part) not in seen and len(key) < _LONGEST_KEY:
            seen.add(id(part))
            left += [(f"{key}.{inner}" if key else str(inner), part[inner]) for inner in part]
    return found


def _generator_in(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of the one generator among `tensors`, under the names that they have in it."""
    ends = [key.removesuffix(_FIRST_BLOCK) for key in tensors if key.endswith(_FIRST_BLOCK)]
    places = sorted(place for place in ends if not place or place.endswith("."))
    if not places:
        raise ValueError(_without_blocks(tensors))
    if len(places) > 1:
        names = ", ".join(place.rstrip(".") or "the file itself" for place in places[:4])
        raise ValueError(
            f"it holds {len(places)} generators ({names}); save the one you want alone"
        )
    place = places[0]
    weights = {key.removeprefix(place): w for key, w in tensors.items() if key.startswith(place)}
    for key, weight in weights.items():
        if weight.layout != torch.strided or weight.device.type != "cpu":
            raise ValueError(f"{key[:80]} is no plain tensor")
        if not (weight.is_floating_point() or key.endswith(_STATISTICS)):
            raise ValueError(f"{key[:80]} is {weight.dtype}, not floating-point")
    return weights


def _without_blocks(tensors: dict[str, Tensor]) -> str:
    if not tensors:
        return "there are no weights in it"
    if any("model.model." in key for key in tensors):
        return "its network is a U-Net"
    return f"no residual blocks are where they should be ({_FIRST_BLOCK})"


def _is_kernel(weight: Tensor | None) -> bool:
    # without dropout the number 6 is that of a norm, which has weights, one a channel, where it is affine
    return weight is not None and weight.ndim == 4


def _without_dropout(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Numbered as if there were no dropout: it has no weights, and does nothing outside training."""
    return {
        _BEHIND_DROPOUT.sub(lambda found: f"{found[1]}{int(found[2]) - 1}.", key): weight
        for key, weight in weights.items()
    }


def _check_range(generator: resnet.ResnetGenerator) -> None:
    for key, weight in generator.state_dict().items():
        if not bool(weight.half().isfinite().all()):
            raise ValueError(f"{key} has values that are not finite, or too large for float16")


def _save(folder: Path, name: str, path: Path, found: Checkpoint) -> None:
    source = "".join(c if c.isprintable() else "?" for c in path.name)
    saved.save_preset(
        folder,
        found.generator,
        _card(name, source, found),
        name=name,
        description=f"Imported from {source}.",
        heights_px=(_WORKING_HEIGHT_PX, _WORKING_HEIGHT_PX),
        method="relight",
        working_height_px=_WORKING_HEIGHT_PX,
        training={"imported_from": source, "imported_sha256": found.sha256, **found.layout},
    )


def _card(name: str, source: str, found: Checkpoint) -> str:
    facts = "\n".join(
        f"| {key.replace('_', ' ')} | {value} |" for key, value in found.layout.items()
    )
    return f"""# {name}

Imported from `{source}` (SHA-256 {found.sha256}), a CycleGAN generator that somebody else trained.

## Licence

nightfx does not know the licence of these weights, nor that of the pictures behind them. Whether you may use them, and
what you render with them, is between you and those who made them.

## Rendering

By the relight method only: {presets.NO_TILES}.
The network sees frames at {_WORKING_HEIGHT_PX} px (`working_height_px` in `preset.toml`; the size that it was trained at is
best). What it paints beyond a smooth change of light, stripes or lamps, does not reach the plate.

## Layout

Read from names and shapes of the weights, stored as float16. Dropout does nothing outside training, and old running
statistics of instance norm are dropped.

| layout | |
|---|---|
{facts}
"""
