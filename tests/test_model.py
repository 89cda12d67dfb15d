"""The networks against the paper's tables, and the relit generator against its promises."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nightfx.errors import UsageError
from nightfx.network.model import (
    MAX_LOG_GAIN,
    PaperGenerator,
    RelitGenerator,
    Residual,
    SameUp,
    build_generator,
    pick_device,
)
from nightfx.training.run.judges import (
    PaperDiscriminator,
    PatchDiscriminator,
    begin_as_tensorflow,
    spectrally_normed,
)

TABLE_I = [
    *[(128, 128, 32), (64, 64, 64), (32, 32, 128), (32, 32, 128)],
    *[(32, 32, 128)] * 5,
    *[(64, 64, 64), (128, 128, 32), (256, 256, 16), (256, 256, 3)],
]
TABLE_II = [(64, 64, 32), (16, 16, 64), (4, 4, 128), (1, 1, 1)]


def shapes_after(network: nn.Module, kinds: tuple[type[nn.Module], ...]) -> list[tuple[int, ...]]:
    """(H, W, C) after each outermost layer of `kinds`, a transposed layer's crop included."""
    shapes: list[tuple[int, ...]] = []

    def note(module: nn.Module, inputs: Any, output: Tensor) -> None:
        _, c, h, w = output.shape
        shapes.append((h - h % 2 * (h > 1), w - w % 2 * (w > 1), c))

    inner = {
        id(part)
        for block in network.modules()
        if isinstance(block, Residual)
        for part in block.children()
    }
    for module in network.modules():
        if isinstance(module, kinds) and id(module) not in inner:
            module.register_forward_hook(note)
    network(torch.zeros(1, 3, 256, 256))
    return shapes


def test_paper_generator_has_the_shapes_of_table_one() -> None:
    assert shapes_after(PaperGenerator(), (nn.Conv2d, nn.ConvTranspose2d, Residual)) == TABLE_I


def test_paper_generator_has_the_published_number_of_parameters() -> None:
    assert sum(p.numel() for p in PaperGenerator().parameters()) == 1_813_987


def test_paper_discriminator_has_the_shapes_of_table_two() -> None:
    assert shapes_after(PaperDiscriminator(), (nn.Conv2d,)) == TABLE_II


def test_paper_discriminator_scores_lie_between_zero_and_one() -> None:
    score = PaperDiscriminator()(torch.rand(2, 3, 256, 256))
    assert score.shape == (2, 1, 1, 1)
    assert bool(((score > 0) & (score < 1)).all())


def test_paper_discriminator_sees_smaller_pictures_enlarged() -> None:
    D, small = PaperDiscriminator(), torch.rand(2, 3, 128, 128)
    large = torch.nn.functional.interpolate(small, (256, 256), mode="bilinear")
    assert torch.equal(D(small), D(large))


def test_paper_padding_is_one_more_at_the_bottom_right() -> None:
    # with SAME padding on an even size the first output looks at rows 0 to 2, so row 0 alone moves it
    first = PaperGenerator().trunk[:2]
    impulse = torch.zeros(1, 3, 16, 16)
    impulse[..., 0, 0] = 1
    moved = (first(impulse) - first(torch.zeros_like(impulse))).abs().sum(1)[0]
    assert moved[0, 0] > 0
    assert moved.count_nonzero() == 1


@pytest.mark.parametrize("architecture", ["paper", "relit"])
def test_generators_have_no_normalisation(architecture: Any) -> None:
    names = {type(module).__name__ for module in build_generator(architecture).modules()}
    assert not {name for name in names if "Norm" in name}


@pytest.mark.parametrize("size", [(32, 5), (8, 2), (2, 0)])
def test_relit_is_the_identity_at_first(size: tuple[int, int]) -> None:
    x = torch.rand(2, 3, 32, 40)
    assert torch.equal(RelitGenerator(*size)(x), x)


def shouting_generator() -> RelitGenerator:
    generator = RelitGenerator()
    nn.init.constant_(generator.out.bias, 100.0)  # type: ignore[arg-type]
    return generator


def test_relit_gain_is_bounded() -> None:
    g, _ = shouting_generator().maps(torch.rand(1, 3, 16, 16))
    assert float(g.detach().abs().max()) <= MAX_LOG_GAIN


