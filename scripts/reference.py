"""Write the reference of commands and of Python's names, docs/reference.md and docs/python.md, from the program itself.

python scripts/reference.py [--check]

With `--check` nothing is written, and it exits with 1 where a page is not as the program has it.
"""

from __future__ import annotations

import argparse
import enum
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer

import nightfx
from nightfx.cli import app

DOCS = Path(__file__).parents[1] / "docs"
GENERAL = "Options"
_UNSAID = r"<[\w ]+(?: at 0x[0-9a-f]+)?>"  # a default that has no words
SIGNATURE = 100  # characters of one that stands on a line


def main() -> None:
    """Write both pages, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    pages = {DOCS / "reference.md": commands_page(), DOCS / "python.md": python_page()}
    stale = [
        path for path, text in pages.items() if not path.exists() or path.read_text("utf-8") != text
    ]
    if args.check and stale:
        sys.exit(f"{', '.join(map(str, stale))}: run python scripts/reference.py")
    for path in stale:
        path.write_text(pages[path], "utf-8")


def commands_page() -> str:
    """Return the page of all commands and their options."""
    head = "# Commands and options\n\nWritten by `scripts/reference.py` from the program itself.\n"
    parts = (command_text(path, one) for path, one in commands(typer.main.get_command(app), ()))
    return "\n".join([head, *parts])


def commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield each command that does something, with its words."""
    inner = getattr(command, "commands", {})
    if not inner:
        yield path, command
    for name, one in inner.items():
        yield from commands(one, (*path, name))


def command_text(path: tuple[str, ...], command: Any) -> str:
    """Return the part of the page that one command has."""
    shown = [x for x in command.params if not x.hidden and "--help" not in x.opts]
    arguments = " ".join(x.metavar or x.name.upper() for x in shown if not is_option(x))
    lines = [f"## nightfx {' '.join(path)}", "", cell(command.help, "\n"), ""]
    lines += [
        "```",
        f"nightfx {' '.join(path)} {arguments} [options]".replace("  ", " "),
        "```",
        "",
    ]
    panels: dict[str, list[Any]] = {}
    for one in shown:
        panels.setdefault(one.rich_help_panel or GENERAL, []).append(one)
    for panel, options in panels.items():
        lines += [f"| {panel} | | |", "|---|---|---|", *map(row, options), ""]
    return "\n".join(lines)


def is_option(param: Any) -> bool:
    """Whether it is a flag, and not an argument."""
    return bool(param.opts[0].startswith("-"))


def row(param: Any) -> str:
    """Return an option's line of the table."""
    names = (
        ", ".join(f"`{x}`" for x in (*param.opts, *param.secondary_opts))
        if is_option(param)
        else f"`{param.metavar or param.name.upper()}`"
    )
    taken = "" if getattr(param, "is_flag", False) or not is_option(param) else value_of(param)
    return f"| {names} | {cell(taken)} | {cell(param.help)} |"


def value_of(param: Any) -> str:
    """Return what an option takes: its choices, or the word for its value."""
    if choices := list(choices_of(param.type_descriptor.annotation)):
        return ", ".join(f"`{x}`" for x in choices)
    return param.metavar or getattr(param.type_descriptor.annotation, "__name__", "").upper()


def choices_of(kind: Any) -> Iterator[str]:
    """Yield what may be chosen, where a type is a choice."""
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        yield from (str(x.value) for x in kind)
    elif get_origin(kind) is Literal:
        yield from map(str, get_args(kind))
    else:
        for inner in get_args(kind):
            yield from choices_of(inner)


def cell(text: str | None, line: str = " ") -> str:
    """Return text for a table: no bars, and lines as one."""
    joined = re.sub(r"[ \t]*\n[ \t]*", line, (text or "").strip())
    return joined.replace("|", "\\|").replace("<", "&lt;")


def python_page() -> str:
    """Return the page of the names that `import nightfx` gives."""
    head = "# Python\n\nWritten by `scripts/reference.py` from the names of `import nightfx`.\n"
    return "\n".join([head, *(name_text(name) for name in sorted(nightfx.__all__, key=str.lower))])


def name_text(name: str) -> str:
    """Return the part of the page that one name has."""
    thing = getattr(nightfx, name)
    lines = [f"## {name}", ""]
    if callable(thing) and (signature := signature_of(name, thing)):
        lines += ["```python", signature, "```", ""]
    if isinstance(thing, type) or callable(thing):
        lines += [inspect.cleandoc(thing.__doc__ or "").replace("<", "&lt;"), ""]
    for method, told in methods(thing) if isinstance(thing, type) else ():
        lines += [f"- `{method}`: {cell(told.splitlines()[0])}"]
    return "\n".join([*lines, ""])


def signature_of(name: str, thing: Any) -> str:
    """Return how a name is called, a parameter a line where it is long; empty where nobody can say."""
    if isinstance(thing, type) and issubclass(thing, Exception):
        return ""
    try:
        told = f"{name}{inspect.signature(thing)}"
    except ValueError:
        return ""
    told = re.sub(_UNSAID, "…", told)
    if len(told) <= SIGNATURE:
        return told
    inside = [f"    {x}," for x in map(str, inspect.signature(thing).parameters.values())]
    inside = [re.sub(_UNSAID, "…", x) for x in inside]
    return "\n".join([f"{name}(", *inside, ")"])


def methods(kind: type) -> Iterator[tuple[str, str]]:
    """Yield a type's own methods and properties that say what they are."""
    for name, member in vars(kind).items():
        function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        if not name.startswith("_") and (told := getattr(function, "__doc__", None)):
            is_own = inspect.isfunction(function) or isinstance(function, property)
            if is_own:
                yield name, told


if __name__ == "__main__":
    main()
