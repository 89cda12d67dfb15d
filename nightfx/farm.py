"""Job files for the farm that one has: a task for each segment of a plan, and a last one that joins them.

    export_job("plan.json", "job.json", "openjd")      nightfx farm export plan.json --format openjd -o job.json

The commands are those of the farm contract (`engine.plan`), so every host must see the plan and what it names by the same paths.
A farm takes exit code 75, as any but 0, for a failure, and tries again by its own rule; a task that was done before ends at once.
"""

from __future__ import annotations

import getpass
import json
import re
import shlex
import unicodedata
from collections.abc import Callable
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from nightfx.disk import partial_file
from nightfx.errors import PlanError, TargetError, UsageError
from nightfx.job.manifest import read_manifest

_LONGEST_NAME = 100  # OpenJD holds 128 characters of a job's name
_CONTROLS = ("Cc", "Cs")  # Unicode's: of no place in XML or in lines of KEY=VALUE
_OF_DEADLINE = '"<>'  # no way to write them in arguments is documented
# Cuebot takes the schema from itself where its address begins like this
_DOCTYPE = '<!DOCTYPE spec PUBLIC "SPI Cue  Specification Language" "http://localhost:8080/spcue/dtd/cjsl-1.12.dtd">'


@dataclass(frozen=True)
class FarmOptions:
    """How a farm starts nightfx, and what OpenCue wants to know besides."""

    command: str = "nightfx"
    """The program, found by PATH on each host, or a path."""
    show: str | None = None
    """OpenCue's; it must be known there."""
    shot: str | None = None
    """OpenCue's; by default as the render."""
    user: str | None = None
    """OpenCue's, who must be known on its hosts and not be root; by default whoever exports."""
    facility: str | None = None
    """OpenCue's; by default its own."""


@dataclass(frozen=True)
class _Job:
    plan: str
    name: str
    """File name of the render."""
    last: int
    """Number of the last segment."""
    options: FarmOptions


def export_job(
    plan: Path, out: Path, format: str, options: FarmOptions | None = None
) -> list[Path]:
    """Write the job of a plan for a farm; returns the files written: `out`, or for `deadline` four in the folder `out`.

    `format` is openjd, opencue or deadline. What is there of the same name is replaced, file by file.
    Raises PlanError, UsageError for what the format cannot say, TargetError.
    """
    if format not in FORMATS:
        raise UsageError(f"--format must be one of {', '.join(FORMATS)}, got {format!r}")
    files = FORMATS[format](_job_of(plan, options or FarmOptions()), out)
    if any(path.absolute() == plan.absolute() for path in files):
        raise UsageError(f"{out}: is the plan itself: name another file with -o")
    if out not in files:
        _make_folder(out)
    for path, text in files.items():
        with partial_file(path) as part:
            part.write_text(text, "utf-8", newline="\n")
    return list(files)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        words = f"{folder}: cannot be made a folder ({error.strerror}): name another with -o"
        raise TargetError(words) from error


def _job_of(plan: Path, options: FarmOptions) -> _Job:
    manifest = read_manifest(plan)
    if not manifest.starts:
        raise PlanError(f"{plan}: its segments were not looked for: nightfx plan does")
    job = _Job(str(plan.absolute()), manifest.target.name, len(manifest.starts) - 1, options)
    for text in (job.plan, job.name, *filter(None, astuple(options))):
        if any(unicodedata.category(letter) in _CONTROLS for letter in text):
            raise UsageError(f"{text!r}: has control characters, which no job file holds: rename")
    return job


def _openjd(job: _Job, out: Path) -> dict[Path, str]:
    """A template of Open Job Description 2023-09, as JSON, which is YAML too."""
    # parameters are never expanded, so that {{ in a path is what it is; of type PATH one could only be relative
    values = {"Plan": job.plan, "Nightfx": job.options.command, "Shot": job.name[:_LONGEST_NAME]}
    segments = {"name": "Segment", "type": "INT", "range": f"0-{job.last}"}
    number = ("--segment", "{{Task.Param.Segment}}")
    render = _step("Render", "render", "--plan", "{{Param.Plan}}", *number)
    join = _step("Join", "join", "{{Param.Plan}}")
    template = {
        "specificationVersion": "jobtemplate-2023-09",
        "name": "nightfx {{Param.Shot}}",
        "parameterDefinitions": [
            {"name": name, "type": "STRING", "default": value} for name, value in values.items()
        ],
        "steps": [
            {**render, "parameterSpace": {"taskParameterDefinitions": [segments]}},
            {**join, "dependencies": [{"dependsOn": "Render"}]},
        ],
    }
    return {out: json.dumps(template, indent=1) + "\n"}


