"""Verdicts: the fate of one thing between a source and its render, and the part of the source that was rendered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal

from nightfx.check.table import Held, thing_of

Verdict = Literal["kept", "changed", "left out", "not examined", "lost"]
"""In order of harm. What the container or codec cannot hold is left out; what it could hold is lost.

What nothing here can judge is not examined: it may be kept or not.
"""

VERDICTS: tuple[Verdict, ...] = ("kept", "changed", "left out", "not examined", "lost")
NEAR = Fraction(1, 1000)  # Matroska's clock, and what sound may move against the picture
_LONGEST_WORDS = 120


@dataclass(frozen=True)
class VerdictRow:
    """One thing that a render should keep."""

    what: str
    """Its name, such as `timecode`."""
    source: str
    """The source's value, or that of the part that was rendered."""
    render: str
    """The render's value."""
    verdict: Verdict
    """The verdict on it."""

    def __post_init__(self) -> None:
        thing_of(self.what)  # a row without a thing in the table cannot be


@dataclass(frozen=True)
class RenderedPart:
    """The part of a source that was rendered, on the source's clock."""

    first: int
    """Index of its first picture."""
    last: int
    """Index after its last picture."""
    shift: Fraction = Fraction(0)
    """Seconds by which everything was moved towards the beginning."""
    start: Fraction | None = None
    """When it begins; None where nothing is cut off there."""
    end: Fraction | None = None
    """When it ends; None where nothing is cut off there."""

    def overlaps(self, start: Fraction, end: Fraction) -> bool:
        """Say whether something from start to end belongs to it."""
        return (self.start is None or end > self.start) and (self.end is None or start < self.end)


def failures(rows: list[VerdictRow], *, strict: bool = False) -> list[VerdictRow]:
    """Return the rows that a delivery must not have: what is lost; with `strict` all that is not kept."""
    return [row for row in rows if row.verdict == "lost" or (strict and row.verdict != "kept")]


def equal(what: str, old: Any, new: Any) -> VerdictRow:
    """Return a row that is kept where both are equal, changed where the source had none, and lost otherwise."""
    verdict: Verdict = "kept" if old == new else "changed" if old in (None, "none") else "lost"
    return VerdictRow(what, _shortened(old), _shortened(new), verdict)


def excused(row: VerdictRow, held: Held) -> VerdictRow:
    """Return the row, what is lost being left out where container and codec have no place for it."""
    is_excused = row.verdict == "lost" and thing_of(row.what).excused(held)
    return replace(row, verdict="left out") if is_excused else row


def metadata_row(what: str, old: dict[str, str], new: dict[str, str]) -> VerdictRow:
    """Compare named values: what is missing is lost, what is other or new is changed."""
    missing = sorted(key for key in old if key not in new)
    other = sorted(key for key in old if key in new and new[key] != old[key])
    added = sorted(key for key in new if key not in old)
    told = (("no", missing), ("other", other), ("new", added))
    words = ", ".join(f"{how} {key}" for how, keys in told for key in keys)
    verdict: Verdict = "lost" if missing else "changed" if other or added else "kept"
    count = f"{len(old)} key{'s' if len(old) != 1 else ''}"
    return VerdictRow(what, count, _shortened(words or "the same"), verdict)


def worst(verdicts: list[Verdict]) -> Verdict:
    """Return the most harmful of them."""
    return max(verdicts, key=VERDICTS.index, default="kept")


def _shortened(value: Any) -> str:
    words = " ".join(str(value).split())
    return words if len(words) <= _LONGEST_WORDS else f"{words[:_LONGEST_WORDS]}…"
