"""Lists and timelines of other programs: the right frames are found, and all but the media comes back as it was."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import aaf2
import numpy as np
import opentimelineio as otio
import pytest
from media import Clip, make_clip, make_reel
from PIL import Image

from nightfx.batch.queue.task import Task
from nightfx.batch.queue.worker import Order, ShotTask
from nightfx.batch.shots.media import Library
from nightfx.batch.shots.otio_file import OtioFile
from nightfx.batch.shots.relink import try_write, write_cut
from nightfx.batch.shots.timeline import Cut, read_cut
from nightfx.errors import SourceError, TargetError, UsageError
from nightfx.options import SourceOptions
from nightfx.source import count_frames

FILM, NTSC = Fraction(24000, 1001), Fraction(30000, 1001)


def medium(path: Path, timecode: str | None = None, rate: Fraction = FILM, count: int = 48) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return make_clip(path, Clip(size=(16, 16), count=count, rate=rate, timecode=timecode))


def read(path: Path, handles: int = 0, rate: Fraction | None = None) -> Cut:
    root = path.parent
    library = Library(root, root / "out", root, SourceOptions())
    return read_cut(path, library, handles=handles, rate=rate)


def done(cut: Cut, out: Path) -> list[ShotTask]:
    """Tasks as after renders, of which there are only the names."""
    return [
        Task(
            Order(shot, out, "night", shot.flags, 9.0),
            state="done",
            target=f"{shot.stem}.night{shot.source.suffix}",
        )
        for shot in cut.shots
    ]


def written(cut: Cut) -> Path:
    out = cut.path.parent / "out"
    out.mkdir(exist_ok=True)
    try_write(cut, out)
    return write_cut(cut, done(cut, out), out)


def frames(cut: Cut) -> list[tuple[str, int, int]]:
    root = cut.path.parent
    return [(str(u.medium.path.relative_to(root)), u.first, u.end) for u in cut.uses]


def event(number: int, reel: str, times: str, kind: str = "C") -> str:
    return f"{number:03d}  {reel}  V     {kind}        {times}\n"


def edl(path: Path, *lines: str) -> Path:
    path.write_text("TITLE: CUT\nFCM: NON-DROP FRAME\n\n" + "".join(lines), newline="")
    return path


def test_a_list_keeps_its_wipe_its_counting_and_its_ends_of_lines(tmp_path: Path) -> None:
    medium(tmp_path / "A.mov", "01:00:58;00", NTSC, 120)
    medium(tmp_path / "B.mov", "02:00:00;00", NTSC, 120)
    text = """TITLE: DF
FCM: DROP FRAME

