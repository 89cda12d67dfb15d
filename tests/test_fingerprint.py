"""Fingerprints: what changes them, and what they do not read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nightfx.errors import SourceError
from nightfx.source.fingerprints import END_BYTES, fingerprint

SIZE = 3 * END_BYTES


@pytest.mark.parametrize(
    ("position", "is_seen"), [(END_BYTES + 9, False), (0, True), (SIZE - 1, True)]
)
def test_of_a_clip_the_ends_alone_are_read(position: int, is_seen: bool, tmp_path: Path) -> None:
    clip = tmp_path / "a.mp4"
    clip.write_bytes(b"x" * SIZE)
    before = fingerprint(clip)
    data = bytearray(b"x" * SIZE)
    data[position] = 0
    clip.write_bytes(data)
    os.utime(clip, ns=(before["mtime_ns"], before["mtime_ns"]))
    assert (fingerprint(clip) != before) is is_seen


def test_a_clip_is_the_same_under_another_name_and_another_at_another_time(tmp_path: Path) -> None:
    clip = tmp_path / "a.mp4"
    clip.write_bytes(b"x")
    before = fingerprint(clip)
    clip = clip.rename(tmp_path / "b.mp4")
    assert fingerprint(clip) == before
    os.utime(clip, ns=(1, 1))
    assert fingerprint(clip) != before


def test_of_a_sequence_every_file_counts(tmp_path: Path) -> None:
    for number in range(1, 5):
        (tmp_path / f"a.{number:04}.exr").write_bytes(b"x")
    pattern = tmp_path / "a.####.exr"
    before = fingerprint(pattern)
    assert before["files"] == before["bytes"] == 4
    time = (tmp_path / "a.0002.exr").stat().st_mtime_ns
    (tmp_path / "a.0002.exr").rename(tmp_path / "a.0005.exr")
    os.utime(tmp_path / "a.0005.exr", ns=(time, time))
    assert fingerprint(pattern) != before


def test_a_source_that_is_not_there_or_no_file_has_none(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        fingerprint(tmp_path / "a.mp4")
    with pytest.raises(SourceError, match="cannot be read"):
        fingerprint(tmp_path)
