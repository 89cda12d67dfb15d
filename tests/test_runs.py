"""Runs as a user starts them: killed, resumed, shared out over processes, and refused."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image
from test_cli import nightfx
from test_training import QUICK, paint
from typer.testing import CliRunner, Result

from nightfx.cli import app
from nightfx.errors import TrainingError, UsageError, install_words
from nightfx.network.presets import load_preset
from nightfx.training.run import trainer
from nightfx.training.run.progress import find_distances, is_patient, score
from nightfx.training.run.recipes import get_recipe
from nightfx.training.run.state import open_run
from nightfx.training.run.train_options import TrainOptions
from nightfx.training.run.trainer import train

pytestmark = pytest.mark.usefixtures("small_reports")

# `nightfx`, with the `small_reports` of conftest.py
SMALL = """
from nightfx.cli import main
from nightfx.training.run import guide, progress
progress.VALIDATION_PX, guide.DRAWS = 96, 8
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
    # sides that hold out different counts
    day, night = paint(folder / "day", 4, 170), paint(folder / "night", 11, 60)
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
    settings = ("--steps", 6, "--every", 2, "--batch", 1, "--warm-start-steps", 2, "--set", "pool_size=2")  # fmt: skip
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
        assert samples.size == (2 * 96, 4 * 96)


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
    reading, said = answer.stderr.splitlines()
    assert reading == "run: reading"
    assert said.startswith("error: ")
    assert message in said
    assert not (tmp_path / "run").exists()


class Stop(BaseException):
    """What a caller ends a run with."""


def stopped_at(finished: Finished, out: Path, last: int, options: TrainOptions) -> list[int]:
    """Run until `last` steps are made and stop; returns the steps that were told."""
    steps: list[int] = []

    def stop(step: int, total: int, losses: dict[str, float]) -> None:
        steps.append(step)
        if step == last:
            raise Stop

    with pytest.raises(Stop):
        train(finished.day, finished.night, out, options, device="cpu", on_progress=stop)
    return steps


def test_a_run_that_is_stopped_between_checkpoints_is_saved_and_goes_on_to_the_same(
    tmp_path: Path, finished: Finished, caplog: pytest.LogCaptureFixture
) -> None:
    out, longer = finished.copy(tmp_path / "run"), replace(QUICK, steps=6, every=6)
    assert stopped_at(finished, out, 5, longer) == [4, 5]
    assert "stopped at step 5 of 6: saved; the same command goes on from there" in caplog.text
    kept = checkpoint_of(out)
    assert (kept["step"], len(kept["recent_losses"])) == (5, 1)
    told: list[tuple[int, dict[str, float]]] = []
    words = (finished.day, finished.night, out, longer)
    train(*words, device="cpu", on_progress=lambda step, total, x: told.append((step, x)))
    assert [step for step, _ in told] == [5, 6]
    unbroken = train(*words[:2], finished.copy(tmp_path / "unbroken"), longer, device="cpu")
    one, other = checkpoint_of(out), checkpoint_of(unbroken)
    assert one["curves"] == other["curves"]
    for name, tensor in one["G_AB"].items():
        assert torch.equal(tensor, other["G_AB"][name]), name


def test_what_is_told_of_a_step_has_losses_and_distances(
    finished: Finished, tmp_path: Path
) -> None:
    told: list[dict[str, float]] = []
    out = finished.copy(tmp_path / "run")
    train(
        *(finished.day, finished.night, out, QUICK),
        device="cpu",
        on_progress=lambda step, total, x: told.append(x),
    )
    points = checkpoint_of(out)["curves"]["distance to night"]
    best_step, best = min(points, key=lambda point: point[1])
    assert told[0]["distance to night"] == points[-1][1]
    assert told[0]["distance to night, best"] == best
    assert told[0]["distance to night, best step"] == best_step


