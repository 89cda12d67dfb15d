"""Verdicts: the fate of one thing between a source and its render, and the part of the source that was rendered."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

Verdict = Literal["kept", "changed", "left out", "lost"]
"""In order of harm. What the container or codec cannot hold is left out; what it could hold is lost."""

_ORDER: tuple[Verdict, ...] = ("kept", "changed", "left out", "lost")
NEAR = Fraction(1, 1000)  # Matroska's clock, and what sound may move against the picture


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
    """Return a row that is kept where both are equal, and lost otherwise."""
    return VerdictRow(what, str(old), str(new), "kept" if old == new else "lost")


def worst(verdicts: list[Verdict]) -> Verdict:
    """Return the most harmful of them."""
    return max(verdicts, key=_ORDER.index, default="kept")
