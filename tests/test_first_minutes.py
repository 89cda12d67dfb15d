"""What a newcomer meets: errors at once, true counts, one numbering of frames, presets and settings of one's own, log footage."""

import json
import logging
import os
import pty
import re
import signal
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from media import Clip, image, make_clip
from PIL import Image
from typer.testing import CliRunner, Result

import nightfx
from nightfx.carry import log_line
from nightfx.cli import app
from nightfx.cli.display import clock_time
from nightfx.cli.shell import listen
from nightfx.disk import own_presets
from nightfx.errors import PresetError, UsageError, install_words
from nightfx.job.join import join_plan
from nightfx.job.plan import plan_render, render_segment
from nightfx.network.presets import Preset, list_presets, load_preset
from nightfx.network.saved import save_look
from nightfx.options import Look, has_driver
from nightfx.pace import LEAST_ITEMS, Pace
from nightfx.picture import Frame, coding_of, frame_of
from nightfx.preview.preview import preview
from nightfx.preview.sheet import draw_sheet
from nightfx.source.reader import Reader
from nightfx.source.sequence import SequenceReader

CHECKOUT = Path(nightfx.__file__).parents[1]


def call(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def frames_of(path: Path) -> list[Any]:
    with Reader(path) as reader:
        return [frame.planes[0].astype(int) for frame in reader.frames()]


class Watch:
    """Keeps all that a render tells."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, int | None]] = []
        self.stages: list[str] = []
        self.steps: dict[str, tuple[int, int | None]] = {}

    def __call__(self, done: int, total: int | None) -> None:
        self.frames.append((done, total))

    def stage(self, name: str, done: int, total: int | None) -> None:
        if name not in self.stages:
            self.stages.append(name)
        self.steps[name] = done, total


# at once

WITHOUT_WAITING = """
import json, sys
from typer.testing import CliRunner
from nightfx.cli import app
said = [CliRunner().invoke(app, words).stderr for words in json.loads(sys.argv[1])]
print(json.dumps([said, [name for name in ("torch", "numba") if name in sys.modules]]))
"""


def refused_by_what_lies_beside(folder: Path, clip: str) -> dict[tuple[str, ...], str]:
    """Commands and what is said of files that they read beside a clip, of places that cannot be written, and of devices."""
    (folder / "file").write_text("text")
    no, inside, into = str(folder / "no"), str(folder / "file/in"), ("--out", str(folder / "run"))
    pictures = folder / "pictures"
    pictures.mkdir()
    Image.new("RGB", (300, 300)).save(pictures / "a.png")
    sides = ("--day", str(pictures), "--night", str(pictures))
    taken = "cannot be made a folder"
    lost = {} if has_driver("cuda") else {("render", clip, "--device", "cuda"): "no driver"}
    return lost | {
        ("render", clip, "-o", f"{inside}/a.mp4"): taken,
        ("render", clip, "--passes", inside): taken,
        ("render", clip, "--lights", no): "no: is no file",
        ("render", clip, "--lights", str(folder / "file")): "file: is no list of lights",
        ("render", clip, "--lock-to", no): "no: cannot be read (No such file or directory)",
        (
            "render",
            clip,
            "--lock-to",
            str(folder / "file"),
        ): "file: Expecting value: line 1 column 1 (char 0): not a lock: --lock writes one",
        ("render", clip, "--matte", no): "no: no such file",
        ("plan", clip, "-o", f"{inside}/plan.json"): taken,
        ("preview", clip, "-o", f"{inside}/a.png"): taken,
        ("preview", clip, "--lights", no): "no: is no file",
        ("mattes", clip, "-o", str(folder), "--kinds", "sky,roof"): "--kinds knows no roof",
        ("mattes", clip, "-o", inside): "file: is a file, and no folder can be",
        ("mattes", no, "-o", str(folder)): "no: no such file",
        ("mattes", clip, "-o", str(folder / "m.mp4")): "m.mp4: is named as a file",
        ("batch", str(folder), "-o", str(folder / "b.mov")): "b.mov: is named as a file",
        ("render", clip, "--passes", str(folder / "p.exr")): "p.exr: is named as a file",
        ("render", clip, no, "--to", "noon"): "unknown preset 'noon'",
        ("lights", no): "no: no such file",
        ("export", "cube", no, "-o", str(folder / "a.cube")): "no: no such file",
        ("export", "cube", clip, "-o", f"{inside}/a.cube"): taken,
        ("export", "cdl", clip, "-o", str(folder / "a.cube")): "is written as .cc or .cdl or .ccc",
        (
            *("export", "cube", clip, "-o", str(folder / "a.cube")),
            *("--input-space", "linear"),
        ): "is linear light",
        ("bake", no, "-o", str(folder / "a.nfx")): "no: no such file",
        ("bake", clip, "-o", f"{inside}/a.nfx"): taken,
        ("render", clip, "--baked", no): "no: cannot be read as a bake (No such file or directory)",
        ("lights", clip, "-o", f"{inside}/a.lights.json"): taken,
        ("studio", no): "no: no such file",
        ("studio", str(pictures), "--no-browser"): "no clips or sequences in this folder",
        ("evaluate", "--plates", no, "--renders", no, "--nights", no): "no: no such folder",
        ("train", "--day", no, "--night", no, *into): "no: not a folder of pictures",
        ("train", *sides, *into, "--recipe", "quicker"): "unknown recipe 'quicker'",
        ("train", *sides, "--out", str(folder / "file")): "file: is a file",
        ("train", "--before", no, "--after", clip, *into): "no: not a folder of pictures",
        ("train-scene", "--photos", no, "--labels", no, *into): "no: no such folder",
        ("reproduce", "paper-4", "--data", no): "unknown experiment 'paper-4'",
        ("reproduce", "paper-1", "--data", no): "holds neither day/ and night/ nor",
        ("dataset", "prepare", no, *into): "no: no such file or folder",
        ("presets", "distill", "night", "--stills", no): "no: not a folder of pictures",
        **refused_for_what_is_empty(folder, pictures, into),
        ("preview", clip, "--matte", no): "no: no such file",
        ("preview", clip, "--sky-matte", no): "no: no such file",
        ("train", *sides, *into, "--from", "midnight"): "unknown preset 'midnight'",
        ("presets", "import", no): "no: no such file",
        ("dataset", "prepare", str(pictures), *into, "--threshold", "a=b"): "--threshold must be",
        ("dataset", "prepare", str(pictures), *into, "--labels", no): "no: not readable as a CSV",
        ("batch", str(folder), "-o", inside): "file: is a file, and no folder can be",
    }


def refused_for_what_is_empty(
    folder: Path, pictures: Path, into: tuple[str, str]
) -> dict[tuple[str, ...], str]:
    (folder / "empty").mkdir()
    empty, few = str(folder / "empty"), "0 usable pictures of 0, at least 2 are needed"
    nights = ("--nights", str(pictures), "--features", f"{empty}/no.onnx")
    return {
        ("train", "--day", empty, "--night", empty, *into): few,
        ("train", "--before", empty, "--after", str(pictures), *into): few,
        ("train", "--before", empty, "--after", empty, *into): "before and after are the same",
        ("presets", "distill", "night", "--stills", empty): few,
        ("dataset", "prepare", empty, *into): "empty: no pictures or clips",
        (
            *("evaluate", "--plates", str(pictures), "--renders", str(pictures)),
            *nights,
        ): "no.onnx: no such file",
    }


def refused_late_once(folder: Path, clip: str) -> dict[tuple[str, ...], str]:
    """Commands that took seconds to say what their command line and a file's head say."""
    text, still = folder / "text.mp4", folder / "still.png"
    text.write_text("hello")
    Image.new("RGB", (64, 64)).save(still)
    full, taken = folder / "full", folder / "taken.json"
    full.mkdir()
    (full / "a.txt").write_text("text")
    taken.write_text("{}")
    short = str(make_clip(folder / "short.mp4", Clip(count=6)))
    return {
        ("render", clip, "--matte", short): "short.mp4: has 6 frames, fewer than are rendered",
        ("render", clip, "--sky-matte", short): "short.mp4: has 6 frames, fewer than are rendered",
        ("plan", str(still), "-o", str(folder / "p.json")): "one picture has no segments",
        ("plan", clip, "-o", str(taken)): "taken.json: exists already",
        ("render", str(still), "-o", str(folder / "still.mp4")): "says no frame rate: --fps",
        ("dataset", "prepare", clip, "--out", str(full)): "full: exists; delete it",
        ("dataset", "prepare", str(full), "--out", str(full)): "the next call would read it",
        ("presets", "verify", "noon"): "unknown preset 'noon'",
        ("presets", "list", str(folder / "no")): "no: no such folder",
        ("presets", "import", str(text)): "text.mp4: no checkpoint of torch.save",
        ("train-scene", "--out", str(folder / "scene")): "nothing to learn from",
        ("probe", clip, "--to", ".avi"): "is not written to .avi",
        ("verify", clip, str(text)): "text.mp4: not readable as a clip",
        ("batch", clip, "-o", str(folder / "o")): "a.mp4: is a file: render it",
        ("render", clip, "--lights", str(text)): "text.mp4: is no list of lights",
    }


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (["render", "--to", "noon", "{clip}"], "  a.mp4\r"),
        (["verify", "nowhere.mp4"], "  nightfx\r"),
        (["render", "{clip}", "--json", "--to", "noon"], ""),
        (["presets", "list"], ""),
    ],
)
def test_a_terminal_reads_the_shots_name_before_commands_are_loaded(
    words: list[str], first: str, tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "a.mp4")
    code = (
        "import builtins, sys, nightfx.__main__ as it; sys.modules['nightfx.cli'] = None; it.run()"
    )
    command = [sys.executable, "-c", code, *(word.format(clip=clip) for word in words)]
    ours, theirs = pty.openpty()
    subprocess.run(command, stderr=theirs, check=False)  # stops where the commands would be loaded
    os.write(theirs, b"end\n")
    assert os.read(ours, 4096).decode().partition("Traceback")[0] == first