001  A  V     C        01:00:59;00 01:01:00;10 01:00:00;00 01:00:01;08
* FROM CLIP NAME: A.mov
* ASC_SOP (1 1 1)(0 0 0)(1 1 1)
002  A  V     C        01:01:00;10 01:01:00;10 01:00:01;08 01:00:01;08
002  B  V     W001 010 02:00:01;00 02:00:02;00 01:00:01;08 01:00:02;08
* FROM CLIP NAME: A.mov
* TO CLIP NAME: B.mov
003  TAPE7  AA    C        02:00:02;00 02:00:03;00 01:00:02;08 01:00:03;08
""".replace("\n", "\r\n")
    (tmp_path / "cut.edl").write_text(text, newline="")
    cut = read(tmp_path / "cut.edl")
    assert frames(cut) == [("A.mov", 30, 68), ("A.mov", 68, 78), ("B.mov", 30, 60)]
    now = written(cut).read_bytes().decode()
    a, b = "A_1031-1078.night", "B_1031-1060.night"
    assert now == text.replace("  A  ", f"  {a}  ").replace("  B  ", f"  {b}  ").replace(
        "A.mov", f"{a}.mov"
    ).replace("B.mov", f"{b}.mov")
    track = otio.adapters.read_from_string(now, "cmx_3600", rate=float(NTSC)).tracks[0]
    assert track[1].transition_type == "SMPTE_Wipe"


def test_a_reel_that_is_no_file_name_stays_and_a_name_is_added(tmp_path: Path) -> None:
    medium(tmp_path / "TAPE0001_take4.mov", "01:00:00:00")
    times = "01:00:00:10 01:00:00:20 00:00:00:00 00:00:00:10"
    now = written(read(edl(tmp_path / "cut.edl", event(1, "TAPE0001", times)))).read_text()
    assert now.splitlines()[3:] == [
        event(1, "TAPE0001", times).rstrip(),
        "* FROM CLIP NAME: TAPE0001_take4_1011-1020.night.mov",
    ]


def test_one_bad_event_is_told_by_its_number_and_the_others_are_rendered(tmp_path: Path) -> None:
    medium(tmp_path / "A.mov", "01:00:00:00")
    lines = [
        event(1, "A", "01:00:00:00 01:00:00:10 00:00:00:00 00:00:00:10"),
        event(2, "A", "01:00:00:10 01:00:00:21 00:00:00:10 00:00:00:20"),
        event(3, "A", "01:00:00:10 01:00:00:29 00:00:00:10 00:00:00:20"),
        event(4, "A", "01:00:01:10 01:00:01:00 00:00:00:10 00:00:00:00"),
        event(5, "A", "01:00:00:1 01:00:01:00 00:00:00:10 00:00:00:00"),
        event(6, "A", "01:00:01:00 01:00:01:10 00:00:00:20 00:00:01:06"),
        "007 what somebody typed into the list\n",
    ]
    cut = read(edl(tmp_path / "cut.edl", *lines))
    assert frames(cut) == [("A.mov", 0, 10), ("A.mov", 24, 34)]
    broken, typed, length, rate, order = cut.remarks
    assert typed.startswith("event 007: cannot be read: 007 what somebody typed")
    assert broken.startswith("event 005: cannot be read: 005 A V C 01:00:00:1 ")
    assert "event 002: left as it is: its source runs 11 frames, its record 10" in length
    assert "event 003: left as it is: 01:00:00:29 has no place at 24 frames a second: --fps" in rate
    assert "event 004: left as it is: its source ends before it begins" in order
    now = written(cut).read_text().splitlines()
    assert now[5:9] == [line.rstrip() for line in lines[1:5]]


def test_an_event_that_is_longer_than_its_file_is_told(tmp_path: Path) -> None:
    medium(tmp_path / "A.mov", "01:00:00:00")

    late = edl(
        tmp_path / "cut.edl", event(1, "A", "01:00:01:00 01:01:01:00 00:00:00:00 00:01:00:00")
    )
    (remark,) = read(late).remarks
    assert remark.startswith("A event 001: its file ends ")
    assert remark.endswith(f"frames before it does, which stay without media: {tmp_path / 'A.mov'}")


def test_a_reel_is_known_by_what_the_file_says_of_it(tmp_path: Path) -> None:
    medium(tmp_path / "B.mov", "02:00:00:00")
    make_reel(tmp_path / "x1.mov", "01:00:00:00", "A001C002", 24)
    times = "01:00:00:00 01:00:00:10 00:00:00:00 00:00:00:10"
    assert frames(read(edl(tmp_path / "cut.edl", event(1, "A001C002", times)))) == [
        ("x1.mov", 0, 10)
    ]


def test_a_list_of_another_rate_is_read_at_the_rate_that_is_said(tmp_path: Path) -> None:
    medium(tmp_path / "A.mov", "01:00:00:00", Fraction(25))
    path = edl(
        tmp_path / "cut.edl", event(1, "A", "01:00:00:15 01:00:01:00 00:00:00:00 00:00:00:15")
    )
    with pytest.raises(SourceError, match="event 001: left as it is: its source runs 10 frames"):
        read(path)
    assert frames(read(path, rate=Fraction(30))) == [("A.mov", 12, 25)]


@pytest.mark.parametrize("rate", [FILM, Fraction(24), NTSC, Fraction(25)])
def test_files_of_one_name_are_told_apart_by_timecode(rate: Fraction, tmp_path: Path) -> None:
    medium(tmp_path / "d1" / "A001.mov", "00:59:50:00", rate)
    medium(tmp_path / "d2" / "A001.mov", "01:00:00:00", rate)
    lines = [
        event(1, "A001", "01:00:01:00 01:00:01:12 00:00:00:00 00:00:00:12"),
        event(2, "A001", "00:59:50:12 00:59:51:00 00:00:00:12 00:00:01:00"),
    ]
    fps = round(rate)
    lines[1] = (
        lines[1]
        if fps == 24
        else event(
            2, "A001", f"00:59:50:12 00:59:50:24 00:00:00:12 00:00:00:{24 if fps > 24 else 0:02d}"
        )
    )
    cut = read(edl(tmp_path / "cut.edl", *lines))
    assert frames(cut) == [("d2/A001.mov", fps, fps + 12), ("d1/A001.mov", 12, 24)]


def test_media_at_twice_the_rate_of_a_list_has_twice_the_frames(tmp_path: Path) -> None:
    medium(tmp_path / "B.mov", "01:00:00:00", 2 * NTSC, 150)
    times = "01:00:01:03 01:00:02:00 00:00:00:00 00:00:00:27"
    cut = read(edl(tmp_path / "cut.edl", event(1, "B", times)), handles=3)
    assert frames(cut) == [("B.mov", 66, 120)]
    assert cut.uses[0].base == 62  # the list can name every other frame as the first


def test_a_file_without_timecode_counts_from_its_render(tmp_path: Path) -> None:
    medium(tmp_path / "A.mov")
    path = edl(
        tmp_path / "cut.edl",
        event(1, "A", "00:00:00:10 00:00:00:20 01:00:00:00 01:00:00:05"),
        "M2   A       048.0                00:00:00:10\n",
    )
    cut = read(path, handles=2)
    assert cut.remarks == ["A event 001: retimed to 200%: that stays with the timeline"]
    name = "A_1009-1022.night"
    assert written(cut).read_text().splitlines()[3:] == [
        event(1, name, "00:00:00:02 00:00:00:12 01:00:00:00 01:00:00:05").rstrip(),
        f"M2   {name}       048.0                00:00:00:02",
        f"* FROM CLIP NAME: {name}.mov",
    ]


@pytest.mark.parametrize(("mark", "rate"), [(":", FILM), (";", NTSC), (":", NTSC)])
def test_media_may_run_over_midnight(mark: str, rate: Fraction, tmp_path: Path) -> None:
    medium(tmp_path / "C.mov", f"23:59:59{mark}00", rate)
    lines = [
        event(1, "C", f"00:00:00{mark}06 00:00:00{mark}12 00:00:00{mark}00 00:00:00{mark}06"),
        event(2, "C", f"23:59:59{mark}12 00:00:00{mark}06 23:59:59{mark}12 00:00:00{mark}06"),
    ]
    fps = round(rate)
    cut = read(edl(tmp_path / "cut.edl", *lines))
    assert frames(cut) == [("C.mov", fps + 6, fps + 12), ("C.mov", 12, fps + 6)]


def test_there_are_timecodes_that_there_are_not() -> None:
    assert count_frames("01:00:00;00", 30) == 107_892
    assert count_frames("00:01:00;02", 30) == 1800
    assert count_frames("00:01:00;01", 30) is None
    assert count_frames("00:01:00;00", 24) is None
    assert count_frames("00:00:00:24", 24) is None
    assert count_frames("00:60:00:00", 24) is None


def sequence_cut(path: Path, base: str, prefix: str, start: int = 5) -> Path:
    timeline = otio.schema.Timeline("cut")
    timeline.tracks.append(otio.schema.Track("V1", kind=otio.schema.TrackKind.Video))
    reference = otio.schema.ImageSequenceReference(
        base, prefix, ".png", 1001, 1, 24.0, 4, available_range=span(0, 20)
    )
    timeline.tracks[0].append(otio.schema.Clip("sh010", reference, span(start, 4)))
    otio.adapters.write_to_file(timeline, str(path))
    return path


def span(start: int, length: int) -> Any:
    times = (otio.opentime.RationalTime(value, 24) for value in (start, length))
    return otio.opentime.TimeRange(*times)


def numbered(folder: Path, name: str, first: int, count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(folder / f"{name}{number:04d}.png")


@pytest.mark.parametrize(
    ("base", "prefix"),
    [
        ("/gone/plates/", "sh 010."),
        ("file:///gone/plates/", "sh%20010."),
        ("file://{root}/a%20%231/", "sh%20010."),
        ("file://{root}/a #1/", "sh 010."),
        ("a #1", "sh 010."),
        (r"C:\plates" + "\\", "sh 010."),
    ],
)
def test_a_sequence_is_counted_from_the_number_its_timeline_says(
    base: str, prefix: str, tmp_path: Path
) -> None:
    numbered(tmp_path / "a #1", "sh 010.", 991, 24)
    cut = read(sequence_cut(tmp_path / "cut.otio", base.format(root=tmp_path), prefix))
    assert frames(cut) == [("a #1/sh 010.####.png", 15, 19)]  # 1006 to 1009


def test_a_sequence_that_we_wrote_is_found_again(tmp_path: Path) -> None:
    root = tmp_path / "show #2"
    numbered(root / "plates", "sh 010.", 991, 24)
    cut = read(sequence_cut(root / "cut.otio", "/gone/", "sh 010."), handles=1)
    out = root / "out"
    stem = cut.shots[0].stem
    numbered(out, f"{stem}.night.", 1005, 6)
    [task] = done(cut, out)
    task.target = f"{stem}.night.####.png"
    path = write_cut(cut, [task], out)
    reference = next(iter(otio.adapters.read_from_file(str(path)).find_clips())).media_reference
    assert reference.start_frame == 1005
    library = Library(tmp_path / "nowhere", tmp_path, out, SourceOptions())
    [use] = read_cut(path, library, handles=0, rate=None).uses
    assert use.medium.path == out / task.target
    assert (use.first, use.end) == (1, 5)  # 1006 to 1009


@pytest.mark.parametrize(
    "url",
    [
        r"C:\Users\ed\A001 #1 été.mov",
        r"\\nas\vol\A001 #1 été.mov",
        "file:///C:/Users/A001%20%231%20%C3%A9t%C3%A9.mov",
        "file://nas/vol/A001%20%231%20%C3%A9t%C3%A9.mov",
        "file://localhost/C%3a/x/A001%20%231%20e%CC%81te%CC%81.mov",
        "file:///Volumes/x/a001 #1 été.MOV",
    ],
)
def test_media_of_another_machine_is_found_by_name(url: str, tmp_path: Path) -> None:
    medium(tmp_path / "m" / "A001 #1 été.mov")
    cut = read(external_cut(tmp_path / "cut.otio", url))
    assert frames(cut) == [("m/A001 #1 été.mov", 5, 9)]


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("p.[0991-1014].png", 5),
        ("p.[1001-1014].png", 15),
        ("p.%04d.png", 5),
        ("p.0993.png", 7),
        ("p.####.png", 5),
    ],
)
def test_a_sequence_of_another_machine_is_found_by_name(
    name: str, first: int, tmp_path: Path
) -> None:
    numbered(tmp_path / "m", "p.", 991, 24)
    numbered(tmp_path / "m", "other.", 1, 2)
    cut = read(external_cut(tmp_path / "cut.otio", rf"C:\plates\{name}"))
    assert frames(cut) == [("m/p.####.png", first, first + 4)]


def external_cut(path: Path, url: str) -> Path:
    timeline = otio.schema.Timeline("cut")
    timeline.tracks.append(otio.schema.Track("V1", kind=otio.schema.TrackKind.Video))
    reference = otio.schema.ExternalReference(url, span(0, 48))
    timeline.tracks[0].append(otio.schema.Clip("shot", reference, span(5, 4)))
    otio.adapters.write_to_file(timeline, str(path))
    return path


def test_of_files_alike_the_one_whose_folder_is_called_so_is_taken(tmp_path: Path) -> None:
    for card in ("card1", "card2"):
        medium(tmp_path / card / "A.mov")
    for path in (r"D:\card2\A.mov", "file:///Volumes/Card2/A.mov", r"card2\A.mov"):
        cut = read(external_cut(tmp_path / "cut.otio", path))
        assert frames(cut) == [("card2/A.mov", 5, 9)]
    with pytest.raises(SourceError, match="not to be told from another"):
        read(external_cut(tmp_path / "cut.otio", r"D:\A.mov"))


def test_the_name_of_what_goes_out_follows_its_own_render(tmp_path: Path) -> None:
    for name in ("A.mov", "B.mov"):
        medium(tmp_path / name, "01:00:00:00")
    lines = [
        event(1, "X1", "01:00:00:00 01:00:00:10 00:00:00:00 00:00:00:10"),
        "* FROM CLIP NAME: A.mov\n",
        event(2, "X2", "01:00:00:10 01:00:01:00 00:00:00:10 00:00:01:00", "D    008"),
        "* FROM CLIP NAME: A.mov\n* TO CLIP NAME: B.mov\n* TO FILE: D:\\x\\B.mov\n",
    ]
    cut = read(edl(tmp_path / "cut.edl", *lines))
    assert frames(cut) == [("A.mov", 0, 18), ("B.mov", 10, 24)]
    a, b = "A_1001-1018.night.mov", "B_1011-1024.night.mov"
    text = (
        "".join(lines).replace("A.mov", a).replace("D:\\x\\B.mov", b).replace("B.mov\n*", f"{b}\n*")
    )
    assert written(cut).read_text().endswith(text)


FCPXML = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE fcpxml>
<!-- of an edit -->
<fcpxml version="1.11">
    <resources>
        <format id="r0" frameDuration="1/24s" width="16" height="16"/>
        <asset id="r1" name="timed" start="3600s" duration="2s" hasVideo="1" format="r0"><media-rep kind="original-media" src="file:///Users/x/timed.mov"/></asset>
        <asset id="r2" name="plain" start="0s" duration="2s" hasVideo="1" format="r0" src="file:///Users/x/plain.mov" uid="5"/>
    </resources>
    <project name="T"><sequence duration="4s" tcStart="3600s" tcFormat="NDF" format="r0"><spine>
        <asset-clip ref="r1" offset="3600s" name="timed" start="86410/24s" duration="10/24s"><marker start="3601s" duration="1/24s" value="here"/></asset-clip>
        <asset-clip ref="r1" enabled="0" offset="3601s" name="off" start="3601s" duration="10/24s"/>
        <asset-clip ref="r2" offset="3602s" name="plain" start="12/24s" duration="10/24s"/>
        <asset-clip ref="r2" offset="3603s" name="fast" start="0s" duration="4/24s"><timeMap><timept time="0s" value="0s" interp="linear"/><timept time="1s" value="2s" interp="linear"/></timeMap></asset-clip>
        <gap offset="3604s" duration="1s"/>
    </spine></sequence></project>
</fcpxml>
"""


