"""Every backend says what float32 torch says, or says that it does not."""

import re
import sys
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from media import Clip, make_clip
from torch import Tensor, nn

import nightfx
from nightfx.errors import BackendError, UsageError, install_words
from nightfx.light.tiling import light_of, middle_window, plan_tiles
from nightfx.network import backends
from nightfx.network.backends import build_backend, check_fidelity, installed_backends
from nightfx.network.model import Generator, build_generator, pick_trunk_dtype
from nightfx.network.presets import load_preset
from nightfx.options.light import Backend
from nightfx.source.reader import Reader

FAST: list[Any] = ["openvino", "openvino-int8"]


def pictures(count: int = 2, height: int = 64, width: int = 96) -> list[Tensor]:
    """Smooth colours with a little grain."""
    random = torch.Generator().manual_seed(0)
    coarse = torch.rand(count, 3, 4, 4, generator=random)
    smooth = nn.functional.interpolate(coarse, (height, width), mode="bicubic")
    grain = 0.02 * torch.randn(smooth.shape, generator=random)
    return list((smooth + grain).clamp(0, 1).split(1))


def painter() -> Generator:
    """A paper generator with random weights that keep the signal alive."""
    torch.manual_seed(0)
    generator = build_generator("paper").eval().requires_grad_(False)
    for module in generator.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    generator.out.weight.mul_(0.2)
    return generator


@pytest.fixture(scope="module")
def night() -> Generator:
    return load_preset("night").generator


@pytest.fixture(scope="module")
def openvino(night: Generator) -> Generator:
    return build_backend(night, "openvino")


@pytest.fixture(scope="module")
def int8(night: Generator) -> Generator:
    return build_backend(night, "openvino-int8", shown=pictures())


def test_tests_run_with_every_backend_installed() -> None:
    assert installed_backends() == list(get_args(Backend))


@pytest.mark.parametrize(("backend", "least"), [("torch", 55), ("openvino", 55)])
def test_bfloat16_is_close_to_float32(backend: Backend, least: float, night: Generator) -> None:
    assert check_fidelity(build_backend(night, backend), night, pictures(), backend) > least


def test_int8_is_close_to_float32_on_pictures_it_was_not_quantised_with(
    night: Generator, int8: Generator
) -> None:
    brighter = [x.sqrt() for x in pictures()]
    assert check_fidelity(int8, night, brighter, "openvino-int8") > 40


@pytest.mark.parametrize("backend", get_args(Backend))
def test_the_papers_generator_runs_on_every_backend(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "LEAST_DB", 25.0)  # random weights are harder than trained ones
    generator = painter()
    fast = build_backend(generator, backend, shown=pictures())
    assert check_fidelity(fast, generator, pictures(), backend) > 25
    assert float(fast(pictures()[0]).min()) == 0  # its ReLU is kept


@pytest.mark.parametrize("name", FAST)
def test_gains_are_not_rounded_to_eight_bits(name: str, request: pytest.FixtureRequest) -> None:
    generator = request.getfixturevalue(name.replace("openvino-", ""))
    g, _ = generator.maps(pictures()[0])
    last = 4 * torch.atanh(g / 4)  # what the last convolution said
    step = 2.0 ** (last.abs().log2().floor() - 7)  # from one bfloat16 to the next
    between = (last / step - (last / step).round()).abs()
    assert float((between > 0.05).float().mean()) > 0.5


@pytest.mark.parametrize("name", FAST)
def test_sizes_and_batches_may_come_in_any_order(
    name: str, request: pytest.FixtureRequest, night: Generator
) -> None:
    generator = request.getfixturevalue(name.replace("openvino-", ""))
    for count, height, width in ((1, 64, 96), (2, 32, 40), (1, 64, 96), (1, 8, 8)):
        x = torch.cat(pictures(count, height, width))
        light, wanted = generator.light(x), night.light(x)
        assert light.gain.shape == light.offset.shape == x.shape
        assert light.gain.dtype == torch.float32
        assert float((light.gain.sqrt() - wanted.gain.sqrt()).square().mean().sqrt()) < 0.05


