"""Find the pictures of a data set: files and clips below folders, their labels, and frames of a clip.

A picture's *source* (a camera, a site, a shoot) is the column `source` of its label, else the first folder below the
one that was given which is no class name, else a clip's own name, else the name of the given folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from nightfx.errors import SourceError, TargetError, TrainingError, UsageError
from nightfx.picture import Frame, to_rgb
from nightfx.source import CLIP_SUFFIXES, Reader
from nightfx.training.data import decode, listed, usable

_CLASSES = {"day": "day", "daytime": "day", "night": "night", "nighttime": "night"}
_NO_SOURCE = {*_CLASSES, "dusk", "dawn", "twilight", "train", "test", "val"}
# ours; NEXET's train.csv; BDD100K's names, for those who made a table of its labels
_PATH_COLUMNS = ("path", "image_filename", "filename", "name")
_CLASS_COLUMNS = ("class", "lighting", "timeofday", "label")


@dataclass(frozen=True)
class Label:
    """One picture's label."""

    name: str
    """day, night, or another word, such as dusk: such pictures are left out."""
    source: str = ""
    """The camera or site, where the file knows."""


@dataclass(frozen=True)
class Candidate:
    """A picture or clip that may become part of a data set."""

    path: Path
    """The file."""
    source: str
    """Camera, site or shoot."""
    label: str | None = None
    """day, night or another word; None where nothing is known of it."""

    @property
    def is_clip(self) -> bool:
        """Whether it holds frames rather than one picture."""
        return self.path.suffix.lower() in CLIP_SUFFIXES


_Labels = dict[str, Label]
"""By a picture's path as the file writes it, `/` between folders: any ending of the real path."""


def parse_threshold(text: str) -> tuple[str, tuple[float, float]]:
    """Read `SOURCE=NIGHT,DAY`, such as `campus=0.3,0.45`; raises `UsageError`."""
    source, _, numbers = text.rpartition("=")
    try:
        night_below, day_above = map(float, numbers.split(","))
    except ValueError:
        source = ""
    if not source:
        raise UsageError(
            f"--threshold must be SOURCE=NIGHT,DAY, such as campus=0.3,0.45, got {text!r}"
        )
    return source, (night_below, day_above)


_KNOWN = decode.PICTURE_SUFFIXES | CLIP_SUFFIXES


def find_candidates(roots: Sequence[Path], labels: Path | None, by_folder: bool) -> list[Candidate]:
    """Every picture and clip in `roots`, files or folders, sorted below each; raises `TrainingError` for none.

    `labels` is a CSV, or BDD100K's JSON (one file, or a folder of a file a picture); `by_folder` takes the name of the
    nearest folder called day or night.
    """
    table = read_labels(labels) if labels else {}
    found = {path: root for root in roots for path in _files(root)}
    if not found:
        raise TrainingError(f"{', '.join(map(str, roots))}: no pictures or clips")
    return [_candidate(path, root, table, by_folder) for path, root in found.items()]


def list_files(candidates: Sequence[Candidate]) -> list[list[str | int | None]]:
    """Path, size and label of each, as JSON has it: to know the same ones again."""
    return [[str(x.path.absolute()), x.path.stat().st_size, x.label] for x in candidates]


def check_new(out: Path) -> None:
    """Raise TargetError where a data set cannot be made since something is there."""
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise TargetError(f"{out}: exists; delete it, or choose another --out")


def refuse_inside(out: Path, roots: Sequence[Path]) -> None:
    """Raise UsageError where a data set would lie in what it is made of."""
    for root in roots:
        if root.is_dir() and out.resolve().is_relative_to(root.resolve()):
            raise UsageError(f"--out {out} lies in {root}: the next call would read it as a source")


def check_root(root: Path) -> None:
    """Raise SourceError for what is neither a picture nor a clip, nor a folder."""
    if not root.exists():
        raise SourceError(f"{root}: no such file or folder")
    if not root.is_dir() and root.suffix.lower() not in _KNOWN:
        raise SourceError(f"{root}: neither a picture nor a clip, nor a folder of them")


def _files(root: Path) -> list[Path]:
    check_root(root)
    if not root.is_dir():
        return [root]
    found = sorted(root.rglob("*"))
    usable.warn_of_unread(root, found)
    return [path for path in found if path.suffix.lower() in _KNOWN]


