"""Apply a render's light yourself: its passes are a gain and an offset for each pixel of the plate, and what glows.

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
    """Light a picture by its passes, some stops darker than nightfx would, and write it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        options = nightfx.RenderOptions.of(passes=folder / "passes", lights="off")
        nightfx.render(picture, folder / "night.png", options=options)
        layers = read_layers(folder / "passes", "pair") | read_layers(folder / "passes", "glow")
    plate = np.asarray(Image.open(picture).convert("RGB"), np.float32) / 255
    lit = plate * 2 ** (layers["gain"] + stops) + layers["offset"] * 2**stops
    lit = lit.clip(0, 1) + layers.get("glow", 0)
    Image.fromarray((lit.clip(0, 1) * 255 + 0.5).astype(np.uint8)).save(out)
    return out


def read_layers(folder: Path, kind: str) -> dict[str, np.ndarray]:
    """Read the layers of a pass, (H, W, 3) each, by their names; none where there is no such pass."""
    found = {}
    for path in folder.glob(f"*.{kind}.*.exr"):
        source = OpenImageIO.ImageInput.open(str(path))
        pixels, names = source.read_image("float"), source.spec().channelnames
        source.close()
        for layer in {name.rpartition(".")[0] or kind for name in names}:
            places = [i for i, name in enumerate(names) if name.rpartition(".")[0] in (layer, "")]
            found[layer] = pixels[..., places]
    return found


if __name__ == "__main__":
    print(lit_by_hand(Path(sys.argv[1]), Path(sys.argv[2])))
