"""KID and FID, by features of a network that the user has, or of the small one that comes along.

The statistics are torchmetrics' (`pip install 'nightfx[evaluate]'`). Figures are comparable with published ones only where
the network is the usual one (Inception v3, pool 3) and the sets are as large.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from nightfx.errors import SourceError, UsageError, install_words
from nightfx.metrics.classifier import as_input, load_classifier
from nightfx.metrics.feature_file import check_features

_SIDE_PX = 299
SUBSETS, SUBSET = 50, 100  # of KID; fewer pictures make smaller subsets

Features = Callable[[Tensor], Tensor]
"""A picture (3, H, W) in [0, 1] to its features (D,)."""


def kid(a: Tensor, b: Tensor, *, seed: int = 0) -> float:
    """Kernel inception distance of features (N, D) and (M, D): unbiased MMD² by the kernel (x·y / D + 1)³.

    Bińkowski et al. 2018, arXiv 1801.01401; the mean over 50 subsets of at most 100. 0 is alike; chance goes below it.
    """
    kernel_distance, _ = _torchmetrics()
    size = min(SUBSET, len(a), len(b))
    if size < 2:
        return float("nan")
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it keeps all features: they are few
        torch.manual_seed(seed)
        metric = kernel_distance(feature=_Known(a.shape[1]), subsets=SUBSETS, subset_size=size)
        return float(_filled(metric, a, b).compute()[0])


def fid(a: Tensor, b: Tensor) -> float:
    """Fréchet inception distance of features (N, D) and (M, D): |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½).

    Heusel et al. 2017, arXiv 1706.08500. Few pictures make it larger: compare sets of one size.
    """
    _, frechet_distance = _torchmetrics()
    if min(len(a), len(b)) < 2:
        return float("nan")
    metric = frechet_distance(feature=_Known(a.shape[1]))
    return float(_filled(metric, a, b).compute())


def small_features(picture: Tensor) -> Tensor:
    """Features (64,) of the day and night network that comes along; not comparable with published figures."""
    with torch.inference_mode():
        return load_classifier().features(as_input(picture)[None])[0]


def load_features(path: Path, *, trusted: bool = False) -> Features:
    """The features of a network in a TorchScript (`.pt`) or ONNX file: (1, 3, 299, 299) in [0, 1] to (1, D) or (1, D, 1, 1).

    TorchScript is a program, which loading runs with your rights: it is refused unless `trusted`. ONNX is not; OpenVINO
    (`nightfx[openvino]`) runs it. Raises `UsageError` for other files and untrusted ones, `SourceError` for damaged ones.
    """
    check_features(path, trusted=trusted)
    is_onnx = path.suffix.lower() == ".onnx"
    network = _open_onnx(path) if is_onnx else _open_torchscript(path)
    return lambda picture: _checked(network, picture, path)


def _checked(network: Callable[[Tensor], Tensor], picture: Tensor, path: Path) -> Tensor:
    pixels = np.ascontiguousarray(picture.float().cpu().permute(1, 2, 0).numpy())
    sized = cv2.resize(pixels, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    seen = torch.from_numpy(np.ascontiguousarray(sized.transpose(2, 0, 1)))[None]
    try:
        with torch.inference_mode():
            found = network(seen)
    except Exception as error:  # what a foreign network raises is its own
        line = str(error).strip().splitlines()[-1:]
        raise SourceError(f"{path}: fails on a picture of {_SIDE_PX}×{_SIDE_PX} {line}") from error
    if not isinstance(found, Tensor) or found.dim() < 2 or found.shape[0] != 1 or found.numel() < 2:
        raise SourceError(f"{path}: gives no features of shape (1, D)")
    if not bool(found.isfinite().all()):
        raise SourceError(f"{path}: gives features that are not finite")
    return found.flatten().float()


def _open_torchscript(path: Path) -> Callable[[Tensor], Tensor]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            network: nn.Module = torch.jit.load(str(path), map_location="cpu").eval()
    except (RuntimeError, ValueError, OSError) as error:
        line = str(error).strip().splitlines()[0]
        raise SourceError(f"{path}: not readable as TorchScript ({line})") from error
    return network


def _open_onnx(path: Path) -> Callable[[Tensor], Tensor]:
    try:
        openvino = import_module("openvino")
    except ImportError as error:
        raise UsageError(f"{path}: ONNX needs OpenVINO: {install_words('openvino')}") from error
    try:
        compiled = openvino.Core().compile_model(str(path), "CPU")
    except RuntimeError as error:
        line = str(error).strip().splitlines()[-1]
        raise SourceError(f"{path}: not readable as ONNX ({line})") from error
    return lambda x: torch.from_numpy(np.array(compiled(x.numpy())[0]))


class _Known(nn.Module):
    """Stands where torchmetrics wants a network: the features are at hand already."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.num_features = count

    def forward(self, features: Tensor) -> Tensor:
        """The features themselves."""
        return features


def _filled(metric: Any, a: Tensor, b: Tensor) -> Any:
    metric.update(b, real=True)
    metric.update(a, real=False)
    return metric


def _torchmetrics() -> tuple[Any, Any]:
    try:
        # from their own files: torchmetrics.image hides them where torch-fidelity, which has the usual network, is missing
        from torchmetrics.image.fid import FrechetInceptionDistance
        from torchmetrics.image.kid import KernelInceptionDistance
    except ImportError as error:
        raise UsageError(f"KID and FID need torchmetrics: {install_words('evaluate')}") from error
    return KernelInceptionDistance, FrechetInceptionDistance
