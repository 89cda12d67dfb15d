"""The figures as lines of text."""

from __future__ import annotations

from collections.abc import Sequence

from nightfx.quality.figures import FigureRow, Range

# heading, field, format, factor
COLUMNS = (
    ("distance", "distance", ".3f", 1),
    ("colours", "colours", ".3f", 1),
    ("layout", "layout", ".3f", 1),
    ("bands", "bands", ".4f", 1),
    ("night %", "night", ".0f", 100),
    ("colour %", "by_colours", ".0f", 100),
    ("form %", "by_structure", ".0f", 100),
    ("bright", "brightness", ".3f", 1),
    ("lights %", "lights", ".2f", 100),
    ("structure", "structure", ".3f", 1),
    ("invented", "invented", ".1f", 1),
    ("misplaced", "misplaced", ".1f", 1),
    ("halo", "halo", ".2f", 1),
    ("darker", "darker", ".2f", 1),
    ("fringe", "fringe", ".2f", 1),
    ("seams", "seams", ".3f", 1),
    ("flicker", "flicker", ".2f", 1),
    ("KID", "kid", ".3f", 1),
    ("FID", "fid", ".2f", 1),
)


def format_table(rows: Sequence[FigureRow], ranges: Range) -> str:
    """Rows under a header, and the middle 80 % of real pictures below; columns that no row has are left out."""
    columns = [c for c in COLUMNS if any(getattr(row, c[1]) is not None for row in rows)]
    width = max(len(row.name) for row in rows) + 2
    lines = [" " * width + " ".join(heading.rjust(8) for heading, *_ in columns)]
    lines += [row.name.ljust(width) + " ".join(_cell(row, c) for c in columns) for row in rows]
    (dark, bright), (few, many) = ranges.brightness, ranges.lights
    return "\n".join(
        [
            *lines,
            f"80 % of real pictures: bright {dark:.3f} to {bright:.3f}, lights {100 * few:.2f} to {100 * many:.2f} %",
        ]
    )


def _cell(row: FigureRow, column: tuple[str, str, str, int]) -> str:
    heading, name, form, factor = column
    value = getattr(row, name)
    return ("" if value is None else format(value * factor, form)).rjust(max(8, len(heading)))
