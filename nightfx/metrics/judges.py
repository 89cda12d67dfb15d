"""Two judges of day and night, one of colours alone and one of structure alone, each by networks that see other sources.

A classifier that learnt from the sources it judges takes a look for what it knows of them, and one that sees the whole
picture goes by what is easiest to tint. So there are four small networks, two inputs by two halves of the sources, and a
picture of a source is judged by those that learnt from the other half; a picture of any other source by all. They were
trained by `python -m bench.judges` on photographs alone and never saw a render (`judges.md` beside them).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from nightfx.errors import PresetError
from nightfx.metrics.classifier import SIDE_PX, as_input
from nightfx.metrics.pictures import luma

WEIGHTS = Path(__file__).with_name("judges.safetensors")
HALVES: dict[str, tuple[str, ...]] = {
    "first": ("pexels", "dashcam", "drone"),
    "second": ("webcams", "campus"),
}
"""Sources of photographs that the networks of a half learnt from."""
CELLS = 8  # each way, of the picture by colours
_DARKEST, _BRIGHTEST = 0.1, 0.03  # of a cell's pixels
_SIGMAS_PX = 4.0, 12.0  # what is slower is no structure
_BLACK, _FLAT = (
    0.02,
    0.05,
)  # added to luma under the logarithm; deviation of it, in nepers, that is noise


class Called(NamedTuple):
    """How likely a picture is night, 0 to 1, to either judge."""

    colours: float
    structure: float


class Judge(nn.Module):
    """Maps (N, C, H, W) to the log-odds of night, (N,)."""

    def __init__(self, channels: int, widths: Sequence[int], strides: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after, stride in zip((channels + 1, *widths), widths, strides, strict=False):
            layers += [nn.Conv2d(before, after, 3, stride, padding=1, bias=False)]
            layers += [nn.BatchNorm2d(after), nn.ReLU()]
        self.trunk = nn.Sequential(*layers)
        self.head = nn.Linear(widths[-1], 1)

    def forward(self, maps: Tensor) -> Tensor:
        """A further channel tells the network how high a place stands."""
        height = torch.linspace(-1, 1, maps.shape[2])
        position = height.view(1, 1, -1, 1).expand(len(maps), 1, -1, maps.shape[3])
        means = self.trunk(torch.cat([maps, position], dim=1)).mean((2, 3))
        odds: Tensor = self.head(F.dropout(means, 0.2, self.training))
        return odds[:, 0]


def judge_of(kind: str) -> Judge:
    """An untrained judge of `colours` or of `structure`."""
    if kind == "colours":
        return Judge(9, (32, 48, 64), (1, 2, 1))
    return Judge(len(_SIGMAS_PX), (16, 32, 48, 64, 64), (2, 2, 2, 2, 1))


def maps_of(kind: str, picture: Tensor) -> Tensor:
    """What a judge of `colours` or of `structure` sees of a picture (3, 128, 128) in [0, 1]; of a larger one, more."""
    return _colours(picture) if kind == "colours" else _structure(picture)


def call_night(picture: Tensor, source: str = "") -> Called:
    """Ask both judges of a picture (3, H, W) in [0, 1] from `source`, which no network asked has learnt from."""
    small = as_input(picture)
    known = next((half for half, sources in HALVES.items() if source in sources), None)
    halves = [half for half in HALVES if half != known]
    return Called(*(_odds(kind, halves, maps_of(kind, small)) for kind in Called._fields))


@torch.inference_mode()
def _odds(kind: str, halves: Sequence[str], maps: Tensor) -> float:
    judges = load_judges()
    logits = torch.stack([judges[f"{kind}.{half}"](maps[None])[0] for half in halves])
    return float(logits.mean().sigmoid())


@lru_cache
def load_judges(path: Path = WEIGHTS) -> dict[str, Judge]:
    """The networks that come along, as `colours.first`; raises `PresetError` where they are damaged."""
    judges = {f"{kind}.{half}": judge_of(kind) for kind in Called._fields for half in HALVES}
    try:
        tensors = load_file(path)  # of half floats; copied into float32
        for name, judge in judges.items():
            own = {k.removeprefix(f"{name}."): v for k, v in tensors.items() if k.startswith(name)}
            judge.load_state_dict(own)
    except (OSError, SafetensorError, RuntimeError) as error:
        line = str(error).splitlines()[0]
        raise PresetError(f"{path}: not the judges of day and night ({line}): reinstall") from error
    return {name: judge.eval().requires_grad_(False) for name, judge in judges.items()}


def _colours(picture: Tensor) -> Tensor:
    """The colours of cells of 16 px: of the darkest tenth of each, of all, of the brightest 3 %; (9, 8, 8) in [-1, 1]."""
    side = SIDE_PX // CELLS
    pixels = picture.unfold(1, side, side).unfold(2, side, side).flatten(3)
    order = pixels.mean(0).argsort(-1).expand_as(pixels)
    ordered, count = pixels.gather(3, order), side * side
    parts = (
        ordered[..., : round(count * _DARKEST)],
        ordered,
        ordered[..., -round(count * _BRIGHTEST) :],
    )
    return 2 * torch.cat([part.mean(-1) for part in parts]) - 1


def _structure(picture: Tensor) -> Tensor:
    """Log luma less its own mean around each pixel, ÷ its own deviation there, at two sizes: (2, 128, 128)."""
    v = np.log(luma(picture) + np.float32(_BLACK))
    return torch.from_numpy(np.stack([_normalised(v, sigma) for sigma in _SIGMAS_PX]) / 2)


def _normalised(v: np.ndarray, sigma_px: float) -> np.ndarray:
    high = v - cv2.GaussianBlur(v, (0, 0), sigma_px)
    deviation = np.sqrt(cv2.GaussianBlur(high * high, (0, 0), sigma_px) + np.float32(_FLAT**2))
    return np.asarray(high / deviation)
