"""The sky of a night, composited: what a matte lets through, on every kind of plane, and what stands there."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any, cast

import numpy as np
import pytest
import torch
from test_look import KINDS as CODINGS
from test_look import YUV8, YUV10, assert_equal, frame_of, relight_by
from torch import nn

from nightfx.apply import FieldChange, MapChange, SkyChange
from nightfx.apply.change import graded_picture
from nightfx.apply.field import identity_field
from nightfx.apply.finish import Finish, Written, light_plate, screened
from nightfx.job.asked import complete_options
from nightfx.light.borders import Borders, Lengths
from nightfx.light.fit import light_by_field
from nightfx.light.grade import grade_of
from nightfx.light.light import Beside, light_frames
from nightfx.light.lighting import Footage, Lighting, ceiling_of, plan_fields, plan_sky
from nightfx.light.night_sky import horizon, night_sky
from nightfx.light.sky import follow_skies
from nightfx.network import load_preset
from nightfx.options import FieldOptions, Look, Moment, NightSky
from nightfx.picture import Float32, from_rgb, luma, to_rgb
from nightfx.picture.encoding import LINEAR, PLAIN, SDR, Encodings, encoding_named
from nightfx.picture.frame import Coding, Frame, rgb_coding
from nightfx.scene import KINDS

HEIGHT, WIDTH, CELLS = 48, 64, (6, 8)
BLUE = np.array([0.55, 0.65, 0.8], np.float32)
PQ, HLG = (Encodings(*[encoding_named(name)] * 2) for name in ("pq", "hlg"))
DIRECT = [YUV8, YUV10, replace(YUV10, full_range=True), rgb_coding(16, alpha=False)]


def field_of(gain: float, offset: tuple[float, ...] = (0, 0, 0), cells: Any = CELLS) -> Float32:
    field = identity_field(*cells) * np.float32(gain)
    field.reshape(3, 4, *cells)[:, 3] = np.array(offset, np.float32).reshape(3, 1, 1)
    return field


def sky_change(alpha: Float32, *, amount: float = 1.0, **more: Any) -> SkyChange:
    """Ground at a half; a sky of a tenth, with a tenth of its contrast."""
    size = alpha.shape
    day = np.tile(BLUE.reshape(3, 1, 1), (1, *CELLS))
    offset = tuple(0.1 - 0.1 * BLUE)
    return SkyChange(
        more.get("ground", FieldChange(field_of(0.5, (0.01, 0.01, 0.01)), *size)),
        FieldChange(field_of(0.1, offset), *size),
        alpha,
        day,
        amount,
    )


def columns(*parts: float) -> Float32:
    """A matte of upright stripes, each 16 px wide."""
    row = np.repeat(np.array(parts, np.float32), WIDTH // len(parts))
    return np.tile(row, (HEIGHT, 1))


def in_coding(rgb: Float32, coding: Coding) -> Frame:
    return Frame(from_rgb(rgb, coding, None), coding, 0, Fraction(1, 24))


def code_of(coding: Coding, share: float = 1.0) -> float:
    return share / (219 << (coding.depth - 8) if not coding.full_range else coding.peak)


@pytest.mark.parametrize("coding", DIRECT, ids=lambda c: c.pix_fmt)
def test_where_no_sky_is_the_ground_is_lit_bit_for_bit(coding: Coding) -> None:
    frame, alpha = frame_of(coding, size=(HEIGHT, WIDTH)), columns(0, 0, 0, 1)
    change = sky_change(alpha)
    made, ground = (x.on_planes(frame, coding) for x in (change, change.ground))
    assert made is not None
    assert ground is not None
    for one, other in zip(made.planes, ground.planes, strict=True):
        clear = one.shape[1] * 5 // 8  # chroma's triangle reaches two px over an edge
        np.testing.assert_array_equal(one[:, :clear], other[:, :clear])
        assert (one[:, -4:] != other[:, -4:]).any()


@pytest.mark.parametrize("coding", [rgb_coding(16, alpha=False), replace(YUV10, sub_x=0)])
def test_a_mixed_pixel_becomes_night_before_night(coding: Coding) -> None:
    """(1 − m) of a wall and m of the sky by day: the same shares of both by night, and no daylight is left."""
    alpha = columns(0.2, 0.5, 0.75, 1.0)
    wall = np.array([0.3, 0.25, 0.2], np.float32).reshape(3, 1, 1)
    plate = (1 - alpha) * wall + alpha * BLUE.reshape(3, 1, 1)
    made = sky_change(alpha).on_planes(in_coding(plate, coding), coding)
    assert made is not None
    wanted = (1 - alpha) * (0.5 * wall + 0.01) + alpha * 0.1
    np.testing.assert_allclose(to_rgb(made), wanted, atol=2.5 * code_of(coding))


def test_clouds_and_grain_of_a_clear_sky_get_its_own_contrast() -> None:
    coding = rgb_coding(16, alpha=False)
    noise = np.random.default_rng(0).uniform(-0.05, 0.05, (HEIGHT, WIDTH)).astype(np.float32)
    plate = np.tile(BLUE.reshape(3, 1, 1), (1, HEIGHT, WIDTH)) + noise
    made = sky_change(columns(1)).on_planes(in_coding(plate, coding), coding)
    assert made is not None
    np.testing.assert_allclose(to_rgb(made), np.tile(0.1 + 0.1 * noise, (3, 1, 1)), atol=1e-4)


def test_what_is_dark_stands_before_the_sky_whatever_the_matte_says() -> None:
    plate = np.tile(BLUE.reshape(3, 1, 1), (1, HEIGHT, WIDTH))
    plate[:, 20] = 0.02  # a wire
    made = sky_change(columns(1)).of_picture(plate)
    assert made[:, 20].max() <= 0.02 + 0.01
    assert made.min() > 0
    np.testing.assert_allclose(made[:, 30], 0.1, atol=1e-4)


@pytest.mark.parametrize("name", CODINGS)
def test_no_strength_gives_the_plate_bit_for_bit(name: str) -> None:
    frame = frame_of(CODINGS[name], size=(HEIGHT, WIDTH))
    change, written = sky_change(columns(0, 0.4, 0.9, 1)), Written(frame.coding)
    assert_equal(light_plate(frame, change, Finish(strength=0), written), frame)
    matte = np.zeros((HEIGHT, WIDTH), np.float32)
    assert_equal(light_plate(frame, change, Finish(matte=matte, grain=0.1), written), frame)


def test_strength_lies_between_the_plate_and_the_night() -> None:
    change, plate = (
        sky_change(columns(0, 0.4, 0.9, 1)),
        to_rgb(frame_of(CODINGS["16-bit with alpha"])),
    )
    whole, half = change.of_picture(plate), change.by(0.5).of_picture(plate)
    np.testing.assert_allclose(half, (plate + whole) / 2, atol=1e-6)


def test_an_amount_lies_between_the_ground_and_the_night() -> None:
    alpha, plate = columns(0, 0.4, 0.9, 1), to_rgb(frame_of(CODINGS["16-bit with alpha"]))
    whole, half = (sky_change(alpha, amount=x).of_picture(plate) for x in (1.0, 0.5))
    ground = sky_change(alpha).ground.of_picture(plate)
    np.testing.assert_allclose(half, (ground + whole) / 2, atol=1e-6)


def test_a_grade_and_a_glow_come_after_ground_and_sky_alike() -> None:
    plate, change = (
        to_rgb(frame_of(CODINGS["16-bit with alpha"])),
        sky_change(columns(0, 0.5, 0.9, 1)),
    )
    grade = grade_of(Moment(exposure=0.7, temperature=40, saturation=0.6, black=0.02))
    made = change.of_picture(plate)
    np.testing.assert_allclose(
        change.graded(grade).of_picture(plate), graded_picture(made, grade), atol=1e-6
    )
    glow = np.full((3, *CELLS), 0.2, np.float32)
    under = change.screened(glow)
    assert under is not None
    np.testing.assert_allclose(under.of_picture(plate), screened(made, glow), atol=1e-6)


@pytest.mark.parametrize("coding", DIRECT, ids=lambda c: c.pix_fmt)
def test_codes_are_lit_as_the_working_encoding_is(coding: Coding) -> None:
    alpha = columns(0, 0.5, 0.9, 1)
    noise = np.random.default_rng(0).uniform(-0.05, 0.05, (3, HEIGHT, WIDTH))
    plate = (1 - alpha) * 0.4 + alpha * BLUE.reshape(3, 1, 1) + noise
    frame = in_coding(plate.astype(np.float32), coding)
    change = sky_change(alpha)
    direct = change.on_planes(frame, coding)
    grey = light_plate(
        frame, change, Finish(matte=np.ones((HEIGHT, WIDTH), np.float32)), Written(coding)
    )
    assert direct is not None
    for one, other in zip(direct.planes, grey.planes, strict=True):
        assert np.abs(one.astype(int) - other.astype(int)).max() <= 1


def test_the_maps_of_tiles_are_the_ground_as_well() -> None:
    plate, alpha = to_rgb(frame_of(CODINGS["16-bit with alpha"])), columns(0, 0.5, 0.9, 1)
    maps = MapChange(np.full_like(plate, 0.5), np.full_like(plate, 0.01))
    by_maps, by_field = sky_change(alpha, ground=maps), sky_change(alpha)
    np.testing.assert_allclose(by_maps.of_picture(plate), by_field.of_picture(plate), atol=1e-6)
    assert by_maps.on_planes(frame_of(YUV10), YUV10) is None
    grade = grade_of(Moment(exposure=0.5))
    np.testing.assert_allclose(
        by_maps.graded(grade).by(0.5).of_picture(plate),
        by_field.graded(grade).by(0.5).of_picture(plate),
        atol=1e-6,
    )


def test_the_numbers_of_each_pixel_are_the_change() -> None:
    plate, change = (
        to_rgb(frame_of(CODINGS["16-bit with alpha"])),
        sky_change(columns(0, 0.5, 0.9, 1)),
    )
    numbers = np.stack(list(change.numbers(plate))).reshape(3, 4, HEIGHT, WIDTH)
    made = (numbers[:, :3] * plate).sum(1) + numbers[:, 3]
    np.testing.assert_allclose(made, change.of_picture(plate), atol=1e-6)


def ramp(coding: Coding, low: float, high: float) -> Frame:
    """Grey from one value of the signal to another, from left to right."""
    grey = np.tile(np.linspace(low, high, WIDTH, dtype=np.float32), (3, HEIGHT, 1))
    return in_coding(grey, coding)


@pytest.mark.parametrize(
    ("coding", "span", "encodings"),
    [
        (YUV8, (0, 1), PLAIN),
        (YUV10, (-0.02, 1.05), PLAIN),
        (replace(YUV10, full_range=True), (0, 1), PLAIN),
        (rgb_coding(16, alpha=False), (0, 1), PLAIN),
        (rgb_coding(32, alpha=False), (0, 4), Encodings(LINEAR, LINEAR)),
        (replace(YUV10, matrix="bt2020"), (0, 1), PQ),
        (replace(YUV10, matrix="bt2020"), (0, 1), HLG),
    ],
    ids=["8-bit", "10-bit", "full range", "16-bit RGB", "linear", "PQ", "HLG"],
)
@pytest.mark.parametrize("share", [0.15, 0.5, 0.85, 1.0])
def test_no_pixel_is_brighter_than_its_plate_nor_below_black(
    coding: Coding, span: tuple[float, float], encodings: Encodings, share: float
) -> None:
    plate = ramp(coding, *span)
    grey = np.full((3, *CELLS), 0.7, np.float32)
    sky = night_sky(
        grey,
        np.ones(CELLS, np.float32),
        plate,
        NightSky((0.07, 0.07, 0.07), (0.08, 0.08, 0.08)),
        Moment(),
        0.96,
    )
    ground = FieldChange(field_of(0.5), HEIGHT, WIDTH)
    change = SkyChange(ground, sky, np.full((HEIGHT, WIDTH), share, np.float32), grey)
    made = light_plate(plate, change, Finish(), Written(coding, encodings))
    before, after = (
        luma(np.stack([p.astype(np.float64) for p in x.planes]))
        if coding.matrix == "rgb"
        else x.planes[0].astype(np.float64)
        for x in (plate, made)
    )
    black = 0 if coding.full_range or coding.matrix == "rgb" else 16 << (coding.depth - 8)
    assert (after <= np.maximum(before, black) * (1 + 1e-6) + (coding.depth == 8)).all()
    assert (after >= np.minimum(before, black)).all()
    assert min(plane.min() for plane in made.planes) >= 0


# what stands there


def upper(rows: int, cells: tuple[int, int] = (60, 80)) -> Float32:
    sky = np.zeros(cells, np.float32)
    sky[:rows] = 1
    return sky


def made_of(
    sky: Float32,
    moment: Moment | None = None,
    day: Float32 | None = None,
) -> Float32:
    """The night's colours (3, h, w) of what is in the day's own."""
    day = np.tile(BLUE.reshape(3, 1, 1), (1, *sky.shape)) if day is None else day
    change = night_sky(
        day, sky, frame_of(YUV8, size=(120, 160)), NightSky(), moment or Moment(), None
    )
    return change.of_picture(day)


def test_a_night_is_blue_overhead_and_light_and_warm_at_the_horizon() -> None:
    made = made_of(upper(40))
    overhead, low = made[:, 0, 40], made[:, 39, 40]
    assert overhead[2] > 1.3 * overhead[0]
    assert luma(low[:, None, None]) > 1.5 * luma(overhead[:, None, None])
    assert low[0] / low[2] > 1.5 * overhead[0] / overhead[2]
    assert (np.diff(luma(made)[:40, 40]) > 0).all()


def test_its_level_and_tint_are_the_users() -> None:
    own, more, warm = (
        made_of(upper(40), moment)
        for moment in (Moment(), Moment(sky_level=1), Moment(sky_tint=100))
    )
    np.testing.assert_allclose(more, own * 2 ** (1 / 2.2), rtol=1e-4)
    np.testing.assert_allclose(luma(warm), luma(own), rtol=0.05)  # white would keep its own
    assert (warm[0] > own[0]).all()


def test_it_is_never_brighter_than_by_day() -> None:
    dusk = np.full((3, 60, 80), 0.1, np.float32)
    assert luma(made_of(upper(40), Moment(sky_level=5), day=dusk)).max() <= 0.1
    assert luma(made_of(upper(40), day=dusk)).max() <= 0.1


def test_clouds_are_seen_and_are_flatter_than_by_day() -> None:
    day = np.tile(BLUE.reshape(3, 1, 1), (1, 60, 80))
    day[:, :, 40:] = 0.9
    made = luma(made_of(upper(40), day=day))[10]
    assert 1.1 < made[60] / made[20] < 0.9 * luma(day)[10, 60] / luma(day)[10, 20]


def test_the_horizon_is_where_the_sky_ends() -> None:
    assert horizon(upper(40)) == pytest.approx(0.97 * 40)
    assert horizon(upper(0)) == 0
    holes = upper(30)
    holes[50, 3] = 1  # a puddle
    assert horizon(holes) == pytest.approx(0.97 * 30, abs=0.5)


def test_a_turned_frame_has_its_horizon_below_as_a_player_shows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    standing = made_of(upper(40, (80, 60)))
    monkeypatch.setattr(Frame, "rotation", 90)
    lying = made_of(np.ascontiguousarray(np.rot90(upper(40, (80, 60)), -1)))
    np.testing.assert_allclose(np.rot90(lying, 1, axes=(1, 2)), standing, atol=1e-6)


# where it is found


class Street(nn.Module):
    """Knows that the upper half is sky; with a flicker it is less sure of it each second time that it is asked."""

    def __init__(self, flicker: float = 0.0) -> None:
        super().__init__()
        self.flicker, self.asked = flicker, 0
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (1, 11, H, W)."""
        self.asked += 1
        logits = torch.zeros(1, len(KINDS), *x.shape[2:])
        rows = x.shape[2] // 2
        logits[:, 0, :rows] = 9.0 - self.flicker * (self.asked % 2)
        logits[:, 1, rows:] = 9.0
        return logits


