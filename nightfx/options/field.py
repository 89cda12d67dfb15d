"""Options of relight fields: how the small picture is seen, and how fields follow each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nightfx.errors import UsageError
from nightfx.options.option import option, settle

_FieldEvery = Literal["auto", 1, 2, 4]


@dataclass(frozen=True)
class FieldOptions:
    """How the fields of a shot come to be; for relight alone."""

    working_height: int | None = option(
        None,
        "Height at which relight shows the frame to the generator, in px; else the preset's own.",
        limits=(64, 2160),
        unit="px",
    )
    steady: float | None = option(
        None,
        "Share of the past in a relight field, 0 to 0.99; 0 is off; else the preset's own.",
        limits=(0, 0.99),
    )
    field_every: _FieldEvery = option(
        1, "Compute a relight field for every 1, 2 or 4 frames and carry it between, or auto."
    )
    lock: bool = option(False, "Hold one exposure and tint; write NAME.lock.json.")
    lock_to: Path | None = option(
        None, "Hold the exposure and tint in this .lock.json.", is_file=True
    )

    def __post_init__(self) -> None:
        settle(self)
        if self.lock and self.lock_to:
            raise UsageError("--lock measures a lock, --lock-to takes one: give one of them")
