"""What is done of the mattes of a shot, in a hidden folder beside each of their targets: a render's segments, see `job/store.py`."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nightfx.disk import load_json, save_json
from nightfx.job.manifest import Choices, differences
from nightfx.job.resume import make_folder
from nightfx.job.source_target import check_target, folder_of
from nightfx.job.store import MANIFEST, Segments
from nightfx.source import is_pattern

_log = logging.getLogger(__name__)
_JOINED = "joined.json"
_FORMAT = 1


@dataclass(frozen=True)
class MatteManifest:
    """What a matte is of, and what was chosen for it."""

    job: dict[str, dict[str, Any]]
    """All that must be the same for it to go on."""
    choices: Choices
    format: int = _FORMAT
    """Version of this file's format."""


@dataclass(frozen=True)
class Joined:
    """The file that segments were joined to, as it was before it had its name."""

    size_bytes: int
    modified_ns: int


class MatteStore(Segments):
    """The folder of one matte."""

    def __init__(self, target: Path, suffix: str) -> None:
        super().__init__(folder_of(target), target, suffix)

    def manifest(self) -> MatteManifest | None:
        """Return the manifest, where there is one that can be read."""
        try:
            found = load_json(MatteManifest, self.folder / MANIFEST)
        except (OSError, ValueError):
            return None
        return found if found.format == _FORMAT else None

    def begin(self, manifest: MatteManifest) -> None:
        """From here on there is something to go on with."""
        make_folder(self.folder)
        save_json(manifest, self.folder / MANIFEST, self.folder)

    def note_joined(self, part: Path) -> None:
        """Say what the complete file is, before it gets its name: a process may end between the two."""
        stat = part.stat()
        save_json(Joined(stat.st_size, stat.st_mtime_ns), self.folder / _JOINED, self.folder)

    @property
    def is_joined(self) -> bool:
        """Whether what stands under the target's name is what the segments were joined to."""
        try:
            joined, stat = load_json(Joined, self.folder / _JOINED), self.target.stat()
        except (OSError, ValueError):
            return False
        return (stat.st_size, stat.st_mtime_ns) == (joined.size_bytes, joined.modified_ns)


def take_up(
    source: Path,
    stores: list[MatteStore],
    job: dict[str, dict[str, Any]],
    *,
    fresh: bool,
    overwrite: bool,
) -> Choices | None:
    """Return what was chosen for mattes that can go on; None where all begin anew. What is left of others is removed.

    Raises TargetError where something of somebody else's stands under a target's name, unless it may `overwrite`.
    """
    choices, stale = None, dict[MatteStore, str]()
    for store in stores:
        words, manifest = _words_against(store, job, fresh=fresh), store.manifest()
        if manifest and not words and choices not in (None, manifest.choices):
            words = "it was begun otherwise than those beside it"
        if manifest and not words:
            choices = manifest.choices
        elif store.folder.is_dir():
            stale[store] = words
        own = not words and manifest and (store.is_joined or is_pattern(store.target))
        check_target(source, store.target, overwrite or bool(own))
    for store, words in stale.items():
        _log.warning("%s: starting anew: %s", store.target.name, words)
        store.remove()
    return choices


def _words_against(store: MatteStore, job: dict[str, dict[str, Any]], *, fresh: bool) -> str:
    """Why a matte cannot go on; nothing where it can, or was never begun."""
    if not store.folder.is_dir():
        return ""
    manifest = store.manifest()
    if manifest is None:
        return "what there is of it cannot be read"
    return "as asked" if fresh else ", ".join(differences(job, manifest.job))
