"""Make pairs to learn a look from: photographs by day, each beside what a colourist would make of it for the night.

    nightfx mattes PHOTOS -o MATTES --kinds sky
    python tools/moonlit.py PHOTOS MATTES PAIRS --look day-for-night
    nightfx train --day PAIRS/day --night PAIRS/night --out RUN --set guide=pairs --set warm_start_steps=4000 ...

The arithmetic is in linear light. The sun's share of a plate is what is smooth in its luma on the large, edges kept: some
of it is taken out. The key of the ground (its geometric mean) goes down to that of a night, highlights roll off, colour
fades where it is dark, and the rest takes the tint of the light. The sky gets the same; a render puts another one there.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
Bytes = NDArray[np.uint8]

LUMA = np.array([0.0722, 0.7152, 0.2126], np.float32)  # BGR, as OpenCV reads
BLACK = 0.004  # added to luma under logarithms: below it, steps are noise
LINES = 384  # of a picture's shorter side
USUAL_KEY = 0.12  # of a plate; others go part of the way to it
FOLLOWED = 0.55  # the part: a dark plate stays a little darker
BRIGHTEST = 0.8  # of the plate


@dataclass(frozen=True)
class Look:
    """How a plate becomes a night; light in parts of white."""

    sun_off: float
    """The share of smooth illumination that is taken out."""
    key: float
    """Where the ground's geometric mean comes to lie."""
    contrast: float
    shoulder: float
    """What no light passes."""
    colour: tuple[float, float]
    """How much colour is left in the dark, and from a tenth of white on."""
    tint: tuple[float, float, float]
    """The light's, BGR."""


LOOKS = {
    "day-for-night": Look(0.15, 0.030, 1.12, 0.26, (0.25, 0.60), (1.62, 1.0, 0.62)),
    # half of the sun is taken out: for lamps to be put in
    "sun-off": Look(0.50, 0.024, 1.05, 0.16, (0.25, 0.60), (1.5, 1.0, 0.74)),
}


def moonlit(bgr: Picture, sky: Picture, look: Look) -> Picture:
    """A picture (H, W, 3) in [0, 1] of sRGB as it would be by night; `sky` (H, W) in [0, 1] is left out of its key."""
    light = to_linear(bgr)
    luma, ground = light @ LUMA, np.clip(1 - sky, 1e-3, 1).astype(np.float32)
    even = luma * np.exp(-look.sun_off * (illumination(luma, ground) - np.log(key(luma, ground))))
    dark = np.minimum(toned(even, key(even, ground), look), luma * BRIGHTEST)
    return to_srgb(tinted(light * (dark / (luma + 1e-4))[..., None], dark, look))


