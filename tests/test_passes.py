"""Passes: plate and pass, read back and put together by the expressions for Nuke, are the render."""

import logging
import os
import re
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from conftest import preset_of
from media import Clip, make_clip
from PIL import Image
from test_cli import nightfx as command
from test_field import night, smooth_frame
from test_planes import CODINGS, names, noise_frame
from test_sequence import ramp, save

import nightfx
from nightfx.apply import LitChange, Patch
from nightfx.apply.change import FieldChange
from nightfx.apply.field import apply_field, relight
from nightfx.apply.finish import Finish, Steps
from nightfx.errors import RetryError, TargetError, UsageError, install_words
from nightfx.job.inputs import plan_renders
from nightfx.job.passes import FIELD_LAYERS, nuke_field, nuke_pair, open_passes
from nightfx.network.model import RelitGenerator
from nightfx.network.presets import Preset
from nightfx.picture.color import from_rgb, to_rgb
from nightfx.picture.frame import Coding, Frame
from nightfx.picture.matrices import matrix_of

# half floats have 11 bits: above 12 the passes are no longer within a code
SHALLOW = [coding for coding in CODINGS if coding.depth <= 12 and coding.matrix != "gray"]
RELIGHT = nightfx.RenderOptions.of(method="relight")


def read_exr(path: Path) -> dict[str, np.ndarray]:
    """The channels of an EXR by their names in Nuke: `offset.R` is `offset.red`."""
    pixels, spec = opened(path)
    assert spec.get_string_attribute("compression") == "zips"
    colours = {"R": "red", "G": "green", "B": "blue"}
    split = (channel.split(".") for channel in spec.channelnames)
    return {f"{layer}.{colours[c]}": pixels[..., i] for i, (layer, c) in enumerate(split)}


def opened(path: Path) -> tuple[np.ndarray, Any]:
    import OpenImageIO

    source = OpenImageIO.ImageInput.open(str(path))
    assert source is not None, OpenImageIO.geterror()
    pixels, spec = source.read_image("float"), source.spec()
    source.close()
    assert pixels is not None
    return pixels, spec


def merge(lines: list[str], channels: dict[str, np.ndarray], plate: np.ndarray) -> np.ndarray:
    """What Nuke's MergeExpression does: A the pass, B the plate."""
    places: dict[str, Any] = dict(zip(("Br", "Bg", "Bb"), plate, strict=True), pow=np.power)
    places |= {"A" + name.replace(".", "_"): channel for name, channel in channels.items()}
    codes = [re.sub(r"(A\w+)\.", r"\1_", line) for line in lines]
    return np.stack([eval(code, {}, places) for code in codes])


def write_one(folder: Path, frame: Frame, field: np.ndarray) -> list[str]:
    passes = open_passes(folder, "shot.night", overwrite=False)
    passes.write(frame, steps_of(frame, field))
    return list(passes.finish())


def steps_of(frame: Frame, field: np.ndarray) -> Steps:
    change = FieldChange(field, frame.height, frame.width)
    return Steps(change, change, Finish())


@pytest.mark.parametrize("coding", SHALLOW, ids=lambda c: f"{c.pix_fmt}-{c.matrix}")
def test_plate_and_field_are_the_render_within_a_code(coding: Coding, tmp_path: Path) -> None:
    frame, field = smooth_frame(coding), night(24, 32)
    write_one(tmp_path, frame, field)
    channels = read_exr(tmp_path / "shot.night.field.1001.exr")
    assert {name.split(".")[0] for name in channels} == set(FIELD_LAYERS)
    merged = from_rgb(merge(nuke_field(), channels, to_rgb(frame)), coding)
    wanted = apply_field(frame, field, coding, dither=False)
    for plane, exact in zip(merged, wanted.planes[:3], strict=False):
        assert np.abs(plane.astype(int) - exact).max() <= 1


@pytest.mark.parametrize("coding", [c for c in SHALLOW if not c.sub_x], ids=lambda c: c.pix_fmt)
def test_noise_recombines_too(coding: Coding, tmp_path: Path) -> None:
    frame, field = noise_frame(coding), night(24, 32)
    write_one(tmp_path, frame, field)
    channels = read_exr(tmp_path / "shot.night.field.1001.exr")
    merged = from_rgb(merge(nuke_field(), channels, to_rgb(frame)), coding)
    wanted = apply_field(frame, field, coding, dither=False)
    black = matrix_of(coding)[1][0]  # a render's luma ends there, where the plate's does
    for index, (plane, exact) in enumerate(zip(merged, wanted.planes[:3], strict=False)):
        low = 0 if index else np.minimum(frame.planes[0], black)
        assert np.abs(np.maximum(plane.astype(int), low) - exact).max() <= 1


