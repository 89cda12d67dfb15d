"""Render the example clip: a city street by day, or the same street truly at night.

The street is built from nothing but numbers with Blender's Python module, so the clip is free
of rights and can be remade by anyone. The same seed gives the same street by day and by night:

    python3.11 -m venv street && street/bin/pip install bpy==5.0.1 "av>=18.1,<19"
    street/bin/python -m tools.street --out day --encode examples/street.mp4
    street/bin/python -m tools.street --out night --night --encode night.mp4

A day frame takes about twenty seconds on two cores. Frames that exist are not rendered again, so
an interrupted render goes on where it stopped; with all of them there, `--encode` only encodes.
`--step 7` renders every seventh frame, and `--street N` builds another street.

`--lights` draws where the lights of the night are, and what they are: red for street lamps, green
for windows, blue for the lights of cars. examples/twins has frame 30 of four more streets in all
three ways, as `python -m bench.paired --streets 4 --blender street/bin/python` draws them.
"""

import argparse
from fractions import Fraction
from pathlib import Path

import bpy  # first: it brings what the others need

# isort: split
from tools.street.draw import build, frame_paths, glare, render, setup, show_lights
from tools.street.film import encode
from tools.street.layout import FPS, FRAMES


def main() -> None:
    """Render and encode what the command line asks for."""
    args = options()
    first, _, last = args.frames.partition("-")
    frames = range(int(first), int(last or first) + 1, args.step)
    width, height = (int(n) for n in args.size.split("x"))
    paths = frame_paths(args.out, frames, args.webp)
    if not all(path.exists() for path in paths.values()):
        build(args.seed, args.street, args.night, args.lights)
        setup((width, height), args.samples, args.night)
        if args.night:
            glare()
        if args.lights:
            show_lights()
        if args.webp:
            settings = bpy.context.scene.render.image_settings
            settings.file_format, settings.quality = "WEBP", args.webp
        render(paths)
    if args.encode:
        encode(list(paths.values()), args.encode, Fraction(FPS, args.step), args.crf)


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Render a street by day or by night.")
    parser.add_argument("--out", type=Path, required=True, help="folder of the frames")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--night", action="store_true", help="the true night of the same street")
    kinds.add_argument("--lights", action="store_true", help="what glows by night, by its kind")
    parser.add_argument("--frames", default=f"1-{FRAMES}", help="first and last frame")
    parser.add_argument("--step", type=int, default=1, help="render every n-th frame")
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--samples", type=int, default=5)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--street", type=int, default=0, help="another street of the same town")
    parser.add_argument("--webp", type=int, help="write WebP of this quality, not PNG")
    parser.add_argument("--encode", type=Path, help="the clip to write from the frames")
    parser.add_argument("--crf", type=int, default=23)
    return parser.parse_args()


if __name__ == "__main__":
    main()
