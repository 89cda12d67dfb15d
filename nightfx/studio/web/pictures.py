"""Pictures as a browser takes them: JPEG of a frame, PNG of what is drawn."""

from __future__ import annotations

import cv2
import numpy as np

from nightfx.picture import Float32, Frame, upright
from nightfx.preview.pick import Picked
from nightfx.preview.scopes import Pixels, histogram, vectorscope, waveform
from nightfx.preview.shown import to_pixels, view

_QUALITY = 93
_SCOPE_PX = 600, 180  # width and height of one
_VEIL, _VEIL_COVERS = (235, 60, 120), 0.6  # no sky has that colour


def jpeg_of(picked: Picked, frame: Frame) -> bytes:
    """A frame as a display shows it, its pixel aspect counted; raises nothing that a user could mend."""
    shown = view(picked, frame)
    width, height = (max(round(px), 1) for px in picked.square_px(shown.shape[1:]))
    return _encoded(".jpg", to_pixels(shown, width, height))


def scopes_of(picked: Picked, frame: Frame) -> bytes:
    """Waveform above, histogram and vectorscope beside each other below, as PNG."""
    shown, (width, height) = view(picked, frame), _SCOPE_PX
    below = [histogram(shown, width // 2, width // 2), vectorscope(shown, width // 2)]
    drawn = [waveform(shown, height, width), np.concatenate(below, axis=1)]
    return _encoded(".png", np.concatenate(drawn))


def sky_of(picked: Picked, sky: Float32) -> bytes:
    """How surely each cell (h, w) of a frame as it is coded is sky, as a veil over the upright frame: PNG with alpha."""
    cover = upright(sky[None], picked.frame)[0].clip(0, 1)
    veil = np.empty((*cover.shape, 4), np.uint8)
    veil[..., :3] = _VEIL
    veil[..., 3] = np.rint(cover * _VEIL_COVERS * 255)
    return _encoded(".png", veil)


def _encoded(kind: str, pixels: Pixels) -> bytes:
    how = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY] if kind == ".jpg" else []
    if how:  # colour at full size: edges of lamps are saturated
        how += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    order = [2, 1, 0, 3][: pixels.shape[2]]  # OpenCV's own begins with blue
    done, data = cv2.imencode(kind, np.ascontiguousarray(pixels[..., order]), how)
    assert done, "any picture is encoded"
    return data.tobytes()