def stated(notes: list[str]) -> tuple[float, float]:
    found = re.search(r"within (\S+) codes of \d+ bits \(mean\), (\S+) \(max\)", notes[0])
    assert found, notes
    return float(found[1]), float(found[2])


@pytest.mark.parametrize("coding", CODINGS, ids=names)
def test_the_pair_is_as_near_as_it_says(coding: Coding, tmp_path: Path) -> None:
    frame, field = smooth_frame(coding), night(24, 32)
    mean, most = stated(write_one(tmp_path, frame, field))
    plate = to_rgb(frame)
    merged = merge(nuke_pair(), read_exr(tmp_path / "shot.night.pair.1001.exr"), plate)
    error = np.abs(merged - relight(plate, field)) * coding.peak
    assert (error.mean(), error.max()) == pytest.approx((mean, most), rel=0.06)  # two digits
    assert most < 2 * coding.peak / 255


def test_a_file_says_how_to_recombine_it(tmp_path: Path) -> None:
    write_one(tmp_path, smooth_frame(CODINGS[0]), night(4, 4))
    for kind, lines in (("field", nuke_field()), ("pair", nuke_pair())):
        _, spec = opened(tmp_path / f"shot.night.{kind}.1001.exr")
        assert "; ".join(lines) in spec.get_string_attribute("ImageDescription")


def recombined(folder: Path, kind: str, plate: np.ndarray) -> np.ndarray:
    """A plate (3, H, W) put together with the passes of frame 1001, as the comment of the first one says."""
    words = opened(next(folder.glob(f"*.{kind}.1001.exr")))[1].get_string_attribute(
        "ImageDescription"
    )
    formula, _, lines = words.partition(", where this is Nuke MergeExpression, B the plate: ")
    layers = {
        name: np.moveaxis(opened(path)[0], -1, 0)
        for name in ("glow", "matte")
        for path in folder.glob(f"*.{name}.1001.exr")
    }
    this = merge(lines.split("; "), read_exr(next(folder.glob(f"*.{kind}.1001.exr"))), plate)
    said = formula.removeprefix("The render is ")
    return np.asarray(eval(said, {}, {"this": this, "plate": plate, "clamp": np.clip, **layers}))


KINDS_OF_PLATE = {
    "light": ("exr", "half", 3, None),
    "multiplied light": ("exr", "half", 4, None),
    "PQ": ("exr", "half", 3, "pq"),
    "codes": ("tif", "uint16", 3, None),
    "multiplied codes": ("tif", "uint16", 4, None),
}


@pytest.mark.parametrize("kind", KINDS_OF_PLATE)
@pytest.mark.parametrize("look", [{}, {"glow": 0.7}, {"glow": 0.7, "matte": "matte.png"}], ids=str)
def test_passes_recombine_on_the_plates_own_signal(
    kind: str, look: dict[str, Any], tmp_path: Path
) -> None:
    suffix, stored, channels, space = KINDS_OF_PLATE[kind]
    pixels = ramp(0, channels, 48, 64) / 4 * (1 if space or suffix == "tif" else 4)
    if channels == 4:
        pixels[..., 3] = np.linspace(0, 1, 64)
        pixels[..., :3] *= pixels[..., 3:]
    source = save(tmp_path / f"plate.1001.{suffix}", np.clip(pixels, 0, 4), stored)
    grey = np.uint8(np.arange(64)[None].repeat(48, 0) * 4)
    Image.fromarray(grey).save(tmp_path / "matte.png")
    look = look | ({"matte": tmp_path / "matte.png"} if "matte" in look else {})
    options = RELIGHT.but(passes=tmp_path / "p", input_space=space, strength=0.8, **look)
    preset = preset_of(tmp_path, uneven(), "uneven")
    lit = nightfx.render(source, tmp_path / f"lit.1001.{suffix}", preset=preset, options=options)
    plate, render = (np.moveaxis(opened(path)[0], -1, 0)[:3] for path in (source, lit))
    for each in ("field", "pair"):
        merged = recombined(tmp_path / "p", each, plate)
        merged = merged.clip(0, 1) if suffix == "tif" else merged  # as codes are
        np.testing.assert_allclose(merged, render, atol=1 / 1023, rtol=1 / 1023)
    assert np.abs(render - plate).max() > 0.1
    assert len(list((tmp_path / "p").glob("*.glow.*"))) == ("glow" in look)


