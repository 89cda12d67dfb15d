"""Film files and pictures as other programs write them: layers, views, alpha, levels, windows, pages, tags, dates and names."""

from __future__ import annotations

import logging
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO
import pytest
import torch
from conftest import preset_of
from PIL import Image
from test_sequence import exrs, load, ramp, save, write
from typer.testing import CliRunner, Result

import nightfx
from nightfx.check import failures, verify
from nightfx.cli import app
from nightfx.errors import SourceError, TargetError
from nightfx.job.source_target import default_target
from nightfx.network.model import RelitGenerator
from nightfx.network.presets import Preset
from nightfx.picture.channels import PartNames, choose_layer, layers_of
from nightfx.source.image import read_chunks
from nightfx.source.numbered import base_name, file_of, frames_on_disk, sequences_in
from nightfx.source.still_extras import FilePart
from nightfx.target.still_writer import write_parts

RELIGHT = nightfx.RenderOptions.of(method="relight")
RGB = ("R", "G", "B")
STILLS = ("png", "jpg", "webp", "exr", "dpx", "tif")


@pytest.fixture
def dusk(tmp_path: Path) -> Preset:
    """A preset that takes half of the signal, and more: what is black falls below."""
    generator = RelitGenerator()
    with torch.no_grad():
        assert generator.out.bias is not None
        generator.out.bias[:3] = 4 * torch.atanh(torch.tensor(0.5).log() / 4)
        generator.out.bias[3:] = torch.tensor([-0.02, -0.01, 0.03])
    return preset_of(tmp_path, generator, "dusk")


def layered(path: Path, names: Iterable[str], pixels: np.ndarray, *views: str) -> Path:
    spec = OpenImageIO.ImageSpec(pixels.shape[1], pixels.shape[0], pixels.shape[2], "half")
    spec.channelnames = tuple(names)
    if views:
        spec.attribute("multiView", OpenImageIO.TypeDesc(f"string[{len(views)}]"), views)
    return write(path, spec, pixels)


def channels(path: Path, part: int = 0) -> dict[str, np.ndarray]:
    source = OpenImageIO.ImageInput.open(str(path))
    assert source is not None, OpenImageIO.geterror()
    spec = source.spec(part)
    pixels = np.asarray(source.read_image(part, 0, 0, spec.nchannels, "float"))
    source.close()
    return {name: pixels[..., index] for index, name in enumerate(spec.channelnames)}


def lit_channels(before: Path, after: Path, part: int = 0) -> set[str]:
    old, new = channels(before, part), channels(after, part)
    assert list(old) == list(new)
    return {name for name in old if not np.array_equal(old[name], new[name])}


@pytest.mark.parametrize(
    ("names", "beauty"),
    [
        ("ViewLayer.AO ViewLayer.Combined Composite.Combined", "ViewLayer.Combined"),
        ("albedo beauty", "beauty"),
        ("N RGBA", "RGBA"),
        ("diffuse rgb_color", "rgb_color"),
        ("AO ''", "''"),
        ("albedo", "albedo"),
    ],
)
@pytest.mark.parametrize("colours", ["R G B A", "r g b", "red green blue alpha"])
def test_the_layer_that_renderers_name_for_the_picture_is_chosen(
    names: str, beauty: str, colours: str
) -> None:
    layers = [name.strip("'") for name in names.split()]
    channels = [f"{layer}.{c}".lstrip(".") for layer in layers for c in colours.split()]
    chosen = choose_layer(layers_of([PartNames([*channels, "depth.Z"])]), None, None)
    assert chosen.name == beauty.strip("'")
    wanted = [f"{chosen.name}.{colour}".lstrip(".") for colour in colours.split()]
    assert [channels[place] for place in chosen.channels] == wanted


