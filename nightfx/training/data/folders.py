"""The files of pictures in a folder or a table, by source; the first folder below the given one is a picture's source."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nightfx.errors import TrainingError
from nightfx.source import CLIP_SUFFIXES
from nightfx.training.data.decode import PICTURE_SUFFIXES
from nightfx.training.data.listed import Listed
from nightfx.training.data.usable import too_few, warn_of_unread


def check_pictures(*given: Path | Listed | None) -> None:
    """Raise what `groups_of` would: what can be known without torch, which takes seconds to import."""
    for folder in given:
        if isinstance(folder, Listed):
            groups_of(folder)
        elif folder is not None and not _pictures_of(_files_in(folder)):
            raise TrainingError(too_few(folder, 0, 0))


def groups_of(folder: Path | Listed) -> list[list[Path]]:
    """The pictures by source; raises `TrainingError` for what is no folder, and for a clip among them."""
    if not isinstance(folder, Listed):
        return _group(folder, list_pictures(folder))
    groups = folder.by_source()
    _refuse_clips([path for group in groups for path in group])
    return groups


def list_pictures(folder: Path) -> list[Path]:
    """Every picture file below `folder`, sorted; raises `TrainingError` for a clip among them."""
    found = _files_in(folder)
    warn_of_unread(folder, found)
    return _pictures_of(found)


def _pictures_of(files: Sequence[Path]) -> list[Path]:
    return [path for path in files if path.suffix.lower() in PICTURE_SUFFIXES]


def _files_in(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise TrainingError(f"{folder}: not a folder of pictures")
    found = sorted(folder.rglob("*"))
    _refuse_clips(found)
    return found


def _refuse_clips(paths: Sequence[Path]) -> None:
    clip = next((path for path in paths if path.suffix.lower() in CLIP_SUFFIXES), None)
    if clip is not None:
        raise TrainingError(
            f"{clip}: a clip among the pictures: `nightfx dataset prepare` makes pictures of it"
        )


def _group(folder: Path, paths: Sequence[Path]) -> list[list[Path]]:
    groups: dict[str, list[Path]] = {}
    for path in paths:
        groups.setdefault(
            path.relative_to(folder).parts[0] if path.parent != folder else "", []
        ).append(path)
    return list(groups.values())
