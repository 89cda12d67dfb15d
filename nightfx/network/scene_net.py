"""The scene network: what each pixel of a picture shows.

A U-Net without normalisation that works at half the size of what it is shown; where it is coarsest, each place looks at
all others: a pale plane is a sky above a street and a wall in a room. It is one for all presets; what its channels mean is
said by `nightfx/scene`, what it learnt from by `scene/CARD.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from nightfx.errors import PresetError
from nightfx.network.scene_file import bundled_scene

WIDTHS = (32, 48, 64, 96, 128)
"""Channels at a half, a quarter … and a 32nd of the size."""
_SHOWN = 3 * 4 + 1  # 2×2 px of RGB, and the row
_HEADS = 4
_SHARP = 6.0  # how sharply a place chooses among all others, to begin with


class Surroundings(nn.Module):
    """Each place looks at all others: attention of four heads, and two layers that each place has for itself.

    Both add to what comes in, and nothing to begin with. Weights of an older network, which has none, are so of this one.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.look = nn.Conv2d(channels, 3 * channels, 1)
        self.sharp = nn.Parameter(torch.full((_HEADS, 1, 1), _SHARP))
        self.tell = nn.Conv2d(channels, channels, 1)
        self.think = nn.Conv2d(channels, 2 * channels, 1)
        self.say = nn.Conv2d(2 * channels, channels, 1)
        self.hush()

    def hush(self) -> None:
        """Let it add nothing, until it learns to."""
        for last in (self.tell, self.say):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)  # type: ignore[arg-type]  # Conv2d has a bias by default

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        n, c, height, width = x.shape
        looked = self.look(x).reshape(n, 3, _HEADS, c // _HEADS, height * width)
        asked, known, held = looked.unbind(1)
        # directions alone are compared: without normalisation lengths would make a choice as sharp as they like
        alike = F.normalize(asked, dim=2).transpose(2, 3) @ F.normalize(known, dim=2)
        share = (alike * self.sharp).softmax(3)
        x = x + self.tell((held @ share.transpose(2, 3)).reshape(n, c, height, width))
        y: Tensor = x + self.say(F.relu(self.think(x)))
        return y


class SceneNetwork(nn.Module):
    """Pictures to the logits of `channels` kinds of things, about 1.2 million parameters."""

    stand_in: Callable[[Tensor], Tensor] | None = None
    """A stand-in for all layers, where a backend has put one there."""

    def __init__(self, channels: int, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        self.channels, self.multiple_px = channels, 2 ** len(widths)
        self.enter = _twice(_SHOWN, widths[0])
        self.down = nn.ModuleList(_twice(i, o, stride=2) for i, o in pairwise(widths))
        self.around = Surroundings(widths[-1])
        self.up = nn.ModuleList(_twice(i + o, i) for i, o in pairwise(widths))
        self.leave = nn.Conv2d(widths[0], 4 * channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, channels, H, W) float32 of pictures (N, 3, H, W) in [0, 1], of any size."""
        height, width = x.shape[2:]
        over = -width % self.multiple_px, -height % self.multiple_px
        x = F.pad(x, (0, over[0], 0, over[1]), mode="replicate") if any(over) else x
        said = self.stand_in(folded(x)) if self.stand_in else self.layers(folded(x))
        with torch.autocast(x.device.type, enabled=False):
            return F.pixel_shuffle(said.float(), 2)[..., :height, :width]

    def layers(self, x: Tensor) -> Tensor:
        """All layers: what `folded` gives to (N, 4 · channels, H / 2, W / 2)."""
        levels = [self.enter(x.to(self.leave.weight.dtype))]
        for layers in self.down:
            levels.append(layers(levels[-1]))
        deep = self.around(levels.pop())
        for layers in reversed(self.up):
            deep = F.interpolate(deep, scale_factor=2.0, mode="nearest")
            deep = layers(torch.cat([deep, levels.pop()], dim=1))
        said: Tensor = self.leave(deep)
        return said


def folded(x: Tensor) -> Tensor:
    """Pictures (N, 3, 2h, 2w) as the layers see them: 2×2 px as 12 channels, and the row, -1 at the top to 1."""
    n, _, height, width = x.shape
    row = torch.linspace(-1, 1, height // 2, device=x.device, dtype=x.dtype)
    row = row.view(1, 1, -1, 1).expand(n, 1, -1, width // 2)
    return torch.cat([2 * F.pixel_unshuffle(x, 2) - 1, row], dim=1)


def _twice(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    first = nn.Conv2d(inputs, outputs, 3, stride, padding=1)
    second = nn.Conv2d(outputs, outputs, 3, padding=1)
    return nn.Sequential(first, nn.ReLU(inplace=True), second, nn.ReLU(inplace=True))


def load_scene_network(path: Path | None = None) -> SceneNetwork:
    """The network that comes along, or that of the safetensors at `path`: float32 on the CPU, ready to infer.

    Raises `PresetError` where the weights are missing, damaged or of another network.
    """
    path = path or bundled_scene()
    try:
        return _built(load_file(path)).eval().requires_grad_(False)
    except (OSError, SafetensorError, RuntimeError, ValueError, KeyError) as error:
        line = str(error).splitlines()[0]
        raise PresetError(f"{path}: not weights of a scene network ({line}): reinstall") from error


def _built(tensors: dict[str, Tensor]) -> SceneNetwork:
    """A network of the sizes that the weights are of."""
    if not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
        raise ValueError("they are not finite")
    deeper = [tensors[key].shape[0] for key in sorted(tensors) if _is_down(key)]
    widths = tensors["enter.0.weight"].shape[0], *deeper
    network = SceneNetwork(tensors["leave.weight"].shape[0] // 4, widths)
    own = {key: own for key, own in network.state_dict().items() if key.startswith("around.")}
    network.load_state_dict({**own, **{key: tensor.float() for key, tensor in tensors.items()}})
    return network


def _is_down(key: str) -> bool:
    return key.startswith("down.") and key.endswith(".0.weight")
