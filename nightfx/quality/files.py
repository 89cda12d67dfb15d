"""Folders of plates, renders and real pictures: what belongs together by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nightfx.disk import check_kind, make_folder_of
from nightfx.errors import SourceError, UsageError
from nightfx.source import CLIP_SUFFIXES, SUFFIXES


@dataclass(frozen=True)
class Pair:
    """A plate and its render."""

    name: str
    """The render's path in its folder."""
    source: str
    """The first folder of the plate's path in its folder; empty where it lies in that itself."""
    plate: Path
    render: Path


def find_pairs(plates: Path, renders: Path) -> tuple[list[Pair], list[str]]:
    """Renders with the plates of their names, and a line for each side that is left over; raises `SourceError`.

    `shot.night.mp4`, `shot.png` and `shot.night.jpg` are renders of `shot.mov` in the same folder below the given ones.
    """
    of_plates = _by_key(plates)
    pairs, alone = [], []
    for path in list_media(renders):
        own = path.relative_to(renders)
        keys = own.with_suffix(""), own.with_suffix("").with_suffix("")
        plate = next((of_plates[key] for key in keys if key in of_plates), None)
        if plate is None:
            alone.append(str(own))
            continue
        pairs.append(Pair(str(own), source_of(plate, plates), plate, path))
    if not pairs:
        example = next(iter(of_plates))
        raise SourceError(
            f"{renders}: no render is named as a plate: {alone[0]} has none in {plates}, which has {example}"
        )
    done = {pair.plate for pair in pairs}
    left = [str(path.relative_to(plates)) for path in of_plates.values() if path not in done]
    notes = [_left_over(left, "plates have no render")] if left else []
    return pairs, [*notes, *([_left_over(alone, "renders have no plate")] if alone else [])]


def list_media(folder: Path) -> list[Path]:
    """The pictures and clips in and below a folder, hidden ones left out; raises `SourceError` where there are none."""
    if not folder.is_dir():
        raise SourceError(f"{folder}: {'is a file' if folder.exists() else 'no such folder'}")
    known = {*SUFFIXES, *CLIP_SUFFIXES}
    found = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in known
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    if not found:
        raise SourceError(f"{folder}: no pictures or clips in it")
    return found


def source_of(path: Path, folder: Path) -> str:
    """The first folder of a path below `folder`."""
    parts = path.relative_to(folder).parts
    return parts[0] if len(parts) > 1 else ""


def check_targets(*, table: Path | None, sheet: Path | None) -> None:
    """Raise where JSON or PNG could not be written, before anything is measured."""
    if sheet is not None and sheet.suffix.lower() != ".png":
        raise UsageError(f"{sheet}: the sheet is written as PNG: name it so")
    for target in (table, sheet):
        if target is not None:
            check_kind(target)
            make_folder_of(target)


def _by_key(folder: Path) -> dict[Path, Path]:
    found: dict[Path, Path] = {}
    for path in list_media(folder):
        key = path.relative_to(folder).with_suffix("")
        if key in found:
            raise SourceError(
                f"{folder}: {found[key].name} and {path.name} are two plates of one name: keep one"
            )
        found[key] = path
    return found


def _left_over(names: list[str], words: str) -> str:
    return f"{len(names)} {words}: {', '.join(names[:3])}{' …' if len(names) > 3 else ''}"
