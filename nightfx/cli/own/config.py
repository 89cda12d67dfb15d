"""The user's config.toml: settings for every render, which count as if they were given by flags."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import typer

from nightfx.cli.shell import printable
from nightfx.errors import UsageError
from nightfx.options import read_settings


def own_settings(given: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """Return what the user's config.toml says of `keys` and nobody `given`; a line tells of it. Raises UsageError."""
    from nightfx.disk import CONFIG_VARIABLE, config_file

    file = config_file()
    if file is None or not file.is_file():
        if file and CONFIG_VARIABLE in os.environ:
            raise UsageError(f"{CONFIG_VARIABLE}={file}: no such file")
        return {}
    said, known = read_settings(file), {"to", *keys}
    if tables := [key for key, value in said.items() if isinstance(value, dict)]:
        raise UsageError(f"{file}: [{tables[0]}] is for a nightfx.toml beside shots, not for all")
    used = {key: x for key, x in said.items() if key in known and given.get(key) is None}
    if used:
        words = ", ".join(f"{key.replace('_', '-')} {_told(value)}" for key, value in used.items())
        typer.echo(printable(f"{file}: {words}"), err=True)
    return used


def _told(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