def test_fcpxml_keeps_all_but_the_assets_that_its_clips_show(tmp_path: Path) -> None:
    medium(tmp_path / "timed.mov", "01:00:00:00", Fraction(24))
    medium(tmp_path / "plain.mov", None, Fraction(24))
    (tmp_path / "cut.fcpxml").write_text(FCPXML)
    cut = read(tmp_path / "cut.fcpxml", handles=2)
    assert frames(cut) == [("timed.mov", 10, 20), ("plain.mov", 12, 22), ("plain.mov", 0, 8)]
    assert len(cut.remarks) == 1
    assert "fast at 3603.00 s: retimed to 200%" in cut.remarks[0]
    now = written(cut).read_text()
    head = FCPXML[: FCPXML.index("<fcpxml version")]
    assert now.startswith(head + '<fcpxml version="1.11">')
    lines = [line for line in now.splitlines() if line not in FCPXML.splitlines()]
    url = (tmp_path / "out").as_uri()
    assert [line.strip() for line in lines] == [
        f'<asset id="r3" name="timed_1009-1022.night.mov" start="10801/3s" duration="7/12s" hasVideo="1" format="r0"><media-rep kind="original-media" src="{url}/timed_1009-1022.night.mov"/></asset>',
        f'<asset id="r4" name="plain_1001-1024.night.mov" start="0s" duration="1s" hasVideo="1" format="r0" src="{url}/plain_1001-1024.night.mov"/>',
        *[
            line.strip().replace('ref="r1"', 'ref="r3"').replace('ref="r2"', 'ref="r4"')
            for line in FCPXML.splitlines()
            if 'name="plain" start="12' in line or "<marker" in line or "<timeMap" in line
        ],
    ]