def test_a_beauty_is_lit_and_named_and_another_can_be_chosen(
    tmp_path: Path, halving: Preset, caplog: pytest.LogCaptureFixture
) -> None:
    names = [f"View.{layer}.{c}" for layer in ("AO", "Combined") for c in RGB]
    source = layered(tmp_path / "a.exr", names, np.tile(ramp(0) + 0.1, (1, 1, 2)))
    lit = nightfx.render(source, preset=halving, options=RELIGHT)
    assert lit_channels(source, lit) == {f"View.Combined.{c}" for c in RGB}
    assert "layer View.Combined is lit, not View.AO: --layer names another" in caplog.text
    lit = nightfx.render(
        source, tmp_path / "b.exr", preset=halving, options=RELIGHT.but(layer="ao")
    )
    assert lit_channels(source, lit) == {f"View.AO.{c}" for c in RGB}
    with pytest.raises(
        SourceError, match=r"--layer x: no such layer of colour; there are View\.AO"
    ):
        nightfx.render(source, preset=halving, options=RELIGHT.but(layer="x", overwrite=True))


def test_layers_without_a_beauty_are_not_guessed_at(tmp_path: Path, halving: Preset) -> None:
    names = [f"{layer}.{c}" for layer in ("AO", "spec") for c in RGB]
    source = layered(tmp_path / "a.exr", names, np.tile(ramp(0), (1, 1, 2)))
    with pytest.raises(SourceError, match=r"has the layers AO, spec, .*: --layer names one"):
        nightfx.render(source, preset=halving, options=RELIGHT)


