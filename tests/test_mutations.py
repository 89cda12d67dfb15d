"""`verify` itself on trial: a good render of each kind, in which one thing at a time is changed. Each must be named."""

from __future__ import annotations

import contextlib
import shutil
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO
import pytest
import torch
from conftest import preset_of
from media import Clip, chapter, make_clip
from mutants import mutant
from PIL import Image, PngImagePlugin
from remux import Copied, like, put_in_place, remux, with_bytes
from streams import make_sound, make_subtitles
from test_sequence import load, save, write
from torch import nn

import nightfx
from nightfx.check import verify
from nightfx.errors import SourceError
from nightfx.network.model import RelitGenerator
from nightfx.network.presets import Preset

Files = dict[str, tuple[Path, Path]]
"""A source and its good render, by their kind."""

RICH = Clip(
    count=12,
    timecode="01:02:03:04",
    chapters=True,
    metadata={"title": "Day", "comment": "roll 12"},
    language="deu",
)


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Preset:
    """A preset that halves the signal everywhere: the light is another, and nothing else."""
    generator = RelitGenerator()
    with torch.no_grad():
        assert isinstance(generator.out.bias, nn.Parameter)
        generator.out.bias[:3] = 4 * torch.atanh(torch.tensor(0.5).log() / 4)
    return preset_of(tmp_path_factory.mktemp("preset"), generator, "half")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, half: Preset) -> Files:
    """Each kind of render, once."""
    folder = tmp_path_factory.mktemp("good")
    made: Files = {}
    for name, source in _clips(folder).items():
        made[name] = source, nightfx.render(source, preset=half)
    for name, source in _sequences(folder).items():
        target = folder / name / f"night.####{source.suffix}"
        made[name] = source, nightfx.render(source, target, preset=half)
    made["png"] = _pngs(folder)
    made["mips"] = _mips(folder)
    return made


def _clips(folder: Path) -> dict[str, Path]:
    pcm = make_sound(folder / "a.wav", clicks=[0.25], seconds=0.5)
    aac = make_sound(folder / "a.m4a", "aac", seconds=0.5)
    text = make_subtitles(folder / "a.srt")
    ffv1 = replace(RICH, codec="ffv1", pix_fmt="yuv422p10le", tracks=((pcm, "ita"), (text, "deu")))
    prores = replace(RICH, codec="prores", pix_fmt="yuv422p10le", options={"profile": "3"})
    plates = {
        "mkv": make_clip(folder / "a.mkv", ffv1),
        "ffv1": make_clip(folder / "e.mkv", ffv1),
        "mov": make_clip(
            folder / "b.mov", replace(prores, tracks=((pcm, "ita"),), aspect=Fraction(64, 45))
        ),
        "mp4": make_clip(folder / "c.mp4", replace(RICH, tracks=((aac, "fra"),), rotation=90)),
        "mxf": make_clip(
            folder / "d.mxf",
            replace(prores, tracks=((pcm, "ita"),), metadata={}, chapters=False, language=None),
        ),
    }
    rich = folder / "rich.mkv"
    remux(plates["mkv"], rich, _enrich)
    return plates | {"mkv": _with_attachment(rich, folder / "plate.mkv")}


def _enrich(copied: Copied) -> None:
    copied.streams[1]["metadata"]["title"] = "Boom"
    copied.streams[2]["disposition"] |= 64  # forced


def _with_attachment(source: Path, target: Path) -> Path:
    def attach(copied: Copied) -> None:
        copied.attachments.append(("font.ttf", "application/x-truetype-font", b"a font" * 9))

    return remux(source, target, attach)


LAYERS = ("R", "G", "B", "A", "depth.Z", "ao.R", "ao.G", "ao.B")


def _moving(index: int, channels: int = 3, height: int = 48, width: int = 64) -> np.ndarray:
    """A texture that moves, so that each frame can be told from its neighbours."""
    texture = np.random.default_rng(7).random((height, width + 64, channels), np.float32)
    return np.ascontiguousarray(texture[:, 5 * index : 5 * index + width]) * 0.8 + 0.1


