"""The frei0r plugin: by a host of our own, and by FFmpeg and MLT where they are; frames by either clock."""

from __future__ import annotations

import ctypes as c
import os
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from bakes import HEIGHT, WIDTH, Made, light, plate, save_bake
from media import Clip, make_clip
from mutants import mutant
from native import needs_compiler
from numpy.typing import NDArray
from signing import signed

from nightfx.baked import open_bake
from nightfx.hosts.plugins import compile_plugin
from nightfx.picture import to_rgb
from nightfx.source.reader import Reader

pytestmark = needs_compiler
COUNT = 8
Bytes = NDArray[np.uint8]


class Info(c.Structure):
    """As `f0r_plugin_info` of the interface."""

    _fields_ = (
        ("name", c.c_char_p),
        ("author", c.c_char_p),
        *((name, c.c_int) for name in ("kind", "model", "version", "major", "minor", "params")),
        ("explanation", c.c_char_p),
    )


class Filter:
    """An instance of the plugin, as a host has one."""

    def __init__(self, library: Path, size: tuple[int, int] = (HEIGHT, WIDTH)) -> None:
        self.c = c.CDLL(str(library))
        self.c.f0r_construct.restype = c.c_void_p
        self.c.f0r_set_param_value.argtypes = [c.c_void_p, c.c_void_p, c.c_int]
        self.c.f0r_update.argtypes = [c.c_void_p, c.c_double, c.c_void_p, c.c_void_p]
        self.c.f0r_destruct.argtypes = [c.c_void_p]
        assert self.c.f0r_init()
        self._at = self.c.f0r_construct(size[1], size[0])

    def set(self, index: int, value: str | float) -> None:
        held = c.c_char_p(value.encode()) if isinstance(value, str) else c.c_double(value)
        self.c.f0r_set_param_value(self._at, c.byref(held), index)

    def shown(self, picture: Bytes, time: float) -> Bytes:
        out = np.zeros_like(picture)
        self.c.f0r_update(self._at, time, picture.ctypes.data, out.ctypes.data)
        return out

    def close(self) -> None:
        self.c.f0r_destruct(self._at)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("frei0r") / "nightfx.so"
    compile_plugin("frei0r", target)
    return target


@pytest.fixture
def picture() -> Bytes:
    rgb = np.rint(np.moveaxis(to_rgb(plate()), 0, -1).clip(0, 1) * 255)
    alpha = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH, 1) % 256
    return np.ascontiguousarray(np.concatenate([rgb, alpha], -1), np.uint8)


def stepped(path: Path, rate: Fraction = Fraction(24)) -> Path:
    """A bake whose frames are told apart by their light."""
    planes = [{"ground": light(6 * i).planes["ground"]} for i in range(COUNT)]
    lights = [light(planes=each, shapes=()) for each in planes]
    return save_bake(path, lights, Made(rate=rate, plate_frames=COUNT))


def wanted(path: Path, picture: Bytes, number: int) -> Bytes:
    rgb = np.moveaxis(picture[..., :3], -1, 0).astype(np.float32) / np.float32(255)
    change, _ = open_bake(path).change_at(number, plate(), 0)
    lit = np.rint(np.moveaxis(change.of_samples(rgb, 0, 0), 0, -1).clip(0, 1) * 255)
    return np.concatenate([lit.astype(np.uint8), picture[..., 3:]], -1)


def test_it_says_what_it_is(library: Path) -> None:
    info = Info()
    c.CDLL(str(library)).f0r_get_plugin_info(c.byref(info))
    assert (info.name, info.kind, info.model, info.params) == (b"nightfx", 0, 1, 9)


@pytest.mark.parametrize("unit", [1, 1000], ids=["seconds", "milliseconds"])
@pytest.mark.parametrize("rate", [Fraction(24), Fraction(30000, 1001)], ids=["24", "29.97"])
def test_each_frame_gets_its_light_by_either_clock(
    unit: int, rate: Fraction, library: Path, tmp_path: Path, picture: Bytes
) -> None:
    path, host = stepped(tmp_path / "a.nfx", rate), Filter(library)
    host.set(0, str(path))
    for index in range(COUNT):
        time = float(index / rate) * unit
        found = host.shown(picture, round(time) if unit == 1000 else time)
        away = np.abs(found.astype(int) - wanted(path, picture, 1001 + index))
        assert away.max() <= 1, index
        assert away.mean() < 0.02, index
    host.close()