def told(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize("suffix", [".exr", ".png"])
def test_a_layer_that_only_the_user_knows_can_be_verified(
    suffix: str, tmp_path: Path, halving: Preset
) -> None:
    names = [f"{layer}.{c}" for layer in ("AO", "spec") for c in RGB]
    source = layered(tmp_path / "a.exr", names, np.tile(ramp(0) + 0.1, (1, 1, 2)))
    target = tmp_path / f"lit{suffix}"
    options = RELIGHT.but(layer="spec", verify=True)
    nightfx.render(source, target, preset=halving, options=options)
    assert told("verify", source, target, "--layer", "spec").exit_code == 0
    probed = told("probe", source, "--layer", "spec")
    assert (probed.exit_code, "spec.R spec.G spec.B" in probed.output) == (0, True)
    assert told("verify", source, target).exit_code != 0


@pytest.mark.parametrize(
    ("suffix", "kind"), [("exr", "half"), ("dpx", "uint16"), ("png", "uint8"), ("tif", "uint16")]
)
def test_that_grey_becomes_colour_is_said(
    suffix: str, kind: str, tmp_path: Path, halving: Preset
) -> None:
    spec = OpenImageIO.ImageSpec(32, 24, 1, kind)
    source = write(tmp_path / f"a.{suffix}", spec, (ramp(0) * 0.5 + 0.1)[..., :1])
    words = "not kept: grey is written as RGB, since light has a colour"
    assert words in told("probe", source).output
    lit = nightfx.render(source, preset=halving, options=RELIGHT)
    assert list(channels(lit)) == list(RGB)
    assert not failures(verify(source, lit))


def test_one_layer_keeps_its_name(tmp_path: Path, halving: Preset) -> None:
    names = [f"beauty.{c}" for c in "RGBA"]
    source = layered(tmp_path / "b.0001.exr", names, np.dstack([ramp(0) + 0.1, np.ones((24, 32))]))
    lit = nightfx.render(source, preset=halving, options=RELIGHT)
    assert lit_channels(source, lit) == set(names[:3])


@pytest.mark.parametrize("apart", [False, True], ids=["names", "parts"])
def test_views_are_lit_one_by_one(
    apart: bool, tmp_path: Path, halving: Preset, caplog: pytest.LogCaptureFixture
) -> None:
    source, pixels = tmp_path / "s.exr", ramp(0) + 0.1
    if apart:
        specs = [OpenImageIO.ImageSpec(32, 24, 3, "half") for _ in range(2)]
        for spec, view in zip(specs, ("left", "right"), strict=True):
            spec.attribute("oiio:subimagename", f"rgba.{view}")
            spec.attribute("view", view)
        write_parts(source, "openexr", [FilePart(spec, pixels) for spec in specs])
    else:
        both = np.tile(pixels, (1, 1, 2))
        layered(source, (*RGB, *(f"right.{c}" for c in RGB)), both, "left", "right")
    first = nightfx.render(source, tmp_path / "l.exr", preset=halving, options=RELIGHT)
    assert "view left is lit, not right: --view right lights that" in caplog.text
    options = RELIGHT.but(view="right")
    second = nightfx.render(first, tmp_path / "b.exr", preset=halving, options=options)
    if apart:
        assert [lit_channels(source, first, part) for part in (0, 1)] == [set(RGB), set()]
        assert [lit_channels(first, second, part) for part in (0, 1)] == [set(), set(RGB)]
    else:
        assert lit_channels(source, first) == set(RGB)
        assert lit_channels(first, second) == {f"right.{c}" for c in RGB}
    with pytest.raises(SourceError, match="--view up: no such view; its views are left, right"):
        nightfx.render(source, preset=halving, options=RELIGHT.but(view="up"))


@pytest.mark.parametrize("kind", ["exr half", "exr float", "tif uint8", "tif uint16", "tif float"])
def test_multiplied_colour_is_lit_as_it_was_before(kind: str, tmp_path: Path, dusk: Preset) -> None:
    suffix, stored = kind.split()
    alpha = np.linspace(-1, 1, 64, dtype=np.float32).clip(0, 1)[None].repeat(48, 0)
    colour = np.full((48, 64, 3), (0.8, 0.6, 0.4), np.float32)
    source = save(
        tmp_path / f"a.0001.{suffix}", np.dstack([colour * alpha[..., None], alpha]), stored
    )
    lit = nightfx.render(source, preset=dusk, options=RELIGHT.but(exposure=0.1))
    (_, before), (_, after) = load(source), load(lit)
    assert np.array_equal(before[..., 3], after[..., 3])
    assert (after[:, alpha[0] == 0, :3] == 0).all()
    inside = after[24, -1, :3] / before[24, -1, :3]
    slack = 2 / 255 if stored == "uint8" else 2e-3
    np.testing.assert_allclose(after[..., :3], before[..., :3] * inside, atol=slack)
    assert inside.max() < 0.8


def test_what_glows_without_alpha_is_lit_without_the_blacks(tmp_path: Path, dusk: Preset) -> None:
    pixels = np.zeros((48, 64, 4), np.float32)
    pixels[20:30, 20:30, :3] = 0.5
    source = save(tmp_path / "a.0001.exr", pixels)
    lit = load(nightfx.render(source, preset=dusk, options=RELIGHT))[1]
    assert (lit[:20] == 0).all()
    assert (lit[20:30, 20:30, :3] > 0.02).all()
    assert (lit[20:30, 20:30, :3] < 0.45).all()


def test_one_level_of_a_mip_map_is_written_and_declared(
    tmp_path: Path, halving: Preset, caplog: pytest.LogCaptureFixture
) -> None:
    source = tmp_path / "t.exr"
    plain = OpenImageIO.ImageBuf(str(save(tmp_path / "plain.exr", ramp(0, 3, 64, 64))))
    texture = OpenImageIO.ImageBufAlgo.make_texture
    assert texture(OpenImageIO.MakeTxTexture, plain, str(source), OpenImageIO.ImageSpec())
    lit = OpenImageIO.ImageInput.open(str(nightfx.render(source, preset=halving, options=RELIGHT)))
    assert lit is not None
    assert lit.read_image("float") is not None, lit.geterror()
    assert lit.spec(0, 1).width == 0
    assert lit.spec().getattribute("textureformat") is None
    assert "its smaller levels (mip map) are not written" in caplog.text


def test_a_data_window_may_change_from_file_to_file(tmp_path: Path, halving: Preset) -> None:
    places = {1001: (0, 0), 1002: (-10, -6), 1003: (40, 30)}
    shown: dict[str, Any] = {"full_width": 64, "full_height": 48}
    for number, (x, y) in places.items():
        save(tmp_path / f"sh.{number}.exr", ramp(0) + 0.1, x=x, y=y, **shown)
    target = nightfx.render(tmp_path / "sh.####.exr", preset=halving, options=RELIGHT)
    for number, place in places.items():
        spec, pixels = load(file_of(target, number))
        assert (spec.x, spec.y, spec.width, spec.height) == (*place, 32, 24)
        assert (spec.full_width, spec.full_height) == (64, 48)
        plate = load(tmp_path / f"sh.{number}.exr")[1]
        assert pixels.mean() < 0.8 * plate.mean()


def test_a_display_window_that_changes_is_refused(tmp_path: Path, identity: Preset) -> None:
    source = exrs(tmp_path)
    save(tmp_path / "shot.1004.exr", ramp(0, width=20))
    with pytest.raises(SourceError, match="changes from 32x24 gbrpf32le to 20x24"):
        nightfx.render(source, preset=identity, options=RELIGHT)


@pytest.mark.parametrize("suffix", ["tif", "png", "webp"])
def test_several_pictures_in_a_file_are_refused(
    suffix: str, tmp_path: Path, identity: Preset
) -> None:
    one, two = (Image.new("RGB", (32, 24), (level, 90, 40)) for level in (50, 200))
    one.save(tmp_path / f"a.{suffix}", save_all=True, append_images=[two])
    with pytest.raises(SourceError, match="it holds 2 pictures"):
        nightfx.render(tmp_path / f"a.{suffix}", preset=identity, options=RELIGHT)
    assert [path.name for path in tmp_path.glob("a.*")] == [f"a.{suffix}"]


@pytest.mark.parametrize("suffix", ["exr", "tif"])
def test_no_date_is_made_up_and_one_that_is_there_stays(
    suffix: str, tmp_path: Path, identity: Preset
) -> None:
    png = tmp_path / "p.png"
    Image.new("RGB", (32, 24), (90, 80, 70)).save(png)
    undated = tmp_path / f"new.0001.{suffix}"
    write_parts(undated, {"exr": "openexr", "tif": "tiff"}[suffix], [FilePart(
        OpenImageIO.ImageSpec(32, 24, 3, "uint8" if suffix == "tif" else "half"), ramp(0)
    )])  # fmt: skip
    dated = save(tmp_path / f"old.0001.{suffix}", ramp(0), "uint16", DateTime="2020:01:02 03:04:05")
    dates = []
    for source in (undated, dated):
        lit = nightfx.render(source, preset=identity, options=RELIGHT)
        dates.append(load(lit)[0].getattribute("DateTime"))
    assert dates == [None, "2020:01:02 03:04:05"]
    (tmp_path / "s.0001.png").write_bytes(png.read_bytes())
    crossed = nightfx.render(
        tmp_path / "s.####.png", tmp_path / f"x.####.{suffix}", preset=identity, options=RELIGHT
    )
    assert load(file_of(crossed, 1))[0].getattribute("DateTime") is None


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def tagged_png(path: Path, *chunks: bytes, deep: bool = False) -> Path:
    """A grey ramp with these chunks behind its header, 8 bits or 16."""
    x = np.arange(64)[None].repeat(48, 0)
    codes = (x * 1000).astype(">u2") if deep else (x * 4).astype(np.uint8)
    rows = b"".join(b"\0" + np.repeat(row, 3).tobytes() for row in codes)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 48, 16 if deep else 8, 2, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + body)
    return path


