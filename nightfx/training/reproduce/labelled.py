"""The paper's Figure 1: normalised brightness of labelled pictures, 100 of each class at random.

The paper picked its 200 by hand. A set that the brightness rule itself has sorted has its gap by construction, and proves
nothing of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nightfx.training.data.pictures import Pictures
from nightfx.training.reproduce.outcomes import load_facts, write_facts
from nightfx.training.run.feed import seeded
from nightfx.training.sets.measure import brightness_of

PICTURES = 100  # of each class, as in the paper
DAY_ABOVE, NIGHT_BELOW = 0.6, 0.4  # the paper's rule


@dataclass(frozen=True)
class LabelledBrightness:
    """Equation (7) of labelled pictures, divided by the largest of them all."""

    day: list[float]
    """Of day pictures, in [0, 1], rising."""
    night: list[float]
    """Of night pictures."""
    by_rule: bool
    """Whether brightness itself said which is which."""
    test_sha256: str
    """The data set, by its test pictures."""

    @property
    def gap(self) -> tuple[float, float]:
        """The brightest night and the darkest day; the first is larger where the classes overlap."""
        return max(self.night), min(self.day)

    def best_border(self) -> tuple[float, float]:
        """The border that sorts best, and the share of both classes alike that it sorts right."""
        borders = sorted({*self.day, *self.night})
        return max(((x, self._right(x)) for x in borders), key=lambda found: found[1])

    def by_papers_rule(self) -> tuple[int, int, int]:
        """Pictures that the paper's rule sorts right, sorts wrong, and leaves out."""
        right = sum(x > DAY_ABOVE for x in self.day) + sum(x < NIGHT_BELOW for x in self.night)
        wrong = sum(x < NIGHT_BELOW for x in self.day) + sum(x > DAY_ABOVE for x in self.night)
        return right, wrong, len(self.day) + len(self.night) - right - wrong

    def _right(self, border: float) -> float:
        days = sum(x >= border for x in self.day) / len(self.day)
        return (days + sum(x < border for x in self.night) / len(self.night)) / 2


def find_brightness(
    out: Path, data: Path, sides: Sequence[Pictures], test_sha256: str
) -> LabelledBrightness:
    """The brightness of pictures of a data set, day and night in `sides`; measured once, and kept in `out`."""
    path = out / "figure_1.json"
    if (
        path.is_file()
        and (known := load_facts(LabelledBrightness, path)).test_sha256 == test_sha256
    ):
        return known
    day, night = (
        _measure(side, letter) for side, letter in zip(sides, ("day", "night"), strict=True)
    )
    most = max(*day, *night, 1e-9)
    day, night = (sorted(x / most for x in side) for side in (day, night))
    found = LabelledBrightness(day, night, _is_by_rule(data), test_sha256)
    write_facts(found, path)
    return found


def _measure(pictures: Pictures, name: str) -> list[float]:
    drawn = pictures.limit(PICTURES, seeded(0, "figure 1", name))
    return [brightness_of(pictures.load(path)) for path in drawn.paths]


def _is_by_rule(data: Path) -> bool:
    """Whether `dataset prepare` sorted this set by brightness."""
    path = data / "dataset.json"
    if not path.is_file():
        return False
    options = json.loads(path.read_text("utf-8")).get("options", {})
    return not (options.get("labels") or options.get("by_folder"))
