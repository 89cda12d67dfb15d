"""`verify`: a faithful render is kept in every row; each thing that is damaged on purpose is named."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from media import LATE, STEP, TICKS, VFR, Clip, make_clip
from streams import make_sound
from typer.testing import CliRunner

import nightfx
from nightfx.check.verdict import VERDICTS, VerdictRow, failures
from nightfx.check.verification import verify
from nightfx.cli import app
from nightfx.errors import TargetError
from nightfx.network.presets import Preset

TIMECODE = "01:02:03:04"
PRORES = Clip(
    "prores",
    "yuv422p10le",
    count=24,
    timecode=TIMECODE,
    chapters=True,
    metadata={"title": "Day"},
    options={"profile": "3"},
)


def delivery(tmp_path: Path, **changes: Any) -> Path:
    """ProRes 422 HQ with timecode, chapters and two sound tracks."""
    pcm = make_sound(tmp_path / "pcm.wav", clicks=[0.25])
    aac = make_sound(tmp_path / "aac.m4a", "aac", seed=1)
    clip = replace(PRORES, tracks=((pcm, "ita"), (aac, "fra")), **changes)
    return make_clip(tmp_path / "plate.mov", clip)


def verdicts(rows: list[VerdictRow]) -> dict[str, str]:
    return {row.what: row.verdict for row in rows}


def test_a_delivery_loses_nothing_in_a_render(tmp_path: Path, identity: Preset) -> None:
    source = delivery(tmp_path)
    options = nightfx.RenderOptions.of(verify=True)
    target = nightfx.render(source, preset=identity, options=options)
    rows = verify(source, target)
    assert not failures(rows, strict=True), [row for row in rows if row.verdict != "kept"]
    found = verdicts(rows)
    assert {"frames", "timestamps", "timecode", "chapters", "sound #1", "sound #2"} <= set(found)


def test_a_part_is_compared_with_that_part(tmp_path: Path, identity: Preset) -> None:
    source = delivery(tmp_path)
    options = nightfx.RenderOptions.of(verify=True, start_seconds=0.3, end_seconds=0.8)
    target = nightfx.render(source, preset=identity, options=options)
    assert not failures(verify(source, target, start_seconds=0.3, end_seconds=0.8), strict=True)
    whole = verdicts(verify(source, target))
    assert whole["frames"] == whole["timecode"] == whole["chapters"] == whole["sound #2"] == "lost"


CLIP = Clip("prores", "yuv422p10le", count=6, timecode=TIMECODE, metadata={"title": "Day"})
DAMAGE = {
    "frames": (CLIP, replace(CLIP, count=5)),
    "timestamps": (CLIP, replace(CLIP, times=[0, 1000, 2000, 3001, 4000, 5000])),
    "duration": (CLIP, replace(CLIP, times=[0, 1000, 2000, 3000, 4000, 15000])),
    "picture": (CLIP, replace(CLIP, size=(48, 66))),
    "pixel aspect": (replace(CLIP, aspect=Fraction(64, 45)), CLIP),
    "rotation": (replace(CLIP, rotation=90), replace(CLIP, rotation=-90)),
    "colour tags": (CLIP, replace(CLIP, tags=(9, 16, 9, 1))),
    "timecode": (CLIP, replace(CLIP, timecode="01:02:03:05")),
    "chapters": (replace(CLIP, chapters=True), CLIP),
    "metadata": (CLIP, replace(CLIP, metadata={})),
    "picture's language": (replace(CLIP, language="ita"), CLIP),
    "sound #1": (replace(CLIP, sound=True), CLIP),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_what_is_damaged_is_lost_by_name(tmp_path: Path, what: str) -> None:
    source, render = DAMAGE[what]
    a, b = make_clip(tmp_path / "a.mov", source), make_clip(tmp_path / "b.mov", render)
    found = verdicts(verify(a, b))
    assert found[what] == "lost"
    same = make_clip(tmp_path / "c.mov", source)
    assert set(verdicts(verify(a, same)).values()) == {"kept"}


@pytest.mark.parametrize("times", [VFR, LATE, [24 * t for t in VFR]])
def test_rounding_to_matroskas_milliseconds_is_kept(tmp_path: Path, times: list[int]) -> None:
    clip = Clip("ffv1", times=times)
    a, b = make_clip(tmp_path / "a.mov", Clip(times=times)), make_clip(tmp_path / "b.mkv", clip)
    rows = {row.what: row for row in verify(a, b)}
    assert rows["timestamps"].verdict == "kept"
    worst = max(abs(t * TICKS - round(t * TICKS * 1000) / Fraction(1000)) for t in times)
    said = "exact" if not worst else f"within {float(worst) * 1000:.3g} ms"
    assert rows["timestamps"].render == said


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ((2, 2, 2, 1), (2, 2, 2, 0), "kept"),  # limited is meant where nothing is said
        ((1, 1, 1, 2), (1, 1, 1, 0), "lost"),
        ((1, 1, 1, 1), (1, 1, 2, 1), "lost"),
        ((2, 2, 2, 1), (2, 2, 6, 1), "changed"),
    ],
)
def test_a_range_that_is_not_said_is_limited(
    tmp_path: Path,
    old: tuple[int, int, int, int],
    new: tuple[int, int, int, int],
    verdict: str,
) -> None:
    plain = Clip("ffv1", count=1)  # whose bitstream and container keep each of these numbers
    a = make_clip(tmp_path / "a.mkv", replace(plain, tags=old))
    b = make_clip(tmp_path / "b.mkv", replace(plain, tags=new))
    assert verdicts(verify(a, b))["colour tags"] == verdict


def tracked(path: Path, sound: Path, language: str = "ita") -> Path:
    return make_clip(path, Clip(count=24, tracks=((sound, language),)))


@pytest.mark.parametrize(
    ("codec", "suffix", "late", "seed", "language", "verdict"),
    [
        ("pcm_s16le", ".wav", 0.0, 0, "ita", "kept"),
        ("pcm_s24le", ".wav", 0.0, 0, "ita", "changed"),
        ("flac", ".flac", 0.0, 0, "ita", "kept"),
        ("pcm_s16le", ".wav", 0.0, 1, "ita", "lost"),
        ("aac", ".m4a", 0.0, 0, "ita", "lost"),
        ("pcm_s16le", ".wav", 0.0, 0, "fra", "lost"),
        ("pcm_s16le", ".wav", 0.01, 0, "ita", "lost"),
    ],
)
def test_sound_is_compared_by_packets_and_by_samples(
    tmp_path: Path, codec: str, suffix: str, late: float, seed: int, language: str, verdict: str
) -> None:
    a = tracked(tmp_path / "a.mkv", make_sound(tmp_path / "a.wav", clicks=[0.5]))
    sound = make_sound(tmp_path / f"b{suffix}", codec, clicks=[0.5 + late], seed=seed)
    b = tracked(tmp_path / "b.mkv", sound, language)
    found = [row.verdict for row in verify(a, b) if "sound #1" in row.what]
    assert max(found, key=VERDICTS.index) == verdict


def test_a_failed_verification_leaves_no_file(
    tmp_path: Path, identity: Preset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: object) -> str:
        return "00:00:00:00"

    monkeypatch.setattr("nightfx.carry.timecode.shift_timecode", wrong)
    source = make_clip(tmp_path / "plate.mov", CLIP)
    options = nightfx.RenderOptions.of(verify=True)
    with pytest.raises(
        TargetError, match=r"not written, verification found lost: timecode \(01:02"
    ):
        nightfx.render(source, preset=identity, options=options)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["plate.mov"]


def test_the_command_prints_a_table_and_fails_on_a_loss(tmp_path: Path) -> None:
    a, b = (
        make_clip(tmp_path / "a.mov", CLIP),
        make_clip(tmp_path / "b.mov", replace(CLIP, count=5)),
    )
    good = CliRunner().invoke(app, ["verify", str(a), str(a)])
    assert good.exit_code == 0
    assert "0 lost: passed" in good.output
    bad = CliRunner().invoke(app, ["verify", str(a), str(b)])
    assert bad.exit_code == 1
    assert bad.stdout.startswith("lost     frames")


def test_strict_wants_everything_as_it_was(tmp_path: Path) -> None:
    a = make_clip(tmp_path / "a.mov", Clip("prores", "yuv422p10le", count=3))
    b = make_clip(tmp_path / "b.mov", Clip(count=3))
    assert verdicts(verify(a, b))["picture"] == "changed"
    for words, code in (([], 0), (["--strict"], 1)):
        assert CliRunner().invoke(app, ["verify", str(a), str(b), *words]).exit_code == code


def test_a_shown_time_is_what_counts_not_an_index(tmp_path: Path) -> None:
    a = make_clip(tmp_path / "a.mp4", Clip(times=[STEP * i for i in range(5, 15)]))
    rows = {row.what: row for row in verify(a, a)}
    assert (rows["frames"].source, rows["frames"].verdict) == ("10", "kept")
