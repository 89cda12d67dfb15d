"""A look as a LUT and as a CDL: made looks are found again, other programs read the files alike, and wrong orders are refused."""

from __future__ import annotations

import json
import subprocess
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import PyOpenColorIO as ocio
import pytest
from conftest import preset_of
from media import Clip, make_clip
from PIL import Image
from typer.testing import CliRunner, Result

from nightfx.cli import app
from nightfx.errors import SourceError, TargetError, UsageError
from nightfx.export.cdl import Cdl, cdl_text, fit_cdl
from nightfx.export.cube import Cube, fit_cube
from nightfx.export.export import export_cdl, export_cube
from nightfx.export.fidelity import fidelity
from nightfx.export.lattice import points
from nightfx.export.pairs import Pairs, never_brightens
from nightfx.network.model import RelitGenerator
from nightfx.network.presets import Preset, load_preset
from nightfx.options import Look, RenderOptions
from nightfx.picture import BT709, Float64, Frame, encoding_named, rgb_coding

LUMA = np.array(BT709)
NIGHT = Cdl((0.9, 0.8, 1.1), (0.02, -0.03, 0.01), (1.4, 1.2, 0.9), 0.7)


def colours(count: int = 4000, most: float = 1.0) -> Float64:
    return np.random.default_rng(0).uniform(0, most, (count, 3))


def ones(some: Float64) -> Float64:
    return np.ones(len(some))


def night_cube(size: int = 17) -> Cube:
    some = colours()
    return fit_cube(some, NIGHT.of_colours(some), ones(some), size, darkens=False)


