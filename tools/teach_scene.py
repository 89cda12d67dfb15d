"""Label photographs for the scene network by two other networks, which are no part of nightfx.

    pip install -r tools/teach_scene.txt
    python tools/teach_scene.py --photos DIR --out LABELS --sky FOLDER --voc MODEL.tflite

`LABELS/sky/PATH.png` says how surely each pixel is sky: 384×384, 0 to 255, the mean of the picture and of its mirror
image, so that where the teacher contradicts itself it says something between. `LABELS/voc/PATH.png` has the class of PASCAL VOC
of each pixel at 513×513. PATH is the photograph's below DIR. What is there already is kept: a run goes on where it ended.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import ncnn
import numpy as np
from ai_edge_litert.interpreter import Interpreter

SIDE_PX, VOC_PX = 384, 513  # both networks take no other size
MEAN = [255 * v for v in (0.485, 0.456, 0.406)]
SCALE = [1 / 255 / v for v in (0.229, 0.224, 0.225)]
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}

Label = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    """Read the arguments, label what has no labels yet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sky", type=Path, help="folder with skysegsmall_sim-opt-fp16")
    parser.add_argument("--voc", type=Path, help="DeepLab on PASCAL VOC, a .tflite")
    parser.add_argument("--only", default="", help="folder or beginning of names below it")
    args = parser.parse_args()
    paths = [p for p in _pictures(args.photos) if _below(p, args.photos).startswith(args.only)]
    for kind, model, load in (("sky", args.sky, sky_teacher), ("voc", args.voc, voc_teacher)):
        if model:
            _label(args.photos, paths, args.out / kind, load(model))


def _pictures(folder: Path) -> Iterator[Path]:
    yield from (p for p in sorted(folder.rglob("*")) if p.suffix.lower() in SUFFIXES)


def _below(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder))


def _label(photos: Path, paths: list[Path], out: Path, label: Label) -> None:
    for i, path in enumerate(paths):
        target = (out / _below(path, photos)).with_suffix(".png")
        if target.exists() or (bgr := cv2.imread(str(path))) is None:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(".part.png")
        cv2.imwrite(str(part), label(bgr))
        part.rename(target)
        print(f"{i + 1}/{len(paths)} {target}", flush=True)


def sky_teacher(folder: Path) -> Label:
    """The teacher of skies: BGR (H, W, 3) to (384, 384) uint8."""
    net = ncnn.Net()
    net.opt.use_vulkan_compute, net.opt.num_threads = False, 1
    net.load_param(str(folder / "skysegsmall_sim-opt-fp16.param"))
    net.load_model(str(folder / "skysegsmall_sim-opt-fp16.bin"))

    def once(bgr: np.ndarray) -> np.ndarray:
        kind = ncnn.Mat.PixelType.PIXEL_BGR2RGB
        pixels = ncnn.Mat.from_pixels_resize(
            np.ascontiguousarray(bgr), kind, bgr.shape[1], bgr.shape[0], SIDE_PX, SIDE_PX
        )
        pixels.substract_mean_normalize(MEAN, SCALE)
        run = net.create_extractor()
        run.input("input.1", pixels)
        return np.array(run.extract("1959")[1]).reshape(SIDE_PX, SIDE_PX)

    def label(bgr: np.ndarray) -> np.ndarray:
        ways = once(bgr), once(bgr[:, ::-1])[:, ::-1]
        return np.asarray(np.rint(255 * np.mean(ways, axis=0).clip(0, 1)), np.uint8)

    return label


def voc_teacher(model: Path) -> Label:
    """The teacher of vehicles and persons: BGR (H, W, 3) to classes (513, 513) uint8."""
    run = Interpreter(str(model), num_threads=1)
    run.allocate_tensors()
    shown, said = run.get_input_details()[0]["index"], run.get_output_details()[0]["index"]

    def label(bgr: np.ndarray) -> np.ndarray:
        pixels = cv2.resize(bgr, (VOC_PX, VOC_PX), interpolation=cv2.INTER_AREA)
        run.set_tensor(shown, np.ascontiguousarray(pixels[None, :, :, ::-1]))
        run.invoke()
        return np.asarray(run.get_tensor(said)[0], np.uint8)

    return label


if __name__ == "__main__":
    main()
