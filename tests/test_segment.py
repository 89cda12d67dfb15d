"""Long renders: killed at any moment they go on, and what comes of it is what an undisturbed one writes."""

import os
import re
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from media import STEP, Clip, apart, make_clip
from test_cli import needs_mounts

import nightfx
from nightfx import RenderOptions
from nightfx.disk.json_files import from_json_types, load_json
from nightfx.errors import PlanError, RetryError, TargetError
from nightfx.job import join
from nightfx.job.choices import keep_shown, shown_again
from nightfx.job.manifest import Manifest
from nightfx.job.render_job import open_job
from nightfx.light import borders
from nightfx.light.borders import Borders, Lengths, warm_up_of
from nightfx.light.steady import Steadying, steady
from nightfx.lights import Light, LightList, LightTrack, write_lights
from nightfx.network.presets import Preset, load_preset
from nightfx.options.encode import EncodeOptions
from nightfx.picture.frame import Frame
from nightfx.source.probe import side_data_of
from nightfx.source.reader import Reader
from nightfx.target.codecs import plan_output
from nightfx.target.join import EncodedSegment, decoding_times, write_segment
from nightfx.target.writer import head_of, span_of

SHORT = {"LEAST_FRAMES": 8, "MOST_FRAMES": 12, "LEAST_FILES": 4, "MOST_FILES": 4}
SHORT |= {"FEW_FILES": 2, "MOST_WARM_UP": 8}
STREET = Path(__file__).parents[1] / "examples" / "street.mp4"
UNEVEN = [5003 + STEP * i + (i * 137) % 400 for i in range(40)]


class Stop(Exception):
    """Ends a render in its middle."""


@pytest.fixture(autouse=True)
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SHORT.items():
        monkeypatch.setattr(borders, name, value)


def packets(path: Path) -> list[tuple[Any, ...]]:
    with av.open(path) as container:
        read = [p for p in container.demux(video=0) if p.size]
        return [(p.pts, p.dts, p.duration, p.is_keyframe, bytes(p)) for p in read]


def sound(path: Path) -> list[tuple[Any, ...]]:
    with av.open(path) as container:
        return [(p.pts, p.duration, bytes(p)) for p in container.demux(audio=0) if p.size]


def pictures(path: Path) -> list[tuple[int, int, bytes]]:
    with Reader(path) as reader:
        return [(f.pts, f.duration, b"".join(map(bytes, f.planes))) for f in reader.frames()]


def lumas(path: Path) -> list[np.ndarray]:
    with Reader(path) as reader:
        return [frame.planes[0].astype(float) for frame in reader.frames()]


def stop_after(count: int) -> Callable[[int, int | None], None]:
    def stop(done: int, total: int | None) -> None:
        if done >= count:
            raise Stop

    return stop


def render_with_stops(
    source: Path, target: Path, preset: Any, options: RenderOptions, *stops: int
) -> Path:
    for count in stops:
        with pytest.raises(Stop):
            nightfx.render(
                source, target, preset=preset, options=options, on_progress=stop_after(count)
            )
        assert not target.exists()
    return nightfx.render(source, target, preset=preset, options=options)