def test_lamps_are_in_the_glow_pass(tmp_path: Path) -> None:
    frame = smooth_frame(CODINGS[4])
    bare, size = FieldChange(night(24, 32), frame.height, frame.width), (frame.height, frame.width)
    lamp = Patch(20, 30, np.ones((24, 16), np.float32), np.array([0.4, 0.3, 0.1], np.float32))
    lit = LitChange(bare, [lamp], size)
    passes = open_passes(tmp_path, "shot.night", overwrite=False)
    passes.write(frame, Steps(bare, lit, Finish(strength=0.5)))
    plate = to_rgb(frame)
    wanted = lit.by(0.5).of_picture(plate)
    np.testing.assert_allclose(recombined(tmp_path, "field", plate), wanted, atol=1e-3)
    glow = np.moveaxis(opened(tmp_path / "shot.night.glow.1001.exr")[0], -1, 0)
    assert glow[:, 30:54, 20:36].min() > 0.02
    assert np.count_nonzero(np.abs(glow) > 1e-5) == glow[:, 30:54, 20:36].size


def test_lamps_lie_on_what_the_field_makes_of_codes(tmp_path: Path) -> None:
    frame = smooth_frame(CODINGS[0])
    size = frame.height, frame.width
    field = np.zeros((12, 2, 2), np.float32)
    field[[0, 5, 10]] = 1.6  # below black where the plate is dark
    field[[3, 7, 11]] = -0.4
    bare = FieldChange(field, *size)
    lamp = Patch(0, 0, np.ones(size, np.float32), np.array([0.3, 0.2, 0.05], np.float32))
    lit = LitChange(bare, [lamp], size)
    passes = open_passes(tmp_path, "shot.night", overwrite=False)
    passes.write(frame, Steps(bare, lit, Finish()))
    render = lit.on_planes(frame, frame.coding)
    assert render is not None
    this = merge(nuke_field(), read_exr(tmp_path / "shot.night.field.1001.exr"), to_rgb(frame))
    assert this.min() < -0.05
    merged = from_rgb(recombined(tmp_path, "field", to_rgb(frame)), frame.coding)
    for plane, exact in zip(merged, render.planes[:3], strict=False):
        assert np.abs(plane.astype(int) - exact).max() <= 2


