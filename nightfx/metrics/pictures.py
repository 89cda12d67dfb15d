"""Measures of one picture, or of a picture and its render: brightness, structure, PSNR."""

from __future__ import annotations

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nightfx.picture import BT601, BT709

HSP = BT601
_STRUCTURE_SIGMA_PX = 4.0
_LONGEST = 8  # sides of a picture by its shorter one
_LINES = 256  # of the shorter side, where a measure counts in pixels


@torch.no_grad()
def hsp_brightness(pictures: Tensor) -> float:
    """Mean over pixels of √(0.299 r² + 0.587 g² + 0.114 b²): the paper's equation 7, in [0, 1]."""
    return float(_weigh(batch(pictures).square(), HSP).sqrt().mean())


@torch.no_grad()
def structure_kept(plate: Tensor, render: Tensor) -> float:
    """Correlation, in [−1, 1], of the locally normalised luma of both.

    Luma y becomes (y − G*y) / √(G*(y − G*y)² + 1e-4), G a Gaussian of 4 px: what changes slowly is forgotten.
    """
    # summed in double: over ten million pixels float32 gives a picture 1.0007 of itself
    a, b = (_normalise(_weigh(batch(x), BT709)).flatten().double() for x in (plate, render))
    a, b = a - a.mean(), b - b.mean()
    return float((a @ b) / (a.norm() * b.norm()).clamp(min=1e-12))


@torch.no_grad()
def psnr(a: Tensor, b: Tensor) -> float:
    """Peak signal to noise ratio in dB, peak 1; infinite where both are equal."""
    error = (a.double() - b.double()).square().mean()
    return float(-10 * error.log10())


def batch(pictures: Tensor) -> Tensor:
    """Pictures as (N, 3, H, W) of float32, a single one too."""
    return (pictures if pictures.dim() == 4 else pictures[None]).float()


def _weigh(pictures: Tensor, weights: tuple[float, float, float]) -> Tensor:
    """The weighted sum of the channels of (N, 3, H, W): (N, 1, H, W)."""
    return (pictures * pictures.new_tensor(weights).view(1, 3, 1, 1)).sum(1, keepdim=True)


def luma(picture: Tensor) -> np.ndarray:
    """BT.709 luma (H, W) of a picture (3, H, W), clipped to [0, 1]."""
    return np.ascontiguousarray(_weigh(batch(picture).clamp(0, 1), BT709)[0, 0].cpu().numpy())


def to_lines(picture: Tensor, lines: int = _LINES) -> Tensor:
    """A picture (3, H, W) at `lines` px of its shorter side, in its shape; by area, or cubic where it grows.

    What is longer than 8:1 is squeezed into that.
    """
    height, width = picture.shape[1:]
    scale = lines / min(height, width)
    size = tuple(min(round(side * scale), _LONGEST * lines) for side in (width, height))
    pixels = np.ascontiguousarray(picture.float().cpu().permute(1, 2, 0).numpy())
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    sized = cv2.resize(pixels, size, interpolation=how).clip(0, 1)
    return torch.from_numpy(np.ascontiguousarray(sized.transpose(2, 0, 1)))


def blur(y: Tensor) -> Tensor:
    """(N, 1, H, W) under a Gaussian of 4 px."""
    radius = round(3 * _STRUCTURE_SIGMA_PX)
    x = torch.arange(-radius, radius + 1, dtype=y.dtype)
    kernel = torch.softmax(-x.square() / (2 * _STRUCTURE_SIGMA_PX**2), dim=0)
    y = F.conv2d(F.pad(y, (radius, radius, 0, 0), mode="reflect"), kernel.view(1, 1, 1, -1))
    return F.conv2d(F.pad(y, (0, 0, radius, radius), mode="reflect"), kernel.view(1, 1, -1, 1))


def _normalise(y: Tensor) -> Tensor:
    high = y - blur(y)
    return high / (blur(high.square()) + 1e-4).sqrt()
