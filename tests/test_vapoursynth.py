"""A bake in VapourSynth, where that is: Python 3.12 or later, `pip install vapoursynth`."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from media import Clip, make_clip

import nightfx
from nightfx.errors import SourceError
from nightfx.hosts.bake import bake

try:
    import vapoursynth as vs  # type: ignore[import-not-found]
except ImportError:
    pytest.skip("needs_host: VapourSynth is not installed", allow_module_level=True)

from nightfx.hosts.vapoursynth import relight

SIZE = (96, 160)
FRAMES = 12


@pytest.fixture(scope="module")
def baked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A plate and its bake."""
    folder = tmp_path_factory.mktemp("vapoursynth")
    plate = make_clip(folder / "shot.mkv", Clip(size=SIZE, codec="ffv1", count=FRAMES))
    bake(plate, folder / "shot.nfx", options=nightfx.RenderOptions.of(lights="off", grain=0))
    return plate, folder / "shot.nfx"


def pictures(path: Path) -> list[np.ndarray]:
    with av.open(path) as clip:
        return [frame.to_ndarray(format="yuv420p").ravel() for frame in clip.decode(video=0)]


def clip_of(path: Path) -> Any:
    """The plate as VapourSynth has it, its planes put there by hand: no reader is needed."""
    with av.open(path) as clip:
        rate, shown = clip.streams.video[0].average_rate, pictures(path)
    assert rate
    blank = vs.core.std.BlankClip(
        None, SIZE[1], SIZE[0], vs.YUV420P8, FRAMES, rate.numerator, rate.denominator
    ).std.SetFrameProps(_Matrix=1, _Range=0)

    def fill(n: int, f: Any) -> Any:
        out, at = f.copy(), 0
        for plane in range(3):
            place = np.asarray(out[plane])
            place[:] = shown[n][at : at + place.size].reshape(place.shape)
            at += place.size
        return out

    return blank.std.ModifyFrame(clips=blank, selector=fill)


def test_frames_are_those_of_a_render_in_whatever_order(
    baked: tuple[Path, Path], tmp_path: Path
) -> None:
    plate, light = baked
    options = nightfx.RenderOptions.of(baked=light, codec="ffv1")
    wanted = pictures(nightfx.render(plate, tmp_path / "lit.mkv", options=options))
    lit = relight(clip_of(plate), light)
    numbers = list(range(FRAMES))
    random.Random(1).shuffle(numbers)
    for n in numbers:
        frame = lit.get_frame(n)
        found = np.concatenate([np.asarray(frame[plane]).ravel() for plane in range(3)])
        apart = np.abs(found.astype(int) - wanted[n])
        assert apart.mean() < 0.5  # dither goes by a file's own clock
        assert apart.max() <= 4


def test_another_plate_is_refused(baked: tuple[Path, Path]) -> None:
    plate, light = baked
    whole = clip_of(plate)
    for other, words in (
        (whole[1:], "frames from 1001 on"),
        (whole.resize.Bicubic(80, 48), "is of 160x96, and the plate is 80x48"),
        (whole.resize.Bicubic(format=vs.RGBS), "give 8 to 16 bits"),
        (whole.resize.Bicubic(format=vs.GRAY8), "give YUV"),
    ):
        with pytest.raises(SourceError, match=words):
            relight(other, light)
    assert relight(whole[1:], light, first=1002).num_frames == FRAMES - 1
