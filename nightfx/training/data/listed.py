"""Pictures named by a CSV: its rows, filtered by their columns, by source."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nightfx.errors import TrainingError, UsageError

_Row = dict[str, str]
_Filter = tuple[str, tuple[str, ...]]
"""A column, and the values that pass."""


@dataclass(frozen=True)
class Listed:
    """The pictures of one class in a CSV with the columns path and class; paths count from the CSV's folder."""

    csv: Path
    """The table; `dataset prepare` writes such a one."""
    name: str
    """The class: day or night."""
    where: tuple[_Filter, ...] = ()
    """All must pass. Where a column `split` is not among them, only its rows `train` are taken."""

    def __str__(self) -> str:
        return f"{self.csv} ({self.name})"

    def by_source(self) -> list[list[Path]]:
        """The paths by the column `source`, or else by folder; raises `TrainingError` where none is left."""
        rows = read_rows(self.csv, ("path", "class"))
        left = [row for row in rows if row["class"].lower() == self.name]
        for column, values in self._filters(rows[0]):
            _check_column(self.csv, column, rows)
            passed = [row for row in left if row[column] in values]
            if left and not passed:
                raise TrainingError(_nothing_left(self, column, values, left))
            left = passed
        if not left:
            raise TrainingError(f"{self.csv}: no rows whose class is {self.name}")
        groups: dict[str, list[Path]] = {}
        for row in left:
            path = self.csv.parent / row["path"]
            groups.setdefault(row.get("source") or str(path.parent), []).append(path)
        return list(groups.values())

    def _filters(self, row: _Row) -> tuple[_Filter, ...]:
        asked = any(column == "split" for column, _ in self.where)
        return self.where if asked or "split" not in row else (*self.where, ("split", ("train",)))


def choose_pictures(
    day: Path | None, night: Path | None, csv: Path | None, where: Sequence[str]
) -> tuple[Path | Listed, Path | Listed]:
    """Day and night, either as folders or as the rows of a table; raises `UsageError` for half of either."""
    if csv is not None and day is None and night is None:
        filters = tuple(parse_filter(text) for text in where)
        return Listed(csv, "day", filters), Listed(csv, "night", filters)
    if csv is not None or day is None or night is None or where:
        raise UsageError("give the pictures as --day and --night, or as --csv with --where")
    return day, night


def parse_filter(text: str) -> _Filter:
    """Read `column=value,value`; raises `UsageError`."""
    column, equals, values = text.partition("=")
    wanted = tuple(value.strip() for value in values.split(",") if value.strip())
    if not (column.strip() and equals and wanted):
        raise UsageError(f"--where must be COLUMN=VALUE,VALUE…, got {text!r}")
    return column.strip(), wanted


def read_rows(path: Path, columns: Sequence[str]) -> list[_Row]:
    """The rows of a CSV that has these columns and more; raises `TrainingError`."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            rows, found = list(reader), reader.fieldnames
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TrainingError(f"{path}: not readable as a CSV: {error}") from error
    missing = [column for column in columns if column not in (found or ())]
    if not found:
        raise TrainingError(f"{path}: is empty; it needs a line of columns, and rows")
    if missing:
        raise TrainingError(f"{path}: has no column {' or '.join(missing)}")
    if not rows:
        raise TrainingError(f"{path}: has no rows")
    return rows


def _check_column(path: Path, column: str, rows: list[_Row]) -> None:
    if column not in rows[0]:
        known = ", ".join(name for name in rows[0] if name)
        raise TrainingError(f"{path}: no column {column!r} to filter by; it has {known}")


def _nothing_left(listed: Listed, column: str, values: tuple[str, ...], rows: list[_Row]) -> str:
    found = ", ".join(sorted({row[column] for row in rows})[:8])
    return f"{listed}: nothing left where {column} is {' or '.join(values)}; here it is {found}"
