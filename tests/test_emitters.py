"""Lights that shine themselves: the law of a pixel in float64, on every kind of plane, and what stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_look import KINDS, YUV8, YUV10, YUV12, assert_equal, frame_of
from test_planes import CODINGS, names

from nightfx.apply import Change, FieldChange, LitChange, MapChange, Patch, SkyChange
from nightfx.apply.change import graded_picture
from nightfx.apply.field import full_size, identity_field
from nightfx.apply.finish import Finish, Written, grained, light_plate, screened
from nightfx.apply.patches import at_chroma, packed, shrunk
from nightfx.apply.shine import KNEE, added_to_samples
from nightfx.picture import average_at_sites, from_rgb, matrix_of, to_rgb
from nightfx.picture.encoding import LINEAR, Encodings, encoding_named
from nightfx.picture.frame import Coding, Float32, Frame, rgb_coding

SIZE = HEIGHT, WIDTH = 48, 64
WARM = np.array([1.0, 0.55, 0.2], np.float32)
RGB16 = rgb_coding(16, alpha=False)
HDR = {name: Encodings(*[encoding_named(name)] * 2) for name in ("pq", "hlg")}
FLOAT = rgb_coding(32, alpha=False)


# --- what is known of a picture by construction -------------------------------------------------------------------------


def decoded(work: np.ndarray) -> np.ndarray:
    """Linear light of the working encoding (IEC 61966-2-1), in float64, mirrored below black."""
    size = np.abs(work.astype(np.float64))
    light = np.where(size <= 0.04045, size / 12.92, ((size + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.sign(work) * light)


def encoded(light: np.ndarray) -> np.ndarray:
    size = np.abs(light)
    work = np.where(size <= 0.0031308, 12.92 * size, 1.055 * size ** (1 / 2.4) - 0.055)
    return np.asarray(np.sign(light) * work)


def held(below: np.ndarray, total: np.ndarray) -> np.ndarray:
    """What of a sum (3, …) of light is shown where white is the most."""
    most, knee = total.max(0), np.maximum(below.max(0), float(KNEE))
    over, room = np.maximum(most - knee, 0), np.maximum(1 - knee, 0)
    shown = knee + room * over / np.maximum(over + room, 1e-20)
    pale, white = (over / (over + 1)) ** 2, np.maximum(1, knee)
    shoulder = total * (shown / np.maximum(most, 1e-20)) * (1 - pale) + white * pale
    return np.where(over > 0, np.maximum(shoulder, below), total)


def law(
    p: np.ndarray, q: np.ndarray, lamps: list[tuple[np.ndarray, Patch]], *, ends: bool = True
) -> np.ndarray:
    """What becomes of q, a plate p (3, …) under a change, with lamps of covers as large as it."""
    below, luma = decoded(q), np.tensordot([0.2126, 0.7152, 0.0722], decoded(p), axes=1)
    total = below.copy()
    for cover, patch in lamps:
        share = 1 + patch.texture * (np.clip(luma / patch.mean, 0.1, 3) - 1)
        total += cover * share * patch.light.reshape(3, *[1] * luma.ndim).astype(np.float64)
    shone = held(below, total) if ends else total
    lit = np.any([cover > 0 for cover, _ in lamps], axis=0)
    return np.where(lit, encoded(shone), q)


def cover_of(patch: Patch, size: tuple[int, int] = SIZE) -> Float32:
    """The cover of a patch as large as a plate, its part outside left out."""
    wide = np.zeros([side + 200 for side in size], np.float32)
    h, w = patch.cover.shape
    wide[patch.top + 100 : patch.top + 100 + h, patch.left + 100 : patch.left + 100 + w] = (
        patch.cover
    )
    return wide[100:-100, 100:-100]


def field_of(gain: float = 0.4, size: tuple[int, int] = SIZE) -> FieldChange:
    field = identity_field(6, 8) * np.float32(gain)
    field.reshape(3, 4, 6, 8)[:, 3] = np.linspace(0, 0.05, 8, dtype=np.float32)
    return FieldChange(field, *size)


def maps_of(gain: float = 0.4, size: tuple[int, int] = SIZE) -> MapChange:
    shape = 3, *size
    return MapChange(np.full(shape, gain, np.float32), np.full(shape, 0.02, np.float32))


def sky_of(gain: float = 0.4) -> SkyChange:
    """Sky in the upper half, darker than the ground."""
    alpha = np.zeros(SIZE, np.float32)
    alpha[: HEIGHT // 2] = np.linspace(1, 0, HEIGHT // 2, dtype=np.float32)[:, None]
    return SkyChange(field_of(gain), field_of(0.1), alpha, np.full((3, 6, 8), 0.7, np.float32))


CHANGES: dict[str, Callable[..., Any]] = {"field": field_of, "maps": maps_of, "sky": sky_of}


def direct(change: Change, frame: Frame, coding: Coding) -> Frame:
    """The frame, lit in its own codes."""
    made = change.on_planes(frame, coding)
    assert made is not None
    return made


def soft(height: int, width: int) -> Float32:
    """A cover that rises to 1 in its middle, and is nothing at its edges."""
    y, x = (np.sin(np.linspace(0, np.pi, n)) for n in (height, width))
    return np.clip(y[:, None] * x * 1.2 - 0.05, 0, 1).astype(np.float32)


PATCHES = (
    Patch(5, 8, soft(11, 14), WARM * np.float32(0.3), 0.8, 0.3),
    Patch(12, 14, soft(9, 9), WARM * np.float32(2.5)),  # over the first one
    Patch(-6, 30, soft(13, 15), WARM[::-1] * np.float32(0.6), 0.5, 0.2),  # over edges
    Patch(51, 40, np.ones((20, 20), np.float32), WARM * np.float32(0.2)),
    Patch(70, 60, np.ones((5, 5), np.float32), WARM),  # outside
    Patch(39, 3, np.ones((1, 1), np.float32), np.full(3, 0.5, np.float32)),
)
LAMPS = [(cover_of(patch), patch) for patch in PATCHES]
COVERED = np.any([cover > 0 for cover, _ in LAMPS], axis=0)


def lit_by(base: Change, **more: Any) -> LitChange:
    return LitChange(base, PATCHES, SIZE, **more)


def picture(seed: int = 0, size: tuple[int, int] = SIZE) -> Float32:
    return np.random.default_rng(seed).uniform(0.05, 0.95, (3, *size)).astype(np.float32)


def in_coding(rgb: Float32, coding: Coding) -> Frame:
    return Frame(from_rgb(rgb, coding, None), coding, 7, Fraction(1, 24))


# --- the law on samples -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ends_at_white", [True, False])
@pytest.mark.parametrize("kind", CHANGES)
def test_the_law_is_that_of_float64(kind: str, ends_at_white: bool) -> None:
    plate, base = picture(), CHANGES[kind]()
    q = base.of_samples(plate, 0, 0)
    made = lit_by(base, ends_at_white=ends_at_white).of_samples(plate, 0, 0)
    below = np.where(COVERED & ends_at_white, np.maximum(q, 0), q)  # as codes have it
    wanted = law(plate, below, LAMPS, ends=ends_at_white)
    np.testing.assert_allclose(made, wanted, atol=2e-5 if ends_at_white else 5e-5)
    np.testing.assert_array_equal(made[:, ~COVERED], q[:, ~COVERED])
    assert (made[:, COVERED] > below[:, COVERED]).any(0).all()


@given(
    st.lists(st.floats(-0.05, 1.2), min_size=3, max_size=3),
    st.lists(st.floats(0, 30), min_size=3, max_size=3),
)
def test_light_takes_nothing_away_and_ends_at_white(lit: list[float], light: list[float]) -> None:
    below, more = (np.array(x, np.float32).reshape(3, 1) for x in (lit, light))
    made = added_to_samples(below, more, ends_at_white=True)
    assert (made >= below - 2e-6).all()
    assert made.max() <= max(1, below.max()) + 2e-6


def test_below_the_knee_light_adds_up_and_nothing_jumps_at_it() -> None:
    grey, steps = np.full((3, 2001), 0.3, np.float32), np.linspace(0, 2, 2001, dtype=np.float32)
    made = decoded(added_to_samples(grey, WARM[:, None] * steps, ends_at_white=True))
    plain = decoded(grey) + WARM[:, None] * steps
    within = plain.max(0) < KNEE
    np.testing.assert_allclose(made[:, within], plain[:, within], atol=1e-5)
    slopes = np.diff(made, axis=1) / np.diff(steps)
    assert slopes.min() > -1e-3
    assert np.abs(np.diff(slopes, axis=1)).max() < 0.03  # neither a step nor a bend


def test_a_strong_warm_lamp_is_pale_in_its_own_hue() -> None:
    black = np.zeros((3, 3), np.float32)
    light = WARM[:, None] * np.array([0.5, 2, 20], np.float32)
    weak, strong, blinding = decoded(added_to_samples(black, light, ends_at_white=True)).T
    np.testing.assert_allclose(weak, WARM * 0.5, rtol=1e-3)
    assert weak[2] / weak[0] < strong[2] / strong[0] < 0.8 < blinding[2] / blinding[0] < 1
    for colour in (strong, blinding):  # on the straight line to white
        share = (colour[1] - colour[2]) / (colour[0] - colour[2])
        assert share == pytest.approx((WARM[1] - WARM[2]) / (WARM[0] - WARM[2]), abs=5e-3)


def test_light_above_white_stays_in_what_holds_it() -> None:
    plate, lamp = (
        np.full((3, *SIZE), 0.5, np.float32),
        Patch(4, 4, np.ones((8, 8), np.float32), 9 * WARM),
    )
    frame = Frame(tuple(decoded(plate).astype(np.float32)), FLOAT, 0, Fraction(1, 24))
    change = LitChange(FieldChange(identity_field(2, 2), *SIZE), [lamp], SIZE, ends_at_white=False)
    made = light_plate(frame, change, Finish(), Written(FLOAT, Encodings(LINEAR, LINEAR)))
    added = to_rgb(made) - to_rgb(frame)
    np.testing.assert_allclose(
        added[:, 4:12, 4:12], 9 * WARM[:, None, None] * np.ones((8, 8)), rtol=2e-3
    )
    np.testing.assert_array_equal(added[:, 12:], 0)


# --- on planes ----------------------------------------------------------------------------------------------------------


def rgb_where_chroma_is(frame: Frame) -> np.ndarray:
    coding = frame.coding
    matrix, zero = matrix_of(coding)
    luma = average_at_sites(frame.planes[0], coding.sub_x, coding.sub_y)
    codes = np.stack([luma, *frame.planes[1:3]]) - zero.reshape(3, 1, 1)
    return np.asarray(np.tensordot(np.linalg.inv(matrix), codes, axes=1))


def wanted_codes(plate: Frame, lit: Frame, strength: float = 1.0) -> list[np.ndarray]:
    """What lamps add to each plane of colour, not rounded; `lit` is without them, by the whole strength."""
    coding = lit.coding
    matrix, _ = matrix_of(coding)
    at_luma = to_rgb(plate).astype(np.float64), to_rgb(lit).astype(np.float64)
    covers = [(cover_of(patch, (lit.height, lit.width)), patch) for patch in PATCHES]
    added = law(*at_luma, covers) - at_luma[1]
    if not (coding.sub_x or coding.sub_y):
        return [strength * p for p in np.tensordot(matrix, added, axes=1)]
    sites = rgb_where_chroma_is(plate), rgb_where_chroma_is(lit)
    lamps = [(average_at_sites(c, coding.sub_x, coding.sub_y), patch) for c, patch in covers]
    chroma = law(*sites, lamps) - sites[1]
    both = [added, chroma, chroma]
    return [
        np.asarray(strength * np.tensordot(row, rgb, axes=1))
        for row, rgb in zip(matrix, both, strict=True)
    ]


def clipped(codes: np.ndarray, coding: Coding) -> np.ndarray:
    return np.asarray(np.clip(codes, 0, coding.peak))


@pytest.mark.parametrize(("strength", "size"), [(1.0, SIZE), (0.5, SIZE), (1.0, (45, 61))])
@pytest.mark.parametrize("coding", CODINGS, ids=names)
def test_codes_are_those_of_the_law_within_one(
    coding: Coding, strength: float, size: tuple[int, int]
) -> None:
    frame, base = in_coding(picture(size=size), coding), field_of(size=size)
    change = LitChange(base, PATCHES, size).by(strength)
    whole, part, made = (direct(x, frame, coding) for x in (base, base.by(strength), change))
    for index, added in enumerate(wanted_codes(frame, whole, strength)[: len(made.planes)]):
        if coding.matrix == "gray" and index:
            continue
        exact = clipped(part.planes[index] + added, coding)
        apart = np.abs(made.planes[index] - exact)
        assert apart.max() <= (1.01 if coding.depth == 8 else 0.51 + 1e-5 * coding.peak)
        assert (added == 0).any()
        np.testing.assert_array_equal(
            made.planes[index][added == 0], part.planes[index][added == 0]
        )
        assert abs((made.planes[index] - exact)[added != 0].mean()) < 0.1


OTHER = {
    "8 to 10 bits": (YUV8, replace(YUV8, pix_fmt="yuv420p10le", depth=10)),
    "420 to 444": (YUV8, YUV12),
    "RGB to 420": (RGB16, YUV8),
    "grey to 422": (CODINGS[-1], YUV10),
    "420 to grey": (YUV8, replace(CODINGS[-1], full_range=False)),
}


@pytest.mark.parametrize("kind", CHANGES)
@pytest.mark.parametrize("way", OTHER)
def test_outside_of_patches_nothing_differs_in_another_coding(way: str, kind: str) -> None:
    source, target = OTHER[way]
    frame, base = in_coding(picture(), source), CHANGES[kind]()
    plain, made = (direct(x, frame, target) for x in (base, lit_by(base)))
    assert made.coding == target
    inside = average_at_sites(COVERED.astype(np.float32), target.sub_x, target.sub_y) > 0
    for one, other in zip(made.planes, plain.planes, strict=True):
        where = COVERED if one.shape == SIZE else inside
        np.testing.assert_array_equal(one[~where], other[~where])
    assert made.planes[0][COVERED].mean() > plain.planes[0][COVERED].mean() + target.peak / 50


@pytest.mark.parametrize("coding", [YUV8, RGB16, replace(YUV10, sub_x=0)], ids=lambda c: c.pix_fmt)
def test_codes_of_another_coding_are_those_of_the_law(coding: Coding) -> None:
    """The plate's own contrast is read in the plate's codes, whatever is written."""
    frame = in_coding(picture(), YUV12)
    base = field_of()
    plain, made = (direct(x, frame, coding) for x in (base, lit_by(base)))
    plate = in_coding(to_rgb(frame), replace(coding, depth=16))
    before = to_rgb(plain).astype(np.float64)
    after = law(to_rgb(plate), before, LAMPS)
    added = np.tensordot(matrix_of(coding)[0][0], after - before, axes=1)
    exact = clipped(plain.planes[0] + added, coding)
    assert np.abs(made.planes[0] - exact).max() <= max(1.01, 3e-5 * coding.peak)


@pytest.mark.parametrize("kind", CHANGES)
@pytest.mark.parametrize("name", KINDS)
def test_no_strength_gives_the_plate_bit_for_bit(name: str, kind: str) -> None:
    frame, change = frame_of(KINDS[name], size=SIZE), lit_by(CHANGES[kind]())
    assert_equal(light_plate(frame, change, Finish(strength=0), Written(frame.coding)), frame)
    nothing = Finish(matte=np.zeros(SIZE, np.float32), grain=0.1)
    assert_equal(light_plate(frame, change, nothing, Written(frame.coding)), frame)


@pytest.mark.parametrize("kind", CHANGES)
@pytest.mark.parametrize("name", KINDS)
def test_outside_of_patches_the_wrapped_change_is_kept_bit_for_bit(name: str, kind: str) -> None:
    frame, base = frame_of(KINDS[name], size=SIZE), CHANGES[kind]()
    coding, written = frame.coding, Written(frame.coding)
    for strength in (1.0, 0.5):
        finish = Finish(strength=strength)
        plain, made = (light_plate(frame, x, finish, written) for x in (base, lit_by(base)))
        inside = average_at_sites(COVERED.astype(np.float32), coding.sub_x, coding.sub_y) > 0
        for one, other in zip(made.planes, plain.planes, strict=True):
            where = COVERED if one.shape == SIZE else inside
            np.testing.assert_array_equal(one[~where], other[~where])
        assert (made.planes[0] != plain.planes[0]).any()
        if coding.has_alpha:
            np.testing.assert_array_equal(made.planes[-1], frame.planes[-1])


@pytest.mark.parametrize("kind", CHANGES)
def test_strength_lies_between_the_plate_and_the_light(kind: str) -> None:
    plate, change = picture(), lit_by(CHANGES[kind]())
    whole = change.of_picture(plate)
    np.testing.assert_allclose(
        change.by(0.25).of_picture(plate), plate + (whole - plate) / 4, atol=1e-6
    )
    assert change.by(0.5).by(0.5).strength == 0.25


def test_planes_are_the_same_whatever_patches_are_beside() -> None:
    """A patch's pixels do not depend on how the frame is cut, nor on the order of patches that do not meet."""
    frame = in_coding(picture(), YUV8)
    apart = [PATCHES[i] for i in (0, 2, 3)]
    one, other = (
        direct(LitChange(field_of(), patches, SIZE), frame, YUV8)
        for patches in (apart, apart[::-1])
    )
    assert_equal(one, other)
    alone = direct(LitChange(field_of(), apart[:1], SIZE), frame, YUV8)
    rows = np.s_[8:19, 5:19]
    np.testing.assert_array_equal(alone.planes[0][rows], one.planes[0][rows])


