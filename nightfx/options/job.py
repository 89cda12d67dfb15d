"""Options of one render as a piece of work: what is replaced, checked, and written beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nightfx.options.option import option, settle


@dataclass(frozen=True)
class JobOptions:
    """How a render is carried out; of these, passes alone change what is written."""

    passes: Path | None = option(
        None,
        "Write the relight fields for compositing into this folder, as EXR.",
        in_files=False,
        metavar="DIR",
    )
    overwrite: bool = option(
        False, "Replace existing outputs.", changes_render=False, in_files=False
    )
    fresh: bool = option(
        False,
        "Begin anew where an earlier render was stopped.",
        changes_render=False,
        in_files=False,
    )
    verify: bool = option(
        False,
        "Compare with the source at the end; write nothing if something is lost.",
        changes_render=False,
    )

    def __post_init__(self) -> None:
        settle(self)
