"""Mattes as files: their names, sizes, times and numbers, what they show, and what is refused."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import OpenImageIO
import pytest
import torch
from conftest import FACTS
from media import Clip, make_clip
from PIL import Image
from test_sequence import save
from typer.testing import CliRunner, Result

import nightfx as nightfx_package
from nightfx.cli import app
from nightfx.errors import TargetError, UsageError
from nightfx.light.mattes import MattePlan, mattes_of_shot
from nightfx.light.steady import Steadying
from nightfx.mattes import mattes
from nightfx.mattes.fan import fan_out
from nightfx.mattes.mattes import write_mattes
from nightfx.network import Preset, RelitGenerator, SceneNetwork, load_preset, save_preset
from nightfx.options import Look, Method, RenderOptions
from nightfx.picture import Float32, Frame, rgb_coding
from nightfx.scene import KINDS
from nightfx.source.reader import Reader
from nightfx.target.join import join_segments

ROOF = 36


class BrightIsSky(SceneNetwork):
    """What is bright is sky, and all else is wall."""

    def __init__(self) -> None:
        super().__init__(len(KINDS), (8,))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        grey = x.mean(1)
        logits = torch.full((len(x), len(KINDS), *x.shape[2:]), -9.0)
        logits[:, KINDS.index("sky")] = 40 * (grey - 0.6)
        logits[:, KINDS.index("wall")] = 40 * (0.6 - grey)
        return logits


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> SceneNetwork:
    known = BrightIsSky().eval()
    monkeypatch.setattr(mattes, "load_scene_network", lambda: known)
    return known


def street(index: int = 0, *, height: int = 96, width: int = 128) -> Float32:
    """A pale sky over dark houses that rise by 2 px a frame, (H, W, 3)."""
    rgb = np.full((height, width, 3), (0.75, 0.8, 0.9), np.float32)
    rgb[ROOF - 2 * index :] = 0.2
    return rgb


def pixels(rgb: Float32) -> np.ndarray:
    return np.rint(rgb * 255).astype(np.uint8)


def nightfx(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def grey(path: Path) -> np.ndarray:
    codes = np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
    assert codes.dtype == np.uint16
    assert codes.ndim == 2
    return codes


def test_a_picture_has_a_grey_png_of_each_kind(tmp_path: Path) -> None:
    Image.fromarray(pixels(street())).save(tmp_path / "a.png")
    result = nightfx("mattes", tmp_path / "a.png", "-o", tmp_path / "m", "--kinds", "sky,wall")
    assert result.exit_code == 0, result.output
    sky, wall = (tmp_path / f"m/a.{kind}.png" for kind in ("sky", "wall"))
    assert result.stdout.split() == [str(sky), str(wall)]
    assert (grey(sky)[: ROOF - 1] == 65535).all()
    assert (grey(sky)[ROOF + 1 :] == 0).all()
    assert grey(wall)[ROOF + 8 :].min() > 60000
    assert grey(wall)[: ROOF - 8].max() < 6000


def test_a_clip_has_a_grey_clip_of_its_size_and_times(tmp_path: Path) -> None:
    plate = make_clip(tmp_path / "a.mp4", Clip(count=4))
    (target,) = write_mattes(plate, tmp_path / "m")
    assert target == tmp_path / "m/a.sky.mkv"
    with Reader(plate) as one, Reader(target) as other:
        assert (other.info.width, other.info.height) == (one.info.width, one.info.height)
        assert other.info.coding.pix_fmt == "gray16le"
        assert other.info.coding.full_range
        frames, made = list(one.frames()), list(other.frames())
    seconds = ([frame.pts * frame.time_base for frame in x] for x in (frames, made))
    for a, b in zip(*seconds, strict=True):
        assert abs(a - b) < Fraction(1, 500)  # mkv counts in milliseconds


def test_kinds_of_a_clip_are_written_at_once_or_as_files(tmp_path: Path) -> None:
    plate = make_clip(tmp_path / "a.mp4", Clip(count=3))
    clips = write_mattes(plate, tmp_path / "m", kinds=("sky", "wall"))
    assert [path.name for path in clips] == ["a.sky.mkv", "a.wall.mkv"]
    write_mattes(plate, tmp_path / "f", kinds=("sky", "wall"), files=True)
    numbers = (1001, 1002, 1003)
    wanted = {f"a.{kind}.{number}.png" for kind in ("sky", "wall") for number in numbers}
    assert {path.name for path in (tmp_path / "f").iterdir()} == wanted
    with Reader(clips[0]) as reader:
        (first, *_) = reader.frames()
    np.testing.assert_array_equal(first.planes[0], grey(tmp_path / "f/a.sky.1001.png"))


def test_files_of_a_sequence_keep_their_numbers(tmp_path: Path) -> None:
    for number in (7, 8):
        save(tmp_path / f"p.{number:04d}.exr", np.square(street(number - 7)))
    result = nightfx("mattes", tmp_path / "p.####.exr", "-o", tmp_path / "m")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == [
        "p.sky.0007.png",
        "p.sky.0008.png",
    ]
    edges = [(grey(tmp_path / f"m/p.sky.{n:04d}.png")[:, 60] > 32767).sum() for n in (7, 8)]
    assert edges == [ROOF, ROOF - 2]


def test_what_stands_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    Image.fromarray(pixels(street())).save(tmp_path / "a.png")
    write_mattes(tmp_path / "a.png", tmp_path)
    with pytest.raises(TargetError, match=r"a\.sky\.png: exists already"):
        write_mattes(tmp_path / "a.png", tmp_path)
    again = nightfx("mattes", tmp_path / "a.png", "-o", tmp_path, "--overwrite")
    assert again.exit_code == 0


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (["--kinds", "sky,moon"], 2, "--kinds knows no moon: sky, ground, wall"),
        (["--kinds", ""], 2, "--kinds knows no empty name"),
        (["--start", "9"], 2, "--start 9 leaves no frame: it has frames 1001 to 1002"),
        (["--max-pixels", "20"], 1, "--max-pixels"),
    ],
)
def test_what_cannot_be_is_one_line(words: list[str], code: int, line: str, tmp_path: Path) -> None:
    plate = make_clip(tmp_path / "a.mp4", Clip(count=2))
    result = nightfx("mattes", plate, "-o", tmp_path / "m", *words)
    assert result.exit_code == code, result.output
    assert line in result.stderr
    assert result.stderr.count("error:") == 1
    assert not list((tmp_path / "m").glob("*")) if (tmp_path / "m").exists() else True


def test_mattes_are_steadied_and_begin_anew_at_a_cut(network: SceneNetwork) -> None:
    still = [street()] * 3
    dark = [np.full_like(street(), 0.2)]
    flicker = MattePlan(network, ("sky",), 64, Steadying(0.8))
    mattes_there = [mattes[0] for _, mattes in mattes_of_shot(framed([*still, *dark]), flicker)]
    for matte in mattes_there[:3]:
        np.testing.assert_allclose(matte, mattes_there[0], atol=1e-4)
    assert mattes_there[3].max() == 0


def framed(shots: list[Float32]) -> Iterator[Frame]:
    for pts, rgb in enumerate(shots):
        planes = tuple(np.ascontiguousarray(c) for c in np.moveaxis(pixels(rgb), -1, 0))
        yield Frame(planes, rgb_coding(8, alpha=False), pts, Fraction(1, 24))


# a matte that was stopped


class Stopped(Exception):
    """What ends a process in the midst of its work."""


def stopping_at(frame: int) -> Any:
    def stop(done: int, total: int | None) -> None:
        if done == frame:
            raise Stopped

    return stop


@pytest.fixture
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, count in (("LEAST", 8), ("MOST", 12)):
        monkeypatch.setattr(f"nightfx.light.borders.{name}_FRAMES", count)
        monkeypatch.setattr(f"nightfx.light.borders.{name}_FILES", count)


@pytest.fixture
def shown(network: SceneNetwork, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One more for each frame that the network is shown."""
    found, see = list[int](), network.forward

    def counted(x: torch.Tensor) -> torch.Tensor:
        found.append(1)
        return see(x)

    monkeypatch.setattr(network, "forward", counted)
    return found