def in_one_go(
    source: Path,
    target: Path,
    preset: Any,
    options: RenderOptions,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    with monkeypatch.context() as patch:
        patch.setattr("nightfx.job.render.is_long", lambda job: False)
        return nightfx.render(source, target, preset=preset, options=options)


# --- where segments begin ---


def starts_of(lengths: Lengths, cuts: set[int], count: int, first: int = 0) -> list[int]:
    found = Borders(lengths, first)
    for index in range(found.begun_at, count):
        found.begins(index, is_cut=index in cuts)
    return sorted(found.starts)


def test_segments_end_at_a_cut_or_at_a_multiple_of_four() -> None:
    lengths = Lengths(least=240, most=300, warm_up=28)
    assert starts_of(lengths, set(), 1000) == [0, 300, 600, 900]
    assert starts_of(lengths, {100, 250, 299}, 900) == [0, 250, 548, 848]
    # a process that begins at one of them finds the same
    assert starts_of(lengths, {100, 250, 299}, 900, first=548) == [548, 848]
    # the later field of a frame begins none
    assert starts_of(replace(lengths, per_frame=2), {251, 253}, 400) == [0, 300]


def test_a_run_in_lasts_until_the_light_before_it_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(borders, "MOST_WARM_UP", 120)
    assert warm_up_of(0.99, 24) == 120
    assert warm_up_of(0.0, 24) == 0
    assert warm_up_of(0.8, 24) == 28
    assert 0.8**28 < 1 / 256 < 0.8**23
    assert warm_up_of(0.8, 48) == 52


@pytest.mark.parametrize("every", [1, 4])
@pytest.mark.parametrize("cut", [None, 9, 21])
def test_steadying_begins_anew_from_the_run_in(every: int, cut: int | None) -> None:
    from test_steady import flat, scene, seen

    levels = np.random.default_rng(0).uniform(0.4, 0.6, 40)
    shot = [seen(scene(1 if cut is None or i < cut else 2), i) for i in range(40)]
    asked: list[int] = []

    def field_of(now: Any) -> np.ndarray:
        asked.append(now.frame.pts)
        return flat(levels[now.frame.pts], now.cells)

    lengths, how = Lengths(least=8, most=12, warm_up=8), Steadying(0.5, every)
    whole = Borders(lengths)
    unbroken = [field for _, field in steady(shot, field_of, how, whole)]
    assert len(asked) == len(set(asked)), "a warm-up costs no field of its own"
    for start in sorted(whole.starts):
        part = Borders(lengths, start)
        fields = [f for _, f in steady(shot[part.begun_at :], field_of, how, part)]
        for wanted, found in zip(unbroken[start:], fields[start - part.begun_at :], strict=True):
            assert np.array_equal(wanted, found)
    # against a shot that is never cut into segments the light hardly steps
    free = [field for _, field in steady(shot, field_of, how)]
    assert max(float(np.abs(a - b).max()) for a, b in zip(free, unbroken, strict=True)) < 1 / 255


# --- joining ---

FAMILIES = {
    "h264": ("libx264", "a.mp4", "h264"),
    "h265": ("libx264", "a.mp4", "h265"),
    "prores": ("libx264", "a.mov", "prores"),
    "dnxhr": ("libx264", "a.mov", "dnxhr"),
    "ffv1": ("ffv1", "a.mkv", "ffv1"),
}


@pytest.mark.parametrize("times", ["even", "uneven"])
@pytest.mark.parametrize("family", FAMILIES)
def test_segments_joined_are_what_one_encoder_writes_and_resumed_what_is_unbroken(
    family: str, times: str, tmp_path: Path, identity: Preset, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder, name, codec = FAMILIES[family]
    size = (128, 256) if family == "dnxhr" else (48, 64)
    clip = Clip(encoder, count=40, times=UNEVEN if times == "uneven" else (), size=size)
    source = make_clip(tmp_path / name, replace(clip, sound=True))
    options = RenderOptions.of(encode=EncodeOptions(codec=codec))  # type: ignore[arg-type]
    places = [tmp_path / f"{which}{source.suffix}" for which in ("unbroken", "resumed", "one")]
    unbroken = nightfx.render(source, places[0], preset=identity, options=options)
    resumed = render_with_stops(source, places[1], identity, options, 14, 27)
    one = in_one_go(source, places[2], identity, options, monkeypatch)
    assert packets(resumed) == packets(unbroken)
    assert resumed.read_bytes() == unbroken.read_bytes() or source.suffix == ".mkv"  # a random id
    keys = [i for i, packet in enumerate(packets(unbroken)) if packet[3]]
    assert keys[0] == 0
    assert max(b - a for a, b in pairwise([*keys, 40])) <= 12
    decodes = [packet[1] for packet in packets(unbroken) if packet[1] is not None]
    assert decodes == sorted(set(decodes))
    # and as in one go: frames, times, durations, sound
    assert [p[:2] for p in pictures(unbroken)] == [p[:2] for p in pictures(one)]
    assert sound(unbroken) == sound(one)
    assert sorted(p.name for p in tmp_path.glob(".*")) == []
    if family in ("prores", "dnxhr", "ffv1"):  # each picture for itself
        assert pictures(unbroken) == pictures(one)


def test_av1_in_segments(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip(count=28, times=UNEVEN[:28], size=(64, 64)))
    assert apart(render_av1, source)


def render_av1(source: Path) -> bool:
    for name, value in SHORT.items():
        setattr(borders, name, value)
    options = RenderOptions.of(encode=EncodeOptions(codec="av1"), strength=0.5)
    unbroken = nightfx.render(source, source.with_name("unbroken.mp4"), options=options)
    resumed = render_with_stops(source, source.with_name("resumed.mp4"), "night", options, 15)
    shown = [p[:2] for p in pictures(unbroken)]
    return packets(resumed) == packets(unbroken) and shown == [p[:2] for p in pictures(source)]


def test_decoding_times_are_in_order_and_never_late() -> None:
    shown = [[0, 40, 20, 10, 30], [50, 80, 60, 70], [90], [100, 130, 110, 120]]
    times = [(pts, 10) for segment in shown for pts in segment]
    decoding = decoding_times(times)
    assert decoding == sorted(set(decoding))
    assert all(dts <= pts for dts, (pts, _) in zip(decoding, times, strict=True))
    assert max(pts - dts for dts, (pts, _) in zip(decoding, times, strict=True)) <= 60


def street(start: int, stop: int) -> Iterator[Frame]:
    """Frames of a real street: the middle of the picture."""
    with Reader(STREET) as reader:
        for frame in islice(reader.frames(), start, stop):
            y, u, v = frame.planes
            cut = y[160:480, 320:960], u[80:240, 160:480], v[80:240, 160:480]
            planes = tuple(np.ascontiguousarray(plane) for plane in cut)
            yield replace(frame.with_planes(planes), origin=None)


def noisy(start: int, stop: int) -> Iterator[Frame]:
    """A corner of that street where nothing moves but the noise."""
    (first,) = street(0, 1)
    planes = [plane[: len(plane) // 2, : plane.shape[1] // 2] for plane in first.planes]
    for index in range(start, stop):
        noise = np.random.default_rng(index)
        seen = [plane + noise.normal(0, 1, plane.shape) for plane in planes]
        codes = tuple(plane.clip(16, 235).round().astype(np.uint8) for plane in seen)
        yield replace(first.with_planes(codes), pts=first.pts + index * first.duration)


def psnr_of(
    shot: Callable[[int, int], Iterator[Frame]],
    span: tuple[int, int],
    options: EncodeOptions,
    folder: Path,
    *,
    goes_on: bool = False,
) -> np.ndarray:
    """PSNR of luma in dB of each frame of a segment, or of a clip that does not end with it."""
    with Reader(STREET) as reader:
        info = reader.info
    plan, target = plan_output(info, ".mp4", options), folder / "segment.nut"
    head, times = head_of(next(shot(0, 1)), plan), span_of(info, plan, 0, None, None)
    ends = span[1] + 30 if goes_on else span[1]
    write_segment(shot(span[0], ends), target, head=head, info=info, plan=plan, span=times)
    pairs = zip(shot(*span), lumas(target), strict=not goes_on)
    errors = [np.square(frame.planes[0] - now).mean() for frame, now in pairs]
    return 10 * np.log10(255**2 / np.array(errors))


def test_borders_are_no_worse_than_what_lies_between(tmp_path: Path) -> None:
    spans = (0, 30), (30, 60)
    before, after = (psnr_of(street, span, EncodeOptions(), tmp_path) for span in spans)
    inner = [*before[8:22], *after[8:22]]
    assert before[22:].mean() >= np.mean(inner)
    assert after[:8].mean() >= np.mean(inner)
    assert min(*before[22:], *after[:8]) >= np.min(inner) - 0.2


@pytest.mark.parametrize("speed", ["veryfast", "fast"])
@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_a_segment_ends_as_a_clip_goes_on(codec: Any, speed: Any, tmp_path: Path) -> None:
    options = EncodeOptions(codec=codec, depth=8, speed=speed)
    ends = psnr_of(noisy, (0, 30), options, tmp_path)
    goes_on = psnr_of(noisy, (0, 30), options, tmp_path, goes_on=True)
    assert (ends - goes_on)[22:].mean() > -0.15
    assert (ends - goes_on)[22:].min() > -0.3


@pytest.mark.parametrize("count", [1, 2, 3, 251])
@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_a_segment_of_any_length_is_whole(codec: Any, count: int, tmp_path: Path) -> None:
    with Reader(make_clip(tmp_path / "a.mp4", Clip(count=count))) as reader:
        info, frames = reader.info, list(reader.frames())
    plan = plan_output(info, ".mp4", EncodeOptions(codec=codec, depth=8, speed="veryfast"))
    head, times = head_of(frames[0], plan), span_of(info, plan, 0, None, None)
    target = tmp_path / "segment.nut"
    piece = write_segment(frames, target, head=head, info=info, plan=plan, span=times)
    assert sorted(pts for pts, _ in piece.times) == [frame.pts for frame in frames]
    assert len(lumas(target)) == count
    assert packets(target)[0][3], "begins with a keyframe"


def test_a_damaged_segment_is_found_and_rendered_again(
    tmp_path: Path, identity: Preset, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip(count=28))
    call = (source, tmp_path / "b.mp4", identity, RenderOptions.of())
    with monkeypatch.context() as patch:
        patch.setattr(join, "join_segments", no_join)
        with pytest.raises(Stop):
            nightfx.render(*call[:2], preset=identity)
    segment = tmp_path / ".b.mp4.nightfx" / "00001.nut"
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 0xFF
    segment.write_bytes(data)
    with pytest.raises(RetryError, match="damaged and was removed: run again"):
        nightfx.render(*call[:2], preset=identity)
    again = nightfx.render(*call[:2], preset=identity)
    assert packets(again) == packets(nightfx.render(source, tmp_path / "c.mp4", preset=identity))


def no_join(*_: object, **__: object) -> None:
    raise Stop


# --- resuming ---

CALL = """
import os, signal, sys
import nightfx
from nightfx.light import borders
for word in sys.argv[4:]:
    name, value = word.split("=")
    setattr(borders, name, int(value))
def stop(done, total):
    if done >= int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
nightfx.render(sys.argv[1], sys.argv[2], on_progress=stop, options=nightfx.RenderOptions.of(field_every=4))
"""


@pytest.mark.parametrize("moments", [(3, 26), (40,)])
def test_killed_at_any_moment_it_goes_on_to_the_same_file(
    moments: tuple[int, ...], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip(count=40, size=(96, 160), sound=True))
    target = tmp_path / "b.mp4"
    for moment in moments:
        words = [str(source), str(target), str(moment), *(f"{k}={v}" for k, v in SHORT.items())]
        # sums come out in another order with another number of threads, on some processors
        env = os.environ | {"OMP_NUM_THREADS": str(torch.get_num_threads())}
        killed = subprocess.run(
            [sys.executable, "-c", CALL, *words], env=env, stderr=subprocess.DEVNULL
        )
        assert killed.returncode == -signal.SIGKILL
        assert not target.exists()
    nightfx.render(source, target, options=RenderOptions.of(field_every=4))
    resumed_at = re.search(r"resuming at (\d+) %", caplog.text)
    # a segment is 12 frames at most: no more than one of them is lost
    assert resumed_at
    assert (max(moments) - 12) * 100 // 40 <= int(resumed_at[1]) <= max(moments) * 100 // 40
    whole = nightfx.render(source, tmp_path / "c.mp4", options=RenderOptions.of(field_every=4))
    assert target.read_bytes() == whole.read_bytes()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    "kind", ["tiles", "lock", "auto", "part", "fields", "ts", "passes", "lights"]
)
def test_every_kind_of_render_resumes(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    interlaced = {"flags": "+ilme+ildct", "x264-params": "tff=1"}
    interlaced = interlaced if kind == "fields" else {}
    clip = Clip(count=40, size=(64, 64), options=interlaced, container=None)
    source = make_clip(tmp_path / ("a.ts" if kind == "ts" else "a.mp4"), clip)
    every_kind: dict[str, dict[str, Any]] = {
        "tiles": {"method": "tiles"},
        "lock": {"lock": True},
        "auto": {"field_every": "auto"},
        "part": {"start_seconds": 0.25, "end_seconds": 1.6},
        "fields": {"interlaced": "keep"},
        "passes": {"passes": tmp_path / "passes"},
        "lights": {"lights": lights_of_64(tmp_path / "a.lights.json")},
    }
    given = every_kind.get(kind, {})
    options = RenderOptions.of(**given, encode=EncodeOptions(codec="h264", speed="ultrafast"))
    resumed = render_with_stops(source, tmp_path / "b.mp4", "night", options, 14, 26)
    notes = [r.getMessage().replace("b.mp4", "") for r in caplog.records]
    assert any("resuming at" in note for note in notes)
    caplog.clear()
    again = options.but(passes=tmp_path / "others") if kind == "passes" else options
    whole = nightfx.render(source, tmp_path / "c.mp4", options=again)
    assert packets(resumed) == packets(whole)
    last = [r.getMessage() for r in caplog.records if "recombines" in r.getMessage()]
    assert last == [note for note in notes if "recombines" in note]
    if kind == "passes":
        folders = [sorted((tmp_path / name).iterdir()) for name in ("passes", "others")]
        assert len(folders[0]) == len(folders[1]) >= 40
        for a, b in zip(*folders, strict=True):
            with_names = a.read_bytes() == b.read_bytes()
            assert with_names or a.suffix == ".exr"  # which say when they were made


def lights_of_64(path: Path) -> Path:
    """A list with a lamp and a window that wander over 40 frames of 64×64 px."""
    quad = np.array([[8, 10], [20, 10], [20, 24], [8, 24]], np.float32)
    track = LightTrack(np.array([1001, 1040]), np.stack([quad, quad + 30]), np.ones(2, np.float32))
    lights = tuple(Light(i, kind, track, on=True) for i, kind in enumerate(("lamp", "window")))
    write_lights(LightList((64, 64), 1001, 40, True, (), lights), path)
    return path


def test_content_light_is_that_of_the_whole_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from test_hdr import PARAMS, PQ_TAGS

    clip = Clip("libx265", "yuv420p10le", tags=PQ_TAGS, count=28, options={"x265-params": PARAMS})
    source, options = make_clip(tmp_path / "a.mp4", clip), RenderOptions.of(strength=0.5)
    resumed = render_with_stops(source, tmp_path / "b.mp4", "night", options, 26)
    one = in_one_go(source, tmp_path / "c.mp4", "night", options, monkeypatch)
    lights = []
    for path in (resumed, one):
        with av.open(path) as container:
            data = side_data_of(next(container.decode(video=0)))["CONTENT_LIGHT_LEVEL"]
            lights.append(struct.unpack("<2I", data))
    assert lights[0] == lights[1]
    assert 0 < lights[0][1] < lights[0][0]


def changed_time(source: Path) -> None:
    os.utime(source, (1, 1))


def changed_bytes(source: Path) -> None:
    stat = source.stat()
    data = bytearray(source.read_bytes())
    data[-1] ^= 1
    source.write_bytes(data)
    os.utime(source, ns=(stat.st_atime_ns, stat.st_mtime_ns))


@pytest.mark.parametrize(
    ("change", "flags", "words"),
    [
        (changed_time, {}, "starting anew: the source changed"),
        (changed_bytes, {}, "starting anew: the source changed"),
        (None, {"strength": 0.5}, "starting anew: --strength was not given, is 0.5"),
        (None, {"encode": EncodeOptions(crf=30)}, "starting anew: --crf was not given, is"),
        (None, {"fresh": True}, "starting anew: as asked"),
    ],
)
def test_what_changed_is_said_and_rendered_anew(
    change: Callable[[Path], None] | None,
    flags: dict[str, Any],
    words: str,
    tmp_path: Path,
    identity: Preset,
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip(count=28, metadata={"title": "x"}))
    with pytest.raises(Stop):
        nightfx.render(source, preset=identity, on_progress=stop_after(20))
    assert "42 % is done and kept: run the same again to go on from there" in caplog.text
    if change:
        change(source)
    done: list[int] = []
    nightfx.render(
        source,
        preset=identity,
        options=RenderOptions.of(**flags),
        on_progress=lambda count, _: done.append(count),
    )
    assert words in caplog.text
    assert done == list(range(1, 29))


def test_progress_counts_what_was_done_before(tmp_path: Path, identity: Preset) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip(count=28))
    with pytest.raises(Stop):
        nightfx.render(source, preset=identity, on_progress=stop_after(20))
    done: list[tuple[int, int | None]] = []
    nightfx.render(source, preset=identity, on_progress=lambda *pair: done.append(pair))
    assert done == [(i, 28) for i in range(13, 29)]


def test_another_library_or_machine_begins_anew(
    tmp_path: Path, identity: Preset, caplog: pytest.LogCaptureFixture, monkeypatch: Any
) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip(count=28))
    with pytest.raises(Stop):
        nightfx.render(source, preset=identity, on_progress=stop_after(20))
    monkeypatch.setattr("nightfx.job.manifest.cores", lambda: 999)
    nightfx.render(source, preset=identity)
    assert "is 999" in caplog.text


def test_a_kept_folder_is_not_trusted(
    tmp_path: Path, identity: Preset, caplog: pytest.LogCaptureFixture
) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip(count=28))
    folder = tmp_path / ".b.mp4.nightfx"
    folder.mkdir()
    (folder / "manifest.json").write_text('{"source": 3}')
    nightfx.render(source, tmp_path / "b.mp4", preset=identity)
    assert "starting anew: what there is of it cannot be read" in caplog.text


def test_nothing_done_leaves_nothing(tmp_path: Path, identity: Preset) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip(count=28))
    before = set(tmp_path.iterdir())
    with pytest.raises(Stop):
        nightfx.render(source, preset=identity, on_progress=stop_after(3))
    assert set(tmp_path.iterdir()) == before


