"""`nightfx evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nightfx.cli import shell
from nightfx.cli.flags import only, with_flags
from nightfx.options import SourceOptions


@with_flags(also=("max_pixels",))
def evaluate(
    plates: Annotated[Path, typer.Option(help="Folder of the pictures and clips as shot.")],
    renders: Annotated[Path, typer.Option(help="Folder of their renders, of the same names.")],
    nights: Annotated[Path, typer.Option(help="Folder of real nights (or days, for --to day).")],
    json: Annotated[
        Path | None, typer.Option(help="Write all figures, of each picture too.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Write a PNG of the worst and the median pictures.")
    ] = None,
    features: Annotated[
        Path | None,
        typer.Option(
            help="Network for KID and FID, ONNX or TorchScript: 299x299 RGB in 0-1 to features."
        ),
    ] = None,
    trust_features: Annotated[
        bool,
        typer.Option(
            "--trust-features", help="Run the TorchScript file, which can do whatever you can."
        ),
    ] = False,
    tile_px: Annotated[
        int, typer.Option(min=8, help="Seams are looked for where tiles of this size begin.")
    ] = 256,
    frames: Annotated[int, typer.Option(min=1, help="Frames read of each clip.")] = 240,
    **given: Any,
) -> None:
    """Measure renders beside their plates and real nights: a table, JSON, and a sheet of the worst."""
    from dataclasses import replace

    with shell.progress("evaluate", "renders") as tell:
        tell.stage("reading", 0, None)
        from nightfx.metrics.feature_file import check_features
        from nightfx.quality.files import check_targets, find_pairs, list_media

        find_pairs(plates, renders)
        list_media(nights)
        check_targets(table=json, sheet=sheet)
        if features is not None:
            check_features(features, trusted=trust_features)
        # from here on by torch, which takes seconds to import
        from nightfx.metrics import load_features
        from nightfx.quality.contacts import write_contacts
        from nightfx.quality.evaluate import OWN, EvaluateOptions, write_json
        from nightfx.quality.evaluate import evaluate as measure
        from nightfx.quality.table import format_table

    options = EvaluateOptions(tile_px, frames, **only(SourceOptions, given))
    if features is not None:
        options = replace(options, features=load_features(features, trusted=trust_features))
    with shell.progress("evaluate", "renders") as tell:
        report = measure(plates, renders, nights, options=options, on_progress=tell)
    for note in report.notes:
        typer.echo(shell.printable(f"warning: {note}"), err=True)
    typer.echo(format_table(report.rows, report.real.range))
    if report.own_features and report.rows[0].kid is not None:
        typer.echo(f"KID and FID by {OWN}")
    if json is not None:
        write_json(report, json)
    if sheet is not None:
        write_contacts(report.pictures, report.real.range, sheet, renders.resolve().name)
