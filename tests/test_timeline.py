"""Timelines: each used frame is rendered once, and the cut that comes back shows the same frames of the renders."""

from __future__ import annotations

import json
import shlex
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import opentimelineio as otio
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from media import Clip, make_clip
from test_batch import pictures
from test_cli import nightfx
from test_render import frames_of

from nightfx.batch.queue.task import Task
from nightfx.batch.queue.worker import Order, ShotTask
from nightfx.batch.shots.media import Library
from nightfx.batch.shots.media import frames_of as frames_of_timecode
from nightfx.batch.shots.relink import write_cut
from nightfx.batch.shots.settings import settings_of
from nightfx.batch.shots.timeline import Cut, read_cut, short_seconds, united
from nightfx.errors import SourceError
from nightfx.job.render import render
from nightfx.network.presets import Preset
from nightfx.options import SourceOptions
from nightfx.options.render import RenderOptions
from nightfx.source.numbered import existing_files

PLATE = Clip("prores_ks", "yuv422p10le", size=(32, 48), count=24)
HOUR = 3600 * 24
TIMED, PLAIN = "A001C002_0101.mov", "plain.mov"
# file, start in its media, length: the first and the last touch when they have handles
SHOWN = [(TIMED, HOUR + 10, 5), (PLAIN, 4, 6), (TIMED, HOUR + 2, 4)]
FORMATS = ["otio", "edl", "xml", "fcpxml", "aaf"]


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    (folder / "card").mkdir(parents=True)
    make_clip(folder / "card" / TIMED, Clip(**vars(PLATE) | {"timecode": "01:00:00:00"}))
    make_clip(folder / PLAIN, PLATE)
    return folder


def span(start: int, length: int, rate: int = 24) -> Any:
    times = (otio.opentime.RationalTime(value, rate) for value in (start, length))
    return otio.opentime.TimeRange(*times)


def make_cut(path: Path, folder: str) -> Path:
    timeline = otio.schema.Timeline("cut")
    track = otio.schema.Track("V1", kind=otio.schema.TrackKind.Video)
    timeline.tracks.append(track)
    for name, start, length in SHOWN:
        available = span(HOUR if name == TIMED else 0, PLATE.count)
        reference = otio.schema.ExternalReference(f"{folder}{name}", available)
        reference.name = name
        stem = Path(name).stem
        clip = otio.schema.Clip(stem, reference, span(start, length))
        clip.metadata["cmx_3600"] = {"reel": stem[:8]}
        track.append(clip)
    more: dict[str, Any] = {"aaf": {"use_empty_mob_ids": True}, "edl": {"rate": 24}}
    otio.adapters.write_to_file(timeline, str(path), **more.get(path.suffix[1:], {}))
    return path


def cut_of(path: Path, media: Path, out: Path, handles: int = 2) -> Cut:
    library = Library(media, out, path.parent, SourceOptions())
    return read_cut(path, library, handles=handles, rate=None)


def rendered(cut: Cut, out: Path, preset: Preset) -> list[ShotTask]:
    """Render as a worker would, with `preset`."""
    tasks = []
    for shot in cut.shots:
        target = out / f"{shot.stem}.identity{shot.source.suffix}"
        if "#" in shot.source.name:
            target = target.with_suffix(f".####{target.suffix}")
        render(shot.source, target, preset=preset, options=RenderOptions.of(**shot.flags))
        order = Order(shot, out, "identity", shot.flags, 9.0)
        tasks.append(Task(order, state="done", target=target.name))
    return tasks


def frame_shown(cut: Cut, index: int, media: Path) -> int:
    """The number of the plate's frame that a clip's first frame looks like."""
    use = cut.uses[index]
    seen = frames_of(use.medium.path)[use.first].planes[0].astype(int)
    name = SHOWN[index][0]
    plates = frames_of(next(media.rglob(name)))
    return int(np.argmin([np.abs(seen - plate.planes[0]).mean() for plate in plates]))


