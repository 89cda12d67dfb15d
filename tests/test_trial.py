"""What a container does not take is known before the first frame, whenever its muxer says so."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from media import Clip, make_clip

import nightfx
from nightfx.carry.formats import CONTAINERS, FORMATS
from nightfx.check.verification import verify
from nightfx.errors import TargetError
from nightfx.light import borders
from nightfx.network.presets import Preset
from nightfx.options import Codec
from nightfx.options.encode import EncodeOptions
from nightfx.source.reader import Reader
from nightfx.target import plan_output, try_target


def unnamed(path: Path, channels: int, frames: int = 6) -> Path:
    """A clip with PCM whose channels have no names: each is the constant of its number."""
    sound = path.with_name("sound.mkv")
    layout = f"{channels} channels"
    with av.open(sound, "w") as out:
        stream = out.add_stream("pcm_s16le", rate=48000, layout=layout)
        assert isinstance(stream, av.AudioStream)
        samples = np.tile(np.arange(channels, dtype=np.int16), 12000)[None]
        frame = av.AudioFrame.from_ndarray(samples, "s16", layout)
        frame.pts, frame.sample_rate, frame.time_base = 0, 48000, Fraction(1, 48000)
        out.mux(stream.encode(frame))
    return make_clip(path, Clip(count=frames, tracks=((sound, "und"),)))


def sound_of(path: Path) -> tuple[str, bytes]:
    with av.open(path) as container:
        layout = container.streams.audio[0].codec_context.layout.name
        return layout, b"".join(bytes(packet) for packet in container.demux(audio=0))


@pytest.mark.parametrize(("channels", "name"), [(2, "stereo"), (4, "4.0")])
@pytest.mark.parametrize("suffix", [".mov", ".mkv"])
def test_channels_without_names_get_the_usual_ones_where_the_container_wants_some(
    suffix: str,
    channels: int,
    name: str,
    tmp_path: Path,
    identity: Preset,
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = unnamed(tmp_path / f"a{suffix}", channels)
    layout, samples = sound_of(source)
    target = nightfx.render(source, tmp_path / "b.mp4", preset=identity)
    assert sound_of(target) == (name, samples)
    assert ("its channels have no names" in caplog.text) == (layout == f"{channels} channels")
    kept = nightfx.render(source, tmp_path / "c.mkv", preset=identity)
    assert sound_of(kept)[1] == samples


@pytest.mark.parametrize("layout", ["stereo", "4.0", "mono"])
def test_names_of_channels_that_matroska_does_not_keep_are_told_of(
    layout: str, tmp_path: Path, identity: Preset, caplog: pytest.LogCaptureFixture
) -> None:
    channels = {"stereo": 2, "4.0": 4, "mono": 1}[layout]
    clip = unnamed(tmp_path / "a.mkv", channels)
    named = nightfx.render(clip, tmp_path / "b.mp4", preset=identity)
    assert layout == "mono" or sound_of(named)[0] == layout
    caplog.clear()
    target = nightfx.render(named, tmp_path / "c.mkv", preset=identity)
    assert sound_of(target) == (f"{channels} channels", sound_of(named)[1])
    told = caplog.text.count("its channels") + caplog.text.count("shape of sound")
    assert told == (layout != "mono")
    rows = {row.what: row.verdict for row in verify(named, target)}
    assert rows["shape of sound #1"] == ("kept" if layout == "mono" else "left out")


def test_a_single_channel_without_a_name_is_nothing_to_tell_of(
    tmp_path: Path, identity: Preset, caplog: pytest.LogCaptureFixture
) -> None:
    source = unnamed(tmp_path / "a.mkv", 1)
    target = nightfx.render(source, tmp_path / "b.mp4", preset=identity)
    assert sound_of(target)[1] == sound_of(source)[1]
    assert not caplog.text


def test_what_a_muxer_refuses_at_its_end_is_said_before_the_first_frame(
    tmp_path: Path, identity: Preset
) -> None:
    source = unnamed(tmp_path / "a.mkv", 9)
    frames: list[int] = []
    with pytest.raises(TargetError) as caught:
        nightfx.render(
            *(source, tmp_path / "b.mp4"),
            preset=identity,
            on_progress=lambda done, total: frames.append(done),
        )
    words = "mp4 cannot hold all of a.mkv (Invalid argument: unsupported channel layout 9 channels)"
    assert f"{words}: name one that ends in .mov or .mkv" in str(caught.value)
    assert not frames
    assert not list(tmp_path.glob("*b.mp4*"))
    for suffix in (".mov", ".mkv"):
        nightfx.render(source, tmp_path / f"b{suffix}", preset=identity)


@pytest.mark.parametrize("frames", [6, 30])
def test_what_a_container_changes_is_said_once_and_before_the_first_frame(
    frames: int,
    tmp_path: Path,
    identity: Preset,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(borders, "MOST_FRAMES", 12)
    source = unnamed(tmp_path / "a.mkv", 2, frames)
    told: list[int] = []
    nightfx.render(
        *(source, tmp_path / "b.mp4"),
        preset=identity,
        on_progress=lambda done, total: told.append(caplog.text.count("no names")),
    )
    assert set(told) == {1}
    assert caplog.text.count("no names") == 1


@pytest.mark.parametrize("codec", [codec for codec in FORMATS if codec != "av1"])
def test_every_codec_is_tried_in_each_of_its_containers(codec: Codec, tmp_path: Path) -> None:
    clip = Clip(size=(128, 256), count=2, sound=True, timecode="01:00:00:00", chapters=True)
    with Reader(make_clip(tmp_path / "a.mov", clip)) as reader:
        for suffix in FORMATS[codec].homes:
            plan = plan_output(reader.info, suffix, EncodeOptions(codec=codec))
            assert plan.container == CONTAINERS[suffix]
            lines = try_target(tmp_path / f"b{suffix}", reader.info.path, reader.info, plan)
            assert all("sound stream" in line for line in lines), lines
