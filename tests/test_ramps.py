"""A night of ramps: no pixel gets brighter than the plate, and none falls below black, whatever the codes stand for."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from test_look import YUV8, YUV10, lit, relight_by

from nightfx.network.presets import load_preset
from nightfx.picture import luma
from nightfx.picture.encoding import LINEAR, PLAIN, Encodings, encoding_named
from nightfx.picture.frame import Coding, Frame, rgb_coding

HEIGHT, WIDTH = 48, 128
PQ = Encodings(*[encoding_named("pq")] * 2)


def ramp(coding: Coding, darkest: float, brightest: float) -> Frame:
    """From left to right, from one code to another, grey."""
    row = np.linspace(darkest, brightest, WIDTH)
    plane = np.tile(row if coding.is_float else row.round(), (HEIGHT, 1)).astype(coding.dtype)
    if coding.matrix == "rgb":
        return Frame((plane,) * 3, coding, 0, Fraction(1, 24))
    grey = np.full((HEIGHT >> coding.sub_y, WIDTH >> coding.sub_x), 1 << (coding.depth - 1))
    planes = plane, grey.astype(coding.dtype), grey.astype(coding.dtype)
    return Frame(planes, coding, 0, Fraction(1, 24))


def _brightness(frame: Frame) -> Any:
    """Luma, in codes; of linear light its luminance."""
    planes = [plane.astype(float) for plane in frame.planes]
    return luma(np.stack(planes)) if frame.coding.matrix == "rgb" else planes[0]


# next to black day-for-night may lift by less than this of the range: where none can see it
@pytest.mark.parametrize(("preset", "lift"), [("night", 0.0), ("day-for-night", 0.015)])
@pytest.mark.parametrize("method", ["relight", "tiles"])
@pytest.mark.parametrize(
    ("coding", "codes", "encodings"),
    [
        (YUV8, (16, 235), PLAIN),
        (YUV10, (64, 940), PLAIN),
        (YUV10, (40, 940), PLAIN),
        (replace(YUV10, full_range=True), (0, 1023), PLAIN),
        (replace(YUV10, matrix="bt2020"), (64, 940), PQ),
        (rgb_coding(32, alpha=False), (0, 4), Encodings(LINEAR, LINEAR)),
        (rgb_coding(16, alpha=False), (0, 65535), PLAIN),
    ],
    ids=["8-bit", "10-bit", "below black", "full range", "PQ", "linear", "16-bit RGB"],
)
def test_a_night_of_a_ramp_lies_between_black_and_the_plate(
    coding: Coding,
    codes: tuple[float, float],
    encodings: Encodings,
    method: Any,
    preset: str,
    lift: float,
) -> None:
    plate = ramp(coding, *codes)
    options = relight_by(glow=0.0, method=method)
    (made,) = lit([plate], load_preset(preset), options, encodings=encodings)
    before, after = (_brightness(frame) for frame in (plate, made))
    dither = 1 if coding.depth == 8 else 0
    black = 0 if coding.full_range or coding.matrix == "rgb" else 16 << (coding.depth - 8)
    near_black = lift * (codes[1] - black)
    allowed = np.maximum(before, black) * (1 + 1e-6) + dither
    assert (after <= allowed + near_black * (before < black + 2 * near_black)).all()
    assert (after >= np.minimum(before, black)).all()
    assert min(plane.min() for plane in made.planes) >= 0
    assert after.mean() < before.mean()
