"""Preset folders: what is saved is loaded, and what is damaged is refused."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from nightfx.cli import app
from nightfx.errors import PresetError, UsageError
from nightfx.job.asked import check_options
from nightfx.lights import LightList, write_lights
from nightfx.network.model import RelitGenerator
from nightfx.network.presets import list_presets, load_preset, verify_preset
from nightfx.network.saved import save_preset
from nightfx.options import LightTable, NightSky, RenderOptions

BUNDLED = ["blue-hour", "day", "day-for-night", "night", "night-neon"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    generator = RelitGenerator()
    nn.init.normal_(generator.out.weight, std=0.05)
    facts: dict[str, Any] = {
        "description": 'Dark, "quoted"',
        "heights_px": (128, 512),
        "training": {"steps": 3},
    }
    save_preset(tmp_path / "dusk", generator, "# dusk\n", name="dusk", **facts)
    return tmp_path / "dusk"


def rewrite(folder: Path, old: str, new: str) -> None:
    path = folder / "preset.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def test_a_saved_preset_is_loaded_by_its_folder(folder: Path) -> None:
    preset = load_preset(folder)
    assert preset.facts.description == 'Dark, "quoted"'
    assert preset.facts.heights_px == (128, 512)
    assert preset.facts.training == {"steps": 3}


def test_weights_come_back_as_they_were_rounded_to_half_floats(folder: Path) -> None:
    torch.manual_seed(0)
    generator = RelitGenerator()
    nn.init.normal_(generator.out.weight, std=0.05)
    loaded = load_preset(folder).generator
    for name, tensor in generator.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor.half().float())


def test_damaged_weights_are_refused(folder: Path) -> None:
    weights = folder / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(PresetError, match="damaged: its hash differs"):
        _ = load_preset(folder).generator


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(
        PresetError,
        match="unknown preset 'noon'; known: blue-hour, day, day-for-night, night, night-neon",
    ):
        load_preset("noon")


@pytest.mark.parametrize("name", ["", ".", "..", "../presets/night/..", "/nowhere"])
def test_names_that_are_no_preset_are_refused(name: str) -> None:
    with pytest.raises(PresetError):
        load_preset(name)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"relit"', '"relic"', "architecture must be paper, relit, graded or resnet, got 'relic'"),
        ("[128, 512]", "[512, 128]", "heights_px must be two rising numbers"),
        ("[128, 512]", "12", "not a preset"),
        ('name = "dusk"', "name = 7", "not a preset: name: Expected str, got int"),
        ('name = "dusk"', "name = ", "not a preset"),
        ('name = "dusk"', 'name = "../../evil"', "a name is letters"),
        ('method = "tiles"', 'method = "magic"', "method must be tiles or relight, got 'magic'"),
        ("steady = 0.8", "steady = 1.0", "steady must be from 0 to 0.99, got 1.0"),
        ("steady = 0.8", "steady = nan", "steady must be from 0 to 0.99, got nan"),
        (
            "working_height_px = 256",
            "working_height_px = 2.5",
            "working_height_px: Expected int, got",
        ),
        ("working_height_px = 256", "working_height_px = 2", "working_height_px must be from 64"),
        ("fit_epsilon = 0.001", "fit_epsilon = 0", "fit_epsilon must be from 1e-06 to 1"),
        ("[128, 512]", "[true, true]", r"heights_px\[0\]: Expected int, got bool"),
        ('name = "dusk"', f"name = {'[' * 5000}", "not a preset"),
        (
            'weights_sha256 = "',
            'weights = "',
            "not a preset: Object missing required field weights_sha",
        ),
    ],
)
def test_a_wrong_toml_is_named(folder: Path, old: str, new: str, message: str) -> None:
    rewrite(folder, old, new)
    with pytest.raises(PresetError, match=message):
        load_preset(folder)


def test_weights_of_another_network_are_refused(folder: Path) -> None:
    rewrite(folder, '"relit"', '"paper"')
    with pytest.raises(PresetError, match="not weights of a paper generator"):
        _ = load_preset(folder).generator


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    generator = RelitGenerator()
    nn.init.constant_(generator.out.weight, float("nan"))
    save_preset(tmp_path, generator, "", name="bad", description="", heights_px=(1, 2))
    with pytest.raises(PresetError, match="not finite"):
        _ = load_preset(tmp_path).generator


def test_a_folder_does_not_hide_a_bundled_preset(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.rename(tmp_path / "night")
    monkeypatch.chdir(tmp_path)
    assert load_preset("night").name == "night"
    assert load_preset("./night").name == "dusk"


def test_the_bundled_presets_are_whole() -> None:
    assert [preset.name for preset in list_presets()] == BUNDLED
    for preset in list_presets():
        assert verify_preset(preset.name).startswith("ok, relit")
        assert (preset.folder / "CARD.md").read_text(encoding="utf-8").count("licence") > 0


def test_night_darkens_and_day_brightens() -> None:
    grey = torch.full((1, 3, 64, 64), 0.4)
    with torch.inference_mode():
        for name in ("night", "night-neon", "blue-hour", "day-for-night"):
            assert float(load_preset(name).generator(grey).mean()) < 0.35
        assert float(load_preset("day").generator(grey * 0.3).mean()) > 0.15


def test_the_blue_hour_and_the_neon_night_are_blue() -> None:
    grey = torch.full((1, 3, 64, 64), 0.5)
    with torch.inference_mode():
        for name in ("blue-hour", "night-neon"):
            red, _, blue = load_preset(name).generator(grey).mean(dim=(0, 2, 3)).tolist()
            assert blue > 1.3 * red


def test_ones_own_presets_are_listed_as_to_takes_them(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.rename(tmp_path / "night")
    (tmp_path / "harbour").mkdir()
    shutil.copytree(tmp_path / "night", tmp_path / "harbour/night")
    monkeypatch.chdir(tmp_path)
    listed = CliRunner().invoke(app, ["presets", "list"])
    assert listed.exit_code == 0
    said = [line.split()[0] for line in listed.stdout.splitlines()]
    assert said == [*BUNDLED, "harbour/night", "./night"]
    assert [load_preset(name).name for name in said[-2:]] == ["dusk", "dusk"]
    monkeypatch.chdir(load_preset("night").folder.parent)
    listed = CliRunner().invoke(app, ["presets", "list"])
    assert len(listed.stdout.splitlines()) == len(BUNDLED)  # those that come along are no one's own


def test_descriptions_stand_in_one_column_however_long_a_name_is(
    folder: Path, tmp_path: Path
) -> None:
    for name in ("a", "a-name-that-is-longer-than-those-that-come-along"):
        shutil.copytree(folder, tmp_path / "own" / name)
    listed = CliRunner().invoke(app, ["presets", "list", str(tmp_path / "own")])
    lines = listed.stdout.splitlines()
    names = [line.split()[0] for line in lines]
    column = max(map(len, names)) + 2
    assert names[-1].endswith("come-along")
    assert {line[: column - 1].strip() for line in lines} == set(names)
    assert all(line[column - 2 : column] == "  " for line in lines)
    assert all(line[column] != " " for line in lines)


def test_a_presets_night_sky_is_read_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    source = load_preset("night")
    words = (source.folder / "preset.toml").read_text()
    toml = tmp_path / "preset.toml"
    toml.write_text(words)
    assert load_preset(tmp_path).facts.sky == NightSky(
        (0.043, 0.064, 0.095), (0.089, 0.068, 0.045), 0.7
    )
    for right, wrong, said in (
        ("clouds = 0.7", "clouds = 1.5", r"\[sky\] clouds must be from 0 to 0.8, got 1.5"),
        ("glow = [0.089", "glow = [-1", r"\[sky\] glow must be three numbers from 0 to 1, got"),
        ("overhead = [0.043, ", "overhead = [", "length 3"),
        ("clouds = ", "cloud = ", r"\[sky\] has no cloud; known: overhead, glow, clouds; is"),
    ):
        assert right in words
        toml.write_text(words.replace(right, wrong))
        with pytest.raises(PresetError, match=said):
            load_preset(tmp_path)


LIGHTS = LightTable(
    windows=0.3,
    windows_on=(0.25, 0.5),
    lamps_kelvin=((2000.0, 3.0), (4000.0, 1.0)),
    street_kelvin=2200.0,
)


def test_a_presets_lights_are_read_and_survive_saving(tmp_path: Path) -> None:
    facts: dict[str, Any] = {"name": "lit", "description": "", "heights_px": (8, 99)}
    save_preset(tmp_path, RelitGenerator(), "", **facts, lights=LIGHTS)
    assert load_preset(tmp_path).facts.lights == LIGHTS
    save_preset(tmp_path / "dark", RelitGenerator(), "", **facts)
    assert load_preset(tmp_path / "dark").facts.lights is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("lamps = -1", "lamps must be from 0 to 100, got -1"),
        ("windows = nan", "windows must be from 0 to 100, got nan"),
        ("shops_on = 1.5", "shops_on must be from 0 to 1, got 1.5"),
        ("ambient = 2", "ambient must be from 0 to 1, got 2"),
        ("windows_on = [0.6, 0.3]", "windows_on must be from 0.6 to 1, got 0.3"),
        ("windows_on = 0.3", "windows_on: Expected array, got"),
        ("street_kelvin = 500", "street_kelvin must be from 1000 to 20000, got 500"),
        ("cars_kelvin = []", "cars_kelvin needs pairs of kelvin and share, got"),
        ("cars_kelvin = [[4000, 0]]", "cars_kelvin needs pairs of kelvin and share, got"),
        ("cars_kelvin = [[4000]]", r"cars_kelvin\[0\]: Expected array of length 2, got 1"),
        ("signs_kelvin = [[900, 1]]", "signs_kelvin must be from 1000 to 20000, got 900"),
        ("signs_kelvin = [[4000, -1], [5000, 2]]", "signs_kelvin must be from 0 .*, got -1"),
        ("windows_in = [0.3, 0.6]", "has no windows_in; known: windows, .* is nightfx too old"),
    ],
)
def test_a_wrong_table_of_lights_is_named(folder: Path, line: str, message: str) -> None:
    rewrite(folder, "[training]", f"[lights]\n{line}\n\n[training]")
    with pytest.raises(PresetError, match=rf"preset\.toml: .*\[?lights[\].] ?{message}"):
        load_preset(folder)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("saturation = 2", "saturation must be from 0 to 1, got 2"),
        ("exposure = 0.5", "exposure must be from -10 to 0, got 0.5"),
        ("temperature = nan", "temperature must be from -200 to 200, got nan"),
        (
            "glow = 3",
            "has no glow; known: saturation, temperature, tint, exposure, white, sky",
        ),
        ("white = 0", "white must be from 0.05 to 1, got 0"),
    ],
)
def test_a_wrong_moonlight_is_named(folder: Path, line: str, message: str) -> None:
    rewrite(folder, "[training]", f"[moonlight]\n{line}\n\n[training]")
    with pytest.raises(PresetError, match=rf"preset\.toml: .*\[moonlight\] {message}"):
        load_preset(folder)


def test_nights_light_lamps_and_other_presets_none() -> None:
    lit = {preset.name for preset in list_presets() if preset.facts.lights}
    assert lit == {"night", "night-neon", "blue-hour"}


def test_lights_are_refused_where_a_preset_has_none(tmp_path: Path) -> None:
    listed = tmp_path / "a.lights.json"
    write_lights(LightList((64, 48), 1001, 1), listed)
    options = RenderOptions.of
    for given, said in (
        ({"lights": "on"}, "--lights on: day lights no lamps: its preset.toml has no .lights."),
        ({"lights": str(listed)}, r"--lights .*a\.lights\.json: day lights no lamps"),
        ({"lit_windows": 0.5}, "--lit-windows: day lights no lamps"),
    ):
        with pytest.raises(UsageError, match=said):
            check_options(options(**given), load_preset("day"))
        check_options(options(**given), load_preset("night"))
    for given in ({}, {"lights": "off"}, {"lights": "auto"}):
        check_options(options(**given), load_preset("day"))