def test_a_patch_cut_in_two_is_the_same_light() -> None:
    cover, light = soft(20, 20), WARM * np.float32(0.4)
    whole = Patch(9, 7, cover, light)
    halves = [Patch(9, 7, cover[:9], light), Patch(9, 16, cover[9:], light)]
    frame = in_coding(picture(), YUV8)
    one, other = (direct(LitChange(maps_of(), p, SIZE), frame, YUV8) for p in ([whole], halves))
    assert_equal(one, other)


@pytest.mark.parametrize("name", HDR)
def test_in_hdr_light_above_white_is_kept(name: str) -> None:
    coding = replace(YUV10, matrix="bt2020", sub_x=0)
    encodings = HDR[name]
    frame = in_coding(np.full((3, *SIZE), 0.4, np.float32), coding)
    lamp = Patch(8, 8, np.ones((16, 16), np.float32), np.full(3, 3.0, np.float32))
    change = LitChange(FieldChange(identity_field(2, 2), *SIZE), [lamp], SIZE, ends_at_white=False)
    made = light_plate(frame, change, Finish(), Written(coding, encodings))
    to_linear = encodings.source.to_linear
    assert to_linear is not None
    light, before = (to_linear(to_rgb(x)) for x in (made, frame))
    np.testing.assert_allclose((light - before)[:, 8:24, 8:24], 3, rtol=0.02)
    for one, other in zip(made.planes, frame.planes, strict=True):
        np.testing.assert_array_equal(one[:, 24:], other[:, 24:])


