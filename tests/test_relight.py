"""The fit: known light gives known fields, and a generator that changes nothing gives the identity."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from nightfx.apply.field import blended, identity_field, relight
from nightfx.light.fit import (
    Ceiling,
    FieldPlan,
    Fit,
    field_of,
    fit_field,
    held_below,
    light_by_field,
)
from nightfx.light.see import see, small_rgb, working_size
from nightfx.network.gain_offset import GainOffset
from nightfx.network.model import Generator, PaperGenerator, RelitGenerator
from nightfx.network.presets import load_preset
from nightfx.picture.color import to_rgb
from nightfx.picture.frame import Coding, Frame

CODING = Coding("yuv420p10le", 10, 1, 1, "bt709", False, False)


def textured(height: int = 64, width: int = 96, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.uniform(0.1, 0.9, (3, height, width)).astype(np.float32)


def constant(value: float, like: np.ndarray) -> np.ndarray:
    return np.full_like(like, value)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 9), st.floats(1e-6, 1.0))
def test_no_change_is_the_identity(height: int, width: int, radius: int, epsilon: float) -> None:
    plate = textured(height, width)
    field = fit_field(plate, plate, constant(1, plate), Fit(radius, epsilon))
    np.testing.assert_allclose(field, identity_field(height, width), atol=2e-4)


def test_flat_grey_follows_the_gain_of_the_generator() -> None:
    plate = np.full((3, 32, 32), 0.5, np.float32)
    field = fit_field(plate, plate * 0.25 + 0.1, constant(0.25, plate), Fit())
    wanted = identity_field(32, 32).reshape(3, 4, 32, 32) * 0.25
    wanted[:, 3] = 0.1
    np.testing.assert_allclose(field, wanted.reshape(12, 32, 32), atol=1e-5)


def test_a_colour_matrix_is_found_where_there_is_colour() -> None:
    plate = textured()
    matrix = np.array([[0.3, 0.1, 0.0], [0.0, 0.4, 0.05], [0.1, 0.0, 0.5]])
    lit = (np.einsum("ij,jyx->iyx", matrix, plate) + 0.02).astype(np.float32)
    field = fit_field(plate, lit, constant(0.4, plate), Fit(8, 1e-6)).reshape(3, 4, 64, 96)
    np.testing.assert_allclose(field[:, :3].mean((2, 3)), matrix, atol=1e-3)
    np.testing.assert_allclose(field[:, 3].mean((1, 2)), 0.02, atol=1e-3)


def test_a_ramp_of_gain_is_followed() -> None:
    plate = textured()
    gain = np.broadcast_to(np.linspace(0.2, 0.8, 96, dtype=np.float32), plate.shape).copy()
    field = fit_field(plate, plate * gain, gain, Fit(4, 1e-3))
    error = np.abs(relight(plate, field) - plate * gain)
    assert error.mean() < 0.01


def test_an_edge_of_the_plate_keeps_two_lights_apart() -> None:
    plate = textured()
    plate[:] *= 0.1
    plate[:, :, 48:] += 0.8  # a skyline: dark houses, bright sky
    gain = constant(1.0, plate)
    gain[:, :, 48:] = 0.1
    lit = relight(plate, fit_field(plate, plate * gain, gain, Fit(8, 1e-4)))
    error = np.abs(lit - plate * gain)[:, :, 40:56]
    assert error.mean() < 0.03  # blurring the light over the window would miss by 0.2


def test_wild_colours_still_have_a_field() -> None:
    plate = (np.random.default_rng(0).uniform(-5, 15, (3, 1, 1)) + 1e-4 * textured()).astype(
        np.float32
    )
    field = fit_field(plate, plate * 0.5, constant(0.5, plate), Fit(4, 1e-6))
    np.testing.assert_allclose(relight(plate, field), plate * 0.5, atol=1e-2)


def test_grain_gets_as_dark_as_what_it_lies_on() -> None:
    rng = np.random.default_rng(0)
    plate = (0.5 + 0.003 * rng.standard_normal((3, 64, 64))).astype(np.float32)
    lit = relight(plate, fit_field(plate, plate * 0.2, constant(0.2, plate), Fit()))
    assert lit.std() == pytest.approx(0.2 * plate.std(), rel=0.02)


@pytest.mark.parametrize(
    ("size", "working", "wanted"),
    [
        ((1080, 1920), 256, (256, 456)),
        ((1920, 1080), 256, (456, 256)),
        ((720, 1280), 256, (256, 456)),
        ((100, 60), 256, (96, 64)),
        ((3, 5), 256, (8, 8)),
    ],
)
def test_working_sizes_are_multiples_of_eight(
    size: tuple[int, int], working: int, wanted: tuple[int, int]
) -> None:
    assert working_size(*size, working) == wanted


def frame_of(colour: tuple[int, int, int], rows: tuple[int, int] = (0, 0)) -> Frame:
    luma = np.full((96, 128), colour[0], np.uint16)
    luma[rows[0] : rows[1]] = 900
    chroma = [np.full((48, 64), c, np.uint16) for c in colour[1:]]
    return Frame((luma, *chroma), CODING, 0, Fraction(1, 24))


def seen_field(frame: Frame, generator: Generator, height: int = 64, **plan: Any) -> np.ndarray:
    return field_of(see(frame, height), generator, FieldPlan(height=height, **plan))


def test_the_small_picture_has_the_colours_of_the_plate() -> None:
    small = small_rgb(frame_of((502, 512, 512)), 32, 40)
    assert small.shape == (3, 32, 40)
    np.testing.assert_allclose(small, (502 - 64) / 876, atol=1e-5)


def test_a_generator_that_changes_nothing_gives_the_identity() -> None:
    field = seen_field(frame_of((400, 500, 530)), RelitGenerator().eval())
    np.testing.assert_allclose(field, identity_field(*field.shape[1:]), atol=1e-5)


def test_strength_dissolves_between_the_plate_and_the_field() -> None:
    generator = RelitGenerator().eval()
    with torch.no_grad():
        assert isinstance(generator.out.bias, nn.Parameter)
        generator.out.bias[:3] = 4 * torch.atanh(torch.tensor(0.25).log() / 4)
    whole = seen_field(frame_of((400, 512, 512)), generator)
    np.testing.assert_allclose(blended(whole, 0.5)[[0, 5, 10]], 0.625, atol=1e-3)
    np.testing.assert_array_equal(blended(whole, 0), identity_field(*whole.shape[1:]))
    assert blended(whole, 1) is whole


def test_a_turned_frame_is_seen_upright_and_its_field_is_turned_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Sky(RelitGenerator):
        """Darkens the upper half of what it sees."""

        def light(self, x: torch.Tensor) -> GainOffset:
            gain = torch.ones_like(x)
            gain[..., : x.shape[-2] // 2, :] = np.exp(-1)
            return GainOffset(gain, torch.zeros_like(x))

    monkeypatch.setattr(Frame, "rotation", 90)  # a player turns it counter-clockwise
    field = seen_field(frame_of((400, 512, 512)), Sky().eval(), height=96, fit=Fit(0))
    # turned counter-clockwise, the frame's right side comes to lie on top
    assert field[0, :, -1].mean() == pytest.approx(np.exp(-1), abs=1e-3)
    assert field[0, :, 0].mean() == pytest.approx(1, abs=1e-3)


def test_the_papers_generator_has_a_field_too() -> None:
    field = seen_field(frame_of((400, 512, 512), (20, 60)), PaperGenerator().eval())
    assert np.isfinite(field).all()


def shot(seed: int, count: int, first_pts: int = 0, noise_codes: float = 0.0) -> list[Frame]:
    """A still picture of soft blobs at 10 bits, with noise that changes from frame to frame."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(150, 850, (3, 6, 8))
    still = np.stack([np.kron(plane, np.ones((16, 16))) for plane in coarse])
    coding = Coding("yuv444p10le", 10, 0, 0, "bt709", False, False)
    frames = []
    for index in range(count):
        noisy = still + noise_codes * random.standard_normal(still.shape)
        noisy[1:] = 512 + (noisy[1:] - 512) * 0.1
        planes = tuple(noisy.clip(64, 940).astype(np.uint16))
        frames.append(Frame(planes, coding, first_pts + index, Fraction(1, 24)))
    return frames


