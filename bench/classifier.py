"""Train the small network that tells day from night (`nightfx/metrics/classifier.py`), and say how well it does.

    python -m bench.split --photos DIR --out SPLIT
    python -m bench.classifier --photos SPLIT [--steps 1500] [--write] [--json OUT]

It learns from the training part, sources alike, and never sees a render. So that it cannot judge by brightness and colour
alone, every picture is shown under a random exposure, contrast, tint and saturation: days down to −4 stops, nights up to
+2. Accuracy is taken on the held-out part as it is, and with all pictures brought to one mean; the hand grade of
`bench.quality` is shown to it too.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from bench.grades import hand_grade, to_linear, to_shown
from nightfx.metrics.classifier import SIDE_PX, WEIGHTS, DayNight, as_input
from nightfx.training.data.decode import load_picture
from nightfx.training.data.folders import list_pictures
from nightfx.training.data.pictures import to_tensor

BATCH = 32
LEARNING_RATE = 2e-3
STOPS = {"day": (-4.0, 0.5), "night": (-1.0, 2.0)}
MEAN = 0.3  # of luma, where brightness is to say nothing
ROOM_PX = 32  # pictures are kept so much larger than what is shown, and cropped

Kept = dict[tuple[str, str], Tensor]
"""Pictures (N, 3, 160, 160) by class and source."""


def main() -> None:
    """Read the arguments, train, print accuracies."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, required=True, help="what bench.split wrote")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--write", action="store_true", help="replace the network of the package")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    network = train(load(args.photos / "train"), args.steps)
    if args.write:
        tensors = network.state_dict()
        save_file(
            {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}, WEIGHTS
        )
    found = judge(network, load(args.photos / "held-out"))
    for way, shares in found.items():
        print(f"{way:16}" + "  ".join(f"{name} {share:.3f}" for name, share in shares.items()))
    if args.json:
        args.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def load(part: Path) -> Kept:
    """The pictures of a part of the split, whole, squeezed into squares."""
    side = SIDE_PX + ROOM_PX
    return {
        (folder.parent.name, folder.name): torch.stack(
            [_sized(to_tensor(load_picture(path).copy()), side) for path in list_pictures(folder)]
        )
        for folder in sorted(part.glob("*/*"))
    }


def _sized(picture: Tensor, side: int) -> Tensor:
    return F.interpolate(picture[None], (side, side), mode="area")[0]


def train(kept: Kept, steps: int) -> DayNight:
    """A network trained on random views of pictures, half of them nights, sources alike; seed 0."""
    torch.manual_seed(0)
    network = DayNight()
    optimiser = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, steps)
    for step in range(steps):
        pictures, labels = draw(kept)
        loss = F.binary_cross_entropy_with_logits(network(pictures), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 100 == 0:
            print(f"{step:6} {loss.item():.3f}", flush=True)
    return network.eval()


def draw(kept: Kept) -> tuple[Tensor, Tensor]:
    """A batch of altered pictures (32, 3, 128, 128), and 1 for each night."""
    chosen = []
    for i in range(BATCH):
        kind = ("day", "night")[i % 2]
        sources = [pictures for (label, _), pictures in kept.items() if label == kind]
        source = sources[int(torch.randint(len(sources), ()))]
        chosen.append(alter(source[int(torch.randint(len(source), ()))], STOPS[kind]))
    return torch.stack(chosen), torch.arange(BATCH).remainder(2).float()


def alter(picture: Tensor, stops: tuple[float, float]) -> Tensor:
    """A crop of a picture (3, 160, 160) to 128 px, mirrored by chance, under another exposure, tint, contrast, noise."""
    top, left = (int(torch.randint(ROOM_PX + 1, ())) for _ in range(2))
    x = picture[:, top : top + SIDE_PX, left : left + SIDE_PX]
    x = x.flip(2) if torch.rand(()) < 0.5 else x
    exposure = stops[0] + (stops[1] - stops[0]) * torch.rand(())
    tint = (0.35 * torch.randn(3, 1, 1)).exp2()
    v = to_shown(to_linear(x) * exposure.exp2() * tint)
    grey = v.mean(0, keepdim=True)
    v = grey + 1.3 * torch.rand(()) * (v - grey)
    v = v.clamp(0, 1) ** (0.4 * torch.randn(())).exp2()
    return (v + 0.02 * torch.rand(()) * torch.randn_like(v)).clamp(0, 1)


@torch.inference_mode()
def judge(network: DayNight, kept: Kept) -> dict[str, dict[str, float]]:
    """The share called right by class and source, plain and at one mean, and the share of hand grades called night."""
    ways = {"as they are": lambda x: x, "at one mean": _to_mean}
    found = {
        name: {f"{c} {s}": _share(network, way(x), c) for (c, s), x in kept.items()}
        for name, way in ways.items()
    }
    found["hand grade: night"] = {
        s: _share(network, hand_grade(x), "night") for (c, s), x in kept.items() if c == "day"
    }
    return found


def _to_mean(pictures: Tensor) -> Tensor:
    # by a power, so that nothing is clipped: y^p with the mean wanted, found by halving
    low, high = (torch.full((len(pictures), 1, 1, 1), v) for v in (0.02, 20.0))
    for _ in range(30):
        middle = (low * high).sqrt()
        dark = (pictures**middle).mean((1, 2, 3), keepdim=True) < MEAN
        low, high = torch.where(dark, low, middle), torch.where(dark, middle, high)
    return torch.as_tensor(pictures**low)


def _share(network: DayNight, pictures: Tensor, wanted: str) -> float:
    called = network(torch.stack([as_input(x) for x in pictures])) > 0
    return float((called == (wanted == "night")).float().mean())


if __name__ == "__main__":
    main()
