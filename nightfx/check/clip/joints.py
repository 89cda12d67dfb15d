"""Bring a source whose times begin anew, as where recordings were joined, onto one clock: its picture and its sound."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import accumulate, pairwise

from nightfx.check.clip.contents import CarriedPacket, Contents, Track

_STREAMS = ("mpegts", "mpeg", "mpegvideo", "ogg")
_LONGEST_GAP = 10  # seconds that a stream may be silent before its clock is taken for another
_JITTER = Fraction(1, 20)  # seconds that packets of sound may run back without a joint


def on_one_clock(clip: Contents) -> Contents:
    """Return a clip whose pictures run on by the usual step where their times begin anew, and all else with them."""
    times, is_stream = clip.picture.times, clip.format_name in _STREAMS
    moves = _moves(times, is_stream=is_stream)
    if not any(moves):
        return clip
    moved = [time + by for time, by in zip(times, accumulate(moves), strict=True)]
    picture = replace(clip.picture, times=moved, end=2 * moved[-1] - moved[-2], claimed_end=None)
    jumps = [by for by in moves if by]
    tracks = {i: _run_on(t, jumps, is_stream=is_stream) for i, t in clip.tracks.items()}
    return replace(clip, picture=picture, tracks=tracks)


def _moves(times: list[Fraction], *, is_stream: bool) -> list[Fraction]:
    """By how much each picture is moved against the one before."""
    steps = sorted(b - a for a, b in pairwise(times) if b > a)
    usual = steps[len(steps) // 2] if steps else Fraction(0)
    gap = _LONGEST_GAP if is_stream else float("inf")
    return [Fraction(0)] * bool(times) + [
        Fraction(0) if 0 < b - a <= gap else a + usual - b for a, b in pairwise(times)
    ]


def _run_on(track: Track, jumps: list[Fraction], *, is_stream: bool) -> Track:
    """Move the packets of a stream with the picture; one that does not begin anew as often stays as it is."""
    starts = [piece.start for piece in track.pieces]
    gap = _LONGEST_GAP if is_stream else float("inf")
    anew = [not -_JITTER <= b - a <= gap for a, b in pairwise(starts)]
    if track.kind != "audio" or sum(anew) != len(jumps):
        return track
    moves, pieces = iter(jumps), track.pieces[:1]
    by = Fraction(0)
    for piece, begins in zip(track.pieces[1:], anew, strict=True):
        by += next(moves) if begins else 0
        pieces.append(_moved(piece, by))
    return replace(track, pieces=pieces)


def _moved(piece: CarriedPacket, by: Fraction) -> CarriedPacket:
    return replace(piece, start=piece.start + by, end=piece.end + by)
