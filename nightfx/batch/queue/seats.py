"""How many workers there are, and what each is given of the cores and the GPUs, by what is set in its environment."""

from __future__ import annotations

import math
import os

from nightfx.options import EngineOptions, has_driver
from nightfx.process import worker_variables
from nightfx.source import VARIABLE, cores


def seats_for(options: EngineOptions) -> list[dict[str, str]]:
    """The environments of the workers of this machine: one a GPU where there are any, threads shared out."""
    gpus = gpus_for(options)
    count = options.count(cores(), len(gpus))
    env = environment(max(cores() // count, 1), options)
    gpu = [{"CUDA_VISIBLE_DEVICES": name} for name in gpus] or [{}]
    return [env | gpu[index % len(gpu)] for index in range(count)]


def environment(threads: int, options: EngineOptions) -> dict[str, str]:
    """Return the variables that are set for a worker that may use so many threads."""
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
    if not has_driver("cuda"):
        return []
    import torch

    said = os.environ.get("CUDA_VISIBLE_DEVICES")
    count = torch.cuda.device_count()
    return said.split(",")[:count] if said else [str(index) for index in range(count)]
