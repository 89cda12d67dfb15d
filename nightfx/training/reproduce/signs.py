"""The signs that the paper saw in its pictures, as numbers: a sky that turned, parts made brighter, lights that came on."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nightfx.metrics import HSP
from nightfx.scene import find_any_sky

_SKY = 0.5  # of `find_any_sky`
_RAISED = 0.05  # of full scale: a part made brighter
_LIGHT = 0.6  # a light source's brightness, at least
_STANDS_OUT = 0.25  # by how much it is brighter than what is around it
_AROUND = 8  # which is a square of an eighth of the picture's side
_NO_RANGE = 0.02  # day and night skies as bright as each other say nothing


@torch.no_grad()
def find_signs(real_A: Tensor, fake_B: Tensor, real_B: Tensor) -> dict[str, float]:
    """Signs of night in `fake_B`, made of the days `real_A`; `real_B` are nights. All (N, 3, H, W) in [0, 1].

    `sky`: how far the sky's mean brightness (equation 7) went from that of real days to that of real nights, 1 is all
    the way; `raised`: the share of the rest of the picture that became brighter; `lights`: pixels that shine and did not
    before, in shares of those that shine in real nights. NaN where the pictures cannot say.
    """
    day, fake, night = (_brightness(x) for x in (real_A, fake_B, real_B))
    sky_A, sky_B = _skies(real_A), _skies(real_B)
    came_on = _lights(fake) & ~_lights(day)
    return {
        "sky": _way(_mean(day[sky_A]), _mean(fake[sky_A]), _mean(night[sky_B])),
        "raised": _mean((fake - day > _RAISED)[~sky_A].float()),
        "lights": _ratio(_mean(came_on.float()), _mean(_lights(night).float())),
    }


def _brightness(pictures: Tensor) -> Tensor:
    weights = pictures.new_tensor(HSP).view(1, 3, 1, 1)
    return (pictures.square() * weights).sum(1).sqrt()


def _skies(pictures: Tensor) -> Tensor:
    pixels = np.ascontiguousarray(pictures.permute(0, 2, 3, 1).numpy())
    return torch.from_numpy(np.stack([find_any_sky(x) > _SKY for x in pixels]))


def _lights(brightness: Tensor) -> Tensor:
    side_px = brightness.shape[-1] // _AROUND // 2 * 2 + 1
    around = F.avg_pool2d(
        brightness[:, None], side_px, 1, side_px // 2, count_include_pad=False
    ).squeeze(1)
    return (brightness >= _LIGHT) & (brightness - around >= _STANDS_OUT)


def _mean(values: Tensor) -> float:
    return float(values.double().mean())  # NaN of none


def _way(day: float, fake: float, night: float) -> float:
    return (day - fake) / (day - night) if day - night > _NO_RANGE else float("nan")


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")
