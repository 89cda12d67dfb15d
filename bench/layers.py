"""How fast nightfx is, beside what a user would write and beside the machine itself.

    python -m bench layers [--preset night] [--clip examples/street.mp4] [--rounds 5] [--frames 48] [--sizes 720 1080] [--groups generator light whole] [--json OUT]

One process, every row in each round, so that a noisy machine is noisy for all of them; medians and minima in ms a frame,
and ratios within the run. The naive rows are what one would write (`naive.py`): 256-px tiles with 32 px of overlap, one
at a time, eager float32, in whole renders between OpenCV's reader and writer. The peak is that of the trunk's own widest
convolution, alone, in the trunk's dtype. Whole renders use x264 veryfast, the null transcode too; dB are those of fields
carried, on the planes before they are encoded, to a field for every frame, and of the draft to the full network. Memory is that of a process of its own.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor, nn

from bench.naive import TILE_PX, naive_picture, naive_render
from bench.render import format_memory, make_input
from bench.render import measure as measure_memory
from nightfx import Preset, RenderOptions, load_preset
from nightfx.ahead import prefetch
from nightfx.apply.field import apply_field
from nightfx.apply.finish import Written
from nightfx.job.asked import complete_options
from nightfx.job.segment import DEPTH_FRAMES
from nightfx.light.fit import FieldPlan, field_of
from nightfx.light.light import light_frames
from nightfx.light.lighting import Footage, Lighting, plan_fields, plan_sky
from nightfx.light.see import see
from nightfx.light.tiling import light_of
from nightfx.network.backends import build_backend, installed_backends
from nightfx.network.model import Generator, RelitGenerator, pick_trunk_dtype
from nightfx.options.encode import EncodeOptions
from nightfx.options.light import Backend
from nightfx.picture.color import to_rgb
from nightfx.picture.frame import Coding, Frame
from nightfx.source.decoding import VARIABLE, cores
from nightfx.source.reader import Reader
from nightfx.target.codecs import plan_output
from nightfx.target.writer import write_clip

SIZES = {720: (1280, 720), 1080: (1920, 1080)}
MEMORY_FLAGS = ("--method", "relight", "--speed", "veryfast")  # the encoder as in whole renders
GROUPS = ("generator", "light", "whole")
PEAK = "convolution peak, alone"
NAIVE_FRAMES = 3  # of a whole render: it takes seconds for each

Every = Literal[1, 2, 4]
CARRIED: tuple[Every, ...] = (2, 4)
EACH: tuple[Every, ...] = (1, 2, 4)
DRAFT = "relight draft, torch"

Work = Callable[[], object]
Lighter = Callable[[Iterator[Frame], Coding], Iterator[Frame]]


@dataclass(frozen=True)
class Row:
    """One way of doing one thing, in ms a frame."""

    group: str
    name: str
    median_ms: float
    least_ms: float
    ratio: float
    """Of medians: the group's first row over this one, and for whole renders this one over the first."""
    note: str = ""


