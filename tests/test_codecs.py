"""Every codec in every container: its depth, chroma and alpha, and what is said where they do not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from media import Clip, apart, image, make_clip, pattern
from numpy.typing import NDArray

import nightfx
from nightfx.apply.field import apply_field, identity_field
from nightfx.apply.planes import apply_light
from nightfx.carry.formats import FORMATS
from nightfx.errors import TargetError, UsageError
from nightfx.options.encode import EncodeOptions
from nightfx.picture.coding import coding_of
from nightfx.picture.color import convert_alpha, from_rgb, to_rgb
from nightfx.picture.frame import Coding, Frame
from nightfx.source.probe import ClipInfo
from nightfx.source.reader import Reader
from nightfx.target.codecs import OutputPlan, plan_output
from nightfx.target.writer import write_clip

SIZE = (120, 256)  # the smallest that DNxHR has
LIMITED, RGB = (1, 1, 1, 1), (1, 1, 0, 2)


def plate(tmp_path: Path, pix_fmt: str, **changes: Any) -> Path:
    """A lossless clip of two known pictures."""
    tags = RGB if "gb" in pix_fmt or "bgr" in pix_fmt else LIMITED
    pix_fmt = {"gbrp": "bgr0"}.get(pix_fmt, pix_fmt)  # as FFV1 takes it
    clip = Clip("ffv1", pix_fmt, size=SIZE, count=2, tags=tags)
    return make_clip(tmp_path / "plate.mkv", replace(clip, **changes))


def rendered(
    source: Path, target: Path, options: EncodeOptions
) -> tuple[OutputPlan, ClipInfo, list[Frame], list[Frame]]:
    """Render without a change of light; return the plan, what was written, and both clips' frames."""
    call = (source, target, options)
    plan = apart(render_unchanged, *call) if options.codec == "av1" else render_unchanged(*call)
    with Reader(source) as reader:
        plates = list(reader.frames())
    with Reader(target) as reader:
        return plan, reader.info, plates, list(reader.frames())


def render_unchanged(source: Path, target: Path, options: EncodeOptions) -> OutputPlan:
    notes: list[str] = []
    with Reader(source) as reader:
        plan, same = plan_output(reader.info, target.suffix, options), identity_field(3, 4)
        lit = (apply_field(f, same, plan.coding, dither=False) for f in reader.frames())
        write_clip(lit, target, source=source, info=reader.info, plan=plan, on_note=notes.append)
    assert notes == []
    return plan


def off(one: Frame, other: Frame) -> float:
    """Mean difference of two pictures, in codes of 10 bits."""
    return float(np.abs(to_rgb(one) - to_rgb(other)).mean() * 876)


