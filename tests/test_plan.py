"""The farm contract: a plan's segments, rendered in any order and twice, join to what `nightfx render` writes."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from media import Clip, make_clip
from test_cli import nightfx as run
from test_cli import wait_for
from test_segment import SHORT, packets, pictures

import nightfx
from nightfx import RenderOptions
from nightfx.errors import PlanError, RetryError, SourceError, TargetError, UsageError
from nightfx.job.join import join_plan
from nightfx.job.plan import plan_render, render_segment
from nightfx.light import borders
from nightfx.network.presets import Preset
from nightfx.options.encode import EncodeOptions


@pytest.fixture(autouse=True)
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SHORT.items():
        monkeypatch.setattr(borders, name, value)


@pytest.mark.parametrize("method", ["relight", "tiles"])
def test_segments_of_a_plan_in_any_order_are_the_render(method: Any, tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip(count=30, size=(64, 64), sound=True))
    options = RenderOptions.of(method=method, encode=EncodeOptions(speed="veryfast"))
    plan = tmp_path / "plan.json"
    found = plan_render(source, plan, target=tmp_path / "b.mp4", options=options)
    assert found.starts is not None
    assert found.frames == 30
    numbers = list(range(len(found.starts)))
    assert len(numbers) > 2
    for number in [*reversed(numbers), numbers[1]]:
        render_segment(plan, number)
    joined = join_plan(plan)
    whole = nightfx.render(source, tmp_path / "c.mp4", options=options)
    assert joined.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in tmp_path.glob(".*")) == []


# all segments, one after another; whoever is first at one waits for the other there
BOTH = """
import sys, time
from pathlib import Path
from nightfx.job.plan import segments_of
plan, count, own, other = Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]
with segments_of(plan) as render:
    for number in range(count):
        plan.with_suffix(f".{own}{number}").touch()
        until = time.monotonic() + 100
        while not plan.with_suffix(f".{other}{number}").exists() and time.monotonic() < until:
            time.sleep(0.01)
        render(number)
