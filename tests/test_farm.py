"""Job files for farms: OpenJD's is run by its own command line; OpenCue's and Deadline's are held against their manuals.

No server of OpenCue and no farm of Deadline was tried: what they do to a command is done here as they document it.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest
from media import Clip, make_clip
from test_cli import nightfx as run
from test_segment import SHORT

import nightfx
from nightfx import RenderOptions
from nightfx.errors import PlanError, TargetError, UsageError
from nightfx.farm import FORMATS, FarmOptions, export_job
from nightfx.job.plan import plan_render
from nightfx.light import borders
from nightfx.network.presets import Preset
from nightfx.options.encode import EncodeOptions

needs_openjd = pytest.mark.skipif(find_spec("openjd") is None, reason="needs openjd-cli")
OPENJD = (sys.executable, "-m", "openjd")
AWKWARD = 'it\'s a "<b>" & {{c}} #JOB# $HOME é'
FOR_CUE = FarmOptions(show="testing", user="artist")

# children in order, as the schema of cjsl 1.12 has them; the others are of text alone
CUE = {
    "spec": "(facility )?(dept )?show shot user (email )?(uid )?(job )*(depends )*",
    "job": "(paused )?(priority )?(maxretries )?(autoeat )?(localbook )?(os )?(env )*(layers )?",
    "layers": "(layer )+",
    "layer": "cmd range chunk (cores )?(threadable )?(memory )?(gpus )?(gpu )?(gpu_memory )?(timeout )?"
    "(timeout_llu )?(tags )?(limits )?(env )*(services )?",
    "services": "(service )+",
    "depends": "(depend )*",
    "depend": "depjob (deplayer )?(depframe )?onjob (onlayer )?(onframe )?",
}
CUE_ATTRIBUTES = {"job": {"name"}, "layer": {"name", "type"}, "depend": {"type", "anyframe"}}
CUE_NAME = re.compile(r"[a-zA-Z0-9_.]{3,}")


@pytest.fixture
def plan(tmp_path: Path, identity: Preset, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plan of three segments, with awkward letters in its path and in the render's name."""
    for name, value in SHORT.items():
        monkeypatch.setattr(borders, name, value)
    folder = tmp_path / AWKWARD
    folder.mkdir()
    target = tmp_path / f"{AWKWARD}.mp4"
    source = make_clip(tmp_path / "a.mp4", Clip(count=30))
    found = plan_render(source, folder / "plan.json", preset=identity, target=target)
    assert len(found.starts or ()) == 3
    return folder / "plan.json"


def plain(plan: Path) -> Path:
    """The same plan where Deadline can name it."""
    return plan.rename(plan.parent.parent / "it's a plan.json")


def program(folder: Path, text: str) -> str:
    path = folder / "night fx's"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def of_cue(plan: Path, options: FarmOptions = FOR_CUE) -> ElementTree.Element:
    (out,) = export_job(plan, plan.parent / "job.xml", "opencue", options)
    return ElementTree.fromstring(out.read_bytes())


def keys(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text("utf-8").splitlines())


