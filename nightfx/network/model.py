"""The networks that render: two generators that share a trunk, and where they run.

A third generator, for others' weights, is in `resnet.py`; the networks that judge are in `training/judges.py`. No
generator here has a normalisation layer, so what it says about a pixel depends only on the `HALO_PX` pixels around it:
tiles with that much halo equal the whole frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nightfx.errors import UsageError
from nightfx.network import gain_offset, resnet
from nightfx.network.trunk import BLOCKS, WIDTH, Architecture
from nightfx.options import DeviceName

_Edges = Literal["zeros", "replicate"]
Size = tuple[int, int]
"""Channels of the first layer, and residual blocks."""

HALO_PX = 112  # receptive radius 104 px (test_tiling.py measures it), up to the next multiple of 8
_BAND_UNITS = 32  # a unit is what one row of a layer's input or output stands for
# layers of the trunk: three strided ones, and from the last but one transposed on
STEM_LAYERS, HEAD_LAYER = 6, -4
MAX_LOG_GAIN = 4.0  # |g| stays below; e⁴ is 5.8 stops


class Same(nn.Module):
    """TensorFlow's SAME padding at stride 2 on even sizes: one row and column more, bottom and right."""

    def forward(self, x: Tensor) -> Tensor:
        """Pad (N, C, H, W) to (N, C, H + 1, W + 1) with zeros."""
        return F.pad(x, (0, 1, 0, 1))


class SameUp(nn.ConvTranspose2d):
    """The counterpart of `Same`: a transposed convolution of stride 2 whose last row and column are cropped."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, stride=2, padding=2, output_padding=1)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Map (N, C, H, W) to (N, outputs, 2 H, 2 W)."""
        if torch._C._get_tracing_state():  # noqa: SLF001 - `torch.jit` has it, and does not export it
            # for OpenVINO, which folds that padding into the convolution, and wrongly
            return F.conv_transpose2d(x, self.weight, self.bias, stride=2)[..., :-1, :-1]
        # to crop what comes out is the same number for number, but odd sizes take a path ten times slower in bf16
        return super().forward(F.pad(x, (1, 0, 1, 0)), output_size)


class Up(nn.ConvTranspose2d):
    """A transposed convolution of stride 2 that goes on beyond the last row and column with their copies."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, stride=2, padding=1, output_padding=1)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Map (N, C, H, W) to (N, outputs, 2 H, 2 W)."""
        y = super().forward(F.pad(x, (0, 1, 0, 1), mode="replicate"), output_size)
        return y[..., :-2, :-2]


class Residual(nn.Module):
    """Two connected 3×3 convolutions beside a shortcut, ReLU at the exit."""

    def __init__(self, channels: int, padding: _Edges) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, padding_mode=padding)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, padding_mode=padding)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        return F.relu(x + self.second(F.relu(self.first(x))))


