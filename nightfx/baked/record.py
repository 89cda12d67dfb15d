"""A frame of a bake as bytes: which planes it has, the shapes of what shines, and the planes, each told from the frame before."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from nightfx.apply import Shape
from nightfx.baked.codec import MOST, Whole, packed_planes, unpacked_planes
from nightfx.baked.header import GROUPS, TRACKS, BakeFacts, TrackSize
from nightfx.baked.lit import BakedLight
from nightfx.baked.tracks import made_small
from nightfx.picture import Float32

_FRAME = struct.Struct("<IIffI")
_SHAPE = struct.Struct("<4i8f3f2fI")
_PANES = 1 << 8
_MOST_NUMBER = 65536.0  # of a place in px, or a light

Planes = Mapping[str, Whole]
"""Planes of whole numbers by the track's name."""


class Recorded(NamedTuple):
    """A frame as bytes, and the whole numbers in it, from which the next one is told."""

    data: bytes
    planes: Planes


def recorded(light: BakedLight, tracks: tuple[TrackSize, ...], before: Planes | None) -> Recorded:
    """Return a frame's light as bytes; it needs no frame before it where `before` is None."""
    planes = {
        track.name: _whole(made_small(light.planes, track), track)
        for track in tracks
        if track.name in light.planes
    }
    mask = sum(1 << TRACKS.index(name) for name in planes)
    parts = [
        _FRAME.pack(mask, len(light.shapes), light.sky, light.grain, light.grain_seed & 0xFFFFFFFF)
    ]
    parts += [_shape_bytes(shape) for shape in light.shapes]
    for name in (name for name in TRACKS if name in planes):
        last = (before or {}).get(name)
        data = packed_planes(planes[name], last)
        parts += [struct.pack("<I", len(data)), data]
    return Recorded(b"".join(parts), planes)


def values_of(planes: Planes, tracks: tuple[TrackSize, ...]) -> dict[str, Float32]:
    """Return what whole numbers of planes stand for."""
    return {
        track.name: planes[track.name] * _steps(track) for track in tracks if track.name in planes
    }


def _steps(track: TrackSize) -> Float32:
    return np.array(track.steps, np.float32)[:, None, None]


def _whole(values: Float32, track: TrackSize) -> Whole:
    whole = np.rint(np.nan_to_num(values) / _steps(track)).clip(1 - MOST, MOST - 1)
    return np.ascontiguousarray(whole, np.int32)


def _shape_bytes(shape: Shape) -> bytes:
    kind = GROUPS.index(shape.group) | (_PANES if shape.has_panes else 0)
    place = shape.left, shape.top, *shape.size[::-1]
    return _SHAPE.pack(
        *place, *shape.quad.ravel().tolist(), *shape.light.tolist(), shape.wall, shape.glass, kind
    )


class Unrecorded(NamedTuple):
    """What the bytes of a frame say."""

    light: BakedLight
    planes: Planes


def unrecorded(
    data: memoryview, facts: BakeFacts, strength: float, before: Planes | None
) -> Unrecorded:
    """Return the light of a frame's bytes; raises ValueError for anything that they may not be."""
    mask, count, sky, grain, seed = _FRAME.unpack_from(data)
    at = _FRAME.size + count * _SHAPE.size
    if at > len(data) or mask >> len(TRACKS) or not mask & 1:
        raise ValueError("its lamps or planes are none")
    if not (0 <= sky <= 1 and 0 <= grain <= 1):
        raise ValueError("a share out of range")
    shapes = tuple(_shapes(data[_FRAME.size : at], facts))
    sizes = {track.name: track for track in facts.tracks}
    planes: dict[str, Whole] = {}
    for name in (name for i, name in enumerate(TRACKS) if mask >> i & 1):
        if name not in sizes:
            raise ValueError(f"{name} is not in its head")
        (size,) = struct.unpack_from("<I", data, at)
        last = (before or {}).get(name)
        planes[name] = _read_planes(data[at + 4 : at + 4 + size], size, sizes[name], last)
        at += 4 + size
    if at != len(data) or ("sky" in planes) != ("matte" in planes):
        raise ValueError("its planes are others")
    return Unrecorded(
        BakedLight(values_of(planes, facts.tracks), shapes, strength, sky, grain, seed), planes
    )


def _read_planes(data: memoryview, size: int, track: TrackSize, before: Whole | None) -> Whole:
    shape = len(track.steps), track.height, track.width
    codes = np.frombuffer(data, np.uint8)
    found = unpacked_planes(codes, shape, before) if len(codes) == size else None
    if found is None:
        raise ValueError(f"its {track.name} is damaged")
    return found


def _shapes(data: memoryview, facts: BakeFacts) -> Iterator[Shape]:
    for left, top, width, height, *rest in _SHAPE.iter_unpack(data):
        numbers, kind = np.array(rest[:-1], np.float32), rest[-1]
        is_inside = 0 <= left < left + width <= facts.width
        is_inside = is_inside and 0 <= top < top + height <= facts.height
        if not is_inside or (kind & ~_PANES) >= len(GROUPS):
            raise ValueError("a lamp lies outside of the plate")
        if not np.isfinite(numbers).all() or np.abs(numbers).max() > _MOST_NUMBER:
            raise ValueError("a lamp out of range")
        yield Shape(
            *(left, top, (height, width), numbers[:8].reshape(4, 2), numbers[8:11]),
            *(bool(kind & _PANES), float(numbers[11]), float(numbers[12]), GROUPS[kind & 0xFF]),
        )
