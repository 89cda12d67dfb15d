"""Decode each picture of a data set once: its brightness, a thumbnail to know repeats by, its square crop on disk."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from nightfx.errors import DamagedSourceError, SourceError
from nightfx.metrics import HSP
from nightfx.options import Crop
from nightfx.training.data import decode, sources, usable

_THUMBNAIL_PX = 16
_STRIP_PX = 64  # rows at a time: stays in the cache


@dataclass(frozen=True, eq=False)
class Pending:
    """One picture to be measured, as a worker is given it."""

    candidate: sources.Candidate
    """Where it comes from."""
    square: Path
    """Where its crop goes."""
    seconds: float | None = None
    """Time of a frame."""
    pixels: np.ndarray | None = None
    """A frame, (H, W, 3) uint8; a picture is read by the worker."""


@dataclass(frozen=True, eq=False)
class Measured:
    """One picture, or one frame of a clip, or why there is none."""

    candidate: sources.Candidate
    """Where it comes from."""
    seconds: float | None = None
    """Its time in the clip."""
    brightness: float = 0.0
    """Equation 7 in [0, 1], of 255."""
    digest: str = ""
    """SHA-256 of the file's bytes, of a frame's pixels."""
    thumbnail: np.ndarray | None = None
    """(256,) float32: luma at 16×16, mean 0, length 1."""
    short_side_px: int = 0
    """Size of the picture before cropping."""
    square: Path | None = None
    """The crop as PNG, where one was made."""
    square_hash: str = ""
    """SHA-256 of that file."""
    reason: str = ""
    """Why it is left out; empty for a good one."""


def measure_all(
    candidates: Sequence[sources.Candidate],
    folder: Path,
    *,
    size_px: int,
    crop: Crop,
    seed: int,
    every_seconds: float,
    on_progress: Callable[[int, int | None], None] | None = None,
) -> Iterator[Measured]:
    """Measure pictures and frames in order, on all cores, and write their crops into `folder`.

    Decoding and encoding leave Python's lock, so threads suffice; a few pictures a core are held in memory.
    """

    def measure(item: Measured | Pending) -> Measured:
        return item if isinstance(item, Measured) else _measure(item, size_px, crop, seed)

    workers = os.cpu_count() or 1
    waiting: deque[Future[Measured]] = deque()
    with _one_thread_each(), ThreadPoolExecutor(workers) as pool:
        try:
            for item in _pending(candidates, folder, every_seconds, on_progress):
                waiting.append(pool.submit(measure, item))
                if len(waiting) > 4 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Keep OpenCV from starting threads of its own in each worker."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _pending(
    candidates: Sequence[sources.Candidate],
    folder: Path,
    every_seconds: float,
    on_progress: Callable[[int, int | None], None] | None,
) -> Iterator[Measured | Pending]:
    for index, candidate in enumerate(candidates):
        if candidate.is_clip:
            yield from _frames(candidate, folder / str(index), every_seconds)
        else:
            yield Pending(candidate, folder / f"{index}.png")
        if on_progress:
            on_progress(index + 1, len(candidates))


def _frames(candidate: sources.Candidate, stem: Path, every: float) -> Iterator[Measured | Pending]:
    count = 0
    try:
        for seconds, pixels in sources.sample_frames(candidate.path, every):
            square = stem.with_name(f"{stem.name}-{count}.png")
            yield Pending(candidate, square, seconds, pixels)
            count += 1
    except DamagedSourceError:
        yield Measured(candidate, reason=f"damaged; the {count} frames before are used")
    except SourceError as error:
        yield Measured(candidate, reason=f"not readable: {error}")


def _measure(item: Pending, size_px: int, crop: Crop, seed: int) -> Measured:
    candidate = item.candidate
    try:
        pixels = decode.decode(candidate.path) if item.pixels is None else item.pixels
    except decode.BROKEN as error:
        return Measured(candidate, reason=decode.reason_of(error))
    data = candidate.path.read_bytes() if item.pixels is None else item.pixels.tobytes()
    digest, side = hashlib.sha256(data).hexdigest(), min(pixels.shape[:2])
    brightness, thumbnail = brightness_of(pixels), _thumbnail(pixels)
    facts = (candidate, item.seconds, brightness, digest, thumbnail, side)
    if crop != "whole" and side * usable.MAX_UPSCALE < size_px:
        return Measured(*facts, reason=f"under {size_px / usable.MAX_UPSCALE:.0f} px")
    cut = pixels if crop == "whole" else _largest_square(pixels, crop, seed, digest)
    square_hash = _write_png(_resized(cut, size_px, crop), item.square)
    return Measured(*facts, square=item.square, square_hash=square_hash)


def brightness_of(pixels: np.ndarray) -> float:
    """Equation 7 of a picture (H, W, 3) uint8, in [0, 1]: as `metrics.hsp_brightness`, in strips."""
    weights = np.array([HSP], np.float32)
    total = 0.0
    for top in range(0, pixels.shape[0], _STRIP_PX):
        strip = pixels[top : top + _STRIP_PX].astype(np.float32)
        np.square(strip, out=strip)
        total += float(cv2.sqrt(cv2.transform(strip, weights)).sum(dtype=np.float64))
    return float(total / (255 * pixels.shape[0] * pixels.shape[1]))


def _thumbnail(pixels: np.ndarray) -> np.ndarray:
    size = (_THUMBNAIL_PX, _THUMBNAIL_PX)
    luma = cv2.cvtColor(
        cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY
    ).astype(np.float32)
    centred = (luma - luma.mean()).ravel()
    # a flat picture has no direction: it is given one, to be like other flat ones
    length = np.linalg.norm(centred)
    return centred / length if length > 1 else np.full(centred.shape, 1 / _THUMBNAIL_PX, np.float32)


def _largest_square(pixels: np.ndarray, crop: Crop, seed: int, digest: str) -> np.ndarray:
    side = min(pixels.shape[:2])
    room = [length - side for length in pixels.shape[:2]]
    if crop == "random":  # by the picture itself: the order of reading must not matter
        rng = np.random.default_rng([seed, int(digest[:16], 16)])
        top, left = (int(rng.integers(spare + 1)) for spare in room)
    else:
        top, left = (spare // 2 for spare in room)
    return pixels[top : top + side, left : left + side]


def _resized(pixels: np.ndarray, size_px: int, crop: Crop) -> np.ndarray:
    """`pixels` with a short side of `size_px`; a whole picture is not made larger."""
    height, width = pixels.shape[:2]
    times = size_px / min(height, width)
    if crop == "whole":
        times = min(times, 1.0)
    size = round(width * times), round(height * times)
    method = cv2.INTER_AREA if times <= 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, size, interpolation=method))


def _write_png(pixels: np.ndarray, path: Path) -> str:
    fast = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    _, data = cv2.imencode(".png", np.ascontiguousarray(pixels[..., ::-1]), fast)
    path.write_bytes(data.tobytes())
    return hashlib.sha256(data.tobytes()).hexdigest()
