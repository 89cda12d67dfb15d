"""`nightfx doctor`."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import typer

PACKAGES = (
    "nightfx",
    "torch",
    "av",
    "numpy",
    "numba",
    "openvino",
    "OpenImageIO",
    "opencv-python-headless",
    "pillow",
    "safetensors",
    "typer",
)


def doctor() -> int:
    """Say which versions, devices and codecs this machine has; exit 1 where something needed is missing."""
    import torch

    from nightfx.engine.backends import installed_backends
    from nightfx.model import pick_device, pick_trunk_dtype
    from nightfx.presets import list_presets
    from nightfx.video.formats import FORMATS

    typer.echo(f"python      {platform.python_version()} on {platform.platform()}")
    for name in PACKAGES:
        typer.echo(f"{name:24} {_version(name)}")
    device = pick_device("auto")
    typer.echo(
        f"device      {device} ({pick_trunk_dtype(device)}), {torch.get_num_threads()} threads"
    )
    typer.echo(f"backends    {', '.join(installed_backends())}")
    encoders = sorted({form.encoder for form in FORMATS.values()})
    missing = [name for name in encoders if not _can_encode(name)]
    typer.echo(f"encoders    {', '.join(name for name in encoders if name not in missing)}")
    presets = ", ".join(preset.name for preset in list_presets())
    typer.echo(f"presets     {presets or 'none'}")
    if missing:
        typer.echo(f"missing     {', '.join(missing)}", err=True)
    return 1 if missing or not presets else 0


def _can_encode(name: str) -> bool:
    import av

    try:
        return bool(av.Codec(name, "w").is_encoder)
    except ValueError:
        return False


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