def main() -> None:
    """Read the arguments, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--preset", default="night")
    parser.add_argument("--clip", type=Path, default=Path("examples/street.mp4"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=48, help="of each whole render")
    parser.add_argument("--sizes", type=int, nargs="+", choices=list(SIZES), default=[720, 1080])
    parser.add_argument("--groups", nargs="+", choices=GROUPS, default=GROUPS)
    parser.add_argument("--memory-frames", type=int, nargs="*", default=[300])
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    preset = load_preset(args.preset)
    print(machine())
    rows, memory = [], []
    with TemporaryDirectory() as folder:
        for lines in args.sizes:
            size = "{}x{}".format(*SIZES[lines])
            source = make_input(args.clip, Path(folder, f"{lines}.mp4"), size, args.frames)
            for row in measure(preset, source, lines, args.rounds, args.groups):
                print(format_row(row), flush=True)
                rows.append(row)
    size = "{}x{}".format(*SIZES[max(args.sizes)])
    for count in args.memory_frames:
        for used in measure_memory(args.clip, size, count, MEMORY_FLAGS):
            print(format_memory(used), flush=True)
            memory.append(asdict(used))
    if args.json:
        facts = {"machine": machine(), "rows": [asdict(row) for row in rows], "memory": memory}
        args.json.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def measure(
    preset: Preset, source: Path, lines: int, rounds: int, groups: Sequence[str] = GROUPS
) -> Iterator[Row]:
    """The groups of rows for one size."""
    with Reader(source) as reader:
        frame = next(reader.frames())
    backends = {
        name: build_backend(preset.generator, name, shown=_shown(frame))
        for name in installed_backends()
    }
    if "generator" in groups:
        work = generators(preset.generator, backends, frame)
        found = in_rows(f"generator {lines}", work, rounds)
        yield from _with_speeds(found, preset.generator, frame.height, frame.width)
    relights = {f"relight, {name}": generator for name, generator in backends.items()}
    exact = dict(relights)  # what each is compared with
    if preset.facts.draft:
        relights[DRAFT], exact[DRAFT] = build_backend(preset.draft, "torch"), backends["torch"]
    if "light" in groups:
        yield from in_rows(f"light a frame {lines}", lighting(preset, relights, frame), rounds)
    if "whole" not in groups:
        return
    notes = {
        f"{name}, every {every}": f"{carried_db(preset, exact[name], generator, source, every):.1f} dB"
        for name, generator in relights.items()
        for every in (EACH if name == DRAFT else CARRIED)
    }
    renderings = renders(preset, relights, source)
    for row in in_rows(f"whole render {lines}", renderings, rounds, up=True):
        yield replace(row, note=notes.get(row.name, ""))


def _with_speeds(
    rows: Iterator[Row], generator: Generator, height: int, width: int
) -> Iterator[Row]:
    found = list(rows)
    peak = 2 * 9 * 128 * 128 * (height // 8) * (width // 8) / found[-1].median_ms
    work = flops(generator, height, width)
    for row in found[:-1]:
        speed = work / row.median_ms
        yield replace(
            row, note=f"{speed / 1e6:.0f} GFLOP/s, {100 * speed / peak:.0f} % of the peak"
        )
    yield replace(found[-1], note=f"{peak / 1e6:.0f} GFLOP/s")


def generators(
    exact: Generator, backends: dict[Backend, Generator], frame: Frame
) -> dict[str, Work]:
    """The generator alone, at full size."""
    rgb = to_rgb(frame)
    # a copy: `to` would lay out the naive row's weights anew as well
    whole = copy.deepcopy(exact).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    work: dict[str, Work] = {
        "naive tile loop, float32": lambda: naive_picture(exact, rgb.clip(0, 1)),
        "whole frame, float32": lambda: light_of(whole, rgb, "whole"),
    }
    for name, generator in backends.items():
        work[f"whole frame, {name}"] = partial(light_of, generator, rgb, "whole")
        work[f"256 px tiles, {name}"] = partial(light_of, generator, rgb, TILE_PX)
    work[PEAK] = peak(frame)
    return work


def flops(generator: Generator, height: int, width: int) -> float:
    """Multiplications and additions of one pass."""
    total = 0

    def count(layer: nn.Module, _: object, out: Tensor) -> None:
        nonlocal total
        assert isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d))
        of_out = isinstance(layer, nn.Conv2d)
        positions = out[0, 0].numel() // (1 if of_out else 4)
        total += 2 * layer.weight.numel() * positions

    hooks = [
        layer.register_forward_hook(count)
        for layer in generator.modules()
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d))
    ]
    with torch.inference_mode():
        generator.out(generator.trunk(torch.zeros(1, 3, height // 8 * 8, width // 8 * 8)))
    for hook in hooks:
        hook.remove()
    return float(total)


def peak(frame: Frame) -> Work:
    """The trunk's widest layer alone, in the trunk's own dtype: 128 to 128 channels on an eighth of the frame."""
    dtype = next(build_backend(RelitGenerator(), "torch").trunk.parameters()).dtype
    layer = nn.Conv2d(128, 128, 3, padding=1).to(dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
    x = torch.rand(1, 128, frame.height // 8, frame.width // 8).to(
        dtype, memory_format=torch.channels_last
    )
    return torch.inference_mode()(lambda: layer(x))


def lighting(preset: Preset, relights: dict[str, Generator], frame: Frame) -> dict[str, Work]:
    """From a decoded frame to a lit one: generator, fit and apply, a field for every frame."""
    work: dict[str, Work] = {
        "naive tile loop, float32": lambda: naive_picture(
            preset.generator, to_rgb(frame).clip(0, 1)
        )
    }
    for name, generator in relights.items():
        work[name] = partial(light, frame, generator, FieldPlan())
    return work


def light(frame: Frame, generator: Generator, plan: FieldPlan) -> Frame:
    """One frame by relight, not steadied."""
    return apply_field(frame, field_of(see(frame, plan.height), generator, plan), frame.coding)


def renders(preset: Preset, relights: dict[str, Generator], source: Path) -> dict[str, Work]:
    """From file to file, x264 veryfast; steadied, dithered; each says how many frames it rendered."""
    work: dict[str, Work] = {"null transcode": lambda: transcode(source, None)}
    work["naive, OpenCV"] = partial(_naive_file, preset.generator, source)
    for name, generator in relights.items():
        for every in EACH:
            light = _lighter(preset, generator, every)
            work[f"{name}, every {every}"] = partial(transcode, source, light)
    return work


def _naive_file(generator: Generator, source: Path) -> int:
    with TemporaryDirectory() as folder:
        return naive_render(generator, source, Path(folder, "out.mp4"), NAIVE_FRAMES)


def _lighter(preset: Preset, generator: Generator, every: Every) -> Lighter:
    options = complete_options(RenderOptions.of(method="relight", field_every=every), preset)
    plan = plan_fields(Footage(), generator, preset, options.field)
    return partial(
        _relit, Lighting(generator, options.look, plan, sky=plan_sky(preset, options.look))
    )


def carried_db(
    preset: Preset, wanted: Generator, found: Generator, source: Path, every: Every
) -> float:
    """PSNR of a clip's planes with fields of `found` carried over `every` frames to those of `wanted` for each."""
    errors = []
    with Reader(source) as first, Reader(source) as second:
        coding = first.info.coding
        exact = _lighter(preset, wanted, 1)(first.frames(), coding)
        carried = _lighter(preset, found, every)(second.frames(), coding)
        for a, b in zip(exact, carried, strict=True):
            for p, q in zip(a.planes, b.planes, strict=True):
                errors.append((p.size, np.square(p - q.astype(np.float32)).sum(dtype=np.float64)))
    sizes, sums = map(sum, zip(*errors, strict=True))
    return float(-10 * np.log10(max(sums / sizes / coding.peak**2, 1e-12)))


