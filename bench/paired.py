"""How near renders come to true nights: of streets drawn by day and by night, and of webcams that saw both.

    python -m bench.paired [--preset night] [--streets 4] [--twins DIR] [--blender PYTHON] [--json OUT] [--sheet PNG]
    python -m bench.paired --photos DIR [--part held-out] [--preset night] [--json OUT]

Streets are compared pixel by pixel: PSNR in dB, the same at each picture's best exposure, SSIM, and the share of the
lights of the true night that stand out, by kind (`bench/twins.py`). A flat picture in the night's mean colour says what
darkness alone is worth. Webcams are compared by means over a view's own nights (`bench/views.py`), beside what two of
those nights differ by. Both have the plate and a hand grade as opponents (`bench/grades.py`).
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from bench.grades import hand_grade
from bench.quality import Renderer, both_ways
from bench.twins import KINDS, Nearness, Twin, flat_nights, load_twins, measure_twins
from bench.views import Likeness, View, load_views, mean_view, measure_floor, measure_view
from nightfx import load_preset
from nightfx.preview.scopes import Pixels
from nightfx.preview.sheet import Cell, draw_sheet
from nightfx.preview.shown import to_pixels

ROOT = Path(__file__).parents[1]
SCRIPT, TWINS = "tools.street", ROOT / "examples" / "twins"
SIDES = {
    "day": ("--webp", "84"),
    "night": ("--night", "--webp", "84"),
    "lights": ("--lights", "--webp", "100"),
}
CELL_PX = 400  # the width of a picture on the sheet
DRAWN = ("--frames", "30", "--size", "640x360", "--samples", "8")


def main() -> None:
    """Read the arguments, measure, print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", nargs="*", default=["night"], help="names or folders")
    parser.add_argument("--streets", type=int, default=4, help="0: none")
    parser.add_argument("--twins", type=Path, default=TWINS, help="folder of drawn streets")
    parser.add_argument(
        "--blender", help="a Python with bpy: it draws the streets that are missing"
    )
    parser.add_argument("--photos", type=Path, help="folder with manifest.csv and webcam pictures")
    parser.add_argument("--part", default="held-out", help="of bench.split's parts, or all")
    parser.add_argument("--json", type=Path, help="write everything that the tables rest on")
    parser.add_argument(
        "--sheet", type=Path, help="a PNG to look at: each street and view, every way"
    )
    args = parser.parse_args()
    facts: dict[str, Any] = {}
    cells: list[list[Cell]] = []
    renderers = dict(ways(args.preset))
    if args.streets:
        if args.blender:
            draw_streets(args.blender, args.twins, args.streets)
        twins = load_twins(args.twins, args.streets)
        facts["streets"] = on_streets(twins, renderers)
        cells += [row_of(twin.name, twin.day, twin.night, renderers) for twin in twins]
    if args.photos:
        views = list(load_views(args.photos, args.part))
        facts["views"] = on_views(views, renderers)
        cells += [row_of(view.name, view.days[0], view.nights[0], renderers) for view in views]
    if args.sheet:
        Image.fromarray(draw_sheet("Days, and their true nights", "", cells)).save(args.sheet)
    if args.json:
        text = json.dumps(_plain(facts), indent=2, allow_nan=False)
        args.json.write_text(text + "\n", encoding="utf-8")


def ways(presets: Iterable[str]) -> Iterator[tuple[str, Renderer]]:
    """Each way to make a night by its name: the plate as it is, a hand grade, each preset's network and its render."""
    yield "plate", lambda x: x
    yield "hand grade", hand_grade
    for name in presets:
        yield from both_ways(load_preset(name))


def draw_streets(python: str, folder: Path, streets: int) -> None:
    """Draw those of the first so many streets that `folder` lacks, in all three ways."""
    for street in range(1, streets + 1):
        for side, flags in SIDES.items():
            out = folder / str(street) / side
            if not any(out.glob("*.*")):
                words = ["-m", SCRIPT, "--street", street, "--out", out.resolve(), *DRAWN, *flags]
                subprocess.run([python, *map(str, words)], check=True, stdout=sys.stderr, cwd=ROOT)


def on_streets(twins: list[Twin], renderers: dict[str, Renderer]) -> dict[str, Any]:
    """Measure every way on the streets, and print the table."""
    print(
        f"{'streets, ' + str(len(twins)) + ' pictures':26}{'psnr':>7}{'matched':>9}{'ssim':>7}",
        end="",
    )
    print("".join(f"{kind:>9}" for kind in KINDS), flush=True)
    rows = [measure_twins("flat, the night's mean", flat_nights(twins), twins)]
    print(format_twins(rows[0]), flush=True)
    for name, render in renderers.items():
        rows.append(measure_twins(name, [render(twin.day) for twin in twins], twins))
        print(format_twins(rows[-1]), flush=True)
    return {"pictures": [twin.name for twin in twins], "rows": [asdict(row) for row in rows]}


def format_twins(row: Nearness) -> str:
    """One line of the streets' table."""
    kept = "".join(f"{row.kept[kind]:9.2f}" for kind in KINDS)
    return f"{row.name[-26:]:26}{row.psnr:7.2f}{row.matched:9.2f}{row.ssim:7.3f}{kept}"


def on_views(views: Iterable[View], renderers: dict[str, Renderer]) -> dict[str, Any]:
    """Measure every way on each view, and print the table of their means."""
    rows: dict[str, list[Likeness]] = {}
    seen = []
    for view in views:
        seen.append({"view": view.name, "days": len(view.days), "nights": len(view.nights)})
        rows.setdefault("floor", []).append(measure_floor("another night of the view", view))
        for name, render in renderers.items():
            rows.setdefault(name, []).append(measure_view(name, view, render))
    heads = ("structure", "ground", "sky", "pattern", "colour", "lights")
    print(
        f"{'webcams, ' + str(len(seen)) + ' views':26}" + "".join(f"{head:>10}" for head in heads)
    )
    means = [mean_view(of_view) for of_view in rows.values()]
    for row in means[1:] + means[:1]:
        print(format_views(row))
    by_view = {name: [asdict(row) for row in of_view] for name, of_view in rows.items()}
    return {"views": seen, "rows": [asdict(row) for row in means], "by_view": by_view}


def format_views(row: Likeness) -> str:
    """One line of the webcams' table."""
    figures = f"{row.structure:10.3f}{row.ground:10.3f}{row.sky:10.3f}{row.pattern:10.3f}"
    return f"{row.name[-26:]:26}{figures}{row.colour:10.2f}{row.lights:10.2f}"


def row_of(name: str, day: Tensor, night: Tensor, renderers: dict[str, Renderer]) -> list[Cell]:
    """A day in every way, and a night of the same street or view, (3, H, W) all; one row of the sheet."""
    cells = [Cell(_pixels(render(day)), way) for way, render in renderers.items()]
    return [*cells, Cell(_pixels(night), f"{name}, true night")]


def _pixels(picture: Tensor) -> Pixels:
    height = round(CELL_PX * picture.shape[1] / picture.shape[2])
    return to_pixels(picture.numpy(), CELL_PX, height)


def _plain(facts: Any) -> Any:
    # JSON has no word for what is not a number (the sky of a view without one) nor for the PSNR of equal pictures
    if isinstance(facts, dict):
        return {key: _plain(value) for key, value in facts.items()}
    if isinstance(facts, list):
        return [_plain(value) for value in facts]
    return None if isinstance(facts, float) and not math.isfinite(facts) else facts


if __name__ == "__main__":
    main()
