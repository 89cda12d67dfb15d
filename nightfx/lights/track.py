"""Lights followed through a shot: what is found now and then, followed from frame to frame between.

What is found again pulls its track gently to where it is, and that is spread over the frames since it was last found, so that
nothing jumps. What is found late is followed back to where it appeared. Each find raises the confidence and each miss
lowers it; what is hidden keeps its place and its number, and shines when it is seen again.
"""

from __future__ import annotations

from array import array
from collections import Counter, deque
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from nightfx.lights.follow import Byte, follow, looks_of
from nightfx.lights.found import Found
from nightfx.lights.listed import Light, LightTrack
from nightfx.picture import Float32

_PULL = 0.2  # of the way to where it is found, at least; first finds are averaged
_RISE, _FALL = 0.5, 0.6  # of the confidence, by a find and a miss
_GONE = 0.15  # confidence below which a track ends
_LOST_FRAMES = 72  # for which it may be hidden
_WEAK = 0.3  # the most that a track's confidence must come to
_LEAST_FINDS = 2  # where there were as many looks at it
_ALIKE = 0.3  # intersection over union of a find and a track
_NEAR = 0.6  # of their size that their middles may be apart
_FADE_FRAMES, _HIDE_FRAMES = (
    6,
    2,
)  # in which it comes and goes, and in which something passes before it
_EDGE_PX = 8  # what begins so near to the picture's edge came in
_STRAIGHT_PX = 0.05  # what straight lines between the frames of a track may miss
_CARS = ("front-lamp", "rear-lamp")


@dataclass
class _Live:
    """A light that is followed, in each frame since its first."""

    kind: str
    first: int
    quads: array[float]
    """Eight numbers a frame."""
    look: Float32
    """What it looked like when it was last found."""
    sure: array[float] = field(default_factory=lambda: array("f"))
    shown: array[int] = field(default_factory=lambda: array("b"))
    """Whether it was seen, 1 or 0."""
    finds: int = 1
    looks: int = 1
    """How often it could have been found."""
    fresh: int = 0
    """Place in the lists of the frame in which it was last found."""
    owners: Counter[int] = field(default_factory=Counter)
    whole_start: bool = False
    """Whether it was there when the take began, or the picture it came into."""
    whole_end: bool = False
    left_at_edge: bool = False
    """Whether it was at the picture's edge when it was last seen."""

    def __len__(self) -> int:
        return len(self.sure)

    @property
    def quad(self) -> Float32:
        """Where it is now, (4, 2)."""
        return np.array(self.quads[-8:], np.float32).reshape(4, 2)

    @property
    def hidden_frames(self) -> int:
        """For how many frames it has not been seen."""
        return len(self.shown) - 1 - bytes(self.shown).rfind(1)

    def add(self, quad: Float32, *, is_shown: bool) -> None:
        """Carry it to the next frame."""
        self.quads.extend(quad.ravel().tolist())
        self.sure.append(self.sure[-1])
        self.shown.append(is_shown)


@dataclass(frozen=True)
class _Ended:
    kind: str
    track: LightTrack
    owners: Counter[int]


