"""Say before rendering what of a clip a render cannot keep, a line each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from nightfx.video.carry import conversions, refusals
from nightfx.video.codecs import OutputPlan
from nightfx.video.damage import Signs
from nightfx.video.decode import decode
from nightfx.video.probe import ClipInfo, open_source, pick_stream, side_data_of
from nightfx.video.tags import aspect_note
from nightfx.video.timecode import shift_timecode

LOOKED_AT = 24  # pictures: captions need not be on the first
# side data of pictures, what it is called, and the codecs that can write it
SIDE_DATA = {
    "MASTERING_DISPLAY_METADATA": ("mastering display", ("h264", "h265", "av1")),
    "CONTENT_LIGHT_LEVEL": ("content light", ("h264", "h265", "av1")),
    "A53_CC": ("captions carried in the pictures", ("h264", "h265")),
    "DYNAMIC_HDR_PLUS": ("HDR10+ metadata", ()),
    "DOVI_METADATA": ("Dolby Vision metadata", ()),
}


def foresee(path: Path, info: ClipInfo, plan: OutputPlan) -> Iterator[str]:
    """Yield a line for each thing that a render by `plan` changes or leaves out."""
    yield from plan.notes
    if note := aspect_note(info, plan):
        yield note
    with open_source(path) as source:
        yield from conversions(source, plan.container).values()
        yield from refusals(source, plan.container, info.stream_index).values()
    for kind in sorted(_side_data(path)):
        name, codecs = SIDE_DATA.get(kind, ("", (plan.codec,)))
        if plan.codec not in codecs:
            yield f"{name}: left out"
    rate = info.rate
    if info.timecode and rate and shift_timecode(info.timecode, 0, rate) is None:
        yield f"timecode {info.timecode} is not understood at {float(rate):.3f} fps: left out"


def _side_data(path: Path) -> set[str]:
    with open_source(path) as source:
        pictures = decode(source, pick_stream(source, path), Signs(), whole=False)
        return {kind for picture in islice(pictures, LOOKED_AT) for kind in side_data_of(picture)}