def test_what_the_header_and_the_command_line_say_needs_neither_torch_nor_numba(
    tmp_path: Path, identity: Preset
) -> None:
    clip = str(make_clip(tmp_path / "a.mp4"))
    (tmp_path / "b.night.mp4").write_bytes(b"x")
    taken = str(make_clip(tmp_path / "b.mp4"))
    plan = ["-o", str(tmp_path / "plan.json")]
    planned, target = tmp_path / "planned.json", tmp_path / "c.mp4"
    plan_render(Path(clip), planned, target=target, preset=identity)
    begun = tmp_path / "begun.json"
    plan_render(Path(clip), begun, target=tmp_path / "d.mp4", preset=identity)
    (tmp_path / "d.mp4").write_bytes(b"x")
    cut = tmp_path / "cut.edl"
    cut.write_text("001  REEL V C 00:00:00:00 00:00:01:00 00:00:00:00 00:00:01:00\n")
    cases = {
        **refused_late_once(tmp_path, clip),
        ("join", clip): "a.mp4: is no text; nightfx plan writes one",
        ("render", str(tmp_path / "nowhere.mp4")): "no such file",
        ("render", clip, "--to", "noon"): "unknown preset 'noon'",
        ("render", clip, "-o", str(tmp_path / "a.avi")): "is not written to .avi",
        ("render", taken): "exists already",
        ("render", clip, "--frames", "1-3"): "--frames 1-3 is outside 1001-1012",
        ("render", clip, "--frames", "1010-1013"): "--frames 1010-1013 is outside 1001-1012",
        ("render", clip, "--start", "9"): "--start 9 leaves no frame: it has frames 1001 to 1012",
        ("plan", clip, *plan, "--start", "9"): "--start 9 leaves no frame",
        ("mattes", clip, "-o", str(tmp_path), "--start", "9"): "--start 9 leaves no frame",
        ("render", clip, "--strength", "0:0,9:1"): "frames 0-9 are before the first, 1001",
        ("render", clip, "--to", "day", "--draft"): "day has no draft weights",
        ("plan", clip, *plan, "--codec", "av1", "--target", str(tmp_path / "a.mov")): "av1",
        ("plan", clip, *plan, "--target", str(tmp_path / "d.mp4"), "--overwrite"): "--fresh plans",
        ("preview", clip, "--frame", "12"): "it has frames 1001 to 1012",
        ("preview", clip, "-o", str(tmp_path / "a.jpg")): "a preview is written as PNG",
        **refused_by_what_lies_beside(tmp_path, clip),
        ("render", "--plan", str(planned), "--segment", "7"): "--segment must be 0, it has one",
        ("batch", str(tmp_path / "no"), "-o", str(tmp_path / "o")): "no such folder",
        ("batch", str(cut), "-o", str(tmp_path / "o")): "none of its clips can be rendered",
        ("join", str(tmp_path / "no.json")): "no.json: no such file",
        ("join", str(planned)): "segments are missing: 0",
        ("farm", "run", str(begun)): "d.mp4: exists already",
    }
    words = json.dumps([list(case) for case in cases])
    command = [sys.executable, "-c", WITHOUT_WAITING, words]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    said, slow = json.loads(answer.stdout)
    assert not slow
    for wanted, line in zip(cases.values(), said, strict=True):
        assert wanted.lower() in line.lower(), line


