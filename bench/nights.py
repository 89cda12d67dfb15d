"""How near a preset comes to real nights, and whether it beats every single global colour grade.

    python -m bench.split --photos DIR --out SPLIT
    python -m bench.nights --photos SPLIT --preset night [--to night] [--json OUT]

The opponent is an ASC CDL (slope, offset, power a channel, saturation) found by search: once on the training pictures, as
the preset was, and once on the held-out pictures themselves, which no honest method may do and which is harder to beat.
Every source counts alike. Distances are in code values of 1, lower is nearer.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import torch
import torch.nn.functional as F
from torch import Tensor

from nightfx import Preset, RenderOptions, load_preset
from nightfx.engine.light import light_frames, plan_fields
from nightfx.errors import UsageError
from nightfx.metrics import (
    color_distance,
    hsp_brightness,
    patch_distance,
    sliced_wasserstein,
    structure_kept,
)
from nightfx.training.data import list_pictures, load_picture, to_tensor
from nightfx.video.color import to_rgb
from nightfx.video.frame import Frame, rgb_coding

SHORT_PX = 272  # pictures are rendered whole at this short side
CROP_PX = 256  # and measured in squares of this side
CROPS_PER_SOURCE = (
    48  # as many from each, so that each counts alike; every held-out picture comes up
)
MULTIPLE_PX = 8
TUNING_PATCHES = 1500  # the search looks at so many 16×16 patches of either set
PATCH_PX = 16
RANDOM_GRADES = 400  # first guesses; the best of them are refined
STARTS = 3
ROUNDS = 40  # of refinement at most; steps are halved when none helps, and end at 1/32
BT709 = (0.2126, 0.7152, 0.0722)

Renderer = Callable[[Tensor], Tensor]
Sides = tuple[list[Tensor], Tensor]


@dataclass(frozen=True)
class Row:
    """What the table says of one way to make nights, measured on held-out pictures."""

    name: str
    colour: float
    patch: float
    both: float
    brightness: float
    structure: float


@dataclass(frozen=True)
class Grade:
    """An ASC CDL (v1.2): saturation(clip(x · slope + offset) ^ power), the exchange format of graders.

    It holds exposure, tint, gamma, contrast, black lift and saturation.
    """

    slope: tuple[float, ...]
    offset: tuple[float, ...]
    power: tuple[float, ...]
    saturation: float

    def apply(self, x: Tensor) -> Tensor:
        """Grade pictures (3, H, W) or (N, 3, H, W); the result is in [0, 1]."""
        slope, offset, power, luma = (
            x.new_tensor(v).view(3, 1, 1) for v in (self.slope, self.offset, self.power, BT709)
        )
        v = (x * slope + offset).clamp(0, 1) ** power
        y = (v * luma).sum(-3, keepdim=True)
        return (y + self.saturation * (v - y)).clamp(0, 1)


def main() -> None:
    """Read the arguments, measure, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, required=True, help="what bench.split wrote")
    parser.add_argument("--preset", nargs="*", default=[], help="names or folders; none: opponents")
    parser.add_argument("--json", type=Path, help="write everything that the table rests on")
    parser.add_argument("--grades", type=Path, help="take the grades from an earlier --json")
    parser.add_argument("--to", choices=["night", "day"], default="night", help="the class wanted")
    args = parser.parse_args()
    presets = [
        (f"preset {name}{how}", renderer(load_preset(name)))
        for name in args.preset
        for how, renderer in (("", preset_renderer), (", rendered", look_renderer))
    ]
    plates, wanted = load_sides(args.photos / "held-out", args.to)
    if args.grades:
        grades = read_grades(args.grades)
    else:
        training = load_sides(args.photos / "train", args.to)
        grades = search_grades({"training": training, "held-out": (plates, wanted)})
    ways: list[tuple[str, Renderer]] = [("plate", lambda x: x)]
    ways += [(name, grade.apply) for name, grade in grades.items()]
    rows = [compare(name, render, plates, wanted) for name, render in [*ways, *presets]]
    print(format_table(rows, f"real {args.to}s", hsp_brightness(wanted)))
    if args.json:
        args.json.write_text(to_json(rows, grades, wanted), encoding="utf-8")


def search_grades(parts: dict[str, Sides]) -> dict[str, Grade]:
    """What a preset must beat: the best grade as searched on each part of the split."""
    return {
        f"grade, from {name}": best_grade(crop_all(plates), wanted)
        for name, (plates, wanted) in parts.items()
    }


