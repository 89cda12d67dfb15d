"""The draft: a small network learns what a preset's own does, is kept beside it, and renders in its place."""

from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import preset_of
from media import Clip, make_clip
from PIL import Image
from torch import nn
from typer.testing import CliRunner, Result

import nightfx
from nightfx.cli import app
from nightfx.errors import PresetError, TargetError, TrainingError, UsageError
from nightfx.network.backends import installed_backends
from nightfx.network.draft import tell_draft
from nightfx.network.model import PaperGenerator, RelitGenerator
from nightfx.network.presets import Preset, load_preset, verify_preset
from nightfx.network.saved import save_draft
from nightfx.options import Backend
from nightfx.options.train import DistilOptions
from nightfx.source.reader import Reader
from nightfx.training.run.distil import SIZES, distil


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def gain_of(factor: float, width: int = 32, blocks: int = 5) -> RelitGenerator:
    """A generator that multiplies every pixel by `factor`."""
    generator = RelitGenerator(width, blocks)
    with torch.no_grad():
        assert isinstance(generator.out.bias, nn.Parameter)
        generator.out.bias[:3] = 4 * torch.atanh(torch.tensor(factor).log() / 4)
    return generator


@pytest.fixture
def drafted(halving: Preset) -> Preset:
    """A preset that halves the signal, with a draft that takes a quarter."""
    save_draft(halving, gain_of(0.25, 8, 2), halving.folder, width=8, blocks=2, decibels=20.0)
    return load_preset(halving.folder)


def stills(folder: Path, count: int = 12) -> Path:
    folder.mkdir()
    for index in range(count):
        x = np.linspace(20, 235, 300)[None, :, None] + np.random.default_rng(index).normal(0, 9, 3)
        Image.fromarray(x.repeat(260, 0).clip(0, 255).astype(np.uint8)).save(
            folder / f"{index}.png"
        )
    return folder


def work(generator: RelitGenerator, height: int, width: int) -> int:
    """Multiplications of one pass, counted at each convolution."""
    counts = []

    def count(layer: nn.Module, shown: tuple[torch.Tensor], out: torch.Tensor) -> None:
        upwards = isinstance(layer, nn.ConvTranspose2d)
        pixels = (shown[0] if upwards else out)[0, 0].numel()
        counts.append(pixels * layer.get_parameter("weight").numel())

    for layer in generator.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            layer.register_forward_hook(count)
    with torch.inference_mode():
        generator.out(generator.trunk(torch.zeros(1, 3, height, width)))
    return sum(counts)


def test_a_draft_is_at_most_a_twentieth_of_the_work() -> None:
    sizes = ((32, 5), SIZES["draft"], SIZES["narrow"])
    full, small, narrow = (work(RelitGenerator(*size), 256, 480) for size in sizes)
    assert 20 * small <= full
    assert 5 * narrow <= full
    assert full > 256 * 480 * 32_000  # the count itself: 32,184 a pixel, edges apart


def test_a_narrow_network_takes_the_place_of_the_presets_own(
    drafted: Preset, tmp_path: Path
) -> None:
    options = DistilOptions(size="narrow", steps=40, batch=1, learning_rate=1e-2)
    with pytest.raises(UsageError, match="--out names a new folder for it"):
        distil(drafted, stills(tmp_path / "stills"), None, options)
    found = distil(drafted, tmp_path / "stills", tmp_path / "out", options)
    assert found.facts.draft is None
    training = found.facts.training or {}
    told = training["distilled"]
    assert (told["width"], told["blocks"]) == SIZES["narrow"]
    assert told["teacher_sha256"] == drafted.facts.weights_sha256
    assert told["decibels"] > 25
    assert f"{told['decibels']} dB from it" in (tmp_path / "out/CARD.md").read_text()
    grey = torch.full((1, 3, 64, 64), 0.5)
    narrow = found.generator
    assert isinstance(narrow, RelitGenerator)
    assert narrow.get_parameter("trunk.0.weight").shape[0] == 16
    assert float(narrow(grey).mean()) == pytest.approx(0.25, abs=0.03)
    assert verify_preset(tmp_path / "out").startswith("ok, relit")


