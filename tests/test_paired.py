"""A look from pairs: frames matched, shifts mended or refused, and a known grade learnt on frames that were not shown."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from nightfx.cli import app
from nightfx.errors import TrainingError, UsageError
from nightfx.metrics import psnr
from nightfx.network import load_preset
from nightfx.network.graded import GradedGenerator
from nightfx.options import PairedOptions, PictureOptions
from nightfx.training.paired.align import aligned, find_shift
from nightfx.training.paired.grade import fit_grade
from nightfx.training.paired.match import MOST, find_pairs
from nightfx.training.paired.run import train_pairs

HEIGHT, WIDTH = 256, 448


def shot(count: int, size: tuple[int, int] = (HEIGHT, WIDTH)) -> list[np.ndarray]:
    """Frames of a street of noise that a camera pans along, with a bright thing that moves: (H, W, 3) uint8."""
    height, width = size
    rng = np.random.default_rng(3)
    coarse = rng.uniform(0.05, 0.95, (9, 40, 3)).astype(np.float32)
    fine = rng.normal(0, 0.06, (height, width * 2, 3)).astype(np.float32)
    street = cv2.resize(coarse, (width * 2, height), interpolation=cv2.INTER_CUBIC) + fine
    frames = []
    for index in range(count):
        frame = street[:, 4 * index : 4 * index + width].copy()
        cv2.circle(frame, (40 + 12 * index, height // 2), height // 10, (0.9, 0.6, 0.2), -1)
        frames.append(np.rint(frame.clip(0, 1) * 255).astype(np.uint8))
    return frames


def grade(frame: np.ndarray) -> np.ndarray:
    """A known look: darker, cooler, half the colour, a bent curve, and a window that lets one side stay brighter."""
    x = frame.astype(np.float32) / 255
    height, width = x.shape[:2]
    luma = x @ np.array([0.299, 0.587, 0.114], np.float32)
    x = 0.5 * x + 0.5 * luma[..., None]
    x = (0.75 * x + 0.25 * x**2) * np.array([0.5, 0.6, 0.8], np.float32)
    across, down = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    window = 0.45 + 0.55 * np.exp(-((across - 0.3) ** 2 + down**2) / 0.7)
    codes: np.ndarray = np.rint((x * window[..., None] + 0.02).clip(0, 1) * 255).astype(np.uint8)
    return codes


def save(folder: Path, frames: dict[str, np.ndarray]) -> Path:
    folder.mkdir(parents=True)
    for name, frame in frames.items():
        Image.fromarray(frame).save(folder / f"{name}.png")
    return folder


def write_clip(path: Path, frames: list[np.ndarray]) -> Path:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", 25)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv444p"
        for frame in frames:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        out.mux(stream.encode())
    return path


def tensor(frame: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(frame).permute(2, 0, 1).float() / 255


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    return shot(24)


def test_a_known_grade_is_learnt_to_40_db_on_other_frames_from_ten_pairs(
    tmp_path: Path, frames: list[np.ndarray]
) -> None:
    shown = {f"{index:04d}": frames[index] for index in range(0, 20, 2)}
    before = save(tmp_path / "before", shown)
    after = save(tmp_path / "after", {name: grade(x) for name, x in shown.items()})
    report = train_pairs(before, after, tmp_path / "run", PairedOptions(steps=2), device="cpu")
    assert report.decibels >= 40
    assert report.words.startswith("usable: ")
    network = load_preset(report.preset).generator
    for index in (3, 11, 21):
        with torch.inference_mode():
            made = network(tensor(frames[index])[None]).clamp(0, 1)[0]
        assert psnr(made, tensor(grade(frames[index]))) >= 40
    assert (tmp_path / "run/sample.png").is_file()


def test_a_grade_is_one_of_places_and_a_gain_leads_to_the_same_picture() -> None:
    G = GradedGenerator()
    x = torch.rand(1, 3, 64, 96)
    assert torch.equal(G(x), x)  # the identity
    with torch.no_grad():
        G.grade.add_(0.1 * torch.randn(G.grade.shape))
        light = G.light(x)
        assert torch.allclose(x * light.gain + light.offset, G(x), atol=1e-5)
        down, across = torch.meshgrid(
            torch.linspace(-1, 1, 64), torch.linspace(-1, 1, 96), indexing="ij"
        )
        at = torch.stack([across, down], dim=2)[None]
        assert torch.allclose(G(x, at), G(x), atol=1e-5)


def test_a_grade_that_varies_in_a_line_is_found() -> None:
    torch.manual_seed(0)
    before = torch.rand(3, 128, 192)
    ramp = torch.linspace(0.4, 0.9, 192)
    (G := GradedGenerator()).grade.data = fit_grade([(before, before * ramp)])
    with torch.no_grad():
        assert psnr(G(before[None])[0], before * ramp) > 50


def test_small_shifts_are_mended(frames: list[np.ndarray]) -> None:
    wide = frames[0]
    before, moved = wide[10:210, 10:410], grade(wide)[8:208, 7:407]
    across, down, _ = find_shift(before, moved)
    assert (round(across), round(down)) == (3, 2)
    one, other = aligned(before, moved, "a")
    assert one.shape == other.shape == before.shape
    assert np.array_equal(other[5:-5, 5:-5], grade(wide)[10:210, 10:410][5:-5, 5:-5])
    same = aligned(before, grade(wide)[10:210, 10:410], "a")
    assert same[0] is before


def test_larger_shifts_and_other_pictures_are_refused_by_name(frames: list[np.ndarray]) -> None:
    wide = frames[0]
    before, far = wide[40:240, 40:440], grade(wide)[40:240, 20:420]
    with pytest.raises(TrainingError, match=r"b\.png: after lies \+20 px across and \+0 px down"):
        aligned(before, far, "b.png")
    noise = np.random.default_rng(1).integers(0, 256, before.shape, np.uint8)
    with pytest.raises(TrainingError, match=r"b\.png: before and after do not show the same"):
        aligned(before, noise, "b.png")


def test_folders_are_matched_by_name_else_by_number(tmp_path: Path) -> None:
    pictures = shot(5, (100, 140))
    one = save(tmp_path / "a", {f"x.{1001 + i}": x for i, x in enumerate(pictures)})
    named = save(tmp_path / "b", {f"x.{1002 + i}": grade(x) for i, x in enumerate(pictures[1:])})
    numbered = save(tmp_path / "c", {f"y_{1001 + i}": grade(x) for i, x in enumerate(pictures)})
    pairs = find_pairs(one, named)
    assert [Path(pair.name).stem for pair in pairs] == [f"x.{1002 + i}" for i in range(4)]
    for other in (named, numbered):
        for pair in find_pairs(one, other):
            assert np.array_equal(grade(pair.before), pair.after)
    few = save(tmp_path / "d", {"x.1001": pictures[0], "z": pictures[1]})
    with pytest.raises(TrainingError, match="1 frames of 5 and 2 belong together"):
        find_pairs(one, few)


def test_a_pair_of_two_sizes_is_refused(tmp_path: Path) -> None:
    pictures = {str(i): x for i, x in enumerate(shot(3, (100, 140)))}
    one = save(tmp_path / "a", pictures)
    other = save(tmp_path / "b", {**pictures, "1": pictures["1"][:90]})
    with pytest.raises(TrainingError, match=r"1\.png: 140×90, and .*1\.png is 140×100"):
        find_pairs(one, other)


def test_of_many_pairs_fifty_are_taken_evenly(tmp_path: Path) -> None:
    frame = shot(1, (64, 96))[0]
    many = {f"{i:03d}": frame for i in range(120)}
    pairs = find_pairs(save(tmp_path / "a", many), save(tmp_path / "b", many))
    assert len(pairs) == MOST
    assert Path(pairs[-1].name).stem == "117"


def test_a_killed_run_goes_on_to_the_same_weights(tmp_path: Path, frames: list[np.ndarray]) -> None:
    shown = {str(index): x[:128, :160] for index, x in enumerate(frames[:4])}
    before = save(tmp_path / "before", shown)
    after = save(tmp_path / "after", {name: grade(x) for name, x in shown.items()})
    options = PairedOptions(steps=4)

    def kill(step: int, total: int, told: dict[str, float]) -> None:
        if step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_pairs(before, after, tmp_path / "a", options, device="cpu", on_progress=kill)
    for name in ("a", "b"):
        train_pairs(before, after, tmp_path / name, options, device="cpu")
    states = [
        torch.load(tmp_path / name / "run/paired.pt", weights_only=True) for name in ("a", "b")
    ]
    assert states[0]["at"] == states[1]["at"]
    assert all(torch.equal(states[0]["G"][key], x) for key, x in states[1]["G"].items())
    with pytest.raises(TrainingError, match="belongs to a run with other pairs or seed"):
        train_pairs(before, after, tmp_path / "a", replace(options, seed=1), device="cpu")


def test_a_clip_before_and_after_by_the_command_renders_by_its_look(
    tmp_path: Path, frames: list[np.ndarray]
) -> None:
    small = [x[:128, :192] for x in frames[:6]]
    before, after = (
        write_clip(tmp_path / f"{name}.mkv", pictures)
        for name, pictures in (("before", small), ("after", [grade(x) for x in small]))
    )
    words = ["train", "--before", before, "--after", after, "--out", tmp_path / "run"]
    words += ["--steps", 1, "--device", "cpu"]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    verdict, preset = result.stdout.strip().splitlines()
    assert "dB from" in verdict
    words = ["render", before, "--to", preset, "-o", tmp_path / "out.mkv", "--device", "cpu"]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    result = CliRunner().invoke(app, [*map(str, words), "--method", "tiles", "--overwrite"])
    assert "its grade is one of places in the whole frame" in result.stderr


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"before": Path("a")}, "--before and --after belong together"),
        ({"before": Path("a"), "after": Path("b"), "day": Path("c")}, "--day is not for a run by"),
    ],
)
def test_sides_that_contradict_each_other_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        PictureOptions(**given)
