"""Data sets: sorted by brightness or labels, split, cropped, listed; nothing half-made is left."""

import csv
import errno
import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from media import STEP, Clip, image, make_clip, pattern
from PIL import Image

from nightfx.errors import RetryError, SourceError, TargetError, TrainingError, UsageError
from nightfx.metrics import hsp_brightness
from nightfx.options.prepare import PrepareOptions
from nightfx.training.data.charts import save_brightness
from nightfx.training.data.pictures import to_tensor
from nightfx.training.data.sources import parse_threshold, read_labels, sample_frames
from nightfx.training.sets.dataset import DataSet, describe
from nightfx.training.sets.measure import brightness_of
from nightfx.training.sets.nexet import check_nexet, commands
from nightfx.training.sets.prepare import prepare

SIZE = (64, 48)


def paint(folder: Path, levels: Sequence[int], size: tuple[int, int] = SIZE, seed: int = 0) -> Path:
    """Grey pictures of these levels, each with noise of its own; their brightness is level / 255."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, level in enumerate(levels):
        rng = np.random.default_rng([seed, index, level])
        grey = level + rng.integers(-3, 4, (size[1], size[0], 1))
        pixels = np.repeat(grey.clip(0, 255), 3, axis=2).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{index:03}.png")
    return folder


def options(**changes: Any) -> PrepareOptions:
    return PrepareOptions(**{"size_px": 32, "test": 0, **changes})


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def names(data: DataSet, name: str) -> list[str]:
    return [x.measured.candidate.path.name for x in data.kept if x.name == name]


@given(arrays(np.uint8, st.tuples(st.integers(1, 70), st.integers(1, 9), st.just(3))))
def test_brightness_is_equation_7(pixels: np.ndarray) -> None:
    assert brightness_of(pixels) == pytest.approx(hsp_brightness(to_tensor(pixels)), abs=1e-5)


def test_day_and_night_by_brightness_of_the_brightest(tmp_path: Path) -> None:
    stills = paint(tmp_path / "stills", [200, 130, 110, 70, 20])
    data = prepare([stills], tmp_path / "set", options())
    # divided by 200 these are 1, 0.65, 0.55, 0.35, 0.1
    assert names(data, "day") == ["000.png", "001.png"]
    assert names(data, "night") == ["003.png", "004.png"]
    assert [x.reason for x in data.left_out] == ["between 0.4 and 0.6"]
    assert data.divisor == pytest.approx(200 / 255, abs=0.005)


def test_by_255_the_same_pictures_are_darker(tmp_path: Path) -> None:
    stills = paint(tmp_path / "stills", [200, 130, 110, 70, 20])
    data = prepare([stills], tmp_path / "set", options(normalise="255"))
    assert names(data, "day") == ["000.png"]
    assert names(data, "night") == ["003.png", "004.png"]


def test_a_source_may_have_thresholds_of_its_own(tmp_path: Path) -> None:
    paint(tmp_path / "stills" / "phone", [250, 150, 20])
    paint(tmp_path / "stills" / "dashcam", [110, 70, 25], seed=1)
    own = options(thresholds=dict([parse_threshold("dashcam=0.15,0.25")]))
    data = prepare([tmp_path / "stills"], tmp_path / "set", own)
    of_dashcam = [x for x in data.kept if x.measured.candidate.source == "dashcam"]
    assert [x.name for x in of_dashcam] == ["day", "day", "night"]
    with pytest.raises(UsageError, match="no such source; there are dashcam, phone"):
        prepare([tmp_path / "stills"], tmp_path / "no", options(thresholds={"x": (0.1, 0.2)}))


def test_manifest_names_every_picture_and_its_hash(tmp_path: Path) -> None:
    paint(tmp_path / "stills" / "harbour", [200, 190, 30, 20])
    prepare([tmp_path / "stills"], tmp_path / "set", options(test=1, seed=3))
    listed = rows(tmp_path / "set/manifest.csv")
    assert sorted((row["class"], row["split"]) for row in listed) == [
        *(("day", "test"), ("day", "train"), ("night", "test"), ("night", "train"))
    ]
    for row in listed:
        square = tmp_path / "set" / row["path"]
        assert hashlib.sha256(square.read_bytes()).hexdigest() == row["hash"]
        assert square.parts[-4:-1] == (row["split"], row["class"], "harbour")
        with Image.open(square) as image:
            assert image.size == (32, 32)
        level = np.asarray(Image.open(row["original"])).mean() / 255
        assert float(row["brightness"]) == pytest.approx(level, abs=0.002)
    assert len(list((tmp_path / "set").rglob("*.png"))) == 4 + 1  # and Figure 1
    facts = json.loads((tmp_path / "set/dataset.json").read_text())
    assert facts["options"]["seed"] == 3


def test_test_set_is_drawn_by_the_seed_and_never_more_than_half(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stills = paint(tmp_path / "stills", [*range(190, 202), *range(10, 18)])

    def drawn(out: str, seed: int) -> list[str]:
        data = prepare([stills], tmp_path / out, options(test=5, seed=seed))
        return [x.measured.candidate.path.name for x in data.kept if x.split == "test"]

    with caplog.at_level(logging.WARNING):
        first = drawn("a", 1)
    assert caplog.messages == ["only 8 night pictures: 4 of them are the test set, not 5"]
    assert len(first) == 9
    assert first == drawn("b", 1) != drawn("c", 2)


def test_labels_by_folder_whatever_the_brightness(tmp_path: Path) -> None:
    paint(tmp_path / "stills" / "day" / "fog", [60, 61])
    paint(tmp_path / "stills" / "night" / "neon", [150, 151])
    paint(tmp_path / "stills" / "other", [100])
    data = prepare([tmp_path / "stills"], tmp_path / "set", options(by_folder=True))
    assert {(x.name, x.measured.candidate.source) for x in data.kept} == {
        *(("day", "fog"), ("night", "neon"))
    }
    assert [x.reason for x in data.left_out] == ["no label"]


def test_labels_from_a_table_with_sources(tmp_path: Path) -> None:
    paint(tmp_path / "stills" / "a", [60, 61, 62])
    paint(tmp_path / "stills" / "b", [63])
    table = "path,class,source\na/000.png,day,x\na/001.png,night,y\nb/000.png,Night,y\na/002.png,dusk,y\n"
    (tmp_path / "labels.csv").write_text(table)
    data = prepare([tmp_path / "stills"], tmp_path / "set", options(labels=tmp_path / "labels.csv"))
    assert [(x.name, x.measured.candidate.source) for x in data.kept] == [
        *(("day", "x"), ("night", "y"), ("night", "y"))
    ]
    assert [x.reason for x in data.left_out] == ["labelled dusk"]


def test_labels_of_nexet_and_bdd100k(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(
        "image_filename,lighting,city\na.jpg,Day,NYC\nb.jpg,Twilight,NYC\n"
    )
    assert {k: v.name for k, v in read_labels(tmp_path / "train.csv").items()} == {
        "a.jpg": "day",
        "b.jpg": "twilight",
    }
    entries = [{"name": f"{time}.jpg", "attributes": {"timeofday": time}} for time in TIMES]
    (tmp_path / "all.json").write_text(json.dumps(entries))
    (tmp_path / "later.json").write_text(json.dumps({"frames": entries, "config": None}))
    (tmp_path / "each").mkdir()
    for entry in entries:
        one = {**entry, "name": str(entry["name"]).removesuffix(".jpg").replace("/", "-")}
        (tmp_path / "each" / f"{one['name']}.json").write_text(json.dumps(one))
    wanted = ["day", "night", "dawn/dusk"]
    for path in ("all.json", "later.json"):
        assert [label.name for label in read_labels(tmp_path / path).values()] == wanted
    each = read_labels(tmp_path / "each")
    assert (each["daytime"].name, each["night"].name) == ("day", "night")


TIMES = ("daytime", "night", "dawn/dusk")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "picture,class\nx,day\n", "needs a column path or image_filename"),
        ("a.csv", "path,class\n", "has no rows"),
        ("a.json", "[1, 2", "not readable as JSON"),
        ("a.json", "[1, 2]", "not labels as BDD100K writes them"),
        ("a.json", '[{"name": "x"}]', "not labels as BDD100K writes them"),
        ("b.csv", None, "not readable as a CSV"),
        ("folder", None, "not readable as a CSV"),
    ],
)
def test_labels_that_cannot_be_read_are_refused(
    tmp_path: Path, name: str, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(TrainingError, match=message):
        read_labels(tmp_path / name)


def ramp(path: Path) -> Path:
    """96 columns wide, 48 high; each column's level is its number."""
    columns = np.broadcast_to(np.arange(96, dtype=np.uint8)[None, :, None], (48, 96, 3))
    Image.fromarray(np.ascontiguousarray(columns)).save(path)
    return path


