"""Which of the pictures that were named can be trained on: each is decoded once, before anything begins.

A file that is cut, or of a kind that is not read, is left out and listed rather than met hours later.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nightfx.errors import TrainingError
from nightfx.source import cores
from nightfx.training.data import decode
from nightfx.training.data.listed import Listed

_log = logging.getLogger(__name__)

CropScale = tuple[float, float]
"""How many times taller a picture is than the crop of it, at least and at most."""
MAX_UPSCALE = 2.0  # a picture below half the crop's size is left out
_NAMED = 5  # files of a kind, in a line
_Groups = Sequence[Sequence[Path]]


def keep_usable(
    folder: Path | Listed, groups: _Groups, *, crop_px: int, least: int
) -> list[list[Path]]:
    """The pictures of `groups` that can be decoded and are large enough; one warning for each kind of the others.

    Raises `TrainingError` where fewer than `least` are left.
    """
    paths = [path for group in groups for path in group]
    with ThreadPoolExecutor(cores()) as pool:  # Pillow decodes outside Python's lock
        found = dict(zip(paths, pool.map(decode.examine, paths), strict=True))
    tiny = f"under {crop_px / MAX_UPSCALE:.0f} px"
    reasons = {
        path: reason or (tiny if side * MAX_UPSCALE < crop_px else "")
        for path, (side, reason) in found.items()
    }
    lines = list(_left_out(folder, reasons))
    usable = {path for path, reason in reasons.items() if not reason}
    if len(usable) < least:
        raise TrainingError(too_few(folder, len(usable), len(paths), least, lines))
    for line in lines:
        _log.warning("%s: left out: %s", folder, line)
    small = sum(found[path][0] < crop_px for path in usable)
    if small:
        _log.warning("%s: %d pictures are under %d px and are upscaled", folder, small, crop_px)
    left = [[path for path in group if path in usable] for group in groups]
    return [group for group in left if group]


def too_few(
    folder: Path | Listed, usable: int, count: int, least: int = 2, lines: Sequence[str] = ()
) -> str:
    """The line of a folder with fewer `usable` pictures, of `count`, than are needed; `lines` say what was left out."""
    why = "".join(f"; {line}" for line in lines or [_unread_in(folder)] if line)
    need = f"at least {least} {'is' if least == 1 else 'are'} needed"
    return f"{folder}: {usable} usable pictures of {count}, {need}{why}"


def warn_of_unread(folder: Path, files: Iterable[Path]) -> None:
    """Tell of pictures in a folder whose kind is not read."""
    if words := _unread(files):
        _log.warning("%s: left out: %s", folder, words)


def refuse_shared(sides: Iterable[tuple[str, Iterable[Path]]]) -> None:
    """Raise `TrainingError` where pictures of one name have a file in common with those of another."""
    groups: dict[str, list[Path]] = {}
    for name, paths in sides:
        groups.setdefault(name, []).extend(paths)
    seen: dict[Path, str] = {}
    for name, paths in groups.items():
        places = {path.resolve(): path for path in paths}
        shared = [path for place, path in places.items() if place in seen]
        if shared:
            other = seen[shared[0].resolve()]
            words = (
                f"{len(shared)} pictures are both in {other} and in {name}, the first: {shared[0]}"
            )
            raise TrainingError(f"{words}; give two sets that share none")
        seen |= dict.fromkeys(places, name)


def _left_out(folder: Path | Listed, reasons: Mapping[Path, str]) -> Iterable[str]:
    """A line for each kind of reason: how many files, and the first ones."""
    root = folder.csv.parent if isinstance(folder, Listed) else folder
    kinds: dict[str, list[str]] = {}
    for path, reason in reasons.items():
        kind, _, detail = reason.partition(": ")
        if kind:
            name = str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
            kinds.setdefault(kind, []).append(f"{name} ({detail})" if detail else name)
    for kind, names in kinds.items():
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield f"{len(names)} {kind}: {', '.join(names[:_NAMED])}{more}"


def _unread_in(folder: Path | Listed) -> str:
    return "" if isinstance(folder, Listed) else _unread(folder.rglob("*"))


def _unread(files: Iterable[Path]) -> str:
    counts = Counter(path.suffix.lower() for path in files)
    kinds = [
        f"{count} {suffix}" for suffix, count in counts.items() if suffix in decode.UNREAD_SUFFIXES
    ]
    return f"{', '.join(kinds)}: not read; make PNG or JPEG of them" if kinds else ""