def test_a_line_comes_before_anything_heavy(tmp_path: Path) -> None:
    result = call("render", tmp_path / "nowhere.mp4")
    assert result.stderr.splitlines()[0] == "nowhere.mp4: reading"


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_probe_says_where_a_rate_varies(name: str, tmp_path: Path) -> None:
    even = make_clip(tmp_path / name, Clip(count=40))
    uneven = make_clip(tmp_path / f"uneven.{name}", Clip(times=[0, 1001, 2002, 6000, 7001, 9999]))
    said = [call("probe", clip).stdout.splitlines()[1] for clip in (even, uneven)]
    assert ["it varies" in line for line in said] == [False, True]


def test_news_are_no_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("nightfx.of_a_test")
    handlers = list(logging.getLogger("nightfx").handlers)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        listen()
        logger.info("a.mp4: resuming at frame 250 of 1000")
        logger.warning("a.mp4: sound is left out")
    finally:
        logging.getLogger("nightfx").handlers[:] = handlers
        for number, handler in before.items():
            signal.signal(number, handler)
    said = capsys.readouterr().err.splitlines()
    assert said == ["a.mp4: resuming at frame 250 of 1000", "warning: a.mp4: sound is left out"]


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4")
    command = f"{sys.executable} -m nightfx verify {clip} {clip} | head -c 1"
    answer = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=CHECKOUT)
    assert "error" not in answer.stderr
    assert "Traceback" not in answer.stderr


