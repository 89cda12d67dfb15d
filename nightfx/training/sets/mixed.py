"""Pictures and clips mixed, as a run takes them: frames are sampled, near-duplicates left out, classes found where none are told.

What is made of them stays beside the run, in `pictures/`, and is there when it goes on.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nightfx.errors import TrainingError, UsageError
from nightfx.options import PrepareOptions
from nightfx.source import CLIP_SUFFIXES
from nightfx.training.data.listed import Listed
from nightfx.training.data.sources import Candidate, find_candidates, list_files, refuse_inside

_log = logging.getLogger(__name__)

SIDE_PX = 512  # short side of what is kept, at most
_MADE = "dataset.json"


@dataclass(frozen=True)
class Mixed:
    """Pictures and clips: either of both classes, told by their brightness, or of one class each."""

    unsorted: tuple[Path, ...] = ()
    """Pictures, clips and folders of them whose class nobody told."""
    day: Path | None = None
    """Days: a clip, or a folder."""
    night: Path | None = None
    """Nights."""

    def __post_init__(self) -> None:
        if self.unsorted and (self.day or self.night):
            raise UsageError("give SOURCE to be sorted by brightness, or --day and --night")

    def candidates(self) -> list[Candidate]:
        """Every picture and clip, with its class where that is known; raises `TrainingError` for none."""
        if self.unsorted:
            return find_candidates(self.unsorted, None, by_folder=False)
        sides = (("day", self.day), ("night", self.night))
        return [
            replace(found, label=name)
            for name, root in sides
            if root
            for found in find_candidates([root], None, by_folder=False)
        ]


def holds_clips(root: Path | None) -> bool:
    """Whether this is a clip, or a folder with one in it."""
    if root is None:
        return False
    files = root.rglob("*") if root.is_dir() else [root]
    return any(path.suffix.lower() in CLIP_SUFFIXES for path in files)


def check_mixed(mixed: Mixed, out: Path) -> None:
    """Raise what `gather` would, of what can be known before any is read."""
    found = mixed.candidates()
    roots = [*mixed.unsorted, *filter(None, (mixed.day, mixed.night))]
    refuse_inside(out, roots)
    made = out / "pictures" / _MADE
    if made.exists() and _files_of(made) != list_files(found):
        words = "pictures of a run that was given others; take another --out"
        raise TrainingError(f"{made.parent}: {words}, or delete the folder {out.name}")


def is_gathered(out: Path) -> bool:
    """Whether the run in `out` has its pictures."""
    return (out / "pictures" / _MADE).exists()


def gather(
    mixed: Mixed, out: Path, *, on_progress: Callable[[int, int | None], None] | None = None
) -> tuple[Listed, Listed]:
    """The days and nights of `mixed`, in `out/pictures`: made there, or found where an earlier call made them.

    Raises `TrainingError` where a class would be empty.
    """
    check_mixed(mixed, out)
    folder, found = out / "pictures", mixed.candidates()
    if not is_gathered(out):
        from nightfx.training.sets.prepare import prepare_candidates

        data = prepare_candidates(found, folder, _options(mixed), on_progress=on_progress)
        counts = [data.count(name, "train") for name in ("day", "night")]
        words = "%s: %d day and %d night pictures; %d left out, left_out.csv says why"
        _log.info(words, folder, *counts, len(data.left_out))
    table = folder / "manifest.csv"
    return Listed(table, "day"), Listed(table, "night")


def _options(mixed: Mixed) -> PrepareOptions:
    is_sorted = not mixed.unsorted
    return PrepareOptions(
        by_folder=is_sorted, find_limits=not is_sorted, crop="whole", size_px=SIDE_PX, test=0
    )


def _files_of(made: Path) -> Any:
    try:
        return json.loads(made.read_text("utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{made}: not the file of a data set: {error}") from error
