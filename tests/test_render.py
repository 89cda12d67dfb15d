"""The whole way of a frame: identity gives the plate, a known light gives known codes, nothing is left behind."""

import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
import torch
from conftest import preset_of
from media import LATE, VFR, Clip, make_clip
from PIL import Image

import nightfx
from nightfx.apply.planes import apply_light
from nightfx.errors import (
    DamagedSourceError,
    NightfxError,
    PresetError,
    SourceError,
    TargetError,
    UsageError,
)
from nightfx.light.lock import Lock, load_lock
from nightfx.light.tiling import light_of
from nightfx.network.model import build_generator
from nightfx.network.presets import Preset
from nightfx.options.encode import EncodeOptions
from nightfx.picture.color import to_rgb
from nightfx.picture.frame import Coding, Frame, as_coded, upright
from nightfx.source.reader import Reader

LOSSLESS = {
    "8-bit": Clip("ffv1", "yuv420p", size=(50, 71)),
    "10-bit": Clip("ffv1", "yuv422p10le"),
    "rgb": Clip("ffv1", "bgr0", tags=(1, 1, 0, 2)),
    "full-range": Clip("ffv1", "yuv444p", tags=(1, 1, 1, 2)),
    "alpha": Clip("ffv1", "yuva444p10le"),
    "rotated": Clip("ffv1", "yuv420p", rotation=90),
}


def frames_of(path: Path) -> list[Frame]:
    with Reader(path) as reader:
        return list(reader.frames())


def assert_same_within_a_code(before: Path, after: Path) -> None:
    pairs = list(zip(frames_of(before), frames_of(after), strict=True))
    assert [a.pts * a.time_base for a, _ in pairs] == [b.pts * b.time_base for _, b in pairs]
    for a, b in pairs:
        for plane_a, plane_b in zip(a.planes, b.planes, strict=True):
            difference = np.abs(plane_a.astype(int) - plane_b)
            assert difference.max() <= 1
            assert difference.mean() < 0.3


@pytest.mark.parametrize("method", ["tiles", "relight"])
@pytest.mark.parametrize("kind", LOSSLESS)
def test_an_identity_generator_returns_the_plate(
    kind: str, method: Any, tmp_path: Path, identity: Preset
) -> None:
    source = make_clip(tmp_path / "plate.mkv", LOSSLESS[kind])
    target = nightfx.render(
        source, preset=identity, options=nightfx.RenderOptions.of(method=method)
    )
    assert target == tmp_path / "plate.identity.mkv"
    assert_same_within_a_code(source, target)


@pytest.mark.parametrize("method", ["tiles", "relight"])
@pytest.mark.parametrize("kind", ["8-bit", "10-bit"])
def test_a_thousandth_of_the_bundled_night_stays_within_a_code(
    kind: str, method: Any, tmp_path: Path
) -> None:
    source = make_clip(tmp_path / "plate.mkv", LOSSLESS[kind])
    options = nightfx.RenderOptions.of(strength=0.001, method=method)
    target = nightfx.render(source, preset="night", options=options)
    for a, b in zip(frames_of(source), frames_of(target), strict=True):
        for plane_a, plane_b in zip(a.planes, b.planes, strict=True):
            assert np.abs(plane_a.astype(int) - plane_b).max() <= 1


@pytest.mark.parametrize("method", ["tiles", "relight"])
def test_halving_halves_luma_above_black(method: Any, tmp_path: Path, halving: Preset) -> None:
    source = make_clip(tmp_path / "plate.mkv", LOSSLESS["10-bit"])
    target = nightfx.render(source, preset=halving, options=nightfx.RenderOptions.of(method=method))
    for a, b in zip(frames_of(source), frames_of(target), strict=True):
        wanted = (a.planes[0].astype(float) - 64) / 2 + 64
        assert np.abs(wanted - b.planes[0]).max() <= 1.5


def test_tiles_give_the_codes_of_the_whole_frame(tmp_path: Path) -> None:
    source = make_clip(
        tmp_path / "plate.mkv", Clip("ffv1", "yuv420p10le", size=(300, 420), count=2)
    )
    whole, tiled = (
        nightfx.render(
            source,
            tmp_path / f"{size}.mkv",
            options=nightfx.RenderOptions.of(method="tiles", tile_px=size),
        )
        for size in ("whole", 64)
    )
    assert_same_within_a_code(whole, tiled)