def test_farm_run_says_a_line_before_anything_heavy(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text("{}")
    result = call("farm", "run", tmp_path / "plan.json")
    assert result.stderr.splitlines()[0] == "plan.json: reading"


def test_batch_says_a_line_before_anything_heavy(tmp_path: Path) -> None:
    (tmp_path / "shots").mkdir()
    make_clip(tmp_path / "shots" / "a.mp4")
    result = call("batch", tmp_path / "shots", "-o", tmp_path / "out", "--dry-run")
    assert result.stderr.splitlines()[0] == "shots: reading"


KERNEL = """
from nightfx.picture import kernel
@kernel()
def twice(value):
    return value + value
"""
COMPILED = """
import sys, time
from kernel_of_a_test import twice
from nightfx.pace import work_clock
from nightfx.picture import end_watch, watch_compiling
said = []
watch_compiling(lambda: said.append("compiled"))
twice(1 if sys.argv[1] == "whole" else 1.5)
end_watch()
twice("ab")
stood = time.monotonic() - work_clock()
print(*said, *["stood still"] * (stood > 0.01))
"""


def test_the_first_time_is_whenever_something_is_compiled(tmp_path: Path) -> None:
    (tmp_path / "kernel_of_a_test.py").write_text(KERNEL)
    own = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(tmp_path)}
    said = []
    for word in ("whole", "whole", "part", "part"):  # a process each
        command = [sys.executable, "-c", COMPILED, word]
        answer = subprocess.run(
            command, env=own, cwd=CHECKOUT, capture_output=True, text=True, check=True
        )
        said.append(answer.stdout.split())
    compiled = ["compiled", "stood", "still"]  # the clock that paces go by
    assert said == [compiled, [], compiled, []]


