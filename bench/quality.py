"""How good a preset's nights are on photographs kept out of training, beside baselines: the table of README and the cards.

    python -m bench.split --photos DIR --out SPLIT
    python -m bench.quality --photos SPLIT --preset night [--to night] [--paper DIR] [--looks --every 3] [--json OUT] [--sheet OUT.png]

Baselines: the plate; a hand grade (−2.6 stops in linear light, cool, desaturated); the best ASC CDL that a search finds on
the training pictures, as a preset is trained, and on the held-out pictures themselves, which no honest method may do and
which is harder to beat; `--paper`, a preset of the paper's network. A picture is rendered in its own size, networks alone see
it at 272 px of its shorter side, and there all is measured. Real pictures of other views (the validation part)
are the floor: nearer than those, the measure says little. Every source counts alike. `nightfx.quality` has the columns.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from bench.grades import Grade, Points, best_grade, hand_grade, points_of
from nightfx import Look, Preset, RenderOptions, load_preset
from nightfx.apply.finish import Written
from nightfx.errors import UsageError
from nightfx.job.asked import complete_options
from nightfx.light.grade import moonlit
from nightfx.light.light import light_frames
from nightfx.light.lighting import (
    Footage,
    Lighting,
    find_lights_of,
    moonlight_of,
    plan_fields,
    plan_lamps,
    plan_sky,
)
from nightfx.metrics import Features, load_features
from nightfx.picture.color import to_rgb
from nightfx.picture.frame import Frame, rgb_coding
from nightfx.quality.contacts import Thumb, thumb_of, write_contacts
from nightfx.quality.figures import (
    Compared,
    FigureRow,
    Portrait,
    Real,
    compare,
    facts_of,
    portray,
    summarise,
)
from nightfx.quality.table import format_table
from nightfx.training.data.decode import load_picture
from nightfx.training.data.folders import list_pictures
from nightfx.training.data.pictures import to_tensor

SHORT_PX = 272  # of the shorter side, where pictures are measured
MULTIPLE_PX = 8
TILE_PX = 128
SKIES, EXPOSURES = (0.0, 0.3, 0.6, 0.9), (0.0, 0.4, 0.8, 1.2)  # of --looks

Renderer = Callable[[Tensor], Tensor]
Photo = tuple[str, str, Tensor]
"""Name, source and picture (3, H, W)."""


def main() -> None:
    """Read the arguments, measure, print the table."""
    args = _parse()
    features = load_features(args.features, trusted=args.trust_features) if args.features else None
    plates, real = load_sides(args.photos, "held-out", args.to, features, whole=True)
    plates = plates[:: args.every]
    grades = {} if args.looks else find_grades(args.photos, args.to, args.grades)
    ways = [] if args.looks else list(baselines(args.to, grades, args.paper))
    for name in args.preset:
        preset = load_preset(name)
        ways += looks(preset) if args.looks else both_ways(preset)
    rows: list[FigureRow] = []
    pictures: list[tuple[Compared, Thumb]] = []
    for name, render in ways:
        row, pictures = measure(name, render, plates, real, features)
        rows.append(row)
        print(f"{name}: {row.distance:.4f}", flush=True)
    others = portray_all(load(args.photos / "validation" / args.to), features)
    rows.append(summarise(f"real {args.to}s, other views", others, real))
    print(format_table(rows, real.range))
    if args.json:
        args.json.write_text(to_json(rows, grades, real, pictures), encoding="utf-8")
    if args.sheet:
        write_contacts(pictures, real.range, args.sheet, ways[-1][0])


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, required=True, help="what bench.split wrote")
    parser.add_argument("--preset", nargs="*", default=[], help="names or folders")
    parser.add_argument("--to", choices=["night", "day"], default="night", help="the class wanted")
    parser.add_argument("--paper", help="a preset of the paper's network")
    parser.add_argument("--looks", action="store_true", help="a row for each of 16 looks instead")
    parser.add_argument("--every", type=int, default=1, help="take every so many plates alone")
    parser.add_argument("--grades", type=Path, help="take the grades from an earlier --json")
    parser.add_argument("--features", type=Path, help="network for KID and FID")
    parser.add_argument("--trust-features", action="store_true", help="run a TorchScript file")
    parser.add_argument("--json", type=Path, help="write everything that the table rests on")
    parser.add_argument("--sheet", type=Path, help="PNG of the last way's worst pictures")
    return parser.parse_args()


def load_sides(
    photos: Path, part: str, to: str, features: Features | None, *, whole: bool = False
) -> tuple[list[Photo], Real]:
    """Plates of a part of the split, and the real pictures of the class wanted."""
    plates = load(photos / part / ("day" if to == "night" else "night"), whole=whole)
    return plates, Real(portray_all(load(photos / part / to), features))


def load(folder: Path, *, whole: bool = False) -> list[Photo]:
    """The pictures below a folder of sources, at 272 px of their shorter side, or those that have more as they are."""
    sources = sorted(path for path in folder.glob("*") if path.is_dir())
    if not sources:
        raise UsageError(f"{folder}: no folders of pictures by source; make them with bench.split")
    found = ((p, source.name) for source in sources for p in list_pictures(source))
    return [(path.name, source, _load(path, whole)) for path, source in found]


def _load(path: Path, whole: bool) -> Tensor:
    pixels = load_picture(path)
    if whole and min(pixels.shape[:2]) >= SHORT_PX:
        return to_tensor(pixels.copy())
    return to_tensor(_resized(pixels))


def to_short(x: Tensor) -> Tensor:
    """A picture (3, H, W) at 272 px of its shorter side."""
    if min(x.shape[1:]) == SHORT_PX:
        return x
    pixels = np.ascontiguousarray(x.permute(1, 2, 0).numpy())
    return torch.from_numpy(_resized(pixels)).permute(2, 0, 1).contiguous()


def _resized(pixels: NDArray[Any]) -> NDArray[Any]:
    scale = SHORT_PX / min(pixels.shape[:2])
    height, width = (round(side * scale) for side in pixels.shape[:2])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=method))


def portray_all(photos: list[Photo], features: Features | None) -> list[Portrait]:
    """What is measured of each picture alone."""
    return [
        portray(x, name, source, features=features, seed=i)
        for i, (name, source, x) in enumerate(photos)
    ]


def find_grades(photos: Path, to: str, earlier: Path | None) -> dict[str, Grade]:
    """The best grades as searched on the training and on the held-out part; the search takes minutes."""
    if earlier is not None:
        found = json.loads(earlier.read_text(encoding="utf-8"))["grades"]
        return {name: Grade(**numbers) for name, numbers in found.items()}
    grades = {}
    for name, part in (("training", "train"), ("held-out", "held-out")):
        plates = load(photos / part / ("day" if to == "night" else "night"))
        sides = [_points(side) for side in (plates, load(photos / part / to))]
        grades[f"best grade, {name}"] = best_grade(*sides)
    return grades


def _points(photos: list[Photo]) -> Points:
    counts = Counter(source for _, source, _ in photos)
    return points_of([x for *_, x in photos], [1 / counts[source] for _, source, _ in photos])


def baselines(
    to: str, grades: dict[str, Grade], paper: str | None
) -> Iterator[tuple[str, Renderer]]:
    """What a preset is set beside."""
    yield "plate", lambda x: x
    if to == "night":
        yield "hand grade", hand_grade
    yield from ((name, grade.apply) for name, grade in grades.items())
    if paper:
        network = load_preset(paper)
        yield "paper network", lambda x: render_photo(network, to_short(x))


def both_ways(preset: Preset) -> list[tuple[str, Renderer]]:
    """The network alone, and what `nightfx render` makes of a picture, with the preset's look."""
    return [
        (f"{preset.name}, network alone", lambda x: render_photo(preset, to_short(x))),
        (f"{preset.name}, rendered", lambda x: render_whole(preset, x)),
    ]


