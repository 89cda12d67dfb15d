"""Steady a field over time: light that flickers from frame to frame is averaged away along the motion of the picture.

A field belongs to a frame. The steadied field of the frame before is carried along by optical flow (DIS, Kroeger et al.
2016, arXiv 1603.03590) and mixed with the new one, where the flows there and back agree and the picture looks the same;
elsewhere the new one counts alone. At a cut it starts anew.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numba import prange
from numpy.typing import NDArray

from nightfx.engine.field import Field
from nightfx.video.color import Float32
from nightfx.video.kernel import kernel

RATE = 24.0  # amounts are meant at this many frames a second
FLOW_SCALE = 2  # the flow is found at half of the working height
LEAST_PX = 16
AGREE_CELLS = 1.0  # a flow there and back that misses by so much is trusted by e⁻¹
ALIKE = 15.0  # codes of luma that a cell may differ by, likewise
CUT_SHARE = 0.3  # a cut: less of the picture than this is found again
TRUST_RADIUS_PX = 2  # trust is smoothed, since a field is smooth
BT709 = np.array([0.2126, 0.7152, 0.0722], np.float32)

Byte = NDArray[np.uint8]


@dataclass
class Memory:
    """The frame before: what it looked like, its steadied field, and for how many frames the mean has run."""

    luma: Byte
    field: Field
    frames: int


@dataclass(frozen=True)
class Motion:
    """Where the picture was in the frame before: the flow back (h, w, 2) in cells, and how far it is trusted (h, w)."""

    flow: Float32
    trust: Float32

    @property
    def is_cut(self) -> bool:
        """Whether too little of the picture is found again."""
        return float(self.trust.mean()) < CUT_SHARE


def steady(
    memory: Memory | None, small: Float32, field: Field, amount: float, seconds: float
) -> Memory:
    """Mix the field (12, h, w) of a picture `small` (3, h, w) with that of the frame before, `seconds` ago.

    `amount` is the share of the past at 24 frames a second, 0 to below 1.
    """
    luma = luma_of(small)
    if memory is None or amount == 0:
        return Memory(luma, field, 1)
    motion = find_motion(memory.luma, luma)
    if motion.is_cut:
        return Memory(luma, field, 1)
    # the mean of the first frames, before it becomes exponential: the first field is as uncertain as any other
    share = min(amount ** (seconds * RATE), memory.frames / (memory.frames + 1))
    mixed = np.empty_like(field)
    _mix(memory.field, field, motion.flow, motion.trust * np.float32(share), mixed)
    return Memory(luma, mixed, memory.frames + 1)


def luma_of(small: Float32) -> Byte:
    """Luma of an RGB picture (3, h, w), clipped to 8 bits: what motion is found in."""
    luma = np.tensordot(BT709, small, axes=1)
    return (np.clip(luma, 0, 1) * 255 + 0.5).astype(np.uint8)


def find_motion(before: Byte, now: Byte) -> Motion:
    """How the picture moved from `before` to `now`, both (h, w)."""
    height, width = now.shape
    size = max(width // FLOW_SCALE, LEAST_PX), max(height // FLOW_SCALE, LEAST_PX)
    old, new = (cv2.resize(x, size, interpolation=cv2.INTER_AREA) for x in (before, now))
    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    back, forth = (np.asarray(finder.calc(a, b, None)) for a, b in ((new, old), (old, new)))
    trust = np.empty(new.shape, np.float32)
    _judge(back, forth, old, new, FLOW_SCALE / AGREE_CELLS, 1 / ALIKE, trust)
    trust = cv2.blur(trust, (2 * TRUST_RADIUS_PX + 1, 2 * TRUST_RADIUS_PX + 1))
    flow = _enlarge(back, width, height) * np.array([width / size[0], height / size[1]], np.float32)
    return Motion(flow, _enlarge(trust, width, height))


def _enlarge(values: Float32, width: int, height: int) -> Float32:
    wide = cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(wide, np.float32)


@kernel(parallel=True)
def _judge(
    back: Float32,
    forth: Float32,
    old: Byte,
    new: Byte,
    per_px: float,
    per_code: float,
    trust: Float32,
) -> None:
    """exp(−miss² − difference²), both in units of what is tolerated; nothing for what comes from outside the frame."""
    height, width = new.shape
    for y in prange(height):
        for x in range(width):
            at_x, at_y = x + back[y, x, 0], y + back[y, x, 1]
            if at_x < 0 or at_y < 0 or at_x > width - 1 or at_y > height - 1:
                trust[y, x] = 0
                continue
            left, upper = min(int(at_x), width - 2), min(int(at_y), height - 2)
            part_x, part_y = at_x - left, at_y - upper
            miss_x, miss_y, luma = back[y, x, 0], back[y, x, 1], np.float32(0)
            for j in range(2):
                for i in range(2):
                    share = abs(1 - i - part_x) * abs(1 - j - part_y)
                    miss_x += share * forth[upper + j, left + i, 0]
                    miss_y += share * forth[upper + j, left + i, 1]
                    luma += share * old[upper + j, left + i]
            differs = (luma - new[y, x]) * per_code
            miss = (miss_x * miss_x + miss_y * miss_y) * per_px * per_px
            trust[y, x] = np.exp(-miss - differs * differs)


@kernel(parallel=True)
def _mix(past: Field, new: Field, flow: Float32, share: Float32, mixed: Field) -> None:
    """new + share · (past, where the picture was, − new); all at cells."""
    channels, height, width = new.shape
    for y in prange(height):
        for x in range(width):
            at_x = min(max(x + flow[y, x, 0], 0.0), width - 1.0)
            at_y = min(max(y + flow[y, x, 1], 0.0), height - 1.0)
            left, upper = int(at_x), int(at_y)
            right, lower = min(left + 1, width - 1), min(upper + 1, height - 1)
            part_x, part_y = np.float32(at_x - left), np.float32(at_y - upper)
            for c in range(channels):
                above = (
                    past[c, upper, left] + (past[c, upper, right] - past[c, upper, left]) * part_x
                )
                below = (
                    past[c, lower, left] + (past[c, lower, right] - past[c, lower, left]) * part_x
                )
                old = above + (below - above) * part_y
                mixed[c, y, x] = new[c, y, x] + share[y, x] * (old - new[c, y, x])
