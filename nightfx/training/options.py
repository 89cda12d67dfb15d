"""What a training run is asked for: one dataclass for the library, the command line and the checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from nightfx.errors import UsageError
from nightfx.model import Architecture
from nightfx.training.data import CropScale


@dataclass(frozen=True)
class TrainOptions:
    """How to train; everything a run needs besides the pictures."""

    architecture: Architecture = "relit"
    """relit ships; paper reproduces."""
    steps: int = 12_000
    """Steps in all."""
    batch: int = 4
    """Crops of each class a step."""
    crop_px: int = 128
    """Side of a crop."""
    scale: CropScale = (1.0, 4.0)
    """How many times taller a picture is than its crop, least and most."""
    learning_rate: float = 2e-4
    """Adam's, for all networks; β₁ = 0.5."""
    generator_share: float = 0.25
    """The share of it that the generators keep after the warm start (relit only): faster, they swing."""
    decay_after: float = 0.5
    """The share of steps after which the learning rate falls to zero in a line."""
    cycle_weight: float = 4.0
    """λ of equations (5) and (6)."""
    smooth_weight: float = 8.0
    """Weight of the roughness of the maps inside surfaces (relit only)."""
    distribution_weight: float = 20.0
    """Weight of the distance of the fakes' colours and patches to the real ones', as sets (relit only)."""
    warm_start_steps: int = 2000
    """Steps spent on imitating the best curve a channel first (relit only)."""
    pool_size: int = 50
    """Older fakes kept for each discriminator."""
    ema: float = 0.999
    """Decay of the running mean of the weights, which is what ships."""
    every: int = 500
    """Steps between checkpoints, samples and validations."""
    seed: int = 0
    """Seeds weights, draws and pools."""

    def __post_init__(self) -> None:
        if self.architecture not in get_args(Architecture):
            raise UsageError(f"--architecture must be relit or paper, got {self.architecture!r}")
        if self.architecture == "paper" and self.crop_px != 256:
            raise UsageError(f"the paper's discriminator needs crop_px 256, got {self.crop_px}")
        if self.crop_px % 8 or self.crop_px < 96:
            raise UsageError(f"crop_px must be a multiple of 8 and at least 96, got {self.crop_px}")
        if min(self.steps, self.batch, self.every) < 1:
            raise UsageError("steps, batch and every must be at least 1")
        if not 1 <= self.scale[0] <= self.scale[1]:
            raise UsageError(f"scale must be two rising numbers from 1 up, got {self.scale}")

    @property
    def heights_px(self) -> tuple[int, int]:
        """Picture heights that the crops were cut from."""
        return round(self.crop_px * self.scale[0]), round(self.crop_px * self.scale[1])
