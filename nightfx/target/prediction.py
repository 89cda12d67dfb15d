"""Say before rendering what of a clip a render cannot keep, a line each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from nightfx.carry import (
    FORMATS,
    conversions,
    eyes_line,
    flag_lines,
    lines_of,
    name_line,
    read_timecode,
    refusals,
    spoken_lines,
    spoken_of,
    timecode_lines,
)
from nightfx.source import (
    ClipInfo,
    Signs,
    decode,
    early_words,
    open_source,
    pick_stream,
    side_data_of,
)
from nightfx.target import codecs

_LOOKED_AT = 24  # pictures: captions need not be on the first


def predict_losses(path: Path, info: ClipInfo, plan: codecs.OutputPlan) -> Iterator[str]:
    """Yield a line for each thing that a render by `plan` changes or leaves out."""
    seen = replace(info, side_data=tuple(sorted({*info.side_data, *_side_data(path)})))
    yield from early_words(path)
    yield from lines_of(seen, FORMATS[plan.codec], plan.coding, plan.suffix)
    with open_source(path) as source:
        if line := eyes_line(info, plan.container, source.streams[info.stream_index].metadata):
            yield line
        yield from spoken_lines(spoken_of(source, path), plan.container)
        yield from (line for s in source.streams if (line := name_line(plan.container, s)))
        yield from conversions(source, plan.container).values()
        refused = refusals(source, plan.container, info.stream_index)
        yield from refused.values()
        yield from flag_lines(source, plan.container, refused)
    if timecode := read_timecode(info, path):
        yield from timecode_lines(timecode, plan.container, info)


def _side_data(path: Path) -> set[str]:
    with open_source(path) as source:
        pictures = decode(source, pick_stream(source, path), Signs(), whole=False)
        return {kind for picture in islice(pictures, _LOOKED_AT) for kind in side_data_of(picture)}
