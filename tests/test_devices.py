"""Devices compute the same: what holds on the CPU holds on a GPU, on machines that have one."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from media import Clip, make_clip
from test_cli import nightfx
from test_render import frames_of
from torch import nn

from nightfx.network.model import build_generator
from nightfx.network.presets import Preset
from nightfx.network.trunk import Architecture
from nightfx.training.run.feed import to_pictures
from nightfx.training.run.state import start_run
from nightfx.training.run.step import train_step
from nightfx.training.run.train_options import TrainOptions

BLACK = 64  # of ten bits
on_each_device = pytest.mark.parametrize(
    "device", ["cpu", pytest.param("cuda", marks=pytest.mark.needs_cuda)]
)


@on_each_device
@pytest.mark.parametrize("architecture", ["paper", "relit"])
def test_a_generator_lays_its_numbers_out_as_a_render_does_and_says_the_same(
    architecture: Architecture, device: str
) -> None:
    torch.manual_seed(0)
    generator = build_generator(architecture).requires_grad_(False)
    nn.init.normal_(generator.out.weight, std=0.05)
    x = torch.rand(2, 3, 64, 96)
    there = copy.deepcopy(generator).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    found = there(x.to(device, memory_format=torch.channels_last))
    assert found.device.type == device
    # GPUs multiply in TF32, of 10 bits, unless told otherwise
    torch.testing.assert_close(found.cpu(), generator(x), atol=4e-3, rtol=4e-3)


@on_each_device
@pytest.mark.parametrize("method", ["relight", "tiles"])
def test_a_render_halves_what_a_halving_preset_sees(
    tmp_path: Path, halving: Preset, method: str, device: str
) -> None:
    plate = make_clip(tmp_path / "plate.mkv", Clip("ffv1", "yuv420p10le", count=3))
    words = ["--to", halving.folder, "--method", method, "--device", device]
    result = nightfx("render", plate, *words)
    assert result.exit_code == 0, result.output
    pairs = list(zip(frames_of(plate), frames_of(tmp_path / "plate.halving.mkv"), strict=True))
    assert len(pairs) == 3
    for before, after in pairs:
        wanted = (before.planes[0].astype(float) - BLACK) / 2 + BLACK
        assert np.abs(wanted - after.planes[0]).max() <= 1.5


@on_each_device
@pytest.mark.parametrize("warm_start_steps", [0, 1])
def test_a_step_of_training_moves_what_it_teaches(warm_start_steps: int, device: str) -> None:
    where = torch.device(device)
    options = TrainOptions(
        steps=4, batch=2, crop_px=96, warm_start_steps=warm_start_steps, precision="float32"
    )
    run = start_run(options, where)
    networks = {"G_AB": run.G_AB, "G_BA": run.G_BA, "D_A": run.D_A, "D_B": run.D_B}
    before = {name: weights_of(network) for name, network in networks.items()}
    day, night = (to_pictures(crops(level), where) for level in (180, 40))
    guides = (night, day) if warm_start_steps else None
    losses = train_step(run, day, night, options, guides)
    assert run.step == 1
    assert all(loss.device.type == device and loss.isfinite() for loss in losses.values())
    moved = {name for name, network in networks.items() if weights_of(network) != before[name]}
    # a warm start that has just begun leaves the discriminators alone
    assert moved == ({"G_AB", "G_BA"} if warm_start_steps else set(networks))


def crops(level: int) -> torch.Tensor:
    noise = torch.Generator().manual_seed(level)
    return torch.randint(level - 20, level + 20, (2, 3, 96, 96), dtype=torch.uint8, generator=noise)


def weights_of(network: nn.Module) -> list[float]:
    return [float(weight.detach().double().sum()) for weight in network.parameters()]