def test_the_stage_before_the_first_frame_says_that_it_compiles(
    tmp_path: Path, identity: Preset, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, first, second = make_clip(tmp_path / "a.mkv", Clip("ffv1", count=1)), Watch(), Watch()
    with monkeypatch.context() as patched:
        patched.setattr("nightfx.job.pipeline.watch_compiling", lambda told: told())
        nightfx.render(source, tmp_path / "b.mkv", preset=identity, on_progress=first)
    nightfx.render(source, tmp_path / "c.mkv", preset=identity, on_progress=second)
    assert first.stages[:2] == ["preparing", "preparing (first time on this machine)"]
    assert "preparing (first time on this machine)" not in second.stages


WITHOUT_FILM = """
import json, sys
sys.modules["OpenImageIO"] = None
from typer.testing import CliRunner
from nightfx.cli import app
print(CliRunner().invoke(app, json.loads(sys.argv[1])).stderr)
"""


def test_film_files_without_the_extra_are_refused_before_the_first_frame(tmp_path: Path) -> None:
    words = ["render", str(make_clip(tmp_path / "a.mp4")), "-o", str(tmp_path / "b.####.exr")]
    command = [sys.executable, "-c", WITHOUT_FILM, json.dumps(words)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert re.search(r"error: .*\.exr needs pip install .*\[film\]", said)
    assert "preparing" not in said


# how it goes


def test_nobody_says_how_long_it_takes_before_ten_frames() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    told = []
    for done in range(1, 41):
        now = 30 + 0.5 * done  # half a minute of compiling, then two a second
        told.append(pace.seconds_left(done, 40))
    assert told[:LEAST_ITEMS] == [None] * LEAST_ITEMS
    for done, left in enumerate(told[LEAST_ITEMS:], LEAST_ITEMS + 1):
        assert left == pytest.approx(0.5 * (40 - done))


def test_what_an_encoder_still_holds_is_part_of_what_is_left() -> None:
    now = 0.0
    pace = Pace(lambda: now, lambda: 0.0)
    for done in range(1, 31):
        now, pace.encoded = float(done), max(done - 6, 0)
        left = pace.seconds_left(done, 40)
    assert left == pytest.approx(10 + 6 / 5)


@pytest.mark.parametrize(("own", "wanted"), [(0.5, 3), (2, 1.5), (0, 10)])
def test_how_fast_an_encoder_ends_is_told_by_the_work_it_adds(own: float, wanted: float) -> None:
    now = work = 0.0
    pace = Pace(lambda: now, lambda: work)
    for done in range(1, 101):
        now += 1
        # a frame's light is a second of work, the first ones' a compiler's too
        work += (30 if done < 5 else 1) + (own if done > 49 else 0)
        pace.encoded = max(done - 48, 0)
        left = pace.seconds_left(done, 200)
    assert left == pytest.approx(100 + 48 / wanted)


@pytest.mark.parametrize("share", [1.0, 1.2, 1.4])
def test_while_an_encoder_only_takes_frames_in_the_rest_is_told_too(share: float) -> None:
    now = work = 0.0
    pace = Pace(lambda: now, lambda: work)
    told = []
    for done in range(1, 401):
        now += 1 if done < 48 else share  # it begins to work when it has 48
        work += 1 if done < 48 else 1.25
        pace.encoded = max(done - 48, 0)
        told.append((done, pace.seconds_left(done, 400), (400 - done) * share + 48 * share / 5))
        if done < 48:
            told[-1] = (*told[-1][:2], (48 - done) + 352 * share + 48 * share / 5)
    assert [left for _, left, _ in told[:LEAST_ITEMS]] == [None] * LEAST_ITEMS
    for done, left, truly in told[LEAST_ITEMS:]:
        assert left == pytest.approx(truly, rel=0.25), done


def test_a_slow_encoder_is_known_once_it_works() -> None:
    now = work = 0.0
    pace = Pace(lambda: now, lambda: work)
    for done in range(1, 101):
        now += 0.1 if done < 48 else 1  # it begins to work when it has 48
        work += 1 if done < 48 else 2
        pace.encoded = max(done - 48, 0)
        left = pace.seconds_left(done, 100)
        if done >= 49 + LEAST_ITEMS:
            truly = (100 - done) + 48 / 2  # a half of the work is its own
            assert left == pytest.approx(truly, rel=0.25)


def test_a_burst_has_no_pace() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    pace.rate(12)
    now = 0.003
    assert pace.rate(84) == 0


def test_the_pace_is_that_of_late() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    for step in range(600):
        now += 1 if step < 100 else 0.25
        rate = pace.rate(step)
    assert rate == pytest.approx(4, rel=0.1)
    assert clock_time(7) == "0:07"
    assert clock_time(3723) == "1:02:03"


def test_a_render_tells_its_stages(tmp_path: Path, identity: Preset) -> None:
    source, watch = make_clip(tmp_path / "a.mkv", Clip("ffv1", count=4)), Watch()
    options = nightfx.RenderOptions.of(verify=True)
    nightfx.render(source, preset=identity, options=options, on_progress=watch)
    assert re.fullmatch(r"preparing( \(first time on this machine\))?", watch.stages[0])
    assert watch.stages[1:] == ["encoding", "finishing", "checking"]
    assert watch.steps["encoding"] == (4, None)
    assert watch.steps["checking"] == (8, 8)


def test_the_check_of_a_part_counts_the_part(tmp_path: Path, identity: Preset) -> None:
    source, watch = make_clip(tmp_path / "a.mkv", Clip("ffv1", count=12)), Watch()
    options = nightfx.RenderOptions.of(verify=True, frames="1001-1003")
    nightfx.render(source, preset=identity, options=options, on_progress=watch)
    assert watch.steps["checking"][1] == 6


def test_joining_is_told_by_the_packet(tmp_path: Path, identity: Preset) -> None:
    source, watch = make_clip(tmp_path / "a.mkv", Clip("ffv1", count=5)), Watch()
    plan_render(source, tmp_path / "plan.json", preset=identity)
    render_segment(tmp_path / "plan.json", 0)
    join_plan(tmp_path / "plan.json", watch)
    assert watch.steps["joining"] == (5, 5)


@pytest.mark.parametrize(
    ("rate", "times", "count"),
    [
        (Fraction(25), {"end": 0.5}, 13),
        (Fraction(25), {"start": 0.5}, 7),
        (Fraction(24), {"start": 0.1, "end": 0.3}, 5),
        (Fraction(24), {"end": 0.25}, 6),
    ],
)
def test_as_many_frames_are_announced_as_are_written(
    rate: Fraction, times: dict[str, float], count: int, tmp_path: Path, identity: Preset
) -> None:
    clip = Clip("ffv1", size=(16, 16), count=20, rate=rate)
    source, watch = make_clip(tmp_path / "a.mkv", clip), Watch()
    options = nightfx.RenderOptions.of(**times)
    target = nightfx.render(source, preset=identity, options=options, on_progress=watch)
    assert watch.frames == [(done, count) for done in range(1, count + 1)]
    assert len(frames_of(target)) == count


def test_stages_are_lines_and_json_is_of_frames_alone(tmp_path: Path, identity: Preset) -> None:
    source = make_clip(tmp_path / "a.mkv", Clip("ffv1", count=3))
    words = ["render", source, "--to", identity.folder, "--overwrite"]
    said = call(*words).stderr.splitlines()
    assert (said[0], said[-1]) == ("a.mkv: reading", "a.mkv: finishing")
    assert said[1].startswith("a.mkv: preparing")
    assert any(line.startswith("a.mkv: 3/3 frames") for line in said)
    lines = [json.loads(line) for line in call(*words, "--json").stdout.splitlines()]
    assert all("frames" in line for line in lines[:-1])
    assert lines[-2]["frames"] == 3


# the numbers of frames


@pytest.mark.parametrize(
    "part", [{"frames": "1003-1005"}, {"start": 0.08, "end": 0.2}], ids=["frames", "times"]
)
def test_keyframes_go_by_the_frames_own_numbers_whatever_is_rendered(
    part: dict[str, Any], tmp_path: Path, halving: Preset
) -> None:
    source = make_clip(tmp_path / "a.mkv", Clip("ffv1", "yuv420p10le", count=6))
    options = nightfx.RenderOptions.of(strength="1001:0,1005:1", method="tiles")
    whole = nightfx.render(source, tmp_path / "w.mkv", preset=halving, options=options)
    cut = nightfx.render(source, tmp_path / "p.mkv", preset=halving, options=options.but(**part))
    for there, here in zip(frames_of(whole)[2:5], frames_of(cut), strict=True):
        assert np.abs(there - here).max() <= 1  # dithered by its place
    assert not np.array_equal(frames_of(whole)[2], frames_of(whole)[4])


def test_files_of_a_clips_part_and_its_passes_have_the_numbers_of_the_clip(
    tmp_path: Path, identity: Preset
) -> None:
    source = make_clip(tmp_path / "a.mkv", Clip("ffv1", count=6))
    for part in ({"frames": "1003-1004"}, {"start": 0.08, "end": 0.15}):
        options = nightfx.RenderOptions.of(
            **part, method="relight", passes=tmp_path / "p", overwrite=True
        )
        target = tmp_path / "out" / "a.####.png"
        target.parent.mkdir(exist_ok=True)
        nightfx.render(source, target, preset=identity, options=options)
        assert sorted(x.name for x in target.parent.iterdir()) == ["a.1003.png", "a.1004.png"]
        assert {x.name.split(".")[2] for x in (tmp_path / "p").iterdir()} == {"1003", "1004"}


def test_a_sequences_keyframes_are_the_numbers_of_its_files(
    tmp_path: Path, halving: Preset
) -> None:
    for number in (7, 8, 10):  # one is missing
        Image.new("RGB", (32, 32), (200, 200, 200)).save(tmp_path / f"a.{number:04d}.png")
    options = nightfx.RenderOptions.of(strength="8:0,10:1", method="tiles", missing="skip")
    nightfx.render(tmp_path / "a.####.png", preset=halving, options=options)
    seen = [
        int(np.asarray(Image.open(tmp_path / f"a.halving.{n:04d}.png")).mean()) for n in (7, 8, 10)
    ]
    assert seen[:2] == [200, 200]
    assert seen[2] == pytest.approx(100, abs=1)


def test_a_presets_keyframes_begin_with_the_render(tmp_path: Path, halving: Preset) -> None:
    toml = halving.folder / "preset.toml"
    toml.write_text(toml.read_text() + '\n[look]\nstrength = "0:0,2:1"\n')
    source = make_clip(tmp_path / "a.mkv", Clip("ffv1", "yuv420p10le", count=6))
    options = nightfx.RenderOptions.of(frames="1003-1005", method="tiles")
    target = nightfx.render(source, preset=load_preset(halving.folder), options=options)
    plate, made = frames_of(source)[2:5], frames_of(target)
    np.testing.assert_array_equal(made[0], plate[0])
    assert np.abs(made[2] - 64 - (plate[2] - 64) / 2).max() <= 1.5


@pytest.mark.parametrize("first", [1001, 86400])
def test_keyframes_before_a_shot_are_refused(first: int) -> None:
    look = Look(glow=((0, 0.0), (first - 1, 0.5)))
    with pytest.raises(UsageError, match=f"--glow: frames 0-{first - 1} are before the first"):
        look.check_frames(first)
    Look(glow=((0, 0.0), (first, 0.5)), sky=1).check_frames(first)


# help and advice


@pytest.mark.parametrize("command", ["render", "batch", "plan", "preview"])
def test_help_names_every_preset_with_its_line(command: str) -> None:
    help_text = " ".join(re.sub("[│ \n]+", " ", call(command, "--help").output).split())
    for preset in list_presets():
        assert f"{preset.name}: {preset.facts.description[:20]}" in help_text


def test_what_to_install_is_said_for_where_nightfx_came_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    install_words.cache_clear()
    assert install_words("film") == f"pip install -e '{CHECKOUT}[film]'"
    monkeypatch.chdir(CHECKOUT)
    install_words.cache_clear()
    assert install_words("film") == "pip install -e '.[film]'"
    install_words.cache_clear()


def test_completion_can_be_installed() -> None:
    assert "--install-completion" in call("--help").output


@pytest.mark.parametrize("words", ["nightfx render --to blue", "nightfx presets show blue"])
def test_a_shell_completes_the_names_of_presets(words: str) -> None:
    asked = {"_NIGHTFX_COMPLETE": "complete_bash", "COMP_WORDS": words}
    asked["COMP_CWORD"] = str(len(words.split()) - 1)
    found = CliRunner(env=asked).invoke(app, prog_name="nightfx")
    assert found.output.split() == ["blue-hour"]


def test_a_preview_shows_each_way_once_and_none_for_the_other_time_of_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str] = []
    source = make_clip(tmp_path / "a.mp4", Clip(count=2))

    def note(title: str, facts: str, rows: Any) -> Any:
        names.extend(cell.name for row in rows for cell in row)
        return draw_sheet(title, facts, rows)

    monkeypatch.setattr("nightfx.preview.preview.draw_sheet", note)
    for to in ("night", "day"):
        names.clear()
        preview(source, tmp_path / f"{to}.png", preset=to)
        assert sorted(names) == sorted(set(names))
        assert names[:3] == ["plate", f"plate | {to}", to]
        assert ("day" in names) == (to == "day")
        assert ("night-neon" in names) == (to == "night")


# one's own


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "own" / "config.toml"
    file.parent.mkdir()
    file.touch()
    monkeypatch.setenv("NIGHTFX_CONFIG", str(file))
    monkeypatch.setenv("NIGHTFX_PRESETS", str(tmp_path / "own" / "presets"))
    return file


def test_config_counts_as_flags_and_flags_count_more(
    config: Path, tmp_path: Path, halving: Preset
) -> None:
    config.write_text(f"to = '{halving.folder}'\nstrength = 0\nmethod = 'tiles'\n")
    source = make_clip(tmp_path / "a.mkv", Clip("ffv1", "yuv420p10le", count=1))
    own = call("render", source, "-o", tmp_path / "own.mkv")
    assert own.exit_code == 0, own.output
    assert f"{config}: to {halving.folder}, strength 0, method tiles" in own.stderr
    asked = call("render", source, "-o", tmp_path / "asked.mkv", "--strength", "1")
    assert "strength" not in asked.stderr
    plate, kept, lit = (
        frames_of(x)[0] for x in (source, tmp_path / "own.mkv", tmp_path / "asked.mkv")
    )
    np.testing.assert_array_equal(kept, plate)
    assert lit.mean() < plate.mean() - 10


def test_flags_count_more_than_config_and_a_folders_file_more_than_both(
    config: Path, tmp_path: Path
) -> None:
    shots = tmp_path / "shots"
    shots.mkdir()
    make_clip(shots / "a.mp4", Clip(count=1))
    config.write_text("strength = 0.1\ncrf = 30\nto = 'day'\n")
    (shots / "nightfx.toml").write_text("strength = 0.2\nexposure = -1\n")
    words = ["batch", shots, "-o", tmp_path / "out", "--dry-run", "--json", "--exposure", "-2"]
    result = call(*words)
    plan = json.loads(result.stdout)
    assert plan["to"] == "day"
    assert plan["flags"] == {"strength": 0.2, "crf": 30, "exposure": -1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("strenght = 1", "unknown key 'strenght'"),
        ("overwrite = true", "overwrite is for the command line alone"),
        ("['sh*']\nstrength = 1", "[sh*] is for a nightfx.toml beside shots"),
        ("strength = ", "cannot be read"),
        ("strength = 3", "strength must be from 0 to 1"),
    ],
)
def test_a_config_that_cannot_be_meant_is_refused(text: str, message: str, config: Path) -> None:
    config.write_text(text)
    result = call("render", "nowhere.mp4")
    assert result.exit_code == 2
    assert str(config) in result.stderr
    assert message in result.stderr


