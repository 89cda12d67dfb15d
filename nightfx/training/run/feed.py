"""Crops ahead of the step that needs them: threads decode and cut while the networks compute.

What a step gets depends on its number and the seed alone, never on what was drawn before: the position in the data is
the step, and a resumed run, or one of several processes, draws exactly its part.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from nightfx.training.data.pictures import Pictures, cut_crop
from nightfx.training.run.share import Share
from nightfx.training.run.train_options import TrainOptions

_THREADS = 4
_AHEAD = 8  # steps

Batch = tuple[Tensor, Tensor]


class Feed:
    """An endless iterator of (real_A, real_B) from step `first` on, each (N, 3, H, W) uint8, this process's part.

    Where the warm start is guided by the sky, that is a fourth channel.
    """

    def __init__(
        self,
        pictures: tuple[Pictures, Pictures],
        options: TrainOptions,
        *,
        first: int = 0,
        share: Share | None = None,
    ) -> None:
        self.waited_seconds = 0.0
        self._began = time.perf_counter()
        self._draws = [Draws(x, options, letter) for x, letter in zip(pictures, "AB", strict=True)]
        self._part = (share or Share()).part(options.batch)
        self._pool = ThreadPoolExecutor(_THREADS, "feed")
        self._step = first
        self._ahead: deque[Future[Batch]] = deque()

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        while len(self._ahead) < _AHEAD:
            self._ahead.append(self._pool.submit(self._batch, self._step))
            self._step += 1
        started = time.perf_counter()
        batch = self._ahead.popleft().result()
        self.waited_seconds += time.perf_counter() - started
        return batch

    @property
    def waiting(self) -> float:
        """The share of time, so far, that steps waited for their crops."""
        return self.waited_seconds / max(time.perf_counter() - self._began, 1e-9)

    def __enter__(self) -> Feed:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _batch(self, step: int) -> Batch:
        # numpy only: a thread of torch's would bring a team of its own and slow down the networks'
        real_A, real_B = (
            torch.from_numpy(
                np.stack([draws.crop(step, i) for i in self._part]).transpose(0, 3, 1, 2)
            )
            for draws in self._draws
        )
        return real_A, real_B


class Draws:
    """Which crop of which picture the place `index` of step `step` gets."""

    def __init__(self, pictures: Pictures, options: TrainOptions, letter: str) -> None:
        self.pictures, self.options, self.letter = pictures, options, letter
        self.paths = [path for source in pictures.by_source for path in source]
        self._order = lru_cache(maxsize=4)(self._shuffle)

    def crop(self, step: int, index: int) -> np.ndarray:
        """The crop, (H, W, 3) uint8; (H, W, 4) with the sky where that guides the step."""
        # of a pair the same picture and the same crop
        letter = "A" if self.options.is_paired else self.letter
        rng = seeded(self.options.seed, step, index, letter)
        path = self.path(step, index, rng)
        o = self.options
        load = self.pictures.load_with_sky if o.sees_sky(step) else self.pictures.load
        return cut_crop(load(path), o.crop_px, o.scale, rng, mirror=o.mirror)

    def path(self, step: int, index: int, rng: torch.Generator) -> Path:
        """The picture: of a random source, or the next one of this pass over all of them."""
        if self.options.draw == "sources":
            return self.pictures.draw(rng)
        turn, at = divmod(step * self.options.batch + index, len(self.paths))
        return self.paths[self._order(turn)[at]]

    def _shuffle(self, turn: int) -> list[int]:
        rng = seeded(self.options.seed, "pass", turn, self.letter)
        order: list[int] = torch.randperm(len(self.paths), generator=rng).tolist()
        return order


def to_pictures(pixels: Tensor, device: torch.device) -> Tensor:
    """(N, 3, H, W) uint8 to float32 in [0, 1] on `device`, channels last; 8 bits travel, a fourth of the bytes."""
    pictures = pixels.to(device, non_blocking=True).float() / 255
    return pictures.contiguous(memory_format=torch.channels_last)


def seeded(*parts: object) -> torch.Generator:
    """A generator of random numbers seeded by `parts`."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=7).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest))


def count_steps(options: TrainOptions, pictures: tuple[Pictures, Pictures]) -> int:
    """Steps in all: those of `options`, or its epochs, one pass over the larger set each."""
    larger = max(len(x) for x in pictures)
    return math.ceil(options.epochs * larger / options.batch) if options.epochs else options.steps
