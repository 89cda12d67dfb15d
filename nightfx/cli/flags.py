"""Flags of a command, made from the model of options: each option is written once, in `nightfx/options`.

A command takes what was given as `**given`, by the options' keys, as text, and nothing of what was left out; the model
reads and checks it, so that a value is understood, and refused, alike on the command line, in files and in Python.
"""

from __future__ import annotations

import functools
import inspect
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from typer.core import TyperCommand, TyperOption

from nightfx.options import find_option
from nightfx.options.option import Option, options_in

Command = Callable[..., int | None]


_PRESET_HELP = "A preset, or the folder of one; night by default."


def _presets() -> list[tuple[str, str]]:
    """Names and lines of the presets that `--to` knows."""
    from nightfx.network import list_presets

    return [(preset.name, preset.facts.description) for preset in list_presets()]


class NamingPresets(TyperCommand):
    """A command whose `--to` names the presets there are, once its help is asked for: to read them takes a while."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        lines = [f"{name}: {description}" for name, description in _presets()]
        for one in self.params:
            if isinstance(one, TyperOption) and one.name == "to":
                one.help = "\n\n".join([_PRESET_HELP, *lines])
        super().format_help(ctx, formatter)


def complete_preset(incomplete: str) -> list[str]:
    """Return the names of presets that begin so, for a shell."""
    return [name for name, _ in _presets() if name.startswith(incomplete)]


To = Annotated[
    str | None,
    typer.Option(help=_PRESET_HELP, metavar="PRESET", autocompletion=complete_preset),
]
"""The flag that names the preset."""

PANELS = {
    "SourceOptions": "What is read",
    "LightOptions": "How a frame is lit",
    "FieldOptions": "The relight field",
    "Look": "The look: a number each, or keyframes such as 1001:0,1049:1, by the frames' numbers",
    "EncodeOptions": "How it is written",
    "JobOptions": "The work",
    "EngineOptions": "Who renders",
}
CONTEXT = inspect.Parameter(
    "_context", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=typer.Context
)
METAVARS = {int: "INTEGER", float: "NUMBER", Path: "FILE", str: "TEXT"}


def with_flags(
    *groups: type, also: Iterable[str] = (), but: Iterable[str] = ()
) -> Callable[[Command], Command]:
    """Give a command the flags of these groups of options; it gets those that were said as `**given`.

    `also` are keys of single options of a render, `but` those of options that are left out.
    """
    options = [(PANELS.get(x.__name__), one) for x in groups for one in options_in(x).values()]
    options += [(None, find_option(key)[1]) for key in also]
    flags = {one.key: _parameter(panel, one) for panel, one in options if one.key not in set(but)}

    def give(command: Command) -> Command:
        @functools.wraps(command)
        def run(*args: Any, _context: typer.Context | None = None, **given: Any) -> int | None:
            unsaid = {key for key in flags if _context and _is_left_out(_context, key)}
            return command(*args, **{k: value for k, value in given.items() if k not in unsaid})

        parameters = inspect.signature(command, eval_str=True).parameters.values()
        own = [one for one in parameters if one.kind is not inspect.Parameter.VAR_KEYWORD]
        shown = inspect.Signature([*own, CONTEXT, *flags.values()])
        run.__signature__ = shown  # type: ignore[attr-defined]  # typer reads it
        return run

    return give


def only(group: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was given of a group's options, by the fields' names, in their own types; raises UsageError."""
    named = {one.key: one for one in options_in(group).values()}
    return {named[key].name: named[key].value(x) for key, x in given.items() if key in named}


def shell_words(key: str, value: Any) -> str:
    """Return an option as it is typed in a shell; keyframes and ranges may come as lists, as files have them."""
    flag = f"--{key.replace('_', '-')}"
    if isinstance(value, bool):
        return flag if value else f"--no-{flag[2:]}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        pairs = [":".join(map(str, one)) for one in value if isinstance(one, Sequence)]
        value = ",".join(pairs) if pairs else "-".join(map(str, value))
    return f"{flag} {shlex.quote(str(value))}"


def _is_left_out(context: typer.Context, key: str) -> bool:
    source = context.get_parameter_source(key)
    return source is not None and source.name == "DEFAULT"


@functools.cache
def _parameter(panel: str | None, one: Option) -> inspect.Parameter:
    is_switch, is_list = one.kind is bool, Ellipsis in get_args(one.kind)
    kind: Any = bool if is_switch else list[str] if is_list else str
    flag = typer.Option(
        one.flag,
        help=one.facts.help,
        metavar=None if is_switch else _metavar(one),
        rich_help_panel=panel,
        autocompletion=None if is_switch else _completion(one.kind),
    )
    return inspect.Parameter(
        one.key,
        inspect.Parameter.KEYWORD_ONLY,
        default=one.default if is_switch else _shown(one.default),
        annotation=Annotated[kind if is_switch else kind | None, flag],
    )


def _shown(default: Any) -> str | None:
    """Return a default for people, who see it in the help; None for one that says nothing."""
    if default in (None, ()):
        return None
    return f"{default:g}" if isinstance(default, float) else str(default)


def _kinds(kind: Any) -> Iterator[Any]:
    if get_origin(kind) in (None, Literal, tuple):
        yield kind
        return
    for each in get_args(kind):
        yield from _kinds(each)


def _metavar(one: Option) -> str:
    named = [METAVARS[each] for each in _kinds(one.kind) if each in METAVARS]
    by_type = named[0] if named else "CHOICE" if _choices(one.kind) else "TEXT"
    return one.facts.metavar or one.facts.unit.upper() or by_type


def _choices(kind: Any) -> list[str]:
    kinds = [each for each in _kinds(kind) if each is not NoneType]
    return [str(x) for each in kinds if get_origin(each) is Literal for x in get_args(each)]


def _completion(kind: Any) -> Callable[[str], list[str]] | None:
    choices = _choices(kind)

    def complete(incomplete: str) -> list[str]:
        return [choice for choice in choices if choice.startswith(incomplete)]

    return complete if choices else None