def test_start_and_end_choose_frames(tmp_path: Path, identity: Preset) -> None:
    source = make_clip(tmp_path / "plate.mkv", Clip("ffv1", "yuv420p", count=24))
    options = nightfx.RenderOptions.of(start_seconds=0.25, end_seconds=0.5)
    target = nightfx.render(source, preset=identity, options=options)
    wanted = frames_of(source)[6:12]
    got = frames_of(target)
    assert len(got) == len(wanted)
    for a, b in zip(wanted, got, strict=True):
        assert np.abs(a.planes[0].astype(int) - b.planes[0]).max() <= 1


@pytest.mark.parametrize("name", ["a.mov", "a.mkv"])
@pytest.mark.parametrize("times", [(), VFR, LATE])
@pytest.mark.parametrize(("first", "last"), [(1001, 1003), (1004, 1004), (1003, 1008)])
def test_frames_are_chosen_by_their_numbers(
    tmp_path: Path, identity: Preset, name: str, times: Any, first: int, last: int
) -> None:
    source = make_clip(tmp_path / name, Clip("ffv1" if name == "a.mkv" else "prores", "yuv422p10le", times=times, count=8))  # fmt: skip
    options = nightfx.RenderOptions.of(frames=(first, last))
    before = frames_of(source)[first - 1001 : last - 1000]
    after = frames_of(nightfx.render(source, preset=identity, options=options))
    assert len(after) == len(before)
    shown = [(f.pts - after[0].pts) * f.time_base for f in after]
    wanted = [(f.pts - before[0].pts) * f.time_base for f in before]
    assert shown == pytest.approx(wanted, abs=0.0011)
    for a, b in zip(before, after, strict=True):
        assert np.abs(a.planes[0].astype(int) - b.planes[0]).mean() < 2


def test_ten_bits_stay_ten_bits_and_sound_stays(tmp_path: Path, identity: Preset) -> None:
    options = {"x265-params": "log-level=none"}
    source = make_clip(
        tmp_path / "plate.mp4", Clip("libx265", "yuv420p10le", sound=True, options=options)
    )
    target = nightfx.render(source, preset=identity)
    with Reader(target) as reader:
        assert reader.info.codec == "hevc"
        assert reader.info.coding.depth == 10
        assert reader.info.audio_streams == 1


def test_progress_counts_every_frame(tmp_path: Path, identity: Preset) -> None:
    source = make_clip(tmp_path / "plate.mp4", Clip(count=5))
    seen: list[tuple[int, int | None]] = []
    nightfx.render(
        source, preset=identity, on_progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(i, 5) for i in range(1, 6)]


