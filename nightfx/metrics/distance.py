"""How far a set of pictures is from another: sliced Wasserstein distances of colours, of patches and of a pyramid.

Two sets need not show the same things: what is compared is how often colours, textures and layouts come up. The primary
figure is `pyramid_distance`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nightfx.metrics.pictures import batch, to_lines

_PATCH_PX = 16
_SAMPLES = 20_000  # pixels or patches drawn from a set of pictures
_QUANTILES = 1000
_BAND_WEIGHT = 4.0
# of a sample of one picture
_BANDS = 4
_BAND_PATCH_PX = 7  # as Karras et al. 2018
PATCHES, COLOURS = 48, 256
_LAYOUTS_PX = (8, 4, 2, 1)
_PROJECTIONS = 128


@dataclass(frozen=True, eq=False)
class Sample:
    """The parts of one picture that the pyramid's distance looks at."""

    colours: Tensor
    """Pixels (256, 3)."""
    bands: tuple[Tensor, ...]
    """Patches of 7×7 of each band of the Laplacian pyramid, finest first: (48, 147) each, mean 0."""
    layout: tuple[Tensor, ...]
    """The whole picture at 8×8, 4×4 and 2×2, each less the next, and its mean; and of its mirror image: (2, 3 n²) each."""


@dataclass(frozen=True)
class Distance:
    """The parts whose sum is a pyramid's distance; code values of 1, lower is nearer."""

    colours: float
    """The part of single pixels, wherever they are."""
    bands: tuple[float, ...]
    """The parts of the pyramid's bands, finest first."""
    layout: tuple[float, ...]
    """The part of whole pictures at 8×8, 4×4, 2×2 and 1×1: what is where."""

    @property
    def whole(self) -> float:
        """Colours + layout + four times the bands, whose values span so much less."""
        return self.colours + sum(self.layout) + _BAND_WEIGHT * sum(self.bands)


@torch.no_grad()
def pyramid_distance(
    renders: Sequence[Sample],
    wanted: Sequence[Sample],
    weights: tuple[Sequence[float], Sequence[float]] | None = None,
    *,
    seed: int = 0,
) -> Distance:
    """How far pictures are from those wanted: d(colours) + Σ d(layout) + 4 Σ d(band), d sliced Wasserstein-1.

    Of each picture at 256 px of its shorter side a Laplacian pyramid is made (Burt and Adelson 1983). Its four fine bands
    are compared by patches: 48 of 7×7 px, as of Karras et al. 2018, arXiv 1710.10196, but not normalised, since how strong
    a texture is counts. Patches are blind to where things are: a grade can reach their noise floor with white skies. So
    the coarse end is compared as whole pictures with their mirror images: means of 8×8, 4×4 and 2×2 cells, each less the
    next coarser one, and the mean of all. Colours are 256 pixels from anywhere.

    `weights`, of each picture of either set, let every source count alike.
    """
    w_renders, w_wanted = weights or ([1.0] * len(renders), [1.0] * len(wanted))

    def apart(found: Sequence[Tensor], of_wanted: Sequence[Tensor]) -> float:
        a, w_a = _stack(found, w_renders)
        b, w_b = _stack(of_wanted, w_wanted)
        return sliced_wasserstein(a, b, projections=_PROJECTIONS, seed=seed, weights=(w_a, w_b))

    bands = tuple(
        apart([x.bands[i] for x in renders], [x.bands[i] for x in wanted]) for i in range(_BANDS)
    )
    layout = tuple(
        apart([x.layout[i] for x in renders], [x.layout[i] for x in wanted])
        for i in range(len(_LAYOUTS_PX))
    )
    return Distance(apart([x.colours for x in renders], [x.colours for x in wanted]), bands, layout)


def sample_picture(picture: Tensor, *, seed: int = 0) -> Sample:
    """Draw what `pyramid_distance` compares from a picture (3, H, W) in [0, 1] of any size."""
    rng = np.random.default_rng(seed)
    pixels = np.ascontiguousarray(to_lines(picture).permute(1, 2, 0).numpy())
    colours = pixels.reshape(-1, 3)[rng.integers(0, pixels.shape[0] * pixels.shape[1], COLOURS)]
    bands = tuple(torch.from_numpy(_patches(band, rng)) for band in _laplacian(pixels))
    return Sample(torch.from_numpy(colours), bands, tuple(_layout(pixels)))


def _layout(pixels: np.ndarray) -> Iterator[Tensor]:
    sized = [cv2.resize(pixels, (n, n), interpolation=cv2.INTER_AREA) for n in _LAYOUTS_PX]
    coarser = [
        cv2.resize(x, (n, n), interpolation=cv2.INTER_NEAREST)
        for x, n in zip(sized[1:], _LAYOUTS_PX, strict=False)
    ]
    for cells, less in zip(sized, [*coarser, 0.0], strict=True):
        band = cells - np.float32(less)
        yield torch.from_numpy(np.stack([band, band[:, ::-1]]).reshape(2, -1))


