"""HDR10: the mastering display is kept, content light is the render's own, and the rest is told."""

from __future__ import annotations

import logging
import struct
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
import pytest
from media import STEP, TICKS, Clip, apart, image, make_clip, pattern
from test_writer import converted

import nightfx
from nightfx.apply.field import apply_field, identity_field
from nightfx.carry.formats import FORMATS
from nightfx.check.verification import verify
from nightfx.network.presets import Preset
from nightfx.options.encode import CodecChoice, EncodeOptions
from nightfx.picture.frame import Coding, Frame
from nightfx.source.probe import side_data_of
from nightfx.source.reader import Reader
from nightfx.target.brightness import Brightness, pq_nits
from nightfx.target.codecs import plan_output
from nightfx.target.prediction import predict_losses
from nightfx.target.tags import HDR_NAMES
from nightfx.target.writer import write_clip

PQ_TAGS = (9, 16, 9, 1)
MASTERING = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
PARAMS = f"log-level=none:hdr10=1:repeat-headers=1:master-display={MASTERING}:max-cll=1000,400"


def hdr10(tmp_path: Path, tags: tuple[int, int, int, int] = PQ_TAGS) -> Path:
    clip = Clip("libx265", "yuv420p10le", tags=tags, count=6, options={"x265-params": PARAMS})
    return make_clip(tmp_path / "a.mp4", clip)


def data_of(path: Path) -> dict[str, bytes]:
    with Reader(path) as reader:
        origin = next(reader.frames()).origin
    assert origin is not None
    return side_data_of(origin)


def numbers(data: bytes) -> list[float]:
    values = struct.unpack("<20i", data[:80])
    return [n / d for n, d in zip(values[::2], values[1::2], strict=True)]


HDR10: list[tuple[CodecChoice, str]] = [("h265", "b.mp4"), ("h265", "b.mkv"), ("av1", "b.mp4"), ("h264", "b.mov")]  # fmt: skip


def test_every_codec_that_holds_hdr10_is_in_the_list() -> None:
    holding = {codec for codec, form in FORMATS.items() if form.hdr10}
    assert {codec for codec, _ in HDR10} == holding
    assert set(HDR_NAMES) == {FORMATS[codec].family for codec in holding}


@pytest.mark.parametrize(("codec", "file"), HDR10)
def test_hdr10_keeps_its_display_and_measures_its_light(
    tmp_path: Path, codec: CodecChoice, file: str
) -> None:
    source, target = hdr10(tmp_path), tmp_path / file
    call = (source, target, codec)
    wanted = apart(render_half, *call) if codec == "av1" else render_half(*call)
    before, after = data_of(source), data_of(target)
    display = "MASTERING_DISPLAY_METADATA"
    np.testing.assert_allclose(numbers(after[display]), numbers(before[display]), atol=1e-4)
    light = struct.unpack("<2I", after["CONTENT_LIGHT_LEVEL"])
    assert light == wanted
    assert 0 < light[1] < light[0] < 400  # half the code of 1000 cd/m² is far below half of it


def render_half(source: Path, target: Path, codec: CodecChoice) -> tuple[int, int]:
    """Write half the codes; return what MaxCLL and MaxFALL must be."""
    halved = identity_field(2, 2) * np.float32(0.5)
    with Reader(source) as reader:
        plan = plan_output(reader.info, target.suffix, EncodeOptions(codec=codec))
        lit = [apply_field(frame, halved, plan.coding) for frame in reader.frames()]
        write_clip(lit, target, source=source, info=reader.info, plan=plan, on_note=print)
    measured = Brightness()
    assert len(list(measured.watch(lit))) == 6
    return round(measured.max_cll), round(measured.max_fall)


def test_light_is_measured_as_the_standards_define_it() -> None:
    """A grey of 10 bits with one pixel of 1000 cd/m²: code 0.7518 of PQ; and 0.5081 is 100 cd/m²."""
    np.testing.assert_allclose(
        pq_nits(np.array([0, 0.508078, 0.751827, 1])), [0, 100, 1000, 10000], rtol=1e-4
    )
    coding = Coding("gbrp16le", 16, 0, 0, "rgb", True, False)
    grey = np.full((10, 10), round(0.508078 * 65535), np.uint16)
    red = grey.copy()
    red[3, 4] = round(0.751827 * 65535)
    measured = Brightness()
    assert len(list(measured.watch([Frame((red, grey, grey), coding, 0, Fraction(1))]))) == 1
    assert measured.max_cll == pytest.approx(1000, rel=1e-3)
    assert measured.max_fall == pytest.approx(109, rel=1e-3)


@pytest.mark.parametrize("codec", ["prores", "ffv1"])
def test_what_a_codec_cannot_say_of_hdr10_is_told(tmp_path: Path, codec: CodecChoice) -> None:
    with Reader(hdr10(tmp_path)) as reader:
        notes = plan_output(reader.info, None, EncodeOptions(codec=codec)).notes
    assert any("mastering display is not written by" in note for note in notes)
    assert any("content light is left out" in note for note in notes)