def _candidate(path: Path, root: Path, table: _Labels, by_folder: bool) -> Candidate:
    label = _look_up(path, table) or (_folder_label(path) if by_folder else None)
    source = label.source if label and label.source else _source_name(path, root)
    return Candidate(path, source, label.name if label else None)


def _look_up(path: Path, table: _Labels) -> Label | None:
    if not table:
        return None
    parts = path.absolute().parts
    endings = ["/".join(parts[start:]) for start in range(1, len(parts))]
    # BDD100K's files of one picture each name it without its suffix
    return next((table[ending] for ending in [*endings, path.stem] if ending in table), None)


def _folder_label(path: Path) -> Label | None:
    names = (folder.name.lower() for folder in path.absolute().parents)
    return next((Label(_CLASSES[name]) for name in names if name in _CLASSES), None)


def _source_name(path: Path, root: Path) -> str:
    below = path.relative_to(root).parts[:-1] if path != root else ()
    names = [name for name in below if name.lower() not in _NO_SOURCE]
    if names:
        return names[0]
    if path.suffix.lower() in CLIP_SUFFIXES:
        return path.stem
    above = root.absolute() if root.is_dir() else root.absolute().parent
    return next((x.name for x in (above, *above.parents) if x.name.lower() not in _NO_SOURCE), "")


def read_labels(path: Path) -> _Labels:
    """Labels by path or name from a CSV, BDD100K's JSON, or a folder of its JSON files; raises `TrainingError`."""
    if path.is_dir():
        files = sorted(path.rglob("*.json"))
        if not files:
            raise TrainingError(f"{path}: no JSON files of labels in this folder")
        return {name: label for file in files for name, label in _read_json(file).items()}
    return _read_json(path) if path.suffix.lower() == ".json" else _read_table(path)


def _read_table(path: Path) -> _Labels:
    rows = listed.read_rows(path, ())
    name, label = (
        _pick(path, columns, list(rows[0])) for columns in (_PATH_COLUMNS, _CLASS_COLUMNS)
    )
    return {row[name]: Label(_class_of(row[label]), row.get("source", "")) for row in rows}


def _pick(path: Path, wanted: tuple[str, ...], found: list[str]) -> str:
    column = next((name for name in wanted if name in found), None)
    if column is None:
        raise TrainingError(f"{path}: needs a column {' or '.join(wanted)}")
    return column


def _read_json(path: Path) -> _Labels:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise TrainingError(f"{path}: not readable as JSON: {error}") from error
    if isinstance(content, dict) and "name" not in content:
        content = content.get("frames")  # the layout of its later releases
    entries = content if isinstance(content, list) else [content]
    try:
        return {str(entry["name"]): Label(_time_of_day(entry)) for entry in entries}
    except (TypeError, KeyError, AttributeError) as error:
        raise TrainingError(
            f"{path}: not labels as BDD100K writes them: pictures with a name and attributes.timeofday"
        ) from error


def _time_of_day(entry: dict[str, Any]) -> str:
    return _class_of(str(entry["attributes"]["timeofday"]))


def _class_of(text: str) -> str:
    word = text.strip().lower()
    return _CLASSES.get(word, word)


def sample_frames(path: Path, every_seconds: float) -> Iterator[tuple[float, np.ndarray]]:
    """Time in seconds and picture, (H, W, 3) uint8 RGB and upright, of a frame each `every_seconds`.

    Raises `SourceError` for what is not a clip, and `DamagedSourceError` when a damaged clip's whole frames end.
    """
    due, every = Fraction(0), Fraction(every_seconds)
    with Reader(path) as reader:
        for frame in reader.frames():
            seconds = (frame.pts - reader.info.start_pts) * frame.time_base
            if seconds >= due:
                due = (seconds // every + 1) * every
                yield float(seconds), shown_pixels(frame)


def shown_pixels(frame: Frame) -> np.ndarray:
    """A frame as it is shown, (H, W, 3) uint8 RGB and upright."""
    codes = np.rint(to_rgb(frame).clip(0, 1) * 255).astype(np.uint8)
    upright = np.rot90(codes, round(frame.rotation / 90), axes=(1, 2))
    return np.ascontiguousarray(np.moveaxis(upright, 0, 2))
