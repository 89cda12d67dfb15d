"""What the presets besides night and day are trained towards: which nights are chosen, and the grade of a blue hour."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.targets import choose, is_blue_hour, is_neon, to_dusk, write_dusks
from nightfx.training.data.decode import load_picture

BLACK, ORANGE, PINK, CYAN = (8, 8, 10), (255, 140, 20), (255, 20, 160), (20, 200, 220)
BLUE = (25, 45, 110)


def night(sky: tuple[int, int, int], *lights: tuple[int, int, int]) -> np.ndarray:
    """A picture (96, 96, 3): a dark street below a sky, with a square of each light."""
    rgb = np.full((96, 96, 3), BLACK, np.uint8)
    rgb[:30] = sky
    for i, light in enumerate(lights):
        rgb[50:70, 30 * i : 30 * i + 20] = light
    return rgb


def save(folder: Path, name: str, rgb: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / name), rgb[..., ::-1])


def test_nights_of_pink_light_are_chosen_and_those_of_street_lamps_are_not(tmp_path: Path) -> None:
    save(tmp_path / "nights" / "pexels", "pink.png", night(BLACK, PINK, CYAN))
    save(tmp_path / "nights" / "pexels", "lamps.png", night(BLACK, ORANGE, ORANGE))
    save(tmp_path / "nights" / "pexels", "lamps_mostly.png", night(BLACK, PINK, ORANGE, ORANGE))
    save(tmp_path / "nights" / "pexels", "dark.png", night(BLACK))
    save(tmp_path / "nights" / "campus", "pink.png", night(BLACK, PINK, CYAN))
    assert choose(tmp_path / "nights", tmp_path / "out", is_neon) == 1
    assert [p.name for p in (tmp_path / "out").rglob("*.png")] == ["pink.png"]
    assert (tmp_path / "out" / "pexels" / "pink.png").read_bytes()


@pytest.mark.parametrize(
    ("sky", "wanted"), [(BLUE, True), (BLACK, False), ((120, 180, 255), False), (ORANGE, False)]
)
def test_a_blue_hour_is_known_by_its_sky(
    tmp_path: Path, sky: tuple[int, int, int], wanted: bool
) -> None:
    save(tmp_path / "nights" / "pexels", "a.png", night(sky, ORANGE))
    assert choose(tmp_path / "nights", tmp_path / "out", is_blue_hour) == int(wanted)


def test_dusk_is_darker_and_bluer_and_keeps_what_is_brighter_than_what() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    red, green, blue = np.moveaxis(to_dusk(ramp)[0].astype(int), -1, 0)
    for channel in (red, green, blue):
        assert (np.diff(channel) >= 0).all()
    assert (blue >= green).all()
    assert (green >= red).all()
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    assert (luma[1:] < np.arange(1, 256)).all()
    # 1.2 stops and the light of the sky, of white: in the curve of sRGB
    assert (red[255], green[255]) == (
        round(255 * shown(0.46 * 2**-1.2)),
        round(255 * shown(0.92 * 2**-1.2)),
    )


def shown(light: float) -> float:
    return float(1.055 * light ** (1 / 2.4) - 0.055)


def test_dusks_are_written_source_by_source(tmp_path: Path) -> None:
    for source in ("a", "b"):
        save(tmp_path / "days" / source, "0.jpg", np.full((8, 8, 3), 200, np.uint8))
    assert write_dusks(tmp_path / "days", tmp_path / "out") == 2
    made = sorted((tmp_path / "out").rglob("*.png"))
    assert [p.relative_to(tmp_path / "out").as_posix() for p in made] == ["a/0.png", "b/0.png"]
    red, _, blue = load_picture(made[0])[0, 0].tolist()
    assert red < blue < 200
