"""Two seconds of every file of a corpus of awkward ones: each is rendered as ffprobe counts it, or refused in one line.

`python -m pytest tests/corpus.py`; the corpus is the folder in NIGHTFX_CORPUS, or the one beside the project. The table
of outcomes is written to the file in NIGHTFX_CORPUS_TABLE, if that is set.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import preset_of
from worker import Answer, Worker

from nightfx.network.model import RelitGenerator
from nightfx.source.image import is_picture

BESIDE = Path(__file__).parents[2] / "shared/data/media/robustness"
CORPUS = Path(os.environ.get("NIGHTFX_CORPUS", BESIDE))
FILES = sorted(
    (path for path in CORPUS.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size
)
SECONDS = 2
TIMEOUT_SECONDS = 900  # of a 4K clip on a busy machine
# as the presets that come with nightfx do; by tiles the network sees each frame at its full size
CHEAP = ["--method", "relight", "--working-height", 64, "--field-every", 4]
CHEAP += ["--crf", 40, "--speed", "ultrafast"]
NEAR = Fraction(1, 1000)  # Matroska's clock

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not FILES, reason="needs_shared: a corpus in NIGHTFX_CORPUS"),
    pytest.mark.skipif(shutil.which("ffprobe") is None, reason="needs_shared: ffprobe to count by"),
]


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker(TIMEOUT_SECONDS) as worker:
        yield worker


@pytest.fixture(scope="module")
def preset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return preset_of(tmp_path_factory.mktemp("preset"), RelitGenerator(), "identity").folder


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CORPUS)))
def test_a_file_is_rendered_or_refused(
    path: Path, worker: Worker, preset: Path, tmp_path: Path
) -> None:
    answer = worker.call("render", path, "--to", preset, "-o", tmp_path, "--end", SECONDS, *CHEAP)
    left = list(tmp_path.iterdir())
    note(path, answer, left)
    if answer.code == 0:
        (target,) = left
        if not is_picture(path):
            assert_same_times(shown(path), shown(target))
    else:
        assert answer.refusal, answer.stderr
        assert not left


def note(path: Path, answer: Answer, left: list[Path]) -> None:
    """Add a line to the table of outcomes."""
    if (table := os.environ.get("NIGHTFX_CORPUS_TABLE")) is None:
        return
    outcome = f"{answer.code}\t{answer.stderr}"
    if answer.code == 0:
        outcome = f"rendered\t{1 if is_picture(path) else len(shown(left[0]))}"
    with Path(table).open("a", encoding="utf-8") as file:
        file.write(f"{path.relative_to(CORPUS)}\t{outcome.strip()}\t{answer.peak_mb} MB\n")


def shown(path: Path) -> list[Fraction]:
    """When ffprobe says that each picture of the first seconds is shown, in order."""
    entries = "stream=index,time_base:stream_disposition=attached_pic,timed_thumbnails"
    entries += ":frame=stream_index,pts,best_effort_timestamp"
    command = ["ffprobe", "-v", "quiet", "-select_streams", "v", "-show_entries", entries]
    command += ["-read_intervals", f"%+{SECONDS + 2}"]
    result = subprocess.run(
        [*command, "-of", "json", str(path)],
        capture_output=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
    )
    answer = json.loads(result.stdout)
    still = ("attached_pic", "timed_thumbnails")
    streams = [s for s in answer["streams"] if not any(s["disposition"].get(d) for d in still)]
    base = Fraction(streams[0]["time_base"])
    frames = [f for f in answer["frames"] if f["stream_index"] == streams[0]["index"]]
    ticks = [f.get("pts", f.get("best_effort_timestamp")) for f in frames]
    times = [None if t is None else t * base for t in ticks]
    first = next((t for t in times if t is not None), Fraction(0))
    return [t for t in times if t is None or t - first < SECONDS]  # type: ignore[misc]


def assert_same_times(source: list[Fraction], render: list[Fraction]) -> None:
    """Both show as many pictures at the same times, if the source has times at all."""
    assert len(render) == len(source)
    assert all(b > a for a, b in pairwise(render))
    if all(b > a for a, b in pairwise(source) if None not in (a, b)):
        pairs = zip(source, render, strict=True)
        assert all(a is None or abs(a - b) < NEAR for a, b in pairs)
