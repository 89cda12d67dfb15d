"""The end of a segment, encoded as the middle of a clip.

x264 and x265 look ahead, and spend on a picture what later ones take over from it. At the end of what they are given they
see none, and the last pictures would be up to 2 dB worse than those between. So they are shown the last ones again, backwards and
forwards: as much moves there, and as much stays, as in what follows. Of these no packet is taken.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import cycle

import av
from av.video.frame import PictureType
from av.video.stream import VideoStream

from nightfx.carry import FORMATS
from nightfx.target import codecs, times, writer

_KEPT_PICTURES = 4  # each is a picture in memory; with 8 nothing gets better


def encode_segment(
    video: VideoStream,
    pictures: Iterable[av.VideoFrame],
    plan: codecs.OutputPlan,
    goes_on: Callable[[], bool],
) -> Iterator[times.Packet]:
    """The packets of a segment's pictures, in coding order; `goes_on` says, after the last one, whether the clip does.

    Where it does, the encoder is left in the middle of its work.
    """
    if not FORMATS[plan.codec].looks_ahead:
        yield from writer.encode(video, pictures, plan)
        return
    shown: deque[av.VideoFrame] = deque(maxlen=_KEPT_PICTURES)
    awaited = 0
    for picture in _closed(pictures, goes_on):
        shown.append(picture)
        packets = video.encode(picture)
        awaited += 1 - len(packets)
        yield from packets
    if not goes_on():
        yield from video.encode(None)
        return
    for picture in _back_and_forth(shown):
        packets = video.encode(picture)[:awaited]
        awaited -= len(packets)
        yield from packets
        if not awaited:
            return


def _closed(
    pictures: Iterable[av.VideoFrame], goes_on: Callable[[], bool]
) -> Iterator[av.VideoFrame]:
    """The pictures; none before the last one will need any after it."""
    incoming = iter(pictures)
    waiting, is_first = next(incoming, None), True
    if waiting is None:
        return
    for picture in incoming:
        yield waiting
        waiting, is_first = picture, False
    if not is_first and goes_on():  # the first one is a keyframe in any case
        waiting.pict_type = PictureType.P
    yield waiting


def _back_and_forth(shown: Sequence[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    """The last pictures again and again, the last one left out at first, with later times."""
    places = [*reversed(range(len(shown) - 1)), *range(1, len(shown))] or [0]
    pts = (shown[-1].pts or 0) + max(shown[-1].duration, 1)
    for place in cycle(places):
        picture = shown[place]
        picture.pts, picture.pict_type = pts, PictureType.NONE
        pts += max(picture.duration, 1)
        yield picture
