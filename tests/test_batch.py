"""Batches: what is a shot, which settings count, what is done; and whatever dies, every shot is rendered once."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from fractions import Fraction
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from media import Clip, make_clip
from PIL import Image
from rich.console import Console
from test_cli import needs_mounts, nightfx, wait_for
from test_render import frames_of

from nightfx.batch.queue import crew
from nightfx.batch.queue.crew import run_crew
from nightfx.batch.queue.lease import DiskClock, forget, leased
from nightfx.batch.queue.record import (
    ShotRecord,
    changes,
    identity_of,
    is_done,
    look_up,
    output_state,
    place_of,
    write_record,
)
from nightfx.batch.queue.seats import seats_for
from nightfx.batch.queue.task import Task, Telling
from nightfx.batch.queue.worker import Order, ShotTask, order_from, serve
from nightfx.batch.report import shot_figures
from nightfx.batch.report.limits import LIMITS, Figures
from nightfx.batch.report.page import MEANINGS, TITLES, page, write_report
from nightfx.batch.report.player import player_of
from nightfx.batch.report.shot_figures import compare, figures_of
from nightfx.batch.shots.find import Shot, find_shots
from nightfx.batch.shots.settings import settings_of
from nightfx.cli.table import drawn_table
from nightfx.errors import RetryError, SourceError, TargetError, UsageError
from nightfx.network.presets import Preset
from nightfx.options.engine import EngineOptions
from nightfx.options.render import RenderOptions, all_options
from nightfx.pace import Pace
from nightfx.scene import Places

TINY = Clip(size=(32, 48), count=3)
LATER = 10**9  # ns


def touch(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def pictures(folder: Path, name: str = "plate.{:04d}.png", count: int = 2) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        Image.new("RGB", (48, 32), (200, 120 + index, 40)).save(folder / name.format(1001 + index))


def keys(root: Path, **more: Any) -> list[str]:
    return [shot.key for shot in find_shots(root, root / "renders", **more)]


def test_clips_of_every_maker_are_found_and_others_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names = (
        "a.vob b.mpeg c.m2t d.dv e.3gp f.wmv g.asf h.ogv i.y4m j.264 k.MOD l.qt m.LRV n.insv o.gif"
    )
    for name in (*names.split(), "p.braw", "q.r3d", "nightfx.toml"):
        touch(tmp_path / name)
    assert [shot.key for shot in find_shots(tmp_path, tmp_path / "out")] == names.split()
    assert f"{tmp_path}: 2 files are not known as clips (.braw, .r3d)" in caplog.messages


def test_shots_are_clips_and_sequences_of_all_folders(tmp_path: Path) -> None:
    for name in ("a.mp4", "day1/b.MOV", "day1/.hidden.mov", "day1/notes.txt", ".trash/c.mov"):
        touch(tmp_path / name)
    touch(tmp_path / "renders/a.night.mp4")
    touch(tmp_path / "a.night.mp4")
    for number in (1, 2):
        touch(tmp_path / f"day2/film.{number:04d}.exr")
    pictures(tmp_path / "day2/plates")
    pictures(tmp_path / "stills", "{}.jpg")
    found = ["a.mp4", "day1/b.MOV", "day2/film.####.exr", "day2/plates/plate.####.png"]
    assert keys(tmp_path) == found
    assert keys(tmp_path, include=["day*"], exclude=["*.exr"]) == [found[1], found[3]]
    with pytest.raises(SourceError, match="4 are left out by --include"):
        keys(tmp_path, include=["nothing"])
    with pytest.raises(SourceError, match="no such folder"):
        keys(tmp_path / "nowhere")


def test_pictures_are_a_sequence_only_alone(tmp_path: Path) -> None:
    touch(tmp_path / "a.mp4")
    pictures(tmp_path / "two")
    pictures(tmp_path / "two", "other.{}.png")
    pictures(tmp_path / "one", count=1)
    assert keys(tmp_path) == ["a.mp4"]


def test_a_folder_within_itself_is_looked_into_once(tmp_path: Path) -> None:
    touch(tmp_path / "a/b.mp4")
    (tmp_path / "a/again").symlink_to(tmp_path)
    assert keys(tmp_path) == ["a/b.mp4"]


def test_shots_of_one_name_have_renders_of_two(tmp_path: Path) -> None:
    for name in ("a.mp4", "a.mov", "b.mov"):
        touch(tmp_path / name)
    assert [shot.stem for shot in find_shots(tmp_path, tmp_path / "out")] == ["a.mov", "a.mp4", "b"]


def said(root: Path, key: str, **common: Any) -> dict[str, Any]:
    settings = settings_of(Shot(root / key, key, "a"), root, common)
    return {"to": settings.to} | dict(settings.flags)


def test_the_nearest_file_wins_key_by_key(tmp_path: Path) -> None:
    touch(tmp_path / "nightfx.toml", "strength = 0.5\nfield-every = 4\nto = 'day'")
    touch(tmp_path / "a/b/nightfx.toml", "strength = 0.7\n['sh02*']\nstrength = 0.9\nlock = true")
    assert said(tmp_path, "c.mp4", to="night", crf=20) == {
        "to": "day", "strength": 0.5, "field_every": 4, "crf": 20,
    }  # fmt: skip
    assert said(tmp_path, "a/b/sh010.mp4")["strength"] == 0.7
    assert said(tmp_path, "a/b/sh020.mp4") == {
        "to": "day", "strength": 0.9, "field_every": 4, "lock": True,
    }  # fmt: skip


def test_files_are_named_beside_the_file_that_names_them(tmp_path: Path) -> None:
    touch(tmp_path / "a/nightfx.toml", "lock-to = 'x.lock.json'\nto = 'own'\nexposure = '0:0,48:1'")
    touch(tmp_path / "a/own/preset.toml")
    settings = settings_of(Shot(tmp_path / "a/b.mp4", "a/b.mp4", "b"), tmp_path, {})
    assert settings.options.field.lock_to == tmp_path / "a/x.lock.json"
    assert settings.options.look.exposure == ((0, 0.0), (48, 1.0))
    assert settings.to == str(tmp_path / "a/own")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "strenght = 1",
            "unknown key 'strenght'; known: backend, baked, black, cars, cars_kelvin, codec,",
        ),
        ("['*']\nstrenght = 1", "unknown key 'strenght'"),
        ("['*'.strength]\na = 1", "strength must be a number, or frames with numbers"),
        (
            "strength = 'much'",
            "strength must be a number, or frames with numbers such as 1001:0,1049:1, got 'much'",
        ),
        ("strength = 7", "strength must be from 0 to 1, got 7"),
        ("strength = nan", "strength must be from 0 to 1, got nan"),
        ("codec = 'vhs'", "codec must be h264"),
        ("lock = 1", "lock must be true or false"),
        ("fps = '24/0'", "fps must be a number such as"),
        ("passes = '/etc'", "passes is for the command line alone"),
        ("max-pixels = 1", "max-pixels is for the command line alone"),
        ("strength = ", "cannot be read"),
        ("a = " + "[" * 5000, "cannot be read"),
        ("# " + "x" * 70000, "is over 64 KiB"),
    ],
)
def test_what_a_file_may_not_say_is_refused(text: str, message: str, tmp_path: Path) -> None:
    touch(tmp_path / "nightfx.toml", text)
    with pytest.raises(UsageError, match=re.escape(message)):
        said(tmp_path, "a.mp4")


ODD: list[Any] = [
    None,
    True,
    -1,
    3,
    1.5,
    float("nan"),
    10**400,
    "",
    "auto",
    "24/0",
    "1e999",
    "²",
    [],
    {"a": 1},
]
KEYS = sorted(all_options())


@pytest.mark.parametrize("key", KEYS)
def test_only_whole_numbers_may_be_larger_than_a_float_holds(key: str) -> None:
    huge = 10**400
    if key in ("frames", "light_seed", "max_pixels", "seed", "tile_px"):
        told = [value for _, value in RenderOptions.of(**{key: huge}).told()]
        assert huge in told or (huge, huge) in told
    else:
        with pytest.raises(UsageError):
            RenderOptions.of(**{key: huge})


@given(
    st.dictionaries(st.sampled_from(KEYS), st.sampled_from(ODD) | st.text(max_size=3), max_size=3)
)
@settings(deadline=None)
def test_any_value_of_a_flag_is_taken_or_refused(flags: dict[str, Any]) -> None:
    try:
        options = RenderOptions.of(**flags)
    except UsageError:
        return
    assert options == RenderOptions.of(**json.loads(json.dumps(flags)))


def test_an_order_survives_its_way_to_a_worker(tmp_path: Path) -> None:
    odd = os.fsdecode(b"a\xff\n.mp4")
    order = Order(Shot(tmp_path / odd, odd, "a", {"end": 1.0}), tmp_path, "night", {"crf": 3}, 9.0)
    assert order_from(order.as_json()) == order


def job(source: Path, preset: Preset, **flags: Any) -> Any:
    shot = Shot(source, source.name, source.stem, flags)
    return identity_of(shot, settings_of(shot, source.parent, {}), preset)


def test_what_is_done_is_known_until_something_changes(tmp_path: Path, identity: Preset) -> None:
    source, out = touch(tmp_path / "a.mp4", "x" * 300_000), tmp_path / "out"
    target = touch(out / "a.night.mp4", "render")
    before = job(source, identity)
    place = place_of(out, "a.mp4")
    place.parent.mkdir()
    record = ShotRecord(vars(before), target.name, output_state(target), done=True)
    write_record(place, record)
    assert is_done(look_up(place), job(source, identity), out)
    assert not is_done(replace(record, done=False), before, out)
    assert changes(record, job(source, identity, strength=0.5)) == ["settings"]
    assert is_done(record, job(source, identity, overwrite=True), out)
    other = replace(identity, facts=replace(identity.facts, steady=0.1))
    assert changes(record, job(source, other)) == ["preset"]
    os.utime(source, ns=(LATER, LATER))
    assert "source" in changes(record, job(source, identity))
    target.write_text("another")
    assert not is_done(record, before, out)


@pytest.mark.parametrize("text", ["", "[]", "{}", "{" * 5000, '{"job": 1, "target": 2}'])
def test_a_record_that_nobody_understands_is_none(text: str, tmp_path: Path) -> None:
    assert look_up(touch(tmp_path / "a.json", text)) is None


# holds what it gets until all have tried
CLAIM = """
import sys
from contextlib import ExitStack
from pathlib import Path
from nightfx.batch.queue.lease import leased
print("ready", flush=True)
sys.stdin.readline()
with ExitStack() as stack:
    places = [Path(sys.argv[1]) / f"{index}.json" for index in range(int(sys.argv[2]))]
    held = [stack.enter_context(leased(place, 600)) for place in places]
    print(*(index for index, lease in enumerate(held) if lease), flush=True)
    sys.stdin.readline()
