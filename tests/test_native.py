"""The C core: the same light as Python's on every pixel, whatever part is asked for, and no bake that breaks it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bakes import CELLS, HEIGHT, WIDTH, light, plate, save_bake
from mutants import mutant
from native import Core, Opened, compiled, needs_compiler
from signing import signed

from nightfx.apply import FieldChange
from nightfx.apply.finish import grained
from nightfx.baked import BakedLight, open_bake
from nightfx.errors import SourceError
from nightfx.hosts.compile import CORE, NATIVE, find_compiler
from nightfx.picture import Float32, to_rgb

pytestmark = needs_compiler
MUTANTS = 1000
CODE = 1 / 255


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Core:
    return compiled(tmp_path_factory.mktemp("core"))


def opened(core: Core, folder: Path, *lights: BakedLight) -> Opened:
    return core.open(save_bake(folder / "a.nfx", list(lights)))


def by_python(path: Path, number: int) -> Float32:
    """The plate under a frame's light, by the code that renders."""
    rgb = to_rgb(plate())
    change, finish = open_bake(path).change_at(number, plate(), 0)
    lit = change.of_samples(rgb, 0, 0)
    mixed = rgb + np.float32(finish.strength) * (lit - rgb)
    return np.maximum(mixed, np.minimum(rgb, 0))


def test_it_lights_as_python_does(core: Core, tmp_path: Path) -> None:
    bake = opened(core, tmp_path, *(light(i, strength=1 - i / 10) for i in range(8)))
    assert (bake.facts.width, bake.facts.height, bake.facts.first) == (WIDTH, HEIGHT, 1001)
    for number in (1006, 1001, 1003, 1008):
        found = bake.lit(to_rgb(plate()), number)
        away = np.abs(found - by_python(tmp_path / "a.nfx", number))
        assert away.mean() < 0.002 * CODE
        assert away.max() < 0.1 * CODE
    assert np.abs(found - to_rgb(plate())).mean() > 5 * CODE
    bake.close()


@pytest.mark.parametrize("kind", ["ground", "no sky", "no lamps"])
def test_frames_that_lack_something_are_lit_too(kind: str, core: Core, tmp_path: Path) -> None:
    one = light()
    names = {"ground": ("ground",), "no sky": ("ground", "veil"), "no lamps": tuple(one.planes)}
    shapes = () if kind == "no lamps" else one.shapes
    planes = {name: one.planes[name] for name in names[kind]}
    bake = opened(core, tmp_path, one._replace(planes=planes, shapes=shapes))
    found = bake.lit(to_rgb(plate()), 1001)
    assert np.abs(found - by_python(tmp_path / "a.nfx", 1001)).max() < 0.1 * CODE
    bake.close()


def test_any_part_is_lit_as_the_whole(core: Core, tmp_path: Path) -> None:
    bake, rgb = opened(core, tmp_path, light()), to_rgb(plate())
    whole = bake.lit(rgb, 1001)
    for left, top, right, bottom in ((0, 0, 1, 1), (5, 58, 40, 90), (100, 10, WIDTH, HEIGHT)):
        part = bake.lit(rgb, 1001, box=(left, top, right, bottom))
        np.testing.assert_array_equal(part, whole[:, top:bottom, left:right])
    bake.close()


def test_no_strength_is_the_plate_bit_for_bit(core: Core, tmp_path: Path) -> None:
    bake, rgb = opened(core, tmp_path, light()), to_rgb(plate())
    rgb[0, 3, :4] = -0.5, np.nan, np.inf, -0.0
    found = bake.lit(rgb, 1001, strength=0)
    assert np.ascontiguousarray(found).tobytes() == rgb.tobytes()
    half, whole = bake.lit(rgb, 1001, strength=0.5), bake.lit(rgb, 1001)
    bright = whole > 0.01  # not held at black
    np.testing.assert_allclose(half[bright], (rgb + whole)[bright] / 2, atol=1e-6)
    bake.close()


def test_grain_is_that_of_the_render(core: Core, tmp_path: Path) -> None:
    one = light(grain=0.05, grain_seed=1234567)
    bake, rgb = opened(core, tmp_path, one), to_rgb(plate())
    found = bake.lit(rgb, 1001)
    change, _ = open_bake(tmp_path / "a.nfx").change_at(1001, plate(), 0)
    wanted = grained(change.of_samples(rgb, 0, 0), 0.05, 1234567)
    assert np.abs(found - np.maximum(wanted, 0)).max() < 0.1 * CODE
    bake.close()


