"""Options of a training run: one dataclass for the library, the command line and the checkpoint."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal, get_args

from nightfx.errors import UsageError
from nightfx.network import Architecture
from nightfx.training.data.usable import CropScale

_Draw = Literal["sources", "passes"]
_Guide = Literal["curves", "sky", "pairs"]
_Precision = Literal["auto", "float32", "bfloat16"]

RELIT_ONLY = (
    *("generator_share", "smooth_weight", "distribution_weight", "warm_start_steps", "start"),
)
"""Settings that the paper's architecture has no use for."""
_SHARES = ("generator_share", "decay_after", "ema")
_COUNTS = ("steps", "batch", "every")


@dataclass(frozen=True)
class TrainOptions:
    """How to train; everything a run needs besides the pictures. `training/recipes.py` holds named ones."""

    recipe: str = "relit"
    """The recipe that these began as; recorded, and nothing else."""
    architecture: Architecture = "relit"
    """relit ships; paper reproduces."""
    steps: int = 12_000
    """Steps in all."""
    epochs: int = 0
    """Passes over the larger set, in place of `steps`; 0 leaves it to `steps`."""
    batch: int = 4
    """Crops of each class a step, over all processes."""
    limit: int = 0
    """Pictures of each class to train on, picked by `seed`; 0 takes all."""
    draw: _Draw = "sources"
    """sources: each source alike, at random; passes: every picture of the larger set once an epoch."""
    mirror: bool = True
    """Whether half of the crops are mirrored."""
    crop_px: int = 128
    """Side of a crop."""
    scale: CropScale = (1.0, 4.0)
    """How many times taller a picture is than its crop, least and most."""
    learning_rate: float = 2e-4
    """Adam's, for all networks; β₁ = 0.5."""
    generator_share: float = 0.25
    """The share of it that the generators keep after the warm start (relit only): faster, they swing."""
    decay_after: float = 0.5
    """The share of steps after which the learning rate falls to zero in a line; 1 keeps it."""
    cycle_weight: float = 4.0
    """λ of equations (5) and (6)."""
    identity_weight: float = 0.0
    """Weight of the identity loss: a night picture should stay what it is on its way to night."""
    r1_weight: float = 0.0
    """Weight γ of the gradient penalty on real pictures, γ/2 · |∇D|² (Mescheder et al. 2018)."""
    clip_norm: float = 0.0
    """Length to which gradients are clipped, for generators and discriminators each; 0 leaves them."""
    spectral_norm: bool = True
    """Spectral norm on every layer of the discriminators."""
    smooth_weight: float = 8.0
    """Weight of the roughness of the maps inside surfaces (relit only)."""
    distribution_weight: float = 20.0
    """Weight of the distance of the fakes' colours and patches to the real ones', as sets (relit only)."""
    warm_start_steps: int = 2000
    """Steps spent first on imitating curves that carry one class's values to the other's (relit only)."""
    guide: _Guide = "curves"
    """What a warm start imitates: one curve a channel; others for the sky (it takes far more steps to learn); or pairs,
    where each day picture has its night under the same name."""
    pool_size: int = 50
    """Older fakes kept for each discriminator; 0 shows it the newest only."""
    ema: float = 0.999
    """Decay of the running mean of the weights, which is what ships; 0 ships the weights themselves."""
    precision: _Precision = "auto"
    """auto computes in bf16 beside float32 weights where the device does so natively."""
    every: int = 500
    """Steps between samples and validations; a checkpoint is written at each, and every minute."""
    patience: int = 0
    """Validations in a row without a better preset, after which a run ends; 0 goes on to the last step."""
    start: str = ""
    """A preset, by its name or folder, that the generators begin as (relit only); empty for fresh ones."""
    seed: int = 0
    """Seeds weights, draws and pools."""

    def __post_init__(self) -> None:
        for name, choices in (("architecture", Architecture), ("draw", _Draw), ("guide", _Guide)):
            _refuse_unknown(name, getattr(self, name), get_args(choices))
        _refuse_unknown("precision", self.precision, get_args(_Precision))
        self._refuse_numbers()
        if self.architecture == "paper" and self.crop_px > 256:
            raise UsageError(
                f"the paper's discriminator sees 256 px: crop_px must be 256 or less, got {self.crop_px}"
            )
        if self.is_paired and not self.warm_start_steps:
            raise UsageError("guide=pairs is for the warm start, and warm_start_steps is 0")
        if self.crop_px % 8 or self.crop_px < 96:
            raise UsageError(f"crop_px must be a multiple of 8 and at least 96, got {self.crop_px}")
        if not (len(self.scale) == 2 and 1 <= self.scale[0] <= self.scale[1] < math.inf):
            raise UsageError(f"scale must be two rising numbers from 1 up, got {self.scale}")

    def _refuse_numbers(self) -> None:
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            if isinstance(value, int | float) and not (math.isfinite(value) and value >= 0):
                raise UsageError(f"{name} must be a number from 0 up, got {value}")
        for name in _COUNTS:
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in _SHARES:
            if getattr(self, name) > 1:
                raise UsageError(f"{name} must be from 0 to 1, got {getattr(self, name)}")
        if self.learning_rate == 0:
            raise UsageError("learning_rate must be above 0, got 0")

    def is_warming(self, step: int) -> bool:
        """Whether `step` belongs to the warm start; only relit has one."""
        return self.architecture == "relit" and step < self.warm_start_steps

    def sees_sky(self, step: int) -> bool:
        """Whether the pictures of `step` come with their sky."""
        return self.guide == "sky" and self.is_warming(step)

    @property
    def is_paired(self) -> bool:
        """Whether a picture of one class is drawn together with that of the other."""
        return self.guide == "pairs"

    @property
    def heights_px(self) -> tuple[int, int]:
        """Picture heights that the crops were cut from."""
        return round(self.crop_px * self.scale[0]), round(self.crop_px * self.scale[1])


def _refuse_unknown(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(f"{name} must be {' or '.join(choices)}, got {value!r}")
