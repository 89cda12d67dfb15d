"""Train the judges of day and night (`nightfx/metrics/judges.py`), and say how well they do on sources they never saw.

    python -m bench.judges --photos DIR [--steps 700] [--write] [--json OUT]

DIR holds `manifest.csv`, as for `bench.split`. Each network learns from all photographs of
one half of the sources (streets and roads; for structure landscapes too, of which there is more to learn), three views of each under another exposure, tint, contrast and saturation, softer, noisy or
compressed, and is shown the other half as it is. Cameras differ, so one number of each, the odds from which a picture counts
as night, is set where as many days as nights of the *other* half are mistaken: photographs, never a render. `bench.quality`
and `nightfx evaluate` then ask of each picture the networks that never learnt from its source.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from bench.grades import hand_grade, to_linear, to_shown
from bench.split import CONTENT
from nightfx.metrics.classifier import SIDE_PX, as_input
from nightfx.metrics.judges import CELLS, HALVES, WEIGHTS, Judge, judge_of, maps_of
from nightfx.training.data.decode import load_picture
from nightfx.training.data.pictures import to_tensor

CONTENTS = {"colours": CONTENT, "structure": (*CONTENT, "scenic")}
BATCH, LEARNING_RATE = 32, 2e-3
VIEWS = 3  # of each picture
ROOM = 1.25  # views are so much larger than what a judge sees, and cropped
SURE = 0.96  # of a label: a night by the sea is not all night
STOPS = {"day": (-2.0, 0.5), "night": (-0.7, 0.7)}
QUALITIES = (25, 90)  # of JPEG, for four in ten
COARSE_PX = (70, 150)  # the sides that half of them are brought to and back

Kept = dict[tuple[str, str], Tensor]
"""Pictures (N, 3, 160, 160), or maps of views of them (N, 3, C, h, w), by class and source."""


def main() -> None:
    """Read the arguments, train, print accuracies."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, required=True, help="folder with manifest.csv")
    parser.add_argument("--steps", type=int, default=700)
    parser.add_argument("--write", action="store_true", help="replace the networks of the package")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    kept = {content: load(args.photos, content) for content in set(CONTENTS.values())}
    found: dict[str, dict[str, float]] = {}
    judges: dict[str, Judge] = {}
    for kind, content in CONTENTS.items():
        for half, sources in HALVES.items():
            judge = train(kind, prepare(kind, _of(kept[content], sources)), args.steps)
            others = [source for other in HALVES if other != half for source in HALVES[other]]
            shares = measure(kind, judge, _of(kept[CONTENT], others))
            judges[f"{kind}.{half}"], found[f"{kind}.{half}"] = judge, shares
            words = "  ".join(f"{of} {share:.3f}" for of, share in shares.items())
            print(f"{kind}.{half}: {words}", flush=True)
    if args.write:
        write(judges)
    if args.json:
        args.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def load(photos: Path, content: tuple[str, ...]) -> Kept:
    """Days and nights of such content, squeezed into squares; nothing is held out but the other half."""
    rows = csv.DictReader((photos / "manifest.csv").open(encoding="utf-8"))
    kept: dict[tuple[str, str], list[Tensor]] = {}
    side = round(SIDE_PX * ROOM)
    for row in rows:
        if row["class"] in STOPS and row["content"] in content:
            picture = to_tensor(load_picture(photos / row["path"]).copy())
            small = F.interpolate(picture[None], (side, side), mode="area")[0]
            kept.setdefault((row["class"], row["source"]), []).append(small)
    return {key: torch.stack(pictures) for key, pictures in kept.items()}


def _of(kept: Kept, sources: Sequence[str]) -> Kept:
    return {key: pictures for key, pictures in kept.items() if key[1] in sources}


def prepare(kind: str, kept: Kept) -> Kept:
    """What a judge sees of three views of each picture, seed 0."""
    torch.manual_seed(0)
    return {
        (label, source): torch.stack(
            [
                torch.stack([maps_of(kind, view(x, STOPS[label])) for _ in range(VIEWS)]).half()
                for x in pictures
            ]
        )
        for (label, source), pictures in kept.items()
    }


