"""Unpaired pictures: two folders in, random crops out.

The first folder below the given one is a picture's *source* (a camera, a site, a shoot). Sources are drawn alike, however
many pictures each has: a camera that repeats one view a thousand times must not become the look.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from nightfx.errors import TrainingError
from nightfx.scene import find_any_sky
from nightfx.training.data.decode import load_picture, shrink
from nightfx.training.data.folders import groups_of
from nightfx.training.data.listed import Listed
from nightfx.training.data.usable import MAX_UPSCALE, CropScale, keep_usable

_MEMORY_BYTES = 2 << 30  # decoded pictures kept in memory; beyond it they are decoded at each draw
_SKY_LINES = 272
_JUDGED_PX = 16  # held-out pictures may be any that are more than dots


@dataclass
class Pictures:
    """Pictures by source, decoded when drawn and kept while memory lasts."""

    by_source: list[list[Path]]
    kept: dict[Path, np.ndarray] = field(default_factory=dict)
    kept_bytes: int = 0
    skies: dict[Path, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(len(paths) for paths in self.by_source)

    @property
    def paths(self) -> list[Path]:
        """All of them, source by source."""
        return [path for source in self.by_source for path in source]

    def spread(self, count: int) -> list[Path]:
        """About `count` paths, as many of each source; those of small sources repeat."""
        largest = max(len(source) for source in self.by_source)
        each = max(min(count // len(self.by_source), largest), 1)
        return [source[i * len(source) // each] for source in self.by_source for i in range(each)]

    def draw(self, rng: torch.Generator) -> Path:
        """One of the pictures of a random source."""
        source = self.by_source[_below(len(self.by_source), rng)]
        return source[_below(len(source), rng)]

    def limit(self, count: int, rng: torch.Generator) -> Pictures:
        """`count` of them at random; all where there are no more, or where `count` is 0."""
        if not 0 < count < len(self):
            return self
        paths = self.paths
        picked = {paths[i] for i in torch.randperm(len(paths), generator=rng)[:count].tolist()}
        rest = [[path for path in source if path in picked] for source in self.by_source]
        return Pictures([source for source in rest if source])

    def load_with_sky(self, path: Path) -> np.ndarray:
        """The picture at `path` and, as a fourth channel, how surely each pixel is sky: (H, W, 4) uint8."""
        pixels = self.load(path)
        if path not in self.skies:
            # a smooth map: a small one will do, and takes little memory
            small = shrink(pixels, _SKY_LINES).astype(np.float32) / 255
            self.skies[path] = np.rint(find_any_sky(small) * 255).astype(np.uint8)
        height, width = pixels.shape[:2]
        return np.dstack([pixels, cv2.resize(self.skies[path], (width, height))])

    def load(self, path: Path) -> np.ndarray:
        """Decode the picture at `path`: (H, W, 3) uint8 RGB, upright."""
        if path in self.kept:
            return self.kept[path]
        pixels = load_picture(path)
        if self.kept_bytes + pixels.nbytes <= _MEMORY_BYTES:
            self.kept[path] = pixels
            self.kept_bytes += pixels.nbytes
        return pixels


def open_pictures(
    folder: Path | Listed, held_out: Path | Listed | None, *, crop_px: int
) -> tuple[Pictures, Pictures]:
    """The pictures to train on, and those kept out: the ones of `held_out`, else every tenth of each source."""
    pictures = find_pictures(folder, crop_px=crop_px)
    if held_out is not None:
        groups = groups_of(held_out)
        if not groups:
            raise TrainingError(f"{held_out}: no pictures to judge by")
        return pictures, Pictures(keep_usable(held_out, groups, crop_px=_JUDGED_PX, least=1))
    several = [source for source in pictures.by_source if len(source) > 1]
    judged_by = [
        source[::10]
        for source in several or [[path for source in pictures.by_source for path in source]]
    ]
    taken = {path for source in judged_by for path in source}
    rest = [[path for path in source if path not in taken] for source in pictures.by_source]
    return Pictures([source for source in rest if source]), Pictures(judged_by)


def find_pictures(folder: Path | Listed, *, crop_px: int) -> Pictures:
    """The readable pictures below `folder`, or in a table; the others are listed in one warning a kind.

    Raises `TrainingError` when fewer than two are left, and where a clip lies among them.
    """
    return Pictures(keep_usable(folder, groups_of(folder), crop_px=crop_px, least=2))


def hash_pictures(*sets: Pictures) -> str:
    """A hash of every picture of `sets`, in their order: what was trained on, wherever it lies."""
    whole = hashlib.sha256()
    for path in (path for pictures in sets for source in pictures.by_source for path in source):
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()


def to_tensor(pixels: np.ndarray) -> Tensor:
    """(H, W, 3) uint8 to (3, H, W) float32 in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1).float() / 255


def draw_batch(
    pictures: Pictures, size: int, crop_px: int, scale: CropScale, rng: torch.Generator
) -> Tensor:
    """Draw `size` random crops, (N, 3, crop_px, crop_px) in [0, 1]; half of them mirrored.

    `scale` bounds how many times taller the picture is than the crop; half of the crops lie in the lowest
    quarter of its octaves, since light is a matter of the whole picture.
    """
    return torch.stack([_draw_crop(pictures, crop_px, scale, rng) for _ in range(size)])


def _draw_crop(pictures: Pictures, crop_px: int, scale: CropScale, rng: torch.Generator) -> Tensor:
    return to_tensor(cut_crop(pictures.load(pictures.draw(rng)), crop_px, scale, rng))


def cut_crop(
    pixels: np.ndarray,
    crop_px: int,
    scale: CropScale,
    rng: torch.Generator,
    *,
    mirror: bool = True,
) -> np.ndarray:
    """A random crop of `pixels` (H, W, C), (crop_px, crop_px, C) uint8; see `draw_batch`."""
    window_px = _window_px(min(pixels.shape[:2]), crop_px, scale, rng)
    top, left = (_below(side - window_px + 1, rng) for side in pixels.shape[:2])
    crop = pixels[top : top + window_px, left : left + window_px]
    if _uniform(rng) < 0.5 and mirror:
        crop = crop[:, ::-1]
    shrinks = window_px > crop_px
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    size = (crop_px, crop_px)
    return np.asarray(cv2.resize(np.ascontiguousarray(crop), size, interpolation=method))


def _window_px(short_px: int, crop_px: int, scale: CropScale, rng: torch.Generator) -> int:
    low, high = scale
    times: float = low * (high / low) ** (_uniform(rng) ** 2)
    return max(min(round(short_px / times), short_px), min(round(crop_px / MAX_UPSCALE), short_px))


def _uniform(rng: torch.Generator) -> float:
    return float(torch.rand((), generator=rng))


def _below(count: int, rng: torch.Generator) -> int:
    return int(torch.randint(count, (), generator=rng))