def test_a_frame_is_found_by_its_mark_else_by_decoding(tmp_path: Path, identity: Preset) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip(count=30, options={"g": "10"}))
    with open_job(source, tmp_path / "b.mp4", identity, RenderOptions.of()) as job:
        from nightfx.job.render_job import mark_of

        frames = [(mark_of(f), f.duration) for f in job.reader.frames()]
        right, wrong = frames[17][0], (frames[17][0][0], 1)
        for mark in (right, wrong, None):
            found = [(mark_of(f), f.duration) for f in job.frames_from(17, mark)]
            assert found == frames[17:]


@pytest.mark.parametrize("stops", [(3,), (4,), (7, 8), (11,)])
def test_sequences_resume_by_the_file(
    stops: tuple[int, ...], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip(count=12, size=(64, 64)))
    for name in "bc":
        (tmp_path / name).mkdir()
    pattern = "shot.####.png"
    for count in stops:
        with pytest.raises(Stop):
            nightfx.render(source, tmp_path / "b" / pattern, on_progress=stop_after(count))
    kept = {p: p.stat().st_mtime_ns for p in (tmp_path / "b").glob("shot.*.png")}
    nightfx.render(source, tmp_path / "b" / pattern)
    nightfx.render(source, tmp_path / "c" / pattern)
    files = [sorted((tmp_path / name).iterdir()) for name in "bc"]
    assert [p.name for p in files[0]] == [f"shot.{1001 + i}.png" for i in range(12)]
    assert [p.read_bytes() for p in files[0]] == [p.read_bytes() for p in files[1]]
    assert "resuming at" in caplog.text
    again = [p for p, when in kept.items() if p.stat().st_mtime_ns != when]
    assert len(again) <= 1


