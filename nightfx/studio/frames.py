"""The frames of a shot, decoded once, at their own size and smaller."""

from __future__ import annotations

import threading
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from nightfx.batch.shots.find import Shot
from nightfx.errors import UsageError
from nightfx.job.source_target import open_shot
from nightfx.options import RenderOptions
from nightfx.picture import Frame, luma, to_rgb, upright
from nightfx.preview.pick import Picked, pick_exactly
from nightfx.studio.last_used import LastUsed

_KEPT_FRAMES = 12
_LUMA_LINES = 180


class ShotFrames:
    """The frames of a shot by their numbers; any thread may ask, and one at a time is served."""

    def __init__(self, shot: Shot, options: RenderOptions) -> None:
        self._options = options
        self._reader = open_shot(shot.source, replace(options.source, keep_going=True))
        self._lock, self._kept = threading.Lock(), LastUsed[Picked](_KEPT_FRAMES)
        self.info = self._reader.info
        self.first = self._reader.number_at(0)
        self.last = self._reader.last_number()

    def at(self, number: int, height: int | None = None) -> Picked:
        """The frame of that number, no higher than `height` px; raises UsageError for one that is not in the shot."""
        if not self.first <= number <= self.last:
            words = f"there is no frame {number}: it has {self.first} to {self.last}"
            raise UsageError(f"{self.info.path.name}: {words}")
        with self._lock:
            whole = self._kept.get((number, None), lambda: self._read(number))
            if height is None or height >= whole.frame.height:
                return whole
            return self._kept.get((number, height), lambda: _shrunk(whole, height))

    def luma(self, number: int) -> NDArray[np.uint8]:
        """The luma (H, W) of an upright frame, 180 lines, as it is coded."""
        frame = self.at(number, _LUMA_LINES).frame
        grey = luma(to_rgb(frame))[None].clip(0, 1)
        return np.ascontiguousarray(np.rint(upright(grey, frame)[0] * 255), np.uint8)

    def size_px(self) -> tuple[int, int]:
        """Width and height of the upright picture in square pixels."""
        picked = self.at(self.first)
        size = picked.frame.height, picked.frame.width
        width, height = picked.square_px(size[::-1] if picked.frame.rotation % 180 else size)
        return max(round(width), 1), max(round(height), 1)

    def close(self) -> None:
        """Close the shot."""
        with self._lock:
            self._reader.__exit__(None, None, None)

    def _read(self, number: int) -> Picked:
        return pick_exactly(self._reader, number, self._options)


def _shrunk(picked: Picked, height: int) -> Picked:
    """The same frame with so many lines."""
    frame = picked.frame
    width = round(frame.width * height / frame.height)
    small = frame.with_planes(
        tuple(_plane(frame, place, height, width) for place in range(len(frame.planes)))
    )
    return picked._replace(frame=small)


def _plane(frame: Frame, place: int, height: int, width: int) -> np.ndarray:
    rows, columns = frame.coding.plane_size(place, height, width)
    sized = cv2.resize(frame.planes[place], (columns, rows), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(sized, frame.coding.dtype)
