"""Hold each frame of a render to its own plate by what it shows, whatever its light: dropped, repeated and swapped frames.

A mark is a picture's detail, even out of light. From one frame to the next the marks of the plate change by its motion,
and those of the render must change in the same way: not at all where a frame was repeated, twice as far where one was
dropped, backwards where two were swapped. And where the plates are far apart, a frame must not be like another's plate.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nightfx.check.marks import Marks
from nightfx.check.verdict import Verdict, VerdictRow

_REPEATED, _SKIPPED = 0.25, 1.8  # of the usual change, between which a frame follows its plate
_SURE = 0.12  # of the usual change: noise up to which a change tells something
_UNSTEADY = 0.3  # of the usual change: where half of all frames are farther from it, light moves more than the picture
_NOISE_DIMENSIONS = 10.0  # root of the numbers in a mark that noise leaves on their own
_LEAST_CHANGE = 0.03  # of a mark's length: what moves less is still
_LEAST_LIKENESS = (
    0.1  # of a render's change with its plate's: what has less shows another light altogether
)
_FAR = 0.1  # 1 - correlation of two plates, from which on they are two pictures
_BETTER, _TIMES_NOISE = (
    0.4,
    3.0,
)  # of the usual likeness, and of noise: by how much more like another
_NAMED_WRONG = 4  # frames
_WINDOW = 8  # frames to each side
_CHUNK = 1024  # frames judged at a time

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class FrameOrder:
    """What became of the order of frames."""

    told: int
    """How many frames differ enough from the one before to be told from it."""
    wrong: tuple[tuple[int, str], ...]
    """Index of each frame that is not its plate's, and what it is."""


def order_of(old: Marks, new: Marks) -> FrameOrder:
    """Compare the marks of plates and frames, as many of both."""
    count = min(len(old), len(new))
    if count < 2:
        return FrameOrder(0, ())
    steps = [_steps(old[a : b + 1], new[a : b + 1]) for a, b in _chunks(count - 1)]
    change, noise, sizes = (np.concatenate(each) for each in zip(*steps, strict=True))
    moved = sizes > _LEAST_CHANGE
    wrong = dict(_far_ones(old[:count], new[:count]))
    usual = float(np.median(change[moved])) if moved.any() else 0.0
    spread = float(np.median(np.abs(change[moved] - usual))) if moved.any() else 0.0
    if usual < _LEAST_LIKENESS or spread > _UNSTEADY * usual:
        return FrameOrder(0, tuple(sorted(wrong.items())))
    told = moved & (noise < _SURE * usual)
    for index in np.flatnonzero(told):
        if word := _word(float(change[index]) / usual):
            wrong.setdefault(int(index) + 1, word)
    return FrameOrder(int(told.sum()), tuple(sorted(wrong.items())))


def order_row(plates: Marks, frames: Marks, first: int = 0) -> VerdictRow:
    """Return the row of the order of frames, by their marks; the first has a number."""
    found = order_of(plates, frames)
    told = f"{found.told} of {max(len(plates) - 1, 0)} told apart"
    words = [f"frame {first + index} {what}" for index, what in found.wrong[:_NAMED_WRONG]]
    if len(found.wrong) > _NAMED_WRONG:
        words.append(f"{len(found.wrong) - _NAMED_WRONG} more")
    usual = "as the source's" if found.told else "alike: only their times can tell"
    verdict: Verdict = "lost" if words else "kept"
    return VerdictRow("order of frames", told, ", ".join(words) or usual, verdict)


def _word(ratio: float) -> str | None:
    if ratio < -_REPEATED:
        return "runs backwards"
    if ratio < _REPEATED:
        return "repeats the one before"
    return "skips one" if ratio > _SKIPPED else None


def _chunks(count: int) -> list[tuple[int, int]]:
    borders = [*range(0, count, _CHUNK), count]
    return list(pairwise(borders))


def _steps(old: Marks, new: Marks) -> tuple[Vectors, Vectors, Vectors]:
    """For each frame: its change along its plate's, the noise of that, and how far its plate moved."""
    plates, frames = _unit(old), _unit(new)
    by_plate, by_frame = np.diff(plates, axis=0), np.diff(frames, axis=0)
    sizes = np.linalg.norm(by_plate, axis=1)
    safe = np.maximum(sizes, 1e-6)
    change = np.sum(by_plate * by_frame, axis=1) / safe**2
    rest = np.linalg.norm(by_frame - change[:, None] * by_plate, axis=1)
    return change, rest / safe / _NOISE_DIMENSIONS, sizes


def _unit(marks: Marks) -> Vectors:
    vectors = marks.astype(np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = vectors / np.maximum(lengths, 1e-6)
    return unit


def _far_ones(old: Marks, new: Marks) -> list[tuple[int, str]]:
    """Frames that are more like the plate of another near them than like their own, beyond what light explains."""
    found = [_best_of_chunk(old, new, begin, end) for begin, end in _chunks(len(old))]
    apart, better, others, likes = (np.concatenate(each) for each in zip(*found, strict=True))
    like = float(np.median(likes))
    noise = np.sqrt(max(1 - like**2, 0.0) * 2 / apart) / _NOISE_DIMENSIONS
    wrong = (better > _BETTER * like) & (better > _TIMES_NOISE * noise) & (like > _LEAST_LIKENESS)
    return [(int(i), f"shows frame {int(others[i])}") for i in np.flatnonzero(wrong)]


def _best_of_chunk(
    old: Marks, new: Marks, begin: int, end: int
) -> tuple[Vectors, Vectors, Vectors, Vectors]:
    """For each frame the plate near it that it is most like: how far from its own, how much more like, which, how like."""
    low, high = max(begin - _WINDOW, 0), min(end + _WINDOW, len(old))
    plates, frames = _unit(old[low:high]), _unit(new[low:high])
    rows = []
    for index in range(begin, end):
        first, last = max(index - _WINDOW, 0) - low, min(index + _WINDOW + 1, len(old)) - low
        near, own = plates[first:last], index - low
        apart, likes = 1 - near @ plates[own], near @ frames[own]
        gains = np.where(apart > _FAR, (likes - likes[own - first]) / np.maximum(apart, _FAR), 0)
        best = int(gains.argmax())
        rows.append((max(apart[best], _FAR), gains[best], best + first + low, likes.max()))
    apart, better, others, likes = np.array(rows, np.float32).T
    return apart, better, others, likes