# --- where samples stand ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(48, 64), (45, 61)])
@pytest.mark.parametrize("sub", [(1, 1), (1, 0), (2, 0), (0, 1), (0, 0)])
def test_covers_are_averaged_where_chroma_stands(
    sub: tuple[int, int], size: tuple[int, int]
) -> None:
    for patch in PATCHES:
        made = at_chroma(packed([patch], size), size, *sub)
        cover = cover_of(patch, size)
        wanted = average_at_sites(cover, *sub) if any(sub) else cover
        np.testing.assert_allclose(spread(made, wanted.shape), wanted, atol=1e-6)


def spread(lamps: Any, size: tuple[int, ...]) -> Float32:
    """The cover of a single packed patch on a whole plane."""
    out = np.zeros(size, np.float32)
    top, bottom, left, right = lamps.boxes[0]
    out[top:bottom, left:right] = lamps.cover.reshape(bottom - top, right - left)
    return out


def test_a_small_picture_gets_as_much_light() -> None:
    for patch in PATCHES:
        cover = cover_of(patch)
        half = spread(shrunk(packed([patch], SIZE), SIZE, (24, 32)), (24, 32))
        np.testing.assert_allclose(half, cover.reshape(24, 2, 32, 2).mean((1, 3)), atol=1e-6)
        other = spread(shrunk(packed([patch], SIZE), SIZE, (31, 45)), (31, 45))
        assert other.mean() == pytest.approx(cover.mean(), rel=1e-4, abs=1e-7)