def _sequences(folder: Path) -> dict[str, Path]:
    for name in ("exr", "dpx", "tif"):
        (folder / name).mkdir()
    for index in range(8):
        pixels = _moving(index, 8)
        pixels[..., 3] = 1
        pixels[:8, :8, :4] = 0
        window: dict[str, Any] = {"x": 4, "y": 2, "full_width": 80, "full_height": 60}
        said: dict[str, Any] = {"scene": "12A", "owner": "Ada", "PixelAspectRatio": 2.0}
        file = folder / "exr" / f"shot.{1001 + index}.exr"
        save(file, pixels, channelnames=LAYERS, **said, **window)
        plain: dict[str, Any] = {"ImageDescription": "a plate", "Software": "camera"}
        plain |= {"DateTime": "2026:01:02 03:04:05", "Orientation": 1}
        save(folder / "dpx" / f"shot.{1001 + index}.dpx", _moving(index), "uint16", **plain)
        save(folder / "tif" / f"shot.{1001 + index}.tif", _moving(index), "uint16", **plain)
    return {name: folder / name / f"shot.####.{name}" for name in ("exr", "dpx", "tif")}


def _pngs(folder: Path) -> tuple[Path, Path]:
    """Plates with every chunk, and the same files with their codes halved."""
    for name, gain in (("plates", 1.0), ("night", 0.5)):
        (folder / name).mkdir()
        for index in range(4):
            pixels = np.rint(_moving(index, 4) * 255)
            pixels[..., :3] *= gain
            said = PngImagePlugin.PngInfo()
            said.add_text("Comment", "a plate")
            said.add_itxt("Title", "Tag")
            said.add(b"cICP", bytes([9, 16, 0, 1]))
            said.add(b"gAMA", struct.pack(">I", 45455))
            said.add(b"sRGB", b"\0")
            file = folder / name / f"shot.{1001 + index}.png"
            picture = Image.fromarray(pixels.astype(np.uint8))
            picture.save(file, pnginfo=said, dpi=(72, 72), icc_profile=b"\0" * 16 + b"RGB " * 8)
    return folder / "plates" / "shot.####.png", folder / "night" / "shot.####.png"


def _mips(folder: Path) -> tuple[Path, Path]:
    """A texture of all its levels, and the same with its light halved at each."""
    (folder / "mips").mkdir()
    for name, gain in (("day", 1.0), ("night", 0.5)):
        _write_mips(folder / "mips" / f"{name}.exr", [gain] * 7)
    return folder / "mips" / "day.exr", folder / "mips" / "night.exr"


def _write_mips(path: Path, gains: list[float]) -> Path:
    out = OpenImageIO.ImageOutput.create("openexr")
    assert out is not None
    for level, gain in enumerate(gains):
        side = 64 >> level
        spec = OpenImageIO.ImageSpec(side, side, 3, "half")
        spec.tile_width = spec.tile_height = 16
        spec.attribute("textureformat", "Plain Texture")
        spec.attribute("DateTime", "2026:01:02 03:04:05")
        assert out.open(str(path), spec, "AppendMIPLevel" if level else "Create"), out.geterror()
        pixels = _moving(0, 3, 64, 64)[:: 1 << level, :: 1 << level] * gain
        assert out.write_image(np.ascontiguousarray(pixels, np.float32))
    assert out.close()
    return path


def bad(source: Path, render: Path) -> dict[str, str]:
    """Rows that are not kept: their verdicts by their names."""
    return {row.what: row.verdict for row in verify(source, render) if row.verdict != "kept"}


KINDS = ("ffv1", "mov", "mp4", "mxf", "exr", "dpx", "tif", "png", "mips")


@pytest.mark.parametrize("kind", KINDS)
def test_other_light_alone_is_no_change(files: Files, kind: str) -> None:
    assert bad(*files[kind]) == {}