def test_a_look_is_saved_and_found_by_its_name(
    config: Path, tmp_path: Path, halving: Preset
) -> None:
    words = ["presets", "save", "dusk", "--to", halving.folder, "--exposure", "-1"]
    saved = call(*words, "--method", "relight", "--working-height", "128")
    assert saved.exit_code == 0, saved.output
    facts = load_preset("dusk").facts
    assert (facts.method, facts.working_height_px) == ("relight", 128)
    assert facts.look == Look(exposure=-1)
    shown = call("presets", "show", "dusk", "--full").output
    assert "# dusk" in shown
    assert "What is said below is of halving." in shown
    assert [preset.name for preset in list_presets()][-1] == "dusk"
    assert "dusk" in call("presets", "list").output
    source = make_clip(tmp_path / "a.mp4", Clip(count=1))
    assert call("render", source, "--to", "dusk").exit_code == 0
    assert (tmp_path / "a.dusk.mp4").exists()
    again = call(*words)
    assert again.exit_code == 1
    assert "exists already; --overwrite replaces it" in again.stderr
    assert call(*words, "--overwrite").exit_code == 0


def test_what_is_lit_is_kept_with_a_look(config: Path, halving: Preset, tmp_path: Path) -> None:
    assert call("presets", "save", "few", "--lit-windows", "0.1").exit_code == 0
    few, night = load_preset("few").facts.lights, load_preset("night").facts.lights
    assert few is not None
    assert night is not None
    assert few == replace(night, windows_on=(0.1, 0.1))
    assert call("presets", "save", "dark", "--lights", "off").exit_code == 0
    assert load_preset("dark").facts.lights is None
    assert load_preset("few").facts.description == "night, with lit_windows 0.1."
    for words, said in (
        (("--lights", "on"), "--lights on is of one shot"),
        (("--to", halving.folder, "--lit-windows", "0.1"), "halving lights no lamps"),
    ):
        result = call("presets", "save", "other", *words)
        assert result.exit_code == 2
        assert said in result.stderr


