"""Lights followed through a shot: what is found now and then, carried from frame to frame by the motion of the picture.

What is found again pulls its track gently to where it is, and that is spread over the frames since it was last seen, so that
nothing jumps. What is found late is followed back to where it appeared. Confidence rises with each find and falls
with each miss; a light fades in and out and never pops.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from nightfx.lights.find import Found
from nightfx.lights.listed import Light, Track
from nightfx.picture import Float32

_PULL = 0.35  # of the way to where it is found
_RISE, _FALL = 0.5, 0.6  # of the confidence, by a find and a miss
_HIDDEN, _HIDDEN_FALL = (
    0.2,
    0.75,
)  # trust of the motion below which it is hidden, and what is left then a frame
_GONE = 0.15  # confidence below which a track ends
_WEAK = 0.3  # the most that a track's confidence must come to
_ALIKE = 0.3  # intersection over union of a find and a track
_NEAR = 0.6  # of their size that their middles may be apart
_AROUND = 4  # cells around a light whose motion counts
_FADE_FRAMES = 6
_EDGE = 0.02  # of the picture: what begins there came in
_LEAST_FINDS = 2  # where there was time for as many
_STRAIGHT_PX = 0.1  # what straight lines between the frames of a track may miss


@dataclass
class _Live:
    """A light that is followed."""

    kind: str
    frames: list[int]
    quads: list[Float32]
    sure: list[float]
    finds: int = 1
    fresh: int = 0
    """Place in the lists of the frame in which it was last found."""
    owners: Counter[int] = field(default_factory=Counter)
    whole_start: bool = False
    """Whether it was there when the shot, or the picture it came into, began."""


class Tracker:
    """Follows lights along a shot, whose frames are told one after another; places are cells of the motion's grid."""

    def __init__(self, size: tuple[int, int], memory: int = 24) -> None:
        """Follow lights on a grid of `size` (height, width), looking back over `memory` frames."""
        self._size = size
        self._past: deque[tuple[int, Float32, Float32]] = deque(maxlen=memory)
        self._live: list[_Live] = []
        self._done: list[_Live] = []
        self._owners = 0
        self._looks = 0
        self._began = True

    def move(self, frame: int, flow: Float32, trust: Float32) -> None:
        """Carry all lights to the next frame; `flow` (h, w, 2) leads from it back to the one before, trusted by `trust`."""
        self._past.append((frame, flow, trust))
        self._began = False
        for live in self._live:
            quad = _carried(live.quads[-1], flow, forward=True)
            is_hidden = _mean_in(trust, quad) < _HIDDEN
            live.frames.append(frame)
            live.quads.append(quad)
            live.sure.append(live.sure[-1] * (_HIDDEN_FALL if is_hidden else 1))
        self._end(x for x in self._live if x.sure[-1] < _GONE or self._is_outside(x.quads[-1]))

    def cut(self) -> None:
        """End all tracks: the next frame is of another take."""
        self._past.clear()
        self._end(list(self._live))
        self._began = True

    def look(self, frame: int, found: Sequence[Found]) -> None:
        """Tell what is found in the frame that lights were last carried to."""
        self._looks += 1
        pairs = _matched(self._live, found)
        owners = self._owners_of(found, pairs)
        for index, one in enumerate(found):
            if (live := pairs.get(index)) is not None:
                _pull(live, one)
            else:
                live = self._begin(frame, one)
            if one.house >= 0:
                live.owners[owners[one.kind in _CARS, one.house]] += 1
        known = {id(live) for live in pairs.values()}
        for live in self._live:
            if (
                id(live) not in known
                and live.frames[-1] == frame
                and live.fresh < len(live.frames) - 1
            ):
                live.sure[-1] *= _FALL
        self._end(x for x in self._live if x.sure[-1] < _GONE)

    def lights(self) -> tuple[Light, ...]:
        """End all tracks and return the lights that are worth to be kept, by the frame and place at which they begin."""
        self.cut()
        least = min(_LEAST_FINDS, self._looks)
        kept = [x for x in self._done if max(x.sure) >= _WEAK and x.finds >= least]
        kept.sort(key=lambda x: (x.frames[0], x.kind, *x.quads[0].ravel().tolist()))
        return tuple(
            Light(
                index + 1, x.kind, _track_of(x), x.owners.most_common(1)[0][0] if x.owners else None
            )
            for index, x in enumerate(kept)
        )

    def _owners_of(
        self, found: Sequence[Found], pairs: dict[int, _Live]
    ) -> dict[tuple[bool, int], int]:
        """The lasting number of each house and car of a frame: that of most lights known in it, or a new one."""
        votes: dict[tuple[bool, int], Counter[int]] = {}
        for index, one in enumerate(found):
            if one.house < 0:
                continue
            mine = votes.setdefault((one.kind in _CARS, one.house), Counter())
            if (live := pairs.get(index)) is not None and live.owners:
                mine[live.owners.most_common(1)[0][0]] += 1
        owners = {}
        for key, counted in votes.items():
            if not counted:
                self._owners += 1
            owners[key] = counted.most_common(1)[0][0] if counted else self._owners
        return owners

    def _begin(self, frame: int, one: Found) -> _Live:
        """Begin a track, and follow it back to where it appears."""
        live = _Live(one.kind, [frame], [one.quad], [one.confidence], whole_start=self._began)
        quad = one.quad
        for before, flow, trust in reversed(self._past):
            if _mean_in(trust, quad) < _HIDDEN:
                break
            quad = _carried(quad, flow, forward=False)
            live.frames.insert(0, before - 1)
            live.quads.insert(0, quad)
            live.sure.insert(0, one.confidence)
            if self._is_outside(quad):
                break
        else:
            live.whole_start = True
        live.whole_start |= self._is_at_edge(live.quads[0])
        live.fresh = len(live.frames) - 1
        self._live.append(live)
        return live

    def _is_outside(self, quad: Float32) -> bool:
        x, y = quad.mean(0)
        return not (0 <= x < self._size[1] and 0 <= y < self._size[0])

    def _is_at_edge(self, quad: Float32) -> bool:
        low, high = quad.min(0), quad.max(0)
        margin = _EDGE * min(self._size)
        return bool((low < margin).any() or (high > np.array(self._size[::-1]) - margin).any())

    def _end(self, gone: Iterable[_Live]) -> None:
        ended = list(gone)
        dead = {id(x) for x in ended}
        self._done += ended
        self._live = [x for x in self._live if id(x) not in dead]


