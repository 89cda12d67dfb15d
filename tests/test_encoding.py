"""The working encoding: curves with known values, and renders of linear, log and HDR pictures."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import PyOpenColorIO as ocio
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from media import Clip, make_clip
from test_render import frames_of
from test_sequence import load, ramp, save

import nightfx
from nightfx.apply.working import light_in_working
from nightfx.errors import UsageError
from nightfx.job.source_target import open_shot, plan_target
from nightfx.network.presets import Preset
from nightfx.options.encode import EncodeOptions
from nightfx.picture.color import to_rgb
from nightfx.picture.curves import LINEAR_OF_HLG, LINEAR_OF_PQ, curve
from nightfx.picture.encoding import (
    LINEAR,
    SDR,
    STUDIO_CONFIG,
    Encoding,
    Encodings,
    encoding_named,
    from_working,
    rolled_off,
    to_working,
)
from nightfx.picture.frame import Coding, Frame, rgb_coding
from nightfx.picture.matrices import LMS, is_affine, rgb_of, ycc_of
from nightfx.source.numbered import file_of

RELIGHT = nightfx.RenderOptions.of(method="relight")
SPACES = ["linear", "pq", "hlg", "arri_logc4", "slog3", "acescct", "acescg", "lin_rec709"]
SPACES += ["vlog", "logc3"]
NOT_AFFINE = ["ictcp_pq", "ictcp_hlg", "bt2020c"]
POWERS = [(row[0] * 0.0203) ** 0.1593017578125 for row in LMS]
HDR_TAGS = {"pq": (9, 16, 9, 1), "hlg": (9, 18, 9, 1)}


def grey(*values: float) -> np.ndarray:
    return np.tile(np.array(values, np.float32), (3, 1, 1))


@pytest.mark.parametrize(
    ("space", "signal"),
    [
        ("sdr", 1.0),
        ("linear", 1.0),
        ("pq", 0.58068888),  # 203 cd/m² (BT.2408)
        ("hlg", 0.75),
        ("arri_logc4", 0.4275197),  # ARRI: (log2(2231.8263·1 + 64) − 6) / 14 · b + c
        ("acescct", (np.log2(1) + 9.72) / 17.52),
    ],
)
def test_reference_white_is_one(space: str, signal: float) -> None:
    encoding = encoding_named(space)
    np.testing.assert_allclose(to_working(grey(signal), encoding), 1, atol=2e-3)
    np.testing.assert_allclose(from_working(grey(1.0), encoding), signal, atol=1e-3)


@pytest.mark.parametrize("space", SPACES)
def test_curves_are_monotone_invertible_and_keep_the_sign(space: str) -> None:
    encoding = encoding_named(space)
    top = 1.0 if space in ("pq", "hlg", "acescct", "arri_logc4") else 4.0
    low = 0.0 if "cct" in space else -0.05
    signal = grey(*np.linspace(low, top if not space.startswith(("slog", "v", "logc")) else 1, 800))
    work = to_working(signal, encoding)
    assert np.isfinite(work).all()
    assert (np.diff(work[1, 0]) > 0).all()
    np.testing.assert_allclose(from_working(work, encoding), signal, atol=2e-5, rtol=1e-5)
    if encoding.is_linear or space in ("pq", "hlg"):
        np.testing.assert_allclose(to_working(-signal, encoding), -work, atol=1e-5)
    seen = rolled_off(work, encoding)
    assert seen.min() >= 0
    assert seen.max() <= 1
    assert (np.diff(seen[1, 0]) >= 0).all()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-60, 60, width=16), min_size=3, max_size=3))
def test_any_colour_of_half_floats_comes_back(colour: list[float]) -> None:
    rgb = np.array(colour, np.float32).reshape(3, 1, 1)
    for encoding in (LINEAR, encoding_named("acescg")):
        back = from_working(to_working(rgb, encoding), encoding)
        np.testing.assert_allclose(back, rgb, rtol=2**-11, atol=np.abs(rgb).max() * 1e-5 + 1e-7)


def test_wide_gamut_greens_are_negative_red_in_rec709() -> None:
    # BT.2087: linear (0, 1, 0) of BT.2020 is (-0.5876, 1.1329, -0.1006) of BT.709
    green = np.array([0, 0.58068888, 0], np.float32).reshape(3, 1, 1)
    light = encoding_named("pq")
    assert light.to_linear is not None
    np.testing.assert_allclose(
        light.to_linear(green).ravel(), [-0.5876, 1.1329, -0.1006], atol=1e-3
    )


def sequence(folder: Path, pixels: Any, kind: str = "half", count: int = 2) -> Path:
    for number in range(1001, 1001 + count):
        save(folder / f"shot.{number}.exr", pixels, kind)
    return folder / "shot.####.exr"


def level_ramp() -> np.ndarray:
    """Grey from 0 to 4× white, left to right."""
    across = np.linspace(0, 4, 256, dtype=np.float32).astype(np.float16)
    return np.tile(across[None, :, None], (64, 1, 3)).astype(np.float32)


@pytest.mark.parametrize("method", ["relight", "tiles"])
@pytest.mark.parametrize("name", ["halving", "night"])
def test_a_ramp_to_four_times_white_stays_monotone(
    tmp_path: Path, halving: Preset, name: str, method: Any
) -> None:
    source = sequence(tmp_path, level_ramp())
    preset: Any = halving if name == "halving" else "night"
    # what is bright enough would count as sky, and turn darker than what is not
    options = nightfx.RenderOptions.of(method=method, look=nightfx.Look(sky=0.0))
    _, lit = load(file_of(nightfx.render(source, preset=preset, options=options), 1002))
    row = lit[32].mean(-1)
    if name == "halving" or method == "relight":
        steps = np.diff(row[8:-8])
        assert (steps > 0).all() if name == "halving" else (steps >= 0).all()  # halves tie
    # halving: 4 · 0.5^2.4 = 0.76 and more; a night's whites are grey
    assert row[-1] > (0.8 if name == "halving" else 0.15)
    if name == "halving":
        work = to_working(level_ramp().transpose(2, 0, 1)[:, :1], LINEAR)
        wanted = from_working(work * np.float32(0.5), LINEAR)[0, 0]
        np.testing.assert_allclose(row, wanted, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("space", ["linear", "acescg", "arri_logc4"])
def test_strength_zero_gives_back_every_half(tmp_path: Path, space: str) -> None:
    pixels = ramp(3).astype(np.float16).astype(np.float32) - 0.25
    pixels[3, 4:7, 0] = np.nan, np.inf, 65504
    source = sequence(tmp_path, pixels)
    options = RELIGHT.but(strength=0.0, input_space=space)
    target = nightfx.render(source, options=options)
    (_, before), (_, after) = (load(file_of(path, 1001)) for path in (source, target))
    np.testing.assert_array_equal(after, before)


def processor(source: str, target: str) -> Any:
    config = ocio.Config.CreateFromFile(STUDIO_CONFIG)
    return config.getProcessor(source, target).getDefaultCPUProcessor()


def test_a_log_plate_returns_as_log(tmp_path: Path, halving: Preset) -> None:
    """Coded codes of LogC4, halved in the working encoding: computed here by OpenColorIO and sRGB's formula."""
    levels = np.linspace(0.1, 0.7, 64, dtype=np.float32)
    plate = np.tile(levels[None, :, None], (48, 1, 3))
    codes = np.rint(plate * 65535).astype(np.uint16)
    for number in (1, 2):
        save(tmp_path / f"a.{number}.tif", codes, "uint16")
    options = RELIGHT.but(input_space="arri_logc4")
    target = nightfx.render(tmp_path / "a.#.tif", preset=halving, options=options)
    spec, lit = load(file_of(target, 2))
    assert str(spec.format) == "uint16"
    light = np.ascontiguousarray(codes.astype(np.float32) / 65535)
    processor("arri_logc4", "lin_rec709").applyRGB(light)
    size = np.abs(light)
    work = np.where(size <= 0.0031308, 12.92 * size, 1.055 * size ** (1 / 2.4) - 0.055) / 2
    half = np.where(work <= 0.04045, work / 12.92, ((work + 0.055) / 1.055) ** 2.4)
    wanted = np.ascontiguousarray(np.copysign(half, light), np.float32)
    processor("lin_rec709", "arri_logc4").applyRGB(wanted)
    np.testing.assert_allclose(lit, wanted, atol=2e-4)