def test_files_that_stood_there_are_not_taken_for_done(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip(count=6, size=(64, 64)))
    (tmp_path / "shot.1003.png").write_bytes(b"precious")
    with pytest.raises(TargetError, match="exists already"):
        nightfx.render(source, tmp_path / "shot.####.png")
    options = RenderOptions.of(overwrite=True)
    nightfx.render(source, tmp_path / "shot.####.png", options=options)
    assert (tmp_path / "shot.1003.png").read_bytes() != b"precious"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@needs_mounts
def test_on_a_full_disk_it_stops_and_goes_on_when_there_is_space(
    small_disk: Path, tmp_path: Path, identity: Preset, caplog: pytest.LogCaptureFixture
) -> None:
    source = make_clip(tmp_path / "a.mkv", Clip("ffv1", size=(96, 160), count=40))
    target = small_disk / "b.mkv"
    with pytest.raises(RetryError, match="disk full: free some space and run again"):
        nightfx.render(source, target, preset=identity)
    assert "is done and kept" in caplog.text
    assert not list(small_disk.glob("**/*.part"))
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    nightfx.render(source, target, preset=identity)
    assert "resuming at" in caplog.text
    assert len(pictures(target)) == 40


# --- what is on the disk ---


def test_options_come_back_from_json_as_they_were(tmp_path: Path) -> None:
    from fractions import Fraction

    from nightfx.disk.json_files import save_json

    options = RenderOptions.of(
        passes=tmp_path, fps=Fraction(24000, 1001), tile_px=64, encode=EncodeOptions(crf=20)
    )
    save_json(options, tmp_path / "options.json")
    assert load_json(RenderOptions, tmp_path / "options.json") == options