def pictures_in(clip: Path) -> str:
    """Times and hashes of all pictures, by FFmpeg."""
    words = ["ffmpeg", "-v", "error", "-i", str(clip), "-f", "framemd5", "-"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def test_mattes_of_a_clip_go_on_where_they_were_stopped(
    short_segments: None, shown: list[int], tmp_path: Path
) -> None:
    plate = make_clip(tmp_path / "a.mp4", Clip(count=40))
    kinds = ("sky", "wall")
    whole = write_mattes(plate, tmp_path / "whole", kinds=kinds)
    shown.clear()
    with pytest.raises(Stopped):
        write_mattes(plate, tmp_path / "m", kinds=kinds, on_progress=stopping_at(30))
    assert not [path for path in (tmp_path / "m").iterdir() if path.suffix == ".mkv"]
    assert len(shown) >= 30
    shown.clear()
    made = write_mattes(plate, tmp_path / "m", kinds=kinds)
    assert len(shown) <= 24  # 16 frames from the second border on, and the warm-up before it
    for one, other in zip(whole, made, strict=True):
        assert pictures_in(one) == pictures_in(other)
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == ["a.sky.mkv", "a.wall.mkv"]


def test_files_of_a_matte_that_was_stopped_are_kept(short_segments: None, tmp_path: Path) -> None:
    plate = make_clip(tmp_path / "a.mp4", Clip(count=20))
    write_mattes(plate, tmp_path / "whole", files=True)
    with pytest.raises(Stopped):
        write_mattes(plate, tmp_path / "m", files=True, on_progress=stopping_at(10))
    kept = {path: path.stat().st_mtime_ns for path in sorted((tmp_path / "m").glob("a.*.png"))}
    assert len(kept) >= 9
    write_mattes(plate, tmp_path / "m", files=True)
    *earlier, _ = kept  # the last one is written again
    assert [path.stat().st_mtime_ns for path in earlier] == [kept[path] for path in earlier]
    names = sorted(path.name for path in (tmp_path / "whole").iterdir())
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == names
    for name in names:
        assert (tmp_path / "m" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_matte_that_is_complete_is_kept_where_another_was_stopped(
    shown: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plate = make_clip(tmp_path / "a.mp4", Clip(count=4))
    with monkeypatch.context() as patched:
        patched.setattr("nightfx.mattes.shot.join_segments", first_alone())
        with pytest.raises(Stopped):
            write_mattes(plate, tmp_path / "m", kinds=("sky", "wall"))
    sky = tmp_path / "m/a.sky.mkv"
    kept = sky.stat().st_mtime_ns
    shown.clear()
    write_mattes(plate, tmp_path / "m", kinds=("sky", "wall"))
    assert sky.stat().st_mtime_ns == kept
    assert shown == []
    with pytest.raises(TargetError, match="exists already"):
        write_mattes(plate, tmp_path / "m", kinds=("wall", "sky"))


def first_alone() -> Any:
    """What joins one matte, and is stopped at the next."""
    joined = list[Path]()

    def join(pieces: Any, target: Path, **given: Any) -> None:
        if joined:
            raise Stopped
        joined.append(target)
        join_segments(pieces, target, **given)

    return join


def test_a_matte_that_was_stopped_is_not_mixed_with_another(
    short_segments: None, shown: list[int], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plate = make_clip(tmp_path / "a.mp4", Clip(count=20))
    with pytest.raises(Stopped):
        write_mattes(plate, tmp_path / "m", on_progress=stopping_at(18))
    assert "60 % is done and kept" in caplog.text
    shown.clear()
    other = RenderOptions.of(steady=0.5)
    (made,) = write_mattes(plate, tmp_path / "m", options=other)
    assert "starting anew: --steady was not given, is 0.5" in caplog.text
    assert len(shown) == 20
    (whole,) = write_mattes(plate, tmp_path / "whole", options=other)
    assert pictures_in(made) == pictures_in(whole)


def test_somebody_elses_file_is_not_taken_for_a_matte_that_was_stopped(
    short_segments: None, tmp_path: Path
) -> None:
    plate = make_clip(tmp_path / "a.mp4", Clip(count=20))
    with pytest.raises(Stopped):
        write_mattes(plate, tmp_path / "m", on_progress=stopping_at(18))
    (tmp_path / "m/a.sky.mkv").write_bytes(b"by hand")
    with pytest.raises(TargetError, match=r"a\.sky\.mkv: exists already; --overwrite"):
        write_mattes(plate, tmp_path / "m")
    assert (tmp_path / "m/a.sky.mkv").read_bytes() == b"by hand"


# a user's own matte of the sky


@pytest.fixture
def dusk(tmp_path: Path) -> Preset:
    """A preset whose generator changes nothing, and whose look has a night sky."""
    about: dict[str, Any] = {"name": "dusk", "method": "relight", **FACTS}
    about["look"] = Look(sky=1.0)
    save_preset(tmp_path / "dusk", RelitGenerator().eval(), "", **about)
    return load_preset(tmp_path / "dusk")


@pytest.mark.parametrize("method", ["relight", "tiles"])
def test_a_users_own_matte_says_where_the_sky_is(
    method: Method, dusk: Preset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightfx.light.lighting.load_scene_network", None)  # none is needed
    plate = np.full((96, 128, 3), 0.8, np.float32)
    Image.fromarray(pixels(plate)).save(tmp_path / "a.png")
    inside = np.zeros((48, 64), np.uint8)
    inside[:20, :40] = 255
    Image.fromarray(inside).save(tmp_path / "sky.png")
    options = RenderOptions.of(sky_matte=tmp_path / "sky.png", method=method)
    target = nightfx_package.render(tmp_path / "a.png", preset=dusk, options=options)
    made = np.asarray(Image.open(target)).astype(int)
    assert made[:36, :76].max() < 80
    np.testing.assert_array_equal(made[44:], pixels(plate)[44:])
    np.testing.assert_array_equal(made[:, 84:], pixels(plate)[:, 84:])


def test_a_matte_that_was_found_can_be_given_back(
    dusk: Preset, tmp_path: Path, network: SceneNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightfx.light.lighting.load_scene_network", lambda: network)
    Image.fromarray(pixels(street())).save(tmp_path / "a.png")
    (matte,) = write_mattes(tmp_path / "a.png", tmp_path)
    own = RenderOptions.of(sky_matte=matte)
    found, given = (
        np.asarray(
            Image.open(
                nightfx_package.render(
                    tmp_path / "a.png", tmp_path / f"{name}.png", preset=dusk, options=options
                )
            )
        ).astype(int)
        for name, options in (("found", RenderOptions()), ("given", own))
    )
    assert found[:30].max() < 100
    assert np.abs(found - given).max() <= 2


def test_a_matte_of_the_sky_is_refused_where_skies_are_left_alone(
    identity: Preset, tmp_path: Path
) -> None:
    Image.fromarray(pixels(street())).save(tmp_path / "a.png")
    options = RenderOptions.of(sky_matte=tmp_path / "sky.png")
    with pytest.raises(UsageError, match=r"--sky-matte: .* leaves skies alone: give --sky 1"):
        nightfx_package.render(tmp_path / "a.png", preset=identity, options=options)


@pytest.mark.parametrize("method", ["exr", "png"])
def test_passes_have_the_matte_of_the_sky(
    method: str, dusk: Preset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if method == "png":
        monkeypatch.setattr("nightfx.job.passes.has_openimageio", lambda: False)
    monkeypatch.setattr("nightfx.light.lighting.load_scene_network", None)
    Image.fromarray(pixels(street())).save(tmp_path / "a.png")
    share = np.linspace(0, 255, 128).astype(np.uint8)
    Image.fromarray(np.tile(share, (96, 1))).save(tmp_path / "sky.png")
    options = RenderOptions.of(sky_matte=tmp_path / "sky.png", passes=tmp_path / "p")
    nightfx_package.render(tmp_path / "a.png", tmp_path / "b.png", preset=dusk, options=options)
    if method == "png":
        found = grey(tmp_path / "p/b.sky.1001.png") / 65535
    else:
        image = OpenImageIO.ImageBuf(str(tmp_path / "p/b.sky.1001.exr"))
        assert image.spec().channelnames == ("matte.sky",)
        found = np.asarray(image.get_pixels())[..., 0]
    np.testing.assert_allclose(found, np.tile(share / 255, (96, 1)), atol=2e-4)


def test_takers_share_what_comes_and_one_that_fails_ends_all() -> None:
    got: dict[str, list[int]] = {}

    def keep(name: str) -> Any:
        return lambda items: got.update({name: list(items)})

    fan_out(((i, 10 * i) for i in range(50)), [keep("a"), keep("b")])
    assert got == {"a": list(range(50)), "b": [10 * i for i in range(50)]}

    def fail(items: Iterator[int]) -> None:
        next(items)
        raise UsageError("full")

    with pytest.raises(UsageError, match="full"):
        fan_out(((i, i) for i in range(50)), [keep("a"), fail])

    def broken() -> Iterator[tuple[int, int]]:
        yield 1, 1
        raise UsageError("torn")

    got.clear()
    with pytest.raises(UsageError, match="torn"):
        fan_out(broken(), [keep("a"), keep("b")])
    assert got == {}