@needs_openjd
def test_openjd_runs_the_job_to_what_render_writes(
    tmp_path: Path, halving: Preset, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SHORT.items():
        monkeypatch.setattr(borders, name, value)
    folder = tmp_path / 'it\'s a "shot" {{x}}'
    folder.mkdir()
    options = RenderOptions.of(encode=EncodeOptions(speed="veryfast"))
    source = make_clip(folder / "a b.mp4", Clip(count=30, size=(64, 64), sound=True))
    target = folder / "by openjd.mp4"
    plan_render(source, folder / "the plan.json", preset=halving, target=target, options=options)
    package = shlex.quote(str(Path(nightfx.__file__).parents[1]))
    words = f"PYTHONPATH={package} exec {shlex.quote(sys.executable)} -m nightfx"
    command = program(tmp_path, f'{words} "$@"')
    job = tmp_path / "job.json"
    export_job(folder / "the plan.json", job, "openjd", FarmOptions(command))
    check = subprocess.run([*OPENJD, "check", str(job)], capture_output=True, text=True)
    assert check.returncode == 0, check.stdout
    done = subprocess.run([*OPENJD, "run", str(job)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    order = re.findall(r"Running step '(\w+)'|Segment\(INT\) = (\d+)", done.stdout)
    assert [a or b for a, b in order] == ["Render", "0", "1", "2", "Join"]
    whole = nightfx.render(source, tmp_path / "whole.mp4", preset=halving, options=options)
    assert target.read_bytes() == whole.read_bytes()


@needs_openjd
def test_openjd_gets_awkward_names_as_they_are(plan: Path, tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    command = program(tmp_path, f"printf '%s\\n' \"$@\" >> {shlex.quote(str(heard))}")
    (job,) = export_job(plan, tmp_path / "job.yaml", "openjd", FarmOptions(command))
    done = subprocess.run([*OPENJD, "run", str(job)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert f"Running job 'nightfx {AWKWARD}.mp4'" in done.stdout
    said = [line for n in "012" for line in ("render", "--plan", str(plan), "--segment", n)]
    assert heard.read_text().splitlines() == [*said, "join", str(plan)]


@needs_openjd
def test_openjd_ends_with_a_task_that_is_worth_trying_again(plan: Path, tmp_path: Path) -> None:
    command = program(tmp_path, "exit 75")
    (job,) = export_job(plan, tmp_path / "job.json", "openjd", FarmOptions(command))
    done = subprocess.run([*OPENJD, "run", str(job)], capture_output=True, text=True)
    assert done.returncode != 0
    assert "exited with code: 75" in done.stdout
    assert "Join" not in done.stdout


def test_opencue_gets_what_its_schema_has(plan: Path) -> None:
    spec = of_cue(plan, FarmOptions(show="testing", user="artist", facility="local"))
    for element in spec.iter():
        children = "".join(f"{child.tag} " for child in element)
        assert re.fullmatch(CUE.get(element.tag, ""), children), element.tag
        assert set(element.attrib) == CUE_ATTRIBUTES.get(element.tag, set())
    facts = {e.tag: e.text for e in spec if e.tag not in ("job", "depends")}
    assert facts.pop("shot") == "it_s_a_b_c_job_home_"
    assert facts == {"facility": "local", "show": "testing", "user": "artist"}
    render, join = spec.iter("layer")
    assert [render.get("type"), join.get("type")] == ["Render", "Util"]
    assert [layer.findtext("range") for layer in (render, join)] == ["0-2", "0"]
    assert [layer.findtext("chunk") for layer in (render, join)] == ["1", "1"]
    named = [e.get("name", "") for e in spec.iter() if "name" in e.attrib]
    assert all(CUE_NAME.fullmatch(name) for name in named)


def test_opencue_joins_when_all_segments_are_rendered(plan: Path) -> None:
    spec = of_cue(plan)
    (job,), (depend,) = spec.iter("job"), spec.iter("depend")
    assert depend.attrib == {"type": "LAYER_ON_LAYER", "anyframe": "False"}
    names = [depend.findtext(tag) for tag in ("depjob", "deplayer", "onjob", "onlayer")]
    assert names == [job.get("name"), "join", job.get("name"), "render"]
    assert {layer.get("name") for layer in spec.iter("layer")} == {"render", "join"}


def test_opencue_commands_say_what_was_meant_to_a_shell(plan: Path, tmp_path: Path) -> None:
    command = program(tmp_path, "printf '%s\\n' \"$@\"")
    heard = []
    for layer in of_cue(plan, FarmOptions(command, show="testing", user="artist")).iter("layer"):
        text = layer.findtext("cmd") or ""
        for token, value in (("#IFRAME#", "2"), ("#JOB#", "replaced"), ("#FRAME#", "0002-x")):
            text = text.replace(token, value)
        done = subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=True)
        heard.append(done.stdout.splitlines())
    assert heard == [["render", "--plan", str(plan), "--segment", "2"], ["join", str(plan)]]


def test_deadline_gets_two_jobs_of_a_pair_of_files_each(plan: Path, tmp_path: Path) -> None:
    plan, out = plain(plan), tmp_path / "jobs"
    files = export_job(plan, out, "deadline", FarmOptions("/opt/night fx/nightfx"))
    assert sorted(files) == sorted(out.iterdir())
    jobs = {step: keys(out / f"{step}_job_info.job") for step in ("render", "join")}
    assert {job["Plugin"] for job in jobs.values()} == {"CommandLine"}
    assert [job["Frames"] for job in jobs.values()] == ["0-2", "0"]
    assert [job["ChunkSize"] for job in jobs.values()] == ["1", "1"]
    assert [job["Name"] for job in jobs.values()] == [
        f"nightfx {AWKWARD}.mp4 {s}" for s in ("render", "join")
    ]
    assert {job["BatchName"] for job in jobs.values()} == {f"nightfx {AWKWARD}.mp4"}
    assert [job.get("JobDependencies") for job in jobs.values()] == [None, ""]
    said = []
    for step in jobs:
        plugin = keys(out / f"{step}_plugin_info.job")
        assert plugin.pop("Executable") == "/opt/night fx/nightfx"
        words = plugin.pop("Arguments").replace("<STARTFRAME>", "1").replace("<QUOTE>", '"')
        said.append(shlex.split(words))
        assert plugin == {}
    assert said == [["render", "--plan", str(plan), "--segment", "1"], ["join", str(plan)]]


def test_what_a_format_cannot_say_is_refused(plan: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(UsageError, match="one of openjd, opencue, deadline, got 'qube'"):
        export_job(plan, out, "qube")
    with pytest.raises(UsageError, match="Deadline's arguments cannot hold"):
        export_job(plan, out, "deadline")
    with pytest.raises(UsageError, match="name one of yours with --show"):
        export_job(plan, out, "opencue")
    with pytest.raises(UsageError, match="refuses jobs of root"):
        export_job(plan, out, "opencue", FarmOptions(show="testing", user="root"))
    for options in (FarmOptions("night\nfx"), FarmOptions(show="a\x01")):
        with pytest.raises(UsageError, match="control characters"):
            export_job(plan, out, "openjd", options)
    assert not out.exists()


def test_nothing_is_written_over_the_plan_or_into_nowhere(plan: Path, tmp_path: Path) -> None:
    before = plan.read_bytes()
    with pytest.raises(UsageError, match="is the plan itself"):
        export_job(plan, plan, "openjd")
    assert plan.read_bytes() == before
    with pytest.raises(TargetError, match="no such folder"):
        export_job(plan, tmp_path / "none" / "job.json", "openjd")
    with pytest.raises(TargetError, match="cannot be made a folder"):
        export_job(plain(plan), tmp_path / "a.mp4", "deadline")


def test_what_is_no_plan_or_has_no_segments_is_refused(plan: Path, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="not a plan"):
        export_job(tmp_path / "none.json", tmp_path / "job.json", "openjd")
    facts = json.loads(plan.read_bytes())
    plan.write_text(json.dumps({**facts, "starts": None}))
    with pytest.raises(PlanError, match="its segments were not looked for"):
        export_job(plan, tmp_path / "job.json", "openjd")


def test_the_command_writes_each_format(plan: Path, tmp_path: Path) -> None:
    plan = plain(plan)
    for name in FORMATS:
        out = tmp_path / name
        words = ["--show", "testing", "--user", "artist"] if name == "opencue" else []
        result = run("farm", "export", plan, "--format", name, "-o", out, *words)
        assert result.exit_code == 0, result.output
        listed = sorted(map(Path, result.stdout.splitlines()))
        assert listed == (sorted(out.iterdir()) if name == "deadline" else [out])
    assert run("farm", "export", plan, "--format", "none", "-o", tmp_path / "x").exit_code == 2
    assert not [path for _, _, names in os.walk(tmp_path) for path in names if ".part" in path]