@pytest.mark.parametrize("pix_fmt", ["yuv420p10le", "yuv444p10le", "gbrp10le", "yuv422p"])
@pytest.mark.parametrize("kind", ["pq", "hlg"])
def test_hdr_clips_come_back_code_for_code(
    tmp_path: Path, identity: Preset, kind: str, pix_fmt: str
) -> None:
    tags = HDR_TAGS[kind] if pix_fmt != "gbrp10le" else (9, HDR_TAGS[kind][1], 0, 2)
    source = make_clip(tmp_path / "a.mkv", Clip("ffv1", pix_fmt, tags=tags, count=2))
    methods: list[Any] = ["relight", "tiles"]
    for method in methods:
        options = nightfx.RenderOptions.of(method=method, overwrite=True)
        target = nightfx.render(source, preset=identity, options=options)
        for a, b in zip(frames_of(source), frames_of(target), strict=True):
            assert all(np.array_equal(x, y) for x, y in zip(a.planes, b.planes, strict=True))


@pytest.mark.parametrize("kind", ["pq", "hlg"])
@pytest.mark.parametrize("method", ["relight", "tiles"])
def test_halving_an_hdr_clip_is_halving_what_is_seen(
    tmp_path: Path, halving: Preset, kind: str, method: Any
) -> None:
    coding = Coding("yuv420p10le", 10, 1, 1, "bt2020", False, False)
    planes = tuple(np.full(coding.plane_size(i, 32, 32), 512, np.uint16) for i in range(3))
    encoding = encoding_named(kind)
    frame = Frame(planes, coding, 0, Fraction(1, 24))
    lit = light_in_working(
        frame, lambda work, *_: work * np.float32(0.5), coding, Encodings(encoding, encoding)
    )
    work = to_working(grey((512 - 64) / 876), encoding)
    wanted = float(from_working(work * np.float32(0.5), encoding)[0, 0, 0]) * 876 + 64
    assert abs(int(lit.planes[0][5, 5]) - wanted) <= 0.51
    assert {int(p[3, 3]) for p in lit.planes[1:]} == {512}


