"""All that a run learns from: photographs by their folders, and the town, each drawn by its share."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nightfx.errors import TrainingError
from nightfx.options import SceneTrainOptions
from nightfx.training.scene.altering import plain_sky
from nightfx.training.scene.labelled import Labelled
from nightfx.training.scene.photographs import find_labelled, read_labelled
from nightfx.training.scene.rooms import persons_in
from nightfx.training.scene.town import find_views, read_view

_log = logging.getLogger(__name__)

_FEW_VIEWS = 50  # of the town: with as many, its chance is half of what it is with very many
_KEPT_OUT = 10  # one of so many photographs is kept out, by a hash of its place


@dataclass
class Sources:
    """Labelled pictures in memory, by the folder they come from, and pieces of plain sky from among them."""

    photographs: dict[str, list[Labelled]] = field(default_factory=dict)
    town: list[list[Labelled]] = field(default_factory=list)
    """A view each, under one or more suns."""
    skies: list[np.ndarray] = field(default_factory=list)
    persons: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    """Cut out of the photographs, with their masks."""
    seen: set[Path] = field(default_factory=set)

    def __len__(self) -> int:
        return sum(map(len, self.photographs.values())) + len(self.town)

    def draw(self, town_share: float, rng: np.random.Generator) -> Labelled:
        """One of the town's with about this chance, else a photograph; a folder's chance is the root of what it holds."""
        town_share *= len(self.town) / (len(self.town) + _FEW_VIEWS)
        if self.town and (rng.uniform() < town_share or not self.photographs):
            view = self.town[int(rng.integers(len(self.town)))]
            return view[int(rng.integers(len(view)))]
        folders = [self.photographs[name] for name in sorted(self.photographs)]
        shares = np.sqrt([len(folder) for folder in folders])
        folder = folders[int(rng.choice(len(folders), p=shares / shares.sum()))]
        return folder[int(rng.integers(len(folder)))]


def check_folders(chosen: SceneTrainOptions) -> None:
    """Raise `TrainingError` where a folder that is named is none."""
    for flag, folder in (
        ("photos", chosen.photos),
        ("labels", chosen.labels),
        ("town", chosen.town),
    ):
        if folder is not None and not folder.is_dir():
            raise TrainingError(f"--{flag} {folder}: no such folder")
    if not (chosen.town or (chosen.photos and chosen.labels)):
        words = "give --photos with --labels, which tools/teach_scene.py writes, or --town"
        raise TrainingError(f"nothing to learn from: {words}")


def gather(sources: Sources, chosen: SceneTrainOptions, keep_out: Iterable[str]) -> int:
    """Read what is there and was not read before; returns how many pictures that were.

    Raises `TrainingError` where there is nothing at all to learn from.
    """
    before, names = len(sources), {str(Path(name).with_suffix("")) for name in keep_out}
    if chosen.photos and chosen.labels:
        _gather_photographs(sources, chosen, names)
    for path in find_views(chosen.town) if chosen.town else ():
        if path not in sources.seen:
            sources.seen.add(path)
            sources.town.append(read_view(path))
    if not len(sources):
        raise TrainingError(
            f"{chosen.photos or chosen.town}: nothing labelled there; tools/teach_scene.py labels photographs"
        )
    return len(sources) - before


def _gather_photographs(sources: Sources, chosen: SceneTrainOptions, keep_out: set[str]) -> None:
    assert chosen.photos
    assert chosen.labels
    for path, place in find_labelled(chosen.photos, chosen.labels):
        if path in sources.seen or is_kept_out(place, keep_out):
            continue
        sources.seen.add(path)
        bare, road = (is_in(place, words) for words in (chosen.windowless, chosen.roads))
        item = read_labelled(path, place, chosen.labels, windowless=bare, road=road)
        if item is None:
            continue
        sources.photographs.setdefault(str(place.parent), []).append(item)
        if (piece := plain_sky(item)) is not None:
            sources.skies.append(piece)
        if (person := persons_in(item)) is not None:
            sources.persons.append(person)


def is_in(place: Path, words: Sequence[str]) -> bool:
    """Whether one of the words is in the name of a photograph's folder."""
    return any(word in str(place.parent) for word in words)


def is_kept_out(place: Path, keep_out: set[str]) -> bool:
    """Whether a run never learns from the photograph: it is listed, or its hash says so."""
    digest = hashlib.blake2b(str(place).encode(), digest_size=4).digest()
    return str(place) in keep_out or int.from_bytes(digest) % _KEPT_OUT == 0


def read_keep_out(path: Path | None) -> list[str]:
    """The photographs named in a file, one a line, by their places below the folder of photographs."""
    if path is None:
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]
