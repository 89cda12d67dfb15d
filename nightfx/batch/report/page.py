"""The report of a batch: one HTML page that needs nothing else, failed shots first, then the worst by their figures.

Whatever it shows was written by others, names of files above all: every word goes through `_e`, and of thumbnails only
what is base64.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import nightfx
from nightfx.batch.queue.record import number_of
from nightfx.batch.queue.worker import ShotTask
from nightfx.batch.report.shot_figures import LIMITS, Figures
from nightfx.disk import partial_file
from nightfx.errors import RETRY

_NAME = "report.html"
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_TITLES = {"flicker": "Flicker", "crushed": "Crushed blacks", "clipped": "Clipped whites"}
_MEANINGS = {
    "flicker": "How much more the render changes along the motion of its plate than the plate does; 1.00 is as steady."
    " Means over three places of four frames.",
    "crushed": "Pixels that are black in the render (luma below 2 of 255) and not nearly so in the plate (8 or more).",
    "clipped": "Pixels with a channel above 254 of 255 in the render that had none in the plate.",
}
_STYLE = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")


def write_report(
    tasks: Sequence[ShotTask], out: Path, *, title: str, remarks: Sequence[str] = ()
) -> Path:
    """Write `report.html` into `out` and return its path. Raises TargetError, and RetryError on a full disk."""
    target = out / _NAME
    with partial_file(target, out) as part:  # another batch may write its own at the same time
        # names may hold bytes that are no text
        part.write_text(page(tasks, title, remarks), encoding="utf-8", errors="replace")
    return target


def page(tasks: Sequence[ShotTask], title: str, remarks: Sequence[str] = ()) -> str:
    """The page, as text."""
    failed = [task for task in tasks if task.state == "failed"]
    done = sorted((t for t in tasks if t.state in ("done", "skipped")), key=_worst, reverse=True)
    left = [task for task in tasks if task.open]
    parts = [
        f"<header><h1>{_e(title)}</h1>{_subtitle(tasks)}{_summary(tasks)}</header>",
        _section("Failed", "failed", map(_failed, failed), len(failed)),
        _section("Rendered, worst first", "shots", map(_shot, done), len(done)),
        _section("Not ended", "failed", map(_failed, left), len(left)),
        _section("Of the timeline", "remarks", [_notes(remarks)], len(remarks)),
        _legend(),
    ]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{_e(title)}</title>'
    # no script and nothing from elsewhere, whatever a name may hold
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    head += f'<meta http-equiv="Content-Security-Policy" content="{policy}"><style>{_STYLE}</style>'
    body = "\n".join(part for part in parts if part)
    return f'<!doctype html><html lang="en"><head>{head}</head><body>\n{body}\n</body></html>\n'


def _e(value: object) -> str:
    return escape("".join(c if c.isprintable() else "\ufffd" for c in str(value)))


def _section(title: str, kind: str, cards: Iterable[str], count: int) -> str:
    if not count:
        return ""
    heading = f"<h2>{_e(title)} <span>{count}</span></h2>"
    return f'<section class="{kind}">{heading}\n' + "\n".join(cards) + "</section>"


def _subtitle(tasks: Sequence[ShotTask]) -> str:
    presets = ", ".join(sorted({Path(task.order.to).name for task in tasks}))
    when = time.strftime("%Y-%m-%d %H:%M")
    return f"<p>{_e(presets)} · {_e(when)} · nightfx {_e(nightfx.__version__)}</p>"


def _summary(tasks: Sequence[ShotTask]) -> str:
    ended = [task for task in tasks if task.state in ("done", "skipped")]
    frames = sum(number_of(task.facts, "frames") for task in ended)
    seconds = sum(number_of(task.facts, "seconds") for task in ended)
    failed = sum(task.state == "failed" for task in tasks)
    looks = sum(_worst(task) > 1 for task in ended)
    cells = [
        ("shots", f"{len(tasks)}", ""),
        ("rendered", f"{len(ended)}", ""),
        ("failed", f"{failed}", "bad" if failed else ""),
        ("worth a look", f"{looks}", "warn" if looks else ""),
        ("frames", f"{frames:,.0f}", ""),
        ("render time", _duration(seconds), ""),
        ("frames a second", f"{frames / seconds:.1f}" if seconds else "–", ""),
    ]
    items = (
        f'<div class="{kind}"><b>{_e(v)}</b><span>{_e(k)}</span></div>' for k, v, kind in cells
    )
    return f'<div class="summary">{"".join(items)}</div>'


def _failed(task: ShotTask) -> str:
    line = task.error or f"is {task.state}"
    code = ' <em class="retry">worth running again</em>' if task.code == RETRY else ""
    notes = _notes(task.notes)
    return f"<article><h3>{_name(task.order.shot.key)}{code}</h3><p>{_e(line)}</p>{notes}</article>"


def _shot(task: ShotTask) -> str:
    facts = task.facts
    mark = "warn" if _worst(task) > 1 else ""
    pictures = f'<div class="pair">{_picture(facts, "before")}{_picture(facts, "after")}</div>'
    before = " <em>done before</em>" if task.state == "skipped" else ""
    words = f"<h3>{_name(task.order.shot.key)}{before}</h3>{_target(task)}{_figures(facts)}"
    words += f'<p class="facts">{" · ".join(_e(word) for word in _facts(facts))}</p>'
    notes = facts.get("notes")
    words += f'<p class="settings">{_settings(task)}</p>{_notes(notes if isinstance(notes, list) else [])}'
    return f'<article class="{mark}">{pictures}<div class="words">{words}</div></article>'


def _name(key: str) -> str:
    folder, slash, name = key.rpartition("/")
    return f'<span class="folder">{_e(folder + slash)}</span>{_e(name)}'


def _target(task: ShotTask) -> str:
    return f'<p class="target">{_e(task.target)}</p>'


def _picture(facts: Mapping[str, Any], which: str) -> str:
    data, words = facts.get(which), {"before": "plate", "after": "render"}[which]
    if not isinstance(data, str) or not _BASE64.fullmatch(data):
        return f'<figure class="none"><figcaption>{words}: no picture</figcaption></figure>'
    picture = f'<img src="data:image/jpeg;base64,{data}" alt="{words}">'
    return f"<figure>{picture}<figcaption>{words}</figcaption></figure>"


def _figures(facts: Mapping[str, Any]) -> str:
    found = _measured(facts)
    if found is None:
        return ""
    return f"<dl>{''.join(_figure(found, key) for key in _TITLES)}</dl>"


def _figure(found: Figures, key: str) -> str:
    value = getattr(found, key)
    if value is None:
        return f'<div><dt>{_TITLES[key]}</dt><dd class="none">still</dd></div>'
    text = f"{value:.2f}" if key == "flicker" else f"{value:.2%}"
    over = ' class="over"' if value > LIMITS[key] else ""
    return f"<div{over}><dt>{_TITLES[key]}</dt><dd>{text}</dd></div>"


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


def _settings(task: ShotTask) -> str:
    said = {"to": Path(task.order.to).name} | dict(task.order.flags)
    words = ((key.replace("_", "-"), _value(value)) for key, value in said.items())
    return "".join(f"<code>{_e(f'{key} {value}'.strip())}</code>" for key, value in words)


def _value(value: Any) -> str:
    if value is True:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _notes(notes: Sequence[Any]) -> str:
    if not notes:
        return ""
    return f"<ul>{''.join(f'<li>{_e(note)}</li>' for note in notes)}</ul>"


def _legend() -> str:
    rows = "".join(
        f"<dt>{_TITLES[key]}</dt><dd>{_e(_MEANINGS[key])} Marked above {_limit(key)}.</dd>"
        for key in _TITLES
    )
    words = (
        "Shots are in order of their worst figure, in units of the value above which it is marked."
    )
    return f"<footer><h2>What the figures say</h2><dl>{rows}</dl><p>{words}</p></footer>"


def _limit(key: str) -> str:
    return f"{LIMITS[key]:.2f}" if key == "flicker" else f"{LIMITS[key]:.0%}"


def _worst(task: ShotTask) -> float:
    found = _measured(task.facts)
    return found.worst if found else 0.0


def _measured(facts: Mapping[str, Any]) -> Figures | None:
    said = facts.get("figures")
    if not isinstance(said, dict):
        return None
    values: dict[str, Any] = {key: said.get(key) for key in _TITLES}
    numbers = [value for key, value in values.items() if key != "flicker" or value is not None]
    if not all(type(value) in (int, float) for value in numbers):
        return None
    return Figures(**values)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours} h {rest // 60:02d} min" if hours else f"{rest // 60} min {rest % 60:02d} s"
