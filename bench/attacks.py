"""Show the judge what it must not be fooled by: faults put into renders on purpose, and what each does to the figures.

    python -m bench.attacks --photos SPLIT --preset night [--every 4] [--sheet OUT.png]

Held-out days in which the scene network sees a sky over something, rendered by the preset, and the same renders with: a pink
sky, as single grades make it; smoke along the skyline, as the darkening of skies before mattes left it; walls near the sky in
black; a rim of daylight along the edge; lamps painted into the sky, and into crowns of trees. Each must worsen its figure.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from bench.quality import Renderer, load_sides, measure, render_whole
from nightfx import load_preset
from nightfx.quality.contacts import write_contacts
from nightfx.quality.table import format_table
from nightfx.scene import Scene, scene_of, sky_of

Attack = Callable[[Tensor, Tensor, Scene], Tensor]
"""A render, its plate, both (3, H, W), and what the plate shows, to the render with a fault in it."""
LEAST_SKY = 0.1
SMOKE_PX, BLACK_PX, RIM_PX = 20, 24, 2  # of 272 lines, from the sky on
LAMPS, LAMP_PX = 3, 4


def main() -> None:
    """Read the arguments, render, spoil, measure, print the table."""
    args = _parse()
    plates, real = load_sides(args.photos, "held-out", "night", None)
    plates = [x for x in plates if LEAST_SKY < float(sky_of(x[2]).mean()) < 1 - LEAST_SKY]
    plates = plates[:: args.every]
    # each picture is rendered once, and spoilt six times
    preset = load_preset(args.preset)
    rendered = {plate: render_whole(preset, plate) for *_, plate in plates}
    render: Renderer = rendered.__getitem__
    ways: list[tuple[str, Renderer]] = [(args.preset, render), *attacked(render)]
    rows = []
    for name, way in ways:
        row, pictures = measure(name, way, plates, real, None)
        rows.append(row)
        print(f"{name}: night {row.night:.2f} darker {row.darker} misplaced {row.misplaced}")
        if args.sheet:
            write_contacts(pictures, real.range, args.sheet / f"{name}.png", name)
    print(format_table(rows, real.range))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, required=True, help="what bench.split wrote")
    parser.add_argument("--preset", default="night")
    parser.add_argument("--every", type=int, default=1, help="take every so many plates alone")
    parser.add_argument("--sheet", type=Path, help="folder for a sheet of each attack")
    return parser.parse_args()


def attacked(render: Renderer) -> list[tuple[str, Renderer]]:
    """The renderer with each fault."""
    found: dict[str, Attack] = {
        "pink sky": pink_sky,
        "smoke": smoke,
        "black walls": black_walls,
        "rim of daylight": rim,
        "lamps in the sky": partial(lamps, kind="sky"),
        "lamps in crowns": partial(lamps, kind="leaves"),
    }
    return [(name, partial(_spoilt, render, attack)) for name, attack in found.items()]


def _spoilt(render: Renderer, attack: Attack, plate: Tensor) -> Tensor:
    return attack(render(plate), plate, scene_of(plate)).clamp(0, 1)


def pink_sky(render: Tensor, plate: Tensor, scene: Scene) -> Tensor:
    """The day's sky, less bright and pink."""
    sky = _sized(scene.of("sky"), plate)
    return render + sky * (plate * plate.new_tensor((0.55, 0.38, 0.42)).view(3, 1, 1) - render)


def smoke(render: Tensor, plate: Tensor, scene: Scene) -> Tensor:
    """What lies below the sky fades into the dark above it."""
    away = _away(scene, plate)
    return render * (1 - (away > 0) * 0.8 * torch.exp(-((away / SMOKE_PX) ** 2)))


def black_walls(render: Tensor, plate: Tensor, scene: Scene) -> Tensor:
    """What is within 24 px of the sky is next to black."""
    away = _away(scene, plate)
    return torch.where((away > 0) & (away <= BLACK_PX), 0.02 * render, render)


def rim(render: Tensor, plate: Tensor, scene: Scene) -> Tensor:
    """The plate's own light is left within 2 px of the edge."""
    away = _away(scene, plate)
    return torch.where((away > 0) & (away <= RIM_PX), 0.7 * plate.amax((1, 2), True), render)


def lamps(render: Tensor, plate: Tensor, scene: Scene, *, kind: str) -> Tensor:
    """Three lamps wherever the plate shows most surely what carries none."""
    free = cv2.erode(_sized(scene.of(kind), plate).numpy(), np.ones((13, 13), np.uint8))
    y, x = np.mgrid[: free.shape[0], : free.shape[1]]
    for _ in range(LAMPS):
        top, left = np.unravel_index(int(free.argmax()), free.shape)
        if free[top, left] < 0.8:
            break
        square = (y - top) ** 2 + (x - left) ** 2
        glow = torch.from_numpy(np.exp(-((square / LAMP_PX**2) ** 2)).astype(np.float32))
        render = torch.maximum(render, glow * render.new_tensor((1.0, 0.85, 0.6)).view(3, 1, 1))
        free[square < 40**2] = 0
    return render


def _away(scene: Scene, plate: Tensor) -> Tensor:
    """How many px each pixel lies from the sky, 0 in it."""
    outside = (_sized(scene.of("sky"), plate).numpy() < 0.5).astype(np.uint8)
    return torch.from_numpy(cv2.distanceTransform(outside, cv2.DIST_L2, 5))


def _sized(of: np.ndarray, plate: Tensor) -> Tensor:
    return torch.from_numpy(cv2.resize(of, (plate.shape[2], plate.shape[1])))


if __name__ == "__main__":
    main()