@pytest.mark.parametrize("kind", FORMATS)
def test_a_cut_comes_back_showing_the_same_frames_of_the_renders(
    kind: str, media: Path, identity: Preset, tmp_path: Path
) -> None:
    (out := tmp_path / "out").mkdir()
    path = make_cut(tmp_path / f"cut.{kind}", "/gone/")
    cut = cut_of(path, media, out)
    assert [shot.key for shot in cut.shots] == [
        "A001C002_0101_1001-1017.mov",
        "plain_1003-1012.mov",
    ]
    assert cut.remarks == []
    tasks = rendered(cut, out, identity)
    written = write_cut(cut, tasks, out)
    again = cut_of(written, out, tmp_path / "nowhere", handles=0)
    assert [use.medium.path.name for use in again.uses] == [
        "A001C002_0101_1001-1017.identity.mov",
        "plain_1003-1012.identity.mov",
        "A001C002_0101_1001-1017.identity.mov",
    ]
    assert [frame_shown(again, index, media) for index in range(3)] == [10, 4, 2]
    assert [use.end - use.first for use in again.uses] == [5, 6, 4]


def test_otio_keeps_the_originals(media: Path, identity: Preset, tmp_path: Path) -> None:
    (out := tmp_path / "out").mkdir()
    cut = cut_of(make_cut(tmp_path / "cut.otio", ""), media, out)
    written = write_cut(cut, rendered(cut, out, identity), out)
    clip = next(iter(otio.adapters.read_from_file(str(written)).find_clips()))
    assert clip.active_media_reference_key == "nightfx"
    urls = {key: Path(found.target_url).name for key, found in clip.media_references().items()}
    assert urls["DEFAULT_MEDIA"] == TIMED
    assert urls["nightfx"] == "A001C002_0101_1001-1017.identity.mov"


def test_a_failed_shot_keeps_its_original(media: Path, identity: Preset, tmp_path: Path) -> None:
    (out := tmp_path / "out").mkdir()
    cut = cut_of(make_cut(tmp_path / "cut.xml", f"{media}/card/"), media, out)
    tasks = rendered(cut, out, identity)
    tasks[0].state = "failed"
    again = cut_of(write_cut(cut, tasks, out), media, tmp_path / "nowhere")
    names = [use.medium.path.name for use in again.uses]
    assert names == [TIMED, "plain_1003-1012.identity.mov", TIMED]


def test_a_sequence_stays_one(identity: Preset, tmp_path: Path) -> None:
    pictures(tmp_path / "plates", count=12)
    (out := tmp_path / "out").mkdir()
    timeline = otio.schema.Timeline("cut")
    timeline.tracks.append(otio.schema.Track("V1", kind=otio.schema.TrackKind.Video))
    reference = otio.schema.ImageSequenceReference(
        f"{tmp_path}/plates/", "plate.", ".png", 1001, 1, 25.0, 4, available_range=span(0, 12, 25)
    )
    timeline.tracks[0].append(otio.schema.Clip("plate", reference, span(5, 2, 25)))
    otio.adapters.write_to_file(timeline, str(tmp_path / "cut.otio"))
    cut = cut_of(tmp_path / "cut.otio", tmp_path, out)
    tasks = rendered(cut, out, identity)
    files = existing_files(out / tasks[0].target)
    assert [path.name[-8:-4] for path in files] == ["1004", "1005", "1006", "1007", "1008", "1009"]
    written = write_cut(cut, tasks, out)
    clip = next(iter(otio.adapters.read_from_file(str(written)).find_clips()))
    assert clip.media_reference.target_url_for_image_number(0) == files[0].as_uri()
    assert clip.media_reference.available_range == span(3, 6, 25)


def test_timecode_without_drop_frames_stays_so() -> None:
    ntsc = Fraction(30000, 1001)
    assert frames_of_timecode("01:00:00:00", ntsc) == 108_000
    assert frames_of_timecode("01:00:00;00", ntsc) == 107_892
    assert frames_of_timecode("00:01:00:00", Fraction(24000, 1001)) == 1440
    assert frames_of_timecode("noon", ntsc) is None


