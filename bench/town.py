"""How near the nights of a preset come to the true nights of drawn streets that nobody learnt from, and which lamps they light.

    python -m bench.town --town DIR [--preset night] [--every N] [--json OUT] [--sheet OUT.png]

`DIR` is what `python -m tools.town` drew; of each of its held-out views a picture of the day, by sun and by overcast in turn,
is rendered as `nightfx render` does it, in its own size. Beside it stand the one-minute grade, and one colour for each view: the
true night's own mean, which nobody could know. PSNR is at each picture's best exposure. A light is lit where it stands out
from what is around it, of those that do in the true night (`bench/twins.py`); invented are lights where nothing drawn
emits any (`nightfx.metrics.invented_lights`).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bench.grades import minute_grade
from bench.paired import row_of
from bench.quality import Renderer, render_whole
from bench.twins import Twin, count_kept, psnr_matched, ssim
from nightfx import Preset, load_preset
from nightfx.metrics import invented_lights
from nightfx.metrics.pictures import luma
from nightfx.preview.sheet import draw_sheet
from nightfx.scene import LIGHTS, SURFACES
from nightfx.training.data.decode import load_picture
from nightfx.training.data.pictures import to_tensor
from nightfx.training.scene.town import DAYS, read_maps

_SHOWN = 16  # views on the sheet
Way = Callable[[Twin], Tensor]


@dataclass(frozen=True)
class TownRow:
    """How near a way comes, in the mean over views."""

    name: str
    matched: float
    """PSNR at each picture's best exposure, in dB."""
    ssim: float
    lit: dict[str, float]
    """Share of the lights, by kind."""
    invented: float
    """Lights in a picture where nothing emits any."""


def main() -> None:
    """Read the arguments, render, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--town", type=Path, required=True, help="what tools.town drew")
    parser.add_argument("--preset", nargs="*", default=["night"], help="names or folders")
    parser.add_argument("--every", type=int, default=1, help="take every so many views alone")
    parser.add_argument("--json", type=Path, help="write the figures")
    parser.add_argument("--sheet", type=Path, help="PNG of a few views")
    args = parser.parse_args()
    twins = load_views(args.town)[:: args.every]
    ways = all_ways(args.preset)
    rows = [measure(name, way, twins) for name, way in ways.items()]
    print(
        f"{'views: ' + str(len(twins)):24}{'matched':>8}{'ssim':>7}", *LIGHTS, "invented", sep="  "
    )
    for row in rows:
        lit = "".join(f"{row.lit[kind]:{len(kind) + 2}.2f}" for kind in LIGHTS)
        print(f"{row.name[-24:]:24}{row.matched:10.2f}{row.ssim:9.3f}{lit}{row.invented:10.2f}")
    if args.json:
        args.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    if args.sheet:
        few = twins[:: max(len(twins) // _SHOWN, 1)]
        renderers: dict[str, Renderer] = {name: partial(_of_day, way) for name, way in ways.items()}
        cells = [row_of(x.name, x.day, x.night, renderers) for x in few]
        Image.fromarray(draw_sheet("Days, and their true nights", "", cells)).save(args.sheet)


def load_views(town: Path) -> list[Twin]:
    """The held-out views: day, true night, and where each kind of light is seen."""
    views = sorted(path for path in (town / "held-out").glob("*") if path.suffix != ".part")
    return [_load(view, DAYS[i % len(DAYS)]) for i, view in enumerate(views)]


def _load(view: Path, day: str) -> Twin:
    lights = read_maps(view)[len(SURFACES) :] > 127
    by_day, by_night = (to_tensor(load_picture(view / f"{x}.webp").copy()) for x in (day, "night"))
    return Twin(view.name, by_day, by_night, dict(zip(LIGHTS, lights, strict=True)))


def all_ways(presets: list[str]) -> Mapping[str, Way]:
    """What a view's night is guessed by."""
    loaded = {name: load_preset(name) for name in presets}
    return {
        "one colour, the true one": lambda twin: twin.night.mean((1, 2), keepdim=True).expand_as(
            twin.night
        ),
        "one-minute grade": lambda twin: _graded(twin.day),
        **{name: partial(_rendered, preset) for name, preset in loaded.items()},
    }


def _rendered(preset: Preset, twin: Twin) -> Tensor:
    return render_whole(preset, twin.day)


def _graded(day: Tensor) -> Tensor:
    pixels = (day.numpy() * 255).round().astype(np.uint8)
    return to_tensor(minute_grade(np.ascontiguousarray(np.moveaxis(pixels, 0, -1))))


def _of_day(way: Way, day: Tensor) -> Tensor:
    return way(Twin("", day, day, {}))


def measure(name: str, way: Way, twins: list[Twin]) -> TownRow:
    """A row of the table."""
    near, invented = [], []
    counts = {kind: np.zeros(2) for kind in LIGHTS}
    for twin in twins:
        render = way(twin).float()
        near.append((psnr_matched(render, twin.night), ssim(render, twin.night)))
        lamped = torch.from_numpy(np.any(list(twin.lights.values()), axis=0))
        invented.append(invented_lights(twin.day, render, lamped))
        for kind, lights in twin.lights.items():
            counts[kind] += count_kept(luma(render), luma(twin.night), lights)
    matched, similar = np.mean(near, axis=0)
    lit = {kind: float(found / of) if of else float("nan") for kind, (found, of) in counts.items()}
    return TownRow(name, float(matched), float(similar), lit, float(np.mean(invented)))


if __name__ == "__main__":
    main()