def test_what_one_call_gave_outlives_the_next(openvino: Generator) -> None:
    first, second = pictures()
    light = openvino.light(first)
    before = light.gain.clone(), light.offset.clone()
    openvino.light(second)
    assert torch.equal(light.gain, before[0])
    assert torch.equal(light.offset, before[1])


def test_tiles_equal_the_whole_frame(openvino: Generator) -> None:
    rgb = torch.cat(pictures(1, 280, 40))[0].numpy()
    whole, tiled = (light_of(openvino, rgb, size) for size in ("whole", 128))
    # each window is its own program: bfloat16 may round a sum another way
    bound = 0.02 if pick_trunk_dtype(torch.device("cpu")) == torch.bfloat16 else 1e-4
    assert float((whole.gain - tiled.gain).abs().max()) < bound


def test_the_middle_window_is_what_a_tile_sees() -> None:
    rgb = torch.cat(pictures(1, 500, 40))[0].numpy()
    window = plan_tiles(504, 40, 64)[4].window
    shown = middle_window(rgb, 64)
    assert torch.equal(shown[0], torch.from_numpy(rgb)[(..., *window)])
    assert middle_window(rgb, "whole").shape == (1, 3, 504, 40)


def test_int8_far_from_float32_is_refused_with_the_way_out(
    night: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "LEAST_DB", 90.0)
    message = r"openvino-int8 comes within \d\d\.\d dB .* 90 are needed; use --backend openvino$"
    with pytest.raises(BackendError, match=message):
        build_backend(night, "openvino-int8", shown=pictures())


def test_int8_refuses_a_network_that_eight_bits_cannot_say() -> None:
    generator = painter()
    state = generator.state_dict()  # one channel a thousand times as loud as those that matter
    state["trunk.1.weight"][0].mul_(1000)
    state["trunk.4.weight"][:, 0].div_(1000)
    with pytest.raises(BackendError, match="40 are needed"):
        build_backend(generator, "openvino-int8", shown=pictures())


def test_int8_without_frames_is_refused(night: Generator) -> None:
    with pytest.raises(BackendError, match="quantised with frames, and there are none"):
        build_backend(night, "openvino-int8")


@pytest.mark.parametrize(
    ("backend", "package"), [("openvino", "openvino"), ("openvino-int8", "nncf")]
)
def test_a_missing_extra_is_named(
    backend: Backend, package: str, night: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        UsageError, match=re.escape(f"needs {package}: {install_words('openvino')}")
    ):
        build_backend(night, backend, shown=pictures())


def test_openvino_on_another_device_is_refused(night: Generator) -> None:
    with pytest.raises(UsageError, match="runs on the CPU; leave --device cuda out"):
        build_backend(night, "openvino", "cuda")


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(UsageError, match="be torch, openvino or openvino-int8, got 'tflite'"):
        nightfx.RenderOptions.of(backend="tflite")


def test_no_use_is_reported_to_anyone(openvino: Generator, int8: Generator) -> None:
    assert sys.modules["openvino_telemetry"] is None


@pytest.mark.parametrize("method", ["relight", "tiles"])
@pytest.mark.parametrize("backend", FAST)
def test_a_render_is_within_three_codes_of_torchs(
    backend: Backend, method: Any, tmp_path: Path
) -> None:
    source = make_clip(tmp_path / "plate.mkv", Clip("ffv1", "yuv420p", size=(50, 71), count=3))
    planes = []
    for name in ("torch", backend):
        options = nightfx.RenderOptions.of(method=method, backend=name, working_height=64)
        target = nightfx.render(source, tmp_path / f"{name}.mkv", options=options)
        with Reader(target) as reader:
            planes.append(np.stack([frame.planes[0] for frame in reader.frames()]).astype(int))
    assert np.abs(planes[0] - planes[1]).mean() < 3
    assert planes[0].shape[0] == 3


def test_a_picture_renders_on_int8(tmp_path: Path) -> None:
    from PIL import Image

    plate = (pictures(1)[0][0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    Image.fromarray(plate).save(tmp_path / "plate.png")
    options = nightfx.RenderOptions.of(backend="openvino-int8", working_height=64)
    target = nightfx.render(tmp_path / "plate.png", options=options)
    assert target == tmp_path / "plate.night.png"