def test_a_small_picture_is_lit_by_the_same_law() -> None:
    small = picture(size=(24, 32))
    lamps = [(c.reshape(24, 2, 32, 2).mean((1, 3)), patch) for c, patch in LAMPS]
    made = lit_by(field_of()).of_picture(small)
    np.testing.assert_allclose(made, law(small, field_of().of_picture(small), lamps), atol=2e-5)


# --- what comes before and after ----------------------------------------------------------------------------------------


def test_what_is_done_to_the_change_is_done_below_the_lamps() -> None:
    plate, base = picture(), field_of()
    grade = np.array([[0.8, 0.1, 0, 0.01], [0, 0.9, 0.1, 0], [0.1, 0, 0.7, 0.02]])
    gain, glow = np.full((3, 3, 4), 0.5, np.float32), np.full((3, 3, 4), 0.1, np.float32)
    for method, value in (("graded", grade), ("gained", gain), ("screened", glow)):
        below = getattr(base, method)(value)
        one = getattr(lit_by(base), method)(value).of_picture(plate)
        np.testing.assert_array_equal(one, lit_by(below).of_picture(plate))
    assert lit_by(maps_of()).screened(glow) is None
    frame = in_coding(plate, YUV8)
    assert lit_by(maps_of().graded(grade)).on_planes(frame, YUV8) is None
    assert lit_by(base, ends_at_white=False).on_planes(frame, YUV8) is None