_CARS = ("front-lamp", "rear-lamp")


def _carried(quad: Float32, flow: Float32, *, forward: bool) -> Float32:
    """A quad where the picture around it moved: shifted and scaled as most of it was."""
    at = quad
    for _ in range(3 if forward else 1):  # forward, the flow is that of where it comes to
        places, moves = _around(at, flow)
        shift, scale = _fitted(places, moves, at.mean(0))
        moved = (at - at.mean(0)) * scale + at.mean(0) + shift
        if not forward:
            return np.asarray(moved, np.float32)
        # moved leads back: the way there and back must end at the quad
        at = np.asarray(at + (quad - moved), np.float32)
    return at


def _around(quad: Float32, flow: Float32) -> tuple[Float32, Float32]:
    height, width = flow.shape[:2]
    low = np.clip(np.floor(quad.min(0)) - _AROUND, 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(quad.max(0)) + _AROUND, low + 1, (width, height)).astype(int)
    box = flow[low[1] : high[1], low[0] : high[0]]
    y, x = np.mgrid[low[1] : high[1], low[0] : high[0]].astype(np.float32) + np.float32(0.5)
    return np.stack([x.ravel(), y.ravel()], 1), box.reshape(-1, 2)


def _fitted(places: Float32, moves: Float32, middle: Float32) -> tuple[Float32, float]:
    """The shift of the middle and the scale by which most places move."""
    typical = np.median(moves, axis=0)
    near = np.abs(moves - typical).sum(1) <= 1 + np.abs(typical).sum() * 0.25
    offsets, moved = (places - middle)[near], (moves - typical)[near]
    spread = float((offsets * offsets).sum())
    slope = float((offsets * (moved - moved.mean(0))).sum()) / spread if spread > 50 else 0.0
    slope = float(np.clip(slope, -0.1, 0.1))
    mean = moves[near].mean(0) - slope * offsets.mean(0)
    return mean.astype(np.float32), 1 + slope


