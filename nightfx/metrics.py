"""Measures of pictures: tensors in, numbers out.

Pictures are (N, 3, H, W) or (3, H, W) float tensors in [0, 1], encoded as they are shown (not linear light).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

HSP = (0.299, 0.587, 0.114)
BT709 = (0.2126, 0.7152, 0.0722)
STRUCTURE_SIGMA_PX = 4.0
PATCH_PX = 16
SAMPLES = 20_000  # pixels or patches drawn from a set of pictures


@torch.no_grad()
def hsp_brightness(pictures: Tensor) -> float:
    """Mean over pixels of √(0.299 r² + 0.587 g² + 0.114 b²): the paper's equation 7, in [0, 1]."""
    return float(_weigh(_batch(pictures).square(), HSP).sqrt().mean())


@torch.no_grad()
def structure_kept(plate: Tensor, render: Tensor) -> float:
    """Correlation, in [−1, 1], of the locally normalised luma of both.

    Luma y becomes (y − G*y) / √(G*(y − G*y)² + 1e-4), G a Gaussian of 4 px: what changes slowly is forgotten.
    """
    # summed in double: over ten million pixels float32 gives a picture 1.0007 of itself
    a, b = (_normalise(_weigh(_batch(x), BT709)).flatten().double() for x in (plate, render))
    a, b = a - a.mean(), b - b.mean()
    return float((a @ b) / (a.norm() * b.norm()).clamp(min=1e-12))


@torch.no_grad()
def color_distance(renders: Tensor, wanted: Tensor, *, seed: int = 0) -> float:
    """Sliced Wasserstein distance of the colours (RGB triples) of two sets of pictures, in code values of 1."""
    return sliced_wasserstein(
        *(_draw_pixels(_batch(x), seed) for x in (renders, wanted)), seed=seed
    )


@torch.no_grad()
def patch_distance(renders: Tensor, wanted: Tensor, *, seed: int = 0) -> float:
    """Sliced Wasserstein distance of 16×16 patches of RGB: a shift of all by d is about 0.8 d, as for colours."""
    a, b = (_draw_patches(_batch(x), seed) for x in (renders, wanted))
    return sliced_wasserstein(a, b, projections=256, seed=seed)


@torch.no_grad()
def sliced_wasserstein(a: Tensor, b: Tensor, *, projections: int = 64, seed: int = 0) -> float:
    """Mean over random directions of the 1-D Wasserstein-1 distance between points (N, D) and (M, D).

    Bonneel et al. 2015, doi 10.1007/s10851-014-0506-3; sets of other sizes are compared at equal quantiles.
    """
    rng = torch.Generator().manual_seed(seed)
    directions = F.normalize(torch.randn(a.shape[1], projections, generator=rng), dim=0)
    return float((_quantiles(a @ directions) - _quantiles(b @ directions)).abs().mean())


@torch.no_grad()
def psnr(a: Tensor, b: Tensor) -> float:
    """Peak signal to noise ratio in dB, peak 1; infinite where both are equal."""
    error = (a.double() - b.double()).square().mean()
    return float(-10 * error.log10())


CONTRAST_FLOOR = 0.02
OCCLUDED_PX = 1.0  # flows there and back that miss by more


def flicker(plates: Iterable[Tensor], renders: Iterable[Tensor]) -> float:
    """How much more a render changes along the motion of its plate than the plate does; 1 is as steady.

    Both are shots of pictures (3, H, W). For each pair of neighbours the warping error |now − before, warped| of luma is
    divided by local contrast + 0.02 and averaged over the pixels that both show; the flow is the plate's for both
    (Lai et al. 2018, arXiv 1808.00449, without the masks' threshold on colour). Render ÷ plate.
    """
    errors = [
        _warping_errors(*before, *now)
        for before, now in pairwise(zip(plates, renders, strict=True))
    ]
    of_plate, of_render = np.array(errors).sum(0)
    return float(of_render / max(of_plate, 1e-12))


def _warping_errors(
    plate_before: Tensor, render_before: Tensor, plate: Tensor, render: Tensor
) -> tuple[float, float]:
    old, new = ((_luma(x) * 255).astype(np.uint8) for x in (plate_before, plate))
    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    back, forth = np.asarray(finder.calc(new, old, None)), np.asarray(finder.calc(old, new, None))
    miss = np.linalg.norm(back + _warp(forth, back), axis=2)
    seen = (miss < OCCLUDED_PX) & (_warp(np.ones_like(miss), back) == 1)
    pairs = (plate_before, plate), (render_before, render)
    of_plate, of_render = (_warping_error(*pair, back, seen) for pair in pairs)
    return of_plate, of_render


def _warping_error(before: Tensor, now: Tensor, flow: np.ndarray, seen: np.ndarray) -> float:
    error = np.abs(_luma(now) - _warp(_luma(before), flow))
    y = torch.from_numpy(_luma(now))[None, None]
    contrast = _blur((y - _blur(y)).square()).sqrt()[0, 0].numpy()
    return float((error / (contrast + CONTRAST_FLOOR))[seen].mean()) if seen.any() else 0.0


def _luma(picture: Tensor) -> np.ndarray:
    return np.ascontiguousarray(_weigh(_batch(picture).clamp(0, 1), BT709)[0, 0].numpy())


def _warp(values: np.ndarray, flow: np.ndarray) -> np.ndarray:
    height, width = flow.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return np.asarray(cv2.remap(values, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR))


def _batch(pictures: Tensor) -> Tensor:
    return (pictures if pictures.dim() == 4 else pictures[None]).float()


def _weigh(pictures: Tensor, weights: tuple[float, float, float]) -> Tensor:
    return (pictures * pictures.new_tensor(weights).view(1, 3, 1, 1)).sum(1, keepdim=True)


def _normalise(y: Tensor) -> Tensor:
    high = y - _blur(y)
    return high / (_blur(high.square()) + 1e-4).sqrt()


def _blur(y: Tensor) -> Tensor:
    radius = round(3 * STRUCTURE_SIGMA_PX)
    x = torch.arange(-radius, radius + 1, dtype=y.dtype)
    kernel = torch.softmax(-x.square() / (2 * STRUCTURE_SIGMA_PX**2), dim=0)
    y = F.conv2d(F.pad(y, (radius, radius, 0, 0), mode="reflect"), kernel.view(1, 1, 1, -1))
    return F.conv2d(F.pad(y, (0, 0, radius, radius), mode="reflect"), kernel.view(1, 1, -1, 1))


def _draw_pixels(pictures: Tensor, seed: int) -> Tensor:
    points = pictures.permute(0, 2, 3, 1).reshape(-1, 3)
    return points[_draw(len(points), seed)]


def _draw_patches(pictures: Tensor, seed: int) -> Tensor:
    patches = F.unfold(pictures, PATCH_PX, stride=PATCH_PX // 2).transpose(1, 2).flatten(0, 1)
    return patches[_draw(len(patches), seed)]


def _draw(count: int, seed: int) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randperm(count, generator=rng)[:SAMPLES]


def _quantiles(values: Tensor, count: int = 1000) -> Tensor:
    ordered = values.sort(dim=0).values
    at = torch.linspace(0, len(ordered) - 1, count)
    below = at.floor().long()
    above, part = (below + 1).clamp(max=len(ordered) - 1), (at - below)[:, None]
    return ordered[below].lerp(ordered[above], part)