@pytest.mark.parametrize("kind", CHANGES)
def test_glow_matte_and_grain_come_after_the_lamps(kind: str) -> None:
    frame, change = in_coding(picture(), RGB16), lit_by(CHANGES[kind]())
    plate, glow = to_rgb(frame), np.full((3, 6, 8), 0.1, np.float32)
    matte = np.zeros(SIZE, np.float32)
    matte[:, 20:] = 0.5
    made = light_plate(frame, change, Finish(0.8, glow, 0.02, matte, 5), Written(RGB16))
    lit = screened(change.of_samples(plate, 0, 0), glow)
    clean = plate + 0.8 * matte * (lit - plate)
    noise = to_rgb(made) - clean
    assert np.abs(noise[:, :, :20]).max() < 2e-5
    assert noise[:, :, 20:].mean() == pytest.approx(0, abs=2e-3)
    wide = grained(lit, 0.02, 0) - lit
    assert noise[:, :, 20:].std() == pytest.approx(0.4 * wide[:, :, 20:].std(), rel=0.15)


def test_planes_and_pixels_agree() -> None:
    """A matte that lets everything through takes the other way, and gives the same codes but for rounding."""
    for coding in (YUV10, replace(YUV8, pix_fmt="yuv420p10le", depth=10), YUV12):
        frame, written = in_coding(picture(), coding), Written(coding)
        at_once = light_plate(frame, lit_by(field_of()), Finish(), written)
        other = light_plate(
            frame, lit_by(field_of()), Finish(matte=np.ones(SIZE, np.float32)), written
        )
        for one, two in zip(at_once.planes, other.planes, strict=True):
            assert np.abs(one.astype(int) - two).max() <= 3 + coding.peak // 1000


