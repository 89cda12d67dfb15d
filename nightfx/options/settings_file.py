"""Files of settings, `nightfx.toml` and the user's `config.toml`: the keys are the flags of `nightfx render`.

A `nightfx.toml` may come from others: it cannot name a place to write to, nor lift a limit, and no more can config.toml.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from nightfx.errors import UsageError
from nightfx.options.render import all_options, find_option

_MOST_BYTES = 1 << 16
_OF_ONE_SHOT = {"frames"}  # numbers of files, which no folder of shots shares


def read_settings(file: Path) -> dict[str, Any]:
    """Return what a file says, checked, by the options' keys; tables as it names them. Raises UsageError."""
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise UsageError(f"{file}: is over {_MOST_BYTES >> 10} KiB: no settings are")
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{file}: cannot be read: {error}") from error
    return {
        key if isinstance(value, dict) else _name(file, key): _checked(file, key, value)
        for key, value in table.items()
    }


def _checked(file: Path, key: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {_name(file, k): _checked_value(file, _name(file, k), v) for k, v in value.items()}
    return _checked_value(file, _name(file, key), value)


def _name(file: Path, key: str) -> str:
    name = key.replace("-", "_")
    if name == "to":
        return name
    known = {name: one.facts.in_files for name, (_, one) in all_options().items()}
    if name in known and not known[name]:
        raise UsageError(f"{file}: {key} is for the command line alone")
    allowed = sorted({"to", *(name for name in known if known[name])} - _OF_ONE_SHOT)
    if name not in allowed:
        raise UsageError(f"{file}: unknown key {key!r}; known: {', '.join(allowed)}")
    return name


def _checked_value(file: Path, key: str, value: Any) -> Any:
    if key == "to":
        return _checked_preset(file, value)
    one = find_option(key)[1]
    try:
        one.value(value)
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from error
    if one.facts.is_file and value not in one.facts.no_files and "://" not in value:
        return str(file.parent / value)
    return value


def _checked_preset(file: Path, value: Any) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{file}: to must be text, got {value!r}")
    beside = file.parent / value
    return str(beside) if (beside / "preset.toml").is_file() else value
