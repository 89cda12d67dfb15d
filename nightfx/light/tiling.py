"""The generator at full size, in tiles that leave no seam.

A tile is a *core* that is kept and up to `HALO_PX` pixels around it that are computed and thrown away. Cores start on
multiples of 8, where the strided layers of the whole frame stand too, so tiles equal the whole frame to rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nightfx.errors import UsageError
from nightfx.network import HALO_PX, GainOffset, Generator
from nightfx.options import MULTIPLE_PX, TilePx

_MEMORY_BYTES = 512 << 20  # what the generator's activations may take where --tile-px is not given
_BYTES_PER_PX = 220  # peak activations of a float32 pass, measured at 1280×720 and 1920×1080


@dataclass(frozen=True)
class Tile:
    """A core `[top, bottom) × [left, right)` inside its window; all eight are multiples of 8, in pixels."""

    core: tuple[slice, slice]
    """Rows and columns of the frame that this tile answers for."""
    window: tuple[slice, slice]
    """Rows and columns of the frame that the generator sees."""

    @property
    def inner(self) -> tuple[slice, slice]:
        """The core, counted inside the window."""
        rows, columns = (
            _within(core, window) for core, window in zip(self.core, self.window, strict=True)
        )
        return rows, columns


def _within(core: slice, window: slice) -> slice:
    return slice(core.start - window.start, core.stop - window.start)


def plan_tiles(height: int, width: int, tile_px: TilePx = None) -> list[Tile]:
    """Cover a frame of `height` × `width` px, both multiples of 8, with tiles of `tile_px` square.

    `None` takes the largest tiles within `_MEMORY_BYTES`. Raises `UsageError` for a size that is no multiple of 8.
    """
    size = max(height, width) if tile_px == "whole" else tile_px or _largest_tile_px(height, width)
    if size < MULTIPLE_PX or size % MULTIPLE_PX:
        raise UsageError(f"--tile-px must be a multiple of {MULTIPLE_PX}, or whole, got {size}")
    return [
        Tile((rows, columns), (_widen(rows, height), _widen(columns, width)))
        for rows in _cut(height, size)
        for columns in _cut(width, size)
    ]


def _largest_tile_px(height: int, width: int) -> int:
    if height * width * _BYTES_PER_PX <= _MEMORY_BYTES:
        return max(height, width)
    window_px = int((_MEMORY_BYTES / _BYTES_PER_PX) ** 0.5)
    return (window_px - 2 * HALO_PX) // MULTIPLE_PX * MULTIPLE_PX


def _cut(length: int, size: int) -> Iterator[slice]:
    """Even parts of at most `size`, each a multiple of 8, rather than a thin last one."""
    parts = -(-length // size)
    edges = [round(length * i / parts / MULTIPLE_PX) * MULTIPLE_PX for i in range(parts + 1)]
    for start, stop in pairwise(edges):
        yield slice(start, stop)


def _widen(core: slice, length: int) -> slice:
    return slice(max(core.start - HALO_PX, 0), min(core.stop + HALO_PX, length))


@torch.inference_mode()
def light_of(generator: Generator, rgb: np.ndarray, tile_px: TilePx = None) -> GainOffset:
    """The change of light that `generator` sees in a frame, at full size.

    `rgb` is (3, H, W) float32, any range (the generator sees it clipped to [0, 1]), any size (padded to multiples of 8
    by repeating the edge, cropped back). The result is two tensors (3, H, W) float32 on the CPU. The generator's
    parameters say the device, and the dtype that its trunk runs in.
    """
    height, width = rgb.shape[1:]
    x = _shown(rgb)
    tiles = plan_tiles(x.shape[-2], x.shape[-1], tile_px)
    if len(tiles) == 1:
        gain, offset = (maps[0].cpu() for maps in _run(generator, x))
        return GainOffset(gain[:, :height, :width], offset[:, :height, :width])
    gain, offset = (torch.empty_like(x[0]) for _ in range(2))
    for tile in tiles:
        light = _run(generator, x[(..., *tile.window)])
        for whole, part in ((gain, light.gain), (offset, light.offset)):
            whole[(..., *tile.core)] = part[(0, ..., *tile.inner)].to(whole.device)
    return GainOffset(gain[:, :height, :width], offset[:, :height, :width])


def middle_window(rgb: np.ndarray, tile_px: TilePx = None) -> Tensor:
    """Return what `light_of` shows the generator for the middle tile of a frame: (1, 3, h, w) in [0, 1]."""
    x = _shown(rgb)
    tiles = plan_tiles(x.shape[-2], x.shape[-1], tile_px)
    return x[(..., *tiles[len(tiles) // 2].window)]


def _shown(rgb: np.ndarray) -> Tensor:
    return _pad(torch.from_numpy(rgb).clamp(0, 1)[None])


def _pad(x: Tensor) -> Tensor:
    bottom, right = (-size % MULTIPLE_PX for size in x.shape[-2:])
    return F.pad(x, (0, right, 0, bottom), mode="replicate") if bottom or right else x


def _run(generator: Generator, window: Tensor) -> GainOffset:
    device = next(generator.parameters()).device
    return generator.light(window.to(device, memory_format=torch.channels_last))
