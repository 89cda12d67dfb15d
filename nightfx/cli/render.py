"""`nightfx render`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nightfx.cli import look as flags
from nightfx.cli import plan as planned
from nightfx.cli import shell

if TYPE_CHECKING:
    from fractions import Fraction

    from nightfx.job.inputs import Job
    from nightfx.light.tiling import TilePx
    from nightfx.network.presets import Preset
    from nightfx.options.render import RenderOptions

SOME_FAILED = 3


def render(
    context: typer.Context,
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="INPUT…", help="Clips, pictures, sequences (shot.####.exr), or folders of them."
        ),
    ] = None,
    to: Annotated[str, typer.Option(help="night, day, or the folder of a preset.")] = "night",
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Output file; for several inputs a folder.")
    ] = None,
    method: Annotated[
        str | None, typer.Option(help="relight or tiles; by default the preset's own.")
    ] = None,
    tile_px: Annotated[
        str | None,
        typer.Option(
            help="Side of a tile, a multiple of 8, or whole; by default what memory allows."
        ),
    ] = None,
    working_height: Annotated[
        int | None,
        typer.Option(help="Height at which relight shows the frame to the generator, in px."),
    ] = None,
    steady: Annotated[
        float | None,
        typer.Option(help="Share of the past in a relight field, 0 to 0.99; 0 is off."),
    ] = None,
    field_every: Annotated[
        str,
        typer.Option(help="Compute a relight field for every 1, 2 or 4 frames, or auto."),
    ] = "1",
    draft: Annotated[
        bool, typer.Option("--draft", help="Render with the preset's small network, for speed.")
    ] = False,
    lock: Annotated[
        bool, typer.Option("--lock", help="Hold one exposure and tint; write NAME.lock.json.")
    ] = False,
    lock_to: Annotated[
        Path | None,
        typer.Option("--lock-to", "--look", help="Hold the exposure and tint in this .lock.json."),
    ] = None,
    strength: flags.Strength = "1",
    exposure: flags.Exposure = None,
    temperature: flags.Temperature = None,
    tint: flags.Tint = None,
    saturation: flags.Saturation = None,
    black: flags.Black = None,
    sky: flags.Sky = None,
    glow: flags.Glow = None,
    grain: flags.Grain = None,
    seed: Annotated[int, typer.Option(help="Seeds the grain.")] = 0,
    matte: flags.Matte = None,
    matte_invert: flags.MatteInvert = False,
    matte_feather: flags.MatteFeather = 0.0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    backend: Annotated[
        str, typer.Option(help="torch, openvino or openvino-int8: what runs the network.")
    ] = "torch",
    start: Annotated[float | None, typer.Option(min=0, help="Start at this second.")] = None,
    end: Annotated[float | None, typer.Option(min=0, help="End before this second.")] = None,
    frames: Annotated[
        str | None,
        typer.Option(
            help="Render these frames alone, such as 1001-1048: files, or a clip's from 1001."
        ),
    ] = None,
    codec: Annotated[
        str | None,
        typer.Option(
            help="h264, h265, av1, prores, prores-{proxy,lt,422,hq,4444,xq}, dnxhr,"
            " dnxhr-{lb,sq,hq,hqx,444} or ffv1; by default it follows the source."
        ),
    ] = None,
    crf: Annotated[
        int | None,
        typer.Option(min=0, max=51, help="Quality of h264, h265 and av1, lower is better."),
    ] = None,
    speed: Annotated[
        str, typer.Option(help="Effort of h264, h265 and av1: ultrafast to veryslow.")
    ] = "fast",
    depth: Annotated[
        int | None,
        typer.Option(help="Bits of h264, h265 and av1; by default the source's or more."),
    ] = None,
    interlaced: Annotated[
        str, typer.Option(help="deinterlace, or keep: light the fields one by one.")
    ] = "deinterlace",
    passes: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write the relight fields for compositing, as EXR."),
    ] = None,
    missing: Annotated[
        str,
        typer.Option(help="Missing numbers of a sequence: stop, skip, or hold the frame before."),
    ] = "stop",
    fps: Annotated[
        str | None, typer.Option(help="Frames a second of a sequence, such as 24 or 24000/1001.")
    ] = None,
    input_space: Annotated[
        str | None,
        typer.Option(help="sdr, linear, pq, hlg, arri_logc4, slog3, acescct …; else by the tags."),
    ] = None,
    ocio: Annotated[
        str | None, typer.Option(help="OpenColorIO config that --input-space is a name of.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace existing outputs.")
    ] = False,
    max_pixels: Annotated[
        int, typer.Option(min=1, help="Refuse pictures of more pixels; 16384x16384 by default.")
    ] = 16384 * 16384,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Compare with the source at the end; write nothing if something is lost.",
        ),
    ] = False,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Render what decodes of a damaged clip.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew where an earlier render was stopped.")
    ] = False,
    json_lines: Annotated[
        bool, typer.Option("--json", help="Say progress as lines of JSON on the output.")
    ] = False,
    plan: Annotated[
        Path | None, typer.Option(help="Render a segment of what nightfx plan wrote.")
    ] = None,
    segment: Annotated[
        int | None, typer.Option(help="The number of the segment, from 0 on; with --plan.")
    ] = None,
    plan_to: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> int:
    """Render clips and pictures to night, or to day; each output stands beside its input as NAME.night.EXT.

    A long render that was stopped goes on when it is called again.
    """
    shell.settings.json = json_lines
    if plan is not None or segment is not None:
        return planned.render_planned(plan, segment, inputs)
    if not inputs:
        raise typer.BadParameter("name a clip, a picture, a sequence, or a folder of them")
    from nightfx.job.process import keep_small, set_up

    set_up()
    from nightfx.job.inputs import plan_jobs
    from nightfx.network.presets import load_preset
    from nightfx.options.render import RenderOptions
    from nightfx.target.codecs import EncodeOptions

    options = RenderOptions(
        method=method,  # type: ignore[arg-type]  # checked by RenderOptions
        tile_px=_tile_px(tile_px),
        working_height=working_height,
        steady=steady,
        field_every=int(field_every) if field_every.isdigit() else field_every,  # type: ignore[arg-type]  # checked by RenderOptions
        draft=draft,
        lock=lock,
        lock_to=lock_to,
        strength=flags.strength_from(strength),
        look=flags.look_from(context.params),
        seed=seed,
        matte=matte,
        matte_invert=matte_invert,
        matte_feather=matte_feather,
        device=device,  # type: ignore[arg-type]  # checked by pick_device
        backend=backend,  # type: ignore[arg-type]  # checked by RenderOptions
        start_seconds=start,
        end_seconds=end,
        frames=_frames(frames),
        encode=EncodeOptions(codec=codec, crf=crf, speed=speed, depth=depth),  # type: ignore[arg-type]  # checked by EncodeOptions
        interlaced=interlaced,  # type: ignore[arg-type]  # checked by RenderOptions
        passes=passes,
        missing=missing,  # type: ignore[arg-type]  # checked by RenderOptions
        fps=_fps(fps),
        input_space=input_space,
        ocio=ocio,
        overwrite=overwrite,
        max_pixels=max_pixels,
        verify=verify,
        keep_going=keep_going,
        fresh=fresh,
    )
    if plan_to is not None:
        return planned.plan_to_file(inputs, plan_to, out, to, options)
    preset = load_preset(to)
    if preset.method(options.method) == "relight":
        keep_small()
    jobs = plan_jobs(inputs, out, preset, options)
    if len(jobs) == 1:
        _render_one(jobs[0], preset, options)
        return 0
    failed = [job for job in jobs if not _survives(job, preset, options)]
    if failed:
        typer.echo(f"{len(failed)} of {len(jobs)} failed", err=True)
    return SOME_FAILED if failed else 0


def _tile_px(text: str | None) -> TilePx:
    if text is None:
        return None
    if text == "whole":
        return "whole"
    try:
        return int(text)
    except ValueError as error:
        words = f"--tile-px must be a number of pixels, or whole, got {text!r}"
        raise typer.BadParameter(words) from error


def _frames(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    first, _, last = text.partition("-")
    try:
        return int(first), int(last or first)
    except ValueError as error:
        words = f"--frames must be FIRST-LAST, such as 1001-1048, got {text!r}"
        raise typer.BadParameter(words) from error


def _fps(text: str | None) -> Fraction | None:
    from fractions import Fraction

    from nightfx.source.sequence import rate_from

    if text is None:
        return None
    try:
        return rate_from(Fraction(text) if "/" in text else float(text))
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        words = f"--fps must be a number such as 23.976 or 24000/1001, got {text!r}"
        raise typer.BadParameter(words) from error


def _survives(job: Job, preset: Preset, options: RenderOptions) -> bool:
    from nightfx.errors import NightfxError

    try:
        _render_one(job, preset, options)
    except NightfxError as error:
        shell.fail(error)
        return False
    return True


def _render_one(job: Job, preset: Preset, options: RenderOptions) -> None:
    from nightfx.job.render import render as render_file

    if job.error:
        raise job.error
    with shell.progress(job.source.name) as show:
        target = render_file(
            job.source, job.target, preset=preset, options=options, on_progress=show
        )
    shell.say(str(target), {"shot": job.source.name, "target": str(target)})
