"""Draw labelled views of towns by day and by night: see docs/town.md.

    python -m tools.town --out town --places 240 --views 5

Needs Python 3.11 with Blender's module: `pip install bpy==5.0.1 OpenEXR "opencv-python-headless<4.12" "numpy<2"`. What is
there already is not drawn again. A view takes about four seconds of one processor.
"""

import argparse
import time
from pathlib import Path
from random import Random

from tools.town.layout.places import KINDS, draw_place
from tools.town.passes import Renderer
from tools.town.skies import load_skies
from tools.town.stage import Stage
from tools.town.store import Place, missing, places, save_view
from tools.town.surfaces.materials import wet_ground
from tools.town.views import draw_camera, draw_sun, make_frames


def main() -> None:
    """Read the command line and draw what is missing."""
    parser = argparse.ArgumentParser(description="Draw labelled views of towns.")
    parser.add_argument("--out", type=Path, required=True, help="folder of the views")
    parser.add_argument("--places", type=int, default=240, help="how many places")
    parser.add_argument("--first", type=int, default=0, help="number of the first place")
    parser.add_argument("--views", type=int, default=5, help="of each place")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--skies", type=Path, help="folder of photographs that are sky wholly")
    parser.add_argument("--size", default="384x216")
    parser.add_argument("--samples", type=int, default=8)
    args = parser.parse_args()
    width, height = (int(n) for n in args.size.split("x"))
    photos = load_skies(args.skies)
    stage = Stage()
    renderer = Renderer((width, height), args.samples)
    for place in list(places(args.places, args.kinds))[args.first :]:
        wanted = missing(args.out, place, args.views)
        if wanted:
            start, used = time.monotonic(), time.process_time()
            draw(stage, renderer, place, wanted, args.out, photos)
            each = (
                (time.monotonic() - start) / len(wanted),
                (time.process_time() - used) / len(wanted),
            )
            print(f"{place.part} {place.number:05}-{place.kind}: {len(wanted)} views, {each[0]:.1f} s each, {each[1]:.1f} s of a processor", flush=True)  # fmt: skip


def draw(
    stage: Stage, renderer: Renderer, place: Place, wanted: list[int], out: Path, photos: list[Path]
) -> None:
    """Draw the wanted views of a place."""
    plan = draw_place(place.kind, place.number)
    rng = Random(place.number)
    stage.build(plan, place.number)
    wet = rng.choice([0.0, 0.0, 0.0, 0.5, 1.0])
    wet_ground(wet)
    views = []
    for view in wanted:
        rng = Random(f"{place.number} {view}")
        camera = draw_camera(plan, rng)
        views.append((camera, draw_sun(camera, rng)))
    shots = renderer.shoot(views)
    for view, (camera, sun), shot in zip(wanted, views, shots, strict=True):
        frames, facts = make_frames(shot, camera, sun, photos, 1000 * place.number + view)
        facts |= {
            "place": place.number,
            "kind": place.kind,
            "part": place.part,
            "view": view,
            "wet": wet,
        }
        save_view(place.folder(out, view), frames, shot, facts)


if __name__ == "__main__":
    main()