QUICK: dict[str, Any] = {"crf": 1, "speed": "ultrafast"}
QUALITY = {"h264": QUICK, "h265": QUICK, "av1": {"crf": 1}}
# codec and container, the plate's pixel format, what is encoded, what is decoded, and codes of 10 bits on average
CODECS: list[tuple[str, str, str, str, str, float]] = [
    ("h264", ".mp4", "yuv420p", "yuv420p", "yuv420p", 2.5),
    ("h264", ".mkv", "yuv422p", "yuv422p", "yuv422p", 2.5),
    ("h264", ".mov", "yuv444p10le", "yuv444p10le", "yuv444p10le", 4.5),
    ("h264", ".m4v", "yuv420p16le", "yuv420p10le", "yuv420p10le", 2.5),
    ("h265", ".mp4", "yuv420p", "yuv420p10le", "yuv420p10le", 3),
    ("h265", ".mkv", "yuv422p10le", "yuv422p10le", "yuv422p10le", 3.5),
    ("h265", ".mov", "yuv444p12le", "yuv444p12le", "yuv444p12le", 5),
    ("h265", ".mp4", "gbrp16le", "yuv444p12le", "yuv444p12le", 4),
    ("h265", ".mp4", "gray10le", "yuv420p10le", "yuv420p10le", 2.5),
    ("av1", ".mp4", "yuv420p", "yuv420p10le", "yuv420p10le", 2),
    ("av1", ".mkv", "yuv420p12le", "yuv420p10le", "yuv420p10le", 2),
    ("prores-proxy", ".mov", "yuv422p10le", "yuv422p10le", "yuv422p10le", 18),
    ("prores-lt", ".mov", "yuv422p10le", "yuv422p10le", "yuv422p10le", 8),
    ("prores-422", ".mxf", "yuv422p", "yuv422p10le", "yuv422p10le", 6),
    ("prores-hq", ".mov", "yuv422p12le", "yuv422p10le", "yuv422p10le", 4),
    ("prores-4444", ".mov", "yuv444p10le", "yuv444p10le", "yuv444p12le", 3.5),
    ("prores-4444", ".mxf", "yuva444p10le", "yuva444p10le", "yuva444p12le", 1),
    ("prores-xq", ".mov", "gbrap10le", "yuva444p10le", "yuva444p12le", 1),
    ("prores", ".mov", "gbrp", "yuv444p10le", "yuv444p12le", 3),
    ("dnxhr-lb", ".mov", "yuv422p", "yuv422p", "yuv422p", 11),
    ("dnxhr-sq", ".mxf", "yuv422p", "yuv422p", "yuv422p", 11),
    ("dnxhr-hq", ".mov", "yuv422p", "yuv422p", "yuv422p", 5),
    ("dnxhr-hqx", ".mxf", "yuv422p10le", "yuv422p10le", "yuv422p10le", 5),
    ("dnxhr-444", ".mov", "yuv444p12le", "yuv444p10le", "yuv444p10le", 4.5),
    ("dnxhr-444", ".mxf", "gbrp10le", "gbrp10le", "gbrp10le", 3),
    ("dnxhr", ".mov", "yuv422p16le", "yuv422p10le", "yuv422p10le", 5),
    ("ffv1", ".mkv", "yuv420p12le", "yuv420p12le", "yuv420p12le", 0),
    ("ffv1", ".mkv", "yuva444p16le", "yuva444p16le", "yuva444p16le", 0),
    ("ffv1", ".mkv", "gbrp", "bgr0", "gbrp", 0),
    ("ffv1", ".mkv", "gbrap12le", "gbrap12le", "gbrap12le", 0),
    ("ffv1", ".mkv", "gray16le", "gray16le", "gray16le", 0),
]  # fmt: skip


def test_every_codec_that_is_written_is_in_the_list() -> None:
    assert {case[0] for case in CODECS} >= set(FORMATS)


@pytest.mark.parametrize("case", CODECS, ids=lambda c: f"{c[0]}{c[1]}-{c[2]}")
def test_a_codec_holds_what_it_says(
    tmp_path: Path, case: tuple[str, str, str, str, str, float]
) -> None:
    codec, suffix, pix_fmt, encoded, decoded, codes = case
    options = EncodeOptions(codec=codec, **QUALITY.get(codec, {}))  # type: ignore[arg-type]
    source, target = plate(tmp_path, pix_fmt), tmp_path / f"out{suffix}"
    plan, info, plates, written = rendered(source, target, options)
    assert (plan.pix_fmt, info.coding.pix_fmt) == (encoded, decoded)
    assert info.tags.primaries == info.tags.transfer == 1
    assert info.coding.matrix == plan.coding.matrix
    assert info.coding.full_range == plan.coding.full_range
    for a, b in zip(plates, written, strict=True):
        assert off(a, b) <= codes, off(a, b)
        if plan.coding.has_alpha:
            alpha = a.planes[-1], convert_alpha(b.planes[-1], b.coding.depth, a.coding.depth)
            assert np.abs(alpha[0].astype(int) - alpha[1]).max() <= (0 if codec == "ffv1" else 1)
    if codec in FORMATS:
        assert plan.codec == codec
        assert own_codec(info) == codec


def own_codec(info: ClipInfo) -> str:
    """The codec that a render of this clip would be written in."""
    plan = plan_output(info, None, EncodeOptions())
    movie = {"h264": "h264", "hevc": "h265", "av1": "av1"}
    return movie.get(info.codec, plan.codec)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p", "yuv444p12le", "yuva444p10le"])
@pytest.mark.parametrize("depth", [10, 16])
@pytest.mark.parametrize("way", ["field", "light"])
def test_more_bits_are_the_same_codes_with_zeros_behind(pix_fmt: str, depth: int, way: str) -> None:
    frame = frame_of(pix_fmt)
    own = frame.coding
    deep = replace(own, depth=max(depth, own.depth), pix_fmt="deep")
    if way == "field":
        got = apply_field(frame, identity_field(2, 3), deep)
    else:
        rgb = to_rgb(frame)
        got = apply_light(frame, rgb, np.ones_like(rgb), np.zeros_like(rgb), deep)
    shift = deep.depth - own.depth
    assert got.coding == deep
    for a, b in zip(frame.planes[:3], got.planes[:3], strict=True):
        assert np.abs((a.astype(int) << shift) - b).max() <= (1 if deep.depth == 16 else 0)
    if own.has_alpha:
        np.testing.assert_array_equal(
            got.planes[3], convert_alpha(frame.planes[3], own.depth, deep.depth)
        )


