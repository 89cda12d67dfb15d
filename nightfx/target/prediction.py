"""Say before rendering what of a clip a render cannot keep, a line each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from nightfx.carry import FORMATS, conversions, lines_of, refusals
from nightfx.source import (
    ClipInfo,
    Signs,
    decode,
    early_words,
    open_source,
    pick_stream,
    shift_timecode,
    side_data_of,
)
from nightfx.target import codecs, tags

_LOOKED_AT = 24  # pictures: captions need not be on the first


def predict_losses(path: Path, info: ClipInfo, plan: codecs.OutputPlan) -> Iterator[str]:
    """Yield a line for each thing that a render by `plan` changes or leaves out."""
    seen = replace(info, side_data=tuple(sorted({*info.side_data, *_side_data(path)})))
    yield from early_words(path)
    yield from lines_of(seen, FORMATS[plan.codec], plan.coding, plan.suffix)
    if note := tags.aspect_note(info, plan):
        yield note
    with open_source(path) as source:
        yield from conversions(source, plan.container).values()
        yield from refusals(source, plan.container, info.stream_index).values()
    rate = info.rate
    if info.timecode and rate and shift_timecode(info.timecode, 0, rate) is None:
        yield f"timecode {info.timecode} is not understood at {float(rate):.3f} fps: left out"


def _side_data(path: Path) -> set[str]:
    with open_source(path) as source:
        pictures = decode(source, pick_stream(source, path), Signs(), whole=False)
        return {kind for picture in islice(pictures, _LOOKED_AT) for kind in side_data_of(picture)}
