"""Options of who renders many things: how many workers, and what runs them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

from nightfx.errors import UsageError, install_words
from nightfx.options.option import option, settle

_CORES_A_WORKER = 4

_Engine = Literal["local", "ray"]
"""Processes of this machine, or tasks of Ray, here or on a cluster."""


@dataclass(frozen=True)
class EngineOptions:
    """Who runs the workers, and how many there are. Raises UsageError for an engine that is not installed."""

    engine: _Engine = option(
        "local", "local: processes of this machine; ray: tasks of Ray, here or on a cluster."
    )
    workers: int | None = option(
        None,
        "Renders at a time; by default one a GPU, or one for 4 cores.",
        limits=(1, math.inf),
    )
    address: str | None = option(
        None,
        "Of a Ray cluster that runs, such as head:6379; else one is started here.",
        metavar="HOST:PORT",
    )
    stale_seconds: float = option(
        120.0,
        "Seconds of silence after which a worker elsewhere counts as dead.",
        key="stale",
        limits=(1, math.inf),
        unit="s",
        metavar="SECONDS",
    )
    device: str = "auto"
    """The device of the renders: GPUs count for `auto` and `cuda` alone."""
    share_codecs: bool = True
    """Whether encoders, too, take a share of the threads; their bits depend on it."""

    def __post_init__(self) -> None:
        settle(self)
        if self.address and self.engine != "ray":
            raise UsageError("--address is that of a Ray cluster: add --engine ray")
        if self.address and not re.fullmatch(r"auto|[^/]+:\d{1,5}", self.address):
            raise UsageError(f"--address must be HOST:PORT, or auto, got {self.address!r}")
        if self.engine == "ray" and find_spec("ray") is None:
            raise UsageError(f"--engine ray needs {install_words('farm')}")

    @property
    def uses_gpus(self) -> bool:
        """Whether its renders go to GPUs where there are any."""
        return self.device in ("auto", "cuda")

    def count(self, cores: int, gpus: int) -> int:
        """Return the workers at a time where there are so many cores and GPUs."""
        return self.workers or gpus or max(cores // _CORES_A_WORKER, 1)
