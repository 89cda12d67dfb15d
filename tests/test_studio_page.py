"""The studio's page, in a browser: the story of a look from opening a shot to its render, which is the command line's own."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from nightfx.lights.listed import read_lights
from nightfx.scene import read_sky_edits
from nightfx.studio.saved import read_table

STREET = Path(__file__).parents[1] / "examples/street.mp4"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)
WAIT = 240_000  # ms; kernels may have to be compiled

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="needs_browser: no chromium is found on the path"
)


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    (tmp_path / "nightfx.toml").write_text("end = 0.25\nspeed = 'ultrafast'\n")
    return Path(shutil.copy(STREET, tmp_path / "street.mp4"))


@pytest.fixture
def address(shot: Path) -> Iterator[str]:
    words = [sys.executable, "-m", "nightfx", "studio", str(shot), "--no-browser"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()
            assert server.wait(200) == 143


def pixels_of(path: Path) -> str:
    digest = hashlib.sha256()
    with av.open(path) as clip:
        for frame in clip.decode(video=0):
            digest.update(f"{frame.pts}".encode())
            digest.update(frame.to_ndarray().tobytes())
    return digest.hexdigest()


class Look:
    """The page of a studio, and what was seen to go wrong on it."""

    def __init__(self, page: Any) -> None:
        self.page, self.wrong = page, list[str]()
        page.set_default_timeout(WAIT)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("response", self._note)
        self.lights = page.locator("#lights polygon")
        self.exposure = page.locator("[aria-label='exposure stops']")

    def _note(self, reply: Any) -> None:
        if reply.status >= 400:
            self.wrong.append(reply.url)

    def drawn(self) -> None:
        self.page.wait_for_selector("body[data-drawn]", state="attached")


@pytest.fixture
def look() -> Iterator[Look]:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=WAIT)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield Look(browser.new_page(viewport={"width": 1280, "height": 720}))
        browser.close()


def test_the_story_of_a_look(look: Look, address: str, shot: Path) -> None:
    look.page.goto(address)
    look.drawn()
    assert "token" not in look.page.url
    scrub(look)
    turn(look, shot)
    correct(look, shot)
    lights = place(look, shot)
    rendered = render(look, address, shot)
    reload_and_undo(look, lights)
    assert not look.wrong
    ask_wrongly(look)
    compare(shot, rendered)


def scrub(look: Look) -> None:
    from playwright.sync_api import expect

    number = look.page.locator("#number")
    for keys, frame in (
        ("Home", 1001),
        ("Shift+ArrowRight", 1011),
        ("ArrowLeft", 1010),
        ("Home", 1001),
    ):
        look.page.keyboard.press(keys)
        expect(number).to_have_value(str(frame))


def turn(look: Look, shot: Path) -> None:
    from playwright.sync_api import expect

    neon = look.page.locator("[data-preset=night-neon]")
    neon.click()
    expect(neon).to_have_attribute("aria-pressed", "true")
    look.exposure.fill("0.75")
    look.exposure.press("Enter")
    expect(look.page.locator("[data-key=exposure]")).to_have_class("slider said")
    assert read_table(shot) == {"to": "night-neon", "exposure": 0.75}


def place(look: Look, shot: Path) -> int:
    """Switch a light off and add a lamp; returns how many there are then."""
    from playwright.sync_api import expect

    page, lights = look.page, look.lights
    expect(lights.first).to_be_attached()
    number = page.locator("#lights polygon.on").first.get_attribute("data-id")
    light = page.locator(f"#lights polygon[data-id='{number}']")
    light.focus()
    page.keyboard.press("Enter")
    expect(light).to_have_attribute("aria-checked", "false")
    before = lights.count()
    page.keyboard.press("n")
    box = page.locator("#stage").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.4)
    expect(lights).to_have_count(before + 1)
    expect(page.locator("#light-name")).to_contain_text("lamp")
    listed = read_lights(shot.with_name("street.lights.json")).lights
    assert [x.on for x in listed if x.id == int(number)] == [False]
    assert (listed[-1].kind, listed[-1].on) == ("lamp", True)
    return int(before) + 1


def correct(look: Look, shot: Path) -> None:
    """Draw a polygon in which nothing is sky, move one of its corners at another frame, and carry it along."""
    from playwright.sync_api import expect

    page = look.page
    box = page.locator("#stage").bounding_box()
    page.keyboard.press("p")
    for x, y in ((0.2, 0.1), (0.5, 0.1), (0.5, 0.3), (0.2, 0.3)):
        page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
    page.keyboard.press("Enter")
    expect(page.locator("#sky-edits polygon.no-sky.picked")).to_have_count(1)
    corners = page.locator("#sky-edits .corner")
    expect(corners).to_have_count(4)
    page.keyboard.press("ArrowRight")
    expect(page.locator("#sky-keys")).to_contain_text("between keys")
    corner = corners.nth(3).bounding_box()
    at = corner["x"] + corner["width"] / 2, corner["y"] + corner["height"] / 2
    page.mouse.move(*at)
    page.mouse.down()
    page.mouse.move(at[0] + 20, at[1] + 10, steps=3)
    page.mouse.up()
    expect(page.locator("#sky-keys")).to_contain_text("2 keys, a key is here")
    page.keyboard.press("Home")
    page.click("#sky-carry")
    expect(page.locator("#sky-keys")).not_to_contain_text("2 keys")
    (edit,) = read_sky_edits(shot.with_name("street.sky.json")).edits
    assert not edit.is_sky
    assert edit.frames[0] == 1001
    assert abs(edit.corners[0, 0, 0] - 0.2 * 1280) < 3
    expect(page.locator("#sky-first")).to_be_visible()


def render(look: Look, address: str, shot: Path) -> Path:
    from playwright.sync_api import expect

    look.page.click("#render")
    look.page.wait_for_selector("body[data-work=ended]", state="attached")
    expect(look.page.locator("#work-words")).to_have_text("rendered")
    result = look.page.request.get(f"{address.split('?')[0]}api/shots/0/result")
    rendered = shot.with_name("night") / "street.night-neon.mp4"
    assert rendered.read_bytes() == result.body()
    return rendered


def reload_and_undo(look: Look, lights: int) -> None:
    from playwright.sync_api import expect

    look.page.reload()
    look.drawn()
    expect(look.exposure).to_have_value("0.75")
    expect(look.lights).to_have_count(lights)
    for button, count in (("#undo", lights - 1), ("#redo", lights)):
        look.page.click(button)
        expect(look.lights).to_have_count(count)


def ask_wrongly(look: Look) -> None:
    from playwright.sync_api import expect

    number = look.page.locator("#number")
    number.fill("9999")
    number.press("Enter")
    words = "there is no frame 9999: it has 1001 to 1084"
    expect(look.page.locator("#messages p").first).to_have_text(words)


def compare(shot: Path, rendered: Path) -> None:
    """The command line renders the same, from the files that the page left and by flags."""
    folder = shot.parent
    batch = ["batch", str(folder), "-o", str(folder / "again"), "--include", "street.mp4"]
    flags = ["--exposure", "0.75", "--lights", str(folder / "street.lights.json")]
    flags += ["--sky-edits", str(folder / "street.sky.json")]
    flags += ["--end", "0.25", "--speed", "ultrafast", "--to", "night-neon"]
    alone = ["render", str(shot), "-o", str(folder / "alone.mp4"), *flags]
    for words in (batch, alone):
        subprocess.run([sys.executable, "-m", "nightfx", *words], check=True)
    assert (folder / "again/street.night-neon.mp4").read_bytes() == rendered.read_bytes()
    assert pixels_of(folder / "alone.mp4") == pixels_of(rendered)