def read_grades(path: Path) -> dict[str, Grade]:
    """The grades that an earlier run found and wrote: the search takes minutes."""
    found = json.loads(path.read_text(encoding="utf-8"))["grades"]
    return {name: Grade(**numbers) for name, numbers in found.items()}


def best_grade(days: Tensor, nights: Tensor, *, effort: int = 1) -> Grade:
    """The grade of `days` that comes nearest to `nights`, both (N, 3, H, W): colour plus patch distance.

    Random guesses, then steps along one number or one kind of number at a time; no chance but a fixed seed.
    """
    tuning = _draw_patches(days), _draw_patches(nights)
    guesses = sorted((_cost(x, *tuning), x.tolist()) for x in _guess(RANDOM_GRADES * effort))
    refined = [_refine(torch.tensor(x), cost, tuning) for cost, x in guesses[: STARTS * effort]]
    return _to_grade(min(refined, key=lambda found: found[0])[1])


def _draw_patches(pictures: Tensor) -> Tensor:
    # patches of their own: both distances then see the same sample, and few enough pixels to search with
    rng = torch.Generator().manual_seed(1)
    columns = F.unfold(pictures, PATCH_PX, stride=PATCH_PX).transpose(1, 2).flatten(0, 1)
    chosen = columns[torch.randperm(len(columns), generator=rng)[:TUNING_PATCHES]]
    return chosen.view(-1, 3, PATCH_PX, PATCH_PX)


def _cost(x: Tensor, days: Tensor, nights: Tensor) -> float:
    # both distances on fewer points and directions: one takes 0.1 s of a core instead of seconds
    graded = _to_grade(x).apply(days)
    pixels, wanted = (v[..., 4::8, 4::8].movedim(1, -1).reshape(-1, 3) for v in (graded, nights))
    return sliced_wasserstein(pixels, wanted) + sliced_wasserstein(
        graded.flatten(1), nights.flatten(1)
    )


def _to_grade(x: Tensor) -> Grade:
    slope, offset, power = (tuple(v.tolist()) for v in (x[:3].exp2(), x[3:6], x[6:9].exp2()))
    return Grade(slope, offset, power, float(x[9].clamp(0, 3)))


def _guess(count: int) -> Tensor:
    # stops of slope, offset, stops of power, each common to the channels and with a tint; saturation
    rng = torch.Generator().manual_seed(2)
    u = torch.rand(count, 13, generator=rng) * 2 - 1
    slope = -1.5 + 2.5 * u[:, :1] + 0.5 * u[:, 1:4]
    offset = -0.05 + 0.15 * u[:, 4:5] + 0.05 * u[:, 5:8]
    power = 0.5 + 1.5 * u[:, 8:9] + 0.3 * u[:, 9:12]
    return torch.cat([slope, offset, power, 1 + 0.8 * u[:, 12:]], dim=1)


def _refine(x: Tensor, cost: float, tuning: tuple[Tensor, Tensor]) -> tuple[float, Tensor]:
    scale = torch.tensor([0.5] * 3 + [0.06] * 3 + [0.4] * 3 + [0.3])
    kinds = torch.block_diag(torch.ones(1, 3), torch.ones(1, 3), torch.ones(1, 3), torch.ones(1))
    directions = torch.cat([torch.eye(10), kinds[:3]]) * scale
    size = 1.0
    for _ in range(ROUNDS):
        before = cost
        for step in torch.cat([directions, -directions]) * size:
            moved = _cost(x + step, *tuning)
            if moved < cost:
                x, cost = x + step, moved
        if cost > before * 0.999:
            size /= 2
        if size < 1 / 32:
            break
    return cost, x


def compare(name: str, render: Renderer, plates: list[Tensor], wanted: Tensor) -> Row:
    """Render every one of `plates`, (3, H, W) each, and measure the crops against `wanted` (N, 3, H, W)."""
    unique = {id(x): x for x in plates}
    rendered = {key: render(x) for key, x in unique.items()}
    before, after = crop_all(plates), crop_all([rendered[id(x)] for x in plates])
    colour, patch = color_distance(after, wanted), patch_distance(after, wanted)
    brightness, structure = hsp_brightness(after), structure_kept(before, after)
    return Row(name, colour, patch, colour + patch, brightness, structure)


