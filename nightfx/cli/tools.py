"""`nightfx doctor`, `nightfx probe` and `nightfx verify`."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nightfx.video.verdict import Row

PACKAGES = (
    "nightfx",
    "torch",
    "av",
    "numpy",
    "numba",
    "openvino",
    "OpenImageIO",
    "OpenTimelineIO",
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


def probe(
    file: Annotated[Path, typer.Argument(help="A clip.")],
    to: Annotated[str | None, typer.Option(help="Suffix of the render: .mov, .mp4, .mkv.")] = None,
    codec: Annotated[str | None, typer.Option(help="Codec of the render.")] = None,
) -> int:
    """Say what a clip is, and what of it a render would not keep."""
    from nightfx.video.codecs import EncodeOptions, plan_output
    from nightfx.video.foresee import foresee
    from nightfx.video.reader import Reader

    options = EncodeOptions(codec=codec)  # type: ignore[arg-type]  # checked by EncodeOptions
    with Reader(file, keep_going=True) as reader:
        info, notes = reader.info, reader.notes
    plan = plan_output(info, to, options)
    rate = f"{float(info.rate):.3f}" if info.rate else "unknown"
    facts = {
        "picture": f"{info.codec} {info.profile} {info.width}x{info.height} {info.coding.pix_fmt}",
        "frames": f"{info.frames_estimate or 'unknown'} at {rate} a second",
        "colour": f"{info.tags.primaries}/{info.tags.transfer}/{info.tags.matrix}, {info.coding.matrix},"
        f" {'full' if info.coding.full_range else 'limited'}",
        "pixels": f"aspect {info.sample_aspect}, rotated by {info.rotation}",
        "timecode": info.timecode or "none",
        "streams": f"{info.audio_streams} of sound, {info.subtitle_streams} of subtitles",
        "render": f"{plan.codec} {plan.pix_fmt} in {plan.suffix}",
    }
    for name, words in facts.items():
        typer.echo(f"{name:9} {words}")
    for line in [*notes, *foresee(file, info, plan)] or ["nothing"]:
        typer.echo(f"not kept: {line}")
    return 0


def verify(
    source: Annotated[Path, typer.Argument(help="The clip that was rendered.")],
    render: Annotated[Path, typer.Argument(help="What came of it.")],
    start: Annotated[float | None, typer.Option(min=0, help="The --start of the render.")] = None,
    end: Annotated[float | None, typer.Option(min=0, help="The --end of the render.")] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 where anything is not kept exactly.")
    ] = False,
) -> int:
    """Compare a render with its source, all but the light; exit 1 where something is lost."""
    from nightfx.video.compare import compare
    from nightfx.video.verdict import failures

    rows = compare(source, render, start_seconds=start, end_seconds=end)
    _table(rows)
    bad = failures(rows, strict=strict)
    counts = (
        f"{sum(r.verdict == v for r in rows)} {v}" for v in ("kept", "changed", "left out", "lost")
    )
    typer.echo(f"{', '.join(counts)}: {'failed' if bad else 'passed'}")
    return 1 if bad else 0


def _table(rows: Iterable[Row]) -> None:
    lines = [(row.verdict, row.what, row.source, row.render) for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(3)]
    for line in lines:
        typer.echo(
            "  ".join([*(w.ljust(n) for w, n in zip(line[:3], widths, strict=True)), line[3]])
        )