def _laplacian(pixels: np.ndarray) -> list[np.ndarray]:
    bands = []
    for _ in range(_BANDS):
        smaller = np.asarray(cv2.pyrDown(pixels))
        bands.append(pixels - cv2.pyrUp(smaller, dstsize=pixels.shape[1::-1]))
        pixels = smaller
    return bands


def _patches(band: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(band, (_BAND_PATCH_PX,) * 2, axis=(0, 1))
    rows, columns = (rng.integers(0, n, PATCHES) for n in windows.shape[:2])
    return np.ascontiguousarray(windows[rows, columns].reshape(PATCHES, -1), np.float32)


def _stack(found: Sequence[Tensor], shares: Sequence[float]) -> tuple[Tensor, Tensor]:
    weights = [torch.full((len(x),), w / len(x)) for x, w in zip(found, shares, strict=True)]
    return torch.cat(list(found)), torch.cat(weights)


@torch.no_grad()
def color_distance(renders: Tensor, wanted: Tensor, *, seed: int = 0) -> float:
    """Sliced Wasserstein distance of the colours (RGB triples) of two sets of pictures, in code values of 1."""
    return sliced_wasserstein(*(_draw_pixels(batch(x), seed) for x in (renders, wanted)), seed=seed)


@torch.no_grad()
def patch_distance(renders: Tensor, wanted: Tensor, *, seed: int = 0) -> float:
    """Sliced Wasserstein distance of 16×16 patches of RGB: a shift of all by d is about 0.8 d, as for colours."""
    a, b = (_draw_patches(batch(x), seed) for x in (renders, wanted))
    return sliced_wasserstein(a, b, projections=256, seed=seed)


@torch.no_grad()
def sliced_wasserstein(
    a: Tensor,
    b: Tensor,
    *,
    projections: int = 64,
    seed: int = 0,
    weights: tuple[Tensor, Tensor] | None = None,
) -> float:
    """Mean over random directions of the 1-D Wasserstein-1 distance between points (N, D) and (M, D).

    Bonneel et al. 2015, doi 10.1007/s10851-014-0506-3; sets of other sizes are compared at equal quantiles. `weights`, (N,)
    and (M,), say how much each point counts.
    """
    rng = torch.Generator().manual_seed(seed)
    directions = F.normalize(torch.randn(a.shape[1], projections, generator=rng), dim=0)
    if weights is None:
        return float((_quantiles(a @ directions) - _quantiles(b @ directions)).abs().mean())
    of_a, of_b = (
        _weighted_quantiles(x @ directions, w) for x, w in zip((a, b), weights, strict=True)
    )
    return float((of_a - of_b).abs().mean())


def _quantiles(values: Tensor) -> Tensor:
    ordered = values.sort(dim=0).values
    at = torch.linspace(0, len(ordered) - 1, _QUANTILES)
    below = at.floor().long()
    above, part = (below + 1).clamp(max=len(ordered) - 1), (at - below)[:, None]
    return ordered[below].lerp(ordered[above], part)


def _weighted_quantiles(values: Tensor, weights: Tensor) -> Tensor:
    ordered, order = values.T.contiguous().sort(dim=1)
    w = weights.double()[order]
    at = w.cumsum(1) - w / 2
    # from the first point's middle to the last one's, as without weights
    at = ((at - at[:, :1]) / (at[:, -1:] - at[:, :1]).clamp(min=1e-12)).float()
    wanted = torch.linspace(0, 1, _QUANTILES).expand(len(at), -1).contiguous()
    above = torch.searchsorted(at, wanted).clamp(1, max(ordered.shape[1] - 1, 1))
    above = above.clamp(max=ordered.shape[1] - 1)
    below = (above - 1).clamp(min=0)
    low, high = at.gather(1, below), at.gather(1, above)
    part = ((wanted - low) / (high - low).clamp(min=1e-12)).clamp(0, 1)
    return ordered.gather(1, below).lerp(ordered.gather(1, above), part).T


def _draw_pixels(pictures: Tensor, seed: int) -> Tensor:
    points = pictures.permute(0, 2, 3, 1).reshape(-1, 3)
    return points[_draw(len(points), seed)]


def _draw_patches(pictures: Tensor, seed: int) -> Tensor:
    patches = F.unfold(pictures, _PATCH_PX, stride=_PATCH_PX // 2).transpose(1, 2).flatten(0, 1)
    return patches[_draw(len(patches), seed)]


def _draw(count: int, seed: int) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randperm(count, generator=rng)[:_SAMPLES]
