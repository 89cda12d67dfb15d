"""Train a preset from two folders of stills, which need not match, and render with it.

python examples/python/own_preset.py DAY NIGHT OUT PICTURE [STEPS]
"""

import sys
from pathlib import Path

import nightfx


def train_and_try(
    day: Path, night: Path, out: Path, picture: Path, options: nightfx.TrainOptions
) -> Path:
    """Train a preset, and render a picture with what came out last."""
    nightfx.train(day, night, out, options)
    preset = sorted((out / "last").glob("step-*/night"))[-1]
    return nightfx.render(picture, out / f"{picture.stem}.night.png", preset=preset)


if __name__ == "__main__":
    day, night, out, picture = map(Path, sys.argv[1:5])
    steps = int(sys.argv[5]) if sys.argv[5:] else 400
    print(train_and_try(day, night, out, picture, nightfx.TrainOptions(steps=steps)))