class Tracker:
    """Follows lights along a shot whose frames are shown one after another; places are px of their luma."""

    def __init__(self, memory: int = 48) -> None:
        """Follow lights, and what is found late back over `memory` frames."""
        self._past: deque[Byte] = deque(maxlen=memory + 1)
        self._live: list[_Live] = []
        self._ended: list[_Ended] = []
        self._owners = 0
        self._frame = 0
        self._begun = 0

    def show(self, frame: int, luma: Byte, *, is_cut: bool = False) -> None:
        """Carry all lights to the next frame, whose number is one more; after a cut there are none."""
        if is_cut:
            self._cut()
        luma = np.ascontiguousarray(luma)
        if not self._past:
            self._begun = frame
        elif self._live:
            quads, looks = (np.stack([getattr(x, y) for x in self._live]) for y in ("quad", "look"))
            moved = zip(*follow(self._past[-1], luma, quads, looks), strict=True)
            for live, (quad, is_shown) in zip(self._live, moved, strict=True):
                live.add(quad, is_shown=bool(is_shown))
                if is_shown:
                    live.left_at_edge = _is_near_edge(quad, luma, _EDGE_PX)
        self._past.append(luma)
        self._frame = frame
        self._end(x for x in self._live if self._has_gone(x))

    def look(self, found: Sequence[Found]) -> None:
        """Tell what is found in the frame that was last shown."""
        luma = self._past[-1]
        pairs = _matched(self._live, found)
        owners = self._owners_of(found, pairs)
        known = {id(live) for live in pairs.values()}
        for live in self._live:
            # what reaches over the picture's edge, or is hidden, cannot be found
            if id(live) not in known and live.shown[-1] and not _is_near_edge(live.quad, luma, 1):
                live.sure[-1] *= _FALL**live.finds**-0.5  # what was found often may be missed
                live.looks += 1
        new = self._unknown(found, pairs)
        for i, live in pairs.items():
            _pull(live, found[i], luma)
        pairs |= zip(new, self._begin([found[i] for i in new]), strict=True)
        for i, live in pairs.items():
            if found[i].house >= 0:
                live.owners[owners[found[i].kind in _CARS, found[i].house]] += 1
        self._end(x for x in self._live if x.sure[-1] < _GONE)

    def lights(self) -> tuple[Light, ...]:
        """End all tracks and return the lights that are worth to be kept, by the frame and place at which they begin."""
        self._cut()
        kept = sorted(
            self._ended,
            key=lambda x: (x.track.frames[0], x.kind, *x.track.quads[0].ravel().tolist()),
        )
        return tuple(
            Light(i, x.kind, x.track, x.owners.most_common(1)[0][0] if x.owners else None)
            for i, x in enumerate(kept, start=1)
        )

    def _cut(self) -> None:
        for live in self._live:
            live.whole_end = True
        self._end(self._live)
        self._past.clear()

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

    def _unknown(self, found: Sequence[Found], known: Container[int]) -> list[int]:
        """Which finds are of no light yet: of two finds of one light the more alike counts."""
        new = [i for i in range(len(found)) if i not in known]
        if not self._live or not new:
            return new
        shared = _shared(
            np.stack([found[i].quad for i in new]), np.stack([x.quad for x in self._live])
        )
        kinds = [x.kind for x in self._live]
        near = [{k for k, s in zip(kinds, row, strict=True) if s >= _ALIKE} for row in shared]
        return [i for i, there in zip(new, near, strict=True) if found[i].kind not in there]

    def _begin(self, found: Sequence[Found]) -> list[_Live]:
        """Begin tracks of what is found anew, followed back to where it appeared."""
        if not found:
            return []
        looks = looks_of(self._past[-1], np.stack([one.quad for one in found]))
        back = [[one.quad] for one in found]
        followed = list(range(len(found)))
        for now, before in zip(list(self._past)[:0:-1], list(self._past)[-2::-1], strict=True):
            last = np.stack([back[i][-1] for i in followed])
            quads, seen = follow(now, before, last, looks[followed])
            kept = [k for k, q in enumerate(quads) if seen[k] and not _is_outside(q, before)]
            followed = [followed[k] for k in kept]
            for k, i in zip(kept, followed, strict=True):
                back[i].append(quads[k])
            if not followed:
                break
        reaches_back = self._frame - self._begun < len(self._past)
        begun = [
            self._live_of(one, back[i], looks[i], is_whole=reaches_back and i in followed)
            for i, one in enumerate(found)
        ]
        self._live += begun
        return begun

    def _live_of(
        self, one: Found, back: Sequence[Float32], look: Float32, *, is_whole: bool
    ) -> _Live:
        """A track that is followed from where it leads back to."""
        return _Live(
            one.kind,
            self._frame - len(back) + 1,
            array("f", np.stack(back[::-1]).ravel().tolist()),
            look,
            array("f", [one.confidence] * len(back)),
            array("b", [1] * len(back)),
            fresh=len(back) - 1,
            whole_start=is_whole or _is_near_edge(back[-1], self._past[-1], _EDGE_PX),
        )

    def _has_gone(self, live: _Live) -> bool:
        live.whole_end = _is_outside(live.quad, self._past[-1])
        return live.whole_end or live.hidden_frames > _LOST_FRAMES

    def _end(self, gone: Iterable[_Live]) -> None:
        """Let tracks end; those that are weak, or found too seldom, are left out."""
        ended = list(gone)
        dead = {id(x) for x in ended}
        self._live = [x for x in self._live if id(x) not in dead]
        self._ended += [
            _Ended(x.kind, _track_of(x), x.owners)
            for x in ended
            if max(x.sure) >= _WEAK and x.finds >= min(_LEAST_FINDS, x.looks)
        ]


def _is_outside(quad: Float32, luma: Byte) -> bool:
    low, high = quad.min(0), quad.max(0)
    return bool((high <= 0).any() or (low >= luma.shape[::-1]).any())


def _is_near_edge(quad: Float32, luma: Byte, px: float) -> bool:
    low, high = quad.min(0), quad.max(0)
    return bool((low < px).any() or (high > np.array(luma.shape[::-1]) - px).any())


