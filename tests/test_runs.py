"""Runs as a user starts them: killed, resumed, shared out over processes, and refused."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from test_cli import nightfx
from test_training import QUICK, paint

from nightfx.errors import TrainingError, install_words
from nightfx.network.presets import load_preset
from nightfx.training.run import trainer
from nightfx.training.run.state import open_run
from nightfx.training.run.trainer import train

pytestmark = pytest.mark.usefixtures("small_reports")

# `nightfx`, with the `small_reports` of conftest.py
SMALL = """
from nightfx.cli import main
from nightfx.training.run import progress as report
from nightfx.training.run import trainer
report.VALIDATION_PX, trainer.CURVE_CROPS = 96, 8
main()
"""
NETWORKS = ("G_AB", "G_BA", "D_A", "D_B", "ema_AB", "ema_BA")
WORDS = ("--recipe", "quick", "--device", "cpu", "--crop-px", 96, "--set", "scale=1,1.2")


@pytest.fixture
def stills(tmp_path: Path) -> tuple[Path, Path]:
    return paint(tmp_path / "day", 4, 170), paint(tmp_path / "night", 4, 60)


@dataclass(frozen=True)
class Finished:
    """A run that ended: nothing may write into it."""

    day: Path
    night: Path
    out: Path

    def copy(self, to: Path) -> Path:
        return Path(shutil.copytree(self.out, to))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("finished")
    day, night = paint(folder / "day", 4, 170), paint(folder / "night", 4, 60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nightfx.training.run.progress.VALIDATION_PX", 96)
        patch.setattr("nightfx.training.run.guide.DRAWS", 8)
        return Finished(day, night, train(day, night, folder / "run", QUICK, device="cpu"))


def command(stills: tuple[Path, Path], out: Path, *words: object) -> list[str]:
    given = ["--day", stills[0], "--night", stills[1], "--out", out, *WORDS, *words]
    script = out.parent / "small.py"
    script.write_text(SMALL)
    return [str(script), "train", *map(str, given)]


def one_thread() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def run_command(*args: object, **options: Any) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, *map(str, args)]
    return subprocess.run(words, capture_output=True, text=True, env=one_thread(), **options)


def checkpoint_of(out: Path) -> dict[str, Any]:
    return dict(torch.load(out / "run/checkpoint.pt", weights_only=True))


def kill_when(out: Path, name: str, words: list[str]) -> None:
    """Start a run and kill it, without warning, a random moment after `name` is in its folder."""
    process = subprocess.Popen(
        [sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=one_thread()
    )  # fmt: skip
    while not (out / name).exists() and process.poll() is None:
        time.sleep(0.01)
    time.sleep(random.uniform(0, 0.5))
    process.kill()
    assert process.wait() in (-signal.SIGKILL, 0)


def test_a_run_killed_and_resumed_gives_the_weights_of_an_unbroken_one(
    tmp_path: Path, stills: tuple[Path, Path]
) -> None:
    settings = ("--steps", 8, "--every", 2, "--batch", 1, "--warm-start-steps", 2, "--set", "pool_size=2")  # fmt: skip
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert run_command(*command(stills, whole, *settings)).returncode == 0
    kill_when(broken, "run/checkpoint.pt", command(stills, broken, *settings))
    kill_when(broken, "samples_000004.png", command(stills, broken, *settings, "--resume"))
    assert run_command(*command(stills, broken, *settings)).returncode == 0
    one, other = checkpoint_of(whole), checkpoint_of(broken)
    for network in NETWORKS:
        for name, tensor in one[network].items():
            assert torch.equal(tensor, other[network][name]), f"{network}.{name}"
    assert one["curves"] == other["curves"]
    assert load_preset(broken / "night").generator is not None


def test_two_processes_give_what_one_gives(tmp_path: Path, stills: tuple[Path, Path]) -> None:
    settings = ("--steps", 8, "--every", 8, "--batch", 2, "--warm-start-steps", 0)
    exact = ["--set", "precision=float32", "--set", "pool_size=3"]  # the pool is shared as well
    # at half the usual rate: Adam divides the smallest gradients by their own size, rounding and all
    exact += ["--set", "learning_rate=1e-4"]
    one, two = tmp_path / "one", tmp_path / "two"
    words = [sys.executable, *command(stills, one, *settings, *exact)]
    alone = subprocess.Popen(words, stdout=subprocess.DEVNULL, env=one_thread())
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", 2)
    answer = run_command(*torchrun, *command(stills, two, *settings, *exact))
    assert (alone.wait(), answer.returncode) == (0, 0), answer.stderr
    assert answer.stdout.splitlines() == [str(two / "night"), str(two / "day")]  # said once
    ones, twos = checkpoint_of(one), checkpoint_of(two)
    for name, points in ones["curves"].items():
        assert twos["curves"][name] == [(8, pytest.approx(points[0][1], rel=1e-4))], name
    for network in NETWORKS:
        weights, others = (
            torch.cat([x.flatten() for x in state[network].values()]) for state in (ones, twos)
        )
        assert (weights - others).norm() < 1e-4 * weights.norm(), network


def test_a_run_leaves_presets_samples_and_curves(finished: Finished) -> None:
    for name in ("night", "day"):
        preset = load_preset(finished.out / name)
        assert preset.facts.heights_px == (96, 144)
        assert preset.generator.architecture == "relit"
    with (
        Image.open(finished.out / "losses.png") as curves,
        Image.open(finished.out / "samples_000004.png") as samples,
    ):
        assert curves.width > 500
        assert samples.height == 4 * 96


def test_presets_record_where_they_came_from(finished: Finished) -> None:
    training = load_preset(finished.out / "night").facts.training
    assert training is not None
    assert (training["recipe"], training["seed"]) == ("relit", 0)
    assert len(training["data_sha256"]) == 64
    assert {"nightfx", "torch", "python"} <= set(training)


def test_the_board_gets_scalars_and_samples(finished: Finished) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = accumulator.EventAccumulator(str(finished.out / "run/tensorboard")).Reload()
    assert [point.step for point in events.Scalars("G_AB")] == [2, 4]
    assert [point.step for point in events.Images("samples")] == [2, 4]


def test_a_run_does_not_go_on_with_other_options(finished: Finished) -> None:
    before = (finished.out / "run/checkpoint.pt").read_bytes()
    with pytest.raises(TrainingError, match=r"other options .seed was 0, is 5.; use another --out"):
        train(finished.day, finished.night, finished.out, replace(QUICK, seed=5), device="cpu")
    assert (finished.out / "run/checkpoint.pt").read_bytes() == before


def test_a_run_does_not_go_on_with_other_pictures(
    finished: Finished, stills: tuple[Path, Path]
) -> None:
    paint(stills[0], 4, 150)
    with pytest.raises(TrainingError, match=r"a run with other pictures .*bring them back"):
        train(*stills, finished.out, QUICK, device="cpu")


def test_a_disk_that_is_full_is_said_and_the_checkpoint_before_stays(
    tmp_path: Path, finished: Finished
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    out = finished.copy(tmp_path / "run")
    before = (out / "run/checkpoint.pt").read_bytes()
    (out / "run/.checkpoint.pt.part").symlink_to("/dev/full")
    with pytest.raises(TrainingError, match=r"cannot be written \(.*No space left.* MiB are free"):
        train(finished.day, finished.night, out, replace(QUICK, steps=5), device="cpu")
    assert (out / "run/checkpoint.pt").read_bytes() == before


def test_resume_demands_a_run(tmp_path: Path, stills: tuple[Path, Path]) -> None:
    with pytest.raises(TrainingError, match="no run to resume here; without --resume"):
        train(*stills, tmp_path / "run", QUICK, resume=True)
    assert not (tmp_path / "run").exists()


def test_a_folder_that_holds_something_else_is_left_alone(stills: tuple[Path, Path]) -> None:
    with pytest.raises(TrainingError, match="night: is here already and of no run"):
        train(*stills, stills[0].parent, QUICK)  # day/ and night/ are the stills themselves
    assert sorted(path.name for path in stills[1].iterdir()) == ["0.png", "1.png", "2.png", "3.png"]


def test_a_run_that_dies_is_stopped_and_leaves_its_curves(
    tmp_path: Path, stills: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "RECORD_EVERY", 1)
    crush = torch.nn.Parameter(torch.tensor([0.0, 0, 0, -50, -50, -50]))

    def start_dead(*args: Any, **options: Any) -> Any:
        run = open_run(*args, **options)
        run.G_AB.out.bias = crush
        return run

    monkeypatch.setattr(trainer, "open_run", start_dead)
    options = replace(QUICK, steps=20, every=20, warm_start_steps=0)
    with pytest.raises(TrainingError, match="step 5: the night generator is dead"):
        train(*stills, tmp_path / "run", options, device="cpu")
    assert (tmp_path / "run/losses.png").stat().st_size > 1000
    assert not (tmp_path / "run/night").exists()


def test_extras_train_and_say_what_they_cost(tmp_path: Path, stills: tuple[Path, Path]) -> None:
    extras = {"identity_weight": 2.0, "r1_weight": 1.0, "clip_norm": 0.5, "spectral_norm": False}
    options = replace(QUICK, warm_start_steps=0, steps=2, **extras)  # type: ignore[arg-type]  # by name
    seen: list[dict[str, float]] = []
    train(
        *(*stills, tmp_path / "run", options),
        device="cpu",
        on_progress=lambda step, total, losses: seen.append(losses),
    )
    assert {"identity", "slope", "G_AB", "G_BA", "D_A", "D_B"} <= set(seen[-1])
    assert all(value >= 0 for value in seen[-1].values())


def test_a_run_goes_on_without_tensorboard(
    tmp_path: Path,
    stills: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    out = train(*stills, tmp_path / "run", replace(QUICK, steps=1), device="cpu")
    assert install_words("train") in caplog.text
    assert (out / "night/preset.toml").exists()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--set", "learning_rate=nan"), 2, "learning_rate must be a number from 0 up, got nan"),
        (("--steps", 5, "--set", "steps=6"), 2, "steps is set twice: 5 and 6"),
        (("--resume",), 1, "no run to resume here"),
    ],
)
def test_bad_input_is_one_line(
    tmp_path: Path,
    stills: tuple[Path, Path],
    words: tuple[object, ...],
    code: int,
    message: str,
) -> None:
    answer = nightfx(*command(stills, tmp_path / "run", *words)[1:])
    assert answer.exit_code == code
    assert answer.stderr.startswith("error: ")
    assert message in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert not (tmp_path / "run").exists()