def _step(name: str, *words: str) -> dict[str, Any]:
    action = {"command": "{{Param.Nightfx}}", "args": list(words)}
    return {"name": name, "script": {"actions": {"onRun": action}}}


def _opencue(job: _Job, out: Path) -> dict[Path, str]:
    """A job of OpenCue, cjsl 1.12, for hosts with a POSIX shell; written from its schema, tried on no server."""
    options = job.options
    if not options.show:
        raise UsageError("opencue wants to know of what show it is: name one of yours with --show")
    name = _cue_name(f"nightfx_{job.name}")
    spec = ElementTree.Element("spec")
    if options.facility:
        _add(spec, "facility", options.facility)
    _add(spec, "show", options.show)
    _add(spec, "shot", _cue_name(options.shot or Path(job.name).stem))
    _add(spec, "user", _cue_user(options))
    inner = _add(spec, "job", name=name)
    _add(inner, "paused", "False")
    _add(inner, "maxretries", "1")
    layers = _add(inner, "layers")
    plan = _cue_word(job.plan)
    render = f"render --plan {plan} --segment #IFRAME#"
    _layer(layers, "render", "Render", _cue_word(options.command), render, f"0-{job.last}")
    _layer(layers, "join", "Util", _cue_word(options.command), f"join {plan}", "0")
    depend = _add(_add(spec, "depends"), "depend", type="LAYER_ON_LAYER", anyframe="False")
    for tag, text in (
        ("depjob", name),
        ("deplayer", "join"),
        ("onjob", name),
        ("onlayer", "render"),
    ):
        _add(depend, tag, text)
    ElementTree.indent(spec)
    text = ElementTree.tostring(spec, encoding="unicode")
    return {out: f'<?xml version="1.0" encoding="UTF-8"?>\n{_DOCTYPE}\n{text}\n'}


def _add(
    parent: ElementTree.Element, tag: str, text: str | None = None, **attributes: str
) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, tag, attributes)
    child.text = text
    return child


def _layer(
    layers: ElementTree.Element, name: str, kind: str, command: str, words: str, frames: str
) -> None:
    layer = _add(layers, "layer", name=name, type=kind)
    _add(layer, "cmd", f"{command} {words}")
    _add(layer, "range", frames)
    _add(layer, "chunk", "1")
    _add(_add(layer, "services"), "service", "default")


def _cue_word(text: str) -> str:
    """A word for a shell; Cuebot replaces #JOB# and the like, quoted or not, so that no # stays beside a letter."""
    return shlex.quote(text).replace("#", "#''")


def _cue_name(text: str) -> str:
    """Letters, digits, dots and underscores, three or more, which is what OpenCue takes for a name."""
    return re.sub(r"[^\w.]+", "_", text, flags=re.ASCII)[:_LONGEST_NAME].lower().ljust(3, "_")


def _cue_user(options: FarmOptions) -> str:
    try:
        user = options.user or getpass.getuser()
    except (KeyError, OSError) as error:
        raise UsageError("opencue wants to know whose job it is: name one with --user") from error
    if user == "root":
        raise UsageError("opencue refuses jobs of root: name another with --user")
    return user


def _deadline(job: _Job, out: Path) -> dict[Path, str]:
    """Two jobs of Deadline's CommandLine plugin, each a pair of files; written from its manual, tried on no farm.

    Of the second, JobDependencies is left to who submits: the id that Deadline gave the first.
    """
    for text in (job.plan, job.options.command):
        if set(text) & set(_OF_DEADLINE):
            raise UsageError(
                f"{text}: Deadline's arguments cannot hold any of {_OF_DEADLINE}: rename"
            )
    plan = f"<QUOTE>{job.plan}<QUOTE>"
    words = {"render": f"render --plan {plan} --segment <STARTFRAME>", "join": f"join {plan}"}
    frames = {"render": {"Frames": f"0-{job.last}"}, "join": {"Frames": "0", "JobDependencies": ""}}
    files = {}
    for step in words:
        name = {"Name": f"nightfx {job.name} {step}", "BatchName": f"nightfx {job.name}"}
        plugin = {"Executable": job.options.command, "Arguments": words[step]}
        files[out / f"{step}_plugin_info.job"] = _lines(plugin)
        info = {"Plugin": "CommandLine", **name, "ChunkSize": "1", **frames[step]}
        files[out / f"{step}_job_info.job"] = _lines(info)
    return files


def _lines(values: dict[str, str]) -> str:
    return "".join(f"{key}={value}\n" for key, value in values.items())


FORMATS: dict[str, Callable[[_Job, Path], dict[Path, str]]] = {
    "openjd": _openjd,
    "opencue": _opencue,
    "deadline": _deadline,
}