def _relit(light: Lighting, frames: Iterator[Frame], coding: Coding) -> Iterator[Frame]:
    return light_frames(frames, light, Written(coding))


def transcode(source: Path, light: Lighter | None) -> int:
    """Decode, light and encode, each in a thread of its own as a render does; without `light` nothing is changed. Returns the frames."""
    # alone, a decoder has all cores
    alone = {} if light else {VARIABLE: str(cores())}
    with patch.dict(os.environ, alone), Reader(source) as reader, TemporaryDirectory() as folder:
        plan = plan_output(reader.info, ".mp4", EncodeOptions(crf=18, speed="veryfast"))
        frames: Iterator[Frame] = prefetch(reader.frames(), DEPTH_FRAMES)
        frames = prefetch(light(frames, plan.coding), DEPTH_FRAMES) if light else frames
        target = Path(folder, "out.mp4")
        return write_clip(frames, target, source=source, info=reader.info, plan=plan, on_note=print)


def _shown(frame: Frame) -> list[Tensor]:
    """What int8 is quantised with: the frame at working height and, for tiles, at full size."""
    small = see(frame, FieldPlan().height).small
    return [torch.from_numpy(small)[None].clamp(0, 1)]


def in_rows(group: str, work: dict[str, Work], rounds: int, *, up: bool = False) -> Iterator[Row]:
    """Time each piece of work once a round, after a round that does not count; it may say how many frames it did."""
    taken: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(rounds + 1):
        for name, piece in work.items():
            started = time.perf_counter()
            done = piece()
            frames = done if isinstance(done, int) else 1
            if turn:
                taken[name].append((time.perf_counter() - started) * 1000 / frames)
    first = statistics.median(next(iter(taken.values())))
    for name, values in taken.items():
        median = statistics.median(values)
        yield Row(group, name, median, min(values), median / first if up else first / median)


def format_row(row: Row) -> str:
    """One line of the table."""
    return f"{row.group:20} {row.name:34} {row.median_ms:9.1f} {row.least_ms:9.1f} {row.ratio:7.2f}  {row.note}"


def machine() -> str:
    """What this ran on."""
    kind = "bf16" if pick_trunk_dtype(torch.device("cpu")) == torch.bfloat16 else "float32"
    return f"{platform.machine()}, {torch.get_num_threads()} threads, {kind}, torch {torch.__version__}"


if __name__ == "__main__":
    main()
