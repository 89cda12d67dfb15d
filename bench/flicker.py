"""How steady a render is beside its plate: the relight method with and without steadying, and the tiles method.

    python -m bench.flicker CLIP… [--preset night] [--frames 48] [--tiles] [--json OUT]

1.00 is as steady as the plate (`nightfx.metrics.flicker` has the formula); measured at half the clip's size, before the
encoder.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from nightfx import Preset, RenderOptions, load_preset
from nightfx.apply.finish import Written
from nightfx.job.asked import complete_options
from nightfx.light.light import light_frames
from nightfx.light.lighting import Footage, build_lighting
from nightfx.metrics import flicker
from nightfx.picture.color import to_rgb
from nightfx.picture.frame import Frame
from nightfx.source.reader import Reader


def main() -> None:
    """Read the arguments, measure, print a line a clip."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--preset", default="night")
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--tiles", action="store_true", help="the tiles method too; slow")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    ways = {
        "steadied": RenderOptions.of(method="relight"),
        "not steadied": RenderOptions.of(method="relight", steady=0.0),
    }
    ways |= {"tiles": RenderOptions.of(method="tiles")} if args.tiles else {}
    found = {
        clip.name: {
            name: measure(clip, load_preset(args.preset), options, args.frames)
            for name, options in ways.items()
        }
        for clip in args.clips
    }
    for clip, figures in found.items():
        print(f"{clip:28} " + "  ".join(f"{name} {value:.3f}" for name, value in figures.items()))
    if args.json:
        args.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def measure(clip: Path, preset: Preset, options: RenderOptions, count: int) -> float:
    """Flicker of the first `count` frames of `clip`, rendered, over that of the plate."""
    with Reader(clip) as reader:
        plates = list(islice(reader.frames(), count))
    options = complete_options(options, preset)
    footage = Footage(lambda: plates)
    lighting = build_lighting(preset, footage, options.look, options.light, options.field)
    lit = light_frames(plates, lighting, Written(plates[0].coding))
    return flicker(_halved(plates), _halved(lit))


def _halved(frames: list[Frame] | Iterator[Frame]) -> Iterator[Tensor]:
    for frame in frames:
        rgb = to_rgb(frame).transpose(1, 2, 0)
        half = cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        yield torch.from_numpy(np.ascontiguousarray(half.transpose(2, 0, 1)))


if __name__ == "__main__":
    main()