def _matched(tracks: Sequence[_Live], found: Sequence[Found]) -> dict[int, _Live]:
    """Which find is of which track: the most alike first, each once."""
    if not tracks or not found:
        return {}
    scores = _alike(np.stack([x.quad for x in found]), np.stack([x.quad for x in tracks]))
    scores[[[one.kind != live.kind for live in tracks] for one in found]] = 0
    pairs: dict[int, _Live] = {}
    used: set[int] = set()
    candidates = np.argwhere(scores > 0)
    for k in np.argsort(-scores[scores > 0], kind="stable"):
        i, j = candidates[k].tolist()
        if i not in pairs and j not in used:
            pairs[i] = tracks[j]
            used.add(j)
    return pairs


def _shared(quads: Float32, others: Float32) -> Float32:
    """Intersection over union (n, m) of the boxes of quads (n, 4, 2) and of others (m, 4, 2)."""
    low, high = quads.min(1)[:, None], quads.max(1)[:, None]
    low2, high2 = others.min(1)[None], others.max(1)[None]
    both = np.clip(np.minimum(high, high2) - np.maximum(low, low2), 0, None).prod(2)
    either = (high - low).prod(2) + (high2 - low2).prod(2) - both
    return np.asarray(both / np.maximum(either, 1e-6), np.float32)


def _alike(quads: Float32, others: Float32) -> Float32:
    """How alike quads (n, 4, 2) and others (m, 4, 2) lie, (n, m), 0 to 2: by what their boxes share, or where small by how near they are."""
    share = _shared(quads, others)
    sides, sides2 = np.ptp(quads, axis=1)[:, None], np.ptp(others, axis=1)[None]
    size = np.maximum(np.maximum(sides, sides2).max(2), 2)
    between = quads.mean(1)[:, None] - others.mean(1)[None]
    apart = np.hypot(between[..., 0], between[..., 1]) / size
    sizes = np.sqrt(np.maximum(sides.prod(2), 1e-6) / np.maximum(sides2.prod(2), 1e-6))
    is_near = (apart < _NEAR) & (sizes > 0.5) & (sizes < 2)
    return np.where(share >= _ALIKE, 1 + share, np.where(is_near, 1 - apart, 0))


def _pull(live: _Live, one: Found, luma: Byte) -> None:
    """Move a track towards its find, a little more in each frame since it was last found."""
    live.finds, live.looks = live.finds + 1, live.looks + 1
    step = (one.quad - live.quad).ravel() * np.float32(max(_PULL, 1 / live.finds))
    last = len(live) - 1
    shares = np.arange(1, last - live.fresh + 1, dtype=np.float32) / max(last - live.fresh, 1)
    quads = np.array(live.quads[8 * (live.fresh + 1) :], np.float32).reshape(-1, 8)
    live.quads[8 * (live.fresh + 1) :] = array("f", (quads + shares[:, None] * step).ravel())
    live.sure[-1] += _RISE * (one.confidence - live.sure[-1])
    live.shown[-1] = 1
    live.look = looks_of(luma, live.quad[None])[0]
    live.fresh = last


def _track_of(live: _Live) -> LightTrack:
    count = len(live) - live.hidden_frames
    frames = np.arange(live.first, live.first + count, dtype=np.int64)
    quads = np.array(live.quads[: 8 * count], np.float32).reshape(-1, 4, 2)
    sure = np.array(live.sure[:count], np.float32)
    shown = np.array(live.shown[:count], bool)
    if count < len(live):
        live = replace(live, whole_end=live.left_at_edge)
    sure = _faded(sure, live) * _ramps(shown.astype(np.float32), 1 / _HIDE_FRAMES)
    keep = corners_of(np.concatenate([quads.reshape(count, 8), 20 * sure[:, None]], axis=1))
    return LightTrack(frames[keep], quads[keep], sure[keep])


def _faded(sure: Float32, live: _Live) -> Float32:
    """Confidence along a track, smoothed, from nothing and to nothing where it begins or ends within picture and take."""
    if len(sure) == 1:
        return sure
    side = min(2 * _FADE_FRAMES + 1, len(sure) // 2 * 2 + 1)
    smooth = cv2.blur(sure[:, None], (1, side), borderType=cv2.BORDER_REPLICATE)[:, 0]
    smooth[0] *= live.whole_start
    smooth[-1] *= live.whole_end
    return _ramps(np.asarray(smooth, np.float32), 1 / _FADE_FRAMES)


def _ramps(values: Float32, step: float) -> Float32:
    """Values (n,), lowered until they neither rise nor fall by more than a step."""
    out = values.copy()
    for i in range(1, len(out)):
        out[i] = min(out[i], out[i - 1] + step)
    for i in range(len(out) - 2, -1, -1):
        out[i] = min(out[i], out[i + 1] + step)
    return out


def corners_of(rows: Float32) -> list[int]:
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
