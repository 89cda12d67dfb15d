"""Everything nightfx raises on purpose.

NightfxError                    the one thing a caller catches
├── UsageError                  the caller asked for something contradictory or out of range
├── SourceError                 the input cannot be read
│   └── DamagedSourceError      the input is truncated or damaged; some of its frames may decode
├── TargetError                 the output cannot be written
├── PlanError                   a farm's plan is none, or what it is of has changed, or this machine is another
├── PresetError                 a preset is unknown, incomplete or damaged
├── BackendError                a backend is too far from what the preset's network says in float32
├── TrainingError               a training run cannot start, or stopped to avoid wasting time
│   └── DeadRunError            its networks went wrong for good: it stopped, and would again
└── RetryError                  nothing is wrong with the job; it is worth trying again (disk full, memory)
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

# with what the command line leaves
DONE, FAILED, USAGE = 0, 1, 2
SOME_FAILED = 3  # of several inputs
RETRY = 75  # sysexits' EX_TEMPFAIL: worth trying again
INTERRUPTED, TERMINATED = 128 + 2, 128 + 15  # as shells count signals


class NightfxError(Exception):
    """An error that a user can mend: one line says what was wrong, the value, and the way out; the CLI leaves with `exit_code`."""

    exit_code = FAILED


class UsageError(NightfxError):
    """The caller asked for something contradictory or out of range."""

    exit_code = USAGE


class SourceError(NightfxError):
    """The input cannot be read: missing, not a picture or a clip, or without a picture in it."""


class DamagedSourceError(SourceError):
    """The input is truncated or damaged; some of its frames may decode."""


class TargetError(NightfxError):
    """The output cannot be written: it exists, its folder is missing, or it may not be written to."""


class PlanError(NightfxError):
    """A plan is none, what it is of has changed since, or it cannot be honoured here."""


class PresetError(NightfxError):
    """A preset is unknown, incomplete or damaged."""


class BackendError(NightfxError):
    """A backend is too far from what the preset's network says in float32."""


class TrainingError(NightfxError):
    """A training run cannot start, or stopped rather than waste time."""


class DeadRunError(TrainingError):
    """A run's networks went wrong for good: a loss that is not finite, a dead generator, a collapsed discriminator."""


class RetryError(NightfxError):
    """Nothing is wrong with the job; it is worth trying again (a full disk, too little memory)."""

    exit_code = RETRY


@cache
def install_words(extra: str) -> str:
    """Return the command that installs an extra from where this nightfx came from: a checkout, a folder, or the index."""
    checkout, is_edited = _origin()
    if checkout is None:
        return f"pip install 'nightfx[{extra}]'"
    place = "." if checkout == Path.cwd() else checkout
    return f"pip install {'-e ' if is_edited else ''}'{place}[{extra}]'"


def _origin() -> tuple[Path | None, bool]:
    """The folder that this nightfx was installed from, if any, and whether it is run from there."""
    import json
    from importlib.metadata import PackageNotFoundError, distribution
    from urllib.parse import unquote, urlparse

    beside = Path(__file__).resolve().parents[1]
    if (beside / "pyproject.toml").is_file():
        return beside, True
    try:
        told = json.loads(distribution("nightfx").read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        return None, False
    folder = Path(unquote(urlparse(str(told.get("url", ""))).path))
    is_there = "dir_info" in told and (folder / "pyproject.toml").is_file()
    return (folder, False) if is_there else (None, False)