def test_weights_of_no_size_are_refused(tmp_path: Path) -> None:
    for width, blocks in ((34, 5), (16, 6)):
        preset = preset_of(tmp_path / f"{width}", RelitGenerator(width, blocks), "relit")
        with pytest.raises(PresetError, match=f"a width of {width} and {blocks} residual blocks"):
            _ = preset.generator


def test_a_student_learns_what_the_teacher_does(halving: Preset, tmp_path: Path) -> None:
    options = DistilOptions(steps=40, batch=1, learning_rate=1e-2)
    steps: list[int] = []
    before = {path.name: path.read_bytes() for path in halving.folder.iterdir()}
    found = distil(
        *(halving, stills(tmp_path / "stills"), tmp_path / "out", options),
        on_progress=lambda step, total: steps.append(step),
    )
    assert steps == list(range(1, 41))
    assert found.facts.draft is not None
    assert found.facts.draft.decibels > 25
    assert found.facts.draft.training is not None
    assert found.facts.draft.training["stills"] == 10
    grey = torch.full((1, 3, 64, 64), 0.5)
    assert float(found.draft(grey).mean()) == pytest.approx(0.25, abs=0.03)
    assert torch.equal(found.generator(grey), halving.generator(grey))
    assert (tmp_path / "out/CARD.md").read_bytes() == before["CARD.md"]
    assert before == {path.name: path.read_bytes() for path in halving.folder.iterdir()}


def test_the_command_writes_the_draft_into_the_presets_own_folder(
    halving: Preset, tmp_path: Path
) -> None:
    words = ("--stills", stills(tmp_path / "stills", 4), "--steps", 1)
    result = run("presets", "distill", halving.folder, *words)
    assert result.exit_code == 0, result.output
    assert "dB from the full network (PSNR, more is nearer)" in result.stdout
    assert load_preset(halving.folder).draft is not None
    assert not list(halving.folder.glob("*.part"))


def test_a_draft_comes_back_as_it_was_rounded_to_half_floats(drafted: Preset) -> None:
    student = gain_of(0.25, 8, 2)
    torch.manual_seed(1)
    nn.init.normal_(student.out.weight, std=0.1)
    facts = {"width": 8, "blocks": 2, "decibels": 33.25, "training": {"steps": 7, "torch": "2"}}
    save_draft(drafted, student, drafted.folder, **facts)
    loaded = load_preset(drafted.folder)
    for name, tensor in student.state_dict().items():
        assert torch.equal(loaded.draft.state_dict()[name], tensor.half().float())
    assert loaded.facts.draft is not None
    assert loaded.facts.draft.decibels == 33.25
    assert loaded.facts.draft.training == {"steps": 7, "torch": "2"}


@pytest.mark.parametrize("backend", installed_backends())
def test_a_draft_renders_in_place_of_the_full_network(
    backend: Backend, drafted: Preset, tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "plate.mkv", Clip("ffv1", size=(64, 96), count=4))
    out = []
    for draft in (False, True):
        options = nightfx.RenderOptions.of(
            draft=draft, method="relight", backend=backend, overwrite=True
        )
        nightfx.render(clip, tmp_path / "out.mkv", preset=drafted, options=options)
        with Reader(tmp_path / "out.mkv") as reader:
            out.append(np.mean([frame.planes[0].mean() - 16.0 for frame in reader.frames()]))
    assert out[1] / out[0] == pytest.approx(0.5, abs=0.02)


def test_strength_steadying_and_a_look_go_with_a_draft(drafted: Preset, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "plate.mkv", Clip("ffv1", size=(64, 96), count=4))
    words = ("--to", drafted.folder, "--method", "relight", "--draft", "--overwrite")
    result = run("render", clip, *words, "--lock", "--steady", "0.5", "--field-every", "2")
    assert result.exit_code == 0, result.output
    assert run("render", clip, *words, "--strength", "0").exit_code == 0
    with Reader(clip) as plate, Reader(tmp_path / "plate.halving.mkv") as lit:
        for a, b in zip(plate.frames(), lit.frames(), strict=True):
            assert np.abs(a.planes[0].astype(int) - b.planes[0]).max() <= 1


def test_a_preset_without_a_draft_says_how_to_get_one(halving: Preset, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "plate.mp4", Clip(count=1))
    result = run("render", clip, "--to", halving.folder, "--method", "relight", "--draft")
    assert result.exit_code == 2
    assert "halving has no draft weights: leave --draft out, or run nightfx presets distill" in (
        result.stderr
    )
    assert not list(tmp_path.glob("*.halving.*"))