def trunk(*, same: bool, width: int = WIDTH, blocks: int = BLOCKS) -> nn.Sequential:
    """Rows 1 to 12 of Table I: (N, 3, H, W) to (N, width / 2, H, W), H and W multiples of 8.

    `width` is the channels of the first layer, an even number; `blocks` the residual ones, 5 at most for `HALO_PX`.

    `same` pads as TensorFlow does, with zeros, which the paper used. Otherwise padding is centred and repeats the
    edge: from zeros a network learns where the frame ends, and paints a darker band along its top.
    Row 4 prints stride 2 between two 32×32 shapes: stride 1 is meant.
    """
    down, up = (_down_same, _up_same) if same else (_down_centred, _up_centred)
    w, deep = width, 4 * width
    layers = [
        layer
        for i, o in ((3, w), (w, 2 * w), (2 * w, deep))
        for layer in (*down(i, o), nn.ReLU(inplace=True))
    ]
    edges: _Edges = "zeros" if same else "replicate"
    layers += [nn.Conv2d(deep, deep, 3, padding=1, padding_mode=edges), nn.ReLU(inplace=True)]
    layers += [Residual(deep, edges) for _ in range(blocks)]
    layers += [
        layer
        for i, o in ((deep, 2 * w), (2 * w, w), (w, w // 2))
        for layer in (*up(i, o), nn.ReLU(inplace=True))
    ]
    return nn.Sequential(*layers)


def _down_same(inputs: int, outputs: int) -> list[nn.Module]:
    return [Same(), nn.Conv2d(inputs, outputs, 3, stride=2)]


def _up_same(inputs: int, outputs: int) -> list[nn.Module]:
    return [SameUp(inputs, outputs)]


def _down_centred(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, padding_mode="replicate")]


def _up_centred(inputs: int, outputs: int) -> list[nn.Module]:
    return [Up(inputs, outputs)]


class PaperGenerator(nn.Module):
    """The paper's generator (Table I): 1,813,987 parameters, ReLU at the output.

    A ReLU cannot say negative values, so pictures are in [0, 1]; values above 1 are clipped by the writer.
    """

    architecture: Architecture = "paper"
    stand_in: Callable[[Tensor], Tensor] | None = None
    """A stand-in for trunk and last layer, where a backend has put one there."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = trunk(same=True)
        self.out = nn.Conv2d(16, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures (N, 3, H, W) in [0, 1] to pictures of the same shape, 0 and above."""
        if self.stand_in:
            return F.relu(self.stand_in(x))
        features = self.trunk(x.to(_dtype_of(self.trunk)))
        with torch.autocast(x.device.type, enabled=False):  # a picture has more levels than bf16
            return F.relu(self.out(features.to(_dtype_of(self.out))))

    def light(self, x: Tensor) -> gain_offset.GainOffset:
        """The change from `x` to the generator's picture, which replaces the plate."""
        return gain_offset.replaced(x, self(x))


class RelitGenerator(nn.Module):
    """The generator that ships: it says how the light changes, and the plate keeps the rest.

    The paper's trunk; the last convolution gives six maps, a log gain g and an offset o a channel.
    It starts as the identity. A smaller `width` and fewer `blocks` make those that are distilled from one.
    """

    architecture: Literal["relit", "graded"] = "relit"
    stand_in: Callable[[Tensor], Tensor] | None = None
    """A stand-in for trunk and last layer, where a backend has put one there."""

    def __init__(self, width: int = WIDTH, blocks: int = BLOCKS) -> None:
        super().__init__()
        self.trunk = trunk(same=False, width=width, blocks=blocks)
        self.out = nn.Conv2d(width // 2, 6, 3, padding=1, padding_mode="replicate")
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]  # Conv2d has a bias by default

    def maps(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Log gain g, |g| ≤ 4, and offset o for pictures (N, 3, H, W) in [0, 1]; both float32.

        The last layer runs in float32 whatever the trunk ran in: bf16 has 8 bits, 10-bit plates have more.
        """
        g, o = zip(*map(_bounded, self._bands(x)), strict=True)
        return torch.cat(g, dim=2), torch.cat(o, dim=2)

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures (N, 3, H, W) in [0, 1] to relit pictures, not clipped."""
        g, o = self.maps(x)
        return x * torch.exp(g) + o

    def light(self, x: Tensor) -> gain_offset.GainOffset:
        """The change of light for `x`, (N, 3, H, W)."""
        gain, offset = (torch.empty(x.shape, device=x.device) for _ in range(2))
        top = 0
        for band in self._bands(x):
            rows = slice(top, top := top + band.shape[2])
            g, o = _bounded(band)
            gain[:, :, rows] = torch.exp(g)
            offset[:, :, rows] = o
        return gain_offset.GainOffset(gain, offset)

    def _bands(self, x: Tensor) -> Iterator[Tensor]:
        """Yield the last layer's maps, (N, 6, rows, W) float32, from top to bottom."""
        if self.stand_in:
            yield from self.stand_in(x).split(4 * _BAND_UNITS, dim=2)
            return
        layers = self.trunk
        bands = _in_bands(layers[:STEM_LAYERS], x.to(_dtype_of(layers)), 8, 1)
        features = layers[STEM_LAYERS:HEAD_LAYER](torch.cat(list(bands), dim=2))
        yield from _in_bands(self._head, features, 1, 4)

    def _head(self, features: Tensor) -> Tensor:
        # edges are repeated first: that copies half the bytes where the trunk is in bf16
        features = F.pad(self.trunk[HEAD_LAYER:](features), (1, 1, 1, 1), mode="replicate")
        with torch.autocast(features.device.type, enabled=False):
            said = F.conv2d(features.float(), self.out.weight, self.out.bias)
        return said.contiguous()  # tanh and exp of every sixth number would be twice as slow


def _bounded(said: Tensor) -> tuple[Tensor, Tensor]:
    g, o = said.chunk(2, dim=1)
    return MAX_LOG_GAIN * torch.tanh(g / MAX_LOG_GAIN), o


def _in_bands(
    layers: Callable[[Tensor], Tensor], x: Tensor, rows_in: int, rows_out: int
) -> Iterator[Tensor]:
    """Yield what `layers` make of (N, C, H, W), in bands of rows, from top to bottom: their maps never exist whole.

    Every `rows_in` rows of `x` become `rows_out`, which may depend on as many rows more above and below.
    Fresh memory is dear: at 1080p a large map costs as long to be given by the system as to be computed.
    """
    units = x.shape[2] // rows_in
    for top in range(0, units, _BAND_UNITS):
        bottom = min(top + _BAND_UNITS, units)
        first, last = max(top - 1, 0), min(bottom + 1, units)
        band = layers(x[:, :, first * rows_in : last * rows_in])
        yield band[:, :, (top - first) * rows_out : (bottom - first) * rows_out]


def _dtype_of(network: nn.Module) -> torch.dtype:
    return next(network.parameters()).dtype


Generator = PaperGenerator | RelitGenerator | resnet.ResnetGenerator


def build_generator(
    architecture: Architecture, size: Size = (WIDTH, BLOCKS)
) -> PaperGenerator | RelitGenerator:
    """A fresh generator, weights from torch's random state; that of the paper has one size."""
    return PaperGenerator() if architecture == "paper" else RelitGenerator(*size)


def size_of(tensors: Mapping[str, Tensor]) -> Size:
    """Return the size of the relit generator that has these weights; raises `ValueError` for one that cannot be."""
    first = tensors.get("trunk.0.weight")
    width = 0 if first is None else int(first.shape[0])
    blocks = sum(key.endswith(".second.weight") for key in tensors)
    if not (2 <= width <= WIDTH and width % 2 == 0 and blocks <= BLOCKS):
        raise ValueError(f"a width of {width} and {blocks} residual blocks")
    return width, blocks


def pick_device(name: DeviceName = "auto") -> torch.device:
    """The device to compute on; auto takes CUDA, then MPS, then the CPU. Raises `UsageError` where it is missing."""
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(kind for kind, there in available.items() if there))
    if not available.get(name, False):
        there = ", ".join(kind for kind, there in available.items() if there)
        raise UsageError(
            f"device {name} is not available here; there is {there} (see nightfx doctor)"
        )
    return torch.device(name)


def pick_trunk_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where `device` computes in it natively, else float32."""
    if device.type == "cuda":
        return (
            torch.bfloat16
            if torch.cuda.is_bf16_supported(including_emulation=False)
            else torch.float32
        )
    return torch.bfloat16 if device.type == "cpu" and _cpu_has_bf16() else torch.float32


def _cpu_has_bf16() -> bool:
    # oneDNN accepts bf16 from AVX-512 on, but without these instructions it is slower than float32
    cpu = torch.cpu  # it says so in private names alone
    return bool(cpu._is_avx512_bf16_supported() or cpu._is_amx_tile_supported())  # noqa: SLF001