def test_what_cannot_be_saved_is_refused(config: Path, halving: Preset) -> None:
    for name, look, message in (
        ("night", Look(), "night comes with nightfx"),
        ("../up", Look(), "is no name for a preset"),
        ("mine", Look(glow=((0, 0.0), (9, 1.0))), "keyframes belong to one shot"),
    ):
        with pytest.raises(PresetError, match=message):
            save_look(halving, name, look)
    assert not own_presets().exists()


def test_a_damaged_preset_of_ones_own_hides_no_other(
    config: Path, halving: Preset, caplog: pytest.LogCaptureFixture
) -> None:
    save_look(halving, "dusk", Look())
    (own_presets() / "bad").mkdir()
    (own_presets() / "bad" / "preset.toml").write_text("name = 3")
    assert [preset.name for preset in list_presets()][-1] == "dusk"
    assert "left out" in caplog.text


# log


def flat(low: int, high: int, pix_fmt: str = "yuv422p10le") -> Frame:
    """A ramp of luma from low to high, in codes, over grey chroma."""
    made = image_of(pix_fmt, low, high)
    return frame_of(made, coding_of(made))


def image_of(pix_fmt: str, low: int, high: int) -> Any:
    grey = 1 << (9 if "10" in pix_fmt else 7)
    kind: Any = np.uint16 if "10" in pix_fmt else np.uint8
    luma = np.tile(np.linspace(low, high, 64), (48, 1)).astype(kind)
    chroma = np.full((48, 32), grey, kind)
    return image((luma, chroma, chroma), pix_fmt)


