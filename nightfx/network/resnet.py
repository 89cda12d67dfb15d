"""The generator of CycleGAN as its authors trained it, for weights that come from others.

Zhu et al. 2017 (arXiv 1703.10593, appendix 7.2): a residual network with instance norm. Layers have the numbers that
they have in checkpoints trained without dropout. Instance norm takes mean and variance of all that it is shown, so each
tile of a frame would get an exposure and a tint of its own: this generator is shown whole frames only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from nightfx.network.gain_offset import GainOffset, replaced

_BLOCKS = (6, 9)
_MOST_CHANNELS = 256  # four times the usual; a file cannot ask for more memory than that
_FIRST_OF_BLOCK = re.compile(r"model\.\d+\.conv_block\.1\.weight")


class Block(nn.Module):
    """Two 3×3 convolutions with instance norm beside a shortcut; no ReLU at the exit."""

    def __init__(self, channels: int, *, affine: bool) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            *(nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), *_norm(channels, affine)),
            *(nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3)),
            nn.InstanceNorm2d(channels, affine=affine),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        y: Tensor = x + self.conv_block(x)
        return y


class Centred(nn.Module):
    """From [0, 1] to the [-1, 1] that these networks were trained on."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        return 2 * x - 1


class ResnetGenerator(nn.Module):
    """It paints a picture, from 3 channels to 3; `channels` are those behind the first convolution, often 64."""

    architecture: Literal["resnet"] = "resnet"
    stand_in: Callable[[Tensor], Tensor] | None = None
    """A stand-in for trunk and last layer, where a backend has put one there."""

    def __init__(self, blocks: int = 9, channels: int = 64, *, affine: bool = False) -> None:
        super().__init__()
        c = channels
        self.model = nn.Sequential(
            *(nn.ReflectionPad2d(3), nn.Conv2d(3, c, 7), *_norm(c, affine)),
            *(nn.Conv2d(c, 2 * c, 3, stride=2, padding=1), *_norm(2 * c, affine)),
            *(nn.Conv2d(2 * c, 4 * c, 3, stride=2, padding=1), *_norm(4 * c, affine)),
            *(Block(4 * c, affine=affine) for _ in range(blocks)),
            *(_up(4 * c, 2 * c), *_norm(2 * c, affine)),
            *(_up(2 * c, c), *_norm(c, affine)),
            *(nn.ReflectionPad2d(3), nn.Conv2d(c, 3, 7)),
        )

    @property
    def trunk(self) -> nn.Sequential:
        """All but the last layer: pictures (N, 3, H, W) in [0, 1] to (N, channels, H, W), H and W multiples of 4."""
        return nn.Sequential(Centred(), *list(self.model)[:-2])

    @property
    def out(self) -> nn.Sequential:
        """The last layer, before its tanh."""
        return nn.Sequential(*list(self.model)[-2:])

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures (N, 3, H, W) in [0, 1], sides of 8 px and more, to pictures in [0, 1]; float32."""
        y = (self.stand_in or self._layers)(x)
        return (torch.tanh(y) + 1) / 2

    def light(self, x: Tensor) -> GainOffset:
        """The change from `x` to the generator's picture, which replaces the plate."""
        return replaced(x, self(x))

    def _layers(self, x: Tensor) -> Tensor:
        features = self.trunk(x.to(next(self.parameters()).dtype))
        y: Tensor = self.out(features.float())
        return y


def resnet_of(weights: Mapping[str, Tensor]) -> ResnetGenerator:
    """The generator that has these `weights`, in float32; their shapes say its size.

    Raises `ValueError`, which names what does not fit. Nothing is allocated before all shapes fit.
    """
    blocks = sum(1 for key in weights if _FIRST_OF_BLOCK.fullmatch(key))
    first = weights.get("model.1.weight", torch.empty(0))
    if blocks not in _BLOCKS:
        raise ValueError(f"{blocks} residual blocks, where 6 or 9 are known")
    if first.ndim != 4 or not 0 < len(first) <= _MOST_CHANNELS:
        raise ValueError(f"model.1.weight is {list(first.shape)}, not [64, 3, 7, 7] or so")
    with torch.device("meta"):
        network = ResnetGenerator(blocks, len(first), affine="model.2.weight" in weights)
    _check(weights, network.state_dict())
    network.load_state_dict({key: weight.float() for key, weight in weights.items()}, assign=True)
    return network.eval().requires_grad_(False)


def _check(weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    missing, unknown = sorted(wanted.keys() - weights), sorted(weights.keys() - wanted)
    if missing:
        raise ValueError(f"{missing[0]} is missing")
    if unknown:
        raise ValueError(f"{unknown[0][:80]} has no place in it")
    for key, like in wanted.items():
        if weights[key].shape != like.shape:
            raise ValueError(f"{key} is {list(weights[key].shape)}, not {list(like.shape)}")


def _norm(channels: int, affine: bool) -> tuple[nn.Module, nn.Module]:
    return nn.InstanceNorm2d(channels, affine=affine), nn.ReLU(inplace=True)


def _up(inputs: int, outputs: int) -> nn.Module:
    return nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1)
