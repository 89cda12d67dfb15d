"""The objective: equations (1) to (6) of the paper, and the pool that steadies the discriminators.

Letters are the paper's and CycleGAN's: `real_A`, `fake_B` = G_AB(real_A), `rec_A` = G_BA(fake_B).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def discriminator_loss(real_score: Tensor, fake_score: Tensor) -> Tensor:
    """(D(real) − 1)² + D(fake)²: equation (1), and (2) with G_AB(a) where G_AB(b) is printed."""
    return (real_score - 1).square().mean() + fake_score.square().mean()


def cycle_distance(real: Tensor, rec: Tensor) -> Tensor:
    """Equation (3): the mean absolute difference over all pixels and channels."""
    return (rec - real).abs().mean()


def cycle_loss(real_A: Tensor, rec_A: Tensor, real_B: Tensor, rec_B: Tensor) -> Tensor:
    """Equation (4): half the sum of both ways round."""
    return (cycle_distance(real_A, rec_A) + cycle_distance(real_B, rec_B)) / 2


def adversarial_loss(fake_score: Tensor) -> Tensor:
    """The first term of equations (5) and (6): (D(fake) − 1)²."""
    return (fake_score - 1).square().mean()


def generator_loss(fake_score: Tensor, cycle: Tensor, cycle_weight: float) -> Tensor:
    """Equation (5) with D_B(fake_B) and (6) with D_A(fake_A): (D(fake) − 1)² + λC."""
    return adversarial_loss(fake_score) + cycle_weight * cycle


def generators_loss(
    fake_B_score: Tensor, fake_A_score: Tensor, cycle: Tensor, cycle_weight: float
) -> Tensor:
    """Equations (5) and (6) in one number to differentiate, λC in it once.

    Each generator minimises its own equation and so receives λC once; the sum of both would give it 2λC.
    """
    return adversarial_loss(fake_B_score) + adversarial_loss(fake_A_score) + cycle_weight * cycle


def identity_loss(real_A: Tensor, idt_A: Tensor, real_B: Tensor, idt_B: Tensor) -> Tensor:
    """CycleGAN's identity loss: idt_B = G_AB(real_B) should be real_B, idt_A = G_BA(real_A) real_A. Not the paper's."""
    return (cycle_distance(real_A, idt_A) + cycle_distance(real_B, idt_B)) / 2


def gradient_penalty(D: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
    """R1: half the squared slope of D at `real` (N, 3, H, W), mean over N (Mescheder et al. 2018, arXiv 1801.04406)."""
    real = real.detach().requires_grad_()
    (slope,) = torch.autograd.grad(D(real).sum(), real, create_graph=True)
    return slope.square().sum(dim=(1, 2, 3)).mean() / 2


def roughness(maps: Tensor, picture: Tensor) -> Tensor:
    """Mean step between neighbours in `maps` (N, C, H, W), where `picture` (N, 3, H, W) itself is smooth.

    Light may change at an edge of the plate, not inside a surface: steps are discounted by exp(−20 |∇picture|).
    """
    total = maps.new_zeros(())
    for axis in (-1, -2):
        edge = picture.detach().diff(dim=axis).abs().mean(1, keepdim=True)
        total = total + (maps.diff(dim=axis).abs() * torch.exp(-20 * edge)).mean()
    return total


def as_shown(picture: Tensor) -> Tensor:
    """`picture` clipped to [0, 1], as a screen does; gradients pass as if it were not.

    Unclipped, a generator can hide in values below black what no judge should count.
    """
    return picture + (picture.clamp(0, 1) - picture).detach()


_PROJECTIONS = 16
_PATCH_PX = 16  # side and stride
_PIXELS_A_PICTURE = 128
_CONTRAST_SCALE = 3.0  # standard deviations are about a third of means


def distribution_loss(fakes: Tensor, older: Tensor, reals: Tensor, seed: int) -> Tensor:
    """How far colours, patches and surfaces of `fakes` stand from those of `reals`, both (N, 3, H, W), as sets.

    A sliced Wasserstein-1 distance (Bonneel et al. 2015) along random directions. Each fake value is compared with the
    real one of the same rank among `fakes` and `older` together, so that a set is matched and not every picture alike.
    Surfaces are a patch's mean colour beside its contrast: a bright smooth one (a day's sky) is rare by night.
    """
    sets = [_project(x, seed) for x in (fakes, older, reals)]
    return torch.stack([_rank_distance(*values) for values in zip(*sets, strict=True)]).mean()


def _project(pictures: Tensor, seed: int) -> list[Tensor]:
    """Colours, patches and surfaces along random directions, each (points, values); the directions by `seed`."""
    rng = torch.Generator().manual_seed(seed)
    colours = _directions(3, rng).to(pictures.device)
    filters = _directions(3 * _PATCH_PX**2, rng).to(pictures.device)
    height, width = pictures.shape[-2:]
    at = torch.randint(height * width, (_PIXELS_A_PICTURE,), generator=rng).to(pictures.device)
    pixels = pictures.flatten(2)[..., at].transpose(1, 2).reshape(-1, 3)
    patches = F.conv2d(pictures, filters.T.view(-1, 3, _PATCH_PX, _PATCH_PX), stride=_PATCH_PX)
    surfaces = _surfaces(pictures) @ _directions(4, rng).to(pictures.device)
    return [pixels @ colours, patches.permute(0, 2, 3, 1).reshape(-1, _PROJECTIONS), surfaces]


def _surfaces(pictures: Tensor) -> Tensor:
    """Mean colour and contrast of each patch, (points, 4)."""
    mean = F.avg_pool2d(pictures, _PATCH_PX)
    luma = pictures.mean(1, keepdim=True)
    variance = F.avg_pool2d(luma.square(), _PATCH_PX) - F.avg_pool2d(luma, _PATCH_PX).square()
    contrast = _CONTRAST_SCALE * (variance.clamp(min=0) + 1e-6).sqrt()
    return torch.cat([mean, contrast], dim=1).permute(0, 2, 3, 1).reshape(-1, 4)


def _directions(size: int, rng: torch.Generator) -> Tensor:
    return F.normalize(torch.randn(size, _PROJECTIONS, generator=rng), dim=0)


def _rank_distance(fakes: Tensor, older: Tensor, reals: Tensor) -> Tensor:
    together = torch.cat([fakes.detach(), older])
    order = together.argsort(dim=0)
    ranks = torch.linspace(0, len(reals) - 1, len(together), device=reals.device).long()
    wanted = torch.empty_like(together).scatter_(0, order, in_order(reals)[ranks])
    return (fakes - wanted[: len(fakes)]).abs().mean()


def in_order(values: Tensor) -> Tensor:
    """Each column of `values` (points, columns) from least to most; without gradients."""
    if values.device.type != "cpu":
        return values.detach().sort(dim=0).values
    # on a CPU numpy takes a tenth of torch's time, for the same numbers
    return torch.from_numpy(np.sort(values.detach().T.numpy(), axis=1)).T


def warm_start_loss(guides: tuple[Tensor, Tensor], fakes: tuple[Tensor, Tensor]) -> Tensor:
    """Distance of the fakes to the pictures that guide a warm start, both ways round."""
    return cycle_distance(guides[0], fakes[0]) + cycle_distance(guides[1], fakes[1])


class Recent:
    """The last few pictures of a kind: a sample of the set that they come from."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.pictures: list[Tensor] = []

    def add(self, pictures: Tensor) -> None:
        """Take in (N, 3, H, W)."""
        self.pictures = [*self.pictures, *pictures.unbind()][-self.capacity :]

    def all(self, *, like: Tensor | None = None) -> Tensor:
        """Return all pictures that are kept, (M, 3, H, W); at first none, in the shape of `like`."""
        return torch.stack(self.pictures) if self.pictures or like is None else like[:0].detach()


class ImagePool:
    """Shows a discriminator older fakes half of the time (Shrivastava et al. 2017, arXiv 1612.07828)."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.pictures: list[Tensor] = []

    def query(self, fakes: Tensor, rng: torch.Generator) -> Tensor:
        """Swap each of `fakes` (N, 3, H, W) for an older one with probability ½, once the pool is full."""
        return torch.stack([self._swap(fake, rng) for fake in fakes.detach()])

    def _swap(self, fake: Tensor, rng: torch.Generator) -> Tensor:
        if len(self.pictures) < self.capacity:
            self.pictures.append(fake.clone())
            return fake
        if self.capacity == 0 or torch.rand((), generator=rng) < 0.5:
            return fake
        index = int(torch.randint(self.capacity, (), generator=rng))
        older, self.pictures[index] = self.pictures[index], fake.clone()
        return older