def test_an_hdr_clip_as_exr_is_light_of_reference_white(
    tmp_path: Path, identity: Preset, caplog: pytest.LogCaptureFixture
) -> None:
    clip = Clip("ffv1", "gbrp10le", tags=(9, 16, 0, 2), count=1)
    source = make_clip(tmp_path / "a.mkv", clip)
    target = nightfx.render(source, tmp_path / "a.####.exr", preset=identity, options=RELIGHT)
    assert "pq is written as linear" in caplog.text
    _, light = load(file_of(target, 1001))
    (frame,) = frames_of(source)
    signal = np.stack(frame.planes).astype(np.float32) / np.float32(1023)
    pq = encoding_named("pq")
    assert pq.to_linear is not None
    wanted = np.moveaxis(pq.to_linear(signal), 0, -1)
    np.testing.assert_allclose(light, wanted, rtol=2e-3, atol=1e-3)


def test_linear_becomes_a_clip_as_it_is_seen(tmp_path: Path, identity: Preset) -> None:
    source = sequence(tmp_path, np.full((48, 64, 3), 0.18, np.float32))
    options = RELIGHT.but(encode=nightfx.EncodeOptions(codec="ffv1"))
    frames = frames_of(nightfx.render(source, tmp_path / "a.mkv", preset=identity, options=options))
    assert frames[0].coding.pix_fmt == "gbrp16le"
    assert abs(int(frames[0].planes[1][5, 5]) / 65535 - 0.46135613) < 1e-3  # sRGB of 0.18