def test_the_generator_sees_a_rotated_clipupright(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes: list[tuple[int, ...]] = []
    real = light_of

    def spy(generator: object, rgb: np.ndarray, *rest: object) -> object:
        shapes.append(rgb.shape)
        return real(generator, rgb, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("nightfx.light.light.light_of", spy)
    clip = make_clip(tmp_path / "plate.mp4", Clip(rotation=90, count=1))
    nightfx.render(clip, options=nightfx.RenderOptions.of(method="tiles"))
    assert shapes == [(3, 64, 48)]


@pytest.mark.parametrize(
    ("rotation", "bright"),
    [(0, np.s_[0]), (90, np.s_[:, -1]), (180, np.s_[-1]), (270, np.s_[:, 0])],
)
def test_what_is_above_for_a_player_is_above_for_the_generator(rotation: int, bright: Any) -> None:
    # a player turns the picture counter-clockwise by `rotation`: 90 brings the right edge to the top
    rgb = np.zeros((3, 6, 4), np.float32)
    rgb[(slice(None), *(bright if isinstance(bright, tuple) else (bright,)))] = 1
    frame: Any = SimpleNamespace(rotation=rotation)
    turned = upright(rgb, frame)
    assert (turned[:, 0] == 1).all()
    assert (turned[:, 1:] == 0).all()
    assert np.array_equal(as_coded(turned, frame), rgb)


@pytest.mark.parametrize("architecture", ["paper", "relit"])
def test_both_architectures_render(architecture: Any, tmp_path: Path) -> None:
    torch.manual_seed(0)
    preset = preset_of(tmp_path, build_generator(architecture), architecture)
    source = make_clip(tmp_path / "plate.mp4", Clip(count=2))
    assert len(frames_of(nightfx.render(source, preset=preset))) == 2


def test_a_render_leaves_the_preset_as_it_was(tmp_path: Path, halving: Preset) -> None:
    before = {name: tensor.clone() for name, tensor in halving.generator.state_dict().items()}
    nightfx.render(make_clip(tmp_path / "plate.mp4", Clip(count=1)), preset=halving)
    for name, tensor in halving.generator.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_two_threads_may_render_at_once(tmp_path: Path, halving: Preset) -> None:
    sources = [make_clip(tmp_path / f"{name}.mp4", Clip(count=12)) for name in "abc"]
    with ThreadPoolExecutor(3) as pool:
        targets = list(pool.map(lambda source: nightfx.render(source, preset=halving), sources))
    assert [len(frames_of(target)) for target in targets] == [12, 12, 12]


def test_ten_bits_written_as_eight_are_dithered(tmp_path: Path, identity: Preset) -> None:
    coding = Coding("yuv444p10le", 10, 0, 0, "bt709", False, False)
    flat = Frame(
        tuple(np.full((32, 32), 402, np.uint16) for _ in range(3)), coding, 0, Fraction(1, 24)
    )
    rgb = to_rgb(flat)
    eight = Coding("yuv444p", 8, 0, 0, "bt709", False, False)
    luma = apply_light(flat, rgb, np.ones_like(rgb), np.zeros_like(rgb), eight).planes[0]
    assert set(np.unique(luma)) == {100, 101}  # 402 of 10 bits is 100.5 of 8


def test_heights_outside_the_training_are_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        clip = make_clip(tmp_path / "small.mp4", Clip(count=1))
        nightfx.render(clip, options=nightfx.RenderOptions.of(method="tiles"))
    assert "48 lines; night was trained on" in caplog.text


def test_an_existing_output_is_kept_unless_overwritten(tmp_path: Path, identity: Preset) -> None:
    source = make_clip(tmp_path / "plate.mp4", Clip(count=2))
    target = tmp_path / "out.mp4"
    target.write_bytes(b"precious")
    with pytest.raises(TargetError, match=r"out\.mp4: exists already; --overwrite replaces it"):
        nightfx.render(source, target, preset=identity)
    assert target.read_bytes() == b"precious"
    nightfx.render(
        source, target, preset=identity, options=nightfx.RenderOptions.of(overwrite=True)
    )
    assert len(frames_of(target)) == 2


def test_the_source_is_never_the_target(tmp_path: Path, identity: Preset) -> None:
    source = make_clip(tmp_path / "plate.mp4", Clip(count=2))
    with pytest.raises(UsageError, match="input and output are the same file"):
        nightfx.render(
            source, source, preset=identity, options=nightfx.RenderOptions.of(overwrite=True)
        )


@pytest.mark.parametrize("suffix", [".mp4", ".png"])
def test_a_missing_folder_is_made(tmp_path: Path, identity: Preset, suffix: str) -> None:
    source = plate(tmp_path, suffix)
    target = tmp_path / "new" / "day 1" / f"out{suffix}"
    assert nightfx.render(source, target, preset=identity).is_file()
    with pytest.raises(TargetError, match=r"plate\.\w+: cannot be made a folder"):
        nightfx.render(source, source / f"out{suffix}", preset=identity)


@pytest.mark.parametrize("suffix", [".mp4", ".png"])
def test_a_pipe_is_not_replaced_by_a_file(tmp_path: Path, identity: Preset, suffix: str) -> None:
    target = tmp_path / f"out{suffix}"
    os.mkfifo(target)
    for overwrite in (False, True):
        options = nightfx.RenderOptions.of(overwrite=overwrite)
        with pytest.raises(TargetError, match="is a pipe or a device"):
            nightfx.render(plate(tmp_path, suffix), target, preset=identity, options=options)
    assert target.is_fifo()


def plate(folder: Path, suffix: str) -> Path:
    """A clip or a picture."""
    path = folder / f"plate{suffix}"
    if suffix == ".mp4":
        return make_clip(path, Clip(count=2))
    Image.new("RGB", (64, 48)).save(path)
    return path


def test_sound_goes_on_over_a_joint_as_the_picture_does(tmp_path: Path, identity: Preset) -> None:
    part = make_clip(tmp_path / "part.ts", Clip(count=10, sound=True))
    joined = tmp_path / "joined.ts"
    joined.write_bytes(part.read_bytes() * 2)
    target = nightfx.render(joined, tmp_path / "a.mp4", preset=identity)
    with av.open(part) as source:
        once = [Fraction(p.pts * p.time_base) for p in source.demux(audio=0) if p.pts is not None]
    with av.open(target) as made:
        sound = [Fraction(p.pts * p.time_base) for p in made.demux(audio=0) if p.pts is not None]
    picture = [frame.pts * frame.time_base for frame in frames_of(target)]
    assert [round(float(b - a), 4) for a, b in pairwise(picture)] == [round(1 / 24, 4)] * 19
    moved = picture[10] - picture[0]
    expected = [*once, *(at + moved for at in once if at + moved > once[-1])]
    np.testing.assert_allclose(
        [float(at) for at in sound], [float(at) for at in expected], atol=1e-4
    )


def test_the_folder_of_a_sequence_is_made(tmp_path: Path, identity: Preset) -> None:
    source, target = make_clip(tmp_path / "plate.mp4", Clip(count=2)), tmp_path / "new" / "deep"
    nightfx.render(source, target / "s.####.png", preset=identity)
    assert sorted(path.name for path in target.iterdir()) == ["s.1001.png", "s.1002.png"]


def test_names_of_any_length_and_with_a_colon_are_rendered(
    tmp_path: Path, identity: Preset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = make_clip(tmp_path / f"{'n' * 242}.mp4", Clip(count=2))
    assert len(nightfx.render(source, preset=identity).name) == 255
    colon = source.replace(tmp_path / "file:a.mp4")
    assert nightfx.render("file:a.mp4", "file:b.mp4", preset=identity) == Path("file:b.mp4")
    assert sorted(path.name for path in tmp_path.glob("file*")) == [colon.name, "file:b.mp4"]
    with pytest.raises(TargetError, match="a name of 260 bytes, disks take 255"):
        nightfx.render(colon, tmp_path / f"{'n' * 256}.mp4", preset=identity)


def test_what_is_no_file_is_refused_at_once(tmp_path: Path, identity: Preset) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(SourceError, match="is a pipe or a device: save it as a file"):
        nightfx.render(tmp_path / "pipe.mp4", preset=identity)
    with pytest.raises(SourceError, match="no such file: name a file by its path alone"):
        nightfx.render("file:a.mp4", preset=identity)


@pytest.mark.parametrize("name", ["missing.mp4", "text.mp4", "folder.mp4", "empty.mp4"])
def test_what_is_no_clip_is_one_clear_line(name: str, tmp_path: Path, identity: Preset) -> None:
    (tmp_path / "text.mp4").write_text("this is not a clip, it is a sentence")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(SourceError, match=name) as caught:
        nightfx.render(tmp_path / name, preset=identity)
    assert "\n" not in str(caught.value)


def truncated(tmp_path: Path) -> Path:
    whole = make_clip(
        tmp_path / "whole.mp4", Clip(count=48, container_options={"movflags": "faststart"})
    )
    data = whole.read_bytes()
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(data[: len(data) * 2 // 3])
    return broken


def test_a_truncated_clip_is_refused_with_the_number_of_good_frames(
    tmp_path: Path, identity: Preset
) -> None:
    source = truncated(tmp_path)
    with pytest.raises(DamagedSourceError, match=r"damaged: \d+ .*frames decode; --keep-going"):
        nightfx.render(source, preset=identity)
    assert not list(tmp_path.glob("*.identity.*")) + list(tmp_path.glob("*.part"))


def test_keep_going_renders_what_decodes(
    tmp_path: Path, identity: Preset, caplog: pytest.LogCaptureFixture
) -> None:
    source = truncated(tmp_path)
    with caplog.at_level(logging.WARNING):
        target = nightfx.render(
            source, preset=identity, options=nightfx.RenderOptions.of(keep_going=True)
        )
    assert 0 < len(frames_of(target)) < 48
    assert "damaged" in caplog.text


def test_an_error_half_way_leaves_nothing(
    tmp_path: Path, halving: Preset, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_clip(tmp_path / "plate.mp4", Clip(count=12))
    real, calls = apply_light, []

    def fail_late(*args: object) -> Frame:
        calls.append(1)
        if len(calls) == 6:
            raise PresetError("broken half-way")
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr("nightfx.apply.change.apply_light", fail_late)
    before = set(tmp_path.iterdir())
    with pytest.raises(PresetError, match="broken half-way"):
        nightfx.render(source, preset=halving)
    assert set(tmp_path.iterdir()) == before
    assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]


@pytest.mark.parametrize(
    ("mode", "suffix"), [("RGB", ".png"), ("RGBA", ".png"), ("RGB", ".jpg"), ("L", ".png")]
)
def test_a_picture_works_too(mode: str, suffix: str, tmp_path: Path, halving: Preset) -> None:
    colour = Image.new("RGBA", (33, 21), (200, 120, 40, 77)).convert(mode)
    colour.save(tmp_path / f"still{suffix}")
    target = nightfx.render(tmp_path / f"still{suffix}", preset=halving)
    assert target.name == f"still.halving{suffix}"
    with Image.open(target) as image:
        assert image.mode == ("RGB" if mode == "L" else mode)  # light has a colour
        got, wanted = (np.asarray(x.convert("RGBA"), float)[5, 5] for x in (image, colour))
    np.testing.assert_allclose(got[:3], wanted[:3] / 2, atol=3 if suffix == ".jpg" else 1)
    assert got[3] == wanted[3]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"end_seconds": float("inf")}, "are seconds, got 0.0 and inf"),
        ({"strength": 2.0}, "--strength must be from 0 to 1, got 2"),
        ({"tile_px": 100}, "--tile-px must be a multiple of 8, or whole, got 100"),
        ({"field_every": 3}, "--field-every must be auto, 1, 2 or 4, got 3"),
        ({"lock": True, "lock_to": Path("a")}, "give one of them"),
        ({"steady": 1.0}, "--steady must be from 0 to 0.99, got 1"),
        ({"working_height": 8}, "--working-height must be from 64 to 2160 px, got 8"),
        ({"method": "magic"}, "--method must be tiles or relight, got 'magic'"),
        ({"start_seconds": 2.0, "end_seconds": 1.0}, "--end must be after --start"),
        ({"frames": (5, 4)}, "--frames must be FIRST-LAST, such as 1001-1048, got 5-4"),
        ({"frames": (1, 4), "end_seconds": 1.0}, "both say where to begin"),
    ],
)
def test_contradictory_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        nightfx.RenderOptions.of(**options)


def test_a_codec_can_be_asked_for(tmp_path: Path, identity: Preset) -> None:
    source = make_clip(tmp_path / "plate.mp4", Clip(count=3))
    options = nightfx.RenderOptions.of(encode=EncodeOptions(codec="prores"))
    target = nightfx.render(source, preset=identity, options=options)
    assert target.suffix == ".mov"
    with Reader(target) as reader:
        assert reader.info.codec == "prores"


def test_every_error_is_a_nightfx_error(tmp_path: Path) -> None:
    with pytest.raises(NightfxError):
        nightfx.render(tmp_path / "missing.mp4")


def test_a_locked_shot_leaves_its_lock_beside_the_output(tmp_path: Path, halving: Preset) -> None:
    source = make_clip(tmp_path / "plate.mkv", Clip("ffv1", "yuv420p10le", count=4))
    lock = nightfx.RenderOptions.of(method="relight", lock=True)
    target = nightfx.render(source, preset=halving, options=lock)
    sidecar = tmp_path / "plate.halving.lock.json"
    np.testing.assert_allclose(load_lock(sidecar).stops, -1, atol=0.05)
    held = nightfx.RenderOptions.of(method="relight", lock_to=sidecar)
    other = nightfx.render(source, tmp_path / "other.mkv", preset=halving, options=held)
    assert_same_within_a_code(target, other)


def test_a_lock_needs_a_field(tmp_path: Path, identity: Preset) -> None:
    source = make_clip(tmp_path / "plate.mkv", Clip("ffv1", count=1))
    options = nightfx.RenderOptions.of(method="tiles", lock=True)
    with pytest.raises(UsageError, match="--lock and --lock-to need --method relight"):
        nightfx.render(source, preset=identity, options=options)


def test_another_shots_lock_sets_the_exposure(tmp_path: Path, identity: Preset) -> None:
    source = make_clip(tmp_path / "plate.mkv", Clip("ffv1", "yuv420p10le", count=2))
    Lock((-1.0, -1.0, -1.0)).save(tmp_path / "a.lock.json")
    options = nightfx.RenderOptions.of(method="relight", lock_to=tmp_path / "a.lock.json")
    target = nightfx.render(source, preset=identity, options=options)
    for a, b in zip(frames_of(source), frames_of(target), strict=True):
        wanted = (a.planes[0].astype(float) - 64) / 2 + 64
        assert np.abs(wanted - b.planes[0]).max() <= 3


def test_carried_fields_render_every_frame(tmp_path: Path, halving: Preset) -> None:
    source = make_clip(tmp_path / "plate.mkv", Clip("ffv1", "yuv420p10le", count=30))
    renders = [
        nightfx.render(
            source,
            tmp_path / f"{every}.mkv",
            preset=halving,
            options=nightfx.RenderOptions.of(method="relight", field_every=every),
        )
        for every in (1, 4, "auto")
    ]
    assert_same_within_a_code(*renders[:2])
    assert_same_within_a_code(renders[0], renders[2])
