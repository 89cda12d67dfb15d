"""The preview: the frame that is asked for, the shape of its sheet, what its scopes count."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from media import Clip, make_clip
from PIL import Image
from typer.testing import CliRunner

from nightfx.cli import app
from nightfx.errors import TargetError, UsageError
from nightfx.network.presets import Preset
from nightfx.options.render import RenderOptions
from nightfx.picture.encoding import encoding_named
from nightfx.preview.lit import render
from nightfx.preview.pick import pick
from nightfx.preview.preview import preview
from nightfx.preview.scopes import LEVELS, count_levels, histogram, vectorscope, waveform
from nightfx.preview.sheet import GAP, GREY, HEAD, LABEL, MARGIN, Cell, draw_sheet, wipe
from nightfx.preview.shown import panel_size, view
from nightfx.source.reader import Reader
from nightfx.source.sequence import SequenceReader


def flat(value: int, height: int = 60, width: int = 100) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


# the sheet


def test_cells_stand_in_rows_on_grey() -> None:
    rows = [[Cell(flat(200), "a"), Cell(flat(90), "b")], [Cell(flat(50), "c")]]
    sheet = draw_sheet("title", "facts", rows)
    assert sheet.shape == (HEAD + 2 * (60 + LABEL) + GAP + MARGIN, 2 * MARGIN + 200 + GAP, 3)
    assert (sheet[HEAD : HEAD + 60, MARGIN : MARGIN + 100] == 200).all()
    assert (sheet[HEAD : HEAD + 60, MARGIN + 100 + GAP : -MARGIN] == 90).all()
    second = HEAD + 60 + LABEL + GAP
    assert (sheet[second : second + 60, MARGIN : MARGIN + 100] == 50).all()
    assert (sheet[:, : MARGIN // 2] == GREY).all()
    label = sheet[HEAD + 60 : HEAD + 60 + LABEL, MARGIN : MARGIN + 100]
    assert label.max() > 150  # its name can be read


def test_long_names_stay_within_their_cell() -> None:
    sheet = draw_sheet("t" * 500, "f" * 500, [[Cell(flat(0), "n" * 90, "note" * 9)]])
    assert (sheet[:, -MARGIN + 2 :] == GREY).all()


def test_a_wipe_is_half_and_half() -> None:
    both = wipe(flat(10), flat(200))
    assert (both[:, :48] == 10).all()
    assert (both[:, 52:] == 200).all()


# the scopes


def test_levels_are_counted_column_by_column() -> None:
    plane = np.array([[0, 0.5, 2], [0, 1, -1]], np.float32)
    counts = count_levels(plane)
    assert counts.shape == (LEVELS, 3)
    np.testing.assert_array_equal(counts.sum(0), 2)
    assert counts[0, 0] == 2
    assert counts[128, 1] == counts[255, 1] == 1
    assert counts[255, 2] == counts[0, 2] == 1


def test_a_waveform_shows_a_ramp_rising_from_left_to_right() -> None:
    ramp = np.linspace(0, 1, 480, dtype=np.float32)[None, :].repeat(270, 0)
    drawn = waveform(np.stack([ramp] * 3), 128, 240).max(-1)
    rows = drawn[2:-2, 20::40].argmax(0)
    assert (np.diff(rows) < 0).all()
    np.testing.assert_allclose(rows + 2, 127 * (1 - (np.arange(20, 240, 40) / 240)), atol=2)
    assert drawn[5, 10] < 100


def test_a_histogram_has_its_peak_at_the_value_of_a_flat_picture() -> None:
    drawn = histogram(np.full((3, 40, 40), 0.25, np.float32), 100, 256).astype(int)
    columns = drawn[20:80].sum((0, 2))
    assert abs(int(columns.argmax()) - 64) <= 1
    assert columns[150] < columns[64] / 5


# the frame


@pytest.mark.parametrize(
    ("number", "seconds", "wanted"),
    [(None, None, 6), (1001, None, 0), (1012, None, 11), (None, 0.25, 6), (None, 0.0, 0)],
)
def test_the_frame_is_the_one_asked_for(
    number: int | None, seconds: float | None, wanted: int, tmp_path: Path
) -> None:
    with Reader(make_clip(tmp_path / "a.mp4", Clip(count=12))) as reader:
        picked = pick(reader, number, seconds, None)
    assert picked.place == wanted
    assert picked.frame.pts - reader.info.start_pts == wanted * picked.frame.duration


def test_frames_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with Reader(make_clip(tmp_path / "a.mp4", Clip(count=12))) as reader:
        with pytest.raises(UsageError, match="--frame 12 is not in it: it has frames 1001 to 1012"):
            pick(reader, 12, None, None)
        with pytest.raises(UsageError, match="--at 9 is not in it"):
            pick(reader, None, 9.0, None)


def test_a_clip_of_one_frame_has_a_middle(tmp_path: Path) -> None:
    with Reader(make_clip(tmp_path / "a.mkv", Clip("ffv1", count=1))) as reader:
        assert pick(reader, None, None, None).place == 0


def test_a_sequences_frames_go_by_their_numbers(tmp_path: Path) -> None:
    for i in range(5):
        Image.new("RGB", (32, 24), (40 * i, 0, 0)).save(tmp_path / f"a.{1001 + i}.png")
    with SequenceReader(tmp_path / "a.####.png") as reader:
        assert pick(reader, 1003, None, None).frame.planes[0][0, 0] == 80
        assert pick(reader, 1003, None, None).place == 2
        assert pick(reader, None, None, None).frame.number == 1003
        with pytest.raises(UsageError, match="--frame 7 is not in it: it has frames 1001 to 1005"):
            pick(reader, 7, None, None)


def test_a_turned_clip_is_shown_upright_and_wide_pixels_wide(tmp_path: Path) -> None:
    turned = make_clip(tmp_path / "a.mp4", Clip(rotation=90, size=(48, 96)))
    with Reader(turned) as reader:
        picked = pick(reader, 1001, None, None)
    plate = view(picked, picked.frame)
    assert plate.shape == (3, 96, 48)
    width, height = panel_size(plate, picked)
    assert height / width == pytest.approx(2, rel=0.01)
    wide = make_clip(tmp_path / "b.mp4", Clip(aspect=Fraction(2), size=(48, 64)))
    with Reader(wide) as reader:
        picked = pick(reader, 1001, None, None)
    width, height = panel_size(view(picked, picked.frame), picked)
    assert width / height == pytest.approx(128 / 48, rel=0.01)


def test_what_is_not_sdr_is_shown_as_sdr(tmp_path: Path, identity: Preset) -> None:
    clip = Clip("ffv1", "yuv420p10le", tags=(9, 16, 9, 1), count=2)
    with Reader(make_clip(tmp_path / "a.mkv", clip)) as reader:
        picked = pick(reader, 1001, None, None)
    assert picked.encoding.name == "pq"
    shown = view(picked, picked.frame)
    assert 0 <= shown.min() < shown.max() <= 1
    linear = picked._replace(encoding=encoding_named("sdr"))
    assert np.abs(view(linear, picked.frame) - shown).mean() > 0.05
    same = view(picked, render(picked, identity, RenderOptions.of()))
    np.testing.assert_allclose(same, shown, atol=5e-3)


def test_lamps_of_a_later_frame_are_lit(
    tmp_path: Path, halving: Preset, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr("nightfx.preview.lit.build_lighting", lambda *args: seen.extend(args))
    with Reader(make_clip(tmp_path / "a.mp4", Clip(count=6))) as reader:
        picked = pick(reader, 1004, None, None)
    with pytest.raises(AttributeError):  # nothing was built
        render(picked, halving, RenderOptions.of())
    footage = seen[1]
    (frame,) = footage.frames()
    assert footage.numbering.of(frame, 0) == 1004  # by which its lights are known


# the whole way


@pytest.mark.parametrize("more", [[], ["--scopes", "--frame", "1003", "--exposure", "-1"]])
def test_a_preview_is_a_png_beside_the_source(
    more: list[str], tmp_path: Path, halving: Preset
) -> None:
    source = make_clip(tmp_path / "shot.mp4", Clip(count=4, size=(96, 128)))
    words = ["preview", source, "--to", halving.folder, *more]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    sheet = np.asarray(Image.open(tmp_path / "shot.preview.png")).astype(int)
    panel = 800  # 4:3 of 600 lines
    assert sheet.shape[1] == 3 * panel + 2 * GAP + 2 * MARGIN
    height = round(panel * 96 / 128)
    plate, night = (
        sheet[HEAD : HEAD + height, left : left + panel].mean()
        for left in (MARGIN, MARGIN + 2 * (panel + GAP))
    )
    factor = 0.5 * (2 ** (-1 / 2.2) if more else 1)
    assert night / plate == pytest.approx(factor, rel=0.05)
    assert [p.name for p in tmp_path.glob("*preview*")] == ["shot.preview.png"]


@pytest.mark.parametrize(
    ("more", "words", "kind"),
    [
        ({"frame": 1, "at_seconds": 0.1}, "give one of them", UsageError),
        ({"target": Path("a.jpg")}, "a preview is written as PNG", UsageError),
        ({"target": Path("/dev/null/a.png")}, "cannot be made a folder", TargetError),
    ],
)
def test_what_cannot_be_previewed_is_refused(
    more: dict[str, Any], words: str, kind: type[Exception], tmp_path: Path, identity: Preset
) -> None:
    source = make_clip(tmp_path / "shot.mp4", Clip(count=2))
    with pytest.raises(kind, match=words):
        preview(source, preset=identity, **more)


def test_a_preview_says_the_stages_and_the_line_of_log_footage_that_a_render_says(
    tmp_path: Path, identity: Preset, caplog: pytest.LogCaptureFixture
) -> None:
    source = make_clip(tmp_path / "a_SLog3.mkv", Clip("ffv1", "yuv420p10le", count=3))
    words = [str(source), "--to", str(identity.folder)]
    said, log = [], []
    for command in ("render", "preview"):
        caplog.clear()
        said.append(CliRunner().invoke(app, [command, *words]).stderr.splitlines())
        log.append([text for text in caplog.messages if "S-Log3" in text])
    assert log[0] == log[1]
    assert len(log[0]) == 1
    stages = [[line for line in lines if line.startswith(source.name)] for lines in said]
    assert stages[1] == [*stages[0][:2], f"{source.name}: drawing"]
    assert stages[1][1].startswith(f"{source.name}: preparing")


def test_a_picture_is_previewed_and_nothing_is_replaced_unasked(
    tmp_path: Path, halving: Preset
) -> None:
    Image.new("RGBA", (64, 48), (200, 100, 50, 128)).save(tmp_path / "a.png")
    target = preview(tmp_path / "a.png", preset=halving)
    assert target == tmp_path / "a.preview.png"
    with pytest.raises(TargetError, match="exists already"):
        preview(tmp_path / "a.png", preset=halving)
    assert preview(tmp_path / "a.png", preset=halving, options=RenderOptions.of(overwrite=True))


def test_a_vectorscope_has_grey_in_the_middle_and_red_on_top_blue_at_the_right() -> None:
    def middle_of(rgb: tuple[float, float, float]) -> tuple[float, float]:
        flat_colour = np.full((3, 40, 60), 0, np.float32) + np.array(rgb, np.float32)[:, None, None]
        rows, columns = np.nonzero(vectorscope(flat_colour, 201)[..., 1] > 225)  # marks are darker
        return float(columns.mean()) - 100, 100 - float(rows.mean())

    assert np.hypot(*middle_of((0.5, 0.5, 0.5))) < 2
    assert middle_of((0.6, 0.1, 0.1))[1] > 30
    assert middle_of((0.1, 0.1, 0.6))[0] > 30
    assert middle_of((0.1, 0.6, 0.1))[0] < -15