def _mean_in(plane: Float32, quad: Float32) -> float:
    height, width = plane.shape
    low = np.clip(np.floor(quad.min(0)), 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(quad.max(0)), low + 1, (width, height)).astype(int)
    return float(plane[low[1] : high[1], low[0] : high[0]].mean())


def _matched(tracks: Sequence[_Live], found: Sequence[Found]) -> dict[int, _Live]:
    """Which find is of which track: the most alike first, each once."""
    scores = [
        (score, i, j)
        for i, one in enumerate(found)
        for j, live in enumerate(tracks)
        if live.kind == one.kind and (score := _alike(one.quad, live.quads[-1])) > 0
    ]
    pairs: dict[int, _Live] = {}
    used: set[int] = set()
    for _, i, j in sorted(scores, key=lambda s: (-s[0], s[1], s[2])):
        if i not in pairs and j not in used:
            pairs[i] = tracks[j]
            used.add(j)
    return pairs


def _alike(one: Float32, other: Float32) -> float:
    """How alike two quads lie, 0 to 2: by what their boxes share, or where both are small by how near they are."""
    (low, high), (low2, high2) = ((q.min(0), q.max(0)) for q in (one, other))
    both = np.clip(np.minimum(high, high2) - np.maximum(low, low2), 0, None).prod()
    either = (high - low).prod() + (high2 - low2).prod() - both
    share = float(both / max(either, 1e-6))
    if share >= _ALIKE:
        return 1 + share
    size = max(float(np.maximum(high - low, high2 - low2).max()), 2.0)
    apart = float(np.hypot(*(one.mean(0) - other.mean(0)))) / size
    sizes = np.sqrt(max((high - low).prod(), 1e-6) / max((high2 - low2).prod(), 1e-6))
    return 1 - apart if apart < _NEAR and 0.5 < sizes < 2 else 0.0


def _pull(live: _Live, one: Found) -> None:
    """Move a track towards its find, a little more in each frame since it was last found."""
    step = (one.quad - live.quads[-1]) * np.float32(_PULL)
    last = len(live.frames) - 1
    since = max(last - live.fresh, 1)
    for place in range(live.fresh + 1, last + 1):
        live.quads[place] = live.quads[place] + step * np.float32((place - live.fresh) / since)
    live.sure[-1] += _RISE * (one.confidence - live.sure[-1])
    live.finds += 1
    live.fresh = last


def _track_of(live: _Live) -> Track:
    frames = np.array(live.frames, np.int64)
    quads = np.stack(live.quads).astype(np.float32)
    sure = _faded(np.array(live.sure, np.float32), whole_start=live.whole_start)
    keep = _corners(np.concatenate([quads.reshape(len(frames), 8), 20 * sure[:, None]], axis=1))
    return Track(frames[keep], quads[keep], sure[keep])


def _faded(sure: Float32, *, whole_start: bool) -> Float32:
    """Confidence along a track, smoothed, that never rises or falls by more than a sixth a frame."""
    if len(sure) == 1:
        return sure
    side = min(2 * _FADE_FRAMES + 1, len(sure) // 2 * 2 + 1)
    smooth = cv2.blur(sure[:, None], (1, side), borderType=cv2.BORDER_REPLICATE)[:, 0]
    step = 1 / _FADE_FRAMES
    out = np.array(smooth, np.float32)
    if not whole_start:
        out[0] = 0
    for i in range(1, len(out)):
        out[i] = min(out[i], out[i - 1] + step)
    for i in range(len(out) - 2, -1, -1):
        out[i] = min(out[i], out[i + 1] + step)
    return out


def _corners(rows: Float32) -> list[int]:
    """The rows (n, k) between which straight lines come near all others."""
    keep, spans = {0, len(rows) - 1}, [(0, len(rows) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        share = np.linspace(0, 1, last - first + 1, dtype=np.float32)[:, None]
        missed = np.abs(rows[first] + share * (rows[last] - rows[first]) - rows[first : last + 1])
        worst = int(missed.max(1).argmax())
        if missed[worst].max() > _STRAIGHT_PX:
            keep.add(first + worst)
            spans += [(first, first + worst), (first + worst, last)]
    return sorted(keep)