def test_colour_under_alpha_is_lit_before_it_is_multiplied() -> None:
    coding = rgb_coding(32, alpha=True)
    alpha = np.array([[0.0, 0.0, 0.25, 0.5, 1.0]], np.float32)
    colour = np.array([[0.0, 0.3, 0.2, 0.4, 0.8]], np.float32)
    frame = Frame((colour, colour, colour, alpha), coding, 0, Fraction(1, 24))
    both = Encodings(LINEAR, LINEAR)
    lit = light_in_working(frame, lambda work, *_: work * np.float32(0.5), coding, both)
    straight = from_working(to_working(grey(0.8), LINEAR) * np.float32(0.5), LINEAR)[0, 0, 0]
    np.testing.assert_allclose(lit.planes[0][0, 2:], straight * alpha[0, 2:], rtol=1e-5)
    assert lit.planes[0][0, 0] == 0
    assert np.array_equal(lit.planes[3], alpha)


def test_what_the_generator_sees_of_highlights_is_rolled_off(
    tmp_path: Path, identity: Preset, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[torch.Tensor] = []
    real = type(identity.generator).light

    def spy(self: Any, x: torch.Tensor) -> Any:
        seen.append(x)
        return real(self, x)

    monkeypatch.setattr(type(identity.generator), "light", spy)
    nightfx.render(sequence(tmp_path, level_ramp(), count=1), preset=identity, options=RELIGHT)
    row = seen[0][0, 0, 20].numpy()
    assert (np.diff(row[:200]) > 0).all()
    assert 0.95 < row[-1] <= 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_space": "arri_logc5"}, "no such colour space; near are .*arri_logc4"),
        ({"input_space": "a", "ocio": "/nowhere.ocio"}, "--ocio /nowhere.ocio: cannot be used"),
    ],
)
def test_unknown_spaces_are_refused(tmp_path: Path, options: Any, message: str) -> None:
    source = sequence(tmp_path, ramp(0))
    with pytest.raises(UsageError, match=message):
        nightfx.render(source, options=nightfx.RenderOptions.of(**options))
    with pytest.raises(UsageError, match="--ocio needs --input-space"):
        nightfx.RenderOptions.of(ocio="a.ocio")


def test_a_config_of_ones_own_finds_its_way(tmp_path: Path) -> None:
    config = ocio.Config.CreateRaw()
    space = ocio.ColorSpace(name="double", encoding="scene-linear")
    double = ocio.MatrixTransform(matrix=[2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1])
    space.setTransform(double, ocio.COLORSPACE_DIR_TO_REFERENCE)
    reference = ocio.ColorSpace(name="light", aliases=["lin_rec709"], encoding="scene-linear")
    config.addColorSpace(space)
    config.addColorSpace(reference)
    path = tmp_path / "own.ocio"
    path.write_text(config.serialize())
    encoding = encoding_named("double", str(path))
    assert encoding.is_linear
    np.testing.assert_allclose(to_working(grey(0.5), encoding), 1, atol=1e-6)


def test_tags_choose_the_encoding(tmp_path: Path) -> None:
    def found(source: Path, target: Path | None = None) -> tuple[str, str]:
        from nightfx.job.source_target import find_encodings

        with open_shot(source, RELIGHT.source) as shot:
            plan = plan_target(shot.info, target, RELIGHT.encode)
            both: tuple[Encoding, Encoding] = find_encodings(shot.info, plan, RELIGHT.source)
        return both[0].name, both[1].name

    clip = make_clip(tmp_path / "a.mkv", Clip("ffv1", "yuv420p10le", tags=HDR_TAGS["hlg"]))
    exr = sequence(tmp_path, ramp(0))
    assert found(clip) == ("hlg", "hlg")
    assert found(clip, tmp_path / "b.####.exr") == ("hlg", "linear")
    assert found(clip, tmp_path / "b.####.dpx") == ("hlg", "hlg")
    assert found(exr) == ("linear", "linear")
    assert found(exr, tmp_path / "b.####.dpx") == ("linear", "sdr")
    assert SDR.to_linear is None


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.sampled_from(NOT_AFFINE))
def test_matrices_of_light_are_undone(colour: list[float], matrix: Any) -> None:
    rgb = np.array(colour, np.float32).reshape(3, 1, 1)
    ycc = ycc_of(rgb, matrix)
    assert np.abs(ycc[1:]).max() <= 0.51
    to_light = LINEAR_OF_HLG if matrix == "ictcp_hlg" else LINEAR_OF_PQ
    back, light = (curve(x, to_light) for x in (rgb_of(ycc, matrix), rgb))
    np.testing.assert_allclose(back, light, atol=2e-4 * light.max() + 1e-6)


