"""The manifest of a render in segments: everything that decides its pixels, so that two renders are never mixed.

It lies in a hidden folder beside the target, `.NAME.EXT.nightfx`, with the segments that are done; a farm's plan is the
same file. Whatever was chosen by looking, at the frames or at the machine, is chosen once and read from it ever after.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from nightfx.disk import from_json_types, load_json, to_json_types
from nightfx.errors import PlanError, UsageError
from nightfx.job import render_job, source_target
from nightfx.light import Lengths
from nightfx.network import bundled_scene
from nightfx.options import QUALITY_FAMILIES, Backend, DeviceName, RenderOptions
from nightfx.source import cores, fingerprint
from nightfx.target import Head, OutputPlan

_FORMAT = 1
_LIBRARIES = ("nightfx", "torch", "av", "numpy", "numba", "opencv-python-headless")
_BACKEND_LIBRARIES = ("openvino", "nncf")


@dataclass(frozen=True)
class Choices:
    """All that was chosen by looking at the frames."""

    lengths: Lengths = field(default_factory=Lengths)
    """Lengths of segments, and of the warm-up before them."""
    every: int = 1
    """Frames from one computed field to the next."""
    stops: tuple[float, float, float] | None = None
    """The look that is held."""
    threads: int = 1
    """Threads of torch: sums come out in another order with another number."""
    head: Head | None = None
    """All that the first frame decides of a clip's file; None for a sequence."""
    shown: str | None = None
    """SHA-256 of what int8 was quantised with, which lies beside the segments."""
    lights: str | None = None
    """SHA-256 of the list of the shot's lights, which lies beside them too."""


@dataclass(frozen=True)
class Manifest:
    """A job: what it is of, and what was chosen for it."""

    source: Path
    """The clip or the pattern."""
    target: Path
    """Where its render goes."""
    preset: Path
    """Folder of the preset."""
    options: dict[str, Any]
    """Those of the render."""
    job: dict[str, dict[str, Any]]
    """All that must be the same wherever it is worked on: source, preset, settings, encoder, versions, machine."""
    choices: Choices
    starts: list[int] | None = None
    """The first frame of each segment; None until they are found, while rendering."""
    marks: dict[str, render_job.Mark] = field(default_factory=dict)
    """By number of the frame, those from which segments can be begun."""
    frames: int | None = None
    """How many there are, where they were counted."""
    format: int = _FORMAT
    """Version of this file's format."""

    def render_options(self) -> RenderOptions:
        """The options, from JSON. Raises UsageError or ValueError."""
        return from_json_types(RenderOptions, self.options)

    def check_segment(self, number: int) -> None:
        """Raise UsageError for a number that no segment has."""
        last = len(self.starts or ()) - 1
        if not 0 <= number <= last:
            has = f"must be 0 to {last}" if last > 0 else "must be 0, it has one"
            raise UsageError(f"--segment {has}, got {number}")


def read_manifest(path: Path) -> Manifest:
    """Read a manifest or a plan; raises PlanError."""
    try:
        found = load_json(Manifest, path)
        found.render_options()
    except (OSError, ValueError) as error:
        raise PlanError(f"{path}: not a plan: {error}; nightfx plan writes one") from error
    if found.format != _FORMAT:
        raise PlanError(f"{path}: of format {found.format}, {_FORMAT} is known: plan it anew")
    return found


def describe_job(job: render_job.RenderJob, *, here: bool = True) -> dict[str, dict[str, Any]]:
    """Return all that must be the same wherever a job is worked on; a join asks for nothing of what computes `here`."""
    found = {
        "source": fingerprint(job.source),
        "preset": {"sha256": job.preset.sha256},
        "settings": job.options.fingerprint(),
        "files": file_fingerprints(job.options),
        "encoder": _written(job),
    }
    if here:
        names = _libraries(job.options.light.backend)
        found["versions"] = {name: _version(name) for name in names} | _scene_network(job)
        found["machine"] = machine_of(job.options.light.device)
        if isinstance(job.plan, OutputPlan) and job.plan.family in QUALITY_FAMILIES:
            found["machine"]["cores"] = (
                cores()
            )  # their encoders write other bits with other threads
    return found


def file_fingerprints(options: RenderOptions) -> dict[str, Any]:
    """A fingerprint of each file that options name, by the option's name; a colour config of OpenColorIO's own has none."""
    return {
        name: fingerprint(source_target.find_source(Path(path)))
        for name, path in options.files().items()
        if name in ("matte", "sky_matte") or Path(path).is_file()
    }


def _written(job: render_job.RenderJob) -> dict[str, Any]:
    plan = to_json_types(job.plan)
    names = [encoding.name for encoding in (job.encodings.source, job.encodings.target)]
    return {k: v for k, v in plan.items() if k != "notes"} | {"encodings": names}


def _libraries(backend: Backend) -> Sequence[str]:
    return _LIBRARIES if backend == "torch" else (*_LIBRARIES, *_BACKEND_LIBRARIES)


def _scene_network(job: render_job.RenderJob) -> dict[str, str]:
    """The weights of the scene network, where the look asks for skies that are to be found."""
    if not job.options.look.names("sky") or job.options.light.sky_matte:
        return {}
    return _scene_weights()


def _scene_weights() -> dict[str, str]:
    return {"scene network": sha256(bundled_scene().read_bytes()).hexdigest()[:12]}


def describe_mattes(source: Path, options: RenderOptions) -> dict[str, dict[str, Any]]:
    """Return all that must be the same for the mattes of a shot to go on, whatever they are of."""
    return {
        "source": fingerprint(source),
        "settings": options.fingerprint(),
        "files": file_fingerprints(options),
        "versions": {name: _version(name) for name in _LIBRARIES} | _scene_weights(),
        "machine": machine_of(options.light.device),
    }


@cache
def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def machine_of(asked: DeviceName) -> dict[str, Any]:
    """Return what of this machine decides the bits that networks give."""
    import torch

    from nightfx.network import pick_device, pick_trunk_dtype

    device = pick_device(asked)
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    found: dict[str, Any] = {"device": where, "dtype": str(pick_trunk_dtype(device))}
    found["cpu"] = torch.backends.cpu.get_cpu_capability()
    return found


def differences(
    now: dict[str, dict[str, Any]],
    then: dict[str, dict[str, Any]],
) -> list[str]:
    """Return the changes from one description of a job to another, in a few words each."""
    words = []
    for part, value in now.items():
        old = then.get(part)
        old = old if isinstance(old, dict) else {}
        changed = [key for key in {**value, **old} if value.get(key) != old.get(key)]
        if changed and part in ("source", "preset", "encoder"):
            words.append(f"the {part} changed")
        elif changed:
            words += [_change(part, key, old.get(key), value.get(key)) for key in changed]
    return words


def _change(part: str, key: str, old: Any, new: Any) -> str:
    if part == "files":
        return f"the file of --{key} changed"
    name = f"--{key.replace('_', '-')}" if part == "settings" else key
    return f"{name} was {_say(old)}, is {_say(new)}"


def _say(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key}={one}" for key, one in value.items() if one is not None)
    return "not given" if value is None else str(value)
