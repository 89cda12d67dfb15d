"""Flags of a command, made from the model of options: each option is written once, in `nightfx/options`.

A command takes what was given as `**given`, by the options' keys, as text; the model reads and checks it, so that a
value is understood, and refused, alike on the command line, in files and in Python.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import typer

from nightfx.options.option import Option, options_in

Command = TypeVar("Command", bound=Callable[..., Any])

PANELS = {
    "SourceOptions": "What is read",
    "LightOptions": "How a frame is lit",
    "FieldOptions": "The relight field",
    "Look": "The look: a number each, or keyframes such as 0:0,48:1, frames counted from the first rendered",
    "EncodeOptions": "How it is written",
    "JobOptions": "The work",
    "EngineOptions": "Who renders",
}
METAVARS = {int: "INTEGER", float: "NUMBER", Path: "FILE", str: "TEXT"}


def with_flags(*groups: type, but: Iterable[str] = ()) -> Callable[[Command], Command]:
    """Give a command the flags of these groups of options, without those of some keys; it gets them as `**given`."""
    options = [(each, one) for each in groups for one in options_in(each).values()]
    flags = [_parameter(group, one) for group, one in options if one.key not in set(but)]

    def give(command: Command) -> Command:
        parameters = inspect.signature(command, eval_str=True).parameters.values()
        own = [one for one in parameters if one.kind is not inspect.Parameter.VAR_KEYWORD]
        command.__signature__ = inspect.Signature([*own, *flags])  # type: ignore[attr-defined]  # typer reads it
        return command

    return give


def only(group: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was given of a group's options, by the fields' names, in their own types; raises UsageError."""
    named = {one.key: one for one in options_in(group).values()}
    return {named[key].name: named[key].value(x) for key, x in said(given).items() if key in named}


def said(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the flags that were given, by key; those left out are None, and False where they switch something on."""
    return {key: value for key, value in given.items() if value is not None and value is not False}


def _parameter(group: type, one: Option) -> inspect.Parameter:
    is_switch = one.kind is bool
    flag = typer.Option(
        one.flag,
        help=one.facts.help,
        metavar=None if is_switch else _metavar(one.kind),
        rich_help_panel=PANELS.get(group.__name__),
        autocompletion=None if is_switch else _completion(one.kind),
    )
    return inspect.Parameter(
        one.key,
        inspect.Parameter.KEYWORD_ONLY,
        default=False if is_switch else None,
        annotation=Annotated[bool if is_switch else str | None, flag],  # type: ignore[valid-type]  # one of two types
    )


def _kinds(kind: Any) -> Iterator[Any]:
    if get_origin(kind) in (None, Literal, tuple):
        yield kind
        return
    for each in get_args(kind):
        yield from _kinds(each)


def _metavar(kind: Any) -> str:
    named = [METAVARS[each] for each in _kinds(kind) if each in METAVARS]
    return named[0] if named else "TEXT" if not _choices(kind) else "CHOICE"


def _choices(kind: Any) -> list[str]:
    kinds = [each for each in _kinds(kind) if each is not NoneType]
    return [str(x) for each in kinds if get_origin(each) is Literal for x in get_args(each)]


def _completion(kind: Any) -> Callable[[str], list[str]] | None:
    choices = _choices(kind)

    def complete(incomplete: str) -> list[str]:
        return [choice for choice in choices if choice.startswith(incomplete)]

    return complete if choices else None
