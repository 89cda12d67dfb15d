"""What several test files need: presets with known answers."""

import logging
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kernels  # before nightfx, whose kernels numba looks for where this says
import pytest
import torch
from fast import is_fast
from hypothesis import settings
from torch import nn

from nightfx.network.model import Generator, RelitGenerator
from nightfx.network.presets import Preset, load_preset
from nightfx.network.saved import save_preset

FACTS: dict[str, Any] = {"description": "for a test", "heights_px": (8, 4000)}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--moments", type=int, default=3, help="kills of the chaos test")


def pytest_report_header() -> str:
    return f"compiled kernels: {kernels.PLACE}"


def pytest_configure(config: pytest.Config) -> None:
    # what whoever runs the tests has of their own changes no answer
    os.environ |= {"NIGHTFX_CONFIG": "", "NIGHTFX_PRESETS": "/nowhere"}
    logging.getLogger("nightfx").setLevel(logging.INFO)  # as the command line has it
    settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
    settings.load_profile("untimed")
    # two processes on two cores: small tensors gain nothing from a team of threads that waits for its slowest member
    threads = 1 if "PYTEST_XDIST_WORKER" in os.environ else 2
    torch.set_num_threads(threads)
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))  # nor do those that tests start


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    no_cuda = pytest.mark.skip(reason="needs_cuda: there is no CUDA device here")
    for item in items:
        if is_fast(item.path.name, item.name.partition("[")[0]):
            item.add_marker(pytest.mark.fast)
        if "needs_cuda" in item.keywords and not torch.cuda.is_available():
            item.add_marker(no_cuda)


def preset_of(folder: Path, generator: Generator, name: str) -> Preset:
    save_preset(folder / name, generator, f"# {name}\n", name=name, **FACTS)
    return load_preset(folder / name)


@pytest.fixture
def identity(tmp_path: Path) -> Preset:
    """A preset that changes nothing: g = o = 0."""
    return preset_of(tmp_path, RelitGenerator(), "identity")


@pytest.fixture
def halving(tmp_path: Path) -> Preset:
    """A preset that halves the signal everywhere."""
    generator = RelitGenerator()
    with torch.no_grad():
        assert isinstance(generator.out.bias, nn.Parameter)
        generator.out.bias[:3] = 4 * torch.atanh(torch.tensor(0.5).log() / 4)
    return preset_of(tmp_path, generator, "halving")


@pytest.fixture
def small_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that judge and start from few pixels: to sort all of them takes most of a short run."""
    monkeypatch.setattr("nightfx.training.run.progress.VALIDATION_PX", 96)
    monkeypatch.setattr("nightfx.training.run.guide.DRAWS", 8)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB; needs root."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", str(disk)], check=True)
