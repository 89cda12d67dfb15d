"""Several processes, one run: each computes its part of every batch, and all of them hold the same state.

Whatever a step keeps (pools, recent pictures, gradients) is gathered from all processes in the order of their ranks, so
that any number of them gives what one gives, up to rounding, and one checkpoint serves all.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from nightfx.errors import UsageError


@dataclass(frozen=True)
class Share:
    """Which of how many processes this one is."""

    rank: int = 0
    count: int = 1

    def part(self, batch: int) -> range:
        """This process's places in a batch. Raises `UsageError` where it cannot be shared out evenly."""
        if batch % self.count:
            raise UsageError(
                f"batch {batch} cannot be shared out over {self.count} processes; take a multiple of {self.count}"
            )
        size = batch // self.count
        return range(self.rank * size, (self.rank + 1) * size)

    def own(self, everything: Tensor) -> Tensor:
        """This process's part of what all of them gathered."""
        return everything.chunk(self.count)[self.rank]

    def gather(self, part: Tensor) -> Tensor:
        """The parts of all processes, in one; without gradients."""
        if self.count == 1:
            return part.detach()
        parts = [
            torch.empty_like(part, memory_format=torch.contiguous_format) for _ in range(self.count)
        ]
        dist.all_gather(parts, part.detach().contiguous())
        return torch.cat(parts)

    def join(self, part: Tensor) -> Tensor:
        """`gather` for a loss of everything: gradients reach the own part.

        They are `count` times as large, since each process knows only its part of the gradient and the mean is taken.
        """
        if self.count == 1:
            return part
        parts = list(self.gather(part).chunk(self.count))
        parts[self.rank] = part.detach() + self.count * (part - part.detach())
        return torch.cat(parts)

    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Replace each gradient by its mean over all processes."""
        if self.count == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        means = self.mean(torch.cat([gradient.flatten() for gradient in gradients]))
        sizes = [gradient.numel() for gradient in gradients]
        for gradient, mean in zip(gradients, means.split(sizes), strict=True):
            gradient.copy_(mean.view(gradient.shape))

    def mean(self, values: Tensor) -> Tensor:
        """The mean of `values` over all processes."""
        if self.count == 1:
            return values
        dist.all_reduce(values := values.detach().clone())
        return values / self.count

    def wait(self) -> None:
        """Go on when all processes are here."""
        if self.count > 1:
            self.mean(torch.zeros(1, device="cuda" if dist.get_backend() == "nccl" else "cpu"))


@contextmanager
def processes(device: torch.device) -> Iterator[Share]:
    """This process's share of the run: one of several where `torchrun` started it, else all of it."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Share()
        return
    if device.type == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Share(dist.get_rank(), count)
    finally:
        dist.destroy_process_group()
