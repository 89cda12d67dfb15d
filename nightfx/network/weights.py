"""Weights on disk: safetensors of half floats, whose hash must be the one that is expected."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from nightfx.errors import PresetError
from nightfx.network.model import Generator


def pack_weights(network: nn.Module) -> tuple[bytes, str]:
    """The weights of `network` as they are stored, and their hash."""
    tensors = {
        name: tensor.detach().to("cpu", torch.float16).contiguous()
        for name, tensor in network.state_dict().items()
    }
    data = save_tensors(tensors)
    return data, hashlib.sha256(data).hexdigest()


def read_weights(
    path: Path, sha256: str, kind: str, build: Callable[[dict[str, Tensor]], Generator]
) -> Generator:
    """The network that `build` makes of the tensors at `path`, ready to infer.

    Raises `PresetError` for weights that are damaged, not those of a network of this `kind`, or not finite.
    """
    try:
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise PresetError(
                f"{path}: damaged: its hash differs from preset.toml; fetch the preset again"
            )
        tensors = {key: tensor.float() for key, tensor in load_tensors(data).items()}
        generator = build(tensors)
    except (OSError, SafetensorError, RuntimeError, ValueError) as error:
        first_line = str(error).splitlines()[0]
        raise PresetError(f"{path}: not weights of a {kind} generator: {first_line}") from error
    if not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
        raise PresetError(f"{path}: weights are not finite; train the preset anew")
    return generator.eval().requires_grad_(False)


def why_unread(error: Exception) -> str:
    """Say in our own words why `torch.load` gave nothing: its own advise to load what it refused."""
    if isinstance(error, PermissionError):
        return "may not be read"
    if re.search(r"GLOBAL|reduce|class|instantiate", str(error)):
        return "it holds code or objects beside tensors, which are not loaded"
    return "not a checkpoint of torch.save, or a damaged one"


def filled(network: Generator, tensors: dict[str, Tensor]) -> Generator:
    """`network` with these weights."""
    network.load_state_dict(tensors)
    return network
