"""Find the shots of a folder and of all below it: clips, and sequences of numbered files.

What is hidden, what an earlier render left beside its source, and the folder that renders go to are left out; so are
single pictures. A folder that is linked to twice is looked into once.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from nightfx.errors import SourceError
from nightfx.job.inputs import is_render
from nightfx.network import list_presets
from nightfx.source import (
    CLIP_SUFFIXES,
    base_name,
    is_picture,
    lone_sequence,
    sequences_in,
    unknown_line,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shot:
    """A source, and the place of its render below the folder of renders."""

    source: Path
    """The clip, or the pattern of a sequence."""
    key: str
    """Its path below the folder of shots: what it is called, and where its record is kept."""
    stem: str
    """How the name of its render begins."""
    flags: Mapping[str, Any] = field(default_factory=dict)
    """Settings of this shot alone, as of the command line."""

    @property
    def folder(self) -> str:
        """The folder of its render, below that of all renders."""
        return self.key.rpartition("/")[0]


def find_shots(
    root: Path,
    out: Path,
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    names: frozenset[str] = frozenset(),
) -> list[Shot]:
    """The shots below `root`, in order of their paths; `out` and renders by presets of these `names` are left out.

    `include` and `exclude` are globs of a shot's path below `root`, or of its name. Raises SourceError where nothing is
    found.
    """
    if not root.is_dir():
        words = "is a file: render it, or name its folder" if root.exists() else "no such folder"
        raise SourceError(f"{root}: {words}")
    names |= {preset.name for preset in list_presets()}
    seen: set[tuple[int, int]] = set()
    found = [
        shot for folder in _folders(root, out, seen) for shot in _shots_in(folder, root, names)
    ]
    kept = [shot for shot in found if _wanted(shot, include, exclude)]
    if not kept:
        words = f"; {len(found)} are left out by --include and --exclude" if found else ""
        raise SourceError(f"{root}: no clips or sequences in this folder or below it{words}")
    return kept


def _folders(folder: Path, out: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
    about = folder.stat()
    if (about.st_dev, about.st_ino) in seen or folder.resolve() == out.resolve():
        return
    seen.add((about.st_dev, about.st_ino))
    yield folder
    try:
        below = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    except OSError as error:
        _log.warning("%s: cannot be looked into (%s)", folder, error.strerror)
        return
    for path in below:
        yield from _folders(path, out, seen)


def _shots_in(folder: Path, root: Path, names: frozenset[str]) -> Iterator[Shot]:
    try:
        sources = _sources(folder)
    except OSError:
        return  # told by _folders
    renders = [path for path in sources if is_render(path, sources, set(names))]
    if renders:
        _log.info("%s: %d renders of earlier calls are left out", folder, len(renders))
    sources = [path for path in sources if path not in renders]
    owners = Counter(base_name(path) for path in sources)
    for source in sources:
        base = base_name(source)
        # a.mp4 and a.mov in one folder: their renders are told apart by the suffix
        stem = base if owners[base] == 1 else f"{base}{source.suffix}"
        yield Shot(source, source.relative_to(root).as_posix(), stem)


def _sources(folder: Path) -> list[Path]:
    files = [p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")]
    clips = [path for path in files if path.suffix.lower() in CLIP_SUFFIXES]
    if unknown := unknown_line(files):
        _log.warning("%s: %s", folder, unknown)
    lone = None if clips else lone_sequence(folder)
    pictures = sum(is_picture(path) for path in files) if lone is None else 0
    if pictures:
        _log.warning("%s: %d single pictures are left out", folder, pictures)
    return sorted([*clips, *sequences_in(folder), *([lone] if lone else [])])


def _wanted(shot: Shot, include: Sequence[str], exclude: Sequence[str]) -> bool:
    def named(globs: Sequence[str]) -> bool:
        name = shot.key.rpartition("/")[2]
        return any(fnmatchcase(shot.key, glob) or fnmatchcase(name, glob) for glob in globs)

    return (not include or named(include)) and not named(exclude)