def looks(preset: Preset) -> list[tuple[str, Renderer]]:
    """Renders under skies and exposures other than the preset's."""
    return [
        (
            f"sky {sky:g} exposure {exposure:g}",
            partial(render_whole, preset, look=Look(sky=sky, exposure=exposure)),
        )
        for sky in SKIES
        for exposure in EXPOSURES
    ]


def render_whole(preset: Preset, x: Tensor, look: Look | None = None) -> Tensor:
    """The picture (3, H, W) by relight, with the preset's look over which `look` goes."""
    options = complete_options(RenderOptions.of(method="relight", look=look or Look()), preset)
    planes = tuple(plane.numpy() for plane in (x * 65535).round().to(torch.uint16))
    frame = Frame(planes, rgb_coding(16, alpha=False), 0, Fraction(1, 24))
    found = find_lights_of(preset, Footage(lambda: [frame]), options.light)
    moonlight = moonlight_of(preset, found, options.light)
    plan = plan_fields(Footage(), preset.generator, preset, options.field, moonlight)
    lighting = Lighting(
        *(preset.generator, options.look, plan),
        sky=plan_sky(preset, options.look, moonlight=moonlight),
        lamps=plan_lamps(preset, found, options.light),
        moonlight=moonlit(moonlight) if moonlight else None,
    )
    (lit,) = light_frames([frame], lighting, Written(frame.coding))
    return torch.from_numpy(to_rgb(lit))


@torch.inference_mode()
def render_photo(preset: Preset, x: Tensor) -> Tensor:
    """The generator's picture of `x`, (3, H, W) in [0, 1]; padded to a multiple of 8 and cropped back."""
    height, width = x.shape[-2:]
    padding = (0, -width % MULTIPLE_PX, 0, -height % MULTIPLE_PX)
    picture: Tensor = preset.generator(F.pad(x[None], padding, mode="reflect")).clamp(0, 1)
    return picture[0, :, :height, :width]


def measure(
    name: str, render: Renderer, plates: list[Photo], real: Real, features: Features | None
) -> tuple[FigureRow, list[tuple[Compared, Thumb]]]:
    """A row of the table, and each render's own figures."""
    found = []
    for i, (photo, source, plate) in enumerate(plates):
        plate, after = to_short(plate), to_short(render(plate).float())
        portrait = portray(after, photo, source, features=features, seed=i)
        compared = compare(plate, after, portrait, real, TILE_PX)
        found.append((compared, thumb_of(plate, after)))
    compared_all = [x for x, _ in found]
    return summarise(name, [x.render for x in compared_all], real, compared_all), found


def to_json(
    rows: list[FigureRow],
    grades: dict[str, Grade],
    real: Real,
    pictures: list[tuple[Compared, Thumb]],
) -> str:
    """Everything that the table rests on; the pictures are the last way's."""
    facts = {
        "rows": [asdict(row) for row in rows],
        "grades": {name: asdict(grade) for name, grade in grades.items()},
        "real": {"pictures": len(real.portraits), **asdict(real.range)},
        "pictures": [facts_of(x, real.range) for x, _ in pictures],
    }
    return json.dumps(facts, indent=2, allow_nan=False) + "\n"


if __name__ == "__main__":
    main()
