"""Say whether two revisions of nightfx render the same, bit for bit, in each of many kinds of renders.

    python scripts/compare_revisions.py OLD NEW [--only NAME ...] [--keep DIR] [--jobs 2] [--self-test]

OLD and NEW are checkouts. Each kind (`revisions/kinds.py`) is rendered by both, each command in a process of its own and
a clean folder, of small inputs that are made here (`revisions/inputs.py`) and a moment of OLD's example clip. What is compared, and what of
it may differ, stands in `revisions/results.py`. A Markdown table is printed; the exit code is 1 where a kind differs
or fails. `--self-test` renders one kind with another exposure, and compares files with small changes: all must be found.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from revisions.inputs import make_inputs
from revisions.kinds import KINDS, Kind
from revisions.results import Verdict, compare_folders
from revisions.run import Revision, StepError, results_of
from revisions.self_test import SAME, changed_pairs, exposures

JOBS = 2  # a render takes about one core, as its environment is set


def main() -> int:
    """Read the arguments, compare, print the table; returns the exit code."""
    args = parse_arguments()
    both = [Revision(name, getattr(args, name).resolve()) for name in ("old", "new")]
    kinds = [exposures()] if args.self_test else chosen(args.only)
    began = time.monotonic()
    with TemporaryDirectory(prefix="revisions") as scratch:
        folder = args.keep or Path(scratch)
        check(both)
        (folder / "in").mkdir(parents=True)
        make_inputs(folder / "in", both[0].checkout / "examples/street.mp4")
        verdicts = compare_kinds(kinds, both, folder, args.jobs, keep=bool(args.keep))
        code = check_itself(verdicts, folder) if args.self_test else print_table(kinds, verdicts)
    print(f"{len(kinds)} kinds in {time.monotonic() - began:.0f} s", file=sys.stderr)
    return code


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    assert __doc__
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path, help="a checkout")
    parser.add_argument("new", type=Path, help="a checkout")
    parser.add_argument(
        "--only", nargs="+", default=[""], help="kinds with one of these in their names"
    )
    parser.add_argument("--keep", type=Path, help="a folder that is not there yet, for all results")
    parser.add_argument("--jobs", type=int, default=JOBS, help="kinds at a time")
    parser.add_argument("--self-test", action="store_true", help="show that differences are found")
    return parser.parse_args()


def chosen(words: Sequence[str]) -> list[Kind]:
    """The kinds with one of these words in their names; exits where there is none."""
    found = [kind for kind in KINDS if any(word.lower() in kind.name.lower() for word in words)]
    if not found:
        known = "; ".join(kind.name for kind in KINDS)
        raise SystemExit(f"no kind is named like {' or '.join(words)}; known: {known}")
    return found


def check(both: Sequence[Revision]) -> None:
    """Exit where a checkout is not what Python would import."""
    try:
        for revision in both:
            revision.check()
    except StepError as error:
        raise SystemExit(str(error)) from error


def compare_kinds(
    kinds: Sequence[Kind], both: Sequence[Revision], folder: Path, jobs: int, *, keep: bool
) -> Iterator[Verdict | str]:
    """A verdict on each kind, in order, or why there is none; results are removed unless `keep`."""
    one = partial(compare_kind, both=both, folder=folder, keep=keep)
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(one, kinds)


def compare_kind(
    kind: Kind, both: Sequence[Revision], folder: Path, *, keep: bool
) -> Verdict | str:
    """Render a kind with both revisions and compare what they wrote."""
    if missing := [name for name in kind.needs if not find_spec(name)]:
        return f"left out: {' and '.join(missing)} not installed"
    scratch = folder / "".join(letter if letter.isalnum() else "_" for letter in kind.name)
    scratch.mkdir()
    try:
        return compare_folders(*(results_of(kind, each, folder / "in", scratch) for each in both))
    except StepError as error:
        return f"FAILED: {error}"
    finally:
        if not keep:
            shutil.rmtree(scratch)


def print_table(kinds: Sequence[Kind], verdicts: Iterator[Verdict | str]) -> int:
    """Print a row for each kind as soon as it is known; 1 where one differs or failed."""
    code = 0
    print("| kind | frames | same |\n|---|---|---|")
    for kind, verdict in zip(kinds, verdicts, strict=True):
        frames, words = ("", verdict) if isinstance(verdict, str) else in_words(verdict)
        code |= not words.startswith((SAME, "left out"))
        print(f"| {kind.name} | {frames} | {words} |", flush=True)
    return code


def in_words(verdict: Verdict) -> tuple[int, str]:
    """The frames of a verdict, and whether they are the same."""
    if verdict.difference:
        return verdict.frames, f"NO: {verdict.difference}"
    return verdict.frames, SAME if verdict.same_bytes else f"{SAME}, decoded"


def check_itself(verdicts: Iterator[Verdict | str], folder: Path) -> int:
    """Print what is found of differences that were made; 1 where one is missed."""
    code = 0
    print("| changed | found |\n|---|---|")
    for change, verdict in changed_pairs(folder / "changes"):
        words = in_words(verdict)[1]
        code |= change.said not in words
        print(f"| {change.name} | {words} |")
    (verdict_on_exposure,) = verdicts
    is_found = (
        isinstance(verdict_on_exposure, Verdict) and "frame 0" in verdict_on_exposure.difference
    )
    print(
        f"| {exposures().name} | {getattr(verdict_on_exposure, 'difference', verdict_on_exposure)} |"
    )
    return code or not is_found


if __name__ == "__main__":
    sys.exit(main())