def frame_of(pix_fmt: str, size: tuple[int, int] = (31, 44)) -> Frame:
    from nightfx.picture.coding import frame_of as taken

    return taken(image(pattern(0, pix_fmt, size), pix_fmt))


@pytest.mark.parametrize("full", [False, True])
def test_rgb_becomes_the_yuv_of_its_definition(full: bool) -> None:
    frame = frame_of("gbrp12le")
    coding = Coding("yuv444p10le", 10, 0, 0, "bt2020", full, False)
    wanted = from_rgb(to_rgb(frame), coding)
    for a, b in zip(wanted, apply_field(frame, identity_field(1, 1), coding).planes, strict=True):
        assert np.abs(a.astype(int) - b).max() <= 1


def dark_ramp(tmp_path: Path, pix_fmt: str) -> tuple[Path, NDArray[np.uint16]]:
    """A night sky: black to an eighth of white, as fine as the format has codes."""
    frame = frame_of(pix_fmt, SIZE)
    depth = frame.coding.depth
    top = 128 << (depth - 8) >> 2
    ramp = np.tile(np.linspace(16 << (depth - 8), top, SIZE[1]).round(), (SIZE[0], 1))
    planes = [np.full_like(plane, 1 << (depth - 1)) for plane in frame.planes]
    planes[0] = ramp.astype(frame.coding.dtype)
    path = tmp_path / "ramp.mkv"
    with av.open(path, "w") as out:
        video = out.add_stream("ffv1", rate=24)
        video.height, video.width, video.pix_fmt = *SIZE, pix_fmt
        made = image(tuple(planes), pix_fmt)
        made.colorspace = made.color_range = 1
        out.mux(video.encode(made))
        out.mux(video.encode(None))
    return path, planes[0]


@pytest.mark.parametrize(
    ("codec", "suffix", "pix_fmt"),
    [
        ("h264", ".mp4", "yuv420p10le"),
        ("h265", ".mp4", "yuv420p12le"),
        ("av1", ".mp4", "yuv420p10le"),
        ("prores-hq", ".mov", "yuv422p10le"),
        ("prores-4444", ".mov", "yuv444p10le"),
        ("dnxhr-hqx", ".mov", "yuv422p10le"),
        ("ffv1", ".mkv", "yuv422p16le"),
    ],
)
def test_a_dark_ramp_keeps_its_codes(tmp_path: Path, codec: Any, suffix: str, pix_fmt: str) -> None:
    source, ramp = dark_ramp(tmp_path, pix_fmt)
    _, info, _, (written,) = rendered(source, tmp_path / f"out{suffix}", EncodeOptions(codec=codec))
    luma = written.planes[0] >> max(info.coding.depth - frame_of(pix_fmt).coding.depth, 0)
    assert len(np.unique(luma)) >= 0.9 * len(np.unique(ramp))
    assert np.diff(luma.astype(float).mean(0).round(2)).min() > -1.5  # no steps back: no bands


DEFAULTS: list[tuple[str, str, str, str, tuple[str, str, str]]] = [
    # codec, profile, pixel format and file of the source; codec, suffix and pixel format of the render
    ("h264", "High 10", "yuv420p10le", "a.mp4", ("h265", ".mp4", "yuv420p10le")),
    ("hevc", "Rext", "yuv422p12le", "a.mov", ("h265", ".mov", "yuv422p12le")),
    ("prores", "LT", "yuv422p10le", "a.mxf", ("prores-lt", ".mxf", "yuv422p10le")),
    ("prores", "XQ", "yuva444p12le", "a.mov", ("prores-xq", ".mov", "yuva444p10le")),
    ("dnxhd", "DNXHR SQ", "yuv422p", "a.mxf", ("dnxhr-sq", ".mxf", "yuv422p")),
    ("dnxhd", "DNXHR 444", "gbrp10le", "a.mov", ("dnxhr-444", ".mov", "gbrp10le")),
    ("dnxhd", "DNXHD", "yuv422p10le", "a.mov", ("dnxhr-hqx", ".mov", "yuv422p10le")),
    ("dnxhd", "DNXHD", "yuv422p", "a.mxf", ("dnxhr-hq", ".mxf", "yuv422p")),
    ("png", "", "gbrap", "a.mov", ("prores-4444", ".mov", "yuva444p10le")),
    ("png", "", "gbrap16le", "a.mov", ("ffv1", ".mkv", "gbrap16le")),
    ("png", "", "gbrp16le", "a.mov", ("ffv1", ".mkv", "gbrp16le")),
    ("vp9", "", "yuva420p", "a.mkv", ("ffv1", ".mkv", "yuva420p")),
    ("jpeg2000", "", "gbrp12le", "a.mxf", ("h265", ".mp4", "yuv444p12le")),
]


