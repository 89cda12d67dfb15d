"""A night of ramps: no pixel gets brighter than the plate, and none falls below black, whatever the codes stand for."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from test_look import YUV8, YUV10, lit, relight_by

from nightfx.network import SceneNetwork
from nightfx.network.presets import load_preset
from nightfx.picture import luma, to_rgb
from nightfx.picture.encoding import LINEAR, PLAIN, Encodings, encoding_named
from nightfx.picture.frame import Coding, Frame, rgb_coding
from nightfx.scene import KINDS

HEIGHT, WIDTH = 48, 128
WIDE = 1024
PQ, HLG = (Encodings(*[encoding_named(name)] * 2) for name in ("pq", "hlg"))
BANDED_CODES = 2.0  # off the smooth curve: rounding and dither take one


def ramp(coding: Coding, darkest: float, brightest: float, width: int = WIDTH) -> Frame:
    """From left to right, from one code to another, grey."""
    row = np.linspace(darkest, brightest, width)
    plane = np.tile(row if coding.is_float else row.round(), (HEIGHT, 1)).astype(coding.dtype)
    if coding.matrix == "rgb":
        return Frame((plane,) * 3, coding, 0, Fraction(1, 24))
    grey = np.full((HEIGHT >> coding.sub_y, width >> coding.sub_x), 1 << (coding.depth - 1))
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


# with the sky composited


class RightIsSky(SceneNetwork):
    """The right half is sky, less surely the nearer the middle is."""

    def __init__(self) -> None:
        super().__init__(len(KINDS), (8,))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (1, 11, H, W)."""
        logits = torch.full((1, len(KINDS), *x.shape[2:]), -20.0)
        across = torch.linspace(-9, 9, x.shape[3]).expand(x.shape[2:])
        logits[:, KINDS.index("sky")], logits[:, KINDS.index("wall")] = across, -across
        return logits


A_CODE = 2e-4  # of linear light, the largest that one of ten bits is next to black


def _unevenness(row: Any) -> float:
    """How far a row is off its own smooth curve, at most."""
    smooth = cv2.GaussianBlur(row[None], (0, 0), 3)[0]
    return float(np.abs(row - smooth)[16:-16].max())


def _log(name: str) -> Encodings:
    pytest.importorskip("PyOpenColorIO")
    return Encodings(*[encoding_named(name)] * 2)


@pytest.mark.parametrize(
    ("coding", "codes", "encodings"),
    [
        (YUV10, (64, 940), lambda: PLAIN),
        (replace(YUV10, matrix="bt2020"), (64, 940), lambda: PQ),
        (replace(YUV10, matrix="bt2020"), (64, 940), lambda: HLG),
        (replace(YUV10, full_range=True), (95, 940), lambda: _log("slog3")),
        (replace(YUV10, full_range=True), (95, 940), lambda: _log("logc4")),
        (rgb_coding(32, alpha=False), (0, 2), lambda: Encodings(LINEAR, LINEAR)),
    ],
    ids=["SDR", "PQ", "HLG", "S-Log3", "LogC4", "linear"],
)
def test_a_ramp_beside_the_edge_of_the_sky_has_no_bands_and_stays_between_black_and_the_plate(
    coding: Coding, codes: tuple[float, float], encodings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightfx.light.lighting.load_scene_network", lambda: RightIsSky().eval())
    plate, both = ramp(coding, *codes, WIDE), encodings()
    (made,) = lit([plate], load_preset("night"), relight_by(glow=0.0), encodings=both)
    (bare,) = lit([plate], load_preset("night"), relight_by(glow=0.0, sky=0.0), encodings=both)
    before, after, ground = (_brightness(frame) for frame in (plate, made, bare))
    assert (after != ground)[:, WIDE * 3 // 4 :].mean() > 0.9  # a sky stands there
    assert (after <= before * (1 + 1e-6)).all()
    light = [
        luma(both.source.to_linear(to_rgb(x)) if both.source.to_linear else to_rgb(x))
        for x in (plate, made)
    ]
    a_code = 0 if coding.is_float else A_CODE  # which rounding may take from black
    assert (light[1] >= np.minimum(light[0], 0) - a_code - 1e-6).all()
    unit = (codes[1] - codes[0]) / 876 if coding.is_float else 1.0
    for y in (8, HEIGHT // 2):  # of the sky: before it stands the matte's own edge, which is a step
        row = after[y, WIDE * 3 // 4 :] / unit
        assert _unevenness(row) < BANDED_CODES
        assert coding.is_float or _unevenness(np.floor(row / 16) * 16) > BANDED_CODES  # if it were