TEXT = chunk(b"tEXt", b"Shot\0sh 010"), chunk(b"iTXt", b"Note\0\0\0\0\0caf\xc3\xa9")
PQ, LINEAR = chunk(b"cICP", bytes([9, 16, 0, 1])), chunk(b"gAMA", struct.pack(">I", 100_000))


@pytest.mark.parametrize("deep", [False, True], ids=["8 bits", "16 bits"])
def test_what_a_png_says_is_kept(
    deep: bool, tmp_path: Path, halving: Preset, caplog: pytest.LogCaptureFixture
) -> None:
    phys, srgb = chunk(b"pHYs", struct.pack(">IIB", 2, 1, 0)), chunk(b"sRGB", b"\0")
    kept = (PQ, srgb, phys, *TEXT, chunk(b"zTXt", b"k\0\0" + zlib.compress(b"v")))
    light = chunk(b"cLLI", bytes(8))
    source = tagged_png(tmp_path / "a.png", *kept, light, deep=deep)
    with caplog.at_level(logging.WARNING):
        lit = nightfx.render(source, preset=halving, options=RELIGHT)
    assert sorted(chunk(*each) for each in read_chunks(lit)) == sorted(kept)
    assert "not written to PNG: cLLI" in caplog.text
    assert Image.open(lit).text == {"Shot": "sh 010", "Note": "café", "k": "v"}  # type: ignore[attr-defined]
    nightfx.render(source, tmp_path / "b.jpg", preset=halving, options=RELIGHT)
    assert ".jpg does not say PQ: whoever reads it has to know" in caplog.text
    assert "not written to JPG: cLLI, cICP, sRGB, pHYs, tEXt, iTXt, zTXt" in caplog.text