@pytest.mark.parametrize(
    "value",
    [
        {"times": [[1]], "size_bytes": 1, "crc": 1, "extradata": ""},
        {"times": [], "size_bytes": "1", "crc": 1, "extradata": ""},
        {"times": [], "crc": 1, "extradata": ""},
        [],
        None,
    ],
)
def test_other_json_is_refused(value: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        from_json_types(EncodedSegment, value)


def test_presets_of_manifests_are_their_folders(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip(count=28, size=(64, 64)))
    with pytest.raises(Stop):
        nightfx.render(source, tmp_path / "b.mp4", on_progress=stop_after(14))
    found = load_json(Manifest, tmp_path / ".b.mp4.nightfx" / "manifest.json")
    assert found.preset == load_preset("night").folder.absolute()
    assert found.job["versions"]["av"] == av.__version__


def test_what_int8_was_quantised_with_is_what_it_is_again(tmp_path: Path) -> None:
    shown = [torch.rand(1, 3, 8, 8), torch.rand(1, 3, 16, 8)]
    digest = keep_shown(shown, tmp_path / "shown")
    again = shown_again(tmp_path / "shown", digest)
    assert all(torch.equal(a, b) for a, b in zip(shown, again, strict=True))
    with pytest.raises(PlanError, match="not what the plan was made with"):
        shown_again(tmp_path / "shown", digest[::-1])
    with pytest.raises(PlanError, match="cannot be read"):
        shown_again(tmp_path / "gone", digest)