def test_hlg_stays_hlg_and_its_light_is_not_guessed(tmp_path: Path) -> None:
    source, target = hdr10(tmp_path, (9, 18, 9, 1)), tmp_path / "b.mp4"
    with Reader(source) as reader:
        plan = plan_output(reader.info, None, EncodeOptions())
        frames = converted(reader.frames(), plan)
        write_clip(frames, target, source=source, info=reader.info, plan=plan, on_note=print)
    with Reader(target) as reader:
        assert reader.info.tags == plan.tags
        assert reader.info.tags.transfer == 18
    assert data_of(target)["CONTENT_LIGHT_LEVEL"] == bytes(8)  # unknown
    assert any("content light is left out" in note for note in plan.notes)


def captioned(path: Path, first: int = 0) -> Path:
    """H.264 whose pictures from `first` on carry two bytes of captions each (ATSC A/53 part 4, in an SEI message)."""
    with av.open(path, "w") as out:
        video = out.add_stream("libx264", rate=24, options={"bf": "2"})
        assert isinstance(video, av.VideoStream)
        video.height, video.width, video.pix_fmt = 48, 64, "yuv420p"
        video.codec_context.time_base = TICKS
        pictures = [image(pattern(i, "yuv420p", (48, 64)), "yuv420p", STEP * i) for i in range(8)]
        for picture in [*pictures, None]:
            for packet in video.encode(picture):
                number = (packet.pts or 0) // STEP
                out.mux(_with_caption(packet, number) if number >= first else packet)
    return path


def _with_caption(packet: av.Packet[Any], number: int) -> av.Packet[Any]:
    body = b"\xb5\x00\x31GA94\x03\x41\xff" + caption(number) + b"\xff"
    unit = b"\x00\x00\x00\x01\x06\x04" + bytes([len(body)]) + body + b"\x80"
    new: av.Packet[Any] = av.Packet(unit + bytes(packet))
    new.stream, new.time_base = packet.stream, packet.time_base
    new.pts, new.dts, new.duration = packet.pts, packet.dts, packet.duration
    new.is_keyframe = packet.is_keyframe
    return new


def caption(number: int) -> bytes:
    return bytes([0xFC, 0x94, 0x20 + number])


def captions_of(path: Path) -> list[bytes | None]:
    with Reader(path) as reader:
        origins = [frame.origin for frame in reader.frames()]
    return [side_data_of(origin).get("A53_CC") for origin in origins if origin is not None]


@pytest.mark.parametrize(
    ("codec", "file", "depth"),
    [("h264", "b.mp4", 8), ("h264", "b.mkv", 10), ("h265", "b.mov", 8), ("h265", "b.mkv", 10)],
)
def test_captions_stay_with_their_pictures(
    tmp_path: Path, identity: Preset, codec: CodecChoice, file: str, depth: Literal[8, 10]
) -> None:
    source = captioned(tmp_path / "a.mp4")
    assert captions_of(source) == [caption(i) for i in range(8)]
    encode = EncodeOptions(codec=codec, depth=depth)
    target = nightfx.render(
        source, tmp_path / file, preset=identity, options=nightfx.RenderOptions.of(encode=encode)
    )
    assert captions_of(target) == captions_of(source)


def test_captions_that_begin_late_are_told_where_they_are_not_written(
    tmp_path: Path, identity: Preset, caplog: pytest.LogCaptureFixture
) -> None:
    source = captioned(tmp_path / "a.mp4", first=5)
    line = "closed captions are not written by ProRes HQ (h264 or h265 keeps them)"
    with Reader(source) as reader:
        plan = plan_output(reader.info, None, EncodeOptions(codec="prores"))
        assert line not in plan.notes
        assert line in list(predict_losses(source, reader.info, plan))
    options = nightfx.RenderOptions.of(encode=EncodeOptions(codec="prores"))
    with caplog.at_level(logging.WARNING):
        target = nightfx.render(source, preset=identity, options=options)
    assert caplog.text.count(line) == 1
    assert {row.what: row.verdict for row in verify(source, target)}["captions"] == "left out"


def test_captions_that_are_not_written_are_told(tmp_path: Path) -> None:
    with Reader(hdr10(tmp_path)) as reader:
        info = replace(reader.info, side_data=("A53_CC",))
    notes = plan_output(info, None, EncodeOptions(codec="prores")).notes
    assert any(note.startswith("closed captions are not written by ProRes HQ") for note in notes)


@pytest.mark.parametrize(
    ("kind", "title"),
    [("DYNAMIC_HDR_PLUS", "HDR10+"), ("DOVI_RPU_BUFFER", "Dolby Vision")],
)
def test_metadata_made_for_another_light_is_left_out_and_told(
    tmp_path: Path, kind: str, title: str
) -> None:
    with Reader(hdr10(tmp_path)) as reader:
        info = replace(reader.info, side_data=(kind,))
    notes = plan_output(info, None, EncodeOptions()).notes
    assert f"{title} metadata is left out: it was made for the source's light" in notes
