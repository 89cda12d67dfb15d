"""Where a run is written: a folder of its own, or one in which it goes on."""

from __future__ import annotations

from pathlib import Path

from nightfx.disk import check_folder
from nightfx.errors import TrainingError


def refuse_folder(out: Path, *, resume: bool) -> None:
    """Raise `TrainingError` where `out` cannot hold a run, or holds something else, or `resume` finds no run."""
    if out.exists() and not out.is_dir():
        raise TrainingError(f"{out}: is a file; --out names the folder of a run")
    check_folder(out)
    if checkpoint_in(out).exists():
        return
    if resume:
        raise TrainingError(f"{out}: no run to resume here; without --resume a new one starts")
    taken = [name for name in ("night", "day") if (out / name).exists()]
    if taken:
        raise TrainingError(
            f"{out / taken[0]}: is here already and of no run; use another --out, nothing is overwritten"
        )


def checkpoint_in(out: Path) -> Path:
    """The checkpoint of a run in the folder `out`."""
    return out / "run/checkpoint.pt"
