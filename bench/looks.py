"""How near a look that was learnt from ten pairs of a clip comes to the truth, on the clip's other frames, and in what time.

    python -m bench.looks CLIP [--pairs 10] [--steps 600] [--threads N] [--json OUT]

The truth is a known grade: darker and cooler, half the colour, a bent curve, and a window that leaves one side brighter.
Frames in between are rendered by relight, as `nightfx render` does, and compared at full size; the plate is beside it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import mean

import numpy as np
import torch
from PIL import Image

from bench.layers import machine
from bench.quality import Renderer, both_ways
from nightfx import load_preset
from nightfx.metrics import psnr
from nightfx.options import PairedOptions
from nightfx.source import Reader
from nightfx.training.data.sources import shown_pixels
from nightfx.training.paired.run import train_pairs


def main() -> None:
    """Read the arguments, learn, render, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--frames", type=int, default=120, help="of the clip, at most")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    frames = read(args.clip, args.frames)
    with tempfile.TemporaryDirectory() as folder:
        facts = measure(frames, args.pairs, args.steps, Path(folder))
    print(machine())
    print("\n".join(f"{name:34}{value:8.2f}" for name, value in facts.items()))
    if args.json:
        args.json.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def read(clip: Path, most: int) -> list[np.ndarray]:
    """The first frames of a clip, (H, W, 3) uint8."""
    with Reader(clip) as reader:
        return [shown_pixels(frame) for _, frame in zip(range(most), reader.frames(), strict=False)]


def measure(frames: list[np.ndarray], pairs: int, steps: int, folder: Path) -> dict[str, float]:
    """Learn from `pairs` frames, and hold some in between against the truth: dB, and seconds."""
    chosen = [i * (len(frames) - 1) // (pairs - 1) for i in range(pairs)]
    for name, change in (("before", lambda x: x), ("after", grade)):
        (folder / name).mkdir()
        for index in chosen:
            Image.fromarray(change(frames[index])).save(folder / name / f"{index:04d}.png")
    started = time.perf_counter()
    options = PairedOptions(steps=steps)
    report = train_pairs(folder / "before", folder / "after", folder / "run", options, device="cpu")
    seconds = time.perf_counter() - started
    others = [(a + b) // 2 for a, b in pairwise(chosen)]
    ways: dict[str, Renderer] = {
        "plate": lambda x: x,
        **dict(both_ways(load_preset(report.preset))),
    }
    facts = {f"{name}, dB": _nearness(ways[name], frames, others) for name in ways}
    return {
        **facts,
        "held-out pair, dB": report.decibels,
        "kept at step": report.step,
        "seconds": seconds,
    }


def _nearness(render: Renderer, frames: list[np.ndarray], others: list[int]) -> float:
    pictures = ((_tensor(frames[i]), _tensor(grade(frames[i]))) for i in others)
    return mean(psnr(render(plate).clamp(0, 1), wanted) for plate, wanted in pictures)


def grade(frame: np.ndarray) -> np.ndarray:
    """The known look of a frame (H, W, 3) uint8."""
    x = frame.astype(np.float32) / 255
    luma = x @ np.array([0.299, 0.587, 0.114], np.float32)
    x = 0.5 * x + 0.5 * luma[..., None]
    x = (0.75 * x + 0.25 * x**2) * np.array([0.5, 0.6, 0.8], np.float32)
    across, down = np.meshgrid(*(np.linspace(-1, 1, n) for n in (x.shape[1], x.shape[0])))
    window = 0.45 + 0.55 * np.exp(-((across - 0.3) ** 2 + down**2) / 0.7)
    codes: np.ndarray = np.rint((x * window[..., None] + 0.02).clip(0, 1) * 255).astype(np.uint8)
    return codes


def _tensor(frame: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(frame).permute(2, 0, 1).float() / 255


if __name__ == "__main__":
    main()