@pytest.mark.parametrize(("tag", "space"), [(PQ, "pq"), (LINEAR, "linear")], ids=["PQ", "linear"])
def test_codes_of_a_png_mean_what_its_tags_say(
    tag: bytes, space: str, tmp_path: Path, halving: Preset
) -> None:
    untagged = tagged_png(tmp_path / "a.0001.png", deep=True)
    tagged = tagged_png(tmp_path / "b.0001.png", tag, deep=True)
    told = nightfx.render(untagged, preset=halving, options=RELIGHT.but(input_space=space))
    same = nightfx.render(tagged, preset=halving, options=RELIGHT)
    plain = nightfx.render(untagged, tmp_path / "c.png", preset=halving, options=RELIGHT)
    asked, read, sdr = (load(path)[1] for path in (told, same, plain))
    assert np.array_equal(asked, read)
    assert not np.array_equal(asked, sdr)
    light = nightfx.render(
        tmp_path / "b.####.png", tmp_path / "b.####.exr", preset=halving, options=RELIGHT
    )
    brightest = load(file_of(light, 1))[1].max()
    assert brightest > 4 if space == "pq" else brightest < 0.4


def test_a_png_of_narrow_range_is_refused(tmp_path: Path, identity: Preset) -> None:
    source = tagged_png(tmp_path / "a.png", chunk(b"cICP", bytes([9, 16, 0, 0])))
    with pytest.raises(SourceError, match="its cICP is 9/16/0/0, not RGB of full range"):
        nightfx.render(source, preset=identity, options=RELIGHT)


def still_of(folder: Path, suffix: str, name: str = "a.0001") -> Path:
    y, x, c = np.mgrid[:48, :64, :3]
    pixels = ((x * 2 + y + c * 30) % 200 + 30).astype(np.uint8)
    path = folder / f"{name}.{suffix}"
    if suffix in ("exr", "dpx"):
        light = (pixels / np.float32(255)) ** (2.2 if suffix == "exr" else 1)
        return save(path, light, "half" if suffix == "exr" else "uint16")
    Image.fromarray(pixels).save(path, lossless=True)
    return path


@pytest.mark.parametrize(
    ("source", "many"), [*((suffix, False) for suffix in STILLS), ("png", True), ("exr", True)]
)
def test_every_kind_of_picture_is_written_as_every_other(
    source: str, many: bool, tmp_path: Path, identity: Preset
) -> None:
    plate = still_of(tmp_path, source)
    shown = np.asarray(Image.open(still_of(tmp_path, "png", "seen")), np.float32) / 255
    for suffix in STILLS:
        name = "out.####" if many else "out.0001"
        given = tmp_path / f"a.####.{source}" if many else plate
        target = nightfx.render(
            given, tmp_path / f"{name}.{suffix}", preset=identity, options=RELIGHT
        )
        pixels = load(file_of(target, 1))[1][..., :3]
        seen = np.maximum(pixels, 0) ** (1 / 2.2) if suffix == "exr" else pixels
        assert np.abs(seen - shown).mean() < 0.03, suffix