"""


def test_of_many_who_find_a_dead_holder_one_follows(tmp_path: Path) -> None:
    shots = 20
    for index in range(shots):
        stale = touch(tmp_path / f"{index}.json.lease.1", '{"machine": "another", "pid": 1}')
        os.utime(stale, (1, 1))
    words = [sys.executable, "-c", CLAIM, str(tmp_path), str(shots)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    claimers = [subprocess.Popen(words, **pipes) for _ in range(4)]
    assert [process.stdout.readline() for process in claimers if process.stdout] == ["ready\n"] * 4
    for process in claimers:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    held = [process.stdout.readline().split() for process in claimers if process.stdout]
    for process in claimers:
        process.communicate("end\n")
    assert sorted(int(index) for each in held for index in each) == list(range(shots))


def test_a_lease_is_held_until_it_is_given_back(tmp_path: Path) -> None:
    place = tmp_path / "a.json"
    with leased(place, 60) as first:
        assert first is not None
        with leased(place, 60) as second:
            assert second is None
    with leased(place, 60) as third:
        assert third is not None
        forget(place)
    assert not list(tmp_path.iterdir())


class FakeClock(DiskClock):
    """The clock of a disk where time goes by as a test says."""

    seconds = 1e9

    def now_on(self, place: Path) -> float:
        return self.seconds

    def stamp(self, path: Path) -> None:
        os.utime(path, (self.seconds, self.seconds))


def test_a_silent_holder_elsewhere_is_followed_and_learns_of_it(tmp_path: Path) -> None:
    place, clock = tmp_path / "a.json", FakeClock()
    with leased(place, 600, clock) as mine:
        assert mine is not None
        mine.path.write_text('{"machine": "another"}')  # as if it were not of this machine
        mine.beat()
        clock.seconds += 590
        mine.beat()
        clock.seconds += 590
        with leased(place, 600, clock) as theirs:
            assert theirs is None
        clock.seconds += 20
        with leased(place, 600, clock) as theirs:
            assert theirs is not None
            mine.check()  # it was silent, and knows nothing yet
            mine.beat()
            with pytest.raises(RetryError, match="taken over"):
                mine.check()
            theirs.beat()
            theirs.check()
        assert len(list(tmp_path.iterdir())) == 2


def test_a_lease_beats_by_itself(tmp_path: Path) -> None:
    with leased(tmp_path / "a.json", stale_seconds=0.1) as lease:
        assert lease is not None
        os.utime(lease.path, (1, 1))
        deadline = time.monotonic() + 60
        while lease.path.stat().st_mtime == 1:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_a_dead_process_of_this_machine_is_followed_at_once(tmp_path: Path) -> None:
    code = (
        "import sys, os; from pathlib import Path; from nightfx.batch.queue.lease import leased\n"
    )
    code += "leased(Path(sys.argv[1]), 600).__enter__(); os._exit(9)"
    place = tmp_path / "a.json"
    assert subprocess.run([sys.executable, "-c", code, str(place)], check=False).returncode == 9
    assert len(list(tmp_path.iterdir())) == 1
    with leased(place, 600) as lease:
        assert lease is not None


def grey(*levels: float, size: int = 40) -> Any:
    """Pictures whose equal bands of rows have these levels."""
    rows = np.repeat(np.array(levels, np.float32), size // len(levels))
    return np.broadcast_to(rows[None, :, None], (3, size, size)).copy()


def test_figures_are_those_of_the_pictures() -> None:
    plate, render = grey(0, 0.2, 0.5, 1), grey(0, 0, 0.5, 1)
    found = figures_of([compare([plate] * 2, [render] * 2)])
    assert (found.flicker, found.crushed, found.clipped) == (None, 0.25, 0)
    found = figures_of([compare([plate], [grey(0, 1, 0.5, 1)])])
    assert (found.crushed, found.clipped) == (0, 0.25)
    assert found.worst == pytest.approx(0.25 / LIMITS["clipped"])
    noise = [np.random.default_rng(i).random((3, 40, 40), np.float32) for i in range(3)]
    assert figures_of([compare(noise, noise)]).flicker == pytest.approx(1)
    pumping = [
        picture * (1 - 0.5 * (i % 2)) for i, picture in enumerate([plate + 0.01 * n for n in noise])
    ]
    flicker = figures_of([compare([plate + 0.01 * n for n in noise], pumping)]).flicker
    assert flicker is not None
    assert flicker > LIMITS["flicker"]


def test_a_skyline_that_smokes_and_a_lamp_in_the_sky_are_worth_a_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plate = np.full((3, 360, 360), 0.4, np.float32)
    plate[:, :120] = 0.8
    sky = torch.from_numpy((plate[0] > 0.6).astype(np.float32))
    monkeypatch.setattr(shot_figures, "places_of", lambda plate: Places(sky, sky, 1 - sky, 1 - sky))
    night = np.where(plate > 0.6, 0.05, 0.5 * plate).astype(np.float32)
    found = figures_of([compare([plate], [night])])
    assert found.skyline == pytest.approx(0, abs=0.02)
    assert found.misplaced == 0
    faulty = night.copy()
    faulty[:, 120:150] = 0.02
    faulty[:, 40:50, 100:110] = 0.9
    found = figures_of([compare([plate], [faulty])])
    assert found.skyline is not None
    assert found.skyline > LIMITS["skyline"]
    assert found.misplaced == 1
    day = figures_of([compare([night], [plate])])
    assert day.skyline is None
    assert day.misplaced is None


def test_every_figure_of_a_report_has_a_limit_a_title_and_a_meaning() -> None:
    names = {field.name for field in fields(Figures)}
    assert set(LIMITS) == set(TITLES) == set(MEANINGS) == names


def task(key: str, **more: Any) -> ShotTask:
    shot = Shot(Path("/shots") / key, key, "a")
    return Task(Order(shot, Path("/out"), "night", {}, 9.0), **more)


def measured(flicker: float) -> dict[str, Any]:
    return {"figures": {"flicker": flicker, "crushed": 0.0, "clipped": 0.0, "dissolved": 0.0}}


def test_a_report_has_failures_first_and_then_the_worst() -> None:
    tasks = [
        task("fine.mp4", state="done", facts=measured(0.9)),
        task("pumps.mp4", state="skipped", facts=measured(1.4)),
        task("gone.mp4", state="failed", error="gone.mp4: no such file", code=75),
    ]
    text = page(tasks, "shots")
    places = [text.index(f">{name}") for name in ("gone.mp4", "pumps.mp4", "fine.mp4")]
    assert places == sorted(places)
    assert "worth running again" in text
    assert text.count('class="over"') == 1


def test_two_batches_may_write_their_reports_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        written = list(pool.map(lambda _: write_report([], tmp_path, title="night"), range(60)))
    assert set(written) == set(tmp_path.iterdir()) == {tmp_path / "report.html"}


def test_a_report_escapes_whatever_others_wrote() -> None:
    evil = '"><script>alert(1)</script>\u202e\x1b[31m'
    facts: dict[str, Any] = dict.fromkeys(("width", "height", "codec", "frames", "seconds"), evil)
    facts |= {"host": evil, "threads": evil, "notes": [evil], "before": f"AAAA{evil}", "after": 3}
    facts["player"] = f"AAAA{evil}"
    facts |= {"figures": {"flicker": evil, "crushed": None, "clipped": {}}}
    tasks = [
        task(evil, state="done", facts=facts, target=evil, notes=[evil]),
        task(evil, state="failed", error=evil, notes=[evil]),
        task("a", state="done", facts={"figures": evil, "notes": evil}),
    ]
    tasks[0].order = replace(tasks[0].order, flags={evil: evil}, to=evil)
    text = page(tasks, evil)
    assert "<script" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert not re.findall(r'(?:src|href)="(?!data:image/jpeg)', text)


@pytest.mark.parametrize("shape", [(3, 45, 80), (3, 80, 45), (3, 11, 333)])
def test_a_player_has_plate_and_render_beside_each_other(shape: tuple[int, ...]) -> None:
    plate = [np.full(shape, 0.8, np.float32)] * 50
    render = [np.full(shape, 0.2, np.float32)] * 50
    data = player_of(plate, render, Fraction(24))
    assert data is not None
    with av.open(BytesIO(base64.b64decode(data)), "r") as clip:
        frames = [frame.to_ndarray(format="gray") for frame in clip.decode(video=0)]
        assert clip.streams.video[0].average_rate == 24
    assert len(frames) == 36
    width = frames[0].shape[1]
    assert abs(int(frames[20][:, : width // 3].mean()) - 204) < 4
    assert abs(int(frames[20][:, -width // 3 :].mean()) - 51) < 4


def test_a_single_picture_needs_no_player() -> None:
    picture = np.zeros((3, 16, 16), np.float32)
    assert player_of([picture], [picture], Fraction(24)) is None


def test_what_others_put_there_is_not_replaced(tmp_path: Path, identity: Preset) -> None:
    source, out = make_clip(tmp_path / "a.mkv", replace(TINY, codec="ffv1")), tmp_path / "out"
    order = Order(Shot(source, "a.mkv", "a"), out, str(identity.folder), {"method": "relight"}, 9.0)
    theirs = touch(out / "a.identity.mkv", "theirs")
    said: list[str] = []
    for _ in range(2):
        with pytest.raises(TargetError, match="exists already"):
            serve(order, lambda event, **more: said.append(event))
    assert theirs.read_text() == "theirs"
    theirs.unlink()
    serve(order, lambda event, **more: said.append(event))
    assert said[-1] == "done"
    source.write_bytes(
        make_clip(tmp_path / "b.mkv", replace(TINY, codec="ffv1", count=4)).read_bytes()
    )
    serve(order, lambda event, **more: said.append(event))
    assert len(frames_of(theirs)) == 4
    theirs.write_text("graded")
    with pytest.raises(TargetError, match="exists already"):
        serve(order, lambda event, **more: said.append(event))
    assert theirs.read_text() == "graded"


def test_a_clip_that_was_complete_when_its_worker_died_is_kept(
    tmp_path: Path, identity: Preset
) -> None:
    source, out = make_clip(tmp_path / "a.mkv", replace(TINY, codec="ffv1")), tmp_path / "out"
    order = Order(Shot(source, "a.mkv", "a"), out, str(identity.folder), {}, 9.0)
    said: list[dict[str, Any]] = []
    serve(order, lambda event, **more: said.append(more))
    place, target = place_of(out, "a.mkv"), out / "a.identity.mkv"
    record, written = look_up(place), target.stat().st_mtime_ns
    assert record is not None
    write_record(place, replace(record, files=None, done=False, facts={}))
    serve(order, lambda event, **more: said.append(more))
    assert target.stat().st_mtime_ns == written
    assert said[-1]["facts"]["notes"] == ["was complete already, when its worker ended"]
    assert (again := look_up(place)) is not None
    assert again.done


def test_what_comes_after_the_last_frame_has_a_name_and_is_part_of_what_is_left() -> None:
    now, said = 0.0, task("a")
    show = Telling(
        lambda event, **more: said.on_event({"event": event} | more),
        lambda per_second: 10 / per_second,
        lambda: Pace(lambda: now, lambda: 0.0),
    )
    show.stage("preparing", 0, None)
    told = [said.stage]
    for done in range(41):  # of the pictures that are searched, which says nothing of the render
        now += 0.1
        show.stage("looking for lights", done, 40)
        assert said.seconds_left is None
    for done in range(1, 41):
        now += 0.5  # two a second, of which an encoder holds six, that it ends with at ten a second
        show.stage("encoding", max(done - 6, 0), None)
        show(done, 40)
    told.append(said.stage)
    assert said.seconds_left == pytest.approx(6 / 10 + 10 / 2, abs=0.4)
    assert said.rate == pytest.approx(2)
    show.stage("finishing", 0, None)
    told.append(said.stage)
    assert said.seconds_left == pytest.approx(6 / 10 + 10 / 2, abs=0.4)
    show.after("measuring")
    assert [*told, said.stage] == ["preparing", "", "finishing", "measuring"]
    assert said.seconds_left == pytest.approx(10 / 2, abs=0.4)
    assert said.rate == 0  # no frame comes any more


def test_a_shot_that_is_rendered_says_its_stages(tmp_path: Path, identity: Preset) -> None:
    source = make_clip(tmp_path / "a.mkv", replace(TINY, codec="ffv1"))
    order = Order(Shot(source, "a.mkv", "a"), tmp_path / "out", str(identity.folder), {}, 9.0)
    said: list[str] = []
    serve(order, lambda event, **more: said.append(more.get("name", event)))
    stages = [what for what in dict.fromkeys(said) if what != "note"]
    assert stages[0].startswith("preparing")
    assert stages[1:] == ["frames", "finishing", "measuring", "done"]


def test_a_table_shows_stages_and_no_pace_of_what_was_not_rendered_now() -> None:
    facts = {"frames": 36, "seconds": 2.0}
    tasks = [
        task("skipped.mp4", state="skipped", facts=facts),
        task("done.mp4", state="done", frames=36, total=36, facts=facts),
        task("ends.mp4", state="rendering", stage="finishing", frames=36, total=36, per_second=9.0),
        task("first.mp4"),
    ]
    tasks[3].begin()
    columns = drawn_table(tasks).columns
    rows = list(zip(*([str(cell) for cell in each.cells] for each in columns), strict=True))
    assert rows == [
        ("skipped.mp4", "skipped", "", "", ""),
        ("done.mp4", "done", "36/36", "18.0", ""),
        ("ends.mp4", "finishing", "36/36", "", ""),
        ("first.mp4", "reading", "", "", ""),
    ]


def test_long_names_and_stages_make_room_for_figures() -> None:
    counts = {"frames": 12_000, "total": 24_000, "per_second": 12.3}
    long = task("day1/A001_C003_0412AB_001_a_name.mov", state="rendering", **counts)
    other = task("b.mp4", state="rendering", stage="preparing (first time on this machine)")
    console = Console(width=60, file=StringIO(), record=True)
    console.print(drawn_table([long, other], seconds=83))
    lines = console.export_text().splitlines()
    assert len(lines) == 4
    assert lines[3].strip() == "0 of 2 done, 1:23 so far"
    assert "12000/24000  12.3" in lines[1]
    assert "preparing (" in lines[2]


# answers as a worker does, and dies where its shot says so
FAKE = """
import json, os, signal, sys
print(json.dumps({"event": "ready"}), flush=True)
for line in sys.stdin:
    order = json.loads(line)
    key = order["shot"]["key"]
    if "once" in key and not os.path.exists(order["out"]):
        open(order["out"], "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    if "poison" in key:
        print("bad heap", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    if "full" in key:
        print(json.dumps({"event": "failed", "error": "disk full", "code": 75}), flush=True)
        sys.exit(75)
    if "half" in key and not os.path.exists(order["out"] + "half"):
        open(order["out"] + "half", "w").close()
        print('{"event": "do', end="", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    print(json.dumps({"event": "frames", "done": 1, "total": 1}), flush=True)
    print(json.dumps({"event": "done", "facts": {}, "target": key}), flush=True)
"""


@pytest.fixture
def fake_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "START", FAKE)


@pytest.mark.usefixtures("fake_workers")
def test_a_poisonous_shot_fails_alone(tmp_path: Path) -> None:
    names = ["a", "poison", "once", "full", "half", "b"]
    tasks = [task(name) for name in names]
    for each in tasks:
        each.order = replace(each.order, out=tmp_path / "mark")
    seen: list[str] = []
    run_crew(tasks, [{}, {}], lambda task: seen.append(task.state))
    assert [t.state for t in tasks] == ["done", "failed", "done", "failed", "done", "done"]
    assert "its worker died 3 times, last by SIGKILL (bad heap)" in tasks[1].error
    assert (tasks[1].code, tasks[3].code, tasks[2].tries) == (75, 75, 1)
    assert "done" in seen


def test_threads_are_shared_among_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    seats_here = seats_for(EngineOptions())
    assert [seat["OMP_NUM_THREADS"] for seat in seats_here] == ["4"] * 4
    assert {seat["MALLOC_ARENA_MAX"] for seat in seats_here} == {"1"}
    three = EngineOptions(workers=3)
    assert [seat["NIGHTFX_CODEC_THREADS"] for seat in seats_for(three)] == ["5"] * 3
    assert "NIGHTFX_CODEC_THREADS" not in seats_for(replace(three, share_codecs=False))[0]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr("nightfx.batch.queue.seats.has_driver", lambda device: True)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    gpus = [seat.get("CUDA_VISIBLE_DEVICES") for seat in seats_for(replace(three, device="cuda"))]
    assert gpus == ["2", "5", "2"]
    assert "CUDA_VISIBLE_DEVICES" not in seats_for(EngineOptions(device="cpu"))[0]


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    folder = tmp_path / "shots"
    (folder / "day1").mkdir(parents=True)
    make_clip(folder / "a.mp4", TINY)
    make_clip(folder / "day1/b.mkv", replace(TINY, codec="ffv1"))
    pictures(folder / "plates")
    return folder


def test_a_folder_is_rendered_and_what_is_done_is_skipped(
    shots: Path, halving: Preset, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    touch(shots / "broken.mov", "a sentence")
    touch(shots / "day1/nightfx.toml", "strength = 0.0")
    words: Sequence[object] = ["batch", shots, "--to", halving.folder, "-o", out, "--json"]
    plan = nightfx(*words, "--dry-run")
    assert [json.loads(line)["plan"] for line in plan.stdout.splitlines()] == ["render"] * 4
    assert not out.exists()
    first = nightfx(*words)
    assert first.exit_code == 3, first.output
    ends = {line["shot"]: line for line in map(json.loads, first.stdout.splitlines())}
    assert ends["broken.mov"]["state"] == "failed"
    assert ends["a.mp4"]["target"] == "a.halving.mp4"
    renders = {p.relative_to(out).as_posix() for p in out.rglob("*.halving.*")}
    plates = {f"plates/plate.halving.{n}.png" for n in (1001, 1002)}
    assert renders == {"a.halving.mp4", "day1/b.halving.mkv"} | plates
    brightness = [
        frames_of(p)[0].planes[0].mean() for p in (shots / "a.mp4", out / "a.halving.mp4")
    ]
    assert brightness[1] < 0.7 * brightness[0]
    plate, render = (frames_of(p)[0] for p in (shots / "day1/b.mkv", out / "day1/b.halving.mkv"))
    assert np.array_equal(plate.planes[0], render.planes[0])
    report = (out / "report.html").read_text(encoding="utf-8")
    assert report.count("<img") == 6
    assert report.index("broken.mov") < report.index("a.halving.mp4")
    assert not list(out.rglob("*.lease.*")) or len(list(out.rglob("*.lease.*"))) == 1
    (shots / "broken.mov").unlink()
    pictures(shots / "plates", count=3)
    again = nightfx(*words)
    assert again.exit_code == 0, again.output
    assert {json.loads(line)["shot"] for line in again.stdout.splitlines()} == {
        "plates/plate.####.png"
    }
    assert (out / "plates/plate.halving.1003.png").exists()


def command(shots: Path, out: Path, preset: Preset, *more: object) -> subprocess.Popen[str]:
    words = ["batch", shots, "--to", preset.folder, "-o", out, "--workers", 2, *more]
    return subprocess.Popen(
        [sys.executable, "-m", "nightfx", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_batches_at_once_do_no_shot_twice(shots: Path, halving: Preset, tmp_path: Path) -> None:
    for index in range(4):
        shutil.copy(shots / "a.mp4", shots / f"c{index}.mp4")
    out = tmp_path / "out"
    both = [command(shots, out, halving, "--json", "--workers", 1) for _ in range(2)]
    said = [process.communicate(timeout=240) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    rendered = [
        line["shot"]
        for text, _ in said
        for line in map(json.loads, text.splitlines())
        if line["state"] == "rendering" and line["frames"] == line["total"]
    ]
    clips = [name for name in rendered if not name.startswith("plates")]
    assert sorted(clips) == sorted(["a.mp4", "day1/b.mkv", *(f"c{i}.mp4" for i in range(4))])
    for path in out.glob("*.mp4"):
        assert len(frames_of(path)) == TINY.count


def test_a_batch_that_is_asked_to_end_leaves_nothing_half(
    shots: Path, halving: Preset, tmp_path: Path
) -> None:
    make_clip(shots / "a.mp4", Clip(size=(180, 320), count=120))
    out = tmp_path / "out"
    process = command(shots, out, halving, "--workers", 1)
    wait_for(lambda: any(out.glob(".a*.part")) or any(out.glob("a.*")), process)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143, errors
    assert "Traceback" not in errors
    assert not list(out.rglob("*.part"))
    assert not list(out.glob("a.*"))


@needs_mounts
def test_a_full_disk_fails_the_shot_and_a_rerun_completes(
    small_disk: Path, tmp_path: Path, identity: Preset
) -> None:
    shots = tmp_path / "shots"
    shots.mkdir()
    make_clip(shots / "large.mkv", Clip("ffv1", size=(240, 320), count=12))
    words = ["batch", shots, "--to", identity.folder, "-o", small_disk, "--json"]
    full = nightfx(*words)
    assert full.exit_code == 3
    last = json.loads(full.stdout.splitlines()[-1])
    assert (last["state"], last["code"]) == ("failed", 75)
    assert "disk full" in last["error"]
    assert not list(small_disk.glob("*large*"))
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    assert nightfx(*words).exit_code == 0
    assert len(frames_of(small_disk / "large.identity.mkv")) == 12