class Hostile:
    """A pickle of this runs a command when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("name", ["rng", "options", "D_A", None])
def test_a_checkpoint_that_holds_code_is_refused_in_our_words(
    name: str | None, finished: Finished, tmp_path: Path
) -> None:
    out, state = finished.copy(tmp_path / "run"), checkpoint_of(finished.out)
    hostile = Hostile(tmp_path / "was-run")
    torch.save({**state, name: hostile} if name else hostile, out / "run/checkpoint.pt")
    with pytest.raises(TrainingError, match="it holds code or objects beside tensors") as caught:
        train(finished.day, finished.night, out, QUICK, device="cpu")
    assert "weights_only" not in str(caught.value)
    assert "trust" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "was-run").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"options": [1]}, "it has no options as nightfx train writes it"),
        ({"step": "4"}, "it has no step as"),
        ({"G_AB": {}}, "its networks are of another shape"),
        ({"pool_A": [1]}, "its networks are of another shape"),
    ],
)
def test_a_checkpoint_of_something_else_is_refused(
    changes: dict[str, Any], message: str, finished: Finished, tmp_path: Path
) -> None:
    out = finished.copy(tmp_path / "run")
    torch.save(checkpoint_of(finished.out) | changes, out / "run/checkpoint.pt")
    with pytest.raises(TrainingError, match=message) as caught:
        train(finished.day, finished.night, out, QUICK, device="cpu")
    assert len(str(caught.value).splitlines()) == 1


def tell(step: int, **distances: float) -> tuple[int, int, dict[str, float]]:
    losses = {"G_AB": 0.5, "G_BA": 0.25, "D_A": 0.125, "D_B": 1 / step if step else 0}
    return step, 200, losses | {f"distance to night{x}": value for x, value in distances.items()}


def train_told(told: Iterable[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Result:
    """`nightfx train` where a run tells this and does nothing; a signal in it is sent."""

    def run(*args: Any, on_progress: Any, **options: Any) -> None:
        for each in told:
            if isinstance(each, signal.Signals):
                os.kill(os.getpid(), each)
            else:
                on_progress(*each)

    monkeypatch.setattr("nightfx.training.run.trainer.train", run)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    words = ("train", "--day", tmp_path, "--night", tmp_path, "--out", tmp_path / "run")
    return CliRunner().invoke(app, [str(word) for word in words])


def test_a_terminal_is_told_losses_distances_and_the_best_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = {"": 0.5, ", best": 0.25, ", best step": 100}
    better = {"": 0.125, ", best": 0.125, ", best step": 200}
    told = [tell(150, **first), tell(151, **first), tell(200, **better)]
    result = train_told(told, monkeypatch, tmp_path)
    assert result.exit_code == 0, result.output
    lines = [line for line in result.stderr.splitlines() if not line.startswith("run: ")]
    assert lines == [
        "resuming at step 150 of 200; distance to night 0.500 (best 0.250 at step 100)",
        "step 200: generators 0.5 0.25, discriminators 0.125 0.005",
        "step 200: distance to night 0.125 (the best so far)",
    ]


@pytest.mark.parametrize(
    ("structure", "distance", "verdict"),
    [
        (0.9, 0.3, "night: usable; distance 0.30 (the plates: 0.80), structure 0.90"),
        (0.4, 0.3, "night: hold on: it paints another picture; distance 0.30"),
        (0.9, 0.7, "night: hold on: hardly nearer to real ones than the plates; distance 0.70"),
    ],
)
def test_a_run_ends_with_a_plain_verdict(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    structure: float,
    distance: float,
    verdict: str,
) -> None:
    facts = {"": distance, ", best": distance, ", best step": 200, ", plates": 0.8}
    facts |= {", structure": structure, ", best structure": structure}
    result = train_told([tell(200, **facts)], monkeypatch, tmp_path)
    assert verdict in result.stderr
    assert f"structure {structure:.2f}" in result.stderr


def test_the_best_is_near_and_keeps_the_structure() -> None:
    run: Any = SimpleNamespace(best={"plates to night": 0.8})
    run.curves = {"distance to night": [(1.0, 0.5), (2.0, 0.2), (3.0, 0.3), (4.0, 0.4)]}
    run.curves["structure to night"] = [(1.0, 0.9), (2.0, 0.3), (3.0, 0.7), (4.0, 0.9)]
    found = find_distances(run)["night"]
    assert (found.best, found.best_step, found.best_structure) == (0.3, 3, 0.7)
    assert (found.last, found.structure, found.plates, found.since) == (0.4, 0.9, 0.8, 1)
    assert score(0.2, 0.3) == pytest.approx(0.6)
    assert is_patient(run, 2)
    assert is_patient(run, 0)
    assert not is_patient(run, 1)


def test_a_run_keeps_its_last_presets_shows_a_plate_and_ends_by_patience(
    tmp_path: Path, stills: tuple[Path, Path]
) -> None:
    plate = paint(tmp_path / "plate", 1, 100, (90, 70)) / "0.png"
    options = replace(QUICK, steps=8, every=1, patience=6)
    # what does not learn gets no better
    options = replace(options, warm_start_steps=0, learning_rate=1e-30)
    out = train(*stills, tmp_path / "run", options, plate=plate, device="cpu")
    state = checkpoint_of(out)
    assert state["step"] == 7  # the first one was the best, and six after it no better
    names = [f"step-{step:06d}" for step in range(3, 8)]
    assert sorted(x.name for x in (out / "last").iterdir()) == names
    assert load_preset(out / "last" / names[0] / "night").facts.training == {
        **(load_preset(out / "night").facts.training or {}),
        "step": 3,
    }
    with Image.open(out / "preview.png") as preview:
        assert preview.size == (88, 2 * 64)
    assert train(*stills, out, options, device="cpu") == out  # it is over
    assert checkpoint_of(out)["step"] == 7


def test_a_run_begins_as_a_preset(tmp_path: Path) -> None:
    (options,) = get_recipe("relit", ["start=night"]).values()
    assert (options.steps, options.warm_start_steps, options.every) == (1200, 0, 50)
    run = open_run(tmp_path / "none", options, torch.device("cpu"))
    for network, name in ((run.G_AB, "night"), (run.ema_AB, "night"), (run.G_BA, "day")):
        wanted = load_preset(name).generator.state_dict()
        assert all(torch.equal(x, wanted[key]) for key, x in network.state_dict().items())
    with pytest.raises(UsageError, match="start is for the relit architecture"):
        get_recipe("paper-1", ["start=night"])


def test_a_checkpoint_is_written_each_minute_between_two_reports(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "SAVED_SECONDS", 0.0)
    monkeypatch.setattr(trainer, "RECORD_EVERY", 1)
    out, options = finished.copy(tmp_path / "run"), replace(QUICK, steps=6, every=100)
    seen: list[int] = []
    train(
        *(finished.day, finished.night, out, options),
        device="cpu",
        on_progress=lambda *_: seen.append(checkpoint_of(out)["step"]),
    )
    assert seen == [4, 5, 6]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_waits_for_the_step_to_be_made(
    number: signal.Signals, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(number)
    told = iter([tell(1), number, number, tell(2), tell(3)])  # a launcher passes it on
    result = train_told(told, monkeypatch, tmp_path)
    assert result.exit_code == code
    assert list(told) == [tell(3)]
    assert signal.getsignal(number) == before
