"""What a film master costs: a render from ProRes to ProRes, beside its parts.

    python -m bench.master [--clip examples/street.mp4] [--size 1920x1080] [--frames 24] [--rounds 3] [--preset night]

One process, every row in each round; medians in ms of processor time a frame, which other work on the machine changes
least. `h264 to prores` decodes H.264 of the same pictures (10 bits, 4:2:2) and writes ProRes 422 HQ, unchanged; `effect`
lights frames that were decoded before; `prores to prores` is the whole render. The ratio is that of the render to the
two together, and is to stay below 1.25.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from bench.render import make_input
from nightfx import Preset, RenderOptions, load_preset
from nightfx.ahead import prefetch
from nightfx.apply.field import apply_field, identity_field
from nightfx.apply.finish import Written
from nightfx.job.asked import complete_options
from nightfx.job.segment import DEPTH_FRAMES
from nightfx.light.light import light_frames
from nightfx.light.lighting import Footage, Lighting, plan_fields, plan_sky
from nightfx.network.backends import build_backend
from nightfx.options.encode import EncodeOptions
from nightfx.picture.frame import Coding, Frame
from nightfx.source.reader import Reader
from nightfx.target.codecs import plan_output
from nightfx.target.writer import write_clip

PRORES = EncodeOptions(codec="prores-hq")
Light = Callable[[Iterator[Frame], Coding], Iterator[Frame]]


def main() -> None:
    """Read the arguments, measure, print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, default=Path("examples/street.mp4"))
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--preset", default="night")
    args = parser.parse_args()
    print(
        f"{args.size}, {args.frames} frames, {torch.get_num_threads()} threads, ms of processor time a frame"
    )
    with TemporaryDirectory() as folder:
        rows = measure(args.clip, Path(folder), args.size, args.frames, args.rounds, args.preset)
    for name, milliseconds in rows.items():
        print(f"{name:18} {milliseconds:8.1f}")
    parts = rows["h264 to prores"] + rows["effect"]
    print(f"{'ratio':18} {rows['prores to prores'] / parts:8.2f}")


def measure(
    clip: Path, folder: Path, size: str, frames: int, rounds: int, name: str
) -> dict[str, float]:
    """Medians in ms a frame, after a round that does not count."""
    light = lighting(load_preset(name))
    master, plate, out = (folder / name for name in ("master.mov", "plate.mp4", "out.mov"))
    rewrite(make_input(clip, folder / "input.mp4", size, frames), master, None)
    rewrite(master, plate, None, EncodeOptions(codec="h264", speed="veryfast"))
    with Reader(master) as reader:
        decoded, coding = list(reader.frames()), reader.info.coding
    work: dict[str, Callable[[], object]] = {
        "h264 to prores": lambda: rewrite(plate, out, None),
        "effect": lambda: sum(1 for _ in prefetch(light(iter(decoded), coding), DEPTH_FRAMES)),
        "prores to prores": lambda: rewrite(master, out, light),
    }
    taken: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(rounds + 1):
        for name, piece in work.items():
            started = time.process_time()
            piece()
            if turn:
                taken[name].append((time.process_time() - started) * 1000 / frames)
    return {name: statistics.median(values) for name, values in taken.items()}


def lighting(preset: Preset) -> Light:
    """What a render does to frames by relight, a field for every second one."""
    options = complete_options(RenderOptions.of(method="relight", field_every=2), preset)
    generator = build_backend(preset.generator, "torch")
    plan = plan_fields(Footage(), generator, preset, options.field)
    light = Lighting(generator, options.look, plan, sky=plan_sky(preset, options.look))
    return lambda frames, coding: light_frames(frames, light, Written(coding))


def rewrite(
    source: Path, target: Path, light: Light | None, encode: EncodeOptions = PRORES
) -> None:
    """Decode, light and encode, each in a thread of its own; without `light`, frames change their depth at most."""
    with Reader(source) as reader:
        plan = plan_output(reader.info, target.suffix, encode)
        frames: Iterator[Frame] = prefetch(reader.frames(), DEPTH_FRAMES)
        frames = prefetch((light or in_coding)(frames, plan.coding), DEPTH_FRAMES)
        write_clip(frames, target, source=source, info=reader.info, plan=plan, on_note=print)


def in_coding(frames: Iterator[Frame], coding: Coding) -> Iterator[Frame]:
    """Each frame as it is, or in another depth and chroma where that differs."""
    same = identity_field(2, 2)
    for frame in frames:
        yield frame if frame.coding == coding else apply_field(frame, same, coding)


if __name__ == "__main__":
    main()
