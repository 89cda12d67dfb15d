"""Streets drawn by day and by true night, and how near a render of the day comes to the night.

A folder of twins has a folder for each street, with pictures of the same names in `day`, `night` and `lights`, as
`tools/street` draws them: `lights` is black but for what glows by night, lamps in red, windows in green,
the lights of cars in blue.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nightfx.errors import UsageError
from nightfx.metrics import psnr
from nightfx.picture.weights import luma as picture_luma
from nightfx.training.data.decode import load_picture
from nightfx.training.data.folders import list_pictures
from nightfx.training.data.pictures import to_tensor

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]

KINDS = ("lamps", "windows", "cars")
SSIM_SIGMA_PX, SSIM_WINDOW_PX = 1.5, 11
SSIM_C1, SSIM_C2 = 0.01**2, 0.03**2
LEAST_PX = 5  # smaller lights are lost in what is around them
BAR_PX = 3  # what parts the panes of one window
RIM_PX, RING_PX = 2, 4  # a light's soft edge, and beyond it what surrounds it
CLEARLY = 0.1  # of white, in luma


@dataclass(frozen=True)
class Twin:
    """One picture of a street by day and by night."""

    name: str
    day: Tensor
    """(3, H, W) in [0, 1], as `night`."""
    night: Tensor
    lights: dict[str, Mask]
    """Where what glows by night is seen, (H, W), by kind."""


@dataclass(frozen=True)
class Nearness:
    """How near renders come to the nights, in the mean over twins."""

    name: str
    psnr: float
    matched: float
    """PSNR at each picture's best exposure."""
    ssim: float
    kept: dict[str, float]
    """Share of the lights, by kind."""


def load_twins(folder: Path, streets: int) -> list[Twin]:
    """The twins of the first so many streets; raises UsageError where there are fewer, or a picture lacks its twin."""
    found = [path for path in folder.glob("*") if (path / "day").is_dir()]
    found.sort(key=lambda path: (len(path.name), path.name))
    if len(found) < streets:
        raise UsageError(
            f"{folder}: {len(found)} streets, {streets} wanted: draw them (see --blender), or ask for fewer"
        )
    return [
        _load(street, path.stem)
        for street in found[:streets]
        for path in list_pictures(street / "day")
    ]


def _load(street: Path, stem: str) -> Twin:
    day, night, lights = (_picture(street / side, stem) for side in ("day", "night", "lights"))
    if not day.shape == night.shape == lights.shape:
        raise UsageError(f"{street}: picture {stem} differs in size by day and by night")
    masks = {kind: np.asarray(lights[i] > 0.5) for i, kind in enumerate(KINDS)}
    return Twin(f"{street.name}/{stem}", day, night, masks)


def _picture(folder: Path, stem: str) -> Tensor:
    for path in folder.glob(f"{stem}.*"):
        return to_tensor(load_picture(path).copy())  # Pillow lends it read-only
    raise UsageError(f"{folder}: no picture {stem}, which its twin has: draw it, or take that away")


def measure_twins(name: str, renders: list[Tensor], twins: list[Twin]) -> Nearness:
    """How near `renders`, one of each twin's day, come to the nights."""
    pairs = [(render, twin.night) for render, twin in zip(renders, twins, strict=True)]
    kept = {}
    for kind in KINDS:
        counts = [
            count_kept(luma(a), luma(b), twin.lights[kind])
            for (a, b), twin in zip(pairs, twins, strict=True)
        ]
        found, of = np.sum(counts, axis=0)
        kept[kind] = float(found / of) if of else float("nan")
    plain, matched, similar = (
        float(np.mean([f(a, b) for a, b in pairs])) for f in (psnr, psnr_matched, ssim)
    )
    return Nearness(name, plain, matched, similar, kept)


def psnr_matched(render: Tensor, truth: Tensor) -> float:
    """PSNR of `render` at the exposure that serves it best: the factor ⟨render, truth⟩ / ⟨render, render⟩ on code values.

    A factor on code values is one on light, to the power of the display; nothing is clipped.
    """
    a, b = render.double(), truth.double()
    gain = (a * b).sum() / a.square().sum().clamp(min=1e-12)
    return psnr(gain * a, b)


def ssim(a: Tensor, b: Tensor) -> float:
    """Structural similarity of the luma of two pictures (3, H, W), at most 1.

    Wang et al. 2004 (doi 10.1109/TIP.2003.819861): a Gaussian of 1.5 px in windows of 11, K1 0.01, K2 0.03; windows
    that reach over the border are left out.
    """
    x, y = (luma(picture).astype(np.float64) for picture in (a, b))
    mean_x, mean_y = _blur(x), _blur(y)
    var_x, var_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    cov_xy = _blur(x * y) - mean_x * mean_y
    light = (2 * mean_x * mean_y + SSIM_C1) / (mean_x**2 + mean_y**2 + SSIM_C1)
    contrast = (2 * cov_xy + SSIM_C2) / (var_x + var_y + SSIM_C2)
    edge = SSIM_WINDOW_PX // 2
    return float((light * contrast)[edge:-edge, edge:-edge].mean())


def _blur(values: NDArray[np.float64]) -> NDArray[np.float64]:
    size = (SSIM_WINDOW_PX, SSIM_WINDOW_PX)
    return np.asarray(cv2.GaussianBlur(values, size, SSIM_SIGMA_PX))


def count_kept(render: Plane, truth: Plane, lights: Mask) -> tuple[int, int]:
    """How many lights stand out in `render`, of those that do in `truth`; lumas and places, all (H, W).

    A light is a connected part of `lights`, the panes of a window being one. It stands out where its mean luma is 0.1
    of white above that of the ring 3 to 6 px around it, other lights left out of the ring.
    """
    around = ~_grown(lights, RIM_PX)
    found = of = 0
    for part in _parts(lights):
        ring = _grown(part, RIM_PX + RING_PX) & around
        if _stands_out(truth, part, ring):
            of += 1
            found += _stands_out(render, part, ring)
    return found, of


def _parts(lights: Mask) -> list[Mask]:
    bars = np.ones((BAR_PX, BAR_PX), np.uint8)
    closed = cv2.morphologyEx(lights.astype(np.uint8), cv2.MORPH_CLOSE, bars)
    count, labels = cv2.connectedComponents(closed)
    parts = [(labels == label) & lights for label in range(1, count)]
    return [part for part in parts if part.sum() >= LEAST_PX]


def _stands_out(y: Plane, part: Mask, ring: Mask) -> bool:
    return bool(ring.any() and y[part].mean() - y[ring].mean() >= CLEARLY)


def _grown(mask: Mask, px: int) -> Mask:
    disc: NDArray[Any] = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * px + 1, 2 * px + 1))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc)) > 0


def luma(picture: Tensor) -> Plane:
    """Luma (H, W) of a picture (3, H, W), by BT.709."""
    return picture_luma(picture.numpy())


def flat_nights(twins: list[Twin]) -> list[Tensor]:
    """Each night as one flat colour, its mean: what a figure gives for darkness alone."""
    return [torch.ones_like(twin.night) * twin.night.mean((1, 2), keepdim=True) for twin in twins]
