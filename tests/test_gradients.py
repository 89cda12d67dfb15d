"""Gradients of a night have no bands but those of the plate: as many codes as the light leaves room for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from media import image
from test_render import frames_of

import nightfx
from nightfx.network.presets import Preset
from nightfx.options.encode import CodecChoice, EncodeOptions

HEIGHT, WIDTH = 128, 1024


def sky(path: Path, depth: int) -> Path:
    """A grey ramp from black to half of white across the picture, two frames, lossless."""
    pix_fmt = "yuv422p10le" if depth == 10 else "yuv422p"
    unit = 1 << (depth - 8)
    across = np.linspace(16 * unit, 126 * unit, WIDTH).round()
    luma = np.tile(across, (HEIGHT, 1)).astype(np.uint16 if depth == 10 else np.uint8)
    grey = np.full((HEIGHT, WIDTH // 2), 128 * unit, luma.dtype)
    with av.open(path, "w") as out:
        video = out.add_stream("ffv1", rate=24)
        assert isinstance(video, av.VideoStream)
        video.height, video.width, video.pix_fmt = HEIGHT, WIDTH, pix_fmt
        for index in range(2):
            made = image((luma, grey, grey), pix_fmt, index * 1000)
            made.colorspace = made.color_range = made.color_primaries = made.color_trc = 1
            out.mux(video.encode(made))
        out.mux(video.encode(None))
    return path


def lit_sky(
    source: Path, target: Path, preset: Preset | str, codec: CodecChoice, **look: float
) -> Any:
    encode = EncodeOptions(codec=codec)
    options = nightfx.RenderOptions.of(method="relight", encode=encode, **look)
    return frames_of(nightfx.render(source, target, preset=preset, options=options))[1].planes[0]


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [("ffv1", ".mkv"), ("prores-hq", ".mov"), ("dnxhr-hqx", ".mov"), ("h265", ".mp4")],
)
def test_ten_bits_of_night_use_every_code_between_dark_and_bright(
    tmp_path: Path, codec: CodecChoice, suffix: str
) -> None:
    source = sky(tmp_path / "sky.mkv", 10)
    plate = frames_of(source)[1].planes[0]
    lit = lit_sky(source, tmp_path / f"lit{suffix}", "night", codec)
    assert lit.mean() < 0.8 * plate.mean()  # it is night
    middle = lit[16:-16, 16:-16]
    room = int(middle.max()) - int(middle.min()) + 1
    of_plate = len(np.unique(plate[16:-16, 16:-16]))
    assert len(np.unique(middle)) >= 0.98 * min(of_plate, room)
    # a band would be a step of several codes: the look's exposure makes of one code of the plate up to one and a half
    steps = np.abs(np.diff(middle.astype(float).mean(0)))
    # x265 rounds the edge of a block by a code more on processors without AVX-512; lossless it is 1.1
    assert steps.max() <= (3 if codec == "h265" else 2)


def test_eight_bits_of_night_are_dithered_where_codes_are_few(tmp_path: Path) -> None:
    source = sky(tmp_path / "sky.mkv", 8)
    plate = frames_of(source)[1].planes[0].astype(float)
    lit = lit_sky(source, tmp_path / "lit.mkv", "night", "ffv1", sky=0).astype(float)
    slope = (lit[:, -64:].mean() - lit[:, 64:128].mean()) / (
        plate[:, -64:].mean() - plate[:, 64:128].mean()
    )
    assert 0.1 < slope < 0.8  # fewer codes than the plate's
    # a column of one plate code lies between two codes of the render, in the shares that are meant
    columns = lit[:, 64:-64].mean(0)
    levels = np.array(
        [columns[plate[0, 64:-64] == code].mean() for code in np.unique(plate[0, 64:-64])]
    )
    levels = levels[levels > 17]  # what the night makes black is one code
    assert len(levels) > 20
    assert np.diff(levels).min() > 0.1 * slope
    assert len(np.unique(levels.round(2))) == len(levels)
    # codes beside one another, no more; a night gets lighter downwards
    assert np.diff(lit[:, 64:-64], axis=0).std(0).max() < 0.75 * 2**0.5
