"""Make the picture that README opens with: the example clip as a wipe, and below it the plate and the night.

python examples/make_picture.py [--preset night] [--frame 1024] [--out examples/street_before_after.jpg]
"""

import argparse
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from nightfx import RenderOptions, load_preset
from nightfx.job.source_target import open_shot
from nightfx.preview.pick import pick
from nightfx.preview.preview import render, to_pixels, view
from nightfx.preview.sheet import wipe

STREET = Path(__file__).with_name("street.mp4")
WIDTH, HEIGHT, GAP = 1200, 675, 8


def main() -> None:
    """Render one frame and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="night")
    parser.add_argument("--frame", type=int, default=1024, help="its number")
    parser.add_argument("--out", type=Path, default=STREET.with_name("street_before_after.jpg"))
    parser.add_argument("--quality", type=int, default=78, help="of the JPEG")
    args = parser.parse_args()
    plate, night = views(args.preset, args.frame)
    Image.fromarray(arrange(plate, night)).save(args.out, quality=args.quality, optimize=True)


def views(preset: str, frame: int) -> tuple[np.ndarray, np.ndarray]:
    """A frame of the example clip and its render, (3, H, W) in [0, 1] both."""
    options = RenderOptions.of()
    with closing(open_shot(STREET, options.source)) as shot:
        picked = pick(shot, frame, None, None)
        lit = render(picked, load_preset(preset), options)
    return view(picked, picked.frame), view(picked, lit)


def arrange(plate: np.ndarray, night: np.ndarray) -> np.ndarray:
    """The wipe, and below it the plate and the night at half its width, (H, W, 3)."""
    big = [to_pixels(x, WIDTH, HEIGHT) for x in (plate, night)]
    half = (WIDTH - GAP) // 2
    small = [cv2.resize(x, (half, half * 9 // 16), interpolation=cv2.INTER_AREA) for x in big]
    between = np.full((small[0].shape[0], GAP, 3), 255, np.uint8)
    row = np.hstack([small[0], between, small[1]])
    return np.vstack([wipe(*big), np.full((GAP, WIDTH, 3), 255, np.uint8), row])


if __name__ == "__main__":
    main()
