"""Run the scene network by torch, or by OpenVINO in bfloat16 or int8, as generators are (`backends.py`)."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nightfx.errors import BackendError, UsageError
from nightfx.network.backends import Compiled, import_extra, quantize
from nightfx.network.model import pick_device, pick_trunk_dtype
from nightfx.network.scene_net import SceneNetwork, folded
from nightfx.options import Backend, DeviceName

LEAST_DB = 30.0  # of probabilities against float32 torch: an error of 0.03


def build_scene_backend(
    network: SceneNetwork,
    backend: Backend = "torch",
    device: DeviceName = "auto",
    shown: Sequence[Tensor] = (),
) -> SceneNetwork:
    """A copy of `network`, float32 on the CPU, that runs on `backend` and `device`.

    `shown` is a few of what it will be shown, (1, 3, H, W) in [0, 1]: int8 is quantised with them. Raises
    `BackendError` where int8 comes not within 30 dB of float32 on them, `UsageError` where the extra is missing.
    """
    if backend == "torch":
        return _torch(network, pick_device(device))
    if device not in ("auto", "cpu"):
        raise UsageError(f"--backend {backend} runs on the CPU; leave --device {device} out")
    if backend == "openvino-int8" and not shown:
        raise BackendError("--backend openvino-int8 is quantised with frames, and there are none")
    model = _convert(network)
    fast, precision = copy.deepcopy(network), "f32"
    if backend == "openvino-int8":
        model = quantize(model, [folded(_whole(x, network.multiple_px)) for x in shown])
    elif pick_trunk_dtype(torch.device("cpu")) == torch.bfloat16:
        precision = "bf16"
    fast.stand_in = Compiled(model, precision)
    if backend == "openvino-int8" and (found := fidelity(fast, network, shown)) < LEAST_DB:
        words = f"comes within {found:.1f} dB of the scene network in float32 here"
        raise BackendError(
            f"--backend {backend} {words}, and {LEAST_DB:g} are needed; use --backend openvino"
        )
    return fast


@torch.inference_mode()
def fidelity(fast: SceneNetwork, exact: SceneNetwork, shown: Sequence[Tensor]) -> float:
    """The worst PSNR, in dB, of the probabilities that both see in `shown`."""
    device = next(fast.parameters()).device
    pairs = ((exact(x).sigmoid(), fast(x.to(device)).sigmoid().cpu()) for x in shown)
    return min(float(-10 * (a - b).square().mean().clamp(min=1e-12).log10()) for a, b in pairs)


def _torch(network: SceneNetwork, device: torch.device) -> SceneNetwork:
    """Channels last, in bf16 where that is native."""
    ready = copy.deepcopy(network).to(device)
    ready.to(pick_trunk_dtype(device), memory_format=torch.channels_last)  # type: ignore[call-overload]
    return ready


def _whole(x: Tensor, multiple_px: int) -> Tensor:
    return x[
        ..., : x.shape[2] // multiple_px * multiple_px, : x.shape[3] // multiple_px * multiple_px
    ]


class _Layers(nn.Module):
    """The network without what comes before and after its layers."""

    def __init__(self, network: SceneNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network.layers(x)


def _convert(network: SceneNetwork) -> Any:
    example = folded(torch.rand(1, 3, 64, 64))
    openvino, sizes = import_extra("openvino"), [-1, example.shape[1], -1, -1]
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it traces, which torch is leaving
        return openvino.convert_model(_Layers(network), example_input=example, input=sizes)