def test_crops_are_square_in_the_middle_or_anywhere(tmp_path: Path) -> None:
    stills = paint(tmp_path / "stills", [200, 201])
    ramp(stills / "ramp.png")

    def first_column(out: str, **changes: Any) -> float:
        prepare([stills], tmp_path / out, options(size_px=48, **changes))
        (square,) = (tmp_path / out).rglob("ramp-*.png")
        pixels = np.asarray(Image.open(square)).astype(float)
        assert np.array_equal(pixels[0, :, 0] - pixels[0, 0, 0], np.arange(48))
        return float(pixels[0, 0, 0])

    assert first_column("centre") == 24
    places = [first_column(f"random{seed}", crop="random", seed=seed) for seed in range(3)]
    assert len(set(places)) > 1
    assert all(0 <= place <= 48 for place in places)
    assert first_column("again", crop="random", seed=1) == places[1]


def test_small_pictures_are_upscaled_tiny_and_damaged_ones_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stills = paint(tmp_path / "stills", [200, 20], (80, 64))
    paint(stills / "small", [199, 19], (60, 40))
    paint(stills / "tiny", [198], (30, 20))
    paint(tmp_path / "whole", [128], (400, 300))
    data = (tmp_path / "whole/000.png").read_bytes()
    (stills / "cut.png").write_bytes(data[: len(data) // 2])
    (stills / "text.jpg").write_text("not a picture")
    (stills / "clip.mp4").write_text("not a clip")
    with caplog.at_level(logging.WARNING):
        made = prepare([stills], tmp_path / "set", options(size_px=64))
    assert caplog.messages == [
        "3 files are damaged or not readable and are left out; left_out.csv lists them",
        "1 pictures are under 32 px and are left out",
        "2 pictures are under 64 px and are upscaled",
    ]
    assert len(made.kept) == 4
    reasons = {
        Path(row["original"]).name: row["reason"] for row in rows(tmp_path / "set/left_out.csv")
    }
    assert reasons["cut.png"].startswith("damaged: ")
    assert reasons["text.jpg"] == "not readable: no picture of 8 or 16 bits"
    assert reasons["clip.mp4"].startswith("not readable: ")


def test_the_same_file_twice_counts_once(tmp_path: Path) -> None:
    stills = paint(tmp_path / "stills", [200, 20])
    (stills / "copy.png").write_bytes((stills / "000.png").read_bytes())
    data = prepare([stills], tmp_path / "set", options())
    assert len(data.kept) == 2
    assert data.left_out[0].reason == f"the same as {stills / '000.png'}"


def scenes(folder: Path) -> Path:
    """Two views, each twice with other noise, and one of them once more, darker."""
    folder.mkdir()
    big = [np.random.default_rng(view).integers(20, 236, (6, 8, 3)) for view in (0, 1)]
    for index, (view, light) in enumerate([(0, 1.0), (0, 1.0), (1, 1.0), (1, 1.0), (0, 0.3)]):
        noise = np.random.default_rng(index).integers(-4, 5, (48, 64, 3))
        pixels = np.kron(big[view], np.ones((8, 8, 1))) * light + noise
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{index}.png")
    return folder


@pytest.mark.parametrize(
    ("repeats", "kept"), [("frames", "01234"), ("none", "01234"), ("all", "024")]
)
def test_near_duplicates_are_the_same_view_in_the_same_light(
    tmp_path: Path, repeats: str, kept: str
) -> None:
    data = prepare([scenes(tmp_path / "s")], tmp_path / "set", options(repeats=repeats))
    assert sorted(x.measured.candidate.path.stem for x in data.kept) == list(kept)


def test_frames_of_a_clip_are_taken_by_time_and_turned_upright(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", Clip(count=60, rotation=90))  # 24 a second, 64x48
    found = list(sample_frames(clip, 1.0))
    assert [seconds for seconds, _ in found] == [0, 1, 2]
    assert {pixels.shape for _, pixels in found} == {(64, 48, 3)}


def standing(path: Path, count: int) -> Path:
    """A clip at 24 frames a second whose frames are all alike."""
    with av.open(path, "w") as out:
        video = out.add_stream("ffv1", rate=24)
        assert isinstance(video, VideoStream)
        video.height, video.width, video.pix_fmt = 48, 64, "yuv420p"
        for index in range(count):
            picture = image(pattern(0, "yuv420p", (48, 64)), "yuv420p", index * STEP)
            out.mux(video.encode(picture))
        out.mux(video.encode(None))
    return path


def test_a_standing_camera_gives_one_frame(tmp_path: Path) -> None:
    clip = standing(tmp_path / "yard.mkv", 4)
    stills = paint(tmp_path / "stills", [20, 21, 22])
    data = prepare([clip, stills], tmp_path / "set", options(every_seconds=0.01))
    assert [x.measured.candidate.source for x in data.kept if x.name == "day"] == ["yard"]
    assert [x.measured.seconds for x in data.left_out] == [
        pytest.approx(n / 24, abs=0.001) for n in (1, 2, 3)
    ]
    assert data.left_out[0].reason == f"the same as {clip} at 0.00 s"


def test_a_damaged_clip_gives_the_frames_before(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "cut.mkv", Clip("ffv1", size=(240, 320), count=24))
    data = clip.read_bytes()
    clip.write_bytes(data[: len(data) // 2])
    stills = paint(tmp_path / "stills", [200, 20])
    made = prepare([clip, stills], tmp_path / "set", options())
    assert "damaged" in next(x.reason for x in made.left_out if not x.measured.digest)


@pytest.mark.parametrize(
    ("levels", "changes", "message"),
    [
        ([200, 210, 220], {}, "no night pictures among 3: normalised brightness is 0.91 to 1.00"),
        ([200, 20], {"by_folder": True}, "no day pictures among 2: they are labelled no label"),
        ([200, 20], {"size_px": 400}, "none of 2 pictures can be used, the first: .*under 200 px"),
        ([], {}, "no pictures or clips"),
    ],
)
def test_a_set_that_cannot_be_made_leaves_nothing(
    tmp_path: Path, levels: list[int], changes: dict[str, Any], message: str
) -> None:
    stills = paint(tmp_path / "stills", levels)
    with pytest.raises(TrainingError, match=message):
        prepare([stills], tmp_path / "set", options(**changes))
    assert list(tmp_path.iterdir()) == [stills]


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stills = paint(tmp_path / "stills", [200, 20])

    def full(path: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(RetryError, match="set: disk full"):
        prepare([stills], tmp_path / "set", options())
    assert list(tmp_path.iterdir()) == [stills]


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    stills = paint(tmp_path / "stills", [200, 20])
    (tmp_path / "set").mkdir()
    prepare([stills], tmp_path / "set", options())  # an empty folder is no loss
    before = (tmp_path / "set/manifest.csv").read_bytes()
    with pytest.raises(TargetError, match="set: exists; delete it, or choose another --out"):
        prepare([stills], tmp_path / "set", options(seed=5))
    assert (tmp_path / "set/manifest.csv").read_bytes() == before
    with pytest.raises(UsageError, match="the next call would read it as a source"):
        prepare([stills], stills / "set", options())
    with pytest.raises(SourceError, match="no such file or folder"):
        prepare([tmp_path / "none"], tmp_path / "new", options())
    (tmp_path / "notes.txt").write_text("a sentence")
    with pytest.raises(SourceError, match="neither a picture nor a clip"):
        prepare([tmp_path / "notes.txt"], tmp_path / "new", options())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"day_above": 0.3}, "night must end below where day begins, in 0 to 1: got 0.4, 0.3"),
        ({"thresholds": {"a": (0.5, 1.4)}}, "got 0.5, 1.4"),
        ({"crop": "left"}, "--crop must be centre, random or whole, got 'left'"),
        ({"normalise": "min"}, "--normalise must be max or 255"),
        ({"repeats": "some"}, "--repeats must be frames, all or none"),
        ({"every_seconds": float("nan")}, "--every must be above 0 seconds, got nan"),
        ({"test": -1}, "--test must be from 0 up, got -1"),
        ({"near": 0.0}, "--near must be above 0"),
        ({"labels": Path("x"), "by_folder": True}, "not from both"),
    ],
)
def test_contradictory_options_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        options(**changes)
    for text in ("campus", "campus=1", "campus=a,b", "=0.1,0.2"):
        with pytest.raises(UsageError, match="--threshold must be SOURCE=NIGHT,DAY"):
            parse_threshold(text)


def test_names_from_others_stay_inside_the_folder(tmp_path: Path) -> None:
    paint(tmp_path / "stills", [200, 20])
    table = "path,class,source\n000.png,day,../../etc\n001.png,night,/\n"
    (tmp_path / "labels.csv").write_text(table)
    prepare([tmp_path / "stills"], tmp_path / "set", options(labels=tmp_path / "labels.csv"))
    assert {row["path"].split("/")[2] for row in rows(tmp_path / "set/manifest.csv")} == {
        *("etc", "set")
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.csv", "set", "stills"]


def test_sixteen_bits_keep_their_brightness(tmp_path: Path) -> None:
    stills = paint(tmp_path / "stills", [200, 20])
    Image.fromarray(np.full((48, 64), 180 * 257, np.uint16)).save(stills / "deep.png")
    data = prepare([stills], tmp_path / "set", options())
    deep = next(x for x in data.kept if x.measured.candidate.path.name == "deep.png")
    assert deep.measured.brightness == pytest.approx(180 / 255, abs=1e-4)


def test_the_report_counts_by_source(tmp_path: Path) -> None:
    paint(tmp_path / "stills" / "phone", [250, 200, 130, 20])
    text = describe(prepare([tmp_path / "stills"], tmp_path / "set", options(test=1)))
    assert text.splitlines()[1].split() == ["phone", "2", "at", "0.90", "1", "at", "0.08", "1"]
    assert text.splitlines()[-1] == "train: 1 day, 1 night; test: 1 day, 0 night"


@pytest.mark.parametrize(
    ("night", "day", "tint"),
    [([0.1, 0.3], [0.7, 0.9], (217, 240, 211)), ([0.1, 0.7], [0.3, 0.9], (253, 219, 199))],
)
def test_figure_1_marks_the_gap_or_the_overlap(
    tmp_path: Path, night: list[float], day: list[float], tint: tuple[int, ...]
) -> None:
    save_brightness(night, day, tmp_path / "figure.png")
    with Image.open(tmp_path / "figure.png") as image:
        height = image.height - 2 * 60
        row = image.height - 60 - round(0.5 * height)
        assert image.getpixel((120, row)) == tint
        assert image.getpixel((120, image.height - 60 - round(0.25 * height))) == (255, 255, 255)


def test_nexet_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_nexet(tmp_path / "none")[1] == [f"{tmp_path / 'none'}: no such folder"]
    _, missing = check_nexet(tmp_path)
    assert [line.split(":")[0] for line in missing] == ["nexet_2017_1/", "train.csv"]
    paint(tmp_path / "nexet" / "nexet_2017_1", [100, 101])
    _, missing = check_nexet(tmp_path)
    assert "2 pictures; the paper had about 17000" in missing[0]
    (tmp_path / "nexet" / "train.csv").write_text("image_filename,lighting\n000.png,Day\n")
    monkeypatch.setattr("nightfx.training.sets.nexet.PICTURES", 2)
    found, missing = check_nexet(tmp_path)
    assert (len(found), missing) == (2, [])
    assert commands(tmp_path)[1].endswith(f"--labels {tmp_path / 'nexet' / 'train.csv'}")