def test_a_file_of_the_name_counts_more_than_one_of_the_reel(media: Path, tmp_path: Path) -> None:
    make_clip(media / "card" / "reel.mov", PLATE)
    text = "001  REEL  V  C  00:00:00:02 00:00:00:05 00:00:00:00 00:00:00:03\n"
    (tmp_path / "a.edl").write_text(f"{text}* FROM CLIP NAME: {PLAIN}\n")
    (tmp_path / "b.edl").write_text(text)
    found = [cut_of(tmp_path / name, media, tmp_path / "out") for name in ("a.edl", "b.edl")]
    assert [cut.uses[0].medium.path.name for cut in found] == [PLAIN, "reel.mov"]


EDL = """TITLE: hard
FCM: NON-DROP FRAME

001  A001C002 V     C        01:00:00:10 01:00:00:20 00:00:00:00 00:00:00:05
M2   A001C002       048.0                01:00:00:10
002  NOSUCH   V     C        01:00:00:04 01:00:00:10 00:00:00:05 00:00:00:11
003  A001C002 V     C        05:00:00:04 05:00:00:10 00:00:00:11 00:00:00:17
004  BL       V     C        00:00:00:00 00:00:00:10 00:00:00:17 00:00:01:03
005  PLAIN    V     C        00:00:00:08 00:00:00:04 00:00:01:03 00:00:01:07
M2   PLAIN         -024.0                00:00:00:08
"""


def test_what_is_offline_or_retimed_is_said(media: Path, tmp_path: Path) -> None:
    (tmp_path / "hard.edl").write_text(EDL)
    cut = cut_of(tmp_path / "hard.edl", media, tmp_path / "out", handles=0)
    assert [(use.first, use.end) for use in cut.uses] == [(10, 20)]
    retimed, missing, beyond, backwards = cut.remarks
    assert "retimed to 200%" in retimed
    assert "left as it is: not found" in missing
    assert "05:00:00:04 is not in its 24 frames from 01:00:00:00" in beyond
    assert "not at one speed forwards" in backwards
    words = ["batch", tmp_path / "hard.edl", "--media", media, "-o", tmp_path / "out", "--dry-run"]
    assert nightfx(*words).exit_code == 3  # as the run itself will


# pyaaf2 leaves the file open where it is none of its own
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", ["cut.otio", "cut.edl", "cut.xml", "cut.fcpxml", "cut.aaf"])
def test_no_timeline_is_one_line(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("{[<a sentence")
    with pytest.raises(SourceError, match=r"cut\.\w+: "):
        cut_of(tmp_path / name, tmp_path, tmp_path / "out")


SPANS = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9)).map(lambda p: (p[0], sum(p))))


@given(SPANS)
@hypothesis_settings(deadline=None)
def test_united_spans_hold_the_same_frames_once(spans: list[tuple[int, int]]) -> None:
    found = united(spans)
    frames = [n for span in found for n in range(*span)]
    assert len(frames) == len(set(frames))
    assert set(frames) == {n for span in spans for n in range(*span)}
    assert all(a[1] < b[0] for a, b in pairwise(found))


def test_a_timeline_is_rendered_in_one_command(
    media: Path, identity: Preset, tmp_path: Path
) -> None:
    path, out = make_cut(tmp_path / "cut.edl", "/gone/"), tmp_path / "out"
    words = ["batch", path, "--media", media, "--to", identity.folder, "-o", out, "--handles", 2]
    plan = nightfx(*words, "--dry-run", "--json")
    flags = [json.loads(line)["flags"] for line in plan.stdout.splitlines()]
    # a quarter of a frame before 17/24, 2/24 and 12/24, within an eighth
    assert [(flag.get("start"), flag["end"]) for flag in flags] == [(None, 0.7), (0.07, 0.49)]
    assert nightfx(*words, "--start", 1).exit_code == 2
    result = nightfx(*words)
    assert result.exit_code == 0, result.output
    assert result.stdout.split() == [str(out / "cut.edl"), str(out / "report.html")]
    assert len(frames_of(out / "A001C002_0101_1001-1017.identity.mov")) == 17
    assert nightfx(*words).stderr.endswith("0 rendered, 2 done before, 0 failed\n")


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(60), Fraction(240)])
def test_a_part_in_few_digits_means_the_same_frames(rate: Fraction) -> None:
    for frame in range(1, 2000):
        place = Fraction(short_seconds(frame, rate)).limit_denominator(10**6) * rate
        assert frame - Fraction(3, 8) <= place <= frame - Fraction(1, 8)


