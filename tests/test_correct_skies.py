"""What people saw of skies goes into a teacher's labels."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tools import correct_skies


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """A label that calls the upper half sky."""
    sky = np.zeros((40, 50), np.uint8)
    sky[:20] = 255
    (tmp_path / "sky/photos").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "sky/photos/a.png"), sky)
    return tmp_path


def run(labels: Path, rows: str, monkeypatch: pytest.MonkeyPatch) -> np.ndarray | None:
    """Correct by `rows`, and read the label again."""
    (labels / "skies.txt").write_text(rows, encoding="utf-8")
    skies = str(labels / "skies.txt")
    monkeypatch.setattr("sys.argv", ["correct_skies", str(labels), "--skies", skies])
    correct_skies.main()
    return cv2.imread(str(labels / "sky/photos/a.png"), cv2.IMREAD_GRAYSCALE)


def test_boxes_are_of_the_sky_or_not(labels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "# why\nphotos/a.webp not 0 0 0.5 1\nphotos/a.webp sky 0.5 0.5 1 0.75\n"
    found = run(labels, rows, monkeypatch)
    assert found is not None
    assert not found[:, :25].any()
    assert (found[:30, 25:] == 255).all()
    assert not found[30:].any()


def test_a_picture_without_sky_has_none(labels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = run(labels, "photos/a.webp none\n", monkeypatch)
    assert found is not None
    assert not found.any()


def test_what_is_unsure_is_left_out(labels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(labels, "photos/a.webp unsure\nphotos/b.webp none\n", monkeypatch) is None


def test_a_row_that_is_none_is_told(labels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="not a row: photos"):
        run(labels, "photos/a.webp below 0.5\n", monkeypatch)


def test_the_list_that_comes_along_can_be_read() -> None:
    path = Path(correct_skies.__file__).with_name("skies.txt")
    places = [place for place, _, _ in correct_skies.read_rows(path)]
    assert len(set(places)) > 100
