"""The common part of the readers of clips and of sequences: opened with `with`, they give frames and keep notes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from fractions import Fraction
from types import TracebackType
from typing import Self
from weakref import WeakSet

from nightfx.errors import UsageError
from nightfx.picture import Frame
from nightfx.source import probe, timecode


class FrameReader(ABC):
    """A source of frames; one thread at a time may use it."""

    info: probe.ClipInfo
    """Facts of it before it is read."""
    keep_going: bool
    """Whether what decodes of a damaged source is delivered."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        # whoever lets go of a generator closes it: a studio reads thousands from one reader
        self._running: WeakSet[Generator[Frame]] = WeakSet()

    def frames(
        self,
        start_seconds: timecode.Seconds | None = None,
        end_seconds: timecode.Seconds | None = None,
    ) -> Generator[Frame]:
        """Yield the shown frames with start <= time < end, time counted from the first frame."""
        frames = self._deliver(start_seconds, end_seconds)
        self._running.add(frames)
        return frames

    @abstractmethod
    def times_of(self, first: int, last: int) -> tuple[Fraction, Fraction]:
        """Start and end, as `frames` takes them, of the frames numbered `first` to `last`; raises UsageError."""

    @abstractmethod
    def last_number(self) -> int:
        """The number of the last frame."""

    @abstractmethod
    def number_at(self, seconds: timecode.Seconds) -> int:
        """The number of the first frame that begins at `seconds` or later, where there is one."""

    @abstractmethod
    def _deliver(
        self, start: timecode.Seconds | None, end: timecode.Seconds | None
    ) -> Generator[Frame]: ...

    def close(self) -> None:
        """Stop whatever is being read."""
        for frames in list(self._running):
            frames.close()
        self._running.clear()

    def _check_numbers(self, asked: tuple[int, int], least: int, most: int) -> None:
        """Refuse frames that are not all there; what decodes of a damaged one need not be all."""
        first, last = asked
        if not least <= first <= most or (last > most and not self.keep_going):
            words = f"--frames {first}-{last} is outside {least}-{most}"
            raise UsageError(f"{self.info.path}: {words}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def add_note(self, text: str) -> None:
        """Keep a line for the user, once."""
        if text not in self.notes:
            self.notes.append(text)