def source_of(tmp_path: Path, codec: str, profile: str, pix_fmt: str, file: str) -> ClipInfo:
    with Reader(make_clip(tmp_path / "plan.mp4", Clip(count=1, size=SIZE))) as reader:
        info = reader.info
    return replace(
        info,
        codec=codec,
        profile=profile,
        path=Path(file),
        container={"mkv": "matroska,webm"}.get(file[2:], file[2:]),
        coding=replace(frame_of(pix_fmt).coding),
    )


@pytest.mark.parametrize("case", DEFAULTS, ids=lambda c: f"{c[0]}-{c[1]}-{c[2]}")
def test_a_render_keeps_the_depth_and_the_profile(
    tmp_path: Path, case: tuple[str, str, str, str, tuple[str, str, str]]
) -> None:
    info = source_of(tmp_path, *case[:4])
    plan = plan_output(info, None, EncodeOptions())
    assert (plan.codec, plan.suffix, plan.pix_fmt) == case[4]


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [(".mp4", "h265"), (".mov", "prores-hq"), (".mxf", "prores-hq"), (".mkv", "h265")],
)
def test_a_container_that_is_asked_for_chooses_the_codec(
    tmp_path: Path, suffix: str, codec: str
) -> None:
    info = source_of(tmp_path, "prores", "HQ", "yuv422p10le", "a.mov")
    assert plan_output(info, suffix, EncodeOptions()).codec == codec


LINES: list[tuple[str, dict[str, Any], str]] = [
    ("yuva444p10le", {"codec": "h265"}, "H.265 has no alpha: it is dropped (prores-4444 and ffv1 keep it)"),
    ("yuv444p12le", {"codec": "prores"}, "12 bits are written as 10, as FFmpeg writes ProRes 4444 (h265 and ffv1 keep them)"),
    ("yuv422p16le", {"codec": "h265"}, "16 bits are written as 12, as FFmpeg writes H.265 (ffv1 keeps them)"),
    ("yuv420p10le", {"codec": "h264", "depth": 8}, "10 bits are written as 8, as asked (h265, prores-4444 and ffv1 keep them)"),
    ("yuv420p10le", {"codec": "h264"}, "10-bit H.264 plays in few players (h265 in more; --depth 8 plays everywhere)"),
    ("yuv444p10le", {"codec": "prores-hq"}, "4:4:4 is written as 4:2:2, as FFmpeg writes ProRes HQ (h265, prores-4444 and ffv1 keep it)"),
    ("gbrp10le", {"codec": "h265"}, "RGB is written as yuv444p10le, BT.709 (ffv1 and dnxhr-444 keep RGB)"),
    ("gray", {"codec": "h264"}, "grey is written as yuv420p, since light has a colour"),
]  # fmt: skip


@pytest.mark.parametrize("case", LINES, ids=lambda c: f"{c[0]}-{c[1]['codec']}")
def test_what_a_codec_cannot_hold_is_said_with_one_that_can(
    tmp_path: Path, case: tuple[str, dict[str, Any], str]
) -> None:
    pix_fmt, options, line = case
    info = source_of(tmp_path, "png", "", pix_fmt, "a.mov")
    notes = plan_output(info, None, EncodeOptions(**options)).notes
    assert line in notes
    assert len(notes) == 1


@pytest.mark.parametrize("codec", FORMATS)
def test_every_chroma_has_a_plan_in_every_codec(tmp_path: Path, codec: Any) -> None:
    info = source_of(tmp_path, "png", "", "yuv420p", "a.mov")
    for sub in ("420", "422", "444", "411", "440"):
        coding = coding_of(av.VideoFrame(64, 64, f"yuv{sub}p"))
        plan = plan_output(replace(info, coding=coding), None, EncodeOptions(codec=codec))
        encoder = av.Codec(plan.encoder, "w")
        assert plan.pix_fmt in {form.name for form in encoder.video_formats or ()}


