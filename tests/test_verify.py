"""`verify` and `probe` of sequences: what files hold is kept, and each thing that is damaged on purpose is named."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO
import pytest
from media import Clip, make_clip
from PIL import Image
from test_sequence import exrs, load, ramp, save, write
from typer.testing import CliRunner

import nightfx
from nightfx.check.verdict import failures
from nightfx.check.verification import verify
from nightfx.cli import app
from nightfx.errors import TargetError
from nightfx.job import render as job
from nightfx.network.presets import Preset
from nightfx.options import RenderOptions
from nightfx.source.numbered import file_of

CHECKED = nightfx.RenderOptions.of(verify=True)
LAYERS = ("R", "G", "B", "A", "depth.Z")


def plates(folder: Path) -> Path:
    """EXR with a layer of depth, a data window and metadata."""
    window: dict[str, Any] = {"x": 4, "y": 2, "full_width": 48, "full_height": 32}
    folder.mkdir(exist_ok=True)
    for number in (1001, 1002, 1003):
        pixels = ramp(number - 1001, 5)
        pixels[..., 3] = 1
        save(folder / f"shot.{number}.exr", pixels, channelnames=LAYERS, scene="12A", **window)
    return folder / "shot.####.exr"


def verdicts(source: Path, render: Path, **part: Any) -> dict[str, str]:
    return {row.what: row.verdict for row in verify(source, render, **part)}


def test_a_sequence_loses_nothing_in_a_render(tmp_path: Path, halving: Preset) -> None:
    source = plates(tmp_path)
    target = nightfx.render(source, preset=halving, options=CHECKED)
    rows = verify(source, target)
    assert not failures(rows, strict=True), rows
    names = {"frames", "picture", "frame rate", "timecode", "windows", "layers", "compression"}
    names |= {"metadata", "parts", "channels", "lit layers", "transparency", "tiles"}
    assert {row.what for row in rows} == names | {"pixel aspect", "order of frames"}


def change(path: Path, **attributes: Any) -> None:
    spec, pixels = load(path)
    for name, value in attributes.items():
        if name in ("x", "full_width", "channelnames"):
            setattr(spec, name, value)
        elif value is None:
            spec.erase_attribute(name)
        else:
            spec.attribute(name, value)
    write(path, spec, pixels)


def lose_depth(path: Path) -> None:
    spec, pixels = load(path)
    pixels[..., 4] += 1
    write(path, spec, pixels)


DAMAGE: dict[str, Any] = {
    "windows": lambda path: change(path, x=5),
    "compression": lambda path: change(path, compression="none"),
    "metadata": lambda path: change(path, scene=None),
    "layers": lose_depth,
    "frames": Path.unlink,
}


@pytest.mark.parametrize("what", DAMAGE)
def test_what_is_damaged_is_lost_by_name(tmp_path: Path, what: str) -> None:
    source = plates(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    render = tmp_path / "b" / "shot.####.exr"
    assert set(verdicts(source, render).values()) == {"kept"}
    DAMAGE[what](file_of(render, 1002))
    found = verify(source, render)
    assert [row.what for row in failures(found)] == [what]
    if what != "frames":
        assert any("shot.1002.exr" in row.render for row in found)


def test_a_part_is_compared_with_that_part(tmp_path: Path, identity: Preset) -> None:
    source = plates(tmp_path)
    part = {"start_seconds": 0.04, "end_seconds": 0.1}
    options = nightfx.RenderOptions.of(verify=True, **part)
    target = nightfx.render(source, tmp_path / "out.####.exr", preset=identity, options=options)
    assert set(verdicts(source, target, **part).values()) == {"kept"}
    assert verdicts(source, target)["frames"] == "lost"


def test_clips_and_sequences_are_compared_by_what_both_have(
    tmp_path: Path, identity: Preset
) -> None:
    clip = make_clip(
        tmp_path / "a.mov", Clip("prores", "yuv422p10le", count=4, timecode="01:00:00:00")
    )
    files = nightfx.render(clip, tmp_path / "b.####.exr", preset=identity, options=CHECKED)
    both = ("frames", "picture", "frame rate", "timecode", "order of frames")
    wanted: dict[str, str] = dict.fromkeys(both, "kept")
    assert verdicts(clip, files) == wanted
    again = nightfx.render(files, tmp_path / "c.mov", preset=identity, options=CHECKED)
    less = {"picture": "changed", "metadata": "left out"}  # float became 10 bits
    assert verdicts(files, again) == wanted | less
    pictures = nightfx.render(clip, tmp_path / "d.####.png", preset=identity, options=CHECKED)
    told = {"frame rate": "left out", "timecode": "left out"}
    assert verdicts(clip, pictures) == wanted | told
    file_of(files, 1002).unlink()
    assert verdicts(clip, files)["frames"] == "lost"


def test_a_failed_verification_is_an_error(
    tmp_path: Path, identity: Preset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightfx.target.still_writer.OWN_ATTRIBUTES", ("scene",))
    with pytest.raises(TargetError, match=r"verification found lost: metadata \(.* no scene"):
        nightfx.render(plates(tmp_path), preset=identity, options=CHECKED)


def test_single_pictures_are_compared_too(tmp_path: Path, identity: Preset) -> None:
    source = tmp_path / "a.png"
    Image.effect_noise((32, 24), 60).convert("RGB").save(source, dpi=(72, 72))
    target = nightfx.render(source, preset=identity)
    assert verdicts(source, target) == {"frames": "kept", "picture": "kept", "metadata": "kept"}
    Image.open(target).save(target, dpi=(300, 300))
    assert verdicts(source, target)["metadata"] == "changed"


@pytest.mark.parametrize("name", ["a.night.png", "a.jpg"])
def test_a_single_picture_is_verified_before_it_has_its_name(
    tmp_path: Path, identity: Preset, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    source, target = tmp_path / "a.png", tmp_path / name
    Image.effect_noise((32, 24), 60).convert("RGB").save(source)
    options = RenderOptions.of(verify=True, overwrite=True)
    nightfx.render(source, target, preset=identity, options=options)
    before = target.read_bytes()

    def smaller(_: Any, path: Path, **__: Any) -> None:
        Image.new("RGB", (16, 12)).save(path)

    monkeypatch.setattr(job, "write_picture", smaller)
    with pytest.raises(TargetError, match="not written, verification found lost: picture"):
        nightfx.render(source, target, preset=identity, options=options)
    assert target.read_bytes() == before
    assert list(tmp_path.glob(".*")) == []


def test_the_commands_take_sequences(tmp_path: Path, identity: Preset) -> None:
    source = plates(tmp_path)
    target = nightfx.render(source, preset=identity)
    answer = CliRunner().invoke(app, ["verify", str(source), str(target)])
    assert answer.exit_code == 0
    assert answer.output.splitlines()[-1].startswith("15 kept, 0 changed")
    answer = CliRunner().invoke(app, ["probe", str(source)])
    words = answer.output.split()
    for word in ("exr", "48x32", "gbrapf32le", "1001-1003", "depth.Z", "zip", "01:02:03:04"):
        assert word in words, answer.output
    assert answer.output.splitlines()[-1] == "not kept: nothing"


@pytest.mark.parametrize(
    ("name", "to", "line"),
    [
        ("shot.####.exr", ".mov", "layers, windows and metadata of exr files are not written to a clip"),
        ("shot.####.exr", ".mov", "linear is written as sdr"),
        ("shot.####.exr", ".dpx", "layers, windows and metadata of exr files are not written to DPX"),
        ("a.mov", ".exr", "EXR files hold pictures, frame rate and timecode alone: no sound, subtitles,"),
        ("a.mov", ".png", "PNG files hold pictures alone: no sound, subtitles, chapters, metadata or"),
    ],
)  # fmt: skip
def test_probe_says_what_will_not_be_kept(tmp_path: Path, name: str, to: str, line: str) -> None:
    exrs(tmp_path)
    make_clip(tmp_path / "a.mov", Clip("prores", "yuv422p10le", count=2))
    answer = CliRunner().invoke(app, ["probe", str(tmp_path / name), "--to", to])
    assert answer.exit_code == 0, answer.output
    assert line in answer.output


def test_openimageio_reads_back_what_was_compared(tmp_path: Path) -> None:
    """The layer that the damage is done to is really there."""
    _, pixels = load(file_of(plates(tmp_path), 1001))
    assert pixels.shape[2] == len(LAYERS)
    assert np.isfinite(pixels).all()
    assert OpenImageIO.VERSION > 0
