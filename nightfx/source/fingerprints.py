"""Fingerprints tell that a clip or a sequence is still the one that was rendered, without reading the whole of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from os import stat_result
from pathlib import Path
from typing import Any

from nightfx.errors import SourceError
from nightfx.source.numbered import existing_files, is_pattern

END_BYTES = 1 << 16  # a batch asks for those of thousands of shots, often over a network


def fingerprint(source: Path) -> dict[str, Any]:
    """Give size, latest modification time and a hash of both ends; of a sequence also one of all names, sizes and times.

    Values are such as JSON keeps. Raises SourceError for what is not there or cannot be read.
    """
    files = existing_files(source)
    if not files:
        raise SourceError(f"{source}: no such file")
    try:
        stats = [path.stat() for path in files]
        ends = _hash_ends([files[0], files[-1]] if len(files) > 1 else files)
    except OSError as error:
        raise SourceError(f"{source}: cannot be read ({error.strerror})") from error
    found = {"bytes": sum(s.st_size for s in stats), "ends_sha256": ends}
    found["mtime_ns"] = max(s.st_mtime_ns for s in stats)
    if is_pattern(source):
        found |= {"files": len(files), "files_sha256": _hash_list(files, stats)}
    return found


def _hash_ends(files: Sequence[Path]) -> str:
    found = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            found.update(file.read(END_BYTES))
            file.seek(max(path.stat().st_size - END_BYTES, 0))
            found.update(file.read(END_BYTES))
    return found.hexdigest()


def _hash_list(files: Sequence[Path], stats: Sequence[stat_result]) -> str:
    about = zip(files, stats, strict=True)
    lines = "\n".join(f"{path.name} {s.st_size} {s.st_mtime_ns}" for path, s in about)
    return hashlib.sha256(lines.encode(errors="surrogateescape")).hexdigest()
