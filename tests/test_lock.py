"""The lock of a shot: measured, kept in a file, held; and what is chosen by looking at a shot first."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from nightfx.apply.field import identity_field
from nightfx.errors import PresetError, TargetError
from nightfx.light.fit import FieldPlan
from nightfx.light.lighting import choose_every, measure_lock
from nightfx.light.lock import Lock, common_lock, hold, load_lock, measure_stops
from nightfx.network.gain_offset import GainOffset
from nightfx.network.model import RelitGenerator
from nightfx.picture.frame import Coding, Frame


def picture() -> np.ndarray:
    return np.random.default_rng(0).uniform(0.2, 0.8, (3, 24, 32)).astype(np.float32)


def test_stops_are_those_of_the_means() -> None:
    field = identity_field(24, 32).reshape(3, 4, 24, 32)
    field *= np.array([0.5, 0.25, 1.0], np.float32).reshape(3, 1, 1, 1)
    stops = measure_stops(field.reshape(12, 24, 32), picture())
    np.testing.assert_allclose(stops, [-1, -2, 0], atol=0.02)


def test_a_held_field_changes_the_means_by_the_lock() -> None:
    lock = Lock((-2.0, -1.5, -1.0))
    held = hold(identity_field(24, 32) * np.float32(0.7), picture(), lock)
    np.testing.assert_allclose(measure_stops(held, picture()), lock.stops, atol=0.02)


def test_a_lock_that_is_the_fields_own_changes_nothing() -> None:
    field = identity_field(24, 32) * np.float32(0.4)
    red, green, blue = measure_stops(field, picture()).tolist()
    held = hold(field, picture(), Lock((red, green, blue)))
    np.testing.assert_allclose(held, field, rtol=1e-4, atol=1e-6)


def test_one_flash_does_not_move_a_lock() -> None:
    calm, flash = np.full(3, -2, np.float32), np.full(3, 3, np.float32)
    assert common_lock([calm] * 5 + [flash]).stops == (-2, -2, -2)


def test_a_lock_survives_its_file(tmp_path: Path) -> None:
    lock = Lock((-2.25, -2.0, -1.5))
    lock.save(tmp_path / "a.lock.json")
    assert load_lock(tmp_path / "a.lock.json") == lock
    assert [path.name for path in tmp_path.iterdir()] == ["a.lock.json"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not a lock"),
        ("[1]", "not a lock"),
        ('{"lock": 1}', "not a lock"),
        ('{"lock": 1, "stops": [1, 2]}', "not a lock"),
        ('{"lock": 2, "stops": [1, 2, 3]}', "a lock of version 2"),
        ('{"lock": 1, "stops": [1, 2, NaN]}', "from -16 to 16"),
        ('{"lock": 1, "stops": [1, 2, 99]}', "from -16 to 16"),
    ],
)
def test_what_is_no_lock_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "a.lock.json"
    path.write_text(text)
    with pytest.raises(PresetError, match=words):
        load_lock(path)


def test_a_lock_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="no such folder: create it first"):
        Lock((0.0, 0.0, 0.0)).save(tmp_path / "nowhere" / "a.lock.json")


def shot(step_px: int, count: int = 12) -> Iterator[Frame]:
    """A smooth picture that slides to the left by `step_px` a frame."""
    x = np.arange(400)
    wide = (120 + 60 * np.sin(x / 15) * np.cos(np.arange(96)[:, None] / 11)).astype(np.uint8)
    coding = Coding("yuv444p", 8, 0, 0, "bt709", True, False)
    for i in range(count):
        luma = np.ascontiguousarray(wide[:, i * step_px : i * step_px + 128])
        grey = np.full_like(luma, 128)
        yield Frame((luma, grey, grey), coding, i, Fraction(1, 24))


def test_fields_are_carried_where_that_is_as_good() -> None:
    plan = FieldPlan(height=96)
    assert choose_every(shot(0), RelitGenerator().eval(), plan) == 4


def test_fields_are_not_carried_where_light_jumps() -> None:
    class Nervous(RelitGenerator):
        """Another light at every call."""

        calls = 0

        def light(self, x: torch.Tensor) -> GainOffset:
            self.calls += 1
            stronger = -1.0 - 0.5 * (self.calls % 2)
            return GainOffset(torch.full_like(x, stronger).exp(), torch.zeros_like(x))

    assert choose_every(shot(0), Nervous().eval(), FieldPlan(height=96)) == 1


def test_a_lock_is_what_the_generator_does_on_the_whole() -> None:
    generator = RelitGenerator().eval()
    with torch.no_grad():
        assert isinstance(generator.out.bias, nn.Parameter)
        generator.out.bias[:3] = 4 * torch.atanh(torch.tensor(0.25).log() / 4)
    lock = measure_lock(shot(3), generator, FieldPlan(height=96))
    np.testing.assert_allclose(lock.stops, -2, atol=0.02)
