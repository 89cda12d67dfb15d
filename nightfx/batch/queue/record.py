"""Records: what is kept of each render in the folder of renders, `.nightfx/KEY.json`, so that what is done is known.

A shot is done when its record says so for the same source, settings and preset, and the render is as it was left.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nightfx.batch.shots.find import Shot
from nightfx.batch.shots.settings import ShotSettings
from nightfx.disk import load_json, save_json
from nightfx.job.manifest import file_fingerprints
from nightfx.network import Preset
from nightfx.source import existing_files, fingerprint

FOLDER = ".nightfx"
_MOST_BYTES = 1 << 24


@dataclass(frozen=True)
class RenderIdentity:
    """The things that make a render what it is: another of them makes another render."""

    source: Mapping[str, Any]
    """Size, time and hash of the source."""
    settings: Mapping[str, Any]
    """The options that make the render what it is, and what is in the files that they name."""
    preset: Mapping[str, Any]
    """Name and hash of the preset."""


@dataclass(frozen=True)
class ShotRecord:
    """All that is kept of a render."""

    job: Mapping[str, Any]
    """The `RenderIdentity`."""
    target: str
    """The render, below the folder of renders."""
    files: Mapping[str, Any] | None = None
    """The files that were there under this name: of a done render the render, else what stood there before."""
    done: bool = False
    """Whether it is complete."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """For the report: frames, seconds, size, warnings, figures, thumbnails."""


def place_of(out: Path, key: str) -> Path:
    """The file of a shot's record."""
    return out / FOLDER / f"{key}.json"


def identity_of(shot: Shot, settings: ShotSettings, preset: Preset) -> RenderIdentity:
    """Return what a render of this shot would come of. Raises SourceError where the source cannot be read."""
    options = settings.options
    made_by = {"options": options.fingerprint(), "files": file_fingerprints(options)}
    about = {"name": preset.name, "sha256": preset.sha256}
    return RenderIdentity(fingerprint(shot.source), made_by, about)


def look_up(place: Path) -> ShotRecord | None:
    """The record at a place; None where there is none, or none that can be understood."""
    try:
        return load_json(ShotRecord, place) if place.stat().st_size <= _MOST_BYTES else None
    except (OSError, ValueError):
        return None


def write_record(place: Path, record: ShotRecord) -> None:
    """Keep a record; raises RetryError where the disk is full."""
    save_json(record, place)


def is_done(record: ShotRecord | None, job: RenderIdentity, out: Path) -> bool:
    """Whether the render of this job is there, as it was left."""
    return bool(record and record.done and not changes(record, job)) and is_there(record, out)


def is_there(record: ShotRecord | None, out: Path) -> bool:
    """Whether the files of a record are as they were when it was written."""
    return record is not None and record.files == output_state(out / record.target)


def output_state(target: Path) -> dict[str, Any] | None:
    """Sizes and times of what is under the name of a render; None for nothing."""
    files = existing_files(target)
    try:
        stats = [path.stat() for path in files]
    except OSError:
        return None
    if not files:
        return None
    latest = max(s.st_mtime_ns for s in stats)
    return {"files": len(files), "bytes": sum(s.st_size for s in stats), "mtime_ns": latest}


def changes(record: ShotRecord, job: RenderIdentity) -> list[str]:
    """Return the names of what is not as it was, of source, settings and preset."""
    return [name for name, value in asdict(job).items() if record.job.get(name) != value]


def number_of(facts: Mapping[str, Any], key: str) -> float:
    """A number among facts, which others may have written; 0 where it is none."""
    value = facts.get(key)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0
