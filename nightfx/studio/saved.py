"""What a `nightfx.toml` says of one shot: its table, read and put back, and all else of the file left as it is."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from glob import escape
from pathlib import Path
from typing import Any

from nightfx.disk import partial_file
from nightfx.errors import UsageError
from nightfx.options import read_settings

FILE = "nightfx.toml"


def read_table(source: Path) -> dict[str, Any]:
    """What the file beside a shot says of it alone, as the file has it. Raises UsageError for a file that is none."""
    file = source.with_name(FILE)
    if not file.is_file():
        return {}
    read_settings(file)
    table = tomllib.loads(file.read_text(encoding="utf-8")).get(escape(source.name), {})
    return {key.replace("-", "_"): value for key, value in table.items()}


def write_table(source: Path, said: Mapping[str, Any]) -> None:
    """Let the file beside a shot say this of it alone; raises UsageError and leaves the file where that cannot be."""
    file = source.with_name(FILE)
    before = file.read_text(encoding="utf-8") if file.is_file() else ""
    rest = _without(before, escape(source.name)).rstrip()
    after = "\n\n".join(filter(None, [rest, _told(source, said)]))
    _check(file, before, after, escape(source.name))
    if not after:
        file.unlink(missing_ok=True)
        return
    with partial_file(file) as part:
        part.write_text(after + "\n", encoding="utf-8")
        read_settings(part)


def _told(source: Path, said: Mapping[str, Any]) -> str:
    lines = [f"{key.replace('_', '-')} = {_value(value)}" for key, value in said.items()]
    return "\n".join([f"[{_value(escape(source.name))}]", *lines]) if lines else ""


def _value(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _without(text: str, name: str) -> str:
    """The text without the table of that name, its comments kept."""
    kept: list[str] = []
    is_inside = False
    for line in text.splitlines():
        if line.lstrip().startswith("["):
            is_inside = _is_head(line, name)
        if not is_inside or line.lstrip().startswith("#"):
            kept.append(line)
    return "\n".join(kept)


def _is_head(line: str, name: str) -> bool:
    try:
        return tomllib.loads(line) == {name: {}}
    except tomllib.TOMLDecodeError:
        return False


def _check(file: Path, before: str, after: str, name: str) -> None:
    """Raise UsageError where the file would say anything else of other shots."""
    try:
        was = tomllib.loads(before)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{file}: cannot be read: {error}") from error
    try:
        will = tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        will = None
    was.pop(name, None)
    if will is None or {key: x for key, x in will.items() if key != name} != was:
        raise UsageError(f'{file}: ["{name}"] cannot be replaced: write it as a table of its own')