def test_relit_light_is_what_the_maps_say() -> None:
    generator, x = RelitGenerator(), torch.rand(1, 3, 16, 16)
    nn.init.constant_(generator.out.bias, 0.5)  # type: ignore[arg-type]
    light, (g, o) = generator.light(x), generator.maps(x)
    torch.testing.assert_close(light.gain, g.exp())
    torch.testing.assert_close(light.offset, o)


def test_paper_light_replaces_the_plate() -> None:
    generator, x = PaperGenerator(), torch.rand(1, 3, 16, 16)
    light = generator.light(x)
    torch.testing.assert_close(x * light.gain + light.offset, generator(x))


def test_bf16_trunk_keeps_the_codes_of_a_ten_bit_ramp() -> None:
    torch.manual_seed(0)
    generator = RelitGenerator().eval()
    nn.init.normal_(generator.out.weight, std=0.001)
    generator.trunk.to(torch.bfloat16)
    ramp = (torch.arange(1024) / 1023).expand(1, 3, 16, 1024).contiguous()
    with torch.no_grad():
        light = generator.light(ramp)
    assert light.gain.dtype == light.offset.dtype == torch.float32
    codes = ((ramp * light.gain + light.offset)[0, 1, 8] * 1023).round()
    assert len(codes.unique()) == 1024  # bf16 itself holds 129 values between ½ and 1


def test_patch_discriminator_scores_both_scales() -> None:
    assert PatchDiscriminator()(torch.rand(2, 3, 128, 128)).shape == (2, 2, 15, 15)


def test_missing_device_is_a_usage_error_that_names_those_there_are() -> None:
    missing = "mps" if not torch.backends.mps.is_available() else "cuda"
    with pytest.raises(UsageError, match=f"device {missing} is not available here; there is .*cpu"):
        pick_device(missing)  # type: ignore[arg-type]


def test_same_padding_upwards_is_a_transposed_convolution_without_its_last_row_and_column() -> None:
    up, x = SameUp(5, 3), torch.randn(2, 5, 6, 4)
    whole = F.conv_transpose2d(x, up.weight, up.bias, stride=2)
    assert up(x).shape == (2, 3, 12, 8)
    assert torch.allclose(up(x), whole[..., :-1, :-1], atol=1e-6)


def test_a_sure_discriminator_keeps_its_gradient_in_bf16() -> None:
    D, x = PaperDiscriminator(), torch.rand(1, 3, 256, 256, requires_grad=True)
    with torch.no_grad():
        D.get_submodule("layers.6").get_parameter("bias").fill_(8.0)
    with torch.autocast("cpu", torch.bfloat16):
        score = D(x)
    score.sum().backward()
    assert score.item() < 1  # sigmoid(8) = 0.99966, which bf16 rounds to 1
    assert x.grad is not None
    assert x.grad.abs().sum() > 0


def test_weights_begin_as_tensorflow_draws_them() -> None:
    D = PaperDiscriminator()
    begin_as_tensorflow(D)
    layer = D.get_submodule("layers.2")  # 32 to 64 channels, 4×4
    bound = (6 / (16 * (32 + 64))) ** 0.5  # Glorot and Bengio 2010, (16)
    weight, bias = layer.get_parameter("weight"), layer.get_parameter("bias")
    assert 0.95 * bound < weight.abs().max().item() <= bound
    assert not bias.any()


def test_spectral_norm_bounds_every_convolution() -> None:
    D = spectrally_normed(PaperDiscriminator())
    layers = [layer for layer in D.modules() if isinstance(layer, nn.Conv2d)]
    for _ in range(30):
        D(torch.rand(1, 3, 256, 256))
    for layer in layers:
        largest = torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item()
        assert largest == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("size", [(32, 5), (8, 2), (2, 0)])
@pytest.mark.parametrize("height", [8, 256, 264, 600])
def test_bands_of_rows_equal_the_layers_on_the_whole(height: int, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    generator = RelitGenerator(*size)
    for layer in (m for m in generator.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.normal_(generator.out.weight, std=0.02)
    x = torch.rand(1, 3, height, 24)
    with torch.no_grad():
        _, whole = generator.out(generator.trunk(x)).chunk(2, dim=1)
        torch.testing.assert_close(generator.light(x).offset, whole, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(generator.maps(x)[1], whole, rtol=1e-5, atol=1e-5)