# --- a gain of a small grid ---------------------------------------------------------------------------------------------


def ramp(height: int, width: int) -> Float32:
    """A gain that rises along the rows, another one for each colour."""
    x = (np.arange(width, dtype=np.float32) + 0.5) / width
    return np.stack([np.tile(a + b * x, (height, 1)) for a, b in ((0.5, 0.5), (1, 0), (0.2, 1.5))])


@pytest.mark.parametrize("grid", [(3, 4), (6, 8), (12, 16), (24, 32)])
def test_a_gain_multiplies_what_the_change_makes(grid: tuple[int, int]) -> None:
    plate, gain = picture(), ramp(*grid)
    flat = FieldChange(identity_field(6, 8) * np.float32(0.4), *SIZE)
    at_cells = full_size(ramp(6, 8), *SIZE)
    made = flat.gained(gain).of_picture(plate)
    within = np.s_[:, :, 16:-16]  # beside the edges a coarse grid is flat
    np.testing.assert_allclose(made[within], (0.4 * plate * at_cells)[within], atol=1e-5)
    by_maps = maps_of().gained(gain).of_picture(plate)
    wanted = maps_of().of_picture(plate) * full_size(gain, *SIZE)
    np.testing.assert_allclose(by_maps, wanted, atol=0.01)