def test_full_range_is_said_to_become_limited(tmp_path: Path) -> None:
    info = source_of(tmp_path, "h264", "", "yuv422p", "a.mov")
    info = replace(info, coding=replace(info.coding, full_range=True))
    plan = plan_output(info, None, EncodeOptions(codec="dnxhr"))
    assert plan.notes == (
        "full range is written as limited, as DNxHR HQ is (h265 and ffv1 keep it)",
    )
    assert (plan.coding.full_range, plan.tags.range) == (False, 1)


@pytest.mark.parametrize("suffix", [".mov", ".mxf"])
@pytest.mark.parametrize("tags", [(9, 16, 9, 1), (1, 1, 1, 1)], ids=["bt2020", "bt709"])
def test_dnxhr_names_the_matrix_that_it_was_made_with(
    tmp_path: Path, suffix: str, tags: tuple[int, int, int, int]
) -> None:
    source = plate(tmp_path, "yuv422p10le", tags=tags)
    target = tmp_path / f"out{suffix}"
    _, info, *_ = rendered(source, target, EncodeOptions(codec="dnxhr"))
    assert (info.tags.primaries, info.tags.transfer, info.tags.matrix) == tags[:3]


def test_prores_takes_odd_sizes(tmp_path: Path) -> None:
    source = plate(tmp_path, "yuv422p10le", size=(47, 63))
    _, info, (a, _), (b, _) = rendered(source, tmp_path / "b.mov", EncodeOptions(codec="prores"))
    assert (info.width, info.height, info.profile) == (63, 47, "HQ")
    assert off(a, b) < 4


def test_dnxhr_refuses_what_is_smaller_than_its_blocks(tmp_path: Path) -> None:
    info = replace(source_of(tmp_path, "h264", "", "yuv420p", "a.mov"), width=128, height=96)
    with pytest.raises(TargetError, match="DNxHR begins at 256x120, this is 128x96: use --codec"):
        plan_output(info, None, EncodeOptions(codec="dnxhr"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"codec": "vp9"}, "codec must be h264, h265, av1, prores-proxy"),
        ({"codec": "dnxhr-hq", "crf": 3}, "crf does not apply to dnxhr-hq"),
        ({"codec": "prores", "depth": 10}, "depth does not apply to prores"),
        ({"depth": 9}, "depth must be 8, 10 or 12, got 9"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        EncodeOptions(**options)


def test_a_depth_that_the_codec_lacks_is_refused(tmp_path: Path) -> None:
    info = source_of(tmp_path, "h264", "", "yuv420p", "a.mov")
    with pytest.raises(UsageError, match=r"H\.264 is written at 8 or 10 bits, not 12"):
        plan_output(info, None, EncodeOptions(codec="h264", depth=12))


def test_what_mxf_cannot_hold_is_said_beforehand(tmp_path: Path) -> None:
    source = tmp_path / "a.mov"
    make_clip(source, Clip("dnxhd", "yuv422p", SIZE, options={"profile": "dnxhr_hq"}))
    with Reader(source) as reader:
        info = replace(reader.info, interlaced=True, field_order=2)
    plan = plan_output(info, ".mxf", EncodeOptions(codec="prores"))
    assert plan.notes == (
        "MXF has no times of its own: frames are counted at 24.000 fps (mov keeps them)",
        "MXF names no languages, chapters or titles (mov does), and its sound ends with the picture",
        "MXF calls the clip progressive: only its pictures say their field order (mov says it too)",
    )


def test_h264_has_the_same_bits_at_each_run(tmp_path: Path) -> None:
    # x264's tree of macroblocks reads what is left in memory where it uses AVX-512
    source = make_clip(tmp_path / "plate.mkv", Clip("ffv1", size=(32, 48), count=12))
    hashes = set()
    for index in range(6):
        ballast = [np.random.default_rng(i).random(1 << 18) for i in range(index)]
        target = nightfx.render(
            source, tmp_path / f"{index}.mp4", options=nightfx.RenderOptions.of(strength=0.0)
        )
        hashes.add(target.read_bytes())
        del ballast
    assert len(hashes) == 1
