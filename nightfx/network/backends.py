"""Run a preset's generator by torch, or by OpenVINO in bfloat16 or int8.

OpenVINO stands in for the convolutions alone. What they say comes back in float32, and torch makes gains and offsets of
it as ever, so strength and plate never see fewer bits.
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import io
import logging
import sys
import warnings
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nightfx.errors import BackendError, UsageError, install_words
from nightfx.network.model import Generator, RelitGenerator, pick_device, pick_trunk_dtype
from nightfx.network.resnet import ResnetGenerator
from nightfx.options import BACKEND_NEEDS, Backend, DeviceName

LEAST_DB = 40.0  # of a backend's picture against float32 torch
_BOUND = 64.0  # far above any log gain or offset


def build_backend(
    generator: Generator,
    backend: Backend,
    device: DeviceName = "auto",
    shown: Sequence[Tensor] = (),
) -> Generator:
    """A copy of `generator`, float32 on the CPU, that runs on `backend` and `device`.

    `shown` is what the generator will be shown, a few of (1, 3, H, W) in [0, 1]: int8 is quantised with them. Raises
    `BackendError` where int8 comes not within 40 dB of float32 on them, `UsageError` where the extra is missing.
    """
    if backend == "torch":
        return _torch(generator, pick_device(device))
    if device not in ("auto", "cpu"):
        raise UsageError(f"--backend {backend} runs on the CPU; leave --device {device} out")
    if backend == "openvino-int8" and not shown:
        raise BackendError("--backend openvino-int8 is quantised with frames, and there are none")
    model = _convert(generator)
    if backend == "openvino":
        return _stand_in(generator, model, _trunk_dtype(generator, torch.device("cpu")))
    # in float32 beside int8: no slower, and in bfloat16 the last layer would be rounded to 8 bits
    fast = _stand_in(generator, quantize(model, shown), torch.float32)
    check_fidelity(fast, generator, shown, backend)
    return fast


def check_fidelity(
    fast: Generator, exact: Generator, shown: Sequence[Tensor], backend: Backend
) -> float:
    """The worst PSNR, in dB, of what both make of `shown`; raises `BackendError` below 40."""
    return _fidelity(fast, [_lit(exact, x) for x in shown], shown, backend)


def _fidelity(
    fast: Generator, wanted: Sequence[Tensor], shown: Sequence[Tensor], backend: Backend
) -> float:
    found = min(_psnr(one, _lit(fast, x)) for one, x in zip(wanted, shown, strict=True))
    if found < LEAST_DB:
        way_out = "torch" if backend == "openvino" else "openvino"
        words = f"comes within {found:.1f} dB of float32 here, and {LEAST_DB:g} are needed"
        raise BackendError(f"--backend {backend} {words}; use --backend {way_out}")
    return found


def verify_backends(generator: Generator) -> Iterator[str]:
    """One line for each backend that is installed; raises `BackendError` at the first that is not faithful.

    An imported network is left out of int8: how near that comes is measured when it renders, on the clip's own frames.
    """
    shown = [_noise(seed) for seed in range(4)]
    wanted = [_lit(generator, x) for x in shown]
    for backend in installed_backends():
        if backend == "openvino-int8" and isinstance(generator, ResnetGenerator):
            yield "openvino-int8 is measured at each render, and refused where it is too far"
            continue
        fast = build_backend(generator, backend, shown=shown)
        yield f"{backend} {_fidelity(fast, wanted, shown, backend):.1f} dB from float32"


def installed_backends() -> list[Backend]:
    """The values of `--backend` that would work here."""
    return [name for name, needs in BACKEND_NEEDS.items() if all(map(find_spec, needs))]


def _torch(generator: Generator, device: torch.device) -> Generator:
    """Channels last, its trunk in bf16 where that is native and near enough."""
    ready = copy.deepcopy(generator).to(device)
    ready.trunk.to(_trunk_dtype(generator, device), memory_format=torch.channels_last)  # type: ignore[call-overload]
    return ready


def _trunk_dtype(generator: Generator, device: torch.device) -> torch.dtype:
    # behind instance norm and nine sums in a row bf16 is 37 dB from float32 (random weights): too far
    exact = isinstance(generator, ResnetGenerator)
    return torch.float32 if exact else pick_trunk_dtype(device)


def _stand_in(generator: Generator, model: Any, dtype: torch.dtype) -> Generator:
    ready = copy.deepcopy(generator)
    ready.stand_in = Compiled(model, "bf16" if dtype == torch.bfloat16 else "f32")
    return ready


class Compiled:
    """An OpenVINO model, compiled for a size of pictures when it first comes."""

    def __init__(self, model: Any, precision: str) -> None:
        self._model, self._sizes = model, dict[tuple[int, ...], Any]()
        self._config = {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False,  # several renders on one machine would share the first cores
        }

    def __call__(self, x: Tensor) -> Tensor:
        """Map pictures (N, 3, H, W) in [0, 1] to what the last layer says, float32, until the next call."""
        size = tuple(x.shape)
        if size not in self._sizes:
            self._sizes[size] = self._compile(size)
        said = self._sizes[size](x.contiguous().numpy(), share_inputs=True, share_outputs=True)
        return torch.from_numpy(said[0])

    def _compile(self, size: tuple[int, ...]) -> Any:
        model = self._model.clone()
        model.reshape(list(size))
        return import_extra("openvino").Core().compile_model(model, "CPU", self._config)


def _convert(generator: Generator) -> Any:
    # in bf16 a last convolution is rounded to bf16 too, 8 bits; with a clamp fused to it, it stays float32
    layers = nn.Sequential(generator.trunk, generator.out, nn.Hardtanh(-_BOUND, _BOUND))
    openvino, sizes = import_extra("openvino"), [-1, 3, -1, -1]
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it traces, which torch is leaving
        # instance norm asks for more than one pixel, and there are always 4 and more
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
        model = openvino.convert_model(layers, example_input=torch.rand(1, 3, 64, 64), input=sizes)
    if isinstance(generator, RelitGenerator):
        _crop_by_padding(model)
    return model


def _crop_by_padding(model: Any) -> None:
    """Let transposed convolutions not compute their last row and column, rather than slice them off.

    A slice between them and their ReLU keeps both from being one step, in int8 from staying int8.
    """
    for node in model.get_ordered_ops():
        if node.get_type_name() != "Slice":
            continue
        biased = node.input_value(0).get_node()
        layer = biased.input_value(0).get_node()
        layer.set_attribute("pads_end", [pad + 1 for pad in layer.get_attributes()["pads_end"]])
        layer.set_attribute("output_padding", [0, 0])
        node.output(0).replace(biased.output(0))
    model.validate_nodes_and_infer_types()


def quantize(model: Any, shown: Sequence[Tensor]) -> Any:
    """An OpenVINO model in int8, by the ranges that its layers take where it sees what is `shown`."""
    nncf = import_extra("nncf")
    ranges = import_extra("nncf.quantization.range_estimator").RangeEstimatorParametersSet.MINMAX
    # its default is the mean of the ranges of pictures: those that differ most lost up to 18 dB
    how = nncf.AdvancedQuantizationParameters(activations_range_estimator_params=ranges)
    # its own set_log_level turns down the handlers of others
    logging.getLogger("nncf").setLevel(logging.ERROR)
    data = nncf.Dataset([x.contiguous().numpy() for x in shown])
    with contextlib.redirect_stdout(io.StringIO()):  # it draws bars
        return nncf.quantize(
            model,
            data,
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(shown),
            advanced_parameters=how,
        )


def import_extra(name: str) -> Any:
    """A module of the extra openvino. Raises `UsageError` where it is missing."""
    # both would report each use to a server of their makers
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None: not to be found
    loggers = logging.getLoggerClass()
    try:
        return importlib.import_module(name)
    except ImportError as error:
        words = f"--backend openvino needs {name}: {install_words('openvino')}"
        raise UsageError(words) from error
    finally:
        logging.setLoggerClass(loggers)  # nncf makes every later logger one of its own


@torch.inference_mode()
def _lit(generator: Generator, x: Tensor) -> Tensor:
    light = generator.light(x.to(next(generator.parameters()).device))
    return (x * light.gain.cpu() + light.offset.cpu()).clamp(0, 1)


def _psnr(wanted: Tensor, found: Tensor) -> float:
    return float(-10 * (wanted - found).square().mean().clamp(min=1e-12).log10())


def _noise(seed: int) -> Tensor:
    """A picture (1, 3, 256, 256) with as much contrast at every scale, as photographs have."""
    random = torch.Generator().manual_seed(seed)
    scales = [torch.rand(1, 3, 2**k, 2**k, generator=random) for k in range(1, 9)]
    return sum((F.interpolate(x, 256, mode="bilinear") for x in scales), torch.zeros(1)) / 8
