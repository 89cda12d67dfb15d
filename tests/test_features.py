"""KID, FID, foreign networks, and the small one that tells day from night."""

import builtins
import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nightfx.errors import PresetError, SourceError, UsageError, install_words
from nightfx.metrics import fid, kid, load_classifier, load_features
from nightfx.metrics.classifier import WEIGHTS, as_input
from nightfx.metrics.features import small_features


def normal(count: int, size: int = 8, mean: float = 0.0, seed: int = 0) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(count, size, generator=rng) + mean


def test_fid_of_a_shift_is_its_square() -> None:
    # equal covariances: |μ₁ − μ₂|² alone; 8 numbers shifted by 0.5 each
    x = normal(400)
    assert fid(x, x + 0.5) == pytest.approx(8 * 0.25, rel=1e-3)
    assert fid(x, x) == pytest.approx(0, abs=1e-3)


def test_fid_of_a_stretch_is_that_of_the_deviations() -> None:
    # variances 1 and 4 in each of 8 directions: 8 (1 + 4 − 2·2)
    x = normal(4000)
    x = (x - x.mean(0)) / x.std(0)
    assert fid(x, 2 * x) == pytest.approx(8.0, rel=0.02)


def test_kid_of_one_distribution_is_about_none_and_grows_with_a_shift() -> None:
    x, y = normal(200), normal(200, seed=1)
    same, near, far = kid(x, y), kid(x, y + 0.5), kid(x, y + 1)
    assert abs(same) < 0.05
    assert same < near < far


def test_kid_of_two_points_is_the_kernel_by_hand() -> None:
    # k(x, y) = (x·y / 2 + 1)³; two points a side, so the one subset is all
    a, b = torch.tensor([[1.0, 0], [0, 1]]), torch.tensor([[2.0, 0], [0, 0]])
    within_a, within_b = 1.0, 1.0
    across = (2**3 + 1 + 1 + 1) / 4
    assert kid(a, b) == pytest.approx(within_a + within_b - 2 * across, rel=1e-5)


def test_kid_is_the_same_each_time_and_leaves_the_global_chance_alone() -> None:
    before = torch.random.get_rng_state()
    x, y = normal(150), normal(120, mean=0.2, seed=1)
    assert kid(x, y) == kid(x, y)
    assert torch.equal(before, torch.random.get_rng_state())


def test_one_picture_has_no_distribution() -> None:
    assert math.isnan(kid(normal(1), normal(9)))
    assert math.isnan(fid(normal(1), normal(9)))


def test_without_torchmetrics_the_line_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("torchmetrics"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=re.escape(install_words("evaluate"))):
        kid(normal(3), normal(3))


class Means(nn.Module):
    """Features that are known: the mean of each channel, as a map of 1×1."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3), keepdim=True)


def saved(path: Path, network: nn.Module) -> Path:
    with pytest.warns(
        DeprecationWarning, match="torch.jit"
    ):  # of TorchScript: still what such files are
        torch.jit.save(torch.jit.script(network), str(path))
    return path


def test_torchscript_is_run_when_trusted_alone(tmp_path: Path) -> None:
    path = saved(tmp_path / "means.pt", Means())
    with pytest.raises(UsageError, match="--trust-features"):
        load_features(path)
    x = torch.tensor([0.2, 0.4, 0.6]).view(3, 1, 1).expand(3, 40, 60)
    assert load_features(path, trusted=True)(x).tolist() == pytest.approx([0.2, 0.4, 0.6])


def field(number: int, value: int | str | bytes) -> bytes:
    """A field of a protocol buffer."""
    if isinstance(value, int):
        return bytes([number << 3]) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return bytes([number << 3 | 2]) + varint(len(data)) + data


def varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)


def onnx_means() -> bytes:
    """An ONNX model of one layer, GlobalAveragePool from x to y, written by hand (onnx.proto3 has the numbers)."""

    def tensor(name: str, *sides: int) -> bytes:
        shape = b"".join(field(1, field(1, side)) for side in sides)
        return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))

    node = field(1, "x") + field(2, "y") + field(3, "n") + field(4, "GlobalAveragePool")
    graph = field(1, node) + field(2, "g")
    graph += field(11, tensor("x", 1, 3, 299, 299)) + field(12, tensor("y", 1, 3, 1, 1))
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


def test_onnx_needs_no_trust(tmp_path: Path) -> None:
    (tmp_path / "means.onnx").write_bytes(onnx_means())
    x = torch.tensor([0.2, 0.4, 0.6]).view(3, 1, 1).expand(3, 40, 60)
    found = load_features(tmp_path / "means.onnx")(x)
    assert found.tolist() == pytest.approx(
        [0.2, 0.4, 0.6], abs=5e-3
    )  # OpenVINO may compute in bf16


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("features.pkl", "TorchScript .* or ONNX"),
        ("broken.pt", "not readable as TorchScript"),
        ("missing.pt", "no such file"),
        ("broken.onnx", "not readable as ONNX"),
        ("missing.onnx", "no such file"),
    ],
)
def test_other_files_are_refused_in_a_line(name: str, message: str, tmp_path: Path) -> None:
    if not name.startswith("missing"):
        (tmp_path / name).write_bytes(b"no network")
    with pytest.raises((SourceError, UsageError), match=message) as caught:
        load_features(tmp_path / name, trusted=True)
    assert "\n" not in str(caught.value)


class Scalar(nn.Module):
    """No features."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean()


class Infinite(nn.Module):
    """Features that are no numbers."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) / 0.0


@pytest.mark.parametrize(
    ("network", "message"), [(Scalar(), "no features"), (Infinite(), "not finite")]
)
def test_networks_that_give_no_features_are_refused(
    network: nn.Module, message: str, tmp_path: Path
) -> None:
    features = load_features(saved(tmp_path / "odd.pt", network), trusted=True)
    with pytest.raises(SourceError, match=message):
        features(torch.ones(3, 20, 20))


def test_the_small_network_comes_along_and_is_small() -> None:
    assert 50_000 < WEIGHTS.stat().st_size < 200_000
    assert small_features(torch.rand(3, 50, 70)).shape == (64,)


def test_the_small_network_tells_a_lit_street_from_a_grey_day() -> None:
    day = torch.full((3, 128, 128), 0.85)
    day[:, 64:] = 0.45 + 0.1 * torch.rand(1, 64, 128, generator=torch.Generator().manual_seed(0))
    night = torch.full((3, 128, 128), 0.03)
    night[:, 64:] = torch.tensor([0.30, 0.22, 0.12]).view(3, 1, 1)
    for column in range(10, 120, 24):
        night[:, 40:46, column : column + 6] = 0.95
    with torch.inference_mode():
        odds = load_classifier()(torch.stack([as_input(day), as_input(night)]))
    assert odds[0] < 0 < odds[1]


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(WEIGHTS.read_bytes()[:-100])
    with pytest.raises(PresetError, match="reinstall"):
        load_classifier(path)
