"""Options of training: the pictures, the settings of a recipe that have flags of their own, and those of a draft."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nightfx.errors import UsageError
from nightfx.options.option import option, options_in, settle

DistilledSize = Literal["draft", "narrow"]
"""Which small network is distilled."""


@dataclass(frozen=True)
class PictureOptions:
    """The pictures that a run learns from, in folders or in a table, and those that it is judged by."""

    day: Path | None = option(
        None,
        "Day pictures and clips; the subfolders of a folder are drawn alike.",
        metavar="DIR|CLIP",
    )
    night: Path | None = option(None, "Night pictures and clips.", metavar="DIR|CLIP")
    csv: Path | None = option(
        None, "Instead of folders: a table with path and class, as of dataset prepare."
    )
    where: tuple[str, ...] = option(
        (), "Rows of --csv to take; all must hold.", metavar="COLUMN=VALUE,VALUE"
    )
    day_held_out: Path | None = option(
        None, "Day pictures to judge by; by default every tenth.", metavar="DIR"
    )
    night_held_out: Path | None = option(None, "Night pictures to judge by.", metavar="DIR")
    plate: Path | None = option(
        None, "A picture or clip of yours that preview.png shows as it goes.", metavar="FILE"
    )
    before: Path | None = option(
        None, "Instead of all these: frames of a shot, or its clip, as shot.", metavar="DIR|CLIP"
    )
    after: Path | None = option(
        None, "The same frames graded: by name, timecode or number; 3 to 50.", metavar="DIR|CLIP"
    )

    def __post_init__(self) -> None:
        settle(self)
        if (self.before is None) != (self.after is None):
            raise UsageError("--before and --after belong together; give both")
        others = [one.flag for x, one in options_in(PictureOptions).items() if getattr(self, x)]
        if self.before and (rest := [x for x in others if x not in ("--before", "--after")]):
            raise UsageError(f"{rest[0]} is not for a run by --before and --after; leave it out")

    @property
    def sides(self) -> tuple[Path | None, Path | None]:
        """Days and nights."""
        return self.day, self.night


@dataclass(frozen=True)
class RecipeOptions:
    """Settings of a recipe by flags of their own; None leaves what the recipe says."""

    changes: tuple[str, ...] = option(
        (), "Change a setting of the recipe.", key="set", metavar="KEY=VALUE"
    )
    steps: int | None = option(None, "Steps in all.", limits=(1, math.inf))
    epochs: int | None = option(
        None, "Passes over the larger set, in place of steps.", limits=(1, math.inf)
    )
    batch: int | None = option(None, "Crops of each class a step.", limits=(1, math.inf))
    crop_px: int | None = option(None, "Side of a crop.", metavar="PX")
    warm_start_steps: int | None = option(
        None, "Of the steps, those that imitate curves before the adversary.", limits=(0, math.inf)
    )
    every: int | None = option(None, "Steps between checkpoints.", limits=(1, math.inf))
    patience: int | None = option(
        None,
        "End after so many checkpoints without a better preset; 0: never.",
        limits=(0, math.inf),
    )
    start: str | None = option(
        None, "Begin as this preset, such as night, and take a tenth of the steps.", key="from_"
    )
    seed: int | None = option(None, "Seeds weights and draws.")

    def __post_init__(self) -> None:
        settle(self)

    def words(self) -> Iterator[str]:
        """Yield each setting as a recipe takes it, key=value, those of `changes` last."""
        for name, value in vars(self).items():
            if name != "changes" and value is not None:
                yield f"{name}={value}"
        yield from self.changes


@dataclass(frozen=True)
class PairedOptions:
    """How a look is learnt from pairs of one shot."""

    steps: int = option(600, "Steps in all.", limits=(0, math.inf))
    seed: int = option(0, "Seeds weights and draws.")

    def __post_init__(self) -> None:
        settle(self)


@dataclass(frozen=True)
class DistilOptions:
    """How a small network is distilled."""

    size: DistilledSize = option(
        "draft",
        "draft: a 24th of the work, beside the preset's own; narrow: a sixth, in its place, in a new folder.",
    )
    steps: int = option(2000, "Steps in all.", limits=(1, math.inf))
    batch: int = option(4, "Crops a step.", limits=(1, math.inf))
    learning_rate: float = option(3e-3, "Of Adam; it falls to nothing along a cosine.")
    seed: int = option(0, "Seeds weights and draws.")

    def __post_init__(self) -> None:
        settle(self)


@dataclass(frozen=True)
class SceneTrainOptions:
    """How the scene network is trained, and by what."""

    photos: Path | None = option(
        None, "Folder of photographs; beside photos/NAME boxes/NAME.txt may lie.", metavar="DIR"
    )
    labels: Path | None = option(
        None, "Folder of their labels, as of tools/teach_scene.py.", metavar="DIR"
    )
    town: Path | None = option(None, "Folder of drawn and labelled views.", metavar="DIR")
    keep_out: Path | None = option(
        None, "List of photographs never to learn from, beside every tenth.", metavar="FILE"
    )
    windowless: tuple[str, ...] = option(
        (), "Words in the names of folders that show no windows.", metavar="WORD"
    )
    roads: tuple[str, ...] = option(
        (), "Words in the names of folders of pictures taken from a car.", metavar="WORD"
    )
    start: Path | None = option(
        None, "Weights to start from, such as scene/weights.safetensors; else none.", metavar="FILE"
    )
    hold: float = option(
        0.0,
        "How much what labels leave open is held to what --start says of it.",
        limits=(0, math.inf),
    )
    town_share: float = option(0.4, "Chance of a view of the town.", limits=(0, 1))
    steps: int = option(6000, "Steps in all.", limits=(1, math.inf))
    batch: int = option(8, "Pictures a step.", limits=(1, math.inf))
    learning_rate: float = option(2e-3, "Of AdamW; it falls to nothing along a cosine.")
    every: int = option(250, "Steps between checkpoints.", limits=(1, math.inf))
    seed: int = option(0, "Seeds weights and draws.")

    def __post_init__(self) -> None:
        settle(self)
