"""The networks that judge: the paper's discriminator and that of `relit`, and how their weights begin."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

_JUDGED_PX = 256  # what the paper's discriminator sees at once


class PaperDiscriminator(nn.Module):
    """The paper's discriminator (Table II): four 4×4 convolutions of stride 4, one score a picture.

    Its printed last activation, a softmax over a single score, is the constant 1: sigmoid is meant. Four strides of 4
    need 256 px: smaller pictures, which the paper does not have, are enlarged to that (bilinear).
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(3, 32, 4, stride=4), nn.ReLU()),
            *(nn.Conv2d(32, 64, 4, stride=4), nn.ReLU()),
            *(nn.Conv2d(64, 128, 4, stride=4), nn.ReLU()),
            nn.Conv2d(128, 1, 4, stride=4),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Score pictures (N, 3, 256, 256), or smaller ones, in [0, 1]: (N, 1, 1, 1) in [0, 1], 1 is real."""
        if x.shape[-2:] != (_JUDGED_PX, _JUDGED_PX):
            x = F.interpolate(x, (_JUDGED_PX, _JUDGED_PX), mode="bilinear")
        # in float32 whatever the layers ran in: bf16 would round a sure answer to 1, which has no gradient
        return torch.sigmoid(self.layers(x).float())


class PatchDiscriminator(nn.Module):
    """Scores patches at full and at quarter size: texture at the one, the whole picture's light at the other.

    Spectral norm on every layer (`spectrally_normed`) keeps a small data set from being learnt by heart.
    """

    def __init__(self, channels: int = 48) -> None:
        super().__init__()
        self.fine = _patch_layers(channels)
        self.coarse = _patch_layers(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Score pictures (N, 3, H, W) in [0, 1], H and W at least 96: (N, 2, h, w), both scales on the fine one's grid."""
        fine: Tensor = self.fine(x)
        coarse = F.interpolate(self.coarse(F.avg_pool2d(x, 4)), size=fine.shape[-2:])
        return torch.cat([fine, coarse], dim=1)


def _patch_layers(c: int) -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(3, c, 4, 2, 1), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(c, 2 * c, 4, 2, 1), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(2 * c, 4 * c, 4, 2, 1), nn.LeakyReLU(0.2)),
        nn.Conv2d(4 * c, 1, 4, 1, 1),
    )


def spectrally_normed(network: nn.Module) -> nn.Module:
    """`network` with spectral norm on every convolution (Miyato et al. 2018, arXiv 1802.05957)."""
    for layer in [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]:
        spectral_norm(layer)
    return network


def begin_as_tensorflow(network: nn.Module) -> None:
    """Draw the weights of `network` as TensorFlow's layers do: Glorot uniform, biases zero."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