def illumination(luma: Picture, ground: Picture) -> Picture:
    """What is smooth in log luma on the large, in nepers: guided filters of two sizes, over the ground alone."""
    log, side = np.log(luma + np.float32(BLACK)), min(luma.shape)
    large = guided(log, ground, max(side // 6, 2), 0.6)
    smaller = guided(log, ground, max(side // 16, 2), 0.25)
    return ((large + smaller) / 2).astype(np.float32)


def guided(log: Picture, weight: Picture, radius: int, epsilon: float) -> Picture:
    """A guided filter of `log` by itself (He et al. 2010), each pixel counting by its weight."""
    total = box(weight, radius) + np.float32(1e-4)
    mean = box(log * weight, radius) / total
    variance = box(log * log * weight, radius) / total - mean * mean
    slope = variance / (variance + np.float32(epsilon))
    offset = mean - slope * mean
    smooth: Picture = (box(slope * weight, radius) * log + box(offset * weight, radius)) / total
    return smooth


def box(values: Picture, radius: int) -> Picture:
    """Mean over (2 radius + 1)² px."""
    side = 2 * radius + 1
    mean: Picture = cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT)
    return mean


def key(luma: Picture, ground: Picture) -> float:
    """The geometric mean of what is ground."""
    return float(np.exp((np.log(luma + BLACK) * ground).sum() / ground.sum()))


def toned(luma: Picture, own: float, look: Look) -> Picture:
    """Luma under the look's key, contrast and shoulder, `own` being the key of the plate."""
    wanted = own * look.key / USUAL_KEY * (USUAL_KEY / np.clip(own, 0.015, 0.5)) ** FOLLOWED
    dark = np.asarray(wanted * (luma / own) ** look.contrast, np.float32)
    return dark / (1 + dark / np.float32(look.shoulder))


def tinted(light: Picture, luma: Picture, look: Look) -> Picture:
    """Light whose colour fades in the dark and takes the look's tint."""
    low, high = look.colour
    own = np.clip(low + (high - low) * luma / 0.1, low, high)[..., None]
    tint = np.array(look.tint, np.float32)
    tint = tint / (tint @ LUMA)
    lit: Picture = luma[..., None] * tint * (1 - own) + own * light * (0.4 + 0.6 * tint)
    return lit


def to_linear(srgb: Picture) -> Picture:
    """Light of sRGB's values."""
    high = ((srgb + 0.055) / 1.055) ** 2.4
    return np.where(srgb <= 0.04045, srgb / 12.92, high).astype(np.float32)


def to_srgb(light: Picture) -> Picture:
    """sRGB's values of light."""
    light = np.clip(light, 0, 1)
    high = 1.055 * light ** (1 / 2.4) - 0.055
    return np.where(light <= 0.0031308, 12.92 * light, high).astype(np.float32)


def pair_of_photo(photo: Path, matte: Path, look: Look) -> tuple[Bytes, Bytes]:
    """A photograph, small, and its night."""
    bgr, sky = read(photo, cv2.IMREAD_COLOR), read(matte, cv2.IMREAD_GRAYSCALE)
    scale = LINES / min(bgr.shape[:2])
    if scale < 1:
        bgr = np.asarray(cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    small = cv2.resize(sky, (bgr.shape[1], bgr.shape[0]), interpolation=cv2.INTER_AREA)
    return bgr, night_of(bgr, np.asarray(small, np.uint8), look)


def pair_of_view(view: Path, look: Look) -> tuple[Bytes, Bytes]:
    """A view of the town by sun, and the night of it under an overcast sky."""
    sun, overcast = (read(view / name, cv2.IMREAD_COLOR) for name in ("sun.webp", "overcast.webp"))
    sky = read(view / "kinds.png", cv2.IMREAD_GRAYSCALE)[: sun.shape[0]]  # the first of its maps
    return sun, night_of(overcast, sky, look)


def night_of(bgr: Bytes, sky: Bytes, look: Look) -> Bytes:
    """The night of a picture, both of bytes."""
    white = np.float32(255)
    night = moonlit(bgr.astype(np.float32) / white, sky.astype(np.float32) / white, look)
    return np.asarray(np.rint(night * white), np.uint8)


def write_pair(pair: tuple[Bytes, Bytes], out: Path, name: Path) -> None:
    """Write day/NAME.png and night/NAME.png below `out`."""
    for folder, picture in zip(("day", "night"), pair, strict=True):
        path = out / folder / name.with_name(f"{name.name}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), picture)


def read(path: Path, how: int) -> Bytes:
    """The picture at `path`, as bytes."""
    pixels = cv2.imread(str(path), how)
    if pixels is None:
        raise SystemExit(f"{path}: not a picture that OpenCV reads")
    return np.asarray(pixels, np.uint8)


def main() -> None:
    """Make a pair of every photograph that has a matte."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("mattes", type=Path, help="NAME.sky.png or NAME.png in the same subfolders")
    parser.add_argument("out", type=Path)
    parser.add_argument("--look", choices=LOOKS, default="day-for-night")
    parser.add_argument("--town", type=Path, help="views of the town, of training")
    args = parser.parse_args()
    look = LOOKS[args.look]
    for photo in sorted(args.photos.rglob("*.*")):
        name = photo.relative_to(args.photos)
        mattes = (args.mattes / name.with_suffix(end) for end in (".sky.png", ".png"))
        if matte := next((path for path in mattes if path.exists()), None):
            write_pair(pair_of_photo(photo, matte, look), args.out, name.with_suffix(""))
    for view in sorted(args.town.glob("*/facts.json")) if args.town else ():
        write_pair(pair_of_view(view.parent, look), args.out, Path("town", view.parent.name))


if __name__ == "__main__":
    main()
