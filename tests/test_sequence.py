"""Sequences: what a file holds comes back, numbers and gaps are kept, and a clip becomes a sequence and one again."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import OpenImageIO
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media import Clip, make_clip
from remux import with_bytes
from test_fields import interlaced
from test_render import frames_of

import nightfx
from nightfx.check.files.pair import compare_files
from nightfx.errors import SourceError, TargetError, UsageError, install_words
from nightfx.job.inputs import plan_renders
from nightfx.network.presets import Preset, load_preset
from nightfx.options.source import Missing, rate_from
from nightfx.source import still
from nightfx.source.numbered import base_name, file_of, is_sequence, missing_numbers
from nightfx.source.reader import Reader
from nightfx.source.sequence import SequenceReader
from nightfx.source.still_extras import FilePart, timecode_of, timecode_word
from nightfx.source.timecode import shift_timecode
from nightfx.target.still_writer import write_parts

RELIGHT = nightfx.RenderOptions.of(method="relight")
TIMECODE, RATIONAL = (OpenImageIO.TypeDesc(kind) for kind in ("timecode", "rational"))


def ramp(index: int, channels: int = 3, height: int = 24, width: int = 32) -> np.ndarray:
    """A ramp to 4× white that moves."""
    y, x, c = np.mgrid[:height, :width, :channels].astype(np.float32)
    return np.asarray(4 * x / (width - 1) * (1 - y / 60) * (1 - c / 10) + index / 64, np.float32)


def save(path: Path, pixels: np.ndarray, kind: str = "half", **attributes: Any) -> Path:
    spec = OpenImageIO.ImageSpec(pixels.shape[1], pixels.shape[0], pixels.shape[2], kind)
    for name, value in attributes.items():
        if name in ("x", "y", "full_x", "full_y", "full_width", "full_height", "channelnames"):
            setattr(spec, name, value)
        else:
            spec.attribute(name.replace("__", ":"), value)
    spec.attribute("smpte:TimeCode", TIMECODE, (0x01020304, 0))
    spec.attribute("FramesPerSecond", RATIONAL, (24000, 1001))
    return write(path, spec, pixels)


def write(path: Path, spec: Any, pixels: np.ndarray) -> Path:
    out = OpenImageIO.ImageOutput.create(str(path))
    assert out is not None
    assert out.open(str(path), spec)
    assert out.write_image(np.ascontiguousarray(pixels))
    assert out.close()
    return path


def load(path: Path) -> tuple[Any, np.ndarray]:
    source = OpenImageIO.ImageInput.open(str(path))
    assert source is not None, path
    pixels = np.asarray(source.read_image("float"))
    spec = source.spec()
    source.close()
    return spec, pixels


def exrs(folder: Path, numbers: Any = range(1001, 1004), **attributes: Any) -> Path:
    folder.mkdir(exist_ok=True)
    for number in numbers:
        save(folder / f"shot.{number:04d}.exr", ramp(number - 1001), **attributes)
    return folder / "shot.####.exr"


def numbers_of(folder: Path, stem: str) -> list[int]:
    return sorted(int(p.name.split(".")[-2]) for p in folder.glob(f"{stem}.*.*") if p.is_file())


@pytest.mark.parametrize("method", ["relight", "tiles"])
def test_no_change_gives_every_exr_back(tmp_path: Path, identity: Preset, method: Any) -> None:
    source = exrs(tmp_path, compression="piz", owner="a post house")
    options = nightfx.RenderOptions.of(method=method)
    target = nightfx.render(source, preset=identity, options=options)
    assert target == tmp_path / "shot.identity.####.exr"
    assert numbers_of(tmp_path, "shot.identity") == [1001, 1002, 1003]
    for number in (1001, 1002, 1003):
        (a, before), (b, after) = (load(file_of(path, number)) for path in (source, target))
        assert np.array_equal(before, after)
        assert after.max() > 3.5
        names = "compression", "Copyright", "smpte:TimeCode", "FramesPerSecond"
        assert [a.getattribute(n) for n in names] == [b.getattribute(n) for n in names]
        assert a.getattribute("compression") == "piz"
    assert not list(tmp_path.glob(".*.part"))


@pytest.mark.parametrize("window", ["crop", "overscan"])
def test_layers_windows_and_types_are_carried(tmp_path: Path, halving: Preset, window: str) -> None:
    box = {"x": 5, "y": 3, "full_width": 64, "full_height": 48}
    if window == "overscan":
        box = {"x": -4, "y": -2, "full_width": 24, "full_height": 20}
    names = ("B", "G", "R", "albedo.R", "albedo.G", "albedo.B", "Z")
    pixels = np.concatenate([ramp(0), ramp(1, 4)], axis=-1)
    spec = OpenImageIO.ImageSpec(32, 24, 7, "half")
    spec.channelformats = (*[OpenImageIO.HALF] * 6, OpenImageIO.FLOAT)
    spec.channelnames = names
    for name, value in box.items():
        setattr(spec, name, value)
    source = write(tmp_path / "plate.1001.exr", spec, pixels)
    target = nightfx.render(source, preset=halving, options=RELIGHT)
    (a, before), (b, after) = load(source), load(target)
    assert list(b.channelnames) == list(a.channelnames)
    assert list(b.channelformats) == list(a.channelformats)
    assert {name: getattr(b, name) for name in box} == box
    colour = [list(a.channelnames).index(c) for c in "RGB"]
    rest = [i for i in range(7) if i not in colour]
    assert np.array_equal(before[..., rest], after[..., rest])
    assert (after[..., colour] <= before[..., colour]).all()
    assert after[..., colour].mean() < 0.8 * before[..., colour].mean()


def test_further_parts_are_carried(tmp_path: Path, halving: Preset) -> None:
    specs = [OpenImageIO.ImageSpec(32, 24, n, kind) for n, kind in ((1, "float"), (3, "half"))]
    specs[0].channelnames = ("Z",)
    for spec, name in zip(specs, ("depth", "beauty"), strict=True):
        spec.attribute("oiio:subimagename", name)
    path = tmp_path / "shot.0007.exr"
    parts = [FilePart(s, ramp(0, s.nchannels)) for s in specs]
    write_parts(path, "openexr", parts)
    target = nightfx.render(path, preset=halving, options=RELIGHT)
    before, after = (OpenImageIO.ImageInput.open(str(p)) for p in (path, target))
    assert before is not None
    assert after is not None
    for index, name in enumerate(("depth", "beauty")):
        assert after.spec(index).getattribute("oiio:subimagename") == name
        a, b = (
            np.asarray(x.read_image(index, 0, 0, specs[index].nchannels, "float"))
            for x in (before, after)
        )
        assert np.array_equal(a, b) == (name == "depth")


@pytest.mark.parametrize(("suffix", "bits"), [(".dpx", 10), (".dpx", 12), (".tif", 16)])
def test_codes_of_film_files_are_exact(
    tmp_path: Path, identity: Preset, suffix: str, bits: int
) -> None:
    codes = (np.arange(24 * 32 * 3) % (1 << bits)).astype(np.uint16).reshape(24, 32, 3)
    pixels = (codes << (16 - bits)) | (codes >> (2 * bits - 16) if bits < 16 else 0)
    compression = {} if suffix == ".dpx" else {"compression": "packbits"}
    for number in (7, 8):
        save(
            tmp_path / f"a_{number:03d}{suffix}",
            pixels,
            "uint16",
            oiio__BitsPerSample=bits,
            **compression,
        )
    source = tmp_path / f"a_%03d{suffix}"
    with SequenceReader(source) as reader:
        (frame, _) = reader.frames()
        assert reader.info.coding.depth == bits
        assert np.array_equal(np.stack(frame.planes, -1), codes)
        if suffix == ".dpx":
            assert (reader.info.timecode, reader.info.rate) == ("01:02:03:04", None)
    target = nightfx.render(source, preset=identity, options=RELIGHT)
    assert target == tmp_path / f"a.identity.%03d{suffix}"
    (a, before), (b, after) = (load(file_of(path, 8)) for path in (source, target))
    assert np.array_equal(before, after)
    assert b.getattribute("oiio:BitsPerSample") == bits
    assert b.getattribute("compression") == a.getattribute("compression")


@pytest.mark.parametrize(
    ("kind", "bits", "channels", "compression"),
    [
        ("uint8", 1, 1, "ccittfax4"),
        ("uint8", 4, 3, "none"),
        ("uint16", 12, 3, "none"),
        ("uint16", 16, 4, "lzw"),
        ("uint", 32, 1, "none"),
        ("uint", 32, 3, "zip"),
        ("float", 32, 3, "zip"),
    ],
)
def test_tiff_of_any_kind_is_one_picture(
    tmp_path: Path, identity: Preset, kind: str, bits: int, channels: int, compression: str
) -> None:
    rng = np.random.default_rng(bits + channels)
    plate: np.ndarray = (rng.integers(0, 1 << 8, (24, 32, channels)) / 255).astype(np.float32)
    if bits < 8:
        plate = np.round(plate * ((1 << bits) - 1)) / np.float32((1 << bits) - 1)
    source = tmp_path / "a.tif"
    save(source, plate, kind, oiio__BitsPerSample=bits, compression=compression)
    spec, before = load(source)
    assert spec.getattribute("oiio:BitsPerSample") == bits
    target = nightfx.render(source, preset=identity, options=RELIGHT)
    assert target == tmp_path / "a.identity.tif"
    new, after = load(target)
    assert after.shape[2] == max(channels, 3)
    np.testing.assert_allclose(
        after, before if channels > 2 else before.repeat(3, 2), atol=1 / 65535
    )
    assert str(new.format) == str(spec.format)
    assert new.getattribute("oiio:BitsPerSample") == max(bits, 8)
    assert new.getattribute("compression") == compression.replace("ccittfax4", "zip")
    with SequenceReader(source) as reader:
        assert reader.info.coding.is_float == (kind == "float")


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_deep_pictures_need_no_extra(
    tmp_path: Path, identity: Preset, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(still, "has_openimageio", lambda: False)
    codes = (np.arange(24 * 32 * 4, dtype=np.uint16) * 21).reshape(24, 32, 4)
    for number in (1, 2, 3):
        cv2.imwrite(str(tmp_path / f"a.{number:04d}{suffix}"), codes[..., : 3 + (suffix == ".png")])
    target = nightfx.render(tmp_path / f"a.@@@@{suffix}", preset=identity, options=RELIGHT)
    assert target == tmp_path / f"a.identity.@@@@{suffix}"
    before, after = (
        cv2.imread(str(file_of(p, 3)), cv2.IMREAD_UNCHANGED)
        for p in (tmp_path / f"a.####{suffix}", target)
    )
    assert before is not None
    assert after is not None
    assert before.dtype == np.uint16
    assert np.array_equal(before, after)
    exr = exrs(tmp_path)
    with pytest.raises(UsageError, match=re.escape(f".exr needs {install_words('film')}")):
        nightfx.render(exr, preset=identity)


def test_a_target_that_needs_an_extra_is_named_as_it_was_given(
    tmp_path: Path, identity: Preset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(still, "has_openimageio", lambda: False)
    source, target = make_clip(tmp_path / "a.mp4", Clip(count=2)), tmp_path / "e.####.exr"
    with pytest.raises(UsageError, match=re.escape(f"{target}: .exr needs")):
        nightfx.render(source, target, preset=identity)


def test_gaps_are_refused_left_out_or_held(
    tmp_path: Path, identity: Preset, caplog: pytest.LogCaptureFixture
) -> None:
    source = exrs(tmp_path, (1001, 1002, 1005))
    with pytest.raises(SourceError, match=r"1003-1004 of 1001-1005 missing: --missing skip"):
        nightfx.render(source, preset=identity)
    cases: list[tuple[Missing, list[int]]] = [
        ("skip", [1001, 1002, 1005]),
        ("hold", [*range(1001, 1006)]),
    ]
    for missing, wanted in cases:
        options = RELIGHT.but(missing=missing, overwrite=True)
        target = tmp_path / missing / "out.####.exr"
        target.parent.mkdir()
        nightfx.render(source, target, preset=identity, options=options)
        assert numbers_of(target.parent, "out") == wanted
    _, held = load(file_of(target, 1004))
    assert np.array_equal(held, load(file_of(source, 1002))[1])
    assert "1003-1004 of 1001-1005 missing" in caplog.text


def test_a_broken_file_is_named_and_can_be_left_out(tmp_path: Path, identity: Preset) -> None:
    source = exrs(tmp_path, range(1001, 1005))
    file_of(source, 1003).write_bytes(file_of(source, 1003).read_bytes()[:600])
    with pytest.raises(SourceError, match=r"shot\.1003\.exr: not readable as a picture"):
        nightfx.render(source, preset=identity)
    # what was written before it is whole
    assert numbers_of(tmp_path, "shot.identity") in ([], [1001], [1001, 1002])
    assert not list(tmp_path.glob(".*"))
    options = RELIGHT.but(keep_going=True, overwrite=True)
    nightfx.render(source, preset=identity, options=options)
    assert numbers_of(tmp_path, "shot.identity") == [1001, 1002, 1004]


@pytest.mark.parametrize("old", [b"channels\0", b"chlist\0"])
def test_a_header_of_bytes_that_are_no_text_is_one_line(tmp_path: Path, old: bytes) -> None:
    path = save(tmp_path / "a.exr", ramp(0))
    with_bytes(path, path, old, b"\xff" * (len(old) - 1) + b"\0")
    for read in (still.read_still, lambda each: compare_files(each, each)):
        with pytest.raises(SourceError, match="not readable as a picture") as caught:
            read(path)
        assert "\n" not in str(caught.value)


def test_nothing_is_replaced_unasked(tmp_path: Path, identity: Preset) -> None:
    source = exrs(tmp_path)
    (tmp_path / "out.1002.exr").write_bytes(b"precious")
    with pytest.raises(TargetError, match=r"out\.1002\.exr: exists already"):
        nightfx.render(source, tmp_path / "out.####.exr", preset=identity)
    options = nightfx.RenderOptions.of(overwrite=True)
    with pytest.raises(UsageError, match="input and output are the same file"):
        nightfx.render(source, tmp_path / "shot.@@@@.exr", preset=identity, options=options)
    with pytest.raises(TargetError, match=r"one name for many frames: write out\.####\.exr"):
        nightfx.render(source, tmp_path / "out.exr", preset=identity)


@pytest.mark.parametrize("suffix", [".exr", ".dpx", ".tif", ".png"])
def test_a_clip_becomes_a_sequence_and_a_clip_again(
    tmp_path: Path, identity: Preset, suffix: str
) -> None:
    clip = Clip("ffv1", "gbrp10le", count=4, timecode="01:00:00:22", tags=(1, 1, 0, 2))
    source = make_clip(tmp_path / "plate.mkv", clip)
    frames = tmp_path / f"plate.####{suffix}"
    nightfx.render(source, frames, preset=identity, options=RELIGHT)
    assert numbers_of(tmp_path, "plate") == [1001, 1002, 1003, 1004]
    fps = Fraction(24)
    with SequenceReader(frames, rate=fps) as reader:
        first, *_, last = reader.frames()
        assert (last.number, last.pts, last.time_base) == (1004, 3, 1 / fps)
        assert reader.info.timecode == (None if suffix in (".png", ".tif") else "01:00:00:22")
        assert len(first.planes) == 3
    if suffix in (".exr", ".dpx"):
        assert timecode_of(load(file_of(frames, 1003))[0]) == "01:00:01:00"
    options = RELIGHT.but(fps=fps, start_seconds=1 / 24)
    again = nightfx.render(frames, tmp_path / "again.mov", preset=identity, options=options)
    with Reader(again) as back:
        assert back.info.rate == 24
        assert back.info.timecode in (None, "01:00:00:23")
        assert [f.pts * f.time_base for f in back.frames()] == [Fraction(i, 24) for i in range(3)]


def test_codes_survive_the_way_over_files(tmp_path: Path, identity: Preset) -> None:
    source = make_clip(tmp_path / "plate.mkv", Clip("ffv1", "gbrp10le", count=3))
    nightfx.render(source, tmp_path / "a.####.dpx", preset=identity, options=RELIGHT)
    options = RELIGHT.but(fps=Fraction(24), encode=nightfx.EncodeOptions(codec="ffv1"))
    target = tmp_path / "back.mkv"
    nightfx.render(tmp_path / "a.####.dpx", target, preset=identity, options=options)
    for a, b in zip(frames_of(source), frames_of(target), strict=True):
        assert all(np.array_equal(x, y) for x, y in zip(a.planes, b.planes, strict=True))


def test_a_clip_needs_a_rate(tmp_path: Path, identity: Preset) -> None:
    for number in (1, 2):
        cv2.imwrite(str(tmp_path / f"a.{number}.png"), np.zeros((24, 32, 3), np.uint8))
    with pytest.raises(UsageError, match="says no frame rate: --fps gives it"):
        nightfx.render(tmp_path / "a.#.png", tmp_path / "a.mp4", preset=identity)


def test_a_folder_stands_for_its_sequence(tmp_path: Path, identity: Preset) -> None:
    source = exrs(tmp_path / "plates")
    nightfx.render(source, options=RELIGHT)
    options = nightfx.RenderOptions.of()
    jobs = plan_renders([tmp_path / "plates"], None, load_preset("night"), options)
    assert [job.target.name for job in jobs] == ["shot.night.####.exr"]
    one = exrs(tmp_path / "one")
    assert nightfx.render(tmp_path / "one", preset=identity).parent == one.parent
    with pytest.raises(SourceError, match="folder with 2 EXR or DPX sequences"):
        nightfx.render(tmp_path / "one", preset=identity)


def test_passes_have_the_numbers_of_the_frames(tmp_path: Path, halving: Preset) -> None:
    source = exrs(tmp_path / "a", (1050, 1051))
    options = RELIGHT.but(passes=tmp_path / "p")
    nightfx.render(source, preset=halving, options=options)
    assert sorted(p.name for p in (tmp_path / "p").glob("*.field.*")) == [
        "shot.halving.field.1050.exr",
        "shot.halving.field.1051.exr",
    ]


def test_a_picture_that_changes_is_refused(tmp_path: Path, identity: Preset) -> None:
    source = exrs(tmp_path)
    save(tmp_path / "shot.1004.exr", ramp(0, width=40))
    with pytest.raises(SourceError, match=r"data window 40x24\+0\+0 is outside 32x24"):
        nightfx.render(source, preset=identity)


def test_files_are_chosen_by_their_numbers(tmp_path: Path, identity: Preset) -> None:
    source = exrs(tmp_path, range(1001, 1008))
    options = nightfx.RenderOptions.of(frames=(1003, 1005))
    nightfx.render(source, tmp_path / "b.####.exr", preset=identity, options=options)
    assert numbers_of(tmp_path, "b") == [1003, 1004, 1005]
    options = nightfx.RenderOptions.of(frames=(1, 5))
    with pytest.raises(UsageError, match="--frames 1-5 is outside 1001-1007"):
        nightfx.render(source, tmp_path / "c.####.exr", preset=identity, options=options)


def test_sequences_have_no_fields(tmp_path: Path, identity: Preset) -> None:
    fields = interlaced(tmp_path / "i.mp4")
    kept = nightfx.RenderOptions.of(interlaced="keep")
    with pytest.raises(UsageError, match="leave out --interlaced keep"):
        nightfx.render(fields, tmp_path / "i.####.png", preset=identity, options=kept)
    nightfx.render(fields, tmp_path / "i.####.png", preset=identity)
    assert len(numbers_of(tmp_path, "i")) == len(frames_of(fields))


def test_files_of_too_many_pixels_are_refused(tmp_path: Path, identity: Preset) -> None:
    few = nightfx.RenderOptions.of(max_pixels=24 * 32 - 1)
    with pytest.raises(SourceError, match="768 pixels are more than 767: see --max-pixels"):
        nightfx.render(exrs(tmp_path), preset=identity, options=few)
    cv2.imwrite(str(tmp_path / "p.0001.png"), np.zeros((24, 32, 3), np.uint8))
    with pytest.raises(SourceError, match="32x24 is more than 767 pixels: see --max-pixels"):
        nightfx.render(tmp_path / "p.####.png", preset=identity, options=few)
    enough = nightfx.RenderOptions.of(max_pixels=24 * 32)
    assert nightfx.render(tmp_path / "p.####.png", preset=identity, options=enough)


@pytest.mark.parametrize(
    ("name", "base", "third"),
    [
        ("shot.####.exr", "shot", "shot.0003.exr"),
        ("a_%03d.png", "a", "a_003.png"),
        ("@@.dpx", "", "03.dpx"),
        ("x.$F4.tif", "x", "x.0003.tif"),
        ("x.#.tif", "x", "x.3.tif"),
    ],
)
def test_patterns(name: str, base: str, third: str) -> None:
    assert is_sequence(Path(name))
    assert base_name(Path(name)) == base
    assert file_of(Path(name), 3) == Path(third)
    assert not is_sequence(Path("take#1.mp4"))
    assert not is_sequence(Path("still.png"))


@settings(deadline=None)
@given(st.sets(st.integers(0, 60), min_size=1))
def test_missing_numbers_are_all_named(present: set[int]) -> None:
    words = missing_numbers(sorted(present))
    if "…" in words:
        return
    named: set[int] = set()
    for part in words.split(",") if words else []:
        low, _, high = part.partition("-")
        named |= set(range(int(low), int(high or low) + 1))
    assert named == set(range(min(present), max(present) + 1)) - present


@settings(deadline=None)
@given(st.integers(0, 24 * 3600 * 30 - 3000), st.sampled_from([":", ";"]))
def test_timecode_words_are_those_of_the_standard(frames: int, mark: str) -> None:
    timecode = shift_timecode(f"00:00:00{mark}00", frames, Fraction(30000, 1001)) or ""
    spec = OpenImageIO.ImageSpec(1, 1, 3, "half")
    spec.attribute("smpte:TimeCode", TIMECODE, (timecode_word(timecode), 0))
    if timecode_word(timecode):
        assert timecode_of(spec) == timecode
        shown = spec.to_xml()
        assert timecode.replace(";", ":") in shown.replace(";", ":")


def test_rates_are_those_that_were_meant() -> None:
    meant = {23.976: (24000, 1001), 23.98: (24000, 1001), 24.0: (24, 1), 29.97: (30000, 1001)}
    meant |= {59.94: (60000, 1001), 25.0: (25, 1), 12.5: (25, 2)}
    assert {rate: rate_from(rate) for rate in meant} == {
        rate: Fraction(*parts) for rate, parts in meant.items()
    }