def uneven() -> RelitGenerator:
    """A generator whose light differs from place to place, and mixes no light in."""
    generator = RelitGenerator()
    with torch.no_grad():
        generator.out.weight.normal_(0, 0.02, generator=torch.Generator().manual_seed(5))
        assert generator.out.bias is not None
        generator.out.bias[:3] = torch.tensor([-0.9, -0.6, -0.4])
        generator.out.bias[3:] = torch.tensor([-0.02, -0.01, 0.01])
    return generator


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without the film extra."""
    monkeypatch.setitem(sys.modules, "OpenImageIO", None)


@pytest.mark.usefixtures("bare")
def test_without_the_film_extra_the_pair_is_png(tmp_path: Path) -> None:
    frame, field = smooth_frame(CODINGS[3]), night(24, 32)
    notes = write_one(tmp_path, frame, field)
    assert install_words("film") in notes[1]
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["shot.night.gain.1001.png", "shot.night.offset.1001.png"]
    gain, offset = (cv2.imread(str(tmp_path / name), cv2.IMREAD_UNCHANGED) for name in files)
    assert gain is not None
    assert offset is not None
    stops, added = ((x[..., ::-1] / 65535).transpose(2, 0, 1) for x in (gain, offset))
    plate = to_rgb(frame)
    merged = plate * np.exp2(stops * 16 - 8) + (added * 2 - 1)
    error = np.abs(merged - relight(plate, field)) * 255
    assert (error.mean(), error.max()) == pytest.approx(stated(notes), rel=0.06)


def test_a_clip_has_a_pass_for_each_frame(
    tmp_path: Path, halving: Preset, caplog: pytest.LogCaptureFixture
) -> None:
    source = make_clip(tmp_path / "plate.mkv", Clip("ffv1", "yuv420p10le", count=3))
    with caplog.at_level(logging.INFO):
        nightfx.render(source, preset=halving, options=RELIGHT.but(passes=tmp_path / "a/b"))
    assert sorted(path.name for path in (tmp_path / "a/b").iterdir()) == [
        f"plate.halving.{kind}.{number}.exr"
        for kind in ("field", "pair")
        for number in (1001, 1002, 1003)
    ]
    assert "plate.mkv: passes: the gain/offset pair recombines to within" in caplog.text
    stops = read_exr(tmp_path / "a/b/plate.halving.pair.1003.exr")["gain.green"]
    np.testing.assert_allclose(stops, -1, atol=0.01)


def test_a_picture_has_passes_too(tmp_path: Path, halving: Preset) -> None:
    Image.new("RGB", (33, 21), (200, 120, 40)).save(tmp_path / "still.png")
    options = RELIGHT.but(passes=tmp_path)
    nightfx.render(tmp_path / "still.png", preset=halving, options=options)
    assert (tmp_path / "still.halving.field.1001.exr").is_file()


def test_existing_passes_are_kept_unless_overwritten(tmp_path: Path, halving: Preset) -> None:
    source = make_clip(tmp_path / "plate.mkv", Clip("ffv1", count=1))
    kept = tmp_path / "plate.halving.field.1009.exr"
    kept.write_bytes(b"precious")
    options = RELIGHT.but(passes=tmp_path)
    with pytest.raises(TargetError, match=r"1009\.exr: exists already; --overwrite replaces it"):
        nightfx.render(source, preset=halving, options=options)
    assert kept.read_bytes() == b"precious"
    assert not list(tmp_path.glob("*.mkv.part")) + list(tmp_path.glob("*.halving.mkv"))
    nightfx.render(source, preset=halving, options=options.but(overwrite=True))
    assert (tmp_path / "plate.halving.field.1001.exr").is_file()


def test_tiles_have_no_passes(tmp_path: Path, identity: Preset) -> None:
    source = make_clip(tmp_path / "plate.mkv", Clip("ffv1", count=1))
    options = nightfx.RenderOptions.of(method="tiles", passes=tmp_path / "passes")
    with pytest.raises(UsageError, match="--passes needs --method relight"):
        nightfx.render(source, preset=identity, options=options)
    assert not (tmp_path / "passes").exists()


def test_the_command_line_asks_for_passes(tmp_path: Path) -> None:
    preset = preset_of(tmp_path, RelitGenerator(), "identity")
    source = make_clip(tmp_path / "plate.mkv", Clip("ffv1", count=1))
    words = ["render", source, "--to", preset.folder, "--passes", tmp_path / "passes", "--method"]
    assert command(*words, "tiles").exit_code == 2
    assert command(*words, "relight").exit_code == 0
    assert (tmp_path / "passes" / "plate.identity.field.1001.exr").is_file()


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TargetError, match=r"file: cannot be made a folder \(File exists\)"):
        open_passes(tmp_path / "file", "shot", overwrite=False)


def test_a_folder_that_may_not_be_written_to_is_named(
    tmp_path: Path, halving: Preset, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_clip(tmp_path / "plate.mkv", Clip("ffv1", count=1))
    monkeypatch.setattr(
        "nightfx.disk.partial.os.access", lambda path, mode: Path(path).name != "passes"
    )
    options = RELIGHT.but(passes=tmp_path / "passes")
    with pytest.raises(TargetError, match="passes: may not be written to"):
        nightfx.render(source, preset=halving, options=options)
    assert not (tmp_path / "plate.halving.mkv").exists()
    assert not list((tmp_path / "passes").iterdir())


@pytest.mark.parametrize(("free", "kind"), [(0, RetryError), (1 << 40, TargetError)])
def test_a_pass_that_cannot_be_written_leaves_nothing(
    free: int, kind: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr("nightfx.target.still_writer.shutil.disk_usage", lambda path: usage)
    passes = open_passes(tmp_path / "passes", "shot", overwrite=False)
    monkeypatch.setattr("nightfx.disk.partial.secrets.token_hex", lambda count: "0")
    part = tmp_path / "passes" / f".shot.field.1001.exr.{os.getpid()}-0.part"
    part.symlink_to(tmp_path / "nowhere" / "x")
    frame = smooth_frame(CODINGS[0])
    with pytest.raises(kind, match=r"shot\.field\.1001\.exr: "):
        passes.write(frame, steps_of(frame, night(4, 4)))
    assert not list((tmp_path / "passes").iterdir())


def test_two_shots_of_one_name_are_refused(tmp_path: Path, identity: Preset) -> None:
    for folder in "ab":
        (tmp_path / folder).mkdir()
        make_clip(tmp_path / folder / "shot.mkv", Clip("ffv1", count=1))
    inputs = [tmp_path / "a/shot.mkv", tmp_path / "b/shot.mkv"]
    assert len(plan_renders(inputs, None, identity, RELIGHT)) == 2
    with pytest.raises(UsageError, match="would both be written to"):
        plan_renders(inputs, None, identity, RELIGHT.but(passes=tmp_path / "passes"))
