"""`nightfx doctor`, `nightfx probe` and `nightfx verify`."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nightfx.cli import shell
from nightfx.cli.flags import with_flags
from nightfx.cli.own.config import own_settings
from nightfx.errors import DONE, FAILED
from nightfx.options import EncodeOptions, SourceOptions
from nightfx.options.option import options_in

if TYPE_CHECKING:
    from nightfx.check import VerdictRow
    from nightfx.job.source_target import Plan
    from nightfx.source import ClipInfo

PACKAGES = (
    "nightfx",
    "torch",
    "av",
    "numpy",
    "numba",
    "openvino",
    "OpenImageIO",
    "OpenTimelineIO",
    "opencolorio",
    "Fileseq",
    "opencv-python-headless",
    "pillow",
    "safetensors",
    "typer",
)


def doctor() -> int:
    """Say which versions, devices and codecs this machine has; exit 1 where something needed is missing."""
    typer.echo(f"python      {platform.python_version()} on {platform.platform()}")
    for name in PACKAGES:
        typer.echo(f"{name:24} {_version(name)}")
    import torch  # takes seconds: what needs none of it was said

    from nightfx.carry import FORMATS
    from nightfx.network import installed_backends, list_presets, pick_device, pick_trunk_dtype

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
    return FAILED if missing or not presets else DONE


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


_UNPROBED = "start", "end", "frames", "keep_going", "missing"
_PROBED = {
    one.key for group in (SourceOptions, EncodeOptions) for one in options_in(group).values()
}.difference(_UNPROBED)
"""Options that a probe heeds, by their keys."""


@with_flags(SourceOptions, EncodeOptions, but=_UNPROBED)
def probe(
    file: Annotated[Path, typer.Argument(help="A clip, or a sequence such as shot.####.exr.")],
    to: Annotated[
        str | None, typer.Option(help="Suffix of the render: .mov, .mp4, .mkv, .mxf, .exr …")
    ] = None,
    **given: Any,
) -> int:
    """Say what a clip or a sequence is, and what of it a render would not keep."""
    with shell.progress(file.name) as show:
        show.stage("reading", 0, None)
        lines = list(_probed(file, to, given))
    for line in lines:
        typer.echo(line)
    return DONE


def _probed(file: Path, to: str | None, given: dict[str, Any]) -> Iterator[str]:
    """Yield what a clip or a sequence is, and what of it is not kept, a line each."""
    from nightfx.job.render_job import log_lines
    from nightfx.job.source_target import (
        asked_encoding,
        find_source,
        open_shot,
        plan_target,
        predict_shot_losses,
    )
    from nightfx.options import RenderOptions
    from nightfx.picture import encoding_by_tags
    from nightfx.source.decoding import rate_varies
    from nightfx.source.numbered import SUFFIXES

    own = own_settings(given, _PROBED)
    options = RenderOptions.of(**own | given, keep_going=True, missing="skip")
    source = find_source(file)
    with open_shot(source, options.source) as reader:
        info, notes = reader.info, reader.notes
        name = f"####{to}" if to in SUFFIXES else f"*{to}"
        plan = plan_target(info, Path(name) if to else None, options.encode)
        encoding = asked_encoding(options.source) or encoding_by_tags(info.tags, info.coding)
        seen = list(log_lines(reader, options.source, encoding))
        varies = info.container != "sequence" and rate_varies(info, options.source.max_pixels)
    facts = _facts(info, plan, options.source)
    facts |= {"log": seen[0]} if seen else {}
    facts["frames"] += " on average: it varies" if varies else ""
    yield from (f"{what:11} {words}" for what, words in facts.items())
    lost = [*notes, *predict_shot_losses(source, info, plan, options.source)]
    yield from (f"not kept: {line}" for line in lost or ["nothing"])


def _count(info: ClipInfo) -> str:
    """How many frames there are: as an index says, or about so many by how long it lasts."""
    about = "about " if info.frames_claimed is None else ""
    return f"{about}{info.frames_estimate}" if info.frames_estimate else "unknown"


def _facts(info: ClipInfo, plan: Plan, options: SourceOptions) -> dict[str, str]:
    from nightfx.check import facts_of
    from nightfx.source import Pick, frames_on_disk
    from nightfx.target import OutputPlan

    rate = f"{float(info.rate):.3f}" if info.rate else "unknown"
    codec = f"{plan.codec} {plan.pix_fmt}" if isinstance(plan, OutputPlan) else plan.coding.pix_fmt
    shape = f"{info.width}x{info.height} {info.coding.pix_fmt}"
    facts = {
        "picture": " ".join(filter(None, [info.codec, info.profile, shape])),
        "frames": f"{_count(info)} at {rate} a second",
        "colour": f"{info.tags.primaries}/{info.tags.transfer}/{info.tags.matrix}, {info.coding.matrix},"
        f" {'full' if info.coding.full_range else 'limited'}",
        "pixels": f"aspect {info.sample_aspect}, rotated by {info.rotation}",
        "timecode": info.timecode or "none",
        "streams": f"{info.audio_streams} of sound, {info.subtitle_streams} of subtitles",
        "render": f"{codec} in {plan.suffix}",
    }
    if info.container == "sequence":
        files = frames_on_disk(info.path)
        del facts["streams"]
        facts["numbers"] = f"{min(files)}-{max(files)}"
        pick = Pick(options.layer, options.view)
        facts |= facts_of(files[min(files)], options.max_pixels, pick)
    return facts


def verify(
    source: Annotated[Path, typer.Argument(help="The clip or sequence that was rendered.")],
    render: Annotated[Path, typer.Argument(help="What came of it.")],
    start: Annotated[float | None, typer.Option(min=0, help="The --start of the render.")] = None,
    end: Annotated[float | None, typer.Option(min=0, help="The --end of the render.")] = None,
    layer: Annotated[str | None, typer.Option(help="The layer that was lit.")] = None,
    view: Annotated[str | None, typer.Option(help="The view that was lit.")] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 where anything is not kept exactly.")
    ] = False,
) -> int:
    """Compare a render with its source, all but the light; exit 1 where something is lost."""
    with shell.progress(render.name) as show:
        show.stage("checking", 0, None)
        from nightfx.check import VERDICTS, failures, verify
        from nightfx.job.pipeline import stage_counter
        from nightfx.job.source_target import find_source, open_shot
        from nightfx.source import Pick, is_still

        both = find_source(source), find_source(render)
        for one in both:  # what is no clip is known by its header, before the other is decoded
            if not is_still(one):
                open_shot(one, SourceOptions(keep_going=True)).close()
        count = stage_counter(show, "checking", None)
        pick = Pick(layer, view)
        rows = verify(*both, start_seconds=start, end_seconds=end, pick=pick, on_frame=count)
    _table(rows)
    bad = failures(rows, strict=strict)
    counts = (f"{sum(r.verdict == v for r in rows)} {v}" for v in VERDICTS)
    typer.echo(f"{', '.join(counts)}: {'failed' if bad else 'passed'}")
    return FAILED if bad else DONE


def _table(rows: Iterable[VerdictRow]) -> None:
    lines = [(row.verdict, row.what, row.source, row.render) for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(3)]
    for line in lines:
        typer.echo(
            "  ".join([*(w.ljust(n) for w, n in zip(line[:3], widths, strict=True)), line[3]])
        )
