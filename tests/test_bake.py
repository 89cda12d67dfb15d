"""Bakes: what was written is read, a shot is lit by its bake as by its render, and anything else is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bakes import CELLS, HEIGHT, WIDTH, Made, groups, light, matte, night, plate, save_bake
from hypothesis import given
from hypothesis import strategies as st
from media import VFR, Clip, make_clip
from mutants import mutant
from signing import signed
from typer.testing import CliRunner

from nightfx.apply import Finish, LitChange, SkyChange, Written, light_plate
from nightfx.apply.field import full_size
from nightfx.baked import open_bake, track_sizes
from nightfx.baked.codec import MOST, packed_planes, unpacked_planes
from nightfx.baked.tracks import filled, made_small
from nightfx.cli import app
from nightfx.errors import NightfxError, SourceError, UsageError
from nightfx.hosts.bake import bake
from nightfx.job.render import render
from nightfx.network.presets import Preset, load_preset
from nightfx.options import RenderOptions
from nightfx.picture import to_rgb
from nightfx.source.reader import Reader

MUTANTS = 1000


def decibels(one: np.ndarray, other: np.ndarray) -> float:
    return float(-10 * np.log10(max(np.square(one - other).mean(), 1e-12)))


# numbers as bytes


@given(st.data())
def test_planes_are_read_as_they_were_written(data: st.DataObject) -> None:
    shape = data.draw(st.tuples(*[st.integers(1, 9)] * 3))
    most = data.draw(st.sampled_from([1, 3, 200, MOST - 1]))
    dice = np.random.default_rng(data.draw(st.integers(0, 99)))
    planes, before = (dice.integers(-most, most + 1, shape, dtype=np.int32) for _ in range(2))
    for last in (None, before, planes):
        made = np.frombuffer(packed_planes(planes, last), np.uint8)
        found = unpacked_planes(made, shape, last)
        assert found is not None
        assert np.array_equal(found, planes)
        assert unpacked_planes(made[:-1], shape, last) is None


def test_what_stays_costs_a_byte_a_row() -> None:
    planes = np.random.default_rng(0).integers(-50, 50, (12, 20, 30), dtype=np.int32)
    assert len(packed_planes(planes, planes)) == 12 * 20
    assert len(packed_planes(planes, None)) > 12 * 20 * 30 / 2


def test_a_step_into_the_unknown_is_none() -> None:
    told = np.array([1 << 5 | 31], np.uint8)  # as in the frame before, and there is none
    assert unpacked_planes(told, (1, 1, 4), None) is None
    assert unpacked_planes(told, (1, 1, 4), np.ones((1, 1, 4), np.int32)) is not None


# planes made small


def test_what_no_pixel_shows_is_filled_smoothly() -> None:
    wild = np.random.default_rng(0).uniform(-9, 9, (3, *CELLS)).astype(np.float32)
    wild[:, :, :16] = 0.5
    weight = np.full(CELLS, 1e-3, np.float32)
    weight[:, :16] = 1
    made = filled(wild, weight)
    assert np.abs(made[:, :, :16] - 0.5).max() < 1e-6
    assert np.abs(made - 0.5).max() < 0.3


def test_a_coarser_grid_comes_near() -> None:
    y, x = np.mgrid[:128, :228] / 128
    field = np.stack([np.sin(3 * x + y * k) for k in range(12)]).astype(np.float32)
    (ground,) = (t for t in track_sizes((128, 228), ground_alone=False) if t.name == "ground")
    small = made_small({"ground": field}, ground)
    assert small.shape == (12, 53, 95)
    away = np.abs(full_size(small, 128, 228) - field)
    assert away[:, 4:-4, 4:-4].max() < 0.005


# a bake


def test_a_bake_says_of_any_frame_what_was_written(tmp_path: Path) -> None:
    lights = [light(i, strength=1 - i / 20) for i in range(10)]
    made = open_bake(save_bake(tmp_path / "a.nfx", lights))
    assert (made.facts.frames, made.facts.about["plate"]) == (10, "made")
    for index in (7, 2, 3, 9, 0, 8):
        found = made.at(1001 + index)
        assert found.strength == pytest.approx(1 - index / 20)
        assert [shape.group for shape in found.shapes] == ["windows", "lamps"]
        np.testing.assert_array_equal(found.shapes[0].quad, lights[index].shapes[0].quad)
        wide = full_size(found.planes["ground"], *CELLS)
        away = np.abs(wide - lights[index].planes["ground"])[:, :, 4:-4]
        assert away.max() < 1 / 256
        sky = full_size(found.planes["sky"], *CELLS)[:, :14]
        assert np.abs(sky - night()[:, :14]).max() < 1 / 100


def test_a_frame_may_lack_what_others_have(tmp_path: Path) -> None:
    bare = light()
    bare = bare._replace(planes={"ground": bare.planes["ground"]}, shapes=())
    made = open_bake(save_bake(tmp_path / "a.nfx", [light(), bare, light(2), bare]))
    assert set(made.at(1002).planes) == {"ground"}
    assert np.abs(full_size(made.at(1003).planes["groups"], *CELLS) - groups()).max() < 0.05


def test_light_of_a_bake_is_ground_sky_and_lamps(tmp_path: Path) -> None:
    made = open_bake(save_bake(tmp_path / "a.nfx", [light()]))
    change, finish = made.change_at(1001, plate(), 0)
    assert finish == Finish()
    assert isinstance(change, LitChange)
    assert isinstance(change.base, SkyChange)
    want = light().change(plate(), CELLS)
    rgb = to_rgb(plate())
    near = change.of_samples(rgb, 0, 0), want.of_samples(rgb, 0, 0)
    assert decibels(*near) > 45
    assert decibels(rgb, near[0]) < 20


def test_of_a_matte_what_is_exactly_sky_stays_so(tmp_path: Path) -> None:
    made = open_bake(save_bake(tmp_path / "a.nfx", [light()]))
    found = full_size(made.at(1001).planes["matte"], *CELLS)
    assert (found[4, :5] == 1).all()
    assert (found[5, 20:] == 0).all()
    assert np.abs(found - matte())[:, [0, 1, 2, 3, 20, 21, 22, 23]].max() < 0.01


# refusals


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (Made(size=(96, 126)), "is of 126x96, and the plate is 128x96"),
        (Made(rate=Fraction(25)), "is of 25 frames a second, and the plate has 24"),
        (Made(plate_frames=11), "is of 11 frames from 1001 on, and the plate has 12 from 1001 on"),
        (Made(first=1002), "has frames 1002 to 1013: render those"),
    ],
    ids=["size", "rate", "length", "frames"],
)
def test_another_plate_is_refused(
    changed: Made, words: str, tmp_path: Path, identity: Preset
) -> None:
    clip = make_clip(tmp_path / "a.mkv", Clip("ffv1", size=(HEIGHT, WIDTH)))
    by = save_bake(tmp_path / "a.nfx", [light() for _ in range(12)], changed)
    with pytest.raises(SourceError, match=words):
        render(clip, tmp_path / "b.mkv", preset=identity, options=RenderOptions.of(baked=by))
    assert not (tmp_path / "b.mkv").exists()


@pytest.mark.parametrize("given", [{"exposure": -1}, {"lights": "off"}, {"working_height": 64}])
def test_what_is_decided_in_a_bake_cannot_be_said_beside_it(
    given: dict[str, Any], tmp_path: Path, identity: Preset
) -> None:
    clip = make_clip(tmp_path / "a.mkv", Clip("ffv1", size=(HEIGHT, WIDTH)))
    by = save_bake(tmp_path / "a.nfx", [light() for _ in range(12)])
    with pytest.raises(UsageError, match="is decided in it"):
        render(clip, preset=identity, options=RenderOptions.of(baked=by, **given))


def test_no_bake_is_none(tmp_path: Path) -> None:
    for name, data in (("a", b""), ("b", b"NFXBAKE1"), ("c", b"ffff" * 99)):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SourceError, match="bake"):
            open_bake(tmp_path / name)
    with pytest.raises(SourceError, match="No such file"):
        open_bake(tmp_path / "d")


def test_a_thousand_broken_bakes_are_read_or_refused(tmp_path: Path) -> None:
    """Half of them have checksums that are right again, so that what lies behind is reached."""
    data = save_bake(tmp_path / "a.nfx", [light(i) for i in range(6)]).read_bytes()
    read, shown = 0, plate()
    for seed in range(MUTANTS):
        broken = mutant(data, seed)
        (tmp_path / "b.nfx").write_bytes(broken if seed % 2 else signed(broken))
        try:
            made = open_bake(tmp_path / "b.nfx")
            change, finish = made.change_at(1005, shown, 0)
            light_plate(shown, change, finish, Written(shown.coding))
            read += 1
        except NightfxError:
            continue
    assert 0 < read < MUTANTS


# a shot


def test_a_shot_is_lit_by_its_bake_as_by_its_render(tmp_path: Path, halving: Preset) -> None:
    clip = make_clip(tmp_path / "a.mkv", Clip("ffv1", size=(HEIGHT, WIDTH), count=12))
    look = {"exposure": -0.5, "glow": 0.5, "strength": "1001:1,1012:0.5", "method": "relight"}
    made = bake(clip, tmp_path / "a.nfx", preset=halving, options=RenderOptions.of(**look))
    assert made.frames == 12
    assert made.least_db > 48
    by_bake = RenderOptions.of(baked=tmp_path / "a.nfx")
    both = [
        render(clip, tmp_path / f"{name}.mkv", preset=halving, options=options)
        for name, options in (("b", RenderOptions.of(**look)), ("c", by_bake))
    ]
    for one, other in zip(*(Reader(path).frames() for path in both), strict=True):
        assert decibels(to_rgb(one), to_rgb(other)) > 48
    part = replace(by_bake, source=replace(by_bake.source, frames=(1004, 1005)))
    render(clip, tmp_path / "d.mkv", preset=halving, options=part)
    whole = list(Reader(both[1]).frames())[3:5]
    for one, other in zip(Reader(tmp_path / "d.mkv").frames(), whole, strict=True):
        np.testing.assert_array_equal(one.planes[0], other.planes[0])


def test_the_night_is_baked_with_its_lamps(tmp_path: Path) -> None:
    """The preset night at a small size, lights on by a list, against its own render."""
    clip = make_clip(tmp_path / "a.mkv", Clip("ffv1", size=(HEIGHT, WIDTH), count=2))
    asked = RenderOptions.of(working_height=64, lights="on")
    made = bake(clip, tmp_path / "a.nfx", preset=load_preset("night"), options=asked)
    assert made.least_db > 44
    assert open_bake(tmp_path / "a.nfx").facts.about["preset"] == "night"


def test_a_plate_is_as_long_as_it_is_and_not_as_its_header_claims(
    tmp_path: Path, halving: Preset
) -> None:
    clip = make_clip(tmp_path / "a.mkv", Clip("ffv1", times=VFR, count=len(VFR)))
    asked = RenderOptions.of(method="relight")
    assert Reader(clip).info.frames_estimate != len(VFR)
    made = bake(clip, tmp_path / "a.nfx", preset=halving, options=asked)
    assert made.frames == len(VFR)
    by_bake = RenderOptions.of(baked=tmp_path / "a.nfx")
    out = render(clip, tmp_path / "b.mkv", preset=halving, options=by_bake)
    assert len(list(Reader(out).frames())) == len(VFR)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-o", "{here}/a.mov"], "a.mov: is written as .nfx"),
        (["-o", "{here}/a.nfx", "--method", "tiles"], "tiles have none"),
        (["-o", "{here}/a.nfx", "--input-space", "hlg"], "is hlg, and a bake is of SDR"),
    ],
)
def test_what_cannot_be_baked_is_said(words: list[str], said: str, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mkv", Clip("ffv1"))
    told = [word.format(here=tmp_path) for word in words]
    ended = CliRunner().invoke(app, ["bake", str(clip), *told])
    assert ended.exit_code in (1, 2)
    assert said in ended.output
    assert not (tmp_path / "a.nfx").exists()


def test_the_command_says_what_was_baked(tmp_path: Path, halving: Preset) -> None:
    clip = make_clip(tmp_path / "a.mkv", Clip("ffv1", count=2))
    words = [
        "bake",
        clip,
        "--to",
        halving.folder,
        "--method",
        "relight",
        "-o",
        tmp_path / "a.nfx",
        "--json",
    ]
    ended = CliRunner().invoke(app, [str(word) for word in words])
    assert ended.exit_code == 0, ended.output
    said = json.loads(ended.stdout.splitlines()[-1])
    assert said["frames"] == 2
    assert said["size_bytes"] == (tmp_path / "a.nfx").stat().st_size
