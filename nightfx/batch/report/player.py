"""A short clip of a plate and its render beside each other, in one video so that both are always at the same frame."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from fractions import Fraction
from io import BytesIO
from itertools import islice

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from nightfx.picture import Float32

FRAMES = 36
_WIDE_PX = 720  # of both together
_LINE_PX = 2
_OPTIONS = {"crf": "27", "preset": "veryfast"}


def player_of(plate: Iterable[Float32], render: Iterable[Float32], rate: Fraction) -> str | None:
    """The first frames of both, pictures (3, H, W) in [0, 1], as MP4 in base64; None of a single one, which no player needs."""
    pairs = zip(plate, render, strict=False)
    shown = [_beside(a, b) for a, b in islice(pairs, FRAMES)]
    if len(shown) < 2:
        return None
    data = BytesIO()
    with av.open(data, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=rate, options=_OPTIONS)
        stream.height, stream.width = shown[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for picture in shown:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        out.mux(stream.encode())
    return base64.b64encode(data.getvalue()).decode("ascii")


def _beside(plate: Float32, render: Float32) -> NDArray[np.uint8]:
    """Both pictures with a line between them, of even width and height; of portraits, too, the plate is on the left."""
    width = (_WIDE_PX - _LINE_PX) // 2
    height = max(round(plate.shape[1] * width / plate.shape[2]), 2)
    height = min(height, 2 * width)
    width = round(plate.shape[2] * height / plate.shape[1])
    both = [_sized(picture, width, height) for picture in (plate, render)]
    line = np.full((height, _LINE_PX, 3), 40, np.uint8)
    whole = np.concatenate([both[0], line, both[1]], axis=1)
    return np.ascontiguousarray(whole[: height // 2 * 2, : whole.shape[1] // 2 * 2])


def _sized(picture: Float32, width: int, height: int) -> NDArray[np.uint8]:
    codes = (picture.clip(0, 1) * 255 + 0.5).astype(np.uint8).transpose(1, 2, 0)
    small = cv2.resize(codes, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)
