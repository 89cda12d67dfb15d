"""The examples in Python do what they say, on small inputs."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import av
import numpy as np
import pytest
from media import Clip, make_clip
from PIL import Image
from test_training import QUICK, paint

import nightfx
from nightfx.errors import UsageError

EXAMPLES = Path(__file__).parents[1] / "examples" / "python"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def brightness(path: Path) -> list[float]:
    with av.open(str(path)) as clip:
        return [float(frame.to_ndarray(format="gray").mean()) for frame in clip.decode(video=0)]


def still(path: Path, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    picture = np.clip(rng.normal(170, 20, (72, 96, 3)), 0, 255).astype(np.uint8)
    Image.fromarray(picture).save(path)
    return picture


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "shot.mp4", Clip(size=(128, 96), count=12))


def test_each_example_is_tried() -> None:
    tried = Path(__file__).read_text("utf-8")
    assert len(list(EXAMPLES.glob("*.py"))) >= 8
    assert all(f'example("{path.stem}")' in tried for path in EXAMPLES.glob("*.py"))


def test_night_falls_within_a_shot(shot: Path, tmp_path: Path) -> None:
    out = example("keyframed_look").night_falls(shot, tmp_path / "out.mp4", frames=8)
    before, after = brightness(shot), brightness(out)
    assert after[0] == pytest.approx(before[0], abs=2)
    assert after[-1] < 0.8 * before[-1]


def test_arrays_are_lit(tmp_path: Path) -> None:
    plates = tmp_path / "plates"
    plates.mkdir()
    pictures = [still(plates / f"{i}.png", i) for i in range(2)]
    written = example("numpy_frames").light_folder(plates, tmp_path / "nights")
    assert [path.name for path in written] == ["0.png", "1.png"]
    for path, plate in zip(written, pictures, strict=True):
        night = np.asarray(Image.open(path))
        assert night.shape == plate.shape
        assert night.mean() < 0.8 * plate.mean()


def test_arrays_of_16_bits_stay_so_and_others_are_refused() -> None:
    plate = np.full((72, 96, 3), 40000, np.uint16)
    (night,) = nightfx.light_pictures([plate])
    assert night.dtype == np.uint16
    assert night.mean() < plate.mean()
    for wrong in ([plate.astype(np.float32)], [plate, plate[:8]], [plate[..., 0]]):
        with pytest.raises(UsageError, match="pictures"):
            list(nightfx.light_pictures(wrong))


def test_a_folder_has_a_report(
    shot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shots = tmp_path / "shots"
    shots.mkdir()
    shutil.move(shot, shots / shot.name)
    report = example("folder_and_report").render_folder(shots, tmp_path / "renders")
    assert "shot" in report.read_text("utf-8")
    assert "done" in capsys.readouterr().out


def test_light_by_hand_is_the_renders(tmp_path: Path) -> None:
    ramp = np.linspace(60, 230, 96).astype(np.uint8)[None, :, None]
    Image.fromarray(np.broadcast_to(ramp, (72, 96, 3)).copy()).save(tmp_path / "plate.png")
    options = nightfx.RenderOptions.of(lights="off")
    night = nightfx.render(tmp_path / "plate.png", tmp_path / "night.png", options=options)
    own = example("light_by_hand").lit_by_hand(tmp_path / "plate.png", tmp_path / "own.png", 0.0)
    a, b = (np.asarray(Image.open(path), float) for path in (night, own))
    assert np.abs(a - b).mean() < 0.5


def test_lights_that_are_put_out_stay_listed(shot: Path, tmp_path: Path) -> None:
    out = example("switch_off_lights").without_windows_below(shot, tmp_path / "out.mp4")
    assert len(brightness(out)) == 12
    assert nightfx.read_lights(tmp_path / "out.lights.json").count == 12


def test_a_preset_is_trained_and_tried(tmp_path: Path) -> None:
    day, night = tmp_path / "day", tmp_path / "night"
    for folder, level in ((day, 170), (night, 40)):
        folder.mkdir()
        paint(folder, 12, level)
    still(tmp_path / "plate.png")
    tried = example("own_preset").train_and_try(
        day, night, tmp_path / "look", tmp_path / "plate.png", QUICK
    )
    with Image.open(tried) as picture:
        assert picture.size == (96, 72)


def test_a_window_hears_of_every_frame(shot: Path, tmp_path: Path) -> None:
    window = example("own_progress").render_in_a_window(shot, tmp_path / "out.mp4")
    assert "preparing" in window.lines[0]
    assert "12 of 12 frames" in window.lines


def test_two_machines_render_what_one_does(shot: Path, tmp_path: Path) -> None:
    out = example("two_machines").render_on_two(shot, tmp_path / "two.mp4")
    one = nightfx.render(shot, tmp_path / "one.mp4", preset="night")
    assert brightness(out) == brightness(one)
