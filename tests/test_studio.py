"""The studio's server: who may ask, what is kept in which files, what is refused, and whose picture comes first."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from media import Clip, make_clip
from PIL import Image
from starlette.testclient import TestClient

from nightfx.errors import RetryError, SourceError, UsageError
from nightfx.job.asked import check_options
from nightfx.lights.listed import Light, LightList, LightTrack, read_lights, write_lights
from nightfx.network import load_preset
from nightfx.options import RenderOptions
from nightfx.options.look import Look
from nightfx.options.option import options_in
from nightfx.preview.lit import render
from nightfx.scene import SkyEdit, SkyEdits, read_sky_edits, write_sky_edits
from nightfx.studio.engine import Engine, Wish
from nightfx.studio.lamps import add, delete, move, say
from nightfx.studio.lanes import Lanes, SupersededError
from nightfx.studio.saved import read_table, write_table
from nightfx.studio.skies import carried_sky
from nightfx.studio.state import History, ShotState
from nightfx.studio.studio import Studio
from nightfx.studio.web.app import make_app
from nightfx.studio.web.controls import controls
from nightfx.studio.web.guard import Guard
from nightfx.studio.works import loop_words

PORT = 8123
HOME = f"http://127.0.0.1:{PORT}"


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "shot.mp4", Clip(size=(96, 160)))


@pytest.fixture
def studio(shot: Path) -> Iterator[Studio]:
    room = Studio(shot)
    yield room
    room.close()


@pytest.fixture
def guard(studio: Studio) -> Guard:
    return Guard(make_app(studio), PORT, token="secret")


@pytest.fixture
def stranger(guard: Guard) -> TestClient:
    return TestClient(guard, base_url=HOME, follow_redirects=False)


@pytest.fixture
def page(guard: Guard) -> TestClient:
    client = TestClient(guard, base_url=HOME)
    assert client.get("/?token=secret").status_code == 200
    return client


def edit(page: TestClient, **change: object) -> dict[str, object]:
    revision = page.get("/api/shots/0").json()["revision"]
    reply = page.post("/api/shots/0/edit", json={"revision": revision, "edit": change})
    told: dict[str, object] = reply.json()
    return told


def table(shot: Path) -> dict[str, object]:
    return read_table(shot)


def quad(x: float, y: float) -> np.ndarray:
    return np.array([[x, y], [x + 4, y], [x + 4, y + 4], [x, y + 4]], np.float32)


def moving(number: int, x: float, by: float) -> Light:
    quads = np.stack([quad(x, 10), quad(x + by, 10)])
    return Light(number, "lamp", LightTrack(np.array([1001, 1011]), quads, np.ones(2, np.float32)))


def two_lights() -> LightList:
    return LightList((160, 96), 1001, 12, True, (), (moving(1, 10, 5), moving(2, 100, 20)))


# who may ask


def test_the_token_is_asked_once_and_then_a_cookie_that_no_script_reads(
    stranger: TestClient,
) -> None:
    assert stranger.get("/").status_code == 403
    welcome = stranger.get("/?token=secret")
    assert (welcome.status_code, welcome.headers["location"]) == (303, "/")
    cookie = welcome.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert stranger.get("/").status_code == 200


@pytest.mark.parametrize("address", ["/", "/?token=", "/?token=Secret", "/api/studio?token=secret"])
def test_without_the_token_nothing_is_told(stranger: TestClient, address: str) -> None:
    reply = stranger.get(address)
    assert reply.status_code == 403
    assert "nightfx studio" in reply.json()["error"]
    assert "set-cookie" not in reply.headers


@pytest.mark.parametrize("path", ["/", "/page/main.js", "/api/studio", "/api/shots/0/plate"])
def test_another_host_is_refused_with_the_cookie_too(page: TestClient, path: str) -> None:
    for host in ("evil.example", f"evil.example:{PORT}", "127.0.0.1", f"127.0.0.1:{PORT + 1}"):
        assert page.get(path, headers={"host": host}).status_code == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", f"https://127.0.0.1:{PORT}", ""])
def test_a_page_of_somebody_else_may_not_ask(page: TestClient, origin: str) -> None:
    reply = page.post("/api/stop", headers={"origin": origin}, json={})
    assert reply.status_code == 403
    assert page.post("/api/stop", headers={"origin": HOME}, json={}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        *("/page/../app.py", "/page/%2e%2e/app.py", "/page/..%2fapp.py", "/page//etc/passwd"),
        *("/../../etc/passwd", "/page/%2e%2e%2f%2e%2e%2foptions/look.py", "/page/..\\app.py"),
    ],
)
def test_no_path_leaves_the_page(page: TestClient, path: str) -> None:
    reply = page.get(path)
    assert reply.status_code == 404
    assert "import" not in reply.text


def test_a_report_is_shown_and_may_do_nothing(page: TestClient, studio: Studio) -> None:
    assert page.get("/api/report").status_code == 404
    studio.folder.out.mkdir()
    (studio.folder.out / "report.html").write_text("<p>done")
    shown = page.get("/api/report")
    assert shown.text == "<p>done"
    assert "sandbox" in shown.headers["content-security-policy"]
    assert "script" not in shown.headers["content-security-policy"]


def test_answers_say_what_a_browser_may_do_with_them(page: TestClient) -> None:
    headers = page.get("/").headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"


def test_the_page_asks_nobody_else_and_has_no_code_of_its_own() -> None:
    folder = Path(__file__).parents[1] / "nightfx/studio/web/page"
    for file in folder.iterdir():
        text = file.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http:" not in text, file.name
        assert "https:" not in text, file.name
        assert "style=" not in text, file.name  # a policy refuses it


def test_too_much_is_not_taken_in(page: TestClient) -> None:
    assert page.post("/api/copy", content=b"x" * 70_000).status_code == 413
    wrong = page.post("/api/copy", content=b"x", headers={"content-length": "many"})
    assert wrong.status_code == 400


def test_a_websocket_is_refused(page: TestClient) -> None:
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), page.websocket_connect("/"):
        pass


def test_thousands_of_requests_leave_it_as_it_was(page: TestClient) -> None:
    threads = threading.active_count()
    for number in range(3000):
        assert page.get("/api/work").status_code == 200
        if number % 10 == 0:
            assert page.get(f"/api/shots/0/plate?number={number}").status_code in (200, 400)
    assert threading.active_count() <= threads + 2
    assert page.get("/api/shots/0").status_code == 200


# what is asked wrongly


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/api/shots/0/plate?number=2000", "there is no frame 2000: it has 1001 to 1012"),
        ("/api/shots/0/render?number=1000", "there is no frame 1000"),
        ("/api/shots/0/plate?number=one", "number must be a whole number, got 'one'"),
        ("/api/shots/0/plate?height=99999", "height must be from 0 to 4320"),
        ("/api/shots/7/plate", "there is no shot 7"),
        ("/api/shots/0/render?over=[1]", "is no object of JSON"),
        ('/api/shots/0/render?over={"exposure":99}', "--exposure must be from -10 to 10, got 99"),
        ('/api/shots/0/render?over={"to":"noon"}', "unknown preset 'noon'"),
        ('/api/shots/0/render?over={"nothing":1}', "unknown option 'nothing'"),
        ("/api/shots/0/loop.mp4", "nothing is rendered to be played"),
        ("/api/shots/0/result", "is not rendered"),
    ],
)
def test_what_is_wrong_is_said(page: TestClient, path: str, words: str) -> None:
    reply = page.get(path)
    assert 400 <= reply.status_code < 500
    assert words in reply.json()["error"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"do": "set", "key": "exposure", "value": 99}, "--exposure must be from -10 to 10"),
        ({"do": "set", "key": "exposure", "value": "much"}, "--exposure must be a number"),
        ({"do": "set", "key": "exposure", "value": [1]}, "--exposure must be"),
        ({"do": "set", "key": "passes", "value": "/tmp"}, "does not turn 'passes'"),
        ({"do": "to", "preset": "../../etc"}, "preset"),
        ({"do": "light", "id": 1, "said": {"track": []}}, "wait a moment"),
        ({"do": "nothing"}, "wait a moment"),
        ({}, "no such change"),
    ],
)
def test_a_wrong_change_changes_nothing(
    page: TestClient, shot: Path, change: dict[str, object], words: str
) -> None:
    reply = page.post("/api/shots/0/edit", json={"revision": 0, "edit": change})
    assert words in reply.json()["error"]
    assert page.get("/api/shots/0").json()["revision"] == 0
    assert not shot.with_name("nightfx.toml").exists()


def test_a_fault_of_ours_is_said_in_a_line_and_the_studio_goes_on(
    guard: Guard, studio: Studio, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    page = TestClient(guard, base_url=HOME, raise_server_exceptions=False)
    page.get("/?token=secret")
    monkeypatch.setattr(studio, "states", lambda: 1 // 0)
    reply = page.get("/api/states")
    assert reply.status_code == 500
    assert "ZeroDivisionError" in reply.json()["error"]
    assert "/api/states: ZeroDivisionError" in caplog.text
    assert page.get("/api/studio").status_code == 200


def test_what_is_no_clip_is_refused_before_it_opens(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    Image.new("RGB", (64, 64)).save(picture)
    with pytest.raises(SourceError, match="no clips or sequences"):
        Studio(picture)
    broken = tmp_path / "b.mp4"
    broken.write_bytes(b"not a clip")
    room = Studio(broken)
    try:
        told = TestClient(make_app(room), base_url=HOME).get("/api/shots/0")
    finally:
        room.close()
    assert told.status_code == 422
    assert "b.mp4" in told.json()["error"]


def test_a_broken_list_of_lights_is_said_and_left_as_it_is(page: TestClient, shot: Path) -> None:
    broken = shot.with_name("shot.lights.json")
    broken.write_text('{"nightfx_lights": 1, "size_px": [160]}')
    assert "size_px must be a list of 2" in str(edit(page, do="use-list")["error"])
    shot.with_name("nightfx.toml").write_text('lights = "shot.lights.json"\n')
    reply = page.get("/api/shots/0/render?number=1001")
    assert "size_px must be a list of 2" in reply.json()["error"]
    assert "size_px" in str(page.get("/api/shots/0").json()["error"])
    assert broken.read_text() == '{"nightfx_lights": 1, "size_px": [160]}'


# what is kept


def test_each_change_is_in_the_file_at_once_and_can_be_undone(page: TestClient, shot: Path) -> None:
    edit(page, do="set", key="exposure", value=0.5)
    edit(page, do="to", preset="blue-hour")
    assert table(shot) == {"exposure": 0.5, "to": "blue-hour"}
    assert page.get("/api/shots/0").json()["preset"] == "blue-hour"
    page.post("/api/shots/0/step", json={"step": -1})
    assert table(shot) == {"exposure": 0.5}
    page.post("/api/shots/0/step", json={"step": -1})
    assert not shot.with_name("nightfx.toml").exists()
    nothing = page.post("/api/shots/0/step", json={"step": -1})
    assert nothing.json()["error"] == "there is nothing to undo"
    page.post("/api/shots/0/step", json={"step": 1})
    again = page.post("/api/shots/0/step", json={"step": 1}).json()
    assert again["said"] == table(shot) == {"exposure": 0.5, "to": "blue-hour"}
    assert again["can"] == {"undo": True, "redo": False}


def test_a_studio_that_was_killed_goes_on_where_it_was(page: TestClient, shot: Path) -> None:
    edit(page, do="set", key="glow", value=1.5)
    room = Studio(shot)
    try:
        assert room.desk(0).now.said == {"glow": 1.5}
    finally:
        room.close()


def test_another_tab_that_did_not_see_a_change_takes_nothing_back(page: TestClient) -> None:
    edit(page, do="set", key="glow", value=1.5)
    late = {"revision": 0, "edit": {"do": "set", "key": "glow", "value": 0}}
    reply = page.post("/api/shots/0/edit", json=late)
    assert reply.status_code == 409
    assert page.get("/api/shots/0").json()["said"] == {"glow": 1.5}


def test_a_keyframed_value_is_turned_at_its_frame() -> None:
    state = ShotState().keyed("exposure", 1, 1001).turned("exposure", -2, 1009)
    assert state.said == {"exposure": "1001:1.0,1009:-2.0"}
    state = state.keyed("exposure", 0, 1001)
    assert state.said == {"exposure": "1009:-2.0"}
    assert state.keyed("exposure", -2, 1009).said == {"exposure": -2.0}
    with pytest.raises(UsageError, match="no keyframes"):
        state.keyed("light_seed", 1, 1001)


def test_keyframes_of_a_frame_are_moved_together() -> None:
    state = ShotState({"exposure": "1001:0.0,1010:1.0", "glow": "1010:0.5", "sky": 0.5})
    moved = state.with_keys_moved(1010, 1020)
    assert moved.said == {"exposure": "1001:0.0,1020:1.0", "glow": "1020:0.5", "sky": 0.5}
    assert state.with_keys_moved(1010, 1001).said["exposure"] == "1001:1.0"
    with pytest.raises(UsageError, match="no keyframe at 1002"):
        state.with_keys_moved(1002, 1003)


def test_keyframes_are_moved_to_frames_of_the_shot(page: TestClient, shot: Path) -> None:
    edit(page, do="key", key="exposure", value=1.0, frame=1001)
    edit(page, do="move-keys", **{"from": 1001, "to": 1003})
    assert table(shot)["exposure"] == "1003:1.0"
    told = edit(page, do="move-keys", **{"from": 1003, "to": 5000})
    assert "there is no frame 5000" in str(told["error"])


def test_what_is_undone_is_forgotten_when_something_else_is_done() -> None:
    history, first = History(ShotState()), ShotState({"glow": 1.0})
    history.add(first)
    history.go(-1)
    assert history.can == (False, True)
    history.add(ShotState({"glow": 2.0}))
    assert history.can == (True, False)
    assert history.peek(1) is None


def test_what_a_file_says_of_others_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "nightfx.toml"
    others = '# for all\nexposure = 1 # a stop\n\n["*.mov"]\nto = "day"\n'
    file.write_text(f'{others}\n["a[[]1].mp4"]\nglow = 1\n# kept\n\n["c.mp4"]\ngrain = 0.1\n')
    shot = tmp_path / "a[1].mp4"
    assert read_table(shot) == {"glow": 1}
    write_table(shot, {"glow": 2.0, "to": 'a "b"', "sky_level": "1001:0.0,1005:1.0"})
    assert read_table(shot)["sky_level"] == "1001:0.0,1005:1.0"
    text = file.read_text()
    assert text.startswith(others)
    assert "# kept" in text
    assert read_table(tmp_path / "c.mp4") == {"grain": 0.1}
    write_table(shot, {})
    assert "a[[]1]" not in file.read_text()
    assert read_table(tmp_path / "c.mp4") == {"grain": 0.1}


def test_a_file_that_cannot_be_read_is_not_written_over(tmp_path: Path) -> None:
    file = tmp_path / "nightfx.toml"
    file.write_text("exposure = = 1\n")
    with pytest.raises(UsageError, match="cannot be read"):
        write_table(tmp_path / "a.mp4", {"glow": 1.0})
    file.write_text('"a.mp4".glow = 1\n')  # a table that is none of its own
    with pytest.raises(UsageError, match="write it as a table of its own"):
        write_table(tmp_path / "a.mp4", {"glow": 2.0})
    assert file.read_text() == '"a.mp4".glow = 1\n'


def test_what_somebody_writes_meanwhile_is_taken_up(page: TestClient, shot: Path) -> None:
    edit(page, do="set", key="glow", value=1.5)
    shot.with_name("nightfx.toml").write_text('exposure = 1\n["shot.mp4"]\ngrain = 0.125\n')
    told = page.get("/api/shots/0").json()
    assert told["said"] == {"grain": 0.125}
    assert (told["values"]["exposure"], told["values"]["grain"]) == (1, 0.125)
    edit(page, do="set", key="tint", value=2)
    assert table(shot) == {"grain": 0.125, "tint": 2.0}
    page.post("/api/shots/0/step", json={"step": -1})
    page.post("/api/shots/0/step", json={"step": -1})
    assert table(shot) == {"glow": 1.5}


# lights


def test_a_light_is_switched_moved_added_and_left_out() -> None:
    lights = say(two_lights(), 1, {"on": False, "stops": 1.5})
    assert (lights.lights[0].on, lights.lights[0].stops, lights.lights[0].locked) == (
        False,
        1.5,
        True,
    )
    lights = move(lights, 2, (3, -2))
    assert np.allclose(lights.lights[1].track.quads[0][0], [103, 8])
    lights = add(lights, "window", 1001, (120.0, 40.0))
    new = lights.lights[-1]
    assert (new.id, new.kind, new.on) == (3, "window", True)
    middles = dict(zip(new.track.frames, new.track.quads.mean(1), strict=True))
    assert np.allclose(middles[1001], [120, 40])
    assert np.allclose(middles[1011], [140, 40])  # as its neighbour moves
    assert [x.id for x in delete(lights, 1).lights] == [2, 3]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"stops": 99}, "stops must be a number from -10 to 10"),
        ({"kelvin": 3}, "kelvin must be a number from 1000"),
        ({"on": "yes"}, "on must be true or false"),
        ({"track": []}, "a light has no track to change"),
    ],
)
def test_a_light_is_not_said_to_be_what_no_list_holds(said: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        say(two_lights(), 1, said)


def test_lights_are_kept_in_the_list_beside_the_shot(
    page: TestClient, studio: Studio, shot: Path
) -> None:
    studio.desk(0).found = two_lights()
    edit(page, do="light", id=1, said={"on": False})
    edit(page, do="add", kind="lamp", frame=1001, at=[50, 50])
    listed = read_lights(shot.with_name("shot.lights.json"))
    assert [light.on for light in listed.lights] == [False, None, True]
    assert table(shot) == {"lights": "shot.lights.json"}
    told = page.get("/api/shots/0/lights?number=1001").json()["lights"]
    assert [light["on"] for light in told] == [False, True, True]
    page.post("/api/shots/0/step", json={"step": -1})
    assert len(read_lights(shot.with_name("shot.lights.json")).lights) == 2


def test_a_list_that_a_person_wrote_is_not_written_over(
    page: TestClient, studio: Studio, shot: Path
) -> None:
    own = shot.with_name("shot.lights.json")
    write_lights(delete(two_lights(), 1), own)
    before = own.read_bytes()
    studio.desk(0).found = two_lights()
    assert "nothing names it" in str(edit(page, do="light", id=1, said={"on": False})["error"])
    assert own.read_bytes() == before
    edit(page, do="use-list")
    edit(page, do="light", id=2, said={"on": False})
    assert [light.id for light in read_lights(own).lights] == [2]


def test_a_file_of_others_names_no_place_to_write_to(
    page: TestClient, studio: Studio, shot: Path
) -> None:
    elsewhere = shot.parent / "elsewhere" / "b.json"
    elsewhere.parent.mkdir()
    write_lights(two_lights(), elsewhere)
    before = elsewhere.read_bytes()
    shot.with_name("nightfx.toml").write_text('["shot.mp4"]\nlights = "elsewhere/b.json"\n')
    edit(page, do="delete", id=1)
    assert elsewhere.read_bytes() == before
    assert len(read_lights(shot.with_name("shot.lights.json")).lights) == 1


# pictures


# the sky


def square(left: float = 20) -> list[list[float]]:
    return [[left, 10], [left + 40, 10], [left + 40, 50], [left, 50]]


def test_a_polygon_is_drawn_shaped_and_left_out(page: TestClient, shot: Path) -> None:
    path = shot.with_name("shot.sky.json")
    edit(page, do="sky-add", sky=False, frame=1001, corners=square())
    assert table(shot) == {"sky_edits": "shot.sky.json"}
    edit(page, do="sky-shape", edit=0, frame=1005, corners=square(60))
    edit(page, do="sky-say", edit=0, said={"first": 1001, "last": 1006})
    (one,) = read_sky_edits(path).edits
    assert (one.is_sky, one.frames.tolist(), one.first, one.last) == (
        False,
        [1001, 1005],
        1001,
        1006,
    )
    told = page.get("/api/shots/0?number=1003").json()["sky"]
    assert told[0]["corners"][0] == [40, 10]
    edit(page, do="sky-delete", edit=0)
    assert table(shot) == {}
    assert not path.exists()
    page.post("/api/shots/0/step", json={"step": -1})
    assert len(read_sky_edits(path).edits) == 1
    assert table(shot) == {"sky_edits": "shot.sky.json"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"do": "sky-add", "sky": True, "frame": 1001, "corners": [[0, 0], [9, 9]]}, "3 to 400"),
        ({"do": "sky-add", "sky": True, "frame": 1001, "corners": [[0], [1], [2]]}, "a corner is"),
        ({"do": "sky-add", "sky": 1, "frame": 1001, "corners": []}, "no such change of the sky"),
        ({"do": "sky-delete", "edit": 3}, "there is no polygon 3"),
        ({"do": "sky-carry", "edit": 0, "frame": 1001}, "there is no polygon 0"),
        ({"do": "sky-paint"}, "no such change of the sky"),
    ],
)
def test_a_wrong_polygon_changes_nothing(
    page: TestClient, shot: Path, change: dict[str, object], words: str
) -> None:
    assert words in str(edit(page, **change)["error"])
    assert not shot.with_name("shot.sky.json").exists()


def test_what_cannot_be_read_for_a_while_takes_nothing_away(page: TestClient, shot: Path) -> None:
    path = shot.with_name("shot.sky.json")
    edit(page, do="sky-add", sky=False, frame=1001, corners=square())
    good = path.read_text()
    path.write_text(good[:40])  # an editor in the middle of saving
    page.get("/api/shots/0")
    path.write_text(good)
    page.get("/api/shots/0")
    page.post("/api/shots/0/step", json={"step": -1})
    assert len(read_sky_edits(path).edits) == 1


def test_polygons_of_another_size_are_told_and_kept_at_the_plates(
    page: TestClient, shot: Path
) -> None:
    path = shot.with_name("shot.sky.json")
    corners = np.array([[[160, 0], [320, 0], [320, 96], [160, 96]]], np.float32)
    write_sky_edits(SkyEdits((320, 192), (SkyEdit(True, np.array([1001]), corners),)), path)
    shot.with_name("nightfx.toml").write_text("['shot.mp4']\nsky-edits = 'shot.sky.json'\n")
    (told,) = page.get("/api/shots/0").json()["sky"]
    assert told["corners"] == [[80, 0], [160, 0], [160, 48], [80, 48]]
    edit(page, do="sky-add", sky=False, frame=1001, corners=square())
    kept = read_sky_edits(path)
    assert kept.size_px == (160, 96)
    assert kept.edits[0].corners[0, 0].tolist() == [80, 0]


def test_with_a_matte_of_the_sky_nothing_is_drawn(page: TestClient, shot: Path) -> None:
    shot.with_name("nightfx.toml").write_text("sky-matte = 'm.png'\n")
    told = edit(page, do="sky-add", sky=True, frame=1001, corners=square())
    assert "sky-matte of its own" in str(told["error"])
    assert not shot.with_name("shot.sky.json").exists()


def test_edits_that_a_person_wrote_are_not_written_over(page: TestClient, shot: Path) -> None:
    path = shot.with_name("shot.sky.json")
    path.write_text("mine")
    told = edit(page, do="sky-add", sky=True, frame=1001, corners=square())
    assert "shot.sky.json: lies beside the shot" in str(told["error"])
    assert path.read_text() == "mine"


def test_a_polygon_is_carried_along_what_it_lies_on_until_a_cut() -> None:
    rng = np.random.default_rng(2)
    wide = cv2.GaussianBlur(rng.integers(0, 255, (120, 400)).astype(np.uint8), (5, 5), 0)
    other = cv2.GaussianBlur(rng.integers(0, 255, (120, 200)).astype(np.uint8), (5, 5), 0)

    def luma(frame: int) -> np.ndarray:  # it pans by 2 px a frame, and there is a cut
        at = 2 * (frame - 1001)
        return np.ascontiguousarray(wide[:, at : at + 200]) if frame < 1031 else other

    first = np.array([[[80, 30], [140, 30], [140, 90], [80, 90]]], np.float32)
    edits = SkyEdits((400, 240), (SkyEdit(False, np.array([1011]), 2 * first),))
    (one,) = carried_sky(edits, 0, 1011, (1001, 1040), luma).edits
    assert (one.first, one.last) == (None, 1030)
    for frame in (1001, 1011, 1021, 1030):
        corners = one.at(frame)
        assert corners is not None
        np.testing.assert_allclose(corners / 2, first[0] - [2 * (frame - 1011), 0], atol=1.5)


def test_of_a_lane_the_last_one_counts_and_the_most_urgent_comes_first() -> None:
    lanes, hold, done = Lanes("test"), threading.Event(), []
    try:
        first = lanes.ask("busy", 0, hold.wait)
        while not first.running():
            pass
        old = lanes.ask("frame", 1, lambda: done.append("old"))
        slow = lanes.ask("strip", 3, lambda: done.append("strip"))
        new = lanes.ask("frame", 1, lambda: done.append("new"))
        hold.set()
        slow.result(10)
        new.result(10)
    finally:
        hold.set()
        lanes.close()
    assert done == ["new", "strip"]
    with pytest.raises(SupersededError):
        old.result(0)


def test_what_nobody_waits_for_is_not_done() -> None:
    lanes, hold, done = Lanes("test"), threading.Event(), []
    try:
        first = lanes.ask("busy", 0, hold.wait)
        while not first.running():
            pass
        lanes.ask("gone", 1, lambda: done.append("gone")).cancel()
        asked = lanes.ask("asked", 2, lambda: done.append("asked"))
        hold.set()
        asked.result(10)
    finally:
        hold.set()
        lanes.close()
    assert done == ["asked"]


def test_more_than_a_page_asks_for_is_refused() -> None:
    lanes, hold = Lanes("test"), threading.Event()
    try:
        first = lanes.ask("busy", 0, hold.wait)
        while not first.running():
            pass
        for number in range(128):
            lanes.ask(str(number), 2, lambda: None)
        with pytest.raises(RetryError, match="try again"):
            lanes.ask("one more", 2, lambda: None)
    finally:
        hold.set()
        lanes.close()


def test_a_frame_is_shown_as_it_was_taken_and_under_light(page: TestClient, studio: Studio) -> None:
    plate = page.get("/api/shots/0/plate?number=1004&height=48")
    assert plate.headers["content-type"] == "image/jpeg"
    assert Image.open(BytesIO(plate.content)).size == (80, 48)
    asked = {"number": "1004", "over": json.dumps({"strength": 0})}
    same = page.get("/api/shots/0/render", params=asked)
    assert same.status_code == 200, same.text
    pixels = [
        np.asarray(Image.open(BytesIO(x)), float)
        for x in (page.get("/api/shots/0/plate?number=1004").content, same.content)
    ]
    assert np.abs(pixels[0] - pixels[1]).mean() < 2
    night = page.get("/api/shots/0/render?number=1004")
    dark = np.asarray(Image.open(BytesIO(night.content)), float)
    assert dark.mean() < pixels[0].mean() - 20
    scopes = Image.open(BytesIO(page.get("/api/shots/0/scopes?number=1004").content))
    assert scopes.size == (600, 480)


def test_a_look_on_what_was_kept_is_the_previews_own_to_the_code(studio: Studio) -> None:
    frames, night, engine = studio.desk(0).frames, load_preset("night"), Engine()
    for number, exposure, lamps in ((1004, 0.5, 0), (1004, -1, 2), (1009, 1, 0), (1004, 0, -1)):
        options = RenderOptions.of(exposure=exposure, lamps=lamps, glow=0.3, lights="on")
        kept = engine.light("shot", frames.at(number), Wish(night, options, None)).frame
        alone = render(frames.at(number), night, options)
        for plane, own in zip(kept.planes, alone.planes, strict=True):
            assert np.array_equal(plane, own)


def test_a_clip_that_is_turned_stands_upright_and_its_pixels_are_square(tmp_path: Path) -> None:
    turned = Clip(size=(48, 64), rotation=90, aspect=Fraction(2))
    room = Studio(make_clip(tmp_path / "a.mp4", turned))
    try:
        page = TestClient(make_app(room), base_url=HOME)
        size = page.get("/api/shots/0").json()["size"]
        plate = Image.open(BytesIO(page.get("/api/shots/0/plate").content))
    finally:
        room.close()
    assert size == [48, 128]
    assert plate.size == (48, 128)


def test_a_look_that_is_tried_is_not_kept(page: TestClient, shot: Path) -> None:
    over = json.dumps({"exposure": -3})
    dim = page.get("/api/shots/0/render", params={"number": "1001", "over": over}).content
    assert dim != page.get("/api/shots/0/render?number=1001").content
    assert table(shot) == {}


def test_every_number_of_the_look_is_on_the_page() -> None:
    keys = {slider["key"] for group in controls() for slider in group["sliders"]}
    assert set(options_in(Look)) < keys


def test_a_shot_that_is_lit_by_a_bake_says_how_to_change_its_look(
    page: TestClient, shot: Path
) -> None:
    shot.with_name("shot.nfx").write_bytes(b"a bake")
    shot.with_name("nightfx.toml").write_text("baked = 'shot.nfx'\n")
    reply = page.get("/api/shots/0/render?height=90")
    assert reply.status_code == 400
    assert "take `baked` out of nightfx.toml" in reply.json()["error"]


def test_presets_that_leave_skies_alone_leave_edits_of_them_alone(
    page: TestClient, studio: Studio
) -> None:
    edit(page, do="sky-add", sky=True, frame=1001, corners=square())
    for name in ("night", "day"):
        preset, options = studio.wish(studio.desk(0), {"to": name})
        assert options.light.sky_edits is not None
        check_options(options, preset)


def test_a_search_ends_with_the_studio(shot: Path) -> None:
    room = Studio(shot)
    desk = room.desk(0)
    room.close()
    desk.look_through()
    assert desk.found is None
    assert "closed" in desk.search.error


# renders


def test_a_look_is_copied_and_the_lights_stay(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        make_clip(tmp_path / name, Clip(size=(96, 160)))
    (tmp_path / "nightfx.toml").write_text('["b.mp4"]\nlights = "off"\nglow = 1\n')
    room = Studio(tmp_path)
    try:
        page = TestClient(make_app(room), base_url=HOME)
        edit(page, do="set", key="exposure", value=0.5)
        assert page.post("/api/copy", json={"from": 0, "to": [0, 1]}).status_code == 200
    finally:
        room.close()
    assert read_table(tmp_path / "b.mp4") == {"lights": "off", "exposure": 0.5}


def test_the_words_of_a_loop_are_those_of_a_render() -> None:
    flags = {
        "exposure": "1001:0,1004:1",
        "codec": "prores",
        "start": 3,
        "draft": True,
        "lights": "off",
    }
    words = loop_words(Path("a.mov"), Path("b.mp4"), "night", flags, (1001, 1004))
    assert words[:6] == ["render", "a.mov", "-o", "b.mp4", "--to", "night"]
    assert {"--exposure=1001:0,1004:1", "--draft", "--lights=off"} <= {*words}
    assert not [word for word in words if "prores" in word or "start" in word]