def test_a_clock_and_a_first_frame_may_be_said(
    library: Path, tmp_path: Path, picture: Bytes
) -> None:
    path, host = stepped(tmp_path / "a.nfx"), Filter(library)
    for index, value in enumerate((str(path), "1004", "milliseconds")):
        host.set(index, value)
    found = host.shown(picture, 42)
    assert np.abs(found.astype(int) - wanted(path, picture, 1005)).max() <= 1
    host.close()


def test_what_is_not_its_plate_passes_through(
    library: Path, tmp_path: Path, picture: Bytes
) -> None:
    path = stepped(tmp_path / "a.nfx")
    host, other = Filter(library), Filter(library, (WIDTH, HEIGHT))
    assert np.array_equal(host.shown(picture, 0), picture)
    host.set(0, str(tmp_path / "none.nfx"))
    assert np.array_equal(host.shown(picture, 0), picture)
    for one in (host, other):
        one.set(0, str(path))
    turned = np.ascontiguousarray(picture.reshape(WIDTH, HEIGHT, 4))
    assert np.array_equal(other.shown(turned, 0), turned)
    assert np.array_equal(host.shown(picture, COUNT / 24), picture)  # after its last frame
    assert not np.array_equal(host.shown(picture, 0), picture)
    host.set(3, 0.0)
    assert np.array_equal(host.shown(picture, 0), picture)
    host.close()
    other.close()


def test_broken_bakes_break_no_host(library: Path, tmp_path: Path, picture: Bytes) -> None:
    data, host = stepped(tmp_path / "a.nfx").read_bytes(), Filter(library)
    for seed in range(1000):
        broken = mutant(data, seed)
        path = tmp_path / f"{seed}.nfx"
        path.write_bytes(broken if seed % 2 else signed(broken))
        host.set(0, str(path))
        assert (host.shown(picture, 0)[..., 3] == picture[..., 3]).all()
    host.close()


@pytest.mark.parametrize("program", ["ffmpeg", "melt"])
def test_programs_show_each_frame_by_its_light(program: str, library: Path, tmp_path: Path) -> None:
    """Each frame of the bake is a step brighter, so that no other frame's light comes as near."""
    if not has_filter(program, library):
        pytest.skip(f"needs_host: there is no {program} with frei0r here")
    path = stepped(tmp_path / "a.nfx")
    clip = make_clip(
        tmp_path / "a.mov", Clip("png", "rgb24", (HEIGHT, WIDTH), COUNT, tags=(1, 13, 0, 2))
    )
    out = tmp_path / "b.mov"
    subprocess.run(
        words(program, clip, path, out), env=env_of(library), check=True, capture_output=True
    )
    found, plates = (list(Reader(each).frames()) for each in (out, clip))
    assert len(found) == COUNT
    for index, (one, own) in enumerate(zip(found, plates, strict=True)):
        change, _ = open_bake(path).change_at(1001 + index, own, 0)
        lit = change.of_samples(to_rgb(own), 0, 0).clip(0, 1)
        error = np.square(to_rgb(one) - lit).mean()
        assert -10 * np.log10(error) > 44, index


def env_of(library: Path) -> dict[str, str]:
    return os.environ | {"FREI0R_PATH": str(library.parent), "SDL_AUDIODRIVER": "dummy"}


def has_filter(program: str, library: Path) -> bool:
    if shutil.which(program) is None:
        return False
    asked = ["-hide_banner", "-filters"] if program == "ffmpeg" else ["-query", "filters"]
    done = subprocess.run(
        [program, *asked], env=env_of(library), capture_output=True, text=True, check=False
    )
    return ("frei0r " if program == "ffmpeg" else "frei0r.nightfx") in done.stdout + done.stderr


def words(program: str, clip: Path, bake: Path, out: Path) -> list[str]:
    if program == "ffmpeg":
        chain = f"format=rgba,frei0r=nightfx:{bake},format=rgb24"
        return [*("ffmpeg", "-y", "-i", str(clip), "-vf", chain, "-c:v", "png"), str(out)]
    return [
        *("melt", str(clip), "-filter", "frei0r.nightfx", f"file={bake}"),
        *("-consumer", f"avformat:{out}", "vcodec=png", "pix_fmt=rgb24", "an=1", "real_time=0"),
    ]
