"""Every door with every option: the command line, nightfx.toml, a farm's plan and Python say the same by the same words.

`EXAMPLES` has a value for each option of a render, so an option that is new fails here until it has one. An option at a
door gives the same pixels as in Python, and a wrong value the same line; `LEFT_OUT` says which door does without which.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache, partial
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import MagicMock, Mock

import av
import numpy as np
import OpenImageIO
import PyOpenColorIO as ocio
import pytest
import torch
from av.video.stream import VideoStream
from conftest import FACTS
from PIL import Image
from test_fields import interlaced
from test_render import truncated
from test_sequence import save, write
from typer.main import get_command

import nightfx
from nightfx import NightfxError, RenderOptions
from nightfx.batch.queue.worker import Order, attempt, order_from
from nightfx.cli import app
from nightfx.errors import RetryError, UsageError
from nightfx.hosts.bake import bake
from nightfx.job.manifest import read_manifest
from nightfx.light.lock import Lock
from nightfx.lights import Light, LightList, LightTrack, write_lights
from nightfx.network.model import RelitGenerator
from nightfx.network.presets import load_preset
from nightfx.network.saved import save_draft, save_preset
from nightfx.options.engine import EngineOptions
from nightfx.options.field import FieldOptions
from nightfx.options.light import LightOptions
from nightfx.options.look import Look
from nightfx.options.option import options_in
from nightfx.options.prepare import PrepareOptions
from nightfx.options.render import GROUPS, all_options, find_option
from nightfx.options.reproduce import ReproduceOptions
from nightfx.options.source import SourceOptions
from nightfx.options.train import (
    DistilOptions,
    PictureOptions,
    RecipeOptions,
    SceneTrainOptions,
)
from nightfx.picture.encoding import SDR
from nightfx.preview.lit import render as render_picked
from nightfx.preview.pick import Picked
from nightfx.preview.preview import preview
from nightfx.scene import SkyEdit, SkyEdits, write_sky_edits
from nightfx.source.image import read_picture
from nightfx.source.numbered import existing_files, is_sequence
from nightfx.source.reader import Reader

KEYS = sorted(all_options())
EXAMPLES: dict[str, Any] = {
    "start": 0.05,
    "end": 0.2,
    "frames": "1002-1003",
    "missing": "hold",
    "fps": 12.5,
    "layer": "glossy",
    "view": "right",
    "interlaced": "keep",
    "input_space": "double",
    "ocio": "{things}/own.ocio",
    "max_pixels": 1_000_000,
    "keep_going": True,
    "method": "tiles",
    "tile_px": 48,
    "draft": True,
    "seed": 7,
    "matte": "{things}/matte.png",
    "matte_invert": True,
    "matte_feather": 2.5,
    "sky_matte": "{things}/sky.png",
    "sky_edits": "{things}/clip.sky.json",
    "lights": "{things}/clip.lights.json",
    "light_seed": 3,
    "lit_windows": 1.0,
    "baked": "{things}/short.nfx",
    "device": "cpu",
    "backend": "openvino",
    "working_height": 64,
    "steady": 0.5,
    "field_every": 2,
    "lock": True,
    "lock_to": "{things}/a.lock.json",
    "strength": "1001:0.9,1003:0.5",
    "exposure": -0.5,
    "temperature": 60,
    "tint": 10.5,
    "saturation": 0.7,
    "black": 0.02,
    "sky": 0.8,
    "sky_level": -0.5,
    "sky_tint": 30,
    "glow": 0.6,
    "grain": 0.05,
    "lamps": 1,
    "windows": -1,
    "cars": "1001:0.5,1003:1",
    "signs": 2,
    "lamps_kelvin": 1500,
    "windows_kelvin": 9000,
    "cars_kelvin": 2000,
    "signs_kelvin": 2500,
    "street_light": 0.5,
    "codec": "h264",
    "crf": 30,
    "speed": "ultrafast",
    "depth": 10,
    "passes": "{here}/passes",
    "overwrite": True,
    "fresh": True,
    "verify": True,
}
"""A value of each option, other than its default, as nightfx.toml has it."""
NEEDS: dict[str, tuple[str, ...]] = {
    "ocio": ("input_space",),
    "matte_invert": ("matte",),
    "matte_feather": ("matte",),
    "sky_matte": ("sky",),
    "sky_edits": ("sky",),
}
"""What an option cannot be without."""
NO_CHANGE = {"max_pixels", "overwrite", "fresh", "verify"}
"""Options with which a render is the same one: what is done need not be done again."""
SAME_PIXELS = {
    "max_pixels": "no picture here is larger",
    "tile_px": "tiles have no seams",
    "device": "auto takes the CPU here",
    "backend": "OpenVINO is as near to torch as its own tests say",
    "overwrite": "nothing stands there",
    "fresh": "nothing was begun",
    "verify": "nothing is lost",
}
"""Options that change no pixel of a case, and why."""


NO_RENDER = {"keep_going": "--keep-going", "missing": "--missing", "ocio": "--input-space"}
"""Options without which a case has no render, and what the line names."""


@dataclass(frozen=True)
class Case:
    """Options that are rendered together."""

    source: str
    """A file of `things`."""
    keys: tuple[str, ...]
    """The options."""
    doors: tuple[str, ...] = ()
    """The doors that it is rendered at; none says all."""

    def given(self, without: Sequence[str] = ()) -> dict[str, Any]:
        """The values by key, without some options and those that need them."""
        gone = {key for key in self.keys if {key, *NEEDS.get(key, ())} & set(without)}
        return {key: EXAMPLES[key] for key in self.keys if key not in gone}


GRADE = ("strength", "exposure", "temperature", "tint", "saturation", "black")
LOOK = (*GRADE, "sky", "sky_level", "sky_tint", "glow")
LIGHTS = ("lamps", "windows", "cars", "signs")
LAMPS = ("light_seed", "lit_windows", *LIGHTS, *map("{}_kelvin".format, LIGHTS), "street_light")
MATTE = ("matte", "matte_invert", "matte_feather")
CASES = {
    "relight": Case(
        "clip.mkv",
        (
            *("working_height", "steady", "field_every", *LOOK, "grain", "seed", *MATTE),
            *("start", "end", "device"),
        ),
    ),
    "lights": Case("short.mkv", ("lights", *LAMPS)),
    "baked": Case("short.mkv", ("baked",)),
    "edits": Case("short.mkv", ("sky", "sky_edits")),
    "tiles": Case("short.mkv", ("method", "tile_px", "frames", "max_pixels")),
    "draft": Case("clip.mkv", ("draft", "lock_to", "passes", "overwrite", "fresh")),
    "h264": Case(
        "clip.mkv", ("codec", "crf", "speed", "depth", "lock", "verify", "sky", "sky_matte")
    ),
    "plates": Case("plates/a.####.exr", ("missing", "fps", "input_space", "ocio")),
    "layers": Case("layers/b.####.exr", ("layer", "view")),
    "fields": Case("fields.mov", ("interlaced",)),
    "damaged": Case("broken.mp4", ("keep_going",)),
    # its network is compiled anew for each render, which takes seconds
    "openvino": Case("short.mkv", ("backend",), doors=("render", "nightfx.toml")),
}
ONE_SHOT = "numbers of files, which no folder of shots shares"
NOT_THEIRS = "a file may come from others: it names no place to write to, and lifts no limit"
ONE_FRAME = "a preview shows one frame, which --frame or --at chooses"
A_PNG = "a preview is a PNG"
LEFT_OUT: dict[str, dict[str, str]] = {
    "batch": {"frames": ONE_SHOT},
    "nightfx.toml": {
        "frames": ONE_SHOT,
        "device": "machines differ where shots do not",
        **dict.fromkeys(("passes", "overwrite", "fresh", "max_pixels"), NOT_THEIRS),
    },
    "preview": {
        **dict.fromkeys(("start", "end", "frames"), ONE_FRAME),
        **dict.fromkeys(("codec", "crf", "speed", "depth", "verify", "fresh", "passes"), A_PNG),
    },
}
"""What a door does without, and why."""
NAMESAKES = {"preview": {"frames"}}
"""What a command has a flag of its own for, by the name of an option that it does without: there it is a count."""
SWITCHES = [key for key in KEYS if find_option(key)[1].kind is bool]
WRONG: dict[str, Any] = {
    **dict.fromkeys(SWITCHES, "maybe"),
    "start": -1,
    "end": 0,
    "frames": "5-4",
    "missing": "guess",
    "fps": 0,
    "layer": 3,
    "view": 3,
    "interlaced": "weave",
    "input_space": 3,
    "ocio": 3,
    "max_pixels": 0,
    "method": "paint",
    "tile_px": 9,
    "seed": 1.5,
    "matte": "",
    "matte_feather": 2000,
    "sky_matte": "",
    "sky_edits": "",
    "lights": "",
    "light_seed": 1.5,
    "lit_windows": 1.5,
    "baked": "",
    "device": "tpu",
    "backend": "tflite",
    "working_height": 8,
    "steady": 1.5,
    "field_every": 3,
    "lock_to": "",
    "strength": "0:0,5:1.5",
    "exposure": 11,
    "temperature": "warm",
    "tint": 51,
    "saturation": -1,
    "black": 0.6,
    "sky": "0:0,0:1",
    "sky_level": 11,
    "sky_tint": "blue",
    "glow": True,
    "grain": "0:",
    **dict.fromkeys(("lamps", "windows", "cars", "signs"), 11),
    **dict.fromkeys(map("{}_kelvin".format, ("lamps", "windows", "cars", "signs")), 30000),
    "street_light": 5,
    "codec": "vhs",
    "crf": 52,
    "speed": "warp",
    "depth": 9,
    "passes": "",
}
"""A value that each option refuses."""
NO_SHELL = {
    **dict.fromkeys(SWITCHES, "a switch is given, or not"),
    **dict.fromkeys(("layer", "view", "input_space", "ocio"), "all text may be a name"),
    "glow": "of text, true is none",
}
"""Wrong values that cannot be said on a command line, and why."""
TOGETHER: list[dict[str, Any]] = [
    {"lock": True, "lock_to": "a.lock.json"},
    {"method": "tiles", "draft": True},
    {"codec": "prores", "crf": 20},
    {"codec": "ffv1", "depth": 10},
    {"interlaced": "keep", "matte": "m.png"},
    {"interlaced": "keep", "sky_matte": "m.png"},
    {"sky_matte": "m.png", "sky_edits": "m.sky.json"},
    {"lights": "off", "lit_windows": 0.5},
    {"matte_invert": True},
    {"ocio": "a.ocio"},
    {"start": 2.0, "end": 1.0},
]
"""Options that contradict each other."""

COMMAND: Any = get_command(app)  # to build it takes longer than most tests here


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    output: str
    errors: str


def run_nightfx(*words: object) -> Ended:
    output, errors = StringIO(), StringIO()
    with redirect_stdout(output), redirect_stderr(errors), pytest.raises(SystemExit) as ended:
        COMMAND([str(word) for word in words])
    return Ended(int(ended.value.code or 0), output.getvalue(), errors.getvalue())


def done(*words: object) -> str:
    ended = run_nightfx(*words)
    assert ended.code == 0, (words, ended)
    return ended.output


def flags(given: Mapping[str, Any]) -> list[str]:
    """The words of a command line."""
    words: list[str] = []
    for key, value in given.items():
        flag = find_option(key)[1].flag
        words += [flag] if value is True else [flag, str(value)]
    return words


def toml(given: Mapping[str, Any]) -> str:
    return "".join(f"{key.replace('_', '-')} = {json.dumps(x)}\n" for key, x in given.items())


def placed(given: Mapping[str, Any], things: Path, here: Path) -> dict[str, Any]:
    """The values with their places filled in."""
    return {
        key: x.format(things=things, here=here) if isinstance(x, str) else x
        for key, x in given.items()
    }


# what is rendered


def street(index: int) -> np.ndarray:
    """A pale sky over houses with lit windows that pass slowly by, (96, 128, 3)."""
    noise = np.random.default_rng(0).normal(0, 0.03, (96, 128, 3))
    rgb = 0.8 + noise
    rgb[36:] = np.roll(noise, index, 1)[36:] + np.array([0.45 + 0.02 * index, 0.4, 0.36])
    rgb[48:60, (np.arange(128) + index) % 32 < 10] = [0.9, 0.8, 0.5]
    made: np.ndarray = np.rint(rgb.clip(0, 1) * 255).astype(np.uint8)
    return made


def street_clip(path: Path, count: int, *, height: int = 96) -> None:
    with av.open(path, "w") as out:
        video = out.add_stream("ffv1", rate=24)
        assert isinstance(video, VideoStream)
        video.width, video.height, video.pix_fmt = 128, height, "yuv420p"
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(street(index)[:height], "rgb24")
            out.mux(video.encode(frame))
        out.mux(video.encode(None))


def save_config(path: Path) -> None:
    """A colour config whose space `double` is half as bright as light."""
    config = ocio.Config.CreateRaw()
    space = ocio.ColorSpace(name="double", encoding="scene-linear")
    double = ocio.MatrixTransform(matrix=[2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1])
    space.setTransform(double, ocio.COLORSPACE_DIR_TO_REFERENCE)
    config.addColorSpace(space)
    config.addColorSpace(
        ocio.ColorSpace(name="light", aliases=["lin_rec709"], encoding="scene-linear")
    )
    path.write_text(config.serialize())


def uneven(width: int, blocks: int) -> RelitGenerator:
    """A network whose light depends on what it sees."""
    torch.manual_seed(width)
    generator = RelitGenerator(width, blocks)
    with torch.no_grad():
        generator.out.weight.normal_(0, 0.02)
    return generator


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the cases read, and the preset `shady`."""
    folder = tmp_path_factory.mktemp("things")
    street_clip(folder / "clip.mkv", 6)
    street_clip(folder / "short.mkv", 3, height=64)
    Image.fromarray(street(0)).save(folder / "still.png")
    (folder / "plates").mkdir()
    for number in (1001, 1002, 1004):
        save(folder / f"plates/a.{number}.exr", street(number - 1001) / np.float32(255))
    save_layers(folder / "layers")
    interlaced(folder / "fields.mov", "prores", "yuv422p10le")
    truncated(folder)
    Image.fromarray(np.uint8(np.arange(64)[None].repeat(48, 0) // 32 * 255)).save(
        folder / "matte.png"
    )
    Image.fromarray(np.uint8(np.arange(48)[:, None].repeat(64, 1) < 18) * 255).save(
        folder / "sky.png"
    )
    Lock((-1.0, -0.8, -0.7)).save(folder / "a.lock.json")
    save_config(folder / "own.ocio")
    write_lights(lamps(), folder / "clip.lights.json")
    corners = np.array([[[0, 0], [40, 0], [40, 20], [0, 20]]], np.float32)
    edit = SkyEdit(True, np.array([1001]), corners)
    write_sky_edits(SkyEdits((64, 48), (edit,)), folder / "clip.sky.json")
    table = {"windows_on": [0.3, 0.6]}
    about: dict[str, Any] = {"name": "shady", "method": "relight", "lights": table, **FACTS}
    save_preset(folder / "shady", uneven(32, 5), "", **about)
    preset = load_preset(folder / "shady")
    save_draft(preset, uneven(8, 2), preset.folder, width=8, blocks=2, decibels=20.0)
    darker = RenderOptions.of(exposure=-1)
    bake(folder / "short.mkv", folder / "short.nfx", preset=preset, options=darker)
    return folder


def lamps() -> LightList:
    """A light of each group that is on, and windows whose houses decide."""
    kinds = ("lamp", "window", "front-lamp", "sign", *["window"] * 8)
    lights = []
    for index, kind in enumerate(kinds):
        left, top = 6 * (index % 6) + 4, 14 * (index // 6) + 8
        quad = np.array([[left, top], [left + 4, top], [left + 4, top + 6], [left, top + 6]])
        track = LightTrack(
            np.array([1001, 1006]),
            np.stack([quad, quad]).astype(np.float32),
            np.ones(2, np.float32),
        )
        lights.append(Light(index + 1, kind, track, on=True if index < 4 else None))
    return LightList((85, 64), 1001, 6, True, ((1001, 0.5),), tuple(lights))


def save_layers(folder: Path) -> None:
    """Files of two layers, each as two eyes see it."""
    folder.mkdir()
    layers = "", "right.", "glossy.", "glossy.right."
    names = tuple(f"{layer}{colour}" for layer in layers for colour in "RGB")
    for number in (1001, 1002):
        pixels = np.tile(street(number - 1001) / np.float32(255), (1, 1, 4))
        spec = OpenImageIO.ImageSpec(pixels.shape[1], pixels.shape[0], 12, "half")
        spec.channelnames = names
        spec.attribute("multiView", OpenImageIO.TypeDesc("string[2]"), ("left", "right"))
        spec.attribute("FramesPerSecond", OpenImageIO.TypeDesc("rational"), (24, 1))
        write(folder / f"b.{number}.exr", spec, pixels)


@pytest.fixture
def crew_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch renders in this process, by the orders that its workers would get."""
    monkeypatch.setattr("nightfx.batch.queue.run.run_crew", serve_here)


def serve_here(tasks: Sequence[Any], seats: object, watch: object) -> None:
    for task in tasks:
        said: dict[str, Any] = {}
        code = attempt(order_from(task.order.as_json()), partial(note, said))
        assert code == 0, said
        task.state, task.facts, task.target = "done", said["facts"], said["target"]


def note(said: dict[str, Any], event: str, **more: Any) -> None:
    said |= more


def decoded(target: Path) -> list[np.ndarray]:
    """The pictures of a render, and when they are shown."""
    if is_sequence(target):
        return [pixels for path in existing_files(target) for pixels in exr(path)]
    with Reader(target) as reader:
        frames = list(reader.frames())
    times = np.array([float(frame.pts * frame.time_base) for frame in frames])
    return [times, *(plane for frame in frames for plane in frame.planes)]


def exr(path: Path) -> list[np.ndarray]:
    image = OpenImageIO.ImageBuf(str(path))
    rate = image.spec().getattribute("FramesPerSecond")
    return [np.array(image.get_pixels()), np.array(rate or 0, float)]


def are_equal(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> bool:
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


# the doors


def by_python(source: Path, given: dict[str, Any], here: Path, preset: Path) -> Path:
    return nightfx.render(
        source, out_of(source, here), preset=preset, options=RenderOptions.of(**given)
    )


def by_render(source: Path, given: dict[str, Any], here: Path, preset: Path) -> Path:
    target = out_of(source, here)
    done("render", source, "--to", preset, "-o", target, *flags(given))
    return target


def by_plan(source: Path, given: dict[str, Any], here: Path, preset: Path) -> Path:
    plan, target = planned(source, given, here, preset)
    for number in range(len(read_manifest(plan).starts or ())):
        done("render", "--plan", plan, "--segment", number)
    done("join", plan)
    return target


def by_farm(source: Path, given: dict[str, Any], here: Path, preset: Path) -> Path:
    plan, target = planned(source, given, here, preset)
    done("farm", "run", plan)
    return target


def planned(source: Path, given: dict[str, Any], here: Path, preset: Path) -> tuple[Path, Path]:
    plan, target = here / "plan.json", out_of(source, here)
    done("plan", source, "--to", preset, "-o", plan, "--target", target, *flags(given))
    return plan, target


def by_batch(source: Path, given: dict[str, Any], here: Path, preset: Path) -> Path:
    shots = folder_of(source, here)
    done("batch", shots, "--to", preset, "-o", here / "renders", *flags(given))
    return only_render(here / "renders")


def by_toml(source: Path, given: dict[str, Any], here: Path, preset: Path) -> Path:
    shots = folder_of(source, here)
    (shots / "nightfx.toml").write_text(toml(given))
    done("batch", shots, "--to", preset, "-o", here / "renders")
    return only_render(here / "renders")


def out_of(source: Path, here: Path) -> Path:
    return here / ("out.####.exr" if is_sequence(source) else f"out{source.suffix}")


def folder_of(source: Path, here: Path) -> Path:
    """A folder of shots that has this one alone."""
    (here / "shots").mkdir(exist_ok=True)
    for path in existing_files(source):
        shutil.copy2(path, here / "shots")
    return here / "shots"


def only_render(folder: Path) -> Path:
    (path, *_) = sorted(path for path in folder.glob("*.shady.*") if path.suffix != ".json")
    return Path(re.sub(r"\.\d{4}\.exr$", ".####.exr", str(path)))


Door = Callable[[Path, dict[str, Any], Path, Path], Path]
DOORS: dict[str, Door] = {
    "render": by_render,
    "plan": by_plan,
    "farm": by_farm,
    "batch": by_batch,
    "nightfx.toml": by_toml,
}


def pictures(door: Door, case: Case, things: Path, here: Path, without: Sequence[str] = ()) -> Any:
    """What a door makes of a case: its render, and its passes."""
    here.mkdir()
    given = placed(case.given(without), things, here)
    target = door(things / case.source, given, here, things / "shady")
    passes = sorted((here / "passes").rglob("*.exr"))
    return [*decoded(target), *(pixels for path in passes for pixels in exr(path))]


@cache
def in_python(name: str, things: Path, without: tuple[str, ...]) -> Any:
    here = things / f"python-{name}-{'-'.join(without)}"
    return pictures(by_python, CASES[name], things, here, without)


# the same pixels


def test_every_option_is_in_a_case_and_in_the_tables() -> None:
    assert sorted(EXAMPLES) == sorted(WRONG) == KEYS
    assert {key for case in CASES.values() for key in case.keys} == set(KEYS)
    for key, value in EXAMPLES.items():
        one = find_option(key)[1]
        assert one.value(value) != one.default, key


@pytest.mark.usefixtures("crew_here")
@pytest.mark.parametrize(
    ("name", "door"),
    [(name, door) for name, case in CASES.items() for door in case.doors or DOORS],
)
def test_the_same_options_give_the_same_pixels(
    name: str, door: str, things: Path, tmp_path: Path
) -> None:
    without = tuple(key for key in CASES[name].keys if key in LEFT_OUT.get(door, {}))
    made = pictures(DOORS[door], CASES[name], things, tmp_path / "a", without)
    assert are_equal(made, in_python(name, things, without))


@pytest.mark.parametrize("key", sorted(set(KEYS) - set(SAME_PIXELS)))
def test_an_option_changes_its_case(key: str, things: Path) -> None:
    (name, *_) = (name for name, case in CASES.items() if key in case.keys)
    if key in NO_RENDER:
        with pytest.raises(NightfxError, match=NO_RENDER[key]):
            in_python(name, things, (key,))
        return
    assert not are_equal(in_python(name, things, (key,)), in_python(name, things, ()))


# the same options


def at_render(things: Path, here: Path, words: Sequence[str]) -> Any:
    call = handed_on("nightfx.job.render.render", "render", things / "clip.mkv", *words)
    return call.kwargs["options"]


def at_plan(things: Path, here: Path, words: Sequence[str]) -> Any:
    out = ("-o", here / "plan.json")
    call = handed_on("nightfx.job.plan.plan_render", "plan", things / "clip.mkv", *out, *words)
    return call.kwargs["options"]


def at_preview(things: Path, here: Path, words: Sequence[str]) -> Any:
    call = handed_on("nightfx.preview.preview.preview", "preview", things / "still.png", *words)
    return call.kwargs["options"]


def at_batch(things: Path, here: Path, words: Sequence[str]) -> Any:
    shots = folder_of(things / "clip.mkv", here)
    call = handed_on("nightfx.batch.queue.run.run_batch", "batch", shots, "-o", here, *words)
    (task,) = call.args[0]
    order = order_from(task.order.as_json())
    assert isinstance(order, Order)
    return RenderOptions.of(**order.flags)


def at_toml(things: Path, here: Path, words: Sequence[str]) -> Any:
    return at_batch(things, here, ())


def handed_on(name: str, *words: object) -> Any:
    """The call by which a command asks the library's function of that name."""
    with pytest.MonkeyPatch.context() as patch:
        library = Mock(side_effect=RetryError("far enough"))
        patch.setattr(name, library)
        # what is refused before it is another test's: here some options stand without those that they need
        for early in ("inputs.check_render", "store.check_fresh", "matte.open_mattes"):
            patch.setattr(f"nightfx.job.{early}", MagicMock())
        patch.setattr("nightfx.preview.pick.pick_frame", Mock())
        assert run_nightfx(*words).code == RetryError.exit_code
    return library.call_args


REACHES = {
    "render": at_render,
    "plan": at_plan,
    "preview": at_preview,
    "batch": at_batch,
    "nightfx.toml": at_toml,
}


def needed(key: str) -> dict[str, Any]:
    """The examples of an option, and of what it cannot be without."""
    return {each: EXAMPLES[each] for each in (*NEEDS.get(key, ()), key)}


@pytest.mark.parametrize("key", KEYS)
def test_an_option_is_the_same_at_every_door(key: str, things: Path, tmp_path: Path) -> None:
    given = placed(needed(key), things, tmp_path)
    wanted = RenderOptions.of(**given)
    for door, reach in REACHES.items():
        if key not in LEFT_OUT.get(door, {}):
            (tmp_path / door / "shots").mkdir(parents=True)
            if door == "nightfx.toml":
                (tmp_path / door / "shots/nightfx.toml").write_text(toml(given))
            assert reach(things, tmp_path / door, flags(given)) == wanted, door


@pytest.mark.parametrize("door", ["batch", "preview"])
def test_what_a_command_leaves_out_is_no_flag_of_it(door: str) -> None:
    known = {flag for one in COMMAND.commands[door].params for flag in one.opts}
    for key in sorted(set(KEYS) - NAMESAKES.get(door, set())):
        assert (find_option(key)[1].flag in known) is (key not in LEFT_OUT[door]), key


@pytest.mark.parametrize("key", sorted(LEFT_OUT["nightfx.toml"]))
def test_what_a_file_may_not_say_is_refused(key: str, things: Path, tmp_path: Path) -> None:
    shots = folder_of(things / "clip.mkv", tmp_path)
    (shots / "nightfx.toml").write_text(toml({key: EXAMPLES[key]}))
    ended = run_nightfx("batch", shots, "-o", tmp_path / "out")
    assert ended.code == UsageError.exit_code
    assert ("unknown key" if key == "frames" else "is for the command line alone") in ended.errors


# the same refusal


def refusals(given: dict[str, Any], things: Path, here: Path, doors: Sequence[str]) -> set[str]:
    """The lines by which doors refuse options, without the place."""
    clip, shots = things / "clip.mkv", folder_of(things / "clip.mkv", here)
    commands: dict[str, list[object]] = {
        "render": ["render", clip],
        "plan": ["plan", clip, "-o", here / "plan.json"],
        "preview": ["preview", things / "still.png"],
        "batch": ["batch", shots, "-o", here / "out"],
        "nightfx.toml": ["batch", shots, "-o", here / "out"],
    }
    lines = set()
    for door in doors:
        in_file = door == "nightfx.toml"
        (shots / "nightfx.toml").write_text(toml(given) if in_file else "")
        ended = run_nightfx(*commands[door], *(() if in_file else flags(given)))
        assert ended.code == UsageError.exit_code, (door, ended)
        place = rf"error: (({re.escape(str(shots))}/nightfx\.toml|clip\.mkv): )?"
        said = ended.errors.removeprefix("shots: reading\n")
        lines.add(re.sub(f"^{place}", "", said).rstrip("\n"))
    return lines


@pytest.mark.parametrize("key", KEYS)
def test_a_wrong_value_is_refused_in_the_same_words(key: str, things: Path, tmp_path: Path) -> None:
    given = placed(needed(key), things, tmp_path) | {key: WRONG[key]}
    doors = {"nightfx.toml"} if key in NO_SHELL else set(REACHES)
    doors -= {door for door in doors if key in LEFT_OUT.get(door, {})}
    with pytest.raises(UsageError, match=find_option(key)[1].flag) as caught:
        RenderOptions.of(**given)
    assert refusals(given, things, tmp_path, sorted(doors)) <= {str(caught.value)}


@pytest.mark.parametrize("given", TOGETHER, ids="-".join)
def test_contradictions_are_refused_in_the_same_words(
    given: dict[str, Any], things: Path, tmp_path: Path
) -> None:
    doors = [door for door in REACHES if not given.keys() & LEFT_OUT.get(door, {}).keys()]
    with pytest.raises(UsageError) as caught:
        RenderOptions.of(**given)
    assert refusals(given, things, tmp_path, doors) == {str(caught.value)}


# the preview


def test_a_preview_shows_what_is_rendered(
    things: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightfx.preview.preview.list_presets", list)
    case = CASES["relight"]
    given = placed(case.given(sorted(LEFT_OUT["preview"])), things, tmp_path)
    still, preset = things / "still.png", load_preset(things / "shady")
    options = RenderOptions.of(**given)
    picked = Picked(read_picture(still, options.source.max_pixels), None, 0, SDR)
    seen = render_picked(picked, preset, options)
    target = nightfx.render(still, tmp_path / "out.png", preset=preset, options=options)
    made = np.asarray(Image.open(target))
    assert np.array_equal(np.stack(seen.planes, -1)[..., :3], made)
    assert not np.array_equal(made, np.asarray(Image.open(still)))
    by_flags, in_python = tmp_path / "flags.png", tmp_path / "python.png"
    done("preview", still, "--to", preset.folder, "-o", by_flags, *flags(given))
    preview(still, in_python, preset=preset, options=options)
    assert by_flags.read_bytes() == in_python.read_bytes()


# what is kept of a render


@pytest.fixture(scope="module")
def batched(things: Path, tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """A batch of one shot that is done, as a command."""
    here = tmp_path_factory.mktemp("batched")
    words: list[object] = ["batch", folder_of(things / "short.mkv", here), "-o", here / "out"]
    words += ["--to", things / "shady", "--json"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nightfx.batch.queue.run.run_crew", serve_here)
        done(*words)
    return words


@pytest.mark.parametrize("key", sorted(set(KEYS) - {"frames"}))
def test_a_batch_is_rendered_anew_where_an_option_changes_it(
    key: str, things: Path, tmp_path: Path, batched: list[object]
) -> None:
    given = placed(needed(key), things, tmp_path)
    (line,) = done(*batched, "--dry-run", *flags(given)).splitlines()
    assert json.loads(line)["plan"] == ("done" if key in NO_CHANGE else "render")


def test_a_manifest_knows_an_option_where_it_changes_the_render(
    things: Path, tmp_path: Path
) -> None:
    plan, _ = planned(things / "short.mkv", {}, tmp_path, things / "shady")
    before = read_manifest(plan).job["settings"]
    for key in {*CASES["relight"].keys, *CASES["h264"].keys, "passes", "overwrite", "fresh"}:
        given = placed(needed(key), things, tmp_path)
        (tmp_path / key).mkdir()
        plan, _ = planned(things / "short.mkv", given, tmp_path / key, things / "shady")
        found = read_manifest(plan)
        assert (found.job["settings"] != before) is (key not in NO_CHANGE), key
        for name, value in given.items():
            group, one = find_option(name)
            assert getattr(getattr(found.render_options(), group), one.name) == one.value(value)


# what people read

RENDER = tuple(GROUPS.values())
ASKED: dict[str, tuple[type, ...]] = {
    "render": RENDER,
    "plan": RENDER,
    "preview": RENDER,
    "batch": (*RENDER, EngineOptions),
    "mattes": (SourceOptions,),
    "lights": (SourceOptions,),
    "export cube": (SourceOptions, LightOptions, FieldOptions, Look),
    "export cdl": (SourceOptions, LightOptions, FieldOptions, Look),
    "bake": (SourceOptions, LightOptions, FieldOptions, Look),
    "farm run": (EngineOptions,),
    "train": (PictureOptions, RecipeOptions),
    "train-scene": (SceneTrainOptions,),
    "presets distill": (DistilOptions,),
    "dataset prepare": (PrepareOptions,),
    "reproduce": (ReproduceOptions,),
}
"""Commands, and the groups of options that they take."""
NO_PLACES = {
    "interlaced": "a LUT knows no fields",
    **dict.fromkeys(MATTE, "a LUT is the same everywhere"),
    "baked": "what is baked is of a place",
}
NOT_ASKED = LEFT_OUT | {
    "export cube": NO_PLACES,
    "export cdl": NO_PLACES,
    "bake": {
        "interlaced": "a bake is of whole frames",
        **dict.fromkeys((*MATTE, "sky_matte"), "a bake holds no pixels"),
        "baked": "it is what is made",
    },
    "mattes": {"interlaced": "a matte is of a whole frame"},
    "lights": {"interlaced": "lights are found in whole frames"},
    "farm run": {"stale": "no segment has a lease"},
    "presets distill": dict.fromkeys(("batch", "learning_rate"), "for experiments in Python"),
}


@pytest.mark.parametrize("command", ASKED)
def test_every_flag_has_help_and_the_models_default(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    lines = [line.strip("│ ") for line in done(*command.split(), "--help").splitlines()]
    options = [one for group in ASKED[command] for one in options_in(group).values()]
    for one in (x for x in options if x.key not in NAMESAKES.get(command, set())):
        found = [line for line in lines if line.startswith(f"{one.flag} ")]
        assert len(found) == (one.key not in NOT_ASKED.get(command, {})), one.flag
        for line in found:
            assert one.facts.help in line
            default = re.search(r"\[default: (.*?)\]", line)
            assert (default is None) is (one.kind is bool or one.default in (None, ()))
            assert default is None or one.value(default[1]) == one.default
