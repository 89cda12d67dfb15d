"""What the kinds of timelines have in common: clips that show parts of files, and renders that they show instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class TimelineClip:
    """A part of a file, as a timeline shows it."""

    name: str
    """What editors call it."""
    place: str
    """Where it stands, such as `event 003` or `at 2.00 s`."""
    rate: Fraction = Fraction(1)
    """Of the numbers below: frames a second, or 1 for seconds."""
    start: Fraction = Fraction(0)
    """The first that is shown, counted as the timeline counts the file."""
    length: Fraction = Fraction(1)
    """How much of the file is shown, whatever its speed."""
    known: Fraction | None = None
    """The file's first, as the timeline says."""
    timecode: str = ""
    """The first that is shown, where the timeline has nothing else: a timecode of the file."""
    first_number: int | None = None
    """The number of the picture file that `known` is."""
    paths: tuple[str, ...] = ()
    """Paths and URLs where the file was."""
    names: tuple[str, ...] = ()
    """Other names the file may have."""
    reel: str = ""
    """The reel it is from."""
    speed: float | None = 1.0
    """How fast it runs; None where that changes."""
    from_first: bool = False
    """Whether its render must begin with the file's first frame, since the timeline counts a retime from there."""
    anchored: bool = False
    """The same, where the file has no timecode: more than the clip itself counts from there."""
    refusal: str = ""
    """Why it cannot be rendered; empty where it can."""


@dataclass(frozen=True)
class Render:
    """What a clip shows instead."""

    path: Path
    """The clip, or the pattern."""
    file: Path
    """The same, or the first file of the pattern."""
    source: Path
    """The file that was rendered."""
    rate: Fraction
    """Frames a second."""
    base: int
    """Its first frame, counted in the file that was rendered."""
    length: int
    """Its frames."""
    start: int
    """Its first frame, counted as the timeline counts that file."""
    timed: bool
    """It has the timecode of the file."""
    moved: bool
    """Nothing says where it begins, so that it counts from 0."""

    @property
    def is_sequence(self) -> bool:
        """Whether it is numbered pictures."""
        return self.path != self.file

    @property
    def number(self) -> str:
        """The digits of its first file."""
        head = self.path.name.index("#")
        tail = len(self.path.name) - 1 - self.path.name.rindex("#")
        return self.file.name[head : len(self.file.name) - tail]


class Document(Protocol):
    """A timeline whose clips can be pointed to renders, while all else in it stays."""

    @property
    def clips(self) -> Sequence[TimelineClip]:
        """Those that show pictures from files."""

    def repoint(self, index: int, render: Render) -> None:
        """Let a clip show a render."""

    def save(self, path: Path) -> None:
        """Write it."""
