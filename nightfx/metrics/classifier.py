"""A small network that tells day from night, and whose features serve KID and FID where no better ones are at hand.

It was trained by `python -m bench.classifier` on photographs alone and never saw a render (`day_night.md` beside it).
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from nightfx.errors import PresetError

SIDE_PX = 128
_WIDTHS = (16, 32, 48, 64)
WEIGHTS = Path(__file__).with_name("day_night.safetensors")


class DayNight(nn.Module):
    """Pictures (N, 3, 128, 128) in [0, 1] to 64 features each, and to the log-odds of night."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((4, *_WIDTHS), (*_WIDTHS, _WIDTHS[-1]), strict=True):
            stride = 2 if before != after else 1
            layers += [nn.Conv2d(before, after, 3, stride, padding=1, bias=False)]
            layers += [nn.BatchNorm2d(after), nn.ReLU()]
        self.trunk = nn.Sequential(*layers)
        self.head = nn.Linear(_WIDTHS[-1], 1)

    def features(self, pictures: Tensor) -> Tensor:
        """The means over the last maps, (N, 64); a fourth channel tells the network how high a pixel stands."""
        height = torch.linspace(-1, 1, pictures.shape[2], device=pictures.device)
        position = height.view(1, 1, -1, 1).expand(len(pictures), 1, -1, pictures.shape[3])
        maps: Tensor = self.trunk(torch.cat([2 * pictures - 1, position], dim=1))
        return maps.mean((2, 3))

    def forward(self, pictures: Tensor) -> Tensor:
        """Log-odds of night, (N,)."""
        odds: Tensor = self.head(F.dropout(self.features(pictures), 0.2, self.training))
        return odds[:, 0]


def as_input(picture: Tensor) -> Tensor:
    """A picture (3, H, W) in [0, 1] as the network sees it, whole, (3, 128, 128)."""
    pixels = np.ascontiguousarray(picture.float().cpu().permute(1, 2, 0).numpy())
    sized = cv2.resize(pixels, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(np.ascontiguousarray(sized.transpose(2, 0, 1)))


@lru_cache
def load_classifier(path: Path = WEIGHTS) -> DayNight:
    """The network that comes along, or that at `path`, ready to infer; raises `PresetError` where it is damaged."""
    network = DayNight()
    try:
        network.load_state_dict(load_file(path))  # of half floats; copied into float32
    except (OSError, SafetensorError, RuntimeError) as error:
        line = str(error).splitlines()[0]
        raise PresetError(f"{path}: not the day and night network ({line}): reinstall") from error
    return network.eval().requires_grad_(False)