# packets, streams and chapters of a clip whose every frame is a packet


def _packets(index: int, edit: Callable[[list[Any]], object]) -> Callable[[Copied], None]:
    def of(copied: Copied) -> None:
        edit(copied.packets[index])

    return of


def _order(*order: int) -> Callable[[Copied], None]:
    return _packets(0, lambda packets: put_in_place(packets, list(order)))


def _set(packet: Any, **values: int) -> None:
    for name, value in values.items():
        setattr(packet, name, value)


def _all_late(packets: list[Any]) -> None:
    for packet in packets:
        _set(packet, pts=packet.pts + 9, dts=packet.dts + 9)


def _say(index: int, **said: Any) -> Callable[[Copied], None]:
    def of(copied: Copied) -> None:
        for name, value in said.items():
            copied.streams[index][name] = value

    return of


def _name(index: int, **values: str) -> Callable[[Copied], None]:
    return lambda copied: copied.streams[index]["metadata"].update(values)


def _chapters(*chapters: Any) -> Callable[[Copied], None]:
    return lambda copied: copied.chapters.__setitem__(slice(None), chapters)


def _flip(packets: list[Any], at: int) -> None:
    data = bytearray(bytes(packets[at]))
    data[len(data) // 2] ^= 0x40
    packets[at] = like(packets[at], bytes(data))


def _drop(index: int) -> Callable[[Copied], None]:
    def of(copied: Copied) -> None:
        del copied.streams[index]

    return of


COPIES: dict[str, tuple[str, Callable[[Copied], None]]] = {
    "the last frame is gone": ("frames", _packets(0, lambda p: p.pop())),
    "the first frame is gone": ("frames", _packets(0, lambda p: p.pop(0))),
    "two neighbours swapped": ("order of frames", _order(0, 1, 2, 4, 3, *range(5, 12))),
    "two far frames swapped": ("order of frames", _order(0, 1, 9, 3, 4, 5, 6, 7, 8, 2, 10, 11)),
    "a frame twice, the next gone": ("order of frames", _order(0, 1, 2, 3, 3, *range(5, 12))),
    "a frame gone, the rest moved up": ("order of frames", _order(*range(5), *range(6, 12), 11)),
    "a frame twice, the rest moved": ("order of frames", _order(*range(6), *range(5, 11))),
    "backwards": ("order of frames", _order(*range(11, -1, -1))),
    "a frame late": ("timestamps", _packets(0, lambda p: _set(p[5], pts=p[5].pts + 15, dts=p[5].dts + 15))),
    "all sound late": ("sound #1", _packets(1, _all_late)),
    "a packet of sound gone": ("sound #1", _packets(1, lambda p: p.pop(3))),
    "two packets of sound swapped": ("sound #1", _packets(1, lambda p: put_in_place(p, [0, 2, 1, *range(3, len(p))]))),
    "a bit of sound flipped": ("sound #1", _packets(1, lambda p: _flip(p, 4))),
    "sound gone": ("sound #1", _drop(1)),
    "a subtitle gone": ("subtitles #2", _packets(2, lambda p: p.pop())),
    "other words": ("subtitles #2", _packets(2, lambda p: p.__setitem__(0, like(p[0], b"Red hour")))),
    "a subtitle late": ("subtitles #2", _packets(2, lambda p: _set(p[1], pts=p[1].pts + 40, dts=p[1].dts + 40))),
    "a subtitle ends early": ("subtitles #2", _packets(2, lambda p: _set(p[0], duration=90))),
    "subtitles gone": ("subtitles #2", _drop(2)),
    "sound's language": ("language of sound #1", _name(1, language="fra")),
    "sound's language gone": ("language of sound #1", _name(1, language="und")),
    "sound's title": ("metadata of sound #1", _name(1, title="Lavalier")),
    "subtitles' language": ("language of subtitles #2", _name(2, language="eng")),
    "subtitles not forced": ("flags of subtitles #2", _say(2, disposition=0)),
    "sound of a commentary": ("flags of sound #1", _say(1, disposition=8)),
    "picture's language": ("picture's language", _name(0, language="eng")),
    "picture's title": ("picture's metadata", _name(0, title="Cam B")),
    "another font": ("attachment #3", _say(3, data=b"another" * 9)),
    "a font's name": ("attachment #3", _say(3, name="other.ttf")),
    "the font gone": ("attachment #3", _drop(3)),
    "a title": ("metadata", lambda c: c.metadata.update(title="Night")),
    "no comment": ("metadata", lambda c: c.metadata.__delitem__(next(k for k in c.metadata if k.lower() == "comment"))),
    "a key that was not there": ("metadata", lambda c: c.metadata.update(artist="nobody")),
    "a chapter gone": ("chapters", _chapters(chapter(0, 0, 250, "one"))),
    "a chapter's name": ("chapters", _chapters(chapter(0, 0, 250, "one"), chapter(1, 250, 500, "too"))),
    "a chapter's start": ("chapters", _chapters(chapter(0, 0, 250, "one"), chapter(1, 270, 500, "two"))),
    "a chapter's end": ("chapters", _chapters(chapter(0, 0, 230, "one"), chapter(1, 250, 500, "two"))),
    "one chapter more": ("chapters", _chapters(chapter(0, 0, 250, "one"), chapter(1, 250, 500, "two"), chapter(2, 400, 500, "x"))),
    "one stream more": ("subtitles #3", lambda c: _twice(c, 2)),
}  # fmt: skip


def _twice(copied: Copied, index: int) -> None:
    copied.doubles.append(index)


@pytest.mark.parametrize("name", COPIES)
def test_a_change_in_a_copy_is_named(files: Files, tmp_path: Path, name: str) -> None:
    source, render = files["mkv"]
    what, edit = COPIES[name]
    untouched = bad(source, remux(render, tmp_path / "same.mkv"))
    assert set(untouched) <= {"duration"}  # Matroska's muxer knows no length of the last packet
    found = bad(source, remux(render, tmp_path / "other.mkv", edit))
    assert what in found, found


# bytes of a header


Damage = Callable[[Path, Path], Path]


def _box(kind: bytes, at: int, old: bytes, new: bytes) -> Damage:
    """Change bytes that stand `at` bytes behind the first four of what marks the last box of a kind."""

    def of(source: Path, target: Path) -> Path:
        data = bytearray(source.read_bytes())
        begin = data.rfind(kind) + 4 + at
        assert data[begin : begin + len(old)] == old, data[begin : begin + 16]
        data[begin : begin + len(new)] = new
        target.write_bytes(data)
        return target

    return of


def _bytes(old: bytes, new: bytes, *, last: bool = False) -> Damage:
    return lambda source, target: with_bytes(source, target, old, new, last)


def _be(number: int, size: int = 4) -> bytes:
    return number.to_bytes(size, "big")


def _frame_byte(number: int, at: int, value: int) -> Damage:
    """Change a byte of the header of one ProRes frame."""

    def of(source: Path, target: Path) -> Path:
        data, begin = bytearray(source.read_bytes()), -1
        for _ in range(number + 1):
            begin = data.index(b"icpf", begin + 1)
        data[begin + 4 + at] = value
        target.write_bytes(data)
        return target

    return of


def _language(name: str) -> bytes:
    """As `mdhd` holds it: five bits a letter."""
    a, b, c = (ord(letter) - 0x60 for letter in name)
    return _be(a << 10 | b << 5 | c, 2)


NUMBER = (3600 + 2 * 60 + 3) * 24 + 4  # of the frame 01:02:03:04
QUARTER = _be(0) + _be(1 << 16)  # of a matrix that turns by 90 degrees

BYTES: dict[str, tuple[str, str, Damage]] = {
    "a timecode one frame off": ("mov", "timecode", _bytes(_be(NUMBER), _be(NUMBER + 1))),
    "a timecode that counts 25": (
        "mov",
        "timecode's rate",
        _box(b"tmcd\0\0\0\0\0\0\0\1", 24, b"\x18", b"\x19"),
    ),
    "pixels of another shape": ("mov", "pixel aspect", _box(b"pasp", 0, _be(64), _be(16))),
    "colour by the container": (
        "mov",
        "colour tags (container)",
        _box(b"colr", 4, _be(1, 2), _be(9, 2)),
    ),
    "colour of the sixth frame": ("mov", "colour tags", _frame_byte(5, 14, 9)),
    "transfer of the last frame": ("mov", "colour tags", _frame_byte(11, 15, 16)),
    "a matrix of Matroska": ("mkv", "colour tags", _bytes(b"\x55\xb1\x81\1", b"\x55\xb1\x81\x09")),
    "primaries of Matroska": ("mkv", "colour tags", _bytes(b"\x55\xbb\x81\1", b"\x55\xbb\x81\x09")),
    "a box of no kind": ("mov", "pixel aspect", _box(b"pasp", -4, b"pasp", b"pusp")),
    "another language": ("mp4", "picture's language", _bytes(_language("deu"), _language("ita"))),
    "another title": ("mp4", "metadata", _bytes(b"Day", b"Dax", last=True)),
    "another hour": ("mp4", "timecode", _bytes(_be(NUMBER), _be(NUMBER + 86400))),
    "turned the other way": ("mp4", "rotation", _bytes(_be(-65536 & 0xFFFFFFFF), _be(65536))),
    "another hour in MXF": ("mxf", "timecode", _bytes(_be(NUMBER, 8), _be(NUMBER + 86400, 8))),
    "colour by mp4": ("mp4", "colour tags (container)", _box(b"colr", 4, _be(1, 2), _be(9, 2))),
}


@pytest.mark.parametrize("name", BYTES)
def test_a_change_of_bytes_is_named(files: Files, tmp_path: Path, name: str) -> None:
    kind, what, damage = BYTES[name]
    source, render = files[kind]
    found = bad(source, damage(render, tmp_path / f"other{render.suffix}"))
    assert what in found, found


# files of pictures


def _rewritten(edit: Callable[[Any, np.ndarray], Any]) -> Callable[[Path], None]:
    """Write a file anew, its header and pixels changed by `edit`."""

    def of(path: Path) -> None:
        spec, pixels = load(path)
        pixels = edit(spec, pixels)
        write(path, spec, pixels)

    return of


def _with(**values: Any) -> Callable[[Path], None]:
    def edit(spec: Any, pixels: np.ndarray) -> np.ndarray:
        for name, value in values.items():
            if value is None:
                spec.erase_attribute(name)
            elif hasattr(spec, name):
                setattr(spec, name, value)
            else:
                spec.attribute(name, value)
        return pixels

    return _rewritten(edit)


def _pixel(channel: int, value: float, at: tuple[int, int] = (20, 20)) -> Callable[[Path], None]:
    def edit(spec: Any, pixels: np.ndarray) -> np.ndarray:
        pixels[(*at, channel)] = value
        return pixels

    return _rewritten(edit)


def _fewer(spec: Any, pixels: np.ndarray) -> np.ndarray:
    spec.nchannels, spec.channelnames = 7, spec.channelnames[:7]
    return pixels[..., :7]


def _replaced(old: bytes, new: bytes) -> Callable[[Path], object]:
    return lambda path: with_bytes(path, path, old, new)


def _swap(path: Path) -> None:
    other = path.with_name(path.name.replace("1004", "1005"))
    path.rename(path.with_name("x"))
    other.rename(path)
    path.with_name("x").rename(other)


def _repeat(path: Path) -> None:
    shutil.copy(path.with_name(path.name.replace("1004", "1003")), path)


def _close_gap(path: Path) -> None:
    for number in range(1004, 1008):
        name = path.name.replace("1004", str(number + 1))
        shutil.copy(path.with_name(name), path.with_name(path.name.replace("1004", str(number))))


def _chunks(edit: Callable[[list[tuple[bytes, bytes]]], None]) -> Callable[[Path], None]:
    """Change the chunks of a PNG."""

    def of(path: Path) -> None:
        data, at, chunks = path.read_bytes(), 8, []
        while at < len(data):
            size = int.from_bytes(data[at : at + 4], "big")
            chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
            at += 12 + size
        edit(chunks)
        parts = [_be(len(d)) + k + d + _be(zlib.crc32(k + d)) for k, d in chunks]
        path.write_bytes(data[:8] + b"".join(parts))

    return of


def _no(kind: bytes) -> Callable[[Path], None]:
    return _chunks(lambda chunks: chunks.remove(next(c for c in chunks if c[0] == kind)))


def _new(kind: bytes, value: bytes) -> Callable[[Path], None]:
    def edit(chunks: list[tuple[bytes, bytes]]) -> None:
        at = next((i for i, c in enumerate(chunks) if c[0] == kind), None)
        if at is None:
            chunks.insert(1, (kind, value))
        else:
            chunks[at] = (kind, value)

    return _chunks(edit)


def _picture(edit: Callable[[Image.Image], Image.Image]) -> Callable[[Path], None]:
    """Change the pixels of a PNG, and keep its other chunks."""

    def of(path: Path) -> None:
        before = path.read_bytes()
        edit(Image.open(path)).save(path)
        drawn = path.read_bytes()
        head, rest = drawn[:33], drawn[33:]
        kept = before[33 : before.index(b"IDAT") - 4]
        path.write_bytes(head + kept + rest[rest.index(b"IDAT") - 4 :])

    return of


def _other_alpha(picture: Image.Image) -> Image.Image:
    picture.putalpha(picture.getchannel("A").point(lambda code: code // 2))
    return picture


def _day_below(path: Path) -> None:
    _write_mips(path, [0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])


def _one_level(path: Path) -> None:
    spec, pixels = load(path)
    spec.erase_attribute("textureformat")
    write(path, spec, pixels)


def _second_page(path: Path) -> None:
    pages = [Image.fromarray(np.zeros((8, 8), np.uint8))] * 2
    pages[0].save(path, save_all=True, append_images=pages[1:])


FILES: dict[str, tuple[str, str, Callable[[Path], object]]] = {
    "a file gone": ("exr", "frames", Path.unlink),
    "two files swapped": ("exr", "order of frames", _swap),
    "a file twice": ("exr", "order of frames", _repeat),
    "a file gone, the rest moved up": ("exr", "order of frames", _close_gap),
    "a channel's name": ("exr", "channels", _replaced(b"depth.Z\0", b"depth.W\0")),
    "a layer's name": ("exr", "channels", _replaced(b"ao.R\0", b"oa.R\0")),
    "a channel gone": ("exr", "channels", _rewritten(_fewer)),
    "all channels float": ("exr", "channels", _with(format="float")),
    "another depth": ("exr", "layers", _pixel(4, 9.0)),
    "another occlusion": ("exr", "layers", _pixel(5, 9.0)),
    "another alpha": ("exr", "transparency", _pixel(3, 0.5)),
    "something in nothing": ("exr", "transparency", _pixel(0, 0.25, (2, 2))),
    "another place": ("exr", "windows", _with(x=5)),
    "another frame": ("exr", "windows", _with(full_width=81)),
    "another compression": ("exr", "compression", _with(compression="none")),
    "tiles": ("exr", "tiles", _with(tile_width=16, tile_height=16)),
    "wider pixels": ("exr", "pixel aspect", _with(PixelAspectRatio=1.0)),
    "another scene": ("exr", "metadata", _with(scene="12B")),
    "no owner": ("exr", "metadata", _replaced(b"owner\0", b"ownir\0")),
    "another timecode": ("exr", "metadata", _replaced(b"\4\3\2\1", b"\5\3\2\1")),
    "a day that was not said": ("exr", "metadata", _with(reelName="A001")),
    "lines of the other order": ("exr", "metadata", _replaced(b"lineOrder\0\1\0\0\0\0", b"lineOrder\0\1\0\0\0\1")),
    "day below the first level": ("mips", "levels", _day_below),
    "one level of many": ("mips", "levels", _one_level),
    "no cICP": ("png", "metadata", _no(b"cICP")),
    "another cICP": ("png", "metadata", _new(b"cICP", bytes([1, 13, 0, 1]))),
    "no gAMA": ("png", "metadata", _no(b"gAMA")),
    "another intent": ("png", "metadata", _new(b"sRGB", b"\1")),
    "no profile": ("png", "metadata", _no(b"iCCP")),
    "another size of paper": ("png", "metadata", _no(b"pHYs")),
    "no comment": ("png", "metadata", _no(b"tEXt")),
    "another title": ("png", "metadata", _new(b"iTXt", b"Title\0\0\0\0\0Nacht")),
    "a chunk of a stranger": ("png", "metadata", _new(b"abCd", b"1")),
    "half the alpha": ("png", "transparency", _picture(_other_alpha)),
    "no alpha": ("png", "transparency", _picture(lambda picture: picture.convert("RGB"))),
    "another page": ("tif", "pages", _second_page),
    "another description": ("tif", "metadata", _replaced(b"a plate", b"a plane")),
    "another year": ("tif", "metadata", _replaced(b"2026:01:02", b"2027:01:02")),
    "another camera": ("dpx", "metadata", _replaced(b"a plate", b"a plane")),
    "another transfer": ("dpx", "metadata", lambda path: _poke(path, 801, 3)),
    "another rate": ("dpx", "metadata", lambda path: _poke(path, 1940, 0x42)),
    "another orientation": ("dpx", "metadata", lambda path: _poke(path, 769, 1)),
}  # fmt: skip


def _poke(path: Path, at: int, value: int) -> None:
    data = bytearray(path.read_bytes())
    assert data[at] != value
    data[at] = value
    path.write_bytes(data)


@pytest.mark.parametrize("name", FILES)
def test_a_change_in_a_file_is_named(files: Files, tmp_path: Path, name: str) -> None:
    kind, what, damage = FILES[name]
    source, render = files[kind]
    for file in render.parent.glob(f"night*{render.suffix}"):
        shutil.copy(file, tmp_path)
    for file in render.parent.glob(f"shot*{render.suffix}") if kind == "png" else ():
        shutil.copy(file, tmp_path)
    other = tmp_path / render.name
    damage(Path(str(other).replace("####", "1004" if kind != "png" else "1002")))
    found = bad(source, other)
    assert what in found, found


@pytest.mark.parametrize("kind", ["mkv", "mov", "mp4", "mxf"])
def test_a_broken_render_is_an_answer_or_one_line(files: Files, tmp_path: Path, kind: str) -> None:
    source, render = files[kind]
    other = tmp_path / f"other{render.suffix}"
    for seed in range(8):
        other.write_bytes(mutant(render.read_bytes(), seed))
        with contextlib.suppress(SourceError):
            assert verify(source, other)


def test_another_layer_that_is_lit_in_place_of_the_beauty_is_named(
    files: Files, tmp_path: Path
) -> None:
    source = files["exr"][0]
    for file in source.parent.glob("shot*"):
        shutil.copy(file, tmp_path)
        _rewritten(lambda spec, pixels: pixels * ([1] * 5 + [0.5] * 3))(tmp_path / file.name)
    found = bad(source, tmp_path / source.name)
    assert found == {"layers": "lost", "lit layers": "lost"}