def test_fcpxml_counts_from_a_render_that_has_no_timecode(tmp_path: Path) -> None:
    medium(tmp_path / "plain.mov", None, Fraction(24))
    lines = [line for line in FCPXML.splitlines() if "r1" not in line and "timeMap" not in line]
    (tmp_path / "cut.fcpxml").write_text("\n".join(lines))
    tree = ElementTree.fromstring(written(read(tmp_path / "cut.fcpxml", handles=2)).read_text())
    assert [(asset.get("start"), asset.get("duration")) for asset in tree.iter("asset")] == [
        ("0s", "7/12s")
    ]
    assert [clip.get("start") for clip in tree.iter("asset-clip")] == ["1/12s"]


def test_fcpxml_renders_what_is_shown_alone(tmp_path: Path) -> None:
    medium(tmp_path / "plain.mov", None, Fraction(24))
    clip = '<asset-clip ref="r2" name="{}" start="{}/24s" duration="2/24s"/>'
    resources = "".join(
        [
            f'<media id="m1"><sequence><spine>{clip.format("compound", 2)}</spine></sequence></media>',
            f'<media id="m2"><sequence><spine>{clip.format("unused", 6)}</spine></sequence></media>',
            f'<media id="m3"><multicam><mc-angle>{clip.format("angle", 8)}</mc-angle></multicam></media>',
        ]
    )
    shown = [
        '<ref-clip ref="m1"/><mc-clip ref="m3"/>',
        f"<audition>{clip.format('picked', 12)}{clip.format('other', 14)}</audition>",
        f"<gap>{clip.format('connected', 20)}</gap>",
        clip.format("heard", 24).replace("/>", ' srcEnable="audio"/>'),
    ]
    head, tail = FCPXML.split("<spine>")[0], FCPXML.split("</spine>")[1]
    text = f"{head}<spine>{''.join(shown)}</spine>{tail}"
    (tmp_path / "cut.fcpxml").write_text(text.replace("</resources>", f"{resources}</resources>"))
    cut = read(tmp_path / "cut.fcpxml")
    assert frames(cut) == [("plain.mov", n, n + 2) for n in (2, 12, 20)]
    [remark] = cut.remarks
    assert remark.startswith("angle: left as it is: is an angle of a multicam clip")