def preset_renderer(preset: Preset) -> Renderer:
    """A function from a picture (3, H, W) to its render."""
    return lambda x: render_photo(preset, x)


def look_renderer(preset: Preset) -> Renderer:
    """A function from a picture (3, H, W) to what `nightfx render` makes of it, by relight and with the preset's look."""
    return lambda x: render_whole(preset, x)


def render_whole(preset: Preset, x: Tensor) -> Tensor:
    """The render of `x`, (3, H, W) in [0, 1], as a picture of 16 bits."""
    options = RenderOptions(method="relight")
    planes = tuple(plane.numpy() for plane in (x * 65535).round().to(torch.uint16))
    frame = Frame(planes, rgb_coding(16, alpha=False), 0, Fraction(1, 24))
    plan = plan_fields(lambda: [frame], preset.generator, preset, options)
    (lit,) = light_frames([frame], preset.generator, options, frame.coding, plan)
    return torch.from_numpy(to_rgb(lit))


@torch.inference_mode()
def render_photo(preset: Preset, x: Tensor) -> Tensor:
    """The generator's picture of `x`, (3, H, W) in [0, 1]; padded to a multiple of 8 and cropped back."""
    height, width = x.shape[-2:]
    padding = (0, -width % MULTIPLE_PX, 0, -height % MULTIPLE_PX)
    picture: Tensor = preset.generator(F.pad(x[None], padding, mode="reflect")).clamp(0, 1)
    return picture[0, :, :height, :width]


def load_sides(part: Path, to: str) -> Sides:
    """Plates, whole pictures (3, H, W), and crops of the class wanted (N, 3, 256, 256); as many of each source.

    Those of small sources repeat.
    """
    plates = load_balanced(part / ("day" if to == "night" else "night"))
    return plates, crop_all(load_balanced(part / to))


def crop_all(pictures: list[Tensor]) -> Tensor:
    """One square of each picture, (N, 3, 256, 256); places depend on the position in the list alone."""
    rng = torch.Generator().manual_seed(0)
    return torch.stack([_crop(x, rng) for x in pictures])


def _crop(x: Tensor, rng: torch.Generator) -> Tensor:
    at = torch.rand(2, generator=rng)
    top, left = (int(a * (side - CROP_PX + 1)) for a, side in zip(at, x.shape[1:], strict=True))
    return x[:, top : top + CROP_PX, left : left + CROP_PX]


def load_balanced(folder: Path) -> list[Tensor]:
    """Whole pictures (3, H, W), `CROPS_PER_SOURCE` of each source."""
    sources = sorted(path for path in folder.glob("*") if path.is_dir())
    if not sources:
        raise UsageError(f"{folder}: no folders of pictures by source; make them with bench.split")
    return [x for source in sources for x in _load_source(source)]


def _load_source(folder: Path) -> list[Tensor]:
    paths = list_pictures(folder)
    chosen = [paths[i * len(paths) // CROPS_PER_SOURCE] for i in range(CROPS_PER_SOURCE)]
    loaded = {path: _load(path) for path in set(chosen)}
    return [loaded[path] for path in chosen]


def _load(path: Path) -> Tensor:
    pixels = load_picture(path)
    scale = SHORT_PX / min(pixels.shape[:2])
    height, width = (round(side * scale) for side in pixels.shape[:2])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return to_tensor(cv2.resize(pixels, (width, height), interpolation=method))


def format_table(rows: list[Row], real: str, brightness: float) -> str:
    """The rows under a header, with the brightness of real pictures as the last line."""
    lines = [f"{'':24}{'colour':>8}{'patch':>8}{'both':>8}{'bright':>8}{'structure':>11}"]
    for r in rows:
        figures = (
            f"{r.colour:8.4f}{r.patch:8.4f}{r.both:8.4f}{r.brightness:8.3f}{r.structure:11.3f}"
        )
        lines.append(f"{r.name[-24:]:24}{figures}")
    return "\n".join([*lines, f"{real:24}{brightness:32.3f}"])


def to_json(rows: list[Row], grades: dict[str, Grade], wanted: Tensor) -> str:
    """Everything that the table rests on."""
    facts = {
        "rows": [asdict(row) for row in rows],
        "grades": {name: asdict(grade) for name, grade in grades.items()},
        "brightness_wanted": hsp_brightness(wanted),
    }
    return json.dumps(facts, indent=2) + "\n"


if __name__ == "__main__":
    main()