def test_a_gain_comes_after_a_grade_and_before_a_strength() -> None:
    plate, gain = picture(), np.full((3, 2, 2), 0.5, np.float32)
    grade = np.array([[0.8, 0.1, 0, 0.01], [0, 0.9, 0.1, 0], [0.1, 0, 0.7, 0.02]])
    for base in (field_of(), maps_of()):
        wanted = 0.5 * graded_picture(base.of_picture(plate), grade)
        made = base.graded(grade).gained(gain)
        np.testing.assert_allclose(made.of_picture(plate), wanted, atol=1e-5)
        half = made.by(0.5).of_picture(plate)
        np.testing.assert_allclose(half, (plate + wanted) / 2, atol=1e-5)


@pytest.mark.parametrize("coding", [YUV8, YUV10, YUV12, RGB16], ids=lambda c: c.pix_fmt)
@pytest.mark.parametrize("kind", ["field", "maps"])
def test_a_gain_goes_on_planes(kind: str, coding: Coding) -> None:
    frame = in_coding(np.full((3, *SIZE), 0.6, np.float32), coding)
    change = CHANGES[kind]().gained(np.full((3, 3, 4), 0.5, np.float32))
    made = direct(change, frame, coding)
    wanted = change.of_picture(to_rgb(frame))
    np.testing.assert_allclose(to_rgb(made), wanted, atol=2.5 / (219 << (coding.depth - 8)))


def test_a_gain_leaves_the_sky_alone() -> None:
    plate, gain = np.full((3, *SIZE), 0.7, np.float32), np.full((3, 2, 2), 0.25, np.float32)
    change = sky_of()
    made, before = (x.of_picture(plate) for x in (change.gained(gain), change))
    np.testing.assert_allclose(made[:, 0], before[:, 0], atol=1e-6)  # clear sky
    np.testing.assert_allclose(made[:, -1], before[:, -1] / 4, atol=1e-6)  # ground


def test_a_neutral_gain_changes_nothing_bit_for_bit() -> None:
    frame, ones = in_coding(picture(), YUV8), np.ones((3, 4, 5), np.float32)
    for kind in CHANGES.values():
        plain, made = (direct(x, frame, YUV8) for x in (kind(), kind().gained(ones)))
        assert_equal(made, plain)
