"""Make the small picture of each bundled preset: a frame of the example, and beside it what the preset makes of it.

    python scripts/thumbnails.py

They are `look.webp` in the presets' folders; `nightfx presets show NAME` draws them in a terminal.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import av
import numpy as np
from PIL import Image

import nightfx
from nightfx.network import list_presets

ROOT = Path(__file__).parents[1]
FRAME, SIZE = 40, (160, 90)


def main() -> None:
    """Write the picture of every preset that comes along."""
    with tempfile.TemporaryDirectory() as name:
        day, night = Path(name, "day.png"), Path(name, "night.png")
        _write_plate(day)
        nightfx.render(day, night, preset="night")
        for preset in list_presets():
            plate = day if preset.facts.plate == "day" else night
            lit = Path(name, f"lit-{preset.name}.png")
            nightfx.render(plate, lit, preset=preset.folder)
            _write(preset.folder / "look.webp", plate, lit)


def _write_plate(path: Path) -> None:
    with av.open(ROOT / "examples/street.mp4") as source:
        frames = (x for i, x in enumerate(source.decode(video=0)) if i == FRAME)
        Image.fromarray(next(frames).to_ndarray(format="rgb24")).save(path)


def _write(path: Path, plate: Path, lit: Path) -> None:
    sides = []
    for one in (plate, lit):
        with Image.open(one) as image:
            sides.append(np.asarray(image.convert("RGB").resize(SIZE, Image.Resampling.BOX)))
    Image.fromarray(np.hstack(sides)).save(path, quality=80, method=6)


if __name__ == "__main__":
    main()
