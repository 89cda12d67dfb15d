"""The command line: exit codes, one-line errors, endings by signal, several inputs."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from media import Clip, make_clip
from PIL import Image
from typer.testing import CliRunner, Result

from nightfx.cli import app, shell
from nightfx.errors import SourceError
from nightfx.network.presets import Preset
from nightfx.pace import Pace
from nightfx.source.reader import Reader

needs_mounts = pytest.mark.skipif(
    not (sys.platform == "linux" and os.geteuid() == 0), reason="needs root, to mount a small disk"
)


def nightfx(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "plate.mp4", Clip(count=4))


def test_help_names_the_commands() -> None:
    result = nightfx("--help")
    assert result.exit_code == 0
    for command in ("render", "batch", "train", "reproduce", "presets", "doctor"):
        assert command in result.output


def test_version_is_told() -> None:
    assert nightfx("--version").output.startswith("nightfx 0.")


def test_a_render_prints_the_path_and_plain_progress(clip: Path, identity: Preset) -> None:
    result = nightfx("render", clip, "--to", identity.folder)
    assert result.exit_code == 0
    target = clip.with_name("plate.identity.mp4")
    assert result.stdout.strip() == str(target)
    assert "plate.mp4: 4/4 frames" in result.stderr
    assert target.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["missing.mp4"], "missing.mp4: no such file"),
        (
            ["{clip}", "--to", "noon"],
            "unknown preset 'noon'; known: blue-hour, day, day-for-night, night, night-neon",
        ),
        (["{clip}", "--to", "{identity}", "-o", "{clip}/out.mp4"], "cannot be made a folder"),
        (["{text}", "--to", "{identity}"], "text.mp4"),
        (["{sound}", "--to", "{identity}"], "no video"),
    ],
)
def test_bad_input_is_one_line_and_exit_1(
    words: list[str], message: str, clip: Path, identity: Preset, tmp_path: Path
) -> None:
    (tmp_path / "text.mp4").write_text("a sentence")
    places = {"clip": clip, "identity": identity.folder, "text": tmp_path / "text.mp4"}
    places["sound"] = sound_only(tmp_path / "sound.m4a")
    result = nightfx("render", *(word.format(**places) for word in words))
    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stderr.count("error:") == 1
    assert "Traceback" not in result.output


def sound_only(path: Path) -> Path:
    import av
    import numpy as np

    with av.open(path, "w") as out:
        stream = out.add_stream("aac", rate=48000)
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        samples.sample_rate = 48000
        out.mux(stream.encode(samples))
        out.mux(stream.encode(None))
    return path


def test_an_existing_output_is_exit_1(clip: Path, identity: Preset) -> None:
    clip.with_name("plate.identity.mp4").touch()
    result = nightfx("render", clip, "--to", identity.folder)
    assert result.exit_code == 1
    assert "exists already; --overwrite replaces it" in result.stderr


@pytest.mark.parametrize(
    "flags",
    [
        ["--strength", "2"],
        ["--tile-px", "100"],
        ["--tile-px", "big"],
        ["--tile-px", "²"],
        ["--end", "inf"],
        ["--method", "magic"],
        ["--device", "abacus"],
        ["--codec", "vhs"],
        ["--crf", "99"],
        ["--speed", "warp"],
        ["--start", "2", "--end", "1"],
        ["--nonsense"],
    ],
)
def test_bad_flags_are_exit_2(flags: list[str], clip: Path, identity: Preset) -> None:
    result = nightfx("render", clip, "--to", identity.folder, *flags)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert not list(clip.parent.glob("*.identity.*"))


def test_damaged_weights_are_exit_1(clip: Path, identity: Preset) -> None:
    weights = identity.folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    result = nightfx("render", clip, "--to", identity.folder)
    assert result.exit_code == 1
    assert "its hash differs" in result.stderr


def test_a_folder_stands_for_what_is_in_it_and_skips_its_own_renders(
    tmp_path: Path, identity: Preset
) -> None:
    shots = tmp_path / "shots"
    shots.mkdir()
    make_clip(shots / "a.mp4", Clip(count=2))
    make_clip(shots / "b.mkv", Clip("ffv1", count=2))
    Image.new("RGB", (16, 16)).save(shots / "still.png")
    (shots / "notes.txt").write_text("not a shot")
    assert nightfx("render", shots, "--to", identity.folder).exit_code == 0
    renders = sorted(path.name for path in shots.glob("*.identity.*"))
    assert renders == ["a.identity.mp4", "b.identity.mkv", "still.identity.png"]
    again = nightfx("render", shots, "--to", identity.folder, "--overwrite")
    assert again.exit_code == 0
    assert sorted(path.name for path in shots.glob("*.identity.*")) == renders


def test_one_failure_of_several_is_exit_3_and_the_others_are_rendered(
    clip: Path, tmp_path: Path, identity: Preset
) -> None:
    clip.with_name("plate.identity.mp4").touch()
    other = make_clip(tmp_path / "other.mp4", Clip(count=2))
    result = nightfx("render", clip, other, "--to", identity.folder)
    assert result.exit_code == 3
    assert "1 of 2 failed" in result.stderr
    assert other.with_name("other.identity.mp4").stat().st_size > 0


def test_what_cannot_be_rendered_of_several_is_said_before_the_first_is(
    clip: Path, tmp_path: Path, identity: Preset
) -> None:
    words = [clip, tmp_path / "missing.mp4", "--to", identity.folder]
    result = nightfx("render", *words)
    lines = result.stderr.splitlines()
    refused = next(i for i, line in enumerate(lines) if "missing.mp4: no such file" in line)
    assert refused < next(i for i, line in enumerate(lines) if "plate.mp4: preparing" in line)


def test_an_unreadable_input_does_not_stop_the_others(
    clip: Path, tmp_path: Path, identity: Preset
) -> None:
    (tmp_path / "text.mp4").write_text("a sentence")
    words = [tmp_path / "missing.mp4", tmp_path / "text.mp4", clip]
    result = nightfx("render", *words, "--to", identity.folder)
    assert result.exit_code == 3
    assert "2 of 3 failed" in result.stderr
    assert clip.with_name("plate.identity.mp4").exists()


def test_a_version_of_a_shot_is_a_shot(
    tmp_path: Path, identity: Preset, caplog: pytest.LogCaptureFixture
) -> None:
    shots = tmp_path / "shots"
    shots.mkdir()
    for name in ("sh010.mp4", "sh010.v2.mp4", "sh010.night.mp4", "._sh010.mp4"):
        make_clip(shots / name, Clip(count=1))
    result = nightfx("render", shots, "--to", identity.folder, "-o", tmp_path / "renders")
    assert result.exit_code == 0
    renders = sorted(path.name for path in (tmp_path / "renders").iterdir())
    assert renders == ["sh010.identity.mp4", "sh010.v2.identity.mp4"]
    assert "1 renders of earlier calls are left out" in caplog.text


def test_two_inputs_with_one_output_name_are_refused(
    clip: Path, tmp_path: Path, identity: Preset
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "out").mkdir()
    shutil.copy(clip, tmp_path / "sub" / clip.name)
    result = nightfx(
        "render", clip, tmp_path / "sub", "--to", identity.folder, "-o", tmp_path / "out"
    )
    assert result.exit_code == 2
    assert "would both be written to" in result.stderr


def test_several_inputs_need_a_folder(clip: Path, tmp_path: Path, identity: Preset) -> None:
    result = nightfx("render", clip, clip, "--to", identity.folder, "-o", tmp_path / "one.mp4")
    assert result.exit_code == 2
    assert "several inputs need a folder" in result.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_render_and_leaves_nothing(
    number: signal.Signals, code: int, tmp_path: Path, identity: Preset
) -> None:
    source = make_clip(tmp_path / "long.mp4", Clip(size=(360, 640), count=120))
    command = [sys.executable, "-m", "nightfx", "render", str(source), "--to", str(identity.folder)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: any(tmp_path.glob(".long*")), process)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in errors
    assert sorted(path.name for path in tmp_path.iterdir()) == ["identity", "long.mp4"]


def wait_for(happens: object, process: subprocess.Popen[str]) -> None:
    assert callable(happens)
    deadline = time.monotonic() + 120
    while not happens():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


@needs_mounts
def test_a_full_disk_is_worth_retrying(small_disk: Path, tmp_path: Path, identity: Preset) -> None:
    source = make_clip(tmp_path / "large.mkv", Clip("ffv1", size=(240, 320), count=12))
    result = nightfx("render", source, "--to", identity.folder, "-o", small_disk / "out.mkv")
    assert result.exit_code == 75
    assert "disk full" in result.stderr
    assert not list(small_disk.iterdir())


@needs_mounts
def test_a_read_only_folder_is_exit_1(small_disk: Path, clip: Path, identity: Preset) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    result = nightfx("render", clip, "--to", identity.folder, "-o", small_disk / "out.mp4")
    assert result.exit_code == 1
    assert str(small_disk) in result.stderr


def test_presets_are_listed_shown_and_verified() -> None:
    assert nightfx("presets", "list").output.split()[0] == "blue-hour"
    assert "licence" in nightfx("presets", "show", "night", "--full").output
    verified = nightfx("presets", "verify", "blue-hour")  # CI verifies all
    assert verified.exit_code == 0
    assert verified.output.count("ok, relit, hash matches") == 1


def test_verify_fails_on_a_damaged_preset(identity: Preset) -> None:
    weights = identity.folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    assert nightfx("presets", "verify", identity.folder).exit_code == 1


def test_doctor_names_versions_devices_and_codecs() -> None:
    result = nightfx("doctor")
    assert result.exit_code == 0
    for word in ("torch", "cpu", "libx264", "night", "OpenImageIO", "opencolorio", "Fileseq"):
        assert word in result.output


@pytest.mark.usefixtures("small_reports")
def test_train_makes_presets_that_render(tmp_path: Path, clip: Path) -> None:
    import numpy as np

    for name, level in (("day", 180), ("night", 40)):
        (tmp_path / name).mkdir()
        for index in range(3):
            pixels = np.full((96, 96, 3), level + index, np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{index}.png")
    words = ["--day", tmp_path / "day", "--night", tmp_path / "night", "--out", tmp_path / "look"]
    result = nightfx(
        "train", *words, "--steps", 2, "--batch", 1, "--crop-px", 96, "--device", "cpu"
    )
    assert result.exit_code == 0, result.output
    assert nightfx("render", clip, "--to", tmp_path / "look" / "night").exit_code == 0
    with Reader(clip.with_name("plate.night.mp4")) as reader:
        assert len(list(reader.frames())) == 4


def test_a_name_of_two_lines_is_told_in_one(capsys: pytest.CaptureFixture[str]) -> None:
    shell.fail(SourceError("two\nlines.mp4: no such file"))
    shell.say("two\nlines.mp4", {})
    told = capsys.readouterr()
    assert (told.err, told.out) == (
        "error: two\ufffdlines.mp4: no such file\n",
        "two\ufffdlines.mp4\n",
    )


def test_what_was_done_before_does_not_count_as_speed() -> None:
    seconds = iter([0.0, 4.0])
    pace = Pace(lambda: next(seconds))  # of a run that goes on at step 5000
    assert [pace.rate(5000), pace.rate(5008)] == [0, 2]