def line_of(path: Path, first: Frame | None = None) -> str | None:
    with Reader(path) as reader:
        return log_line(reader.info, first or next(reader.frames()))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("A001_SLog3_01", "S-Log3, as its name says: lit as SDR; --input-space slog3 "),
        ("b-LogC4", "--input-space logc4 "),
        ("B002.logc3.v1", "--input-space logc3 "),
        ("street V-Log", "--input-space vlog "),
        ("c_clog3", "--input-space canonlog3_cinemagamut_d55 "),
        ("d_BMDFilm_1", "--input-space bmdfilm_widegamut_gen5 "),
        ("e_REDLog", "REDLog, as its name says: lit as SDR; --input-space NAME "),
        ("f_log3g10", "--input-space log3g10_redwidegamutrgb "),
        ("catalog_03", None),
        ("vlogger", None),
        ("backlog-c4x", None),
        ("dialog", None),
    ],
)
def test_log_is_known_by_a_files_name(name: str, words: str | None, tmp_path: Path) -> None:
    line = line_of(make_clip(tmp_path / f"{name}.mp4", Clip(count=1)))
    assert (words in line if line else False) if words else line is None


def test_log_is_known_by_what_the_camera_says(tmp_path: Path) -> None:
    movflags = {"movflags": "use_metadata_tags"}
    for value, space in (("S-Log3-Cine", "slog3"), ("V-Log", "vlog"), ("LOG-C", "logc3")):
        clip = Clip(count=1, metadata={"com.maker.camera.gamma": value}, container_options=movflags)
        line = line_of(make_clip(tmp_path / "a.mov", clip))
        assert line is not None
        assert f"as its metadata say: lit as SDR; --input-space {space} " in line
    told = Clip(count=1, metadata={"comment": "shot in V-Log?"})
    assert line_of(make_clip(tmp_path / "b.mp4", told)) is None


def test_log_is_known_by_the_xml_of_a_camera(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", Clip(count=1))
    xml = b'<Item name="CaptureGammaEquation" value="s-log3-cine"/>'
    path.write_bytes(path.read_bytes() + (8 + len(xml)).to_bytes(4, "big") + b"free" + xml)
    assert "--input-space slog3 " in (line_of(path) or "")


def test_log_is_known_by_its_tag(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mkv", Clip("ffv1", count=1, tags=(1, 9, 1, 1)))
    assert "log, as it is tagged" in (line_of(path) or "")


@pytest.mark.parametrize(
    ("low", "high", "looks"),
    [
        (150, 650, True),  # 10 to 67 %
        (64, 940, False),  # graded
        (64, 500, False),  # black is black
        (500, 700, False),  # fog
        (150, 900, False),  # white is white
    ],
)
def test_what_looks_like_log_is_told(low: int, high: int, looks: bool, tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mkv", Clip("ffv1", "yuv422p10le", count=1))
    line = line_of(path, flat(low, high))
    assert ("looks like log" in line if line else False) == looks


def test_eight_bits_never_look_like_log(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mkv", Clip("ffv1", "yuv422p", count=1))
    assert line_of(path, flat(38, 162, "yuv422p")) is None


def test_the_line_comes_before_a_render_and_not_where_the_space_is_said(
    tmp_path: Path, identity: Preset, caplog: pytest.LogCaptureFixture
) -> None:
    source = make_clip(tmp_path / "a_SLog3.mkv", Clip("ffv1", "yuv420p10le", count=1))
    with caplog.at_level(logging.WARNING):
        nightfx.render(source, tmp_path / "1.mkv", preset=identity)
    assert caplog.text.count("S-Log3, as its name says") == 1
    caplog.clear()
    options = nightfx.RenderOptions.of(input_space="sdr")
    nightfx.render(source, tmp_path / "2.mkv", preset=identity, options=options)
    assert "S-Log3" not in caplog.text


def test_pictures_in_a_sequence_are_log_by_their_names_too(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a_LogC4.1001.png")
    with SequenceReader(tmp_path / "a_LogC4.####.png") as reader:
        line = log_line(reader.info, next(reader.frames()))
    assert "--input-space logc4 " in (line or "")