def view(picture: Tensor, stops: tuple[float, float]) -> Tensor:
    """A picture (3, H, W) under another exposure, tint, saturation and contrast, by another camera."""
    exposure = stops[0] + (stops[1] - stops[0]) * torch.rand(())
    v = to_shown(to_linear(picture) * exposure.exp2() * (0.1 * torch.randn(3, 1, 1)).exp2())
    grey = v.mean(0, keepdim=True)
    v = (grey + (0.5 + 0.8 * torch.rand(())) * (v - grey)).clamp(0, 1)
    return _by_other_camera(v ** (0.2 * torch.randn(())).exp2())


def _by_other_camera(picture: Tensor) -> Tensor:
    """It may be softer, is noisy, and may be compressed."""
    if torch.rand(()) < 0.5:
        side = int(torch.randint(*COARSE_PX, ()))
        small = F.interpolate(picture[None], (side, side), mode="area")
        picture = F.interpolate(small, picture.shape[1:], mode="bilinear")[0]
    noisy = (picture + 0.03 * torch.rand(()) * torch.randn_like(picture)).clamp(0, 1)
    return _compressed(noisy) if torch.rand(()) < 0.4 else noisy


def _compressed(picture: Tensor) -> Tensor:
    codes = (picture.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(torch.randint(*QUALITIES, ()))]
    read = cv2.imdecode(cv2.imencode(".jpg", codes, quality)[1], cv2.IMREAD_COLOR)
    return torch.from_numpy(np.asarray(read, np.float32).transpose(2, 0, 1) / 255)


def train(kind: str, views: Kept, steps: int) -> Judge:
    """A judge trained on crops of views, half of them nights, pictures alike; seed 0."""
    torch.manual_seed(0)
    judge = judge_of(kind)
    optimiser = torch.optim.AdamW(judge.parameters(), LEARNING_RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, steps)
    sides = [torch.cat([x for key, x in views.items() if key[0] == label]) for label in STOPS]
    labels = torch.arange(BATCH).remainder(2) * SURE + (1 - SURE) / 2
    for _ in range(steps):
        shown = torch.stack([_cropped(kind, sides[i % 2]) for i in range(BATCH)])
        loss = F.binary_cross_entropy_with_logits(judge(shown.float()), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return judge.eval()


def _cropped(kind: str, views: Tensor) -> Tensor:
    """A crop of a view of a picture, mirrored by chance."""
    maps = views[int(torch.randint(len(views), ()))][int(torch.randint(VIEWS, ()))]
    side = CELLS if kind == "colours" else SIDE_PX
    top, left = (int(torch.randint(room - side + 1, ())) for room in maps.shape[1:])
    crop = maps[:, top : top + side, left : left + side]
    return crop.flip(2) if torch.rand(()) < 0.5 else crop


@torch.inference_mode()
def measure(kind: str, judge: Judge, others: Kept) -> dict[str, float]:
    """Set the odds of night, and take the share called right of each class and source, and of hand grades called night."""
    odds = {key: _odds(kind, judge, pictures) for key, pictures in others.items()}
    from_here = even_odds(*([x for (own, _), x in odds.items() if own == label] for label in STOPS))
    judge.head.bias.sub_(from_here)
    found = {
        f"{label} {source}": float(((x > from_here) == (label == "night")).float().mean())
        for (label, source), x in odds.items()
    }
    days = torch.cat([x for (label, _), x in others.items() if label == "day"])
    graded = _odds(kind, judge, hand_grade(days)) > 0
    return (
        found
        | {"mean": sum(found.values()) / len(found)}
        | {"grades": float(graded.float().mean())}
    )


def _odds(kind: str, judge: Judge, pictures: Tensor) -> Tensor:
    odds: Tensor = judge(torch.stack([maps_of(kind, as_input(x)) for x in pictures]))
    return odds


def even_odds(days: list[Tensor], nights: list[Tensor]) -> float:
    """The log-odds at which as large a share of days is above as of nights below, sources alike."""
    at: list[float] = torch.cat([*days, *nights]).sort().values.tolist()
    middles = [(a + b) / 2 for a, b in pairwise(at)]
    return min(middles, key=lambda odds: abs(_above(days, odds) - 1 + _above(nights, odds)))


def _above(side: list[Tensor], odds: float) -> float:
    """The share that is above, sources alike."""
    return sum(float((x > odds).float().mean()) for x in side) / len(side)


def write(judges: dict[str, Judge]) -> None:
    """Put the networks into the package, as half floats."""
    tensors = {f"{name}.{k}": v for name, j in judges.items() for k, v in j.state_dict().items()}
    save_file({k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}, WEIGHTS)


if __name__ == "__main__":
    main()
