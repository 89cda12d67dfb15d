"""Pictures and clips mixed in one call of `train`: sampled, thinned, sorted; and the table of a run."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media import Clip, image, make_clip, pattern
from PIL import Image
from rich.console import Console
from typer.testing import CliRunner

from nightfx.cli import app
from nightfx.cli.training.table import drawn_table
from nightfx.errors import TrainingError, UsageError
from nightfx.options.prepare import PrepareOptions
from nightfx.training.sets.limits import find_limits
from nightfx.training.sets.mixed import Mixed, check_mixed, gather, holds_clips
from nightfx.training.sets.prepare import prepare

SECOND = 512 * 24  # ticks of a clip that `make_clip` writes


def still(path: Path, level: int, size: tuple[int, int] = (200, 120)) -> Path:
    """A grey picture with noise of its own."""
    rng = np.random.default_rng([level, *size])
    noise = rng.integers(-8, 9, (size[1], size[0], 3))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((level + noise).clip(0, 255).astype(np.uint8)).save(path)
    return path


def clip_of(path: Path, seconds: int) -> Path:
    """A clip of a frame a second, a ramp that moves: brightness about 110."""
    path.parent.mkdir(parents=True, exist_ok=True)
    times = [index * SECOND for index in range(seconds)]
    return make_clip(path, Clip(size=(128, 160), times=times))


@given(
    st.lists(st.floats(0.02, 0.2), min_size=3, max_size=30),
    st.lists(st.floats(0.6, 0.95), min_size=3, max_size=30),
)
def test_two_kinds_are_parted_between_them(nights: list[float], days: list[float]) -> None:
    low, high = find_limits([*nights, *days])
    assert max(nights) <= high
    assert low <= min(days)
    assert low <= high


def test_pictures_all_alike_have_one_limit() -> None:
    assert find_limits([0.5, 0.5, 0.5]) == (0.5, 0.5)


def test_sources_are_sorted_by_their_own_brightness(tmp_path: Path) -> None:
    """By the paper's limits none of these is a day but one, and dusk would be a night."""
    levels = {"a": 25, "b": 30, "c": 35, "d": 120, "e": 125, "f": 130, "dusk": 76}
    for name, level in levels.items():
        still(tmp_path / f"stills/{name}.png", level)
    day, night = gather(Mixed((tmp_path / "stills",)), tmp_path / "run")
    assert {x.stem[0] for group in day.by_source() for x in group} == {"d", "e", "f"}
    assert {x.stem[0] for group in night.by_source() for x in group} == {"a", "b", "c"}
    assert "dusk" in (tmp_path / "run/pictures/left_out.csv").read_text()


def test_clips_and_folders_mix_and_pictures_stay_whole(tmp_path: Path) -> None:
    still(tmp_path / "day/a.png", 200)
    clip_of(tmp_path / "day/shot.mp4", 4)
    clip_of(tmp_path / "night.mp4", 3)
    mixed = Mixed(day=tmp_path / "day", night=tmp_path / "night.mp4")
    day, night = gather(mixed, tmp_path / "run")
    frames = [x for group in day.by_source() for x in group if "shot" in x.name]
    assert 1 <= len(frames) <= 4
    for path in frames:
        with Image.open(path) as image:
            assert image.size == (160, 128)
    (whole,) = [x for group in day.by_source() for x in group if "shot" not in x.name]
    with Image.open(whole) as image:
        assert image.size == (200, 120)
    assert all("night" in x.name for group in night.by_source() for x in group)


def test_a_large_picture_is_made_smaller_and_none_larger(tmp_path: Path) -> None:
    still(tmp_path / "large/a.png", 200, (96, 64))
    still(tmp_path / "large/b.png", 20, (20, 30))
    options = PrepareOptions(size_px=32, crop="whole", test=0)
    data = prepare([tmp_path / "large"], tmp_path / "set", options)
    sizes = set()
    for path in (data.folder / "train").rglob("*.png"):
        with Image.open(path) as image:
            sizes.add(image.size)
    assert sizes == {(48, 32), (20, 30)}


def standing(path: Path, seconds: int) -> Path:
    """A clip that stands still: the same frame each second."""
    with av.open(path, "w") as out:
        video = out.add_stream("libx264", rate=1)
        video.width, video.height, video.pix_fmt = 160, 128, "yuv420p"
        for index in range(seconds):
            frame = image(pattern(0, "yuv420p", (128, 160)), "yuv420p", index)
            frame.time_base = Fraction(1)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    return path


