"""Pictures to train on from a table: filters, sources, splits; and what is refused among pictures."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from nightfx.cli import app
from nightfx.errors import TrainingError, UsageError
from nightfx.training.data.decode import load_picture
from nightfx.training.data.listed import Listed, choose_pictures, parse_filter
from nightfx.training.data.pictures import find_pictures, open_pictures
from nightfx.training.run.train_options import TrainOptions
from nightfx.training.run.trainer import train

HEAD = "path,class,content,source\n"


def nightfx(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def table(folder: Path, rows: list[str], head: str = HEAD) -> Path:
    """A CSV of these rows, `path,…`, and its pictures."""
    for index, row in enumerate(rows):
        path = folder / row.split(",")[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        level = 180 if "day" in row else 40
        Image.fromarray(np.full((100, 100, 3), level + index, np.uint8)).save(path)
    (folder / "list.csv").write_text(head + "".join(f"{row}\n" for row in rows))
    return folder / "list.csv"


ROWS = [
    "a/0.png,day,street,phone",
    "a/1.png,day,road,phone",
    "a/2.png,day,scenic,phone",
    "b/0.png,day,street,dashcam",
    "b/1.png,Night,street,dashcam",
    "b/2.png,night,street,dashcam",
    "b/3.png,dusk,street,dashcam",
]


def names(listed: Listed) -> list[list[str]]:
    return [[f"{path.parent.name}/{path.stem}" for path in group] for group in listed.by_source()]


def test_rows_of_a_class_come_by_source(tmp_path: Path) -> None:
    path = table(tmp_path, ROWS)
    assert names(Listed(path, "day")) == [["a/0", "a/1", "a/2"], ["b/0"]]
    assert names(Listed(path, "night")) == [["b/1", "b/2"]]


def test_filters_must_all_hold_and_any_of_their_values_will_do(tmp_path: Path) -> None:
    path = table(tmp_path, ROWS)
    content, phone = parse_filter("content=street, road"), parse_filter("source=phone")
    assert names(Listed(path, "day", (content,))) == [["a/0", "a/1"], ["b/0"]]
    assert names(Listed(path, "day", (content, phone))) == [["a/0", "a/1"]]


def test_without_a_source_pictures_are_grouped_by_folder(tmp_path: Path) -> None:
    path = table(tmp_path, ["a/0.png,day", "b/0.png,day", "a/1.png,day"], "path,class\n")
    assert names(Listed(path, "day")) == [["a/0", "a/1"], ["b/0"]]


def test_the_test_set_stays_out_unless_asked_for(tmp_path: Path) -> None:
    rows = ["a/0.png,day,train", "a/1.png,day,test", "a/2.png,day,train"]
    path = table(tmp_path, rows, "path,class,split\n")
    assert names(Listed(path, "day")) == [["a/0", "a/2"]]
    assert names(Listed(path, "day", (parse_filter("split=test"),))) == [["a/1"]]
    assert names(Listed(path, "day", (parse_filter("split=test,train"),))) == [
        ["a/0", "a/1", "a/2"]
    ]


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("path,class\na.png,day\n", "", "no rows whose class is night"),
        (HEAD, "", "has no rows"),
        ("", "", "list.csv: is empty; it needs a line of columns"),
        (f"{HEAD}a.png,night,street,x\nb.png,night,street,x\n", "", "2 not there: a.png, b.png"),
        ("file,class\na.png,day\n", "", "has no column path"),
        (f"{HEAD}a.png,night,street,x\n", "lens=50", "no column 'lens' to filter by; it has path, class"),
        (f"{HEAD}a.png,night,street,x\n", "content=sea", "nothing left where content is sea; here it is street"),
        (f"{HEAD}a.mp4,night,street,x\n", "", "a clip among the pictures: `nightfx dataset prepare`"),
        (f"{HEAD}a.png,night,street,x\n", "", "0 usable pictures of 1"),
        ("path,class\n\xff", "", "not readable as a CSV"),
    ],
)  # fmt: skip
def test_a_table_that_gives_nothing_is_refused(
    tmp_path: Path, text: str, where: str, message: str
) -> None:
    (tmp_path / "list.csv").write_bytes(text.encode("latin-1"))
    filters = (parse_filter(where),) if where else ()
    with pytest.raises(TrainingError, match=message):
        find_pictures(Listed(tmp_path / "list.csv", "night", filters), crop_px=96)


@pytest.mark.parametrize("text", ["content", "content=", "=street", "content=,"])
def test_a_filter_is_a_column_and_values(text: str) -> None:
    with pytest.raises(UsageError, match="--where must be COLUMN=VALUE"):
        parse_filter(text)


def test_pictures_come_from_folders_or_from_a_table(tmp_path: Path) -> None:
    day, night, csv = tmp_path / "d", tmp_path / "n", tmp_path / "list.csv"
    assert choose_pictures(day, night, None, ()) == (day, night)
    assert choose_pictures(None, None, csv, ()) == (Listed(csv, "day"), Listed(csv, "night"))
    for half in ((day, None, None, ()), (day, night, csv, ()), (day, night, None, ["a=b"])):
        with pytest.raises(UsageError, match="as --day and --night, or as --csv with --where"):
            choose_pictures(*half)


def test_every_tenth_of_a_table_is_held_out(tmp_path: Path) -> None:
    path = table(tmp_path, [f"a/{index}.png,day,street,x" for index in range(20)])
    kept, held_out = open_pictures(Listed(path, "day"), None, crop_px=96)
    assert (len(kept), len(held_out)) == (18, 2)


def test_a_clip_in_a_folder_to_train_on_is_named(tmp_path: Path) -> None:
    table(tmp_path, ROWS)
    (tmp_path / "b" / "shot.MOV").write_bytes(b"")
    with pytest.raises(TrainingError, match=r"shot\.MOV: a clip among the pictures"):
        find_pictures(tmp_path, crop_px=96)


def test_grey_of_16_bits_is_scaled_and_float_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 40_000, np.uint16)).save(tmp_path / "deep.png")
    assert np.array_equal(load_picture(tmp_path / "deep.png"), np.full((4, 4, 3), 40_000 >> 8))
    Image.fromarray(np.full((4, 4), 0.5, np.float32)).save(tmp_path / "float.tiff")
    with pytest.raises(
        TrainingError,
        match=r"float\.tiff: not readable: its pixels are floating-point, neither 8 nor 16",
    ):
        load_picture(tmp_path / "float.tiff")


def test_a_run_reads_the_manifest_of_dataset_prepare(tmp_path: Path) -> None:
    stills = tmp_path / "stills"
    table(stills, [f"{name}/{i}.png,{name}" for name in ("day", "night") for i in range(6)])
    made = nightfx(
        "dataset", "prepare", stills, "--out", tmp_path / "set", "--size", 96, "--test", 2
    )
    assert made.exit_code == 0, made.output
    assert "train: 4 day, 4 night; test: 2 day, 2 night" in made.stdout
    manifest = tmp_path / "set/manifest.csv"
    quick = TrainOptions(
        steps=1, batch=1, crop_px=96, scale=(1.0, 1.0), warm_start_steps=1, every=1, pool_size=2
    )
    out = train(Listed(manifest, "day"), Listed(manifest, "night"), tmp_path / "run", quick)
    assert (out / "night/preset.toml").exists()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("dataset prepare {empty} --out {new}", 1, "no pictures or clips"),
        ("dataset prepare {day} --out {new} --size 96", 1, "no night pictures among 4"),
        ("dataset prepare {day} --out {empty}/x/y --crop left", 2, "--crop must be centre, random or whole"),
        ("dataset prepare {day} --out {day}/set", 2, "would read it as a source"),
        ("dataset prepare {day} --out {list}/set", 1, "list.csv"),
        ("dataset nexet --root {empty}", 1, "missing  nexet_2017_1/"),
        ("train --csv {list} --where content=sea --out {new}", 1, "nothing left where content is sea"),
        ("train --day {day} --out {new}", 2, "give the pictures as --day and --night"),
        ("train --day {empty} --night {day} --out {new}", 1, "0 usable pictures of 0"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_nothing_is_left(
    tmp_path: Path, words: str, code: int, message: str
) -> None:
    rows = [f"day/{index}.png,day,street,x" for index in range(4)]
    places = {"list": table(tmp_path, rows), "day": tmp_path / "day", "empty": tmp_path / "empty"}
    places["empty"].mkdir()
    result = nightfx(*words.format(**places, new=tmp_path / "new").split())
    assert result.exit_code == code
    assert message in result.output
    assert result.stderr.count("error:") == ("nexet" not in words)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["day", "empty", "list.csv"]
    assert not list(places["empty"].iterdir())