def street(pts: int = 0) -> Frame:
    """A blue sky over darker, textured ground."""
    grey = np.random.default_rng(7).uniform(0.15, 0.35, (HEIGHT, WIDTH)).astype(np.float32)
    rgb = np.tile(grey, (3, 1, 1))
    rgb[:, : HEIGHT // 2] = BLUE.reshape(3, 1, 1)
    return replace(in_coding(rgb, YUV10), pts=pts)


def lit_by(
    network: nn.Module, method: Any, count: int = 1, first: int = 0, warm_up: int = 0, **look: float
) -> list[Frame]:
    """Frames from the `first` of a still street, by the preset night and a network; steadied from a warm-up on."""
    preset = load_preset("night")
    options = complete_options(relight_by(method=method, **look), preset)
    fields = (
        plan_fields(Footage(), preset.generator, preset, options.field)
        if method == "relight"
        else None
    )
    plan = plan_sky(preset, options.look)
    plan = replace(plan, network=cast(Any, network)) if plan else None
    lighting = Lighting(
        preset.generator, options.look, fields, ceiling=ceiling_of(preset), sky=plan
    )
    borders = Borders(Lengths(least=8, most=8, warm_up=warm_up), first, {8} if first < 8 else ())
    frames = [street(pts) for pts in range(borders.begun_at, first + count)]
    return list(light_frames(frames, lighting, Written(YUV10), Beside(borders)))


@pytest.mark.parametrize("method", ["relight", "tiles"])
def test_the_sky_that_is_found_is_replaced_and_nothing_else(method: Any) -> None:
    (made,), (bare,) = (lit_by(Street(), method, glow=0.0, sky=sky) for sky in (1.0, 0.0))
    up, down = (slice(0, HEIGHT // 2 - 8), slice(HEIGHT // 2 + 8, None))
    signal = (made.planes[0].astype(float) - 64) / 876
    assert 0.05 < signal[up].min() <= signal[up].max() < 0.3
    if method == "relight":
        np.testing.assert_array_equal(made.planes[0][down], bare.planes[0][down])
    assert np.abs(made.planes[0][down].astype(int) - bare.planes[0][down]).max() <= 1


@pytest.mark.parametrize("method", ["relight", "tiles"])
@pytest.mark.parametrize("warm_up", [4, 8])
def test_a_segment_begins_with_the_sky_as_if_it_went_on(method: Any, warm_up: int) -> None:
    unbroken = lit_by(Street(flicker=9), method, 12, warm_up=warm_up)
    network = Street(flicker=9)
    network.asked = (8 - warm_up) // 4  # as often as the other one was by then
    later = lit_by(network, method, 4, first=8, warm_up=warm_up)
    for one, other in zip(unbroken[8:], later, strict=True):
        assert_equal(one, other)


def test_a_sky_that_flickers_is_followed() -> None:
    plan = plan_sky(load_preset("night"), Look(sky=1.0))
    assert plan is not None
    plan = replace(plan, network=cast(Any, Street(flicker=9)))
    frames = [street(pts) for pts in range(12)]
    sure = np.stack([cells for _, cells in follow_skies(frames, plan, SDR)])[:, :6].mean((1, 2))
    assert np.abs(np.diff(sure[:5])).max() > 0.3
    assert np.abs(np.diff(sure[-4:])).max() < 0.25


@pytest.mark.parametrize(("every", "steady", "asked"), [(1, 0.8, 2), (4, 0.8, 2), (1, 0.0, 8)])
def test_the_sky_is_looked_for_in_every_fourth_frame_unless_nothing_is_followed(
    every: Any, steady: float, asked: int
) -> None:
    preset, network = load_preset("night"), Street()
    options = FieldOptions(field_every=every, steady=steady)
    plan = plan_sky(preset, Look(sky=1.0), field=options)
    assert plan is not None
    plan = replace(plan, network=cast(Any, network))
    fields = plan_fields(Footage(), preset.generator, preset, options)
    shot = light_by_field(map(street, range(8)), preset.generator, fields, sky=plan)
    skies: list[Any] = [lit.sky for lit in shot]
    assert network.asked == asked
    np.testing.assert_allclose(np.stack(skies), np.stack([skies[0]] * 8), atol=1e-6)


def test_a_plate_of_the_night_has_no_sky_to_replace() -> None:
    assert plan_sky(load_preset("day"), Look(sky=1.0)) is None
    assert plan_sky(load_preset("night"), Look(sky=0.0)) is None
    assert plan_sky(load_preset("night"), Look(sky=((0, 0.0), (9, 1.0)))) is not None