def test_a_group_turned_off_takes_its_share(core: Core, tmp_path: Path) -> None:
    """The made shares are a quarter of the ground's light for lamps, and half of the veil's for windows."""
    one = light()
    planes = {name: one.planes[name] for name in ("ground", "groups")}
    bake = opened(core, tmp_path, one._replace(planes=planes, shapes=()))
    rgb, whole = to_rgb(plate()), bake.lit(to_rgb(plate()), 1001)
    dark = bake.lit(rgb, 1001, groups=(0, 1, 1, 1, 1))
    np.testing.assert_allclose(dark, whole * 0.75 ** (1 / 2.2), atol=CODE)
    again = bake.lit(rgb, 1001, groups=(1, 0, 0, 1, 1))
    np.testing.assert_allclose(again, whole, atol=1e-6)  # surfaces have no light of windows
    bake.close()


def test_lamps_turned_off_do_not_shine(core: Core, tmp_path: Path) -> None:
    one = light()
    bake = opened(core, tmp_path, one._replace(planes={"ground": one.planes["ground"]}))
    rgb = to_rgb(plate())
    dark, field = bake.lit(rgb, 1001, groups=(0,) * 5), open_bake(tmp_path / "a.nfx")
    ground = field.at(1001)._replace(shapes=()).change(plate(), CELLS)
    assert isinstance(ground, FieldChange)
    np.testing.assert_allclose(dark, ground.of_picture(rgb), atol=1e-5)
    whole = bake.lit(rgb, 1001)
    assert (whole - dark).max() > 0.2
    bake.close()


@pytest.mark.parametrize("curve", [1, 2])
def test_light_becomes_codes_and_light_again(curve: int, core: Core) -> None:
    for light_ in (-0.5, 0.0, 0.001, 0.18, 1.0, 8.0):
        code = core.c.nfx_encoded(light_, curve)
        assert core.c.nfx_decoded(code, curve) == pytest.approx(light_, rel=1e-5, abs=1e-8)
    assert core.c.nfx_encoded(0.18, 1) == pytest.approx(0.4614, abs=1e-4)
    assert core.c.nfx_encoded(0.18, 2) == pytest.approx(0.18 ** (1 / 2.4), abs=1e-5)


def test_what_is_no_bake_is_said(core: Core, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"NFX" * 99)
    with pytest.raises(ValueError, match="is no bake"):
        core.open(tmp_path / "a")
    with pytest.raises(ValueError, match="cannot be read"):
        core.open(tmp_path / "none")
    bake = opened(core, tmp_path, light())
    for number in (1000, 1002):
        with pytest.raises(ValueError, match=str(number)):
            bake.lit(to_rgb(plate()), number)
    bake.close()


def test_it_compiles_without_a_warning(tmp_path: Path) -> None:
    compiler = find_compiler()
    assert compiler is not None
    flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fsyntax-only"]
    files = [str(path) for path in CORE]
    subprocess.run([compiler, *flags, *files], check=True)


def sanitised(folder: Path) -> Path | None:
    """The program of `fuzz.c` under the sanitisers; None where the compiler has none."""
    compiler, program = find_compiler(), folder / "fuzz"
    assert compiler is not None
    flags = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    files = [str(path) for path in CORE]
    source = str(Path(__file__).parent / "fuzz.c")
    words = [compiler, "-std=c11", *flags, f"-I{NATIVE}", source, *files, "-o", str(program), "-lm"]
    done = subprocess.run(words, capture_output=True, check=False)
    return program if done.returncode == 0 else None


def test_a_thousand_broken_bakes_break_nothing(tmp_path: Path) -> None:
    """In a program under the address and undefined-behaviour sanitisers; half of the mutants have right checksums."""
    program = sanitised(tmp_path)
    if program is None:
        pytest.skip("needs_compiler: this compiler has no sanitisers")
    data = save_bake(tmp_path / "a.nfx", [light(i) for i in range(6)]).read_bytes()
    for seed in range(MUTANTS):
        broken = mutant(data, seed)
        (tmp_path / f"{seed}.nfx").write_bytes(broken if seed % 2 else signed(broken))
    words = [str(program), str(tmp_path), str(MUTANTS)]
    env = os.environ | {"ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "print_stacktrace=1"}
    done = subprocess.run(words, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    opened_, lit = (int(word) for word in done.stdout.split())
    assert 0 < lit < opened_ < MUTANTS


def test_whoever_signs_it_a_broken_head_is_refused_by_both(core: Core, tmp_path: Path) -> None:
    """What Python refuses of head and index, but for the text for people, which the core does not read, the core refuses."""
    data = save_bake(tmp_path / "a.nfx", [light()]).read_bytes()
    text = int.from_bytes(data[116:120], "little")
    head = int.from_bytes(data[12:16], "little") - text
    for seed in range(300):
        dice = np.random.default_rng(seed)
        broken = bytearray(data)
        broken[int(dice.integers(head))] = int(dice.integers(256))
        (tmp_path / "b.nfx").write_bytes(signed(bytes(broken)))
        assert is_read(core.open, tmp_path / "b.nfx") == is_read(open_bake, tmp_path / "b.nfx"), (
            seed
        )


def is_read(open_it: Callable[[Path], object], path: Path) -> bool:
    try:
        open_it(path)
    except (ValueError, SourceError):
        return False
    return True