def test_frames_that_repeat_are_left_out(tmp_path: Path) -> None:
    still(tmp_path / "night/b.png", 20)
    (tmp_path / "day").mkdir()
    standing(tmp_path / "day/still.mp4", 5)
    gather(Mixed(day=tmp_path / "day", night=tmp_path / "night"), tmp_path / "run")
    made = tmp_path / "run/pictures"
    assert len(list((made / "train/day").rglob("still-*.png"))) == 1
    assert (made / "left_out.csv").read_text().count("the same as") == 4


def test_a_run_goes_on_with_the_pictures_that_it_has(tmp_path: Path) -> None:
    for name, level in (("a", 20), ("b", 200)):
        still(tmp_path / f"stills/{name}.png", level)
    mixed = Mixed((tmp_path / "stills",))
    gather(mixed, tmp_path / "run")
    table = tmp_path / "run/pictures/manifest.csv"
    before = table.stat().st_mtime_ns
    gather(mixed, tmp_path / "run")
    assert table.stat().st_mtime_ns == before
    still(tmp_path / "stills/c.png", 210)
    with pytest.raises(TrainingError, match="pictures of a run that was given others"):
        check_mixed(mixed, tmp_path / "run")
    (tmp_path / "run/pictures/dataset.json").write_text("[]")
    with pytest.raises(TrainingError, match=r"dataset\.json: not the file of a data set"):
        check_mixed(mixed, tmp_path / "run")


def test_what_holds_clips(tmp_path: Path) -> None:
    still(tmp_path / "stills/a.png", 20)
    assert not holds_clips(tmp_path / "stills")
    assert not holds_clips(None)
    (tmp_path / "stills/deep").mkdir()
    (tmp_path / "stills/deep/b.MOV").touch()
    assert holds_clips(tmp_path / "stills")
    assert holds_clips(tmp_path / "stills/deep/b.MOV")


def test_sources_and_sides_do_not_mix(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give SOURCE to be sorted by brightness"):
        Mixed((tmp_path,), day=tmp_path)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("stills", "--csv", "x.csv"), "give the pictures as SOURCE"),
        (("stills", "--before", "stills", "--after", "other"), "stills: is not for a run by"),
        (("nothing",), "nothing: no such file or folder"),
        (("stills", "--out", "stills/run"), "lies in"),
    ],
)
def test_refused_before_any_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], error: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("stills", "other"):
        still(Path(folder, "a.png"), 20)
    out = () if "--out" in words else ("--out", "run")
    result = CliRunner().invoke(app, ["train", *words, *out])
    assert result.exit_code, result.output
    assert error in result.stderr
    assert not Path("run").exists()


def test_one_command_trains_from_clips(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for index in range(4):
        still(tmp_path / f"mixed/n{index}.png", 20 + index)
    clip_of(tmp_path / "mixed/shot.mp4", 6)
    caplog.set_level("INFO")
    words = ["train", tmp_path / "mixed", "--out", tmp_path / "run", "--recipe", "quick"]
    few = ["--steps", 2, "--batch", 1, "--crop-px", 96, "--device", "cpu"]
    result = CliRunner().invoke(app, [str(x) for x in [*words, *few]])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "run/night/preset.toml").is_file()
    assert "4 night pictures" in caplog.text


def shown(told: dict[str, float]) -> str:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(drawn_table(told))
    return capture.get()


def test_the_table_of_a_run() -> None:
    facts = {"": 0.5, ", best": 0.25, ", best step": 1200.0, ", plates": 0.8}
    facts |= {", structure": 0.9, ", best structure": 0.81}
    told = {f"distance to night{x}": value for x, value in facts.items()} | {"G_AB": 0.5, "G_BA": 2}
    (row,) = [line.split() for line in shown(told).splitlines() if "night" in line]
    assert row == ["night", "0.500", "0.250", "1,200", "0.800", "0.81", "usable"]
    assert "losses: generators 0.5 2" in shown(told)


def test_the_table_before_anything_is_measured() -> None:
    assert shown({}).split() == [
        "no",
        "losses",
        "yet,",
        "no",
        "distance",
        "before",
        "the",
        "first",
        "checkpoint",
    ]
