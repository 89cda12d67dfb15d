"""What a clip is: the header's claims beside what the first picture shows."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from media import LATE, STEP, TICKS, Clip, make_clip

from nightfx.picture.coding import ColorTags
from nightfx.source.probe import ClipInfo
from nightfx.source.reader import Reader


def probe(tmp_path: Path, clip: Clip, name: str = "a.mp4") -> ClipInfo:
    with Reader(make_clip(tmp_path / name, clip)) as reader:
        return reader.info


def test_a_plain_clip_is_described(tmp_path: Path) -> None:
    info = probe(tmp_path, Clip(sound=True))
    assert (info.codec, info.width, info.height) == ("h264", 64, 48)
    assert info.rate == 24
    assert (info.frames_claimed, info.frames_estimate) == (12, 12)
    assert info.duration_seconds == pytest.approx(0.5)
    assert (info.time_base, info.start_pts, info.frame_seconds) == (TICKS, 0, Fraction(1, 24))
    assert (info.audio_streams, info.subtitle_streams) == (1, 0)
    assert info.tags == ColorTags(1, 1, 1, 1)
    assert (info.timecode, info.rotation, info.display_matrix) == (None, 0, None)
    assert not info.interlaced


def test_start_is_measured_not_claimed(tmp_path: Path) -> None:
    assert probe(tmp_path, Clip(times=LATE)).start_pts == LATE[0]


@pytest.mark.parametrize("degrees", [90, 180, -90])
def test_rotation_is_read_from_the_display_matrix(tmp_path: Path, degrees: int) -> None:
    info = probe(tmp_path, Clip(rotation=degrees))
    assert info.rotation % 360 == degrees % 360
    assert info.display_matrix is not None
    assert len(info.display_matrix) == 9


@pytest.mark.parametrize("name", ["a.mov", "a.mp4", "a.mkv"])
def test_timecode_is_found_wherever_the_container_keeps_it(tmp_path: Path, name: str) -> None:
    assert probe(tmp_path, Clip(timecode="01:02:03:04"), name).timecode == "01:02:03:04"


def test_matroska_claims_no_count_but_a_duration_estimates_it(tmp_path: Path) -> None:
    info = probe(tmp_path, Clip(count=24), "a.mkv")
    assert info.frames_claimed is None
    assert info.frames_estimate in (23, 24, 25)  # its clock has milliseconds


def test_prores_tells_its_profile(tmp_path: Path) -> None:
    clip = Clip("prores_ks", "yuv422p10le", options={"profile": "lt"})
    assert probe(tmp_path, clip, "a.mov").profile == "LT"


def test_sample_aspect_and_full_range_are_read(tmp_path: Path) -> None:
    clip = Clip(aspect=Fraction(64, 45), pix_fmt="yuvj420p", tags=(1, 1, 1, 2))
    info = probe(tmp_path, clip)
    assert info.sample_aspect == Fraction(64, 45)
    assert (info.coding.pix_fmt, info.coding.full_range) == ("yuv420p", True)
    assert info.frame_seconds == STEP * TICKS