def fields_of(frames: list[Frame]) -> list[np.ndarray]:
    generator = load_preset("night").generator
    return [lit.field for lit in light_by_field(frames, generator, FieldPlan(height=96))]


def test_no_frame_after_a_cut_carries_the_light_before() -> None:
    before, after = shot(1, 4), shot(2, 3, first_pts=4)
    cut = fields_of(before + after)
    for field, alone in zip(cut[4:], fields_of(after), strict=True):
        assert np.array_equal(field, alone)


def test_a_still_camera_varies_no_more_than_its_plate() -> None:
    frames = shot(1, 12, noise_codes=6)
    fields = fields_of(frames)
    held = np.mean(fields, axis=0)
    of_render, of_plate = (
        np.std([relight(to_rgb(f), x) for f, x in zip(frames, light, strict=True)], axis=0).mean()
        for light in (fields, [held] * len(frames))
    )
    assert of_render <= 1.02 * of_plate


@given(white=st.floats(0.1, 1), seed=st.integers(0, 1000))
def test_a_ceiling_bends_whites_and_leaves_what_is_dark(white: float, seed: int) -> None:
    plate = np.random.default_rng(seed).uniform(0, 2, (3, 4, 4)).astype(np.float32) ** 2
    one, none = np.ones_like(plate), np.zeros_like(plate)
    gain, offset = held_below(plate, one, none, Ceiling(1.0, white))
    lit = plate * gain + offset
    before, after = plate.max(0), lit.max(0)
    assert (after <= np.minimum(before, white) * 1.00001).all()
    dark = before <= white / 2
    assert np.allclose(after[dark], before[dark], rtol=1e-5)
    assert (np.diff(after.ravel()[np.argsort(before.ravel())]) >= -1e-5).all()
    assert np.allclose(lit * before, plate * after, atol=1e-5)  # its colour stays
