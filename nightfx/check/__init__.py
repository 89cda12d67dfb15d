"""The truth afterwards: a render held against its source."""

from nightfx.check.verdict import VerdictRow, failures
from nightfx.check.verification import facts_of, verify

__all__ = [
    "VerdictRow",
    "facts_of",
    "failures",
    "verify",
]
