"""Runs that went wrong for good are stopped with what to change, and healthy ones are left alone."""

import pytest
import torch
from torch import nn

from nightfx.errors import TrainingError
from nightfx.network.model import PaperGenerator, RelitGenerator
from nightfx.training.run.recipes import PAPER
from nightfx.training.run.state import TrainingRun, start_run
from nightfx.training.run.train_options import TrainOptions
from nightfx.training.run.watch import PATIENCE, Watch, find_faults

RELIT = TrainOptions(batch=1, crop_px=96)


def start(options: TrainOptions) -> TrainingRun:
    return start_run(options, torch.device("cpu"))


def pictures(side: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    return torch.rand(1, 3, side, side, generator=rng), torch.rand(
        1, 3, side, side, generator=rng
    ) / 4


def faults(run: TrainingRun, side: int) -> list[str]:
    return [fault for fault, _ in find_faults(run, *pictures(side))]


def set_bias(layer: nn.Conv2d, values: list[float]) -> None:
    with torch.no_grad():
        layer.weight.zero_()
        assert layer.bias is not None
        layer.bias.copy_(torch.tensor(values))


@pytest.mark.parametrize(("options", "side"), [(RELIT, 96), (PAPER, 256)])
def test_fresh_networks_are_healthy(options: TrainOptions, side: int) -> None:
    assert faults(start(options), side) == []


def test_a_flat_picture_is_a_dead_generator() -> None:
    run = start(PAPER)
    assert isinstance(run.G_AB, PaperGenerator)
    set_bias(run.G_AB.out, [-1, -1, -1])
    assert faults(run, 256) == ["the night generator is dead: it paints one flat colour"]


def test_a_dead_channel_is_named() -> None:
    run = start(PAPER)
    assert isinstance(run.G_BA, PaperGenerator)
    with torch.no_grad():
        run.G_BA.out.weight[:2] = run.G_BA.out.weight[:2].abs()
        run.G_BA.out.weight[2] = -run.G_BA.out.weight[2].abs()
    assert faults(run, 256) == ["the day generator is dead in blue: its ReLU gives 0 everywhere"]


def test_a_relit_generator_that_crushes_everything_is_dead() -> None:
    run = start(RELIT)
    assert isinstance(run.G_BA, RelitGenerator)
    set_bias(run.G_BA.out, [0, 0, 0, -9, -9, -9])
    assert faults(run, 96) == ["the day generator is dead: it paints one flat colour"]


def test_a_flat_plate_is_no_fault() -> None:
    grey = torch.full((1, 3, 96, 96), 0.5)
    run = start(RELIT)
    names = [fault for fault, _ in find_faults(run, grey, grey)]
    assert not any("dead" in name for name in names)


def test_a_discriminator_that_cannot_tell_or_is_too_sure_has_collapsed() -> None:
    run = start(PAPER)
    last = run.D_A.get_submodule("layers.6")
    assert isinstance(last, nn.Conv2d)
    set_bias(last, [0.0])

    class Sure(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return (x.mean((1, 2, 3), keepdim=True) > 0.1).float()

    run.D_B = Sure()
    assert faults(run, 256) == [
        "the day discriminator has collapsed: it scores real and fake pictures alike",
        "the night discriminator has collapsed: it is so sure that it teaches nothing",
    ]


def test_a_run_is_stopped_when_the_fault_stays() -> None:
    run, watch = start(RELIT), Watch()
    assert isinstance(run.G_AB, RelitGenerator)
    healthy = [p.clone() for p in run.G_AB.out.parameters()]
    set_bias(run.G_AB.out, [0, 0, 0, -9, -9, -9])
    for _ in range(PATIENCE - 1):
        watch.look(run, *pictures(96), 2e-4)
    with torch.no_grad():
        for parameter, value in zip(run.G_AB.out.parameters(), healthy, strict=True):
            parameter.copy_(value)
    watch.look(run, *pictures(96), 2e-4)  # a good moment: the count starts anew
    set_bias(run.G_AB.out, [0, 0, 0, -9, -9, -9])
    for _ in range(PATIENCE - 1):
        watch.look(run, *pictures(96), 2e-4)
    advice = r"night generator is dead.*start anew with another seed \(--set seed=1\) or a lower rate \(--set learning_rate=5e-05\)"
    with pytest.raises(TrainingError, match=advice):
        watch.look(run, *pictures(96), 2e-4)
