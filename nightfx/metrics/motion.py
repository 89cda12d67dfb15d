"""Flicker: how steady a render is beside its plate."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import cv2
import numpy as np
import torch
from torch import Tensor

from nightfx.metrics.pictures import blur, luma

_CONTRAST_FLOOR = 0.02
_OCCLUDED_PX = 1.0  # flows there and back that miss by more
_LEAST_PX = 32  # DIS reads past pictures of which a side is shorter


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
    back, seen = find_back(luma(plate_before), luma(plate))
    pairs = (plate_before, plate), (render_before, render)
    of_plate, of_render = (_warping_error(*pair, back, seen) for pair in pairs)
    return of_plate, of_render


def find_back(before: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel of a picture's luma (H, W) in [0, 1] was in the one before, (H, W, 2) in px, and whether it is found there and back."""
    old, new = ((x * 255).astype(np.uint8) for x in (before, now))
    back, forth = _flow(new, old), _flow(old, new)
    miss = np.linalg.norm(back + warp(forth, back), axis=2)
    return back, (miss < _OCCLUDED_PX) & (warp(np.ones_like(miss), back) == 1)


def _flow(here: np.ndarray, there: np.ndarray) -> np.ndarray:
    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    height, width = here.shape
    short = [(0, max(_LEAST_PX - side, 0)) for side in here.shape]
    here, there = (np.pad(x, short, mode="edge") for x in (here, there))
    return np.asarray(finder.calc(here, there, None))[:height, :width]


def _warping_error(before: Tensor, now: Tensor, flow: np.ndarray, seen: np.ndarray) -> float:
    error = np.abs(luma(now) - warp(luma(before), flow))
    y = torch.from_numpy(luma(now))[None, None]
    contrast = blur((y - blur(y)).square()).sqrt()[0, 0].numpy()
    return float((error / (contrast + _CONTRAST_FLOOR))[seen].mean()) if seen.any() else 0.0


def warp(values: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Values (H, W) or (H, W, C) as they come along a flow."""
    height, width = flow.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return np.asarray(cv2.remap(values, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR))
