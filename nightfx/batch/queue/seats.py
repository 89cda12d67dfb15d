"""How many workers there are, and what each is given of the cores and the GPUs, by what is set in its environment."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal, get_args

from nightfx.errors import UsageError
from nightfx.job.process import worker_variables
from nightfx.source.threads import VARIABLE, cores

CORES_A_WORKER = 4
Engine = Literal["local", "ray"]


@dataclass(frozen=True)
class EngineOptions:
    """What runs the workers, and how many. Raises UsageError for what is none, or is not installed."""

    engine: Engine = "local"
    """`local` processes, or tasks of `ray`."""
    workers: int | None = None
    """At a time; None is one a GPU, or one for four cores."""
    address: str | None = None
    """Of a Ray cluster that runs already; None starts one on this machine, for as long as it takes."""
    device: str = "auto"
    """That of the renders: GPUs count for `auto` and `cuda` alone."""
    share_codecs: bool = True
    """Whether encoders, too, take a share of the threads; their bits depend on it."""

    def __post_init__(self) -> None:
        if self.engine not in get_args(Engine):
            words = " or ".join(get_args(Engine))
            raise UsageError(f"--engine must be {words}, got {self.engine!r}")
        if self.address and self.engine != "ray":
            raise UsageError("--address is that of a Ray cluster: add --engine ray")
        if self.address and not re.fullmatch(r"auto|[^/]+:\d{1,5}", self.address):
            raise UsageError(f"--address must be HOST:PORT, or auto, got {self.address!r}")
        if self.engine == "ray" and find_spec("ray") is None:
            raise UsageError("--engine ray needs pip install 'nightfx[farm]'")

    @property
    def uses_gpus(self) -> bool:
        """Whether its renders go to GPUs where there are any."""
        return self.device in ("auto", "cuda")

    def count(self, cores: int, gpus: int) -> int:
        """Workers at a time where there is so much."""
        return self.workers or gpus or max(cores // CORES_A_WORKER, 1)


def seats_for(options: EngineOptions) -> list[dict[str, str]]:
    """The environments of the workers of this machine: one a GPU where there are any, threads shared out."""
    gpus = gpus_for(options)
    count = options.count(cores(), len(gpus))
    env = environment(max(cores() // count, 1), options)
    gpu = [{"CUDA_VISIBLE_DEVICES": name} for name in gpus] or [{}]
    return [env | gpu[index % len(gpu)] for index in range(count)]


def environment(threads: int, options: EngineOptions) -> dict[str, str]:
    """What is set for a worker that may use so many threads."""
    names = [f"{name}_NUM_THREADS" for name in ("OMP", "MKL", "OPENBLAS", "NUMBA")]
    names += ["OPENCV_FOR_THREADS_NUM", *([VARIABLE] if options.share_codecs else [])]
    return {name: str(threads) for name in names} | worker_variables()


def share_of(gpus: int, count: int) -> float:
    """The share of a GPU that each of `count` workers has: so many have one that all find a place."""
    return 1 / math.ceil(count / gpus) if gpus else 0


def gpus_for(options: EngineOptions) -> list[str]:
    """The GPUs of this machine that are ours and that the renders would use."""
    return _gpus() if options.uses_gpus else []


def _gpus() -> list[str]:
    import torch

    said = os.environ.get("CUDA_VISIBLE_DEVICES")
    count = torch.cuda.device_count()
    return said.split(",")[:count] if said else [str(index) for index in range(count)]
