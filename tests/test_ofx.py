"""The OpenFX plugin in a host of our own: what it says it is, what it shows, and what passes through."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bakes import HEIGHT, WIDTH, light, plate, save_bake
from mutants import mutant
from native import needs_compiler
from numpy.typing import NDArray
from ofx import OfxHost
from signing import signed

from nightfx.baked import open_bake
from nightfx.hosts.plugins import compile_plugin
from nightfx.picture import Float32, to_rgb

pytestmark = needs_compiler
COUNT = 6
CODE = 1 / 255


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("ofx") / "nightfx.ofx"
    compile_plugin("ofx", target)
    return target


@pytest.fixture
def bake(tmp_path: Path) -> Path:
    return save_bake(tmp_path / "a.nfx", [light(3 * i) for i in range(COUNT)])


@pytest.fixture
def host(library: Path, bake: Path) -> Iterator[OfxHost]:
    made = OfxHost(library)
    assert made.begin() == [0, 0, 0, 0]
    made.values["file"] = str(bake).encode()
    yield made
    assert made.end() == 0


@pytest.fixture
def picture() -> Float32:
    """The plate with an alpha that goes from 0 to 2."""
    rgb = np.moveaxis(to_rgb(plate()), 0, -1)
    alpha = np.linspace(0, 2, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH, 1)
    return np.ascontiguousarray(np.concatenate([rgb, alpha], -1), np.float32)


def wanted(bake: Path, picture: NDArray[Any], number: int) -> Float32:
    rgb = np.ascontiguousarray(np.moveaxis(picture[..., :3], -1, 0), np.float32)
    change, _ = open_bake(bake).change_at(number, plate(), 0)
    lit = np.maximum(change.of_samples(rgb, 0, 0), np.minimum(rgb, 0))
    return np.concatenate([np.moveaxis(lit, 0, -1), picture[..., 3:]], -1).astype(np.float32)


def test_it_says_what_it_is(host: OfxHost) -> None:
    assert host.plugin.api == b"OfxImageEffectPluginAPI"
    assert host.plugin.id == b"org.nightfx.relight"
    names = {"file", "strength", "first", "encoding", "lamps", "windows", "cars", "signs", "street"}
    assert set(host.params) == names
    assert set(host.clips) == {"Source", "Output"}
    assert host.act("OfxActionSomethingElse") == 14


def test_each_frame_gets_its_light(host: OfxHost, bake: Path, picture: Float32) -> None:
    for time in (3, 0, 5):
        away = np.abs(host.shown(picture, time) - wanted(bake, picture, 1001 + time))
        assert away.mean() < 0.01 * CODE
        assert away.max() < 0.1 * CODE
    host.values["first"] = 1001
    away = np.abs(host.shown(picture, 1002) - wanted(bake, picture, 1002))
    assert away.max() < 0.1 * CODE


def test_bytes_and_pictures_without_alpha_are_lit_too(
    host: OfxHost, bake: Path, picture: Float32
) -> None:
    codes = np.rint(picture.clip(0, 1) * 255).astype(np.uint8)
    want = wanted(bake, codes / np.float32(255), 1001).clip(0, 1) * 255
    away = np.abs(host.shown(codes, 0) - want)[..., :3]  # panes are told on 16 bits there
    assert away.mean() < 0.3
    assert away.max() < 2
    bare = np.ascontiguousarray(picture[..., :3])
    np.testing.assert_array_equal(host.shown(bare, 0), host.shown(picture, 0)[..., :3])


def test_no_strength_is_the_plate_bit_for_bit(host: OfxHost, picture: Float32) -> None:
    picture[0, :4, 0] = -0.5, np.nan, np.inf, -0.0
    host.values["strength"] = 0.0
    assert np.ascontiguousarray(host.shown(picture, 0)).tobytes() == picture.tobytes()


def test_a_window_alone_is_written(host: OfxHost, picture: Float32) -> None:
    whole = host.shown(picture, 0)
    part = host.shown(picture, 0, window=(10, 20, 50, 60))  # from below
    np.testing.assert_array_equal(
        part[HEIGHT - 60 : HEIGHT - 20, 10:50], whole[HEIGHT - 60 : HEIGHT - 20, 10:50]
    )
    assert not part[: HEIGHT - 60].any()


def test_a_tile_of_the_plate_is_lit_where_it_lies(host: OfxHost, picture: Float32) -> None:
    whole = host.shown(picture, 0)
    tile = picture[30:70, 40:100]
    region = (0.0, 0.0, float(WIDTH), float(HEIGHT))
    found = host.shown(tile, 0, place=(40, HEIGHT - 70), region=region)
    np.testing.assert_array_equal(found, whole[30:70, 40:100])


def test_a_proxy_is_lit_as_the_plate_under_it(host: OfxHost, picture: Float32) -> None:
    whole = host.shown(picture, 0)
    region = (0.0, 0.0, float(WIDTH), float(HEIGHT))
    found = host.shown(picture[1::2, 1::2], 0, scale=0.5, region=region)
    np.testing.assert_array_equal(found[..., 3], picture[1::2, 1::2, 3])
    away = np.abs(found - whole[1::2, 1::2])
    assert np.median(away) < 0.5 * CODE
    assert away.mean() < 2 * CODE


@pytest.mark.parametrize("curve", [1, 2])
def test_light_is_lit_as_the_codes_it_stands_for(
    curve: int, host: OfxHost, picture: Float32
) -> None:
    whole = host.shown(picture, 0)
    host.values["encoding"] = curve

    def linear(codes: Float32) -> Float32:
        size = np.abs(codes)
        srgb = np.where(size <= 0.04045, size / 12.92, ((size + 0.055) / 1.055) ** 2.4)
        light_ = np.sign(codes) * (srgb if curve == 1 else size**2.4)
        return np.concatenate([light_[..., :3], codes[..., 3:]], -1).astype(np.float32)

    np.testing.assert_allclose(host.shown(linear(picture), 0), linear(whole), atol=2e-4)


def test_groups_are_turned_up_and_down(host: OfxHost, picture: Float32) -> None:
    whole = host.shown(picture, 0)
    host.values["windows"] = 0.0
    dark = host.shown(picture, 0)
    assert (whole - dark)[60:84, 10:30, :3].max() > 0.1
    host.values |= {"windows": 1.0, "lamps": 2.0}
    assert (host.shown(picture, 0) - whole)[..., :3].mean() > 0.01


def test_what_is_not_its_plate_passes_through(
    host: OfxHost, picture: Float32, tmp_path: Path
) -> None:
    for time in (-1, COUNT):
        assert np.array_equal(host.shown(picture, time), picture)
    other = np.ascontiguousarray(picture[:-2])
    assert np.array_equal(host.shown(other, 0), other)
    for name in ("", str(tmp_path / "none.nfx")):
        host.values["file"] = name.encode()
        assert np.array_equal(host.shown(picture, 0), picture)


def test_broken_bakes_break_no_host(
    host: OfxHost, bake: Path, picture: Float32, tmp_path: Path
) -> None:
    data = bake.read_bytes()
    for seed in range(1000):
        broken, path = mutant(data, seed), tmp_path / f"{seed}.nfx"
        path.write_bytes(broken if seed % 2 else signed(broken))
        host.values["file"] = str(path).encode()
        assert np.array_equal(host.shown(picture, 1)[..., 3], picture[..., 3])
