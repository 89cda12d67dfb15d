"""Splices of a transport stream: where a file begins that was put behind another, even where its times go on.

Packets of each stream are counted from 0 to 15. Behind a splice all counts begin anew, which FFmpeg takes for packets
that were lost. A splice is known by the same first counts as at the beginning of the file, each on the first packet of a
unit, with no packet missing on either side.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# bytes of a packet, and where in it its head begins: plain, behind a clock (Blu-ray), before parity
_KINDS = ((188, 0), (192, 4), (204, 0))
_SYNC, _HAS_PAYLOAD, _UNIT_START, _COUNTS = 0x47, 0x10, 0x40, 16
_FILLER = 0x1FFF  # the stream of packets that only fill up
_REACH = 4096  # packets in which every stream is met: 0.8 MB

Heads = NDArray[np.int64]
"""Of each packet with payload its stream, whether it begins a unit, its count and its place in the file (N, 4)."""
_STREAM, _BEGINS, _COUNT, _PLACE = range(4)


def splices_of(path: Path) -> list[int]:
    """Return the bytes of a transport stream at which another file begins; where packets are missing there is none."""
    heads = _heads(path)
    if not len(heads):
        return []
    first = _first_of_each(heads[:_REACH])
    alike = [
        int(at) + 1 for at in np.flatnonzero((heads[1:, :_PLACE] == heads[0, :_PLACE]).all(axis=1))
    ]
    anew = [at for at in alike if _are_alike(first, _first_of_each(heads[at : at + _REACH]))]
    parts = zip([0, *anew], anew, [*anew[1:], len(heads)], strict=False)
    return [
        int(heads[at, _PLACE])
        for before, at, after in parts
        if _is_whole(heads[max(before, at - _REACH) : at])
        and _is_whole(heads[at : min(after, at + _REACH)])
    ]


def _heads(path: Path) -> Heads:
    """The heads of all packets; none of a file whose first packets are not where they should be."""
    data = np.memmap(path, np.uint8, mode="r")
    for size, offset in _KINDS:
        packets = data[: len(data) // size * size].reshape(-1, size)[:, offset : offset + 4]
        if len(packets) and (packets[:_REACH, 0] == _SYNC).all():
            break
    else:
        return np.empty((0, 4), np.int64)
    _, high, low, flags = np.array(packets.T, np.int64)
    streams, places = (high & 0x1F) << 8 | low, np.arange(len(packets)) * size
    heads = np.stack(
        [streams, (high & _UNIT_START) // _UNIT_START, flags % _COUNTS, places], axis=1
    )
    return np.array(heads[(flags & _HAS_PAYLOAD != 0) & (streams != _FILLER)])


def _first_of_each(heads: Heads) -> dict[int, tuple[int, int]]:
    """Whether the first packet of each stream begins a unit, and its count."""
    streams, at = np.unique(heads[:, _STREAM], return_index=True)
    rows = zip(streams, heads[at], strict=True)
    return {int(stream): (int(row[_BEGINS]), int(row[_COUNT])) for stream, row in rows}


def _are_alike(first: dict[int, tuple[int, int]], other: dict[int, tuple[int, int]]) -> bool:
    """Whether streams begin with a unit, and those that the file begins with by the same count."""
    return all(
        begins and (stream not in first or first[stream] == (begins, count))
        for stream, (begins, count) in other.items()
    )


def _is_whole(heads: Heads) -> bool:
    """Whether no count is left out in any stream."""
    for stream in np.unique(heads[:, _STREAM]):
        counts = heads[heads[:, _STREAM] == stream, _COUNT]
        if (np.diff(counts) % _COUNTS != 1).any():
            return False
    return True
