"""Apply a render's light yourself: the pass called pair is a gain and an offset for each pixel of the plate.

python examples/python/light_by_hand.py PICTURE OUT      (needs pip install '.[film]')
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import OpenImageIO
from PIL import Image

import nightfx


def lit_by_hand(picture: Path, out: Path, stops: float = -0.5) -> Path:
    """Light a picture by its pass, some stops darker than nightfx would, and write it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        options = nightfx.RenderOptions.of(passes=folder / "passes", lights="off")
        nightfx.render(picture, folder / "night.png", options=options)
        (pair,) = (folder / "passes").glob("*.pair.*.exr")
        gain, offset = read_pair(pair)
    plate = np.asarray(Image.open(picture).convert("RGB"), np.float32) / 255
    lit = plate * 2 ** (gain + stops) + offset * 2**stops
    Image.fromarray((lit.clip(0, 1) * 255 + 0.5).astype(np.uint8)).save(out)
    return out


def read_pair(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read the gain in stops and the offset of a pass, (H, W, 3) each."""
    source = OpenImageIO.ImageInput.open(str(path))
    pixels, names = source.read_image("float"), source.spec().channelnames
    source.close()
    gain, offset = (
        np.stack([pixels[..., names.index(f"{layer}.{c}")] for c in colours], axis=-1)
        for layer, colours in (("gain", GAIN), ("offset", GAIN))
    )
    return gain, offset


GAIN = ("red", "green", "blue")

if __name__ == "__main__":
    print(lit_by_hand(Path(sys.argv[1]), Path(sys.argv[2])))