def call(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def by_ocio(file: Path, some: Float64, name: str = "") -> Float64:
    config = ocio.Config.CreateRaw()
    read = ocio.FileTransform(str(file), name, ocio.INTERP_LINEAR)
    read.setCDLStyle(ocio.CDL_ASC)
    out = some.astype(np.float32)
    config.getProcessor(read).getDefaultCPUProcessor().applyRGB(out)
    return out.astype(np.float64)


def still(path: Path, size: int = 48) -> Path:
    y, x = np.mgrid[:size, :size] / (size - 1)
    pixels = np.stack([x, y, (x + y) / 2 * (0.3 + 0.7 * x)], -1)
    Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(path)
    return path


# a made look is found


@pytest.mark.parametrize("made", [NIGHT, Cdl((1, 1, 1), (0, 0, 0), (1, 1, 1), 1.0)])
def test_a_made_cdl_is_found(made: Cdl) -> None:
    some = colours()
    found = fit_cdl(some, made.of_colours(some), ones(some))
    assert np.abs(found.of_colours(some) - made.of_colours(some)).max() < 0.002
    assert found.saturation == pytest.approx(made.saturation, abs=0.01)
    for name in ("slope", "offset", "power"):
        assert getattr(found, name) == pytest.approx(getattr(made, name), abs=0.02), name


def test_a_few_pixels_under_lamps_do_not_turn_a_cdl() -> None:
    some = colours()
    render = NIGHT.of_colours(some)
    render[::25] = 1
    found = fit_cdl(some, render, ones(some))
    assert np.abs(found.of_colours(some) - NIGHT.of_colours(some)).mean() < 0.012


@pytest.mark.parametrize("size", [17, 33])
def test_a_cube_is_as_a_made_look(size: int) -> None:
    some = colours()
    cube = night_cube(size)
    assert cube.lattice.shape == (size, size, size, 3)
    assert np.abs(cube.of_colours(some) - NIGHT.of_colours(some)).mean() * 255 < 1


def test_where_no_colour_is_a_cube_goes_on() -> None:
    dark = colours(most=0.5) * [1, 1, 0.2]
    cube = fit_cube(dark, dark * [0.5, 0.4, 0.6], ones(dark), 17, darkens=True)
    assert np.abs(cube.lattice - points(17) * [0.5, 0.4, 0.6]).max() * 255 < 1


def test_of_one_colour_a_cube_is_a_gain() -> None:
    grey = np.full((500, 3), 0.5)
    cube = fit_cube(grey, grey / 2, ones(grey), 17, darkens=True)
    assert np.abs(cube.lattice - points(17) / 2).max() < 0.1


@pytest.mark.parametrize("darkens", [True, False])
def test_a_cube_keeps_its_bounds_whatever_the_pairs_say(darkens: bool) -> None:
    some = colours(4000)
    wild = np.random.default_rng(1).uniform(-0.5, 1.5, some.shape)
    wild[:, 0] = np.where(some[:, 0] > 0.6, 0.1, 0.9)  # bright becomes dark, as skies do
    lattice = fit_cube(some, wild, ones(some), 17, darkens=darkens).lattice
    assert np.isfinite(lattice).all()
    assert lattice.min() >= 0
    assert lattice.max() <= 1
    if darkens:
        assert (lattice @ LUMA <= points(17) @ LUMA + 1e-9).all()
    else:
        for channel in range(3):
            assert np.diff(lattice[..., channel], axis=channel).min() > -1e-9


# other programs read the files


def test_opencolorio_reads_a_cube_as_we_do(tmp_path: Path) -> None:
    cube, some = night_cube(), colours(2000)
    (tmp_path / "a.cube").write_text(cube.text('a "shot" \u00e9', ("a line\nof two",)), "ascii")
    assert np.abs(by_ocio(tmp_path / "a.cube", some) - cube.of_colours(some)).max() < 1e-5


def test_ffmpeg_reads_a_cube_as_we_do(tmp_path: Path) -> None:
    cube = night_cube()
    (tmp_path / "a.cube").write_text(cube.text("a"), "ascii")
    codes = np.random.default_rng(2).integers(0, 65536, (64 * 64, 3)).astype("<u2")
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb48le"]
    done = subprocess.run(
        [
            *("ffmpeg", "-v", "error", *raw, "-s", "64x64", "-i", "-"),
            *("-vf", "lut3d=a.cube:interp=trilinear", *raw, "-"),
        ],
        input=codes.tobytes(),
        capture_output=True,
        cwd=tmp_path,
        check=True,
    )
    seen = np.frombuffer(done.stdout, "<u2").reshape(-1, 3) / 65535
    assert np.abs(seen - cube.of_colours(codes / 65535)).max() < 3 / 65535


@pytest.mark.parametrize("suffix", [".cc", ".cdl", ".ccc"])
def test_opencolorio_reads_a_cdl_as_we_do(suffix: str, tmp_path: Path) -> None:
    file, some = tmp_path / f"a{suffix}", colours(2000)
    file.write_text(cdl_text(NIGHT, "sh_010 & <b>", "about", suffix), "utf-8")
    seen = by_ocio(file, some, "sh_010 & <b>")
    assert np.abs(seen - NIGHT.of_colours(some)).max() < 1e-4
    correction = next(
        x for x in ElementTree.parse(file).iter() if x.tag.endswith("ColorCorrection")
    )
    assert correction.get("id") == "sh_010 & <b>"


# what is measured


def test_errors_are_those_of_what_is_held_out() -> None:
    plate = colours(400)
    render = plate.copy()
    held, sky = np.arange(400) >= 200, np.arange(400) >= 300
    render[200:] = plate[200:] + 1 / 255
    render[300:] = plate[300:] + 100 / 255
    pairs = Pairs(plate, render, sky, np.zeros(400, np.bool_), held, 4)
    near = fidelity(pairs, lambda x: x)
    assert near.mean_codes == pytest.approx((1 + 100) / 2)
    assert near.rest_mean_codes == pytest.approx(1)
    assert near.rest_decibels == pytest.approx(48.13, abs=0.01)
    assert (near.far_share, near.far_placed_share, near.placed_share) == (0.5, 0.5, 0.5)
    assert len(pairs.fitted()[0]) == 200
    assert "off the render by 50.5 codes" in near.lines()[0]
    assert "4 frames" in near.lines()[0]
    assert "50 % of the picture" in near.lines()[1]


def test_lamps_are_not_fitted_and_sky_counts_little() -> None:
    plate = colours(90)
    kind = np.arange(90) // 30
    none = np.zeros(90, np.bool_)
    pairs = Pairs(plate, plate, kind == 1, kind == 2, none)
    assert len(pairs.fitted()[0]) == 30
    _, _, share = pairs.fitted(0.05)
    assert share.tolist() == [1.0] * 30 + [0.05] * 30


def test_a_look_that_lifts_may_brighten() -> None:
    night = load_preset("night")
    assert night.facts.look
    own = night.facts.look
    assert never_brightens(night, own, [])
    for look, darkens in ((Look(exposure=3), False), (Look(black=0.1), False), (Look(), True)):
        frames = [make_frame()]
        assert never_brightens(night, look.over(own), frames) is darkens
    assert not never_brightens(load_preset("day"), Look(), [])


def make_frame() -> Frame:
    grey = np.zeros((4, 4), np.uint8)
    return Frame((grey, grey, grey), rgb_coding(8, alpha=False), 0, Fraction(1))


# the commands


def read_cube(path: Path) -> Float64:
    rows = [line.split() for line in path.read_text("ascii").splitlines()]
    values = np.array([row for row in rows if row[0][0].isdigit()], float)
    size = round(len(values) ** (1 / 3))
    lattice: Float64 = values.reshape(size, size, size, 3).transpose(2, 1, 0, 3)
    return lattice


def test_a_clip_that_is_halved_has_a_cube_that_halves(halving: Preset, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", Clip(count=20))
    out = tmp_path / "new/a.cube"
    words = "export", "cube", clip, "--to", halving.folder, "-o", out, "--size", 17
    done = call(*words, "--json")
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout.splitlines()[-1])
    assert facts["target"] == str(out)
    assert facts["held_frames"] == 4
    assert facts["mean_codes"] < 1
    assert facts["decibels"] > 45
    assert np.abs(read_cube(out) - points(17) / 2).mean() * 255 < 2
    before = out.read_bytes()
    refused = call(*words)
    assert refused.exit_code == TargetError.exit_code
    assert "exists already; --overwrite replaces it" in refused.stderr
    assert out.read_bytes() == before
    done = call(*words[:-2], "--overwrite", "--frames", "1003-1004")
    assert done.exit_code == 0, done.output
    assert "measured on a frame that it was not fitted to" in done.stdout
    assert len(read_cube(out)) == 33
    assert [path.name for path in out.parent.iterdir()] == ["a.cube"]


def test_a_still_has_a_cdl_by_its_name(halving: Preset, tmp_path: Path) -> None:
    picture, out = still(tmp_path / "shot.png"), tmp_path / "shot.cdl"
    done = call("export", "cdl", picture, "--to", halving.folder, "-o", out)
    assert done.exit_code == 0, done.output
    assert "measured on half of the picture that it was not fitted to" in done.stdout
    some = colours(500)
    assert np.abs(by_ocio(out, some, "shot") - some / 2).max() * 255 < 2


def test_options_of_the_look_are_heeded(identity: Preset, tmp_path: Path) -> None:
    picture, out = still(tmp_path / "a.png"), tmp_path / "a.cc"
    given = RenderOptions.of(saturation=0.5)
    near = export_cdl(picture, out, preset=identity, options=given)
    assert near.mean_codes < 1
    (found,) = (x.text for x in ElementTree.parse(out).iter() if x.tag.endswith("Saturation"))
    assert float(found or 0) == pytest.approx(0.5, abs=0.005)


def test_log_plates_have_a_cube_of_their_own_signal(halving: Preset, tmp_path: Path) -> None:
    picture, out = still(tmp_path / "a.png"), tmp_path / "a.cube"
    near = export_cube(
        picture, out, size=17, preset=halving, options=RenderOptions.of(input_space="slog3")
    )
    assert near.mean_codes < 2
    assert "encoded as slog3" in out.read_text("ascii").replace("slog3_sgamut3cine", "slog3")


def test_keyframes_are_told_of(
    identity: Preset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clip = make_clip(tmp_path / "a.mp4", Clip(count=3))
    words = "--exposure", "1001:0,1003:-1", "--to", identity.folder
    done = call("export", "cdl", clip, "-o", tmp_path / "a.cc", *words)
    assert done.exit_code == 0, done.output
    assert "the look has keyframes" in caplog.text
    keyed = RenderOptions.of(exposure="1001:0,1003:-1")
    with pytest.raises(UsageError, match="are before the first"):
        export_cdl(
            *(clip, tmp_path / "b.cc"),
            preset=identity,
            options=keyed.but(exposure="1:0,3:-1"),
        )


def test_what_cannot_be_written_is_refused(identity: Preset, tmp_path: Path) -> None:
    picture = still(tmp_path / "a.png")
    cube, cc = tmp_path / "a.cube", tmp_path / "a.cc"
    linear = RenderOptions.of(input_space="linear")
    matte = RenderOptions.of(matte=str(picture))
    with pytest.raises(SourceError, match=r"is linear light.*--input-space acescct"):
        export_cube(picture, cube, preset=identity, options=linear)
    with pytest.raises(SourceError, match="is linear light"):
        export_cdl(picture, cc, preset=identity, options=linear)
    with pytest.raises(UsageError, match=r"--matte .*a LUT is the same everywhere"):
        export_cube(picture, cube, preset=identity, options=matte)
    with pytest.raises(UsageError, match="--size must be 17, 33 or 65, got 16"):
        export_cube(picture, cube, size=16, preset=identity)
    with pytest.raises(UsageError, match=r"a\.cc: is written as \.cube: name it so"):
        export_cube(picture, cc, preset=identity)
    with pytest.raises(UsageError, match=r"\.cc or \.cdl or \.ccc"):
        export_cdl(picture, cube, preset=identity)
    with pytest.raises(SourceError, match="no such file"):
        export_cube(tmp_path / "no.mp4", cube, preset=identity)
    assert [path.name for path in tmp_path.glob("a*")] == ["a.png"]


def test_what_fails_leaves_nothing_under_the_name(
    identity: Preset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture, cube = still(tmp_path / "a.png"), tmp_path / "a.cube"

    def fail(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", fail)
    done = call("export", "cube", picture, "--to", identity.folder, "-o", cube, "--size", 17)
    assert done.exit_code == 75
    assert "disk full" in done.stderr
    assert [path.name for path in tmp_path.glob("*a.*")] == ["a.png"]


def test_the_encodings_that_are_refused_are_those_of_light() -> None:
    assert encoding_named("linear").is_linear
    assert not encoding_named("slog3").is_linear


def test_of_a_picture_without_contrast_something_is_made(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), (90, 90, 90)).save(tmp_path / "a.png")
    preset = preset_of(tmp_path, RelitGenerator(), "plain")
    near = export_cube(tmp_path / "a.png", tmp_path / "a.cube", size=17, preset=preset)
    assert near.mean_codes < 0.5
    assert np.abs(read_cube(tmp_path / "a.cube") - points(17)).max() < 0.1
