"""The truth afterwards: a render held against its source."""

from nightfx.check.verdict import VerdictRow, failures
from nightfx.check.verify import facts_of

__all__ = [
    "VerdictRow",
    "facts_of",
    "failures",
]