def test_tiles_have_no_draft(drafted: Preset, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "plate.mp4", Clip(count=1))
    with pytest.raises(UsageError, match="--draft needs --method relight"):
        nightfx.RenderOptions.of(draft=True, method="tiles")
    with pytest.raises(UsageError, match="halving renders tiles: --method relight"):
        nightfx.render(clip, preset=drafted, options=nightfx.RenderOptions.of(draft=True))


def test_verify_and_show_cover_the_draft(drafted: Preset, monkeypatch: pytest.MonkeyPatch) -> None:
    # quantising takes a while, and the render in int8 does it too
    monkeypatch.setattr("nightfx.network.backends.installed_backends", lambda: ["torch"])
    assert "draft ok, hash matches, -2.0" in verify_preset(drafted.folder)
    result = run("presets", "verify", drafted.folder)
    assert result.exit_code == 0, result.output
    assert result.stdout.count("draft: torch") == 1
    assert (
        "20.0 dB from the full network (PSNR, more is nearer), poor"
        in run("presets", "show", drafted.folder).stdout
    )


def test_a_damaged_draft_is_refused(drafted: Preset) -> None:
    path = drafted.folder / "draft.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(PresetError, match="damaged: its hash differs"):
        verify_preset(drafted.folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("width = 8", "width = 7", "width must be even, got 7"),
        ("width = 8", "width = 4096", "width must be a number from 2 to 32, got 4096"),
        ("blocks = 2", "blocks = true", r"draft\.blocks: Expected int, got bool"),
        ("blocks = 2", "", "not a preset"),
        ("decibels = 20.0", 'decibels = "near"', r"draft\.decibels: Expected float, got str"),
        ("[draft]", "draft = 3\n[other]", "not a preset"),
        ("teacher_sha256 = ", "teacher_sha256 = 3 #", r"draft\.teacher_sha256: Expected str"),
    ],
)
def test_a_wrong_table_is_named(drafted: Preset, old: str, new: str, message: str) -> None:
    path = drafted.folder / "preset.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(PresetError, match=message):
        load_preset(drafted.folder)


def test_a_draft_of_other_weights_is_refused(drafted: Preset) -> None:
    path = drafted.folder / "preset.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('teacher_sha256 = "', 'teacher_sha256 = "0'), encoding="utf-8")
    with pytest.raises(PresetError, match="distilled from other weights; run nightfx presets"):
        _ = load_preset(drafted.folder).draft


def test_what_cannot_be_distilled_is_refused_before_the_work(
    halving: Preset, tmp_path: Path
) -> None:
    pictures = stills(tmp_path / "stills", 4)
    with pytest.raises(TargetError, match="exists already; --out names a new folder"):
        distil(halving, pictures, tmp_path)
    painter = preset_of(tmp_path, PaperGenerator(), "painter")
    with pytest.raises(UsageError, match="painter: a draft is distilled from a relit generator"):
        distil(painter, pictures)


@pytest.mark.parametrize(
    ("decibels", "word"),
    [(13.8, "poor: a render will look otherwise"), (30.0, "fair"), (42.7, "good")],
)
def test_a_draft_is_called_what_it_is(decibels: float, word: str) -> None:
    told = f"its draft is {decibels} dB from the full network (PSNR, more is nearer), {word}"
    assert tell_draft(decibels) == told


def test_a_poor_draft_is_warned_of_and_takes_no_better_ones_place(
    halving: Preset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save_draft(halving, gain_of(0.5, 8, 2), halving.folder, width=8, blocks=2, decibels=40.0)
    better, options = load_preset(halving.folder), DistilOptions(steps=1, batch=1)
    before = {path.name: path.read_bytes() for path in better.folder.iterdir()}
    folder = stills(tmp_path / "stills", 3)
    with pytest.raises(
        TrainingError, match=r"the one there 40\.0 dB, which is nearer: it stays; take"
    ):
        distil(better, folder, options=options)
    assert before == {path.name: path.read_bytes() for path in better.folder.iterdir()}
    found = distil(better, folder, tmp_path / "out", options)
    assert found.facts.draft is not None
    assert found.facts.draft.decibels < 25
    assert "poor: a render will look otherwise; take more --steps" in caplog.text