XMEML = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE xmeml>
<xmeml version="5"><sequence id="s1"><name>cut</name><rate><timebase>24</timebase><ntsc>TRUE</ntsc></rate><media>
<video><track>
<clipitem id="c1"><name>A</name><enabled>TRUE</enabled><duration>48</duration><rate><timebase>24</timebase><ntsc>TRUE</ntsc></rate><start>0</start><end>10</end><in>12</in><out>22</out><pproTicksIn>127135008000</pproTicksIn><pproTicksOut>233080848000</pproTicksOut>
<file id="f1"><name>A.mov</name><pathurl>file://localhost/C%3a/x/A.mov</pathurl><rate><timebase>24</timebase><ntsc>TRUE</ntsc></rate><duration>48</duration><timecode><rate><timebase>24</timebase><ntsc>TRUE</ntsc></rate><string>01:00:00:00</string><frame>86400</frame><displayformat>NDF</displayformat></timecode></file>
<marker><name>m</name><in>15</in><out>-1</out></marker></clipitem>
<clipitem id="c2"><name>A</name><enabled>FALSE</enabled><rate><timebase>24</timebase><ntsc>TRUE</ntsc></rate><start>10</start><end>12</end><in>2</in><out>4</out><file id="f1"/></clipitem>
<clipitem id="c3"><name>B</name><rate><timebase>24</timebase><ntsc>TRUE</ntsc></rate><start>12</start><end>18</end><in>6</in><out>12</out><file id="f2"><name>B.mov</name></file><filter><effect><effectid>timeremap</effectid><parameter><parameterid>variablespeed</parameterid><value>0</value></parameter><parameter><parameterid>speed</parameterid><value>200</value></parameter><parameter><parameterid>reverse</parameterid><value>FALSE</value></parameter></effect></filter></clipitem>
</track></video>
<audio><track><clipitem id="a1"><name>A</name><start>0</start><end>10</end><in>12</in><out>22</out><file id="f1"/></clipitem></track></audio>
</media></sequence></xmeml>
"""


def test_xmeml_counts_from_the_render_and_its_sound_stays(tmp_path: Path) -> None:
    for name in ("A.mov", "B.mov"):
        medium(tmp_path / name, "01:00:00:00")
    (tmp_path / "cut.xml").write_text(XMEML)
    cut = read(tmp_path / "cut.xml", handles=4)
    assert frames(cut) == [("A.mov", 12, 22), ("B.mov", 12, 24)]
    assert "retimed to 200%: that stays with the timeline, which counts it" in cut.remarks[0]
    now = written(cut).read_text()
    assert now.startswith(XMEML[: XMEML.index("<sequence")])
    items = {item.get("id"): item for item in ElementTree.fromstring(now).iter("clipitem")}
    a, off, b, sound = (items[name] for name in ("c1", "c2", "c3", "a1"))
    spots = [a.findtext(path) for path in ("in", "out", "marker/in", "marker/out", "duration")]
    assert spots == ["4", "14", "7", "-1", "18"]
    # 254,016,000,000 a second, 8 frames less
    assert int(a.findtext("pproTicksIn") or 0) == 127135008000 - 8 * 10594584000
    assert a.findtext("file/pathurl") == (tmp_path / "out/A_1009-1026.night.mov").as_uri()
    times = [
        a.findtext(f"file/{path}") for path in ("timecode/string", "timecode/frame", "duration")
    ]
    assert times == ["01:00:00:08", "86408", "18"]
    assert off.findtext("file/pathurl") == "file://localhost/C%3a/x/A.mov"
    assert (file := sound.find("file")) is not None
    assert (file.get("id"), sound.findtext("in")) == ("f1", "12")
    assert (b.findtext("in"), b.findtext("out")) == ("6", "12")
    assert b.findtext("file/name") == "B_1001-1028.night.mov"


def test_xmeml_of_a_sequence_that_we_wrote_is_found_again(tmp_path: Path) -> None:
    numbered(tmp_path, "A.", 991, 24)
    text = XMEML.replace("A.mov", "A.0991.png").replace(
        "<in>12</in><out>22</out>", "<in>5</in><out>9</out>", 1
    )
    (tmp_path / "cut.xml").write_text(text)
    cut = read(tmp_path / "cut.xml", handles=1)
    assert frames(cut) == [("A.####.png", 5, 9)]
    out = tmp_path / "out"
    numbered(out, f"{cut.shots[0].stem}.night.", 995, 6)
    [task] = done(cut, out)
    task.target = f"{cut.shots[0].stem}.night.####.png"
    path = write_cut(cut, [task], out)
    library = Library(tmp_path / "nowhere", tmp_path, out, SourceOptions())
    [use] = read_cut(path, library, handles=0, rate=None).uses
    assert (use.medium.path, use.first, use.end) == (out / task.target, 1, 5)


def make_aaf(path: Path, *, sound: bool = False) -> Path:
    """Two clips of one file that starts at 01:00:00:00, the second at 200 %, with a marker, a sound and a data track."""
    with aaf2.open(str(path), "w") as file:
        master = add_media(file)
        top = file.create.CompositionMob("cut")
        top.usage = "Usage_TopLevel"
        file.content.mobs.append(top)
        track = top.create_timeline_slot(24)
        track.segment = file.create.Sequence("picture", 10)
        first = master.create_source_clip(1, 10, 5, "picture")
        fast = master.create_source_clip(1, 20, 10, "picture")
        track.segment.components.extend([first, retime(file, fast)])
        kind = file.create.DataDef(aaf2.auid.AUID(int=8), "DataEssenceTrack", "")
        file.dictionary.register_def(kind)
        data = top.create_timeline_slot(24)
        data.segment = file.create.Filler("DataEssenceTrack", 10)
        notes = file.create.EventMobSlot()
        notes["EditRate"].value, notes["SlotID"].value = 24, 99
        notes.segment = file.create.Sequence("DescriptiveMetadata")
        marker = file.create.DescriptiveMarker()
        marker["Comment"].value, marker["Position"].value = "here", 3
        notes.segment.components.append(marker)
        top.slots.append(notes)
        if sound:
            master.create_timeline_slot(24).segment = file.create.Filler("sound", 48)
            heard = master.create_source_clip(2, 10, 10, "sound")
            top.create_timeline_slot(24).segment = heard
    return path


def add_media(file: Any) -> Any:
    """A master mob of a file of 48 frames on a tape."""
    tape = file.create.SourceMob("TAPE")
    tape.descriptor = file.create.TapeDescriptor()
    essence = file.create.SourceMob("A.mov.PHYS")
    essence.descriptor = file.create.CDCIDescriptor()
    size = {"StoredWidth": 16, "StoredHeight": 16, "ComponentWidth": 8, "HorizontalSubsampling": 2}
    shape = {"FrameLayout": "FullFrame", "VideoLineMap": [0, 0], "ImageAspectRatio": "1/1"}
    for key, value in ({"Length": 48, "SampleRate": "24"} | size | shape).items():
        essence.descriptor[key].value = value
    locator = file.create.NetworkLocator()
    locator["URLString"].value = "file:///C:/Users/x/A.mov"
    essence.descriptor["Locator"].append(locator)
    master = file.create.MasterMob("A")
    file.content.mobs.extend([tape, essence, master])
    tape.create_timeline_slot(24).segment = file.create.SourceClip(length=480, media_kind="picture")
    code = file.create.Timecode(24, length=480)
    tape.create_timeline_slot(24).segment = code
    code.start = 86400
    picture = tape.create_source_clip(1, 0, 48, "picture")
    essence.create_timeline_slot(24).segment = picture
    master.create_timeline_slot(24).segment = essence.create_source_clip(1, 0, 48, "picture")
    master.comments["UNC Path"] = r"C:\Users\x\A.mov"
    return master


def retime(file: Any, clip: Any) -> Any:
    definition = file.create.OperationDef(aaf2.auid.AUID(int=7), "Motion Control", "")
    file.dictionary.register_def(definition)
    definition.media_kind = "picture"
    definition["NumberInputs"].value = 1
    group = file.create.OperationGroup(definition, 5)
    group.media_kind = "picture"
    group.segments.append(clip)
    return group


def test_an_aaf_keeps_its_retime_its_marker_and_its_data_track(tmp_path: Path) -> None:
    medium(tmp_path / "A.mov", "01:00:00:00", Fraction(24))
    cut = read(make_aaf(tmp_path / "cut.aaf"), handles=2)
    assert frames(cut) == [("A.mov", 10, 15), ("A.mov", 20, 30)]
    assert cut.remarks == ["A at 0.21 s: retimed to 200%: that stays with the timeline"]
    render = tmp_path / "out" / "A_1009-1017.night.mov"
    with aaf2.open(str(written(cut))) as file:
        [top] = file.content.toplevel()
        first, group = next(s for s in top.slots if s.media_kind == "Picture").segment.components
        [marker] = next(s for s in top.slots if s.slot_id == 99).segment.components
        assert marker["Comment"].value == "here"
        assert "DataEssenceTrack" in [slot.media_kind for slot in top.slots]
        assert (group.operation.name, group.length) == ("Motion Control", 5)
        [fast] = group.segments
        assert [(clip.start, clip.length) for clip in (first, fast)] == [(2, 5), (2, 10)]
        master = first.mob
        essence = master.slots[0].segment.mob
        assert dict(master.comments.items()) == {"UNC Path": str(render)}
        assert [each["URLString"].value for each in essence.descriptor["Locator"].value] == [
            render.as_uri()
        ]
        # as much later on its tape as the render begins
        assert (essence.slots[0].segment.start, essence.slots[0].segment.length) == (8, 9)
        assert len(list(file.content.mastermobs())) == 2  # the old one is gone


def test_an_aaf_keeps_the_sound_of_its_clips_and_drops_what_was_computed_of_day(
    tmp_path: Path,
) -> None:
    medium(tmp_path / "A.mov", "01:00:00:00", Fraction(24))
    path = make_aaf(tmp_path / "cut.aaf", sound=True)
    with aaf2.open(str(path), "rw") as file:
        [top], [master] = file.content.toplevel(), file.content.mastermobs()
        computed = file.create.MasterMob("precompute")
        file.content.mobs.append(computed)
        computed.create_timeline_slot(24).segment = file.create.Filler("picture", 5)
        group = top.slots[0].segment.components[1]
        group["Rendering"].value = computed.create_source_clip(1, 0, 5, "picture")
        old = master.mob_id
    with aaf2.open(str(written(read(path)))) as file:
        [top] = file.content.toplevel()
        group = top.slots[0].segment.components[1]
        assert "Rendering" not in list(group.keys())
        [heard] = [slot.segment for slot in top.slots if slot.media_kind == "Sound"]
        assert (heard.mob_id, heard.slot_id, heard.start) == (old, 2, 10)
        assert sorted(mob.name for mob in file.content.mastermobs()) == ["A", "A", "A"]


def test_an_aaf_imports_the_render_again_not_the_day(tmp_path: Path) -> None:
    medium(tmp_path / "A.mov", "01:00:00:00", Fraction(24))
    path = make_aaf(tmp_path / "cut.aaf")
    with aaf2.open(str(path), "rw") as file:
        [master] = file.content.mastermobs()
        origin = file.create.TaggedValue("_SRCFILE", "__PortableObject")
        origin["PortableObject"].value = file.create.NetworkLocator()
        origin["PortableObject"].value["URLString"].value = "file:///C:/Users/x/A.mov"
        setting = file.create.TaggedValue("_IMPORTSETTING", "__AttributeList")
        setting["TaggedValueAttributeList"].value = [
            file.create.TaggedValue("_DOMINANCE", 1),
            origin,
        ]
        master["MobAttributeList"].value = [setting]
    cut = read(path)
    with aaf2.open(str(written(cut))) as file:
        mobs = list(file.content.mastermobs())
        settings = [mob["MobAttributeList"].value[0] for mob in mobs]
        origins = [s["TaggedValueAttributeList"].value[1]["PortableObject"].value for s in settings]
        assert len(mobs) == 2
        assert {each["URLString"].value for each in origins} == {
            (tmp_path / "out" / f"A_{span}.night.mov").as_uri()
            for span in ("1011-1015", "1021-1030")
        }


def test_a_nested_composition_is_rendered_as_what_it_shows(tmp_path: Path) -> None:
    medium(tmp_path / "A.mov", "01:00:00:00", Fraction(24))
    path = make_aaf(tmp_path / "cut.aaf")
    with aaf2.open(str(path), "rw") as file:
        [inner] = file.content.toplevel()
        inner.usage = "Usage_LowerLevel"
        top = file.create.CompositionMob("of it")
        top.usage = "Usage_TopLevel"
        file.content.mobs.append(top)
        top.create_timeline_slot(24).segment = inner.create_source_clip(1, 0, 10, "picture")
    cut = read(path)
    assert frames(cut) == [("A.mov", 10, 15), ("A.mov", 20, 30)]
    with aaf2.open(str(written(cut))) as file:
        assert [mob.name for mob in file.content.toplevel()] == ["of it"]
        assert len(list(file.content.compositionmobs())) == 2
        urls = {
            locator["URLString"].value
            for mob in file.content.sourcemobs()
            if "Locator" in list(mob.descriptor.keys())
            for locator in mob.descriptor["Locator"].value
        }
    out = (tmp_path / "out").as_uri()
    assert urls == {f"{out}/A_{span}.night.mov" for span in ("1011-1015", "1021-1030")}


def test_what_cannot_be_written_back_is_said_before_anything_is_rendered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    medium(tmp_path / "A.mov")
    cut = read(external_cut(tmp_path / "cut.otio", "A.mov"))

    def refuse(self: OtioFile, path: Path) -> None:
        raise ValueError("no such kind of track")

    monkeypatch.setattr(OtioFile, "save", refuse)
    with pytest.raises(TargetError, match=r"cannot be written back \(no such kind of track\)"):
        try_write(cut, tmp_path / "out")
    monkeypatch.undo()
    with pytest.raises(UsageError, match="would be overwritten"):
        try_write(cut, tmp_path)


def test_bundles_are_opened_or_refused_in_a_line(tmp_path: Path) -> None:
    medium(tmp_path / "A.mov")
    (bundle := tmp_path / "cut.otiod").mkdir()
    external_cut(bundle / "content.otio", "A.mov")
    library = Library(tmp_path, tmp_path / "out", bundle, SourceOptions())
    cut = read_cut(bundle, library, handles=0, rate=None)
    (out := tmp_path / "out").mkdir()
    assert write_cut(cut, done(cut, out), out) == out / "cut.otio"
    (tmp_path / "cut.otioz").write_bytes(b"PK")
    with pytest.raises(SourceError, match="is a bundle: unzip it"):
        read(tmp_path / "cut.otioz")
