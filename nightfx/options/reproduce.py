"""Options of the paper's experiments, run again."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nightfx.errors import UsageError
from nightfx.options.option import option, settle


@dataclass(frozen=True)
class ReproduceOptions:
    """How far an experiment is shrunk, and how often it is run."""

    scale: float = option(
        1.0,
        "Take this share of the paper's pictures; an epoch shrinks with them.",
        words="a number above 0 and at most 1",
    )
    images: int | None = option(
        None, "Pictures of each class, in place of --scale.", limits=(2, math.inf)
    )
    epochs: int | None = option(
        None, "Passes over the larger class; the paper's by default.", limits=(1, math.inf)
    )
    size_px: int = option(
        256,
        "Side of a picture, 96 to 256, a multiple of 8; the discriminators see it enlarged to 256.",
        key="size",
        metavar="PX",
    )
    seeds: int = option(3, "Runs of each arm; a full verdict needs 3.", limits=(1, math.inf))
    arm: str | None = option(
        None, "Run this arm alone, such as learning-rate-0.002 of paper-3; the report shows all."
    )
    seed_index: int | None = option(
        None, "Run this seed alone, counted from 0; the report shows all.", limits=(0, math.inf)
    )
    report_only: bool = option(False, "Run nothing: draw the report of what is there.")

    def __post_init__(self) -> None:
        settle(self)
        if not 0 < self.scale <= 1:
            raise UsageError(f"--scale must be above 0 and at most 1, got {self.scale:g}")
        if self.images and self.scale != 1:
            words = "both say how many pictures; give one"
            raise UsageError(f"--images {self.images} and --scale {self.scale:g} {words}")
        if self.seed_index is not None and self.seed_index >= self.seeds:
            words = f"seeds count from 0 to {self.seeds - 1}; raise --seeds for more"
            raise UsageError(f"--seed-index {self.seed_index}: {words}")
        if self.report_only and (self.arm is not None or self.seed_index is not None):
            raise UsageError("--report-only runs nothing: leave --arm and --seed-index out")
