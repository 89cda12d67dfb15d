"""Interlaced pictures: filled up to whole ones, or taken apart into fields and woven again.

A generator must not see two moments combed into one picture. Either way one frame comes out for one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice

import av
import av.filter
import numpy as np

from nightfx.errors import SourceError
from nightfx.picture import Frame, Plane, fill, frame_of
from nightfx.source.probe import ClipInfo

BOTTOM_FIRST = (3, 5)
"""FFmpeg's numbers of a field order whose bottom field is shown first."""


def is_interlaced(info: ClipInfo) -> bool:
    """Say whether a clip is interlaced, by its first picture or by its header."""
    return info.interlaced or info.field_order > 1


def as_progressive(info: ClipInfo) -> ClipInfo:
    """Return what is known of a clip when it has been deinterlaced."""
    return replace(info, interlaced=False, field_order=1)


def deinterlaced(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Yield each frame with its first field filled up to a whole picture (bwdif).

    Frames that are not flagged as interlaced pass as they are. Times stay the source's. A frame depends on the one
    before and the one behind it alone.
    """
    frames, before = iter(frames), None
    for frame in frames:
        if is_combed(frame):
            yield from _filled(chain([frame], frames), before)
            return
        yield frame
        before = frame


def is_combed(frame: Frame) -> bool:
    """Say whether a frame is flagged as two fields."""
    return frame.origin is not None and frame.origin.interlaced_frame


def progressive_alone(frames: Iterable[Frame], info: ClipInfo) -> Iterator[Frame]:
    """Yield frames as they are; raises SourceError at one that is flagged as two fields."""
    for frame in frames:
        if is_combed(frame):
            seconds = float((frame.pts - info.start_pts) * frame.time_base)
            words = "split the clip there, or leave out --interlaced keep"
            raise SourceError(f"{info.path}: turns interlaced at {seconds:.2f} s: {words}")
        yield frame


def _filled(frames: Iterator[Frame], before: Frame | None) -> Iterator[Frame]:
    """Fill up frames, the first of which is interlaced; the one `before` is seen and not yielded."""
    first = next(frames)
    assert first.origin is not None, "a reader keeps those of interlaced frames"
    graph, waiting = _graph(first, first.origin), deque[Frame]()
    form = first.origin.format.name
    filled = _through(graph, waiting, chain([before] if before else [], [first], frames), form)
    yield from islice(filled, 1 if before else 0, None)


def _through(
    graph: av.filter.Graph, waiting: deque[Frame], frames: Iterable[Frame], form: str
) -> Iterator[Frame]:
    for frame in frames:
        waiting.append(frame)
        graph.push(_image(frame, form))
        yield from _filtered(graph, waiting)
    graph.push(None)
    yield from _filtered(graph, waiting)


def _image(frame: Frame, form: str) -> av.VideoFrame:
    """The decoded picture of a frame; one of its planes where the reader kept none, or its pixels may be another's."""
    image = frame.origin
    if image is None or not is_combed(frame):
        image = av.VideoFrame(frame.width, frame.height, form)
        fill(image, frame.planes, frame.coding)
    image.pts, image.time_base = frame.pts, frame.time_base
    return image


def split(frames: Iterable[Frame], info: ClipInfo) -> Iterator[Frame]:
    """Yield the two fields of each frame as frames of half the height, the earlier one first."""
    first = info.field_order in BOTTOM_FIRST
    for frame in frames:
        for parity in (first, not first):
            planes = tuple(np.ascontiguousarray(plane[int(parity) :: 2]) for plane in frame.planes)
            # half the tick: the later field stands in the middle of its frame
            pts = 2 * frame.pts + (max(frame.duration, 1) if parity != first else 0)
            base = frame.time_base / 2
            yield replace(frame, planes=planes, pts=pts, time_base=base)


def woven(fields: Iterable[Frame], info: ClipInfo) -> Iterator[Frame]:
    """Put fields back together: a frame for every two, with the time of the earlier one."""
    bottom_first = info.field_order in BOTTOM_FIRST
    halves = iter(fields)
    for early, late in zip(halves, halves, strict=True):
        pair = (late, early) if bottom_first else (early, late)
        planes = tuple(_weave(*rows) for rows in zip(*(f.planes for f in pair), strict=True))
        yield replace(early, planes=planes, pts=early.pts // 2, time_base=early.time_base * 2)


def _weave(top: Plane, bottom: Plane) -> Plane:
    plane = np.empty((top.shape[0] + bottom.shape[0], top.shape[1]), top.dtype)
    plane[0::2], plane[1::2] = top, bottom
    return plane


def _graph(frame: Frame, image: av.VideoFrame) -> av.filter.Graph:
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=image.width, height=image.height, format=image.format, time_base=frame.time_base
    )
    bwdif = graph.add("bwdif", "mode=send_frame:deint=interlaced")
    sink = graph.add("buffersink")
    source.link_to(bwdif)
    bwdif.link_to(sink)
    graph.configure()
    return graph


def _filtered(graph: av.filter.Graph, waiting: deque[Frame]) -> Iterator[Frame]:
    while True:
        try:
            image = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        assert isinstance(image, av.VideoFrame), image
        frame = waiting.popleft()
        if not is_combed(frame):
            yield frame
            continue
        yield replace(frame, planes=frame_of(image, frame.coding).planes, origin=image)
