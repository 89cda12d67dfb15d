"""The studio's page, in a browser: the story of a look from opening a shot to its render, which is the command line's own."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from nightfx.lights.listed import read_lights
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
            assert server.wait(60) == 143


def pixels_of(path: Path) -> str:
    digest = hashlib.sha256()
    with av.open(path) as clip:
        for frame in clip.decode(video=0):
            digest.update(f"{frame.pts}".encode())
            digest.update(frame.to_ndarray().tobytes())
    return digest.hexdigest()


def test_the_story_of_a_look(address: str, shot: Path, tmp_path: Path) -> None:
    from playwright.sync_api import expect, sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.set_default_timeout(WAIT)
        expect.set_options(timeout=WAIT)
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("response", lambda reply: wrong.append(reply.url) if reply.status >= 400 else None)
        saved, lights = page.locator("#saved"), page.locator("#lights polygon")
        message = page.locator("#messages p")

        page.goto(address)
        page.wait_for_selector("body[data-drawn]", state="attached")
        assert "token" not in page.url
        expect(lights.first).to_be_visible()

        page.keyboard.press("Home")  # scrub
        page.keyboard.press("Shift+ArrowRight")
        expect(page.locator("#number")).to_have_value("1011")
        page.keyboard.press("Home")
        expect(page.locator("#number")).to_have_value("1001")

        page.click("[data-preset=night-neon]")  # choose a preset
        expect(page.locator("[data-preset=night-neon]")).to_have_attribute("aria-pressed", "true")
        expect(saved).to_have_text("saved")
        page.fill("[aria-label='exposure stops']", "0.75")  # turn exposure
        page.keyboard.press("Enter")
        expect(page.locator("[data-key=exposure]")).to_have_class("slider said")
        assert read_table(shot) == {"to": "night-neon", "exposure": 0.75}

        lit = page.locator("#lights polygon.on").first  # switch a light off
        number = lit.get_attribute("data-id")
        lit.focus()
        page.keyboard.press("Enter")
        light = page.locator(f"#lights polygon[data-id='{number}']")
        expect(light).to_have_attribute("aria-checked", "false")
        before = lights.count()
        page.keyboard.press("n")  # add another
        box = page.locator("#stage").bounding_box()
        assert box
        page.mouse.click(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.4)
        expect(lights).to_have_count(before + 1)
        listed = read_lights(tmp_path / "street.lights.json").lights
        assert [x.on for x in listed if x.id == int(number or 0)] == [False]
        assert (listed[-1].kind, listed[-1].on) == ("lamp", True)

        page.click("#render")
        page.wait_for_selector("body[data-work=ended]", state="attached")
        expect(page.locator("#work-words")).to_have_text("rendered")
        result = page.request.get(f"{address.split('?')[0]}api/shots/0/result")
        assert result.status == 200

        page.reload()  # nothing is lost
        page.wait_for_selector("body[data-drawn]", state="attached")
        expect(page.locator("[aria-label='exposure stops']")).to_have_value("0.75")
        expect(lights).to_have_count(before + 1)
        page.click("#undo")  # the added light goes
        expect(lights).to_have_count(before)
        page.click("#redo")
        expect(lights).to_have_count(before + 1)

        assert not wrong
        page.fill("#number", "9999")  # what is wrong is said
        page.keyboard.press("Enter")
        expect(message.first).to_have_text("there is no frame 9999: it has 1001 to 1084")
        page.keyboard.press("Escape")
        browser.close()

    rendered = tmp_path / "night/street.night-neon.mp4"
    assert rendered.read_bytes() == result.body()
    batch = ["batch", str(tmp_path), "-o", str(tmp_path / "again"), "--include", "street.mp4"]
    listed_in = str(tmp_path / "street.lights.json")
    render = ["render", str(shot), "-o", str(tmp_path / "alone.mp4"), "--to", "night-neon"]
    render += ["--exposure", "0.75", "--lights", listed_in, "--end", "0.25", "--speed", "ultrafast"]
    for words in (batch, render):
        subprocess.run([sys.executable, "-m", "nightfx", *words], check=True)
    assert (tmp_path / "again/street.night-neon.mp4").read_bytes() == rendered.read_bytes()
    assert pixels_of(tmp_path / "alone.mp4") == pixels_of(rendered)
