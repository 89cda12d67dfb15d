"""A bake as a VapourSynth filter: `nightfx.hosts.vapoursynth.relight(clip, "shot.nfx")`, exact in whatever order frames are asked for."""

from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from nightfx.apply import Written, light_plate
from nightfx.baked import Bake, PlateFacts, open_bake
from nightfx.errors import SourceError
from nightfx.picture import SDR, Coding, Encodings, Frame, Matrix

_MATRICES: dict[int, Matrix] = {
    **{1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601"},
    **{7: "smpte240m", 9: "bt2020", 10: "bt2020c"},
}
"""By the number that VapourSynth's `_Matrix` has for it."""
_UNKNOWN = 2
_CHROMA = {(0, 0): "444", (1, 0): "422", (1, 1): "420"}
_FULL = 1  # of `_Range`; `_ColorRange`, which older ones have, says it by 0


def relight(clip: Any, baked: str | Path, *, first: int | None = None, seed: int = 0) -> Any:
    """The `clip`, a VideoNode, under the light of a bake, in its own format; frames that the bake lacks stay as they are.

    `clip` is the plate as it was baked, in 8 to 16 bits: its frame 0 has the number `first`, by default that of the
    plate's first. Raises `SourceError` for another plate and for a format that no bake is for.
    """
    bake = open_bake(Path(baked))
    start = bake.facts.plate_first if first is None else first
    _check(clip, bake, start, whole=first is None)
    lock = threading.Lock()  # a bake remembers the frame that it read last

    def lit(n: int, f: Any) -> Any:
        number = start + n
        if not bake.facts.first <= number < bake.facts.first + bake.facts.frames:
            return f
        frame = _frame_of(f, number)
        with lock:
            change, finish = bake.change_at(number, frame, seed)
        done = light_plate(frame, change, finish, Written(frame.coding, Encodings(SDR, SDR)))
        out = f.copy()
        for plane, values in enumerate(done.planes):
            np.copyto(np.asarray(out[plane]), values)
        return out

    return clip.std.ModifyFrame(clips=clip, selector=lit)


def _check(clip: Any, bake: Bake, first: int, *, whole: bool) -> None:
    layout = clip.format
    if not 8 <= layout.bits_per_sample <= 16 or layout.sample_type != 0:
        words = f"the clip is {layout.name}: give 8 to 16 bits of whole numbers"
        raise SourceError(words)
    if (layout.subsampling_w, layout.subsampling_h) not in _CHROMA or layout.num_planes != 3:
        raise SourceError(f"the clip is {layout.name}: give YUV 4:2:0, 4:2:2, 4:4:4 or RGB")
    rate = Fraction(clip.fps) if clip.fps else None
    frames = clip.num_frames if whole else bake.facts.plate_frames
    number = first if whole else bake.facts.plate_first
    for line in bake.facts.differences(PlateFacts(clip.width, clip.height, rate, number, frames)):
        raise SourceError(f"the bake {line}: bake this clip, or say first=")


def _frame_of(f: Any, number: int) -> Frame:
    """A frame of VapourSynth's as one of ours; its planes are shared where their rows lie close."""
    planes = tuple(np.ascontiguousarray(np.asarray(f[plane])) for plane in range(3))
    return Frame(planes, _coding_of(f), number, Fraction(1, 1), number=number)


def _coding_of(f: Any) -> Coding:
    layout, is_rgb = f.format, f.format.color_family.name == "RGB"
    deep = "" if layout.bits_per_sample == 8 else f"{layout.bits_per_sample}le"
    chroma = _CHROMA[layout.subsampling_w, layout.subsampling_h]
    name = f"gbrp{deep}" if is_rgb else f"yuv{chroma}p{deep}"
    matrix: Matrix = (
        "rgb" if is_rgb else _matrix_of(int(f.props.get("_Matrix", _UNKNOWN)), f.height)
    )
    full = is_rgb or _is_full(f.props)
    sizes = layout.subsampling_w, layout.subsampling_h
    return Coding(name, layout.bits_per_sample, *sizes, matrix, full, has_alpha=False)


def _matrix_of(tag: int, height: int) -> Matrix:
    """As a reader has it: what is not said goes by the height."""
    if tag == _UNKNOWN:
        return "bt709" if height >= 720 else "bt601"
    if tag not in _MATRICES:
        raise SourceError(f"colour matrix {tag} is not supported: convert to BT.709 first")
    return _MATRICES[tag]


def _is_full(props: Any) -> bool:
    if "_Range" in props:
        return bool(props["_Range"] == _FULL)
    return bool(props.get("_ColorRange", 1) == 0)