def test_a_picture_of_another_format_is_named_without_a_target(tmp_path: Path) -> None:
    (tmp_path / "a.jxl").write_bytes(b"no picture")
    result = told("render", tmp_path / "a.jxl")
    assert result.exit_code != 0
    assert "convert it to PNG or EXR" in result.output


@pytest.mark.parametrize("suffix", ["jxl", "heic", "psd", "bmp", "jp2", "hdr"])
def test_a_picture_that_is_not_read_is_told_to_become_one_that_is(
    suffix: str, tmp_path: Path, identity: Preset
) -> None:
    (tmp_path / f"a.{suffix}").write_bytes(b"\xff\x0a" * 40)
    with pytest.raises(
        SourceError, match=r"pictures are PNG, JPEG, .* DPX: convert it to PNG or EXR"
    ):
        nightfx.render(tmp_path / f"a.{suffix}", preset=identity, options=RELIGHT)
    exrs(tmp_path)
    with pytest.raises(TargetError, match=r"pictures are PNG, JPEG, .* DPX: name it so"):
        nightfx.render(tmp_path / "shot.####.exr", tmp_path / f"b.{suffix}", preset=identity)


@pytest.mark.parametrize(
    ("pattern", "place", "base", "third"),
    [
        ("sh_####_beauty.exr", "####", "sh_beauty", "sh_0003_beauty.exr"),
        ("sh_%04d_v002.exr", "%04d", "sh_v002", "sh_0003_v002.exr"),
        ("sh.@@@.left.png", "@@@", "sh.left", "sh.003.left.png"),
        ("a_$F4_b.tif", "$F4", "a_b", "a_0003_b.tif"),
    ],
)
def test_a_number_may_stand_in_the_middle(
    pattern: str, place: str, base: str, third: str, tmp_path: Path, identity: Preset
) -> None:
    path = tmp_path / pattern
    assert (base_name(path), file_of(path, 3).name) == (base, third)
    for number in (3, 4, 12):
        file_of(path, number).touch()
    for other in ("sh_x_beauty.exr", "sh_00005_beauty.exr", "a_12_b.tif"):
        (tmp_path / other).touch()
    assert list(frames_on_disk(path)) == [3, 4, 12]
    assert default_target(path, identity, ".exr").name == f"{base}.identity.{place}.exr"


def test_a_folder_of_numbers_in_the_middle_is_one_sequence(tmp_path: Path, halving: Preset) -> None:
    plates = tmp_path / "plates"
    plates.mkdir()
    for number in (1001, 1002):
        save(plates / f"sh010_{number}_v002.exr", ramp(0))
    assert sequences_in(plates) == [plates / "sh010_####_v002.exr"]
    target = nightfx.render(plates, preset=halving, options=RELIGHT)
    assert target.name == "sh010_v002.halving.####.exr"
    assert list(frames_on_disk(target)) == [1001, 1002]


def test_single_frames_of_several_shots_are_no_sequence(tmp_path: Path) -> None:
    names = ["sh010_beauty.exr", "sh020_beauty.exr", "sh030.0001.exr"]
    for name in names:
        (tmp_path / name).touch()
    found = sorted(path.name for path in sequences_in(tmp_path))
    assert found == ["sh010_beauty.exr", "sh020_beauty.exr", "sh030.####.exr"]


def test_options_of_layers_are_told_to_be_for_exr(
    tmp_path: Path, identity: Preset, caplog: pytest.LogCaptureFixture
) -> None:
    options: Any = RELIGHT.but(layer="beauty")
    nightfx.render(still_of(tmp_path, "png"), preset=identity, options=options)
    assert "a.0001.png: --layer and --view are for EXR" in caplog.text
