"""The truth afterwards, and what is known of it before: a render held against its source."""

from nightfx.check.foresight import LOOKED_AT, foresee, lines_of_rows
from nightfx.check.table import TABLE, Held
from nightfx.check.verdict import VERDICTS, VerdictRow, failures
from nightfx.check.verification import facts_of, verify

__all__ = [
    "LOOKED_AT",
    "TABLE",
    "VERDICTS",
    "Held",
    "VerdictRow",
    "facts_of",
    "failures",
    "foresee",
    "lines_of_rows",
    "verify",
]
