"""Unpaired pictures: two folders in, random crops out.

The first folder below the given one is a picture's *source* (a camera, a site, a shoot). Sources are drawn alike, however
many pictures each has: a camera that repeats one view a thousand times must not become the look.
"""

from __future__ import annotations

import hashlib
import logging
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from nightfx.errors import TrainingError
from nightfx.scene import find_any_sky
from nightfx.source import CLIP_SUFFIXES
from nightfx.training.data.listed import Listed

_log = logging.getLogger(__name__)

PICTURE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"}
_MEMORY_BYTES = 2 << 30  # decoded pictures kept in memory; beyond it they are decoded at each draw
MAX_UPSCALE = 2.0  # a picture below half the crop's size is left out
_SKY_LINES = 272
CropScale = tuple[float, float]
# what Pillow raises for files that are no pictures, or broken ones
_BROKEN = (
    *(OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error),
    Image.DecompressionBombError,
)


@dataclass
class Pictures:
    """Pictures by source, decoded when drawn and kept while memory lasts."""

    by_source: list[list[Path]]
    kept: dict[Path, np.ndarray] = field(default_factory=dict)
    kept_bytes: int = 0
    skies: dict[Path, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(len(paths) for paths in self.by_source)

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
        paths = [path for source in self.by_source for path in source]
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
    if isinstance(held_out, Listed):
        return pictures, Pictures(held_out.by_source())
    if held_out is not None:
        kept_out = list_pictures(held_out)
        if not kept_out:
            raise TrainingError(f"{held_out}: no pictures to judge by")
        return pictures, Pictures(_group(held_out, kept_out))
    several = [source for source in pictures.by_source if len(source) > 1]
    judged_by = [
        source[::10]
        for source in several or [[path for source in pictures.by_source for path in source]]
    ]
    taken = {path for source in judged_by for path in source}
    rest = [[path for path in source if path not in taken] for source in pictures.by_source]
    return Pictures([source for source in rest if source]), Pictures(judged_by)


def find_pictures(folder: Path | Listed, *, crop_px: int) -> Pictures:
    """The readable pictures below `folder`, or in a table; small and damaged ones are counted in one warning each.

    Raises `TrainingError` when fewer than two are left, and where a clip lies among them.
    """
    if isinstance(folder, Listed):
        groups = folder.by_source()
        _refuse_clips([path for group in groups for path in group])
    else:
        groups = _group(folder, list_pictures(folder))
    paths = [path for group in groups for path in group]
    sides = {path: _short_side_px(path) for path in paths}
    usable = {path for path, side in sides.items() if side * MAX_UPSCALE >= crop_px}
    if len(usable) < 2:
        raise TrainingError(
            f"{folder}: {len(usable)} usable pictures of {len(paths)}, at least 2 are needed; "
            f"their short side must be {crop_px / MAX_UPSCALE:.0f} px or more"
        )
    _warn_about(folder, sides, crop_px)
    left = [[path for path in group if path in usable] for group in groups]
    return Pictures([group for group in left if group])


def hash_pictures(*sets: Pictures) -> str:
    """A hash of every picture of `sets`, in their order: what was trained on, wherever it lies."""
    whole = hashlib.sha256()
    for path in (path for pictures in sets for source in pictures.by_source for path in source):
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()


def list_pictures(folder: Path) -> list[Path]:
    """Every picture file below `folder`, sorted; raises `TrainingError` for a clip among them."""
    if not folder.is_dir():
        raise TrainingError(f"{folder}: not a folder of pictures")
    found = sorted(folder.rglob("*"))
    _refuse_clips(found)
    return [path for path in found if path.suffix.lower() in PICTURE_SUFFIXES]


def load_picture(path: Path) -> np.ndarray:
    """Decode one picture: (H, W, 3) uint8 RGB, EXIF orientation applied."""
    try:
        with Image.open(path) as image:
            ImageOps.exif_transpose(image, in_place=True)
            return np.asarray(_eight_bits(image))
    except _BROKEN as error:
        raise TrainingError(f"{path}: damaged: {error}; take it out and run again") from error


def _eight_bits(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):  # `convert` would clip it to 255 instead of scaling
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise ValueError(f"mode {image.mode} is neither 8 nor 16 bits")
    return image if image.mode == "RGB" else image.convert("RGB")


def shrink(pixels: np.ndarray, lines: int) -> np.ndarray:
    """`pixels` (H, W, C) at a height of `lines` at most, its shape kept."""
    height, width = pixels.shape[:2]
    size = max(round(width * lines / height), 1), lines
    return pixels if height <= lines else cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def to_tensor(pixels: np.ndarray) -> Tensor:
    """(H, W, 3) uint8 to (3, H, W) float32 in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1).float() / 255


def _short_side_px(path: Path) -> int:
    # 0 for a file that is no picture: read the header only, decoding 10,000 pictures takes minutes
    try:
        with Image.open(path) as image:
            return int(min(image.size))
    except _BROKEN:
        return 0


def _refuse_clips(paths: Sequence[Path]) -> None:
    clip = next((path for path in paths if path.suffix.lower() in CLIP_SUFFIXES), None)
    if clip is not None:
        raise TrainingError(
            f"{clip}: a clip among the pictures: `nightfx dataset prepare` makes pictures of it"
        )


def _warn_about(folder: Path | Listed, sides: dict[Path, int], crop_px: int) -> None:
    damaged = sum(side == 0 for side in sides.values())
    tiny = sum(0 < side * MAX_UPSCALE < crop_px for side in sides.values())
    small = sum(crop_px <= side * MAX_UPSCALE < crop_px * MAX_UPSCALE for side in sides.values())
    if damaged:
        _log.warning("%s: %d files are no readable pictures and are left out", folder, damaged)
    if tiny:
        _log.warning("%s: %d pictures are under %g px and are left out", folder, tiny, crop_px / 2)
    if small:
        _log.warning("%s: %d pictures are under %d px and are upscaled", folder, small, crop_px)


def _group(folder: Path, paths: Sequence[Path]) -> list[list[Path]]:
    groups: dict[str, list[Path]] = {}
    for path in paths:
        groups.setdefault(
            path.relative_to(folder).parts[0] if path.parent != folder else "", []
        ).append(path)
    return list(groups.values())


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