"""


def twice_at_once(plan: Path, count: int) -> tuple[list[str], list[int]]:
    """Render so many segments of a plan in two processes, each at the same time; what they said and how they ended."""
    words = [sys.executable, "-c", BOTH, str(plan), str(count)]
    both = [
        subprocess.Popen([*words, *names], stderr=subprocess.PIPE, text=True)
        for names in ("ab", "ba")
    ]
    errors = [process.communicate(timeout=120)[1] for process in both]
    return errors, [process.returncode for process in both]


def test_a_segment_may_be_rendered_twice_at_once(tmp_path: Path, identity: Preset) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip(count=30))
    plan = tmp_path / "plan.json"
    plan_render(source, plan, preset=identity)
    errors, codes = twice_at_once(plan, 3)
    assert codes == [0, 0], errors
    whole = nightfx.render(source, tmp_path / "c.mp4", preset=identity)
    assert packets(join_plan(plan)) == packets(whole)


def test_passes_of_a_segment_may_be_written_twice_at_once(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip(count=24, size=(64, 96)))
    plan, both_at = tmp_path / "plan.json", tmp_path / "both"
    encode = EncodeOptions(speed="ultrafast")
    plan_render(source, plan, options=RenderOptions.of(passes=both_at, encode=encode))
    errors, codes = twice_at_once(plan, 2)
    assert codes == [0, 0], errors
    (both_at / ".a.night.field.1003.exr.77-abcd.part").touch()  # of one that was killed
    target, alone_at = join_plan(plan), tmp_path / "alone"
    options = RenderOptions.of(passes=alone_at, encode=encode)
    whole = nightfx.render(source, tmp_path / "c.mp4", options=options)
    assert target.read_bytes() == whole.read_bytes()
    stem = target.stem
    names = sorted(path.name.replace(stem, "c", 1) for path in both_at.iterdir())
    assert names == sorted(path.name for path in alone_at.iterdir())
    assert len(names) >= 2 * 24
    for name in names:
        ours, theirs = both_at / name.replace("c", stem, 1), alone_at / name
        assert pixels_of(ours) == pixels_of(theirs)


def pixels_of(path: Path) -> bytes:
    """The codes of a pass; EXR files say when they were made, too."""
    if path.suffix == ".png":
        return path.read_bytes()
    import OpenImageIO

    file = OpenImageIO.ImageInput.open(str(path))
    pixels = file.read_image("half") if file else None
    assert pixels is not None, path
    return bytes(pixels.tobytes())


def test_a_sequence_is_planned_too(tmp_path: Path, identity: Preset) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip(count=10))
    plan, pattern = tmp_path / "plan.json", tmp_path / "b.####.png"
    found = plan_render(source, plan, target=pattern, preset=identity)
    for number in reversed(range(len(found.starts or ()))):
        render_segment(plan, number)
    join_plan(plan)
    (tmp_path / "c").mkdir()
    nightfx.render(source, tmp_path / "c" / "b.####.png", preset=identity)
    files = sorted(tmp_path.glob("b.*.png"))
    assert len(files) == 10
    for path in files:
        assert path.read_bytes() == (tmp_path / "c" / path.name).read_bytes()


def test_a_short_clip_is_one_segment(tmp_path: Path, identity: Preset) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip(count=5))
    found = plan_render(source, tmp_path / "plan.json", preset=identity)
    assert found.starts == [0]
    render_segment(tmp_path / "plan.json", 0)
    target = join_plan(tmp_path / "plan.json")
    assert packets(target) == packets(nightfx.render(source, tmp_path / "c.mp4", preset=identity))


def test_what_a_farm_began_a_render_ends(
    tmp_path: Path, identity: Preset, caplog: pytest.LogCaptureFixture
) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip(count=30))
    plan_render(source, tmp_path / "plan.json", preset=identity)
    render_segment(tmp_path / "plan.json", 1)
    target = nightfx.render(source, preset=identity)
    assert "resuming at 40 %" in caplog.text
    assert len(pictures(target)) == 30


def test_what_cannot_be_honoured_is_refused(
    tmp_path: Path, identity: Preset, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip(count=30))
    plan = tmp_path / "plan.json"
    plan_render(source, plan, preset=identity)
    with pytest.raises(
        PlanError, match="a render of it was planned or begun: --fresh plans it anew"
    ):
        plan_render(source, plan, preset=identity)
    with pytest.raises(UsageError, match="--segment must be 0 to 2, got 3"):
        render_segment(plan, 3)
    with pytest.raises(RetryError, match="segments are missing: 0, 1, 2: render them first"):
        join_plan(plan)
    with monkeypatch.context() as patch:
        patch.setattr("nightfx.job.manifest.cores", lambda: 999)
        with pytest.raises(PlanError, match=r"cannot be honoured here: cores was .*, is 999"):
            render_segment(plan, 0)
    source.write_bytes(source.read_bytes() + b"\0")
    with pytest.raises(PlanError, match="the source changed"):
        render_segment(plan, 0)
    source.unlink()
    with pytest.raises(SourceError, match="no such file"):
        render_segment(plan, 0)


@pytest.mark.parametrize("text", ["", "[]", '{"source": 1}', '{"format": 1}'])
def test_what_is_no_plan_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(PlanError, match="not a plan"):
        render_segment(tmp_path / "plan.json", 0)


def test_the_commands_and_their_exit_codes(tmp_path: Path, identity: Preset) -> None:
    source, plan = make_clip(tmp_path / "a.mp4", Clip(count=30)), tmp_path / "plan.json"
    words = [source, "--to", identity.folder, "-o", plan, "--target", tmp_path / "b.mp4"]
    assert run("plan", *words, "--speed", "veryfast").exit_code == 0
    assert run("join", plan).exit_code == 75
    assert run("render", "--plan", plan, "--segment", 9).exit_code == 2
    assert run("render", "--plan", plan).exit_code == 2
    assert run("plan", *words, "--speed", "none").exit_code == 2
    assert run("plan", tmp_path / "none.mp4", "-o", plan).exit_code == 1
    for number in range(3):
        result = run("render", "--plan", plan, "--segment", number, "--json")
        assert result.exit_code == 0
        last = json.loads(result.stdout.splitlines()[-1])
        assert (last["frames"], last["total"]) == ([12, 12, 6][number],) * 2
    result = run("join", plan, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"target": str(tmp_path / "b.mp4")}
    assert len(pictures(tmp_path / "b.mp4")) == 30


def test_a_sequence_that_is_joined_is_left_as_it_is(tmp_path: Path, identity: Preset) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip(count=10))
    plan, pattern = tmp_path / "plan.json", tmp_path / "b.####.png"
    found = plan_render(source, plan, target=pattern, preset=identity)
    for number in range(len(found.starts or ())):
        render_segment(plan, number)
    assert join_plan(plan) == join_plan(plan) == pattern
    sorted(tmp_path.glob("b.*.png"))[3].unlink()
    with pytest.raises(TargetError, match="exists already: remove it"):
        join_plan(plan)


def test_a_join_replaces_nothing_that_came_to_be_since_it_was_planned(
    tmp_path: Path, identity: Preset
) -> None:
    source, plan = make_clip(tmp_path / "a.mp4", Clip(count=4)), tmp_path / "plan.json"
    plan_render(source, plan, target=tmp_path / "b.mp4", preset=identity)
    render_segment(plan, 0)
    (tmp_path / "b.mp4").write_bytes(b"another's")
    result = run("join", plan)
    assert result.exit_code == 1
    assert "b.mp4: exists already: remove it, or plan it anew with --overwrite" in result.stderr
    (tmp_path / "b.mp4").unlink()
    assert run("join", plan).exit_code == 0


# a worker that fails at one segment, dies of another and does the others
SOME = """
import os, signal, sys
from contextlib import contextmanager
sys.path.insert(0, sys.argv[1])
from nightfx.job import plan as plans
from nightfx.batch.queue import worker
from nightfx.errors import SourceError
@contextmanager
def some_of(plan):
    with whole_of(plan) as render:
        def render_some(number, show):
            if number == 1:
                raise SourceError("frame 12 is damaged")
            if number == 2:
                print("bad heap", file=sys.stderr, flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
            render(number, show)
        yield render_some
whole_of, plans.segments_of = plans.segments_of, some_of
sys.exit(worker.main())
"""


def test_of_a_plan_poisonous_segments_fail_alone_and_a_rerun_joins(
    tmp_path: Path, halving: Preset, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip(size=(64, 64), count=56, sound=True))
    plan, target = tmp_path / "plan.json", tmp_path / "b.mp4"
    options = RenderOptions.of(encode=EncodeOptions(speed="veryfast"))
    found = plan_render(source, plan, target=target, preset=halving, options=options)
    count = len(found.starts or ())
    assert count > 4
    monkeypatch.setattr("nightfx.batch.queue.task.TRIES", 2)
    with monkeypatch.context() as patch:
        patch.setattr("nightfx.batch.queue.crew.START", SOME)
        first = run("farm", "run", plan, "--workers", 2, "--json")
    assert first.exit_code == 1
    errors = [line for line in first.stderr.splitlines() if line.startswith("error: ")]
    assert errors[0] == "error: plan.json 1: frame 12 is damaged"
    assert errors[1] == "error: plan.json 2: its worker died 2 times, last by SIGKILL (bad heap)"
    ends = {line["shot"]: line for line in map(json.loads, first.stdout.splitlines())}
    states = [ends[f"plan.json {number}"]["state"] for number in range(count)]
    assert states == ["done", "failed", "failed", *["done"] * (count - 3)]
    assert not target.exists()
    again = run("farm", "run", plan, "--workers", 1)
    assert again.exit_code == 0, again.output
    assert again.stderr.count(": done") == 2
    whole = nightfx.render(source, tmp_path / "c.mp4", preset=halving, options=options)
    assert target.read_bytes() == whole.read_bytes()
    made = target.stat().st_mtime_ns
    ended = run("farm", "run", plan)
    assert (ended.exit_code, ended.stdout.strip()) == (0, str(target))
    assert "plan.json: all segments are rendered already" in ended.stderr
    for words in (
        ("join", plan),
        ("render", "--plan", plan, "--segment", 1),
    ):
        assert run(*words).exit_code == 0  # what is done is done
    assert target.stat().st_mtime_ns == made
    assert sorted(path.name for path in tmp_path.glob(".*")) == []


def test_a_segment_tells_its_stages_and_that_it_is_rendered_already(
    tmp_path: Path, identity: Preset
) -> None:
    source, plan = make_clip(tmp_path / "a.mkv", Clip("ffv1", count=3)), tmp_path / "plan.json"
    plan_render(source, plan, preset=identity)
    words = ("render", "--plan", plan, "--segment", 0)
    first, again = (run(*words).stderr.splitlines() for _ in range(2))
    assert [line.partition(" (")[0] for line in (*first[:2], first[-1])] == [
        "plan.json 0: reading",
        "plan.json 0: preparing",
        "plan.json 0: finishing",
    ]
    assert again == ["plan.json 0: reading", "plan.json 0: rendered already"]


def test_a_segment_that_only_lost_its_workers_is_worth_trying_again(
    tmp_path: Path, identity: Preset, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, plan = make_clip(tmp_path / "a.mp4", Clip(count=8)), tmp_path / "plan.json"
    plan_render(source, plan, preset=identity)
    dead = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    monkeypatch.setattr("nightfx.batch.queue.crew.START", dead)
    result = run("farm", "run", plan, "--workers", 1)
    assert result.exit_code == 75
    assert "1 of 1 segments failed; the others are kept" in result.stderr


def test_progress_is_lines_of_json(tmp_path: Path, identity: Preset) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip(count=4))
    result = run("render", source, "--to", identity.folder, "--json")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert lines[-2]["frames"] == lines[-2]["total"] == 4
    assert lines[-1] == {"shot": "a.mp4", "target": str(tmp_path / "a.identity.mp4")}


def test_a_long_render_that_is_asked_to_end_says_how_to_go_on_and_does(
    tmp_path: Path, identity: Preset
) -> None:
    source = make_clip(tmp_path / "long.mp4", Clip(size=(180, 320), count=60))
    code = "import sys; from nightfx import cli; from nightfx.light import borders\n"
    code += "borders.LEAST_FRAMES, borders.MOST_FRAMES = 8, 12; cli.main()"
    words = [sys.executable, "-c", code, "render", str(source), "--to", str(identity.folder)]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: any(tmp_path.glob(".long*/00000.json")), process)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "run the same again to go on from there" in errors
    assert "Traceback" not in errors
    assert not list(tmp_path.glob(".long*/*.part"))
    again = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "resuming at" in again.stderr
    assert len(pictures(tmp_path / "long.identity.mp4")) == 60