def test_ictcp_and_constant_luminance_have_known_values() -> None:
    matrices: list[Any] = NOT_AFFINE
    for matrix in matrices:
        grey_ycc = ycc_of(grey(0.5), matrix)
        np.testing.assert_allclose(grey_ycc.ravel(), [0.5, 0, 0], atol=1e-4)
    red = np.array([0.58068888, 0, 0], np.float32).reshape(3, 1, 1)
    codes = ycc_of(red, "ictcp_pq").ravel()
    pq = [((0.8359375 + 18.8515625 * p) / (1 + 18.6875 * p)) ** 78.84375 for p in POWERS]
    wanted = [(pq[0] + pq[1]) / 2]
    wanted += [(6610 * pq[0] - 13613 * pq[1] + 7003 * pq[2]) / 4096]
    wanted += [(17933 * pq[0] - 17390 * pq[1] - 543 * pq[2]) / 4096]
    np.testing.assert_allclose(codes, wanted, atol=1e-4)
    luma = 1.09929682680944 * 0.2627**0.45 - 0.09929682680944
    red[0] = 1
    codes = ycc_of(red, "bt2020c").ravel()
    np.testing.assert_allclose(codes, [luma, -luma / 1.9404, (1 - luma) / 0.9936], atol=1e-5)


@pytest.mark.parametrize("tags", [(9, 16, 14, 1), (9, 18, 14, 1), (9, 14, 10, 1)])
def test_clips_with_such_matrices_come_back(
    tmp_path: Path, identity: Preset, tags: tuple[int, int, int, int]
) -> None:
    # colours that exist: mid greys with some chroma
    source = make_clip(tmp_path / "a.mkv", Clip("ffv1", "yuv444p10le", tags=tags, count=1))
    for a in frames_of(nightfx.render(source, preset=identity, options=RELIGHT)):
        assert a.coding.matrix == {16: "ictcp_pq", 18: "ictcp_hlg", 14: "bt2020c"}[tags[1]]
        assert not is_affine(a.coding)
        planes = tuple(np.full((32, 32), code, np.uint16) for code in (500, 520, 505))
        frame = replace(a, planes=planes)
        encoding = encoding_named({16: "pq", 18: "hlg", 14: "sdr"}[tags[1]])
        both = Encodings(encoding, encoding)
        same = light_in_working(frame, lambda work, *_: work, a.coding, both)
        assert all(np.array_equal(x, y) for x, y in zip(same.planes, planes, strict=True))
        work = to_working(to_rgb(frame), encoding)
        lit = light_in_working(frame, lambda work, *_: work * np.float32(0.5), a.coding, both)
        np.testing.assert_allclose(to_working(to_rgb(lit), encoding), work / 2, atol=4e-3)


def test_codecs_that_cannot_name_such_a_matrix_keep_the_light(
    tmp_path: Path, identity: Preset
) -> None:
    clip = Clip("ffv1", "yuv444p10le", tags=(9, 16, 14, 1), count=1)
    source = make_clip(tmp_path / "a.mkv", clip)
    prores = nightfx.RenderOptions.of(method="relight", encode=EncodeOptions(codec="prores"))
    target = nightfx.render(source, tmp_path / "a.mov", preset=identity, options=prores)
    with open_shot(target, RELIGHT.source) as shot:
        tags = shot.info.tags
        assert (shot.info.coding.matrix, tags.matrix, tags.transfer) == ("bt2020", 9, 16)
        (after,) = shot.frames()
    (before,) = frames_of(source)
    # what ICtCp holds beyond RGB has no codes in ProRes
    wanted = to_rgb(before)
    inside = ((wanted > 0.05) & (wanted < 0.95)).all(axis=0)
    assert inside.mean() > 0.2
    assert np.abs(to_rgb(after) - wanted)[:, inside].mean() < 0.02
