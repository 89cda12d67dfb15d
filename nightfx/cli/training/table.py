"""A run as a terminal shows it while it goes on: how near each preset is, which one is kept, and the losses."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from nightfx.cli.training.told import losses_in, verdict_of

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS = ("preset", "now", "best", "at step", "plates", "structure", "so far")


def drawn_table(told: Mapping[str, float]) -> Table:
    """The table of what a run told last, by the names of `progress.show_distances`; distances of plates are for comparison."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for title in COLUMNS:
        is_number = title not in (COLUMNS[0], COLUMNS[-1])
        table.add_column(title, justify="right" if is_number else "left", no_wrap=is_number)
    rows = list(_rows(told))
    table.show_header = bool(rows)
    for cells in rows:
        *facts, verdict = cells
        style = "green" if verdict == "usable" else "yellow"
        table.add_row(*facts, Text(verdict, style=style))
    table.caption = Text(_caption(told), style="dim")
    table.caption_justify = "left"
    return table


def _rows(told: Mapping[str, float]) -> Iterator[tuple[str, ...]]:
    for to in ("night", "day"):
        name = f"distance to {to}"
        if name not in told:
            continue
        best, step, plates, structure = (
            told.get(f"{name}, {x}", math.nan)
            for x in ("best", "best step", "plates", "best structure")
        )
        numbers = (f"{told[name]:.3f}", f"{best:.3f}", f"{step:,.0f}", f"{plates:.3f}")
        yield to, *numbers, f"{structure:.2f}", verdict_of(best, plates, structure)


def _caption(told: Mapping[str, float]) -> str:
    losses = losses_in(told)
    measured = any(name.startswith("distance") for name in told)
    parts = [f"losses: {losses}" if losses else "no losses yet"]
    return ", ".join(parts if measured else [*parts, "no distance before the first checkpoint"])
