"""How bright an HDR10 render is, measured while it is written and put into its file afterwards.

MaxCLL and MaxFALL (CTA-861.3) belong to the render: another light makes them others. An encoder wants
them before the first frame, so it is given numbers that stand in for them, in fields of a fixed size.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nightfx.picture import Frame, to_rgb

STAND_IN = (0xCAFE, 0xBABE)
# what stands before the two numbers: an SEI message 144 of 4 bytes (H.264, H.265), metadata 1 (AV1)
_HEADS = (b"\x90\x04", b"\x06\x01")


class Brightness:
    """MaxCLL and MaxFALL of the frames that go by, PQ-coded, in cd/m²."""

    def __init__(self) -> None:
        self.max_cll = 0.0
        self.max_fall = 0.0

    def watch(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield the frames unchanged, and measure each."""
        for frame in frames:
            nits = _nits(to_rgb(frame).max(axis=0))
            self.max_cll = max(self.max_cll, float(nits.max()))
            self.max_fall = max(self.max_fall, float(nits.mean()))
            yield frame

    def write(self, path: Path) -> None:
        """Put the numbers into a complete file in place of those that stand for them."""
        numbers = struct.pack(">2H", *self._whole())
        with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as data:
            for head in _HEADS:
                mark = head + struct.pack(">2H", *STAND_IN)
                place = data.find(mark)
                while place >= 0:
                    data[place + 2 : place + len(mark)] = numbers
                    place = data.find(mark, place + len(mark))

    def _whole(self) -> tuple[int, int]:
        """Both numbers as they are stored, 1 at least (0 is unknown)."""
        cll, fall = (max(round(x), 1) for x in (self.max_cll, self.max_fall))
        # H.26x would need a byte more to escape two zeros before a number of up to 3
        return cll + (cll % 256 == 0 and fall <= 3), fall


def _nits(codes: NDArray[np.float32]) -> NDArray[np.float64]:
    """Luminance of PQ codes, 0 to 1, by a table of the curve in SMPTE ST 2084."""
    grid = np.linspace(0, 1, 4097)
    return np.asarray(np.interp(codes, grid, pq_nits(grid)))


def pq_nits(codes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return cd/m² of PQ codes from 0 to 1 (SMPTE ST 2084, equation 4.1)."""
    power = codes ** (1 / 78.84375)
    linear = np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
    return np.asarray(10000 * linear ** (1 / 0.1593017578125))
