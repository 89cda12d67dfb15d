"""`nightfx batch`: the flags of `nightfx render`, for a folder of shots or a timeline."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nightfx.cli import shell
from nightfx.cli.flags import To, only, shell_words, with_flags
from nightfx.cli.own.config import own_settings
from nightfx.disk import check_folder
from nightfx.errors import DONE, SOME_FAILED, NightfxError, UsageError
from nightfx.options import GROUPS, EngineOptions, RenderOptions, all_options

if TYPE_CHECKING:
    from nightfx.batch.queue.worker import ShotTask
    from nightfx.batch.shots.timeline import Cut, Left

_MOST_NAMES = 8  # of clips, in the last line


@with_flags(EngineOptions, *GROUPS.values(), but=("frames",))
def batch(
    shots: Annotated[
        Path,
        typer.Argument(
            metavar="SHOTS",
            help="A folder of clips and sequences, or a timeline: .otio, .edl, .xml, .fcpxml, .aaf.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Folder for the renders, in the tree of SHOTS.")
    ],
    include: Annotated[
        list[str] | None, typer.Option(help="Only shots whose path or name is like this glob.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="No shots whose path or name is like this glob.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be rendered, and render nothing.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="A line of JSON for each event, on standard output.")
    ] = False,
    media: Annotated[
        Path | None,
        typer.Option(help="Folder of a timeline's media; by default the timeline's own."),
    ] = None,
    handles: Annotated[
        int, typer.Option(min=0, help="Frames rendered before and after what a timeline shows.")
    ] = 8,
    to: To = None,
    **given: Any,
) -> int:
    """Render a folder of shots and all below it, or what a timeline shows: skip what is done, end with a report.

    Settings of single shots stand in a nightfx.toml beside them, by the names of the flags.
    """
    options = EngineOptions(**only(EngineOptions, given))
    flags = {key: value for key, value in given.items() if key in all_options()}
    RenderOptions.of(**flags)  # what is wrong is said before anything is looked for
    own = own_settings(flags | {"to": to}, all_options())
    names = frozenset([Path(to or own.get("to", "night")).name])
    cut, root = None, shots
    shell.settings.json = as_json
    with shell.progress(shots.name) as show:
        show.stage("reading", 0, None)
        check_folder(out)
        from nightfx.batch.shots.find import find_shots
        from nightfx.batch.shots.timeline import is_timeline

        if is_timeline(shots):
            if {"start", "end"} & {*flags, *own}:
                raise UsageError("--start and --end are not for timelines: they say what is shown")
            root = media or shots.absolute().parent
            cut = _read_cut(shots, root, out, handles, flags)
            found = cut.shots
        else:
            found = find_shots(
                shots, out, include=include or [], exclude=exclude or [], names=names
            )
        from nightfx.batch.queue.run import plan_batch, run_batch

        tasks = plan_batch(found, root, out, flags | ({"to": to} if to else {}), options, own)
    if dry_run:
        _tell_plan(tasks, as_json, is_timeline=cut is not None)
        fails = any(task.state == "failed" for task in tasks)
        return SOME_FAILED if fails or any(one.is_failure for one in _left(cut)) else DONE
    from nightfx.cli.table import watching

    with watching(tasks, as_json=as_json) as watch:
        run_batch(tasks, out, options, watch)
    return _conclude(tasks, out, shots.resolve().name, cut, as_json)


def _read_cut(timeline: Path, media: Path, out: Path, handles: int, flags: dict[str, Any]) -> Cut:
    from nightfx.batch.shots.media import Library
    from nightfx.batch.shots.relink import try_write
    from nightfx.batch.shots.timeline import read_cut

    options = RenderOptions.of(**flags)
    library = Library(media, out, timeline.absolute().parent, options.source)
    cut = read_cut(timeline, library, handles=handles, rate=options.source.fps)
    for remark in cut.remarks:
        typer.echo(shell.printable(f"warning: {remark}"), err=True)
    try_write(cut, out)
    return cut


def _tell_plan(tasks: Sequence[ShotTask], as_json: bool, *, is_timeline: bool) -> None:
    """Print what would be rendered: of a timeline lines that `nightfx` takes, since no file is called as its shots are."""
    for task in tasks:
        words = {"waiting": "render", "skipped": "done"}.get(task.state, task.state)
        shot, order = task.order.shot, task.order
        if as_json:
            line = {"shot": shot.key, "plan": words, "to": order.to, "flags": order.flags}
            typer.echo(json.dumps(line))
            continue
        said = " ".join([shell_words("to", order.to), *starmap(shell_words, order.flags.items())])
        why = (
            f" ({'; '.join(filter(None, [*task.notes, task.error]))})"
            if task.notes or task.error
            else ""
        )
        name = shlex.quote(str(shot.source)) if is_timeline else shot.key
        also = f"  # {shot.key}" if is_timeline else ""
        typer.echo(shell.printable(f"{words:6} {name} {said}{also}{why}"))


def _conclude(
    tasks: Sequence[ShotTask], out: Path, title: str, cut: Cut | None, as_json: bool
) -> int:
    from nightfx.batch.report.page import write_report
    from nightfx.batch.shots.relink import write_cut

    failed = [task for task in tasks if task.state == "failed"]
    for task in failed:
        typer.echo(shell.printable(f"error: {task.error}"), err=True)
    count = sum(task.state == "done" for task in tasks)
    skipped = sum(task.state == "skipped" for task in tasks)
    lost = [one for one in _left(cut) if one.is_failure]
    names = [task.order.shot.key for task in failed] + [one.name for one in lost]
    words = f"{count} rendered, {skipped} done before, {len(names)} failed"
    typer.echo(shell.printable(f"{words}{_told_left(cut, names) if cut else ''}"), err=True)
    try:
        if cut is not None:
            typer.echo(shell.printable(str(write_cut(cut, tasks, out))), err=as_json)
            _list_left(cut, as_json)
        report = write_report(tasks, out, title=title, cut=cut)
    except NightfxError as error:  # such as a full disk; the renders are there
        shell.fail(error)
        return SOME_FAILED
    typer.echo(shell.printable(str(report)), err=as_json)
    return SOME_FAILED if names else DONE


def _left(cut: Cut | None) -> Sequence[Left]:
    """What of a timeline is left as it was."""
    return cut.left if cut else ()


def _told_left(cut: Cut, failed: Sequence[str]) -> str:
    """Name what of a timeline failed, and what is left as it was because it cannot be rendered by what it is."""
    left = [one.name for one in cut.left if not one.is_failure]
    words = f" ({_some(failed)})" if failed else ""
    return f"{words}, {len(left)} left as they were ({_some(left)})" if left else words


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _list_left(cut: Cut, as_json: bool) -> None:
    for one in cut.left if as_json else ():
        state = "failed" if one.is_failure else "left"
        typer.echo(json.dumps({"clip": one.name, "state": state, "error": one.why}))
