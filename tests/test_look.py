"""The look: its numbers and keyframes, what of it a field carries, and what comes after: glow, grain and the matte."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
import torch
from conftest import preset_of
from hypothesis import given
from hypothesis import strategies as st
from media import Clip, make_clip
from PIL import Image
from torch import nn
from typer.testing import CliRunner

import nightfx
from nightfx.apply.change import graded_picture
from nightfx.apply.field import blended, glowing, graded, identity_field, relight
from nightfx.apply.finish import Written, grained, screened
from nightfx.cli import app
from nightfx.errors import PresetError, SourceError, UsageError
from nightfx.job.asked import complete_options
from nightfx.job.matte import MatteFile, feathered
from nightfx.light.borders import Borders, Lengths
from nightfx.light.glow import LAMP, spread
from nightfx.light.grade import grade_of, white_gains
from nightfx.light.light import Beside, light_frames
from nightfx.light.lighting import Footage, Lighting, ceiling_of, plan_fields, plan_sky
from nightfx.network.model import RelitGenerator
from nightfx.network.presets import Preset, load_preset
from nightfx.network.saved import save_preset
from nightfx.options.look import Look, Moment, read_look, value_at, value_from
from nightfx.picture.encoding import LINEAR, PLAIN, Encodings, encoding_named
from nightfx.picture.frame import Coding, Frame, rgb_coding
from nightfx.source.reader import Reader

YUV8 = Coding("yuv420p", 8, 1, 1, "bt709", False, False)
YUV10 = Coding("yuv422p10le", 10, 1, 0, "bt709", False, False)
YUV12 = Coding("yuv444p12le", 12, 0, 0, "bt709", True, False)
KINDS = {
    "8-bit": YUV8,
    "10-bit": YUV10,
    "12-bit": YUV12,
    "16-bit with alpha": rgb_coding(16, alpha=True),
    "float with alpha": rgb_coding(32, alpha=True),
}
SIZE = 48, 64


def frame_of(coding: Coding, pts: int = 0, size: tuple[int, int] = SIZE) -> Frame:
    """A picture of legal codes, black and white left out."""
    rng = np.random.default_rng(pts)
    planes = []
    for i in range(coding.plane_count):
        shape = coding.plane_size(i, *size)
        values = rng.uniform(0.2, 0.8, shape)
        codes = values if coding.is_float else np.rint(values * coding.peak)
        planes.append(codes.astype(coding.dtype))
    return Frame(tuple(planes), coding, pts, Fraction(1, 24))


def lit(
    frames: list[Frame], preset: Preset, options: nightfx.RenderOptions, **more: Any
) -> list[Frame]:
    """The frames as a render would light them, in float32."""
    written = Written(more.pop("coding", frames[0].coding), more.pop("encodings", PLAIN))
    borders, matte = Borders(Lengths(), more.pop("first", 0), ()), more.pop("matte", None)
    assert not more
    options = complete_options(options, preset)
    fields = None
    if preset.method(options.light.method) == "relight":
        footage = Footage(lambda: frames, encoding=written.encodings.source)
        fields = plan_fields(footage, preset.generator, preset, options.field)
    light = options.light
    lighting = Lighting(
        *(preset.generator, options.look, fields, light.tile_px, light.seed),
        ceiling=ceiling_of(preset),
        sky=plan_sky(preset, options.look),
    )
    return list(light_frames(frames, lighting, written, Beside(borders, matte and matte.at)))


def relight_by(**values: Any) -> nightfx.RenderOptions:
    names = {"matte", "matte_invert", "matte_feather", "strength", "seed", "method"}
    own = {name: values.pop(name) for name in names & set(values)}
    return nightfx.RenderOptions.of(**{"method": "relight", **own}, look=Look(**values))


def assert_equal(a: Frame, b: Frame) -> None:
    for one, other in zip(a.planes, b.planes, strict=True):
        np.testing.assert_array_equal(one, other)


# numbers and keyframes


def test_keyframes_after_the_last_frame_are_told() -> None:
    look = Look(exposure=((1500, 0.5), (1600, 1.0)), glow=((1001, 0.0), (1900, 1.0)))
    assert list(look.late_lines(1060)) == [
        "--exposure: frames 1500-1600 are after the last, 1060: it stays at 0.5"
    ]
    assert not list(look.late_lines(1499))


@pytest.mark.parametrize(
    ("text", "frame", "wanted"),
    [
        ("0.5", 7, 0.5),
        ("0:0,48:1", 0, 0),
        ("0:0,48:1", 12, 0.25),
        ("0:0,48:1", 48, 1),
        ("0:0,48:1", 900, 1),
        ("10:1,20:0.5", 3, 1),
        ("10:1,20:0.5", 15, 0.75),
        ("5:0.25", 0, 0.25),
    ],
)
def test_a_value_is_a_number_or_keyframes(text: str, frame: int, wanted: float) -> None:
    assert value_at(value_from(text), frame) == pytest.approx(wanted)


@given(
    st.dictionaries(st.integers(0, 999), st.floats(0, 1, width=32), min_size=1, max_size=6),
    st.integers(0, 1200),
)
def test_keyframes_pass_through_their_keys_and_stay_between_them(
    keys: dict[int, float], frame: int
) -> None:
    value = tuple(sorted(keys.items()))
    assert [value_at(value, at) for at, _ in value] == [number for _, number in value]
    assert min(keys.values()) - 1e-9 <= value_at(value, frame) <= max(keys.values()) + 1e-9


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("strength", "2", "--strength must be from 0 to 1, got 2"),
        ("strength", "much", "--strength must be a number, or frames with numbers"),
        ("strength", "0:0,0:1", "frames that rise from 0 on"),
        ("strength", "9:0,3:1", "frames that rise from 0 on"),
        ("strength", "-1:0,3:1", "frames that rise from 0 on"),
        ("exposure", "0:0,8:11", "--exposure must be from -10 to 10, got 11"),
        ("exposure", "nan", "--exposure must be from -10 to 10, got nan"),
        ("grain", "0:", "--grain must be a number, or frames"),
        ("sky_level", "9:0,3:1", "--sky-level needs frames that rise from 0 on"),
        ("lamps", -11, "--lamps must be from -10 to 10, got -11"),
        ("street_light", 4.5, "--street-light must be from 0 to 4, got 4.5"),
        ("lamps_kelvin", 20001, "--lamps-kelvin must be from 0 to 20000, got 20001"),
        (
            "windows_kelvin",
            999,
            "--windows-kelvin must be from 1000 to 20000, or 0 alone .*, got 999",
        ),
        ("cars_kelvin", "1001:0,1009:3000", "--cars-kelvin must be from 1000 .*, got 0, 3000"),
        ("signs_kelvin", "1001:2000,1009:3", "--signs-kelvin must be from 1000 .*, got 2000, 3"),
    ],
)
def test_what_is_no_value_is_refused(name: str, text: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Look(**{name: text})


@pytest.mark.parametrize("group", ["lamps", "windows", "cars", "signs"])
def test_a_colour_of_lights_is_in_kelvin_or_the_presets(group: str) -> None:
    key = "{}_kelvin".format(group)  # noqa: UP032  # a name of its own would look private

    def look(value: Any) -> Look:
        return Look(**{key: value})

    assert getattr(look("1001:2000,1011:4000").at(1006), key) == 3000
    assert getattr(look(20000).at(1001), key) == 20000
    for neutral in (look(0), look("1001:0,1009:0"), Look()):
        assert getattr(neutral.at(1005), key) == 0
        assert neutral.names(key) == []


def test_a_look_goes_before_the_presets_own() -> None:
    own = Look(exposure=-1, sky=0.8)
    assert Look(sky=0.0, glow=1).over(own) == Look(exposure=-1, sky=0.0, glow=1)
    assert Look(sky=0.5).over(None) == Look(sky=0.5)
    assert Look(exposure=1.0).at(3) == Moment(exposure=1.0)
    assert Look(sky=0.0, glow=((0, 0.0), (9, 1.0))).names("sky", "glow", "grain") == ["glow"]


def test_a_presets_look_is_read_and_survives_saving(tmp_path: Path) -> None:
    look = Look(exposure=((0, -1), (24, 0.5)), sky=0.8)
    facts: dict[str, Any] = {"name": "a", "description": "", "heights_px": (8, 99), "look": look}
    save_preset(tmp_path / "a", RelitGenerator(), "", **facts)
    assert load_preset(tmp_path / "a").facts.look == look
    path = tmp_path / "a" / "preset.toml"
    path.write_text(path.read_text().replace("sky = 0.8", 'sky = "0:0.1,5:1"'))
    loaded = load_preset(tmp_path / "a").facts.look
    assert loaded is not None
    assert loaded.sky == ((0, 0.1), (5, 1.0))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"exposition": 1}, "has no exposition; known: strength, exposure"),
        ({"exposure": True}, "exposure must be a number, or frames"),
        ({"exposure": [[0]]}, "exposure must be a number, or frames"),
        ({"exposure": []}, "exposure must be a number, or frames"),
        ({"exposure": 99}, "exposure must be from -10 to 10, got 99"),
        ({"sky": "x"}, "sky must be a number, or frames"),
    ],
)
def test_a_wrong_look_of_a_preset_is_named(table: dict[str, Any], words: str) -> None:
    with pytest.raises(PresetError, match=words):
        read_look(table)


# what a field carries


def test_a_stop_is_a_factor_of_light() -> None:
    grade = grade_of(Moment(exposure=1))
    assert grade is not None
    np.testing.assert_allclose(grade[:, :3], np.eye(3) * 2 ** (1 / 2.2))
    assert grade_of(Moment(strength=0.5, sky=1, glow=1, grain=0.1)) is None


def test_white_balance_keeps_luma_and_knows_its_directions() -> None:
    luma = np.array([0.2126, 0.7152, 0.0722])
    full_cto, full_ctb = 159, -137
    for temperature, tint in ((full_cto, 0), (full_ctb, 0), (0, 20), (120, -30)):
        assert Look(temperature=temperature, tint=tint)
        assert luma @ white_gains(temperature, tint) == pytest.approx(1)
    red, green, blue = white_gains(80, 0)
    assert red > green > blue
    assert white_gains(0, 20)[1] < 1 < white_gains(0, -20)[1]
    np.testing.assert_allclose(white_gains(0, 0), 1, atol=1e-12)


def test_saturation_and_black_are_what_they_say() -> None:
    colour = np.array([0.2, 0.6, 0.4], np.float32).reshape(3, 1, 1)
    grey = graded_picture(colour, grade_of(Moment(saturation=0)))
    np.testing.assert_allclose(grey, 0.2126 * 0.2 + 0.7152 * 0.6 + 0.0722 * 0.4, rtol=1e-5)
    ends = np.array([0.0, 1.0], np.float32).reshape(1, 1, 2).repeat(3, 0)
    lifted = graded_picture(ends, grade_of(Moment(black=0.1)))
    np.testing.assert_allclose(lifted[0, 0], [0.1, 1], atol=1e-6)


@given(st.floats(-3, 3), st.floats(-100, 200), st.floats(0, 2), st.floats(-0.2, 0.3))
def test_a_graded_field_is_the_field_and_then_the_grade(
    exposure: float, temperature: float, saturation: float, black: float
) -> None:
    rng = np.random.default_rng(1)
    picture, field = (
        rng.uniform(-0.5, 1.5, s).astype(np.float32) for s in ((3, 9, 12), (12, 3, 4))
    )
    moment = Moment(exposure=exposure, temperature=temperature, saturation=saturation, black=black)
    grade = grade_of(moment)
    wanted = graded_picture(relight(picture, field), grade)
    rounding = max(2e-4, 2e-5 * float(np.abs(wanted).max()))
    np.testing.assert_allclose(relight(picture, graded(field, grade)), wanted, atol=rounding)


@pytest.mark.parametrize("method", ["tiles", "relight"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_neutral_look_changes_nothing_bit_for_bit(
    kind: str, method: Any, halving: Preset
) -> None:
    frames = [frame_of(KINDS[kind], pts) for pts in range(2)]
    encodings = Encodings(LINEAR, LINEAR) if "float" in kind else PLAIN
    neutral = Look(**Moment()._asdict())
    without, with_neutral = (
        lit(
            frames, halving, nightfx.RenderOptions.of(method=method, look=look), encodings=encodings
        )
        for look in (Look(), neutral)
    )
    for a, b in zip(without, with_neutral, strict=True):
        assert_equal(a, b)


@pytest.mark.parametrize("method", ["tiles", "relight"])
def test_strength_is_keyframed_from_the_plate_to_the_preset(method: Any, halving: Preset) -> None:
    frames = [frame_of(YUV10, pts) for pts in range(6)]
    options = nightfx.RenderOptions.of(method=method, strength=((1002, 0.0), (1004, 1.0)))
    made = lit(frames, halving, options)
    assert_equal(made[0], frames[0])
    assert_equal(made[1], frames[1])
    for index, factor in ((2, 0.75), (3, 0.5), (5, 0.5)):
        wanted = (frames[index].planes[0] - 64.0) * factor + 64
        assert np.abs(made[index].planes[0] - wanted).max() <= 1.5
    later = lit(frames[3:], halving, options, first=3)
    assert np.abs(later[0].planes[0] - made[3].planes[0].astype(float)).max() <= 1


@pytest.mark.parametrize("method", ["tiles", "relight"])
@pytest.mark.parametrize("kind", ["8-bit", "10-bit", "12-bit", "16-bit with alpha"])
def test_exposure_scales_every_depth_alike(kind: str, method: Any, identity: Preset) -> None:
    coding = KINDS[kind]
    frame = frame_of(coding)
    (made,) = lit([frame], identity, relight_by(exposure=-1, method=method))
    black = 0 if coding.full_range else 16 << (coding.depth - 8)
    wanted = (frame.planes[0] - float(black)) * 2 ** (-1 / 2.2) + black
    assert np.abs(made.planes[0] - wanted).max() <= 1.5
    if coding.has_alpha:
        np.testing.assert_array_equal(made.planes[3], frame.planes[3])


def test_exposure_of_light_and_of_pq_is_a_stop_of_light(identity: Preset) -> None:
    frame = Frame(
        tuple(np.full((16, 16), v, np.float32) for v in (0.5, 2.0, 8.0)),
        rgb_coding(32, alpha=False),
        *(0, Fraction(1, 24)),
    )
    linear = Encodings(LINEAR, LINEAR)
    (made,) = lit([frame], identity, relight_by(exposure=1), encodings=linear)
    for before, after in zip(frame.planes, made.planes, strict=True):
        assert after.mean() / before.mean() == pytest.approx(2, rel=0.1)
    codes = tuple(np.full((16, 16), 30000, np.uint16) for _ in range(3))
    frame = Frame(codes, rgb_coding(16, alpha=False), 0, Fraction(1, 24))
    pq = encoding_named("pq")
    (made,) = lit([frame], identity, relight_by(exposure=1), encodings=Encodings(pq, pq))
    assert pq.to_linear is not None
    before, after = (
        pq.to_linear(np.stack(x.planes).astype(np.float32) / np.float32(65535)).mean()
        for x in (frame, made)
    )
    assert after / before == pytest.approx(2, rel=0.1)


# glow and grain


def test_light_spreads_from_what_is_bright_and_fades() -> None:
    dark = np.full((3, 90, 120), 0.1, np.float32)
    assert not spread(dark, 1.0).any()
    dark[:, 40:50, 50:70] = 0.95
    glow = spread(dark, 1.0)
    row = glow[0, 22, 35:]
    assert row[0] > 0.1
    assert (np.diff(row) <= 1e-7).all()
    np.testing.assert_allclose(spread(dark, 0.1), 2 * spread(dark, 0.05), atol=1e-6)


def test_a_lamp_of_a_pixel_spreads_as_much_light_as_it_has() -> None:
    dark = np.zeros((3, 91, 121), np.float32)
    dark[:, 45, 61] = 1
    whole = spread(dark, 0.5).sum(axis=(1, 2))  # at half the size: a quarter of the pixels
    np.testing.assert_allclose(whole, 0.5 * LAMP / 4, rtol=0.02)


def test_a_screen_keeps_within_white_and_leaves_headroom_alone() -> None:
    lit = np.array([0.0, 0.5, 1.0, 3.0], np.float32).reshape(1, 1, 4).repeat(3, 0)
    made = screened(lit, np.full((3, 1, 4), 0.5, np.float32))
    np.testing.assert_allclose(made[0, 0], [0.5, 0.75, 1, 3])


@given(st.floats(0, 1), st.floats(0.2, 2))
def test_a_field_with_glow_is_the_field_and_then_the_screen(light: float, gain: float) -> None:
    field = identity_field(4, 6) * np.float32(gain)
    glow = np.full((3, 9, 12), light, np.float32)
    picture = np.linspace(0, 0.5, 3 * 4 * 6, dtype=np.float32).reshape(3, 4, 6)
    wanted = screened(relight(picture, field), glow)
    np.testing.assert_allclose(relight(picture, glowing(field, glow)), wanted, atol=1e-5)


@pytest.mark.parametrize("method", ["tiles", "relight"])
def test_glow_brightens_around_a_lamp_alone(method: Any, identity: Preset) -> None:
    luma = np.full((96, 128), 40, np.uint8)
    luma[40:52, 10:22] = 230
    grey = np.full((48, 64), 128, np.uint8)
    frame = Frame((luma, grey, grey), YUV8, 0, Fraction(1, 24))
    (made,) = lit([frame], identity, relight_by(glow=1.0, method=method))
    change = made.planes[0].astype(int) - luma
    assert change[36, 16] > 5
    assert np.abs(change[:, 100:]).max() <= 1
    assert change.min() >= -1


def test_grain_has_its_deviation_where_it_is_strongest_and_none_in_black() -> None:
    grey = np.full((3, 200, 200), 1 / 3, np.float32)
    noise = grained(grey, 0.02, 5) - grey
    assert noise.std() == pytest.approx(0.02, rel=0.05)
    assert abs(float(noise.mean())) < 5e-4
    np.testing.assert_array_equal(noise[0], noise[2])
    assert abs(np.corrcoef(noise[0, :, :-1].ravel(), noise[0, :, 1:].ravel())[0, 1]) < 0.02
    assert not grained(np.zeros((3, 8, 8), np.float32), 0.1, 5).any()


def test_grain_is_the_same_for_a_seed_and_another_for_another_frame(identity: Preset) -> None:
    frame = frame_of(YUV10)
    options = relight_by(grain=0.05, seed=1)
    one, again, other, later = (
        lit([f], identity, o)[0].planes[0].astype(int) - f.planes[0]
        for f, o in (
            (frame, options),
            (frame, options),
            (frame, options.but(seed=2)),
            (replace(frame, pts=1), options),
        )
    )
    np.testing.assert_array_equal(one, again)
    for different in (other, later):
        assert (one != different).mean() > 0.5
    chroma = lit([frame], identity, options)[0].planes[1]
    assert np.abs(chroma.astype(int) - frame.planes[1]).max() <= 1


def test_threads_make_no_difference(halving: Preset) -> None:
    frame = frame_of(YUV8, size=(96, 128))
    options = relight_by(grain=0.05, glow=1, exposure=0.5, sky=1)
    threads = numba.get_num_threads()
    made = []
    try:
        for count in (1, min(2, threads)):
            numba.set_num_threads(count)
            made += lit([frame], halving, options)
    finally:
        numba.set_num_threads(threads)
    assert_equal(*made)


# the matte


def save_matte(path: Path, inside: np.ndarray) -> Path:
    Image.fromarray((inside * 255).astype(np.uint8)).save(path)
    return path


def left_half(height: int, width: int) -> np.ndarray:
    inside = np.zeros((height, width), bool)
    inside[:, : width // 2] = True
    return inside


def with_matte(
    options: nightfx.RenderOptions, frames: list[Frame], preset: Preset, **more: Any
) -> list[Frame]:
    assert options.light.matte
    with MatteFile(options.light.matte, options.light, options.source, None) as matte:
        return lit(frames, preset, options, matte=matte, **more)


@pytest.mark.parametrize("method", ["tiles", "relight"])
@pytest.mark.parametrize("kind", KINDS)
def test_outside_a_matte_the_plate_stays_bit_for_bit(
    kind: str, method: Any, tmp_path: Path, halving: Preset
) -> None:
    coding = KINDS[kind]
    frame = frame_of(coding)
    path = save_matte(tmp_path / "m.png", left_half(SIZE[0] * 2, SIZE[1] * 2))
    encodings = Encodings(LINEAR, LINEAR) if coding.is_float else PLAIN
    options = relight_by(matte=path, exposure=-1, method=method)
    (made,) = with_matte(options, [frame], halving, encodings=encodings)
    (whole,) = lit([frame], halving, options.but(matte=None), encodings=encodings)
    for index in range(3):
        plane, before, all_over = (x.planes[index] for x in (made, frame, whole))
        middle = plane.shape[1] // 2
        # a chroma sample on the border reaches over it
        np.testing.assert_array_equal(plane[:, middle + 1 :], before[:, middle + 1 :])
        inside = plane[:, : middle - 1].astype(float) - all_over[:, : middle - 1]
        assert np.abs(inside).max() <= (1e-5 if coding.is_float else 1)
        assert np.abs(plane[:, : middle - 1] - before[:, : middle - 1].astype(float)).max() > 0.01
    if coding.has_alpha:
        np.testing.assert_array_equal(made.planes[3], frame.planes[3])


def test_a_matte_can_be_turned_inside_out(tmp_path: Path, halving: Preset) -> None:
    frame = frame_of(YUV12)
    path = save_matte(tmp_path / "m.png", left_half(*SIZE))
    (made,) = with_matte(relight_by(matte=path, matte_invert=True), [frame], halving)
    np.testing.assert_array_equal(made.planes[0][:, :32], frame.planes[0][:, :32])
    assert (made.planes[0][:, 32:] < frame.planes[0][:, 32:]).all()


def test_a_feather_ends_where_it_says() -> None:
    matte = np.zeros((20, 60), np.float32)
    matte[:, :30] = 1
    soft = feathered(matte, 8)
    assert not soft[:, 38:].any()
    np.testing.assert_allclose(soft[:, :22], 1, atol=1e-6)
    assert (np.diff(soft[5, 22:38]) < 0).all()
    assert soft[5, 29] + soft[5, 30] == pytest.approx(1, abs=1e-5)


def test_a_black_matte_gives_the_codes_of_the_plate_in_another_depth(
    tmp_path: Path, halving: Preset
) -> None:
    path = save_matte(tmp_path / "m.png", np.zeros(SIZE, bool))
    frame, coding = frame_of(YUV8), replace(YUV8, pix_fmt="yuv420p10le", depth=10)
    (made,) = with_matte(relight_by(matte=path), [frame], halving, coding=coding)
    for before, after in zip(frame.planes, made.planes, strict=True):
        np.testing.assert_array_equal(after, before.astype(np.uint16) * 4)


def matte_clip(path: Path, count: int) -> Path:
    """White in every second frame, from the first on; at a quarter of the size."""
    import av

    with av.open(path, "w") as out:
        stream = out.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 16, 12, "gray"
        for i in range(count):
            pixels = np.full((12, 16), 255 * (1 - i % 2), np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "gray")))
        out.mux(stream.encode(None))
    return path


def test_a_matte_clip_goes_with_the_shot_frame_for_frame(tmp_path: Path, halving: Preset) -> None:
    frames = [frame_of(YUV10, pts) for pts in range(4)]
    options = relight_by(matte=matte_clip(tmp_path / "m.mkv", 4))
    made = with_matte(options, frames, halving)
    for index in (1, 3):
        assert_equal(made[index], frames[index])
    for index in (0, 2):
        assert (made[index].planes[0] < frames[index].planes[0]).all()
    later = with_matte(options, frames[3:], halving, first=3)
    assert_equal(later[0], frames[3])


def test_a_matte_that_is_too_short_names_the_frame(tmp_path: Path, halving: Preset) -> None:
    source = make_clip(tmp_path / "plate.mkv", Clip("ffv1", "yuv420p10le", count=4))
    options = relight_by(matte=matte_clip(tmp_path / "m.mkv", 2))
    with pytest.raises(SourceError, match=r"m\.mkv: has 2 frames, fewer than are rendered"):
        nightfx.render(source, preset=halving, options=options)
    assert sorted(path.name for path in tmp_path.glob("*.mkv")) == ["m.mkv", "plate.mkv"]


def test_a_sequence_is_a_matte_too(tmp_path: Path, halving: Preset) -> None:
    for i in range(3):
        save_matte(tmp_path / f"m.{1001 + i}.png", np.full(SIZE, i == 1))
    frames = [frame_of(YUV10, pts) for pts in range(3)]
    made = with_matte(relight_by(matte=tmp_path / "m.####.png"), frames, halving)
    assert_equal(made[0], frames[0])
    assert_equal(made[2], frames[2])
    assert (made[1].planes[0] < frames[1].planes[0]).all()


def test_a_turned_shot_takes_an_upright_matte(tmp_path: Path, halving: Preset) -> None:
    source = make_clip(tmp_path / "plate.mp4", Clip("libx264", "yuv444p", count=2, rotation=90))
    upright = np.zeros((64, 48), bool)
    upright[:32] = True  # the upper half, as a player shows it
    options = relight_by(matte=save_matte(tmp_path / "m.png", upright))
    with Reader(source) as reader:
        frames = list(reader.frames())
    made = with_matte(options, frames[:1], halving)[0]
    # turned counter-clockwise by the player, the coded right side is on top
    np.testing.assert_array_equal(made.planes[0][:, :31], frames[0].planes[0][:, :31])
    assert (made.planes[0][:, 33:] < frames[0].planes[0][:, 33:]).all()


# the whole way


def test_the_flags_and_the_presets_look_reach_the_render(tmp_path: Path, identity: Preset) -> None:
    source = make_clip(tmp_path / "plate.mkv", Clip("ffv1", "yuv420p10le", count=3))
    toml = identity.folder / "preset.toml"
    toml.write_text(toml.read_text() + "\n[look]\nexposure = -1\n")
    words = ["render", source, "--to", identity.folder, "--method", "relight"]
    flags = {"own": [], "dark": ["--exposure", "-2"], "keyed": ["--strength", "1001:0,1003:1"]}
    for name, more in flags.items():
        out = ["-o", tmp_path / f"{name}.mkv"]
        result = CliRunner().invoke(app, [str(word) for word in [*words, *out, *more]])
        assert result.exit_code == 0, result.output
    plate, own, dark, keyed = (
        [f.planes[0] - 64.0 for f in frames_of(tmp_path / f"{name}.mkv")]
        for name in ("plate", *flags)
    )
    for i in range(3):
        assert np.abs(own[i] - plate[i] * 2 ** (-1 / 2.2)).max() <= 1.5
        assert np.abs(dark[i] - plate[i] * 2 ** (-2 / 2.2)).max() <= 1.5
    np.testing.assert_array_equal(keyed[0], plate[0])
    assert np.abs(keyed[2] - own[2]).max() <= 1


def frames_of(path: Path) -> Iterator[Frame]:
    with Reader(path) as reader:
        yield from reader.frames()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"matte_feather": 3.0}, "need --matte FILE"),
        (
            {"matte": Path("m.png"), "matte_feather": -1.0},
            "--matte-feather must be from 0 to 1000 px",
        ),
        ({"matte": Path("m.png"), "interlaced": "keep"}, "leave out --interlaced keep"),
    ],
)
def test_contradictions_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        nightfx.RenderOptions.of(**options)


def test_what_tiles_and_locks_cannot_do_is_refused(tmp_path: Path, identity: Preset) -> None:
    source = make_clip(tmp_path / "plate.mkv", Clip("ffv1", count=1))
    options = relight_by(method="tiles").but(lock=True)
    with pytest.raises(UsageError, match="--lock and --lock-to need --method relight"):
        nightfx.render(source, preset=identity, options=options)
    with pytest.raises(SourceError, match=r"nowhere\.png: no such file"):
        nightfx.render(source, preset=identity, options=relight_by(matte=tmp_path / "nowhere.png"))


def test_what_is_left_out_is_told(
    tmp_path: Path, identity: Preset, caplog: pytest.LogCaptureFixture
) -> None:
    source = make_clip(tmp_path / "plate.mkv", Clip("ffv1", count=1))
    matte = save_matte(tmp_path / "m.png", left_half(48, 64))
    options = relight_by(glow=1, grain=0.1, matte=matte).but(passes=tmp_path / "passes")
    nightfx.render(source, preset=identity, options=options)
    assert "passes: grain is not in them" in caplog.text


def test_a_picture_takes_a_look_too(tmp_path: Path) -> None:
    generator = RelitGenerator()
    with torch.no_grad():
        assert isinstance(generator.out.bias, nn.Parameter)
    preset = preset_of(tmp_path, generator, "same")
    Image.new("RGB", (32, 24), (200, 200, 200)).save(tmp_path / "a.png")
    path = save_matte(tmp_path / "m.png", left_half(24, 32))
    target = nightfx.render(
        tmp_path / "a.png", preset=preset, options=relight_by(exposure=-1, matte=path)
    )
    made = np.asarray(Image.open(target)).astype(float)
    np.testing.assert_array_equal(made[:, 16:], 200)
    np.testing.assert_allclose(made[:, :16], 200 * 2 ** (-1 / 2.2), atol=1.5)


def test_no_strength_is_the_identity() -> None:
    field = np.random.default_rng(0).uniform(-1, 2, (12, 3, 4)).astype(np.float32)
    np.testing.assert_array_equal(blended(field, 0), identity_field(3, 4))
