"""The light of each group of lamps as a layer: their sum is the render, and one without a group has no light of it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nightfx.apply import REST, FieldChange, Finish, LitChange, Steps, layers_of
from nightfx.apply.patches import Patch
from nightfx.job.passes import open_passes
from nightfx.light.lamps.rig import Rig
from nightfx.light.lamps.shine import STREET, Lamps, with_lamps
from nightfx.light.see import see
from nightfx.lights import Source
from nightfx.picture import LINEAR, Frame, from_working, rgb_coding, to_rgb, to_working

HEIGHT, WIDTH = 144, 256
STREET_LIGHT = np.array([0.3, 0.25, 0.2], np.float32)


def street(depth: int = 10) -> Frame:
    rng = np.random.default_rng(3)
    top = (1 << depth) - 1
    planes = tuple(
        np.clip(rng.normal(0.4, 0.1, (HEIGHT, WIDTH)) * top, 0, top).astype(np.uint16)
        for _ in range(3)
    )
    return Frame(planes, rgb_coding(depth, alpha=False), 0, Fraction(1, 24))


def box(left: float, top: float, side: float) -> np.ndarray:
    corners = [(0, 0), (1, 0), (1, 1), (0, 1)]
    return np.array([(left + side * x, top + side * y) for x, y in corners], np.float32)


def source(kind: str, left: float, light: tuple[float, float, float]) -> Source:
    return Source(kind, box(left, 60, 12), np.array(light, np.float32))


SOURCES = [
    source("window", 40, (1.0, 0.7, 0.4)),
    source("lamp", 120, (8.0, 6.0, 4.0)),
    source("rear-lamp", 200, (5.0, 0.1, 0.05)),
]


def steps_with(frame: Frame, sources: list[Source], *, pools: float = 0.1, **finish: Any) -> Steps:
    field = np.zeros((3, 4, 9, 16), np.float32)
    for colour in range(3):
        field[colour, colour] = 0.5
    change = FieldChange(field.reshape(12, 9, 16), HEIGHT, WIDTH)
    lamps = Lamps(sources, (WIDTH, HEIGHT), 0.5, Rig(street=STREET_LIGHT, pools=pools))
    bare, glare, patches, shares = with_lamps(change, see(frame, 72), None, lamps)
    lit = LitChange(bare, patches, (HEIGHT, WIDTH))
    return Steps(bare, lit, Finish(glow=glare, **finish), shares(glare))


def layers(frame: Frame, steps: Steps) -> dict[str, np.ndarray]:
    assert steps.shares is not None
    return dict(layers_of(to_rgb(frame), steps, steps.shares))


def test_all_layers_together_are_the_render() -> None:
    frame = street()
    for strength in (1.0, 0.5):
        steps = steps_with(frame, SOURCES, strength=strength)
        found = layers(frame, steps)
        assert set(found) == {"windows", "lamps", "cars", STREET, REST}
        together = to_working(sum(found.values(), np.zeros((3, 1, 1), np.float32)), LINEAR)
        wanted = steps.glowing()(to_rgb(frame), 0, 0)
        np.testing.assert_allclose(together, wanted, atol=1e-4)


def test_without_a_layer_its_lamps_are_out() -> None:
    frame = street()
    whole = steps_with(frame, SOURCES)
    less = layers(frame, whole)
    dark = sum(less.values(), np.zeros((3, 1, 1), np.float32)) - less["lamps"]
    without = [x for x in SOURCES if x.kind != "lamp"]
    wanted = from_working(steps_with(frame, without).glowing()(to_rgb(frame), 0, 0), LINEAR)
    near = np.s_[:, 40:100, 100:160]
    before = from_working(whole.glowing()(to_rgb(frame), 0, 0), LINEAR)
    # a render lifts nothing beyond white, so it is near and not the same
    assert np.abs(dark - wanted)[near].mean() < 0.05 * np.abs(before - wanted)[near].mean()


def test_a_groups_light_lies_around_its_lamps_and_has_their_colour() -> None:
    found = layers(street(), steps_with(street(), SOURCES))
    for name, left in (("windows", 46), ("lamps", 126), ("cars", 206)):
        luma = found[name].sum(0)
        assert abs(int(luma.sum(0).argmax()) - left) < 8
        assert (found[name] > -1e-4).all()
    red = found["cars"].sum((1, 2))
    assert red[0] > 3 * red[1]  # what is too bright is paler


def test_a_lamps_pool_is_of_its_layer_alone() -> None:
    frame = street()
    lamp = [Source("lamp", box(124, 20, 6), np.array([8, 6, 4], np.float32))]
    dry, pool = (layers(frame, steps_with(frame, lamp, pools=x)) for x in (0.0, 0.3))
    foot = np.s_[:, 80:110, 110:140]
    assert pool["lamps"][foot].mean() > 2 * dry["lamps"][foot].mean()
    np.testing.assert_allclose(pool[REST].mean(), dry[REST].mean(), rtol=0.02)


def test_what_is_no_lamp_is_the_rest() -> None:
    found = layers(street(), steps_with(street(), []))
    assert set(found) == {STREET, REST}
    below = found[STREET][:, HEIGHT // 2 :].mean()
    assert below > found[STREET][:, : HEIGHT // 8].mean() > 0


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, Steps, Frame]:
    frame = street()
    steps = steps_with(frame, SOURCES)
    passes = open_passes(tmp_path, "shot.night", overwrite=False)
    passes.write(frame, steps)
    return tmp_path / "shot.night.lights.1001.exr", steps, frame


def test_the_pass_sums_to_the_render_within_a_code_of_ten_bits(
    written: tuple[Path, Steps, Frame],
) -> None:
    import OpenImageIO

    path, steps, frame = written
    source = OpenImageIO.ImageInput.open(str(path))
    assert source is not None, OpenImageIO.geterror()
    pixels, spec = np.asarray(source.read_image("float")), source.spec()
    source.close()
    names = [channel.split(".") for channel in spec.channelnames]
    assert {name for name, _ in names} == {"lamps", "windows", "cars", STREET, REST}
    assert "sRGB" in spec.get_string_attribute("ImageDescription")
    colours = [[i for i, (_, one) in enumerate(names) if one == c] for c in "RGB"]
    together = np.stack([pixels[..., places].sum(-1) for places in colours])
    wanted = steps.glowing()(to_rgb(frame), 0, 0)
    assert np.abs(to_working(together, LINEAR) - wanted).max() < 1 / 1023


def test_without_lamps_there_is_no_such_pass(tmp_path: Path) -> None:
    frame, field = street(), np.zeros((12, 9, 16), np.float32)
    change = FieldChange(field, HEIGHT, WIDTH)
    lamp = Patch(20, 30, np.ones((4, 4), np.float32), np.ones(3, np.float32))
    passes = open_passes(tmp_path, "shot.night", overwrite=False)
    passes.write(frame, Steps(change, LitChange(change, [lamp], (HEIGHT, WIDTH)), Finish()))
    assert not list(tmp_path.glob("*.lights.*"))
