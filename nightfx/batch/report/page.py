"""The report of a batch: one HTML page that needs nothing else, failed shots first, then the worst by their figures.

Whatever it shows was written by others, names of files above all: the template escapes every word, and of thumbnails it
gets only what is base64.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import nightfx
from nightfx.batch.queue.record import number_of
from nightfx.batch.queue.worker import ShotTask
from nightfx.batch.report.limits import LIMITS, Figures
from nightfx.batch.shots.timeline import Cut, Left
from nightfx.disk import partial_file
from nightfx.errors import RETRY

NAME = "report.html"
BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
TITLES = {
    "flicker": "Flicker",
    "crushed": "Crushed blacks",
    "clipped": "Clipped whites",
    "dissolved": "Dissolved edges",
    "skyline": "Walls dark at the sky",
    "fringe": "Rim along the sky",
    "misplaced": "Lights in impossible places",
}
MEANINGS = {
    "flicker": "How much more the render changes along the motion of its plate than the plate does; 1.00 is as steady."
    " Means over three places of four frames.",
    "crushed": "Pixels that are black in the render (luma below 2 of 255) and not nearly so in the plate (8 or more).",
    "clipped": "Pixels with a channel above 254 of 255 in the render that had none in the plate.",
    "dissolved": "Detail of the plate, along skylines above all, of which the render shows next to none.",
    "skyline": "How much more walls near the sky were darkened than walls of their brightness far from it, in stops.",
    "fringe": "How far the edge of the sky is brighter than both its sides, or darker, in stops.",
    "misplaced": "Lights a picture that the plate does not explain, in the sky, in leaves, on people or on the ground.",
}
MISSING = {"flicker": "still", "skyline": "none", "fringe": "none", "misplaced": "no night"}
"""What is said of a figure that there is none of."""


def write_report(
    tasks: Sequence[ShotTask], out: Path, *, title: str, cut: Cut | None = None
) -> Path:
    """Write `report.html` into `out` and return its path. Raises TargetError, and RetryError on a full disk."""
    target = out / NAME
    with partial_file(target, out) as part:  # another batch may write its own at the same time
        # names may hold bytes that are no text
        part.write_text(page(tasks, title, cut), encoding="utf-8", errors="replace")
    return target


def page(tasks: Sequence[ShotTask], title: str, cut: Cut | None = None) -> str:
    """Return the page, as text."""
    ended = (task for task in tasks if task.state in ("done", "skipped"))
    shots = sorted(map(_shot, ended), key=lambda shot: shot.worst, reverse=True)
    text: str = _template().render(
        title=title,
        presets=", ".join(sorted({Path(task.order.to).name for task in tasks})),
        when=time.strftime("%Y-%m-%d %H:%M"),
        version=nightfx.__version__,
        summary=_summary(tasks, shots, cut.left if cut else ()),
        failed=[task for task in tasks if task.state == "failed"],
        done=shots,
        left=[task for task in tasks if task.open],
        remarks=cut.remarks if cut else (),
        legend=[(TITLES[key], MEANINGS[key], _limit(key)) for key in TITLES],
        retry=RETRY,
    )
    return text


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader

    folder = FileSystemLoader(Path(__file__).parent)
    return Environment(
        loader=folder, autoescape=True, finalize=_printable, keep_trailing_newline=True
    ).get_template("report.html.jinja")


def _printable(value: Any) -> Any:
    """What others wrote, without what would steer a terminal or turn a line; what the template made stays."""
    if hasattr(value, "__html__"):
        return value
    return "".join(c if c.isprintable() else "\ufffd" for c in str(value))


@dataclass(frozen=True)
class _Card:
    """What the page shows of a shot."""

    key: str
    was_done: bool
    target: str
    worst: float
    before: str | None
    after: str | None
    player: str | None
    figures: list[tuple[str, str, str]]
    facts: list[str]
    settings: list[str]
    notes: Sequence[Any]


def _shot(task: ShotTask) -> _Card:
    facts, found = task.facts, _measured(task.facts)
    notes = facts.get("notes")
    return _Card(
        key=task.order.shot.key,
        was_done=task.state == "skipped",
        target=task.target,
        worst=found.worst if found else 0.0,
        before=_picture(facts.get("before")),
        after=_picture(facts.get("after")),
        player=_picture(facts.get("player")),
        figures=[_figure(found, key) for key in TITLES] if found else [],
        facts=list(_facts(facts)),
        settings=list(_settings(task)),
        notes=notes if isinstance(notes, list) else [],
    )


def _summary(
    tasks: Sequence[ShotTask], shots: Sequence[_Card], left: Sequence[Left]
) -> list[tuple[str, str, str]]:
    ended = [task for task in tasks if task.state in ("done", "skipped")]
    frames = sum(number_of(task.facts, "frames") for task in ended)
    seconds = sum(number_of(task.facts, "seconds") for task in ended)
    lost = sum(one.is_failure for one in left)
    failed = sum(task.state == "failed" for task in tasks) + lost
    kept = [("left as they were", f"{len(left) - lost}", "")] if len(left) > lost else []
    looks = sum(shot.worst > 1 for shot in shots)
    return [
        ("shots", f"{len(tasks)}", ""),
        ("rendered", f"{len(ended)}", ""),
        ("failed", f"{failed}", "bad" if failed else ""),
        *kept,
        ("worth a look", f"{looks}", "warn" if looks else ""),
        ("frames", f"{frames:,.0f}", ""),
        ("render time", _duration(seconds), ""),
        ("frames a second", f"{frames / seconds:.1f}" if seconds else "–", ""),
    ]


def _picture(data: Any) -> str | None:
    return data if isinstance(data, str) and BASE64.fullmatch(data) else None


def _figure(found: Figures, key: str) -> tuple[str, str, str]:
    value = getattr(found, key)
    if value is None:
        return TITLES[key], MISSING[key], "none"
    return TITLES[key], f"{value:.{_digits(key)}}", "over" if value > LIMITS[key] else ""


def _facts(facts: Mapping[str, Any]) -> Iterator[str]:
    frames, seconds = (number_of(facts, key) for key in ("frames", "seconds"))
    if facts.get("width"):
        yield f"{facts['width']}×{facts.get('height')}"
    if facts.get("codec"):
        yield str(facts["codec"])
    if frames:
        yield f"{frames:,.0f} frames"
    if seconds:
        yield f"{_duration(seconds)} ({frames / seconds:.1f} fps)"
    if facts.get("threads"):
        yield f"{facts['threads']} thread{'s' if facts['threads'] != '1' else ''}"
    if facts.get("host"):
        yield f"on {facts['host']}"


def _settings(task: ShotTask) -> Iterator[str]:
    said = {"to": Path(task.order.to).name} | dict(task.order.flags)
    for key, value in said.items():
        yield f"{key.replace('_', '-')} {_value(value)}".strip()


def _value(value: Any) -> str:
    if value is True:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _limit(key: str) -> str:
    return f"{LIMITS[key]:.0%}" if _digits(key) == "2%" else f"{LIMITS[key]:.2f}"


def _digits(key: str) -> str:
    """How a figure is written: a share in percent, all else as a number."""
    return "2%" if key in ("crushed", "clipped", "dissolved") else "2f"


def _measured(facts: Mapping[str, Any]) -> Figures | None:
    said = facts.get("figures")
    if not isinstance(said, dict):
        return None
    values: dict[str, Any] = {key: said.get(key) for key in TITLES}
    numbers = [value for key, value in values.items() if key not in MISSING or value is not None]
    if not all(type(value) in (int, float) for value in numbers):
        return None
    return Figures(**values)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours} h {rest // 60:02d} min" if hours else f"{rest // 60} min {rest % 60:02d} s"