def test_the_plan_of_a_timeline_can_be_typed(media: Path, identity: Preset, tmp_path: Path) -> None:
    """Each line, behind the name of the program, renders the frames that its name says."""
    path, out = make_cut(tmp_path / "cut.edl", "/gone/"), tmp_path / "out"
    plan = nightfx(
        *("batch", path, "--media", media, "--to", identity.folder, "-o", out, "--handles", 2),
        *("--dry-run", "--strength", "1001:0,1049:1"),
    )
    for line, count in zip(plan.stdout.splitlines(), (17, 10), strict=True):
        words = shlex.split(line, comments=True)
        assert words[words.index("--end") - 1] != "None"
        assert "1001:0,1049:1" in words
        target = tmp_path / f"{count}.mov"
        assert nightfx(*words, "-o", target).exit_code == 0
        assert len(frames_of(target)) == count


def test_a_nightfx_toml_beside_media_says_no_part_of_them(media: Path, tmp_path: Path) -> None:
    (media / "nightfx.toml").write_text("start = 0.9\nend = 1.0\nstrength = 0.5\n")
    cut = cut_of(make_cut(tmp_path / "cut.edl", "/gone/"), media, tmp_path / "out")
    for said in (settings_of(shot, media, {}).flags for shot in cut.shots):
        assert (said.get("start", 0) < 0.1, said["end"] < 1, said["strength"]) == (True, True, 0.5)


def test_a_sequence_s_part_is_called_by_the_numbers_of_its_files(tmp_path: Path) -> None:
    pictures(tmp_path / "plates", count=12)
    times = "00:00:00:03 00:00:00:09 00:00:00:00 00:00:00:06"
    (tmp_path / "cut.edl").write_text(f"001  plate  V  C  {times}\n")
    cut = cut_of(tmp_path / "cut.edl", tmp_path, tmp_path / "out", handles=1)
    assert [shot.stem for shot in cut.shots] == ["plate_1003-1010"]


def test_events_that_are_left_are_counted_and_named(
    media: Path, identity: Preset, tmp_path: Path
) -> None:
    """Of media that are missing the batch fails in part; of what it cannot render by design it does not."""
    (tmp_path / "hard.edl").write_text(EDL)
    backwards = EDL[EDL.index("005") :]
    fine = f"001  {EDL[EDL.index('A001C002') :].splitlines()[0]}\n"
    (tmp_path / "easy.edl").write_text(fine.replace("00:00:00:05", "00:00:00:10") + backwards)
    words = ["--media", media, "--to", identity.folder, "-o", tmp_path / "out", "--json"]
    hard = nightfx("batch", tmp_path / "hard.edl", *words)
    left = "1 left as they were (PLAIN event 005)"
    failed = "2 failed (NOSUCH event 002, A001C002 event 003)"
    assert (hard.exit_code, left in hard.stderr, failed in hard.stderr) == (3, True, True)
    lines = [json.loads(line) for line in hard.stdout.splitlines()]
    states = [(line["clip"], line["state"]) for line in lines if "clip" in line]
    assert states == [
        ("NOSUCH event 002", "failed"),
        ("A001C002 event 003", "failed"),
        ("PLAIN event 005", "left"),
    ]
    report = (tmp_path / "out" / "report.html").read_text()
    assert '<b>2</b><span>failed</span></div><div class=""><b>1</b><span>left as they' in report
    easy = nightfx("batch", tmp_path / "easy.edl", *words)
    assert (easy.exit_code, f"0 failed, {left}" in easy.stderr) == (0, True), easy.output
