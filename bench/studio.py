"""How long a person waits for the studio: from opening the page to what is seen, and from a turn of a slider to its picture.

    python -m bench.studio [--clip examples/street.mp4] [--turns 20] [--browser chromium]

A real server, and a real browser without a window. A turn is timed in the page, from the question to the decoded picture in
its place, at the height at which it is shown; medians and the slowest. Everything is warm: kernels compiled, the frame seen once.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_WAIT = 300_000  # ms
_SLIDERS = {"exposure": (-1.0, 1.5), "lamps": (-1.0, 1.0), "glow": (0.0, 1.0)}
_TURN = """(asked) => {
  const slider = document.getElementById(`look-${asked.key}`);
  slider.value = asked.value;
  slider.dispatchEvent(new Event("input"));
}"""


def main() -> None:
    """Open the page, turn sliders, go to other frames, print a row for each."""
    args = _parse()
    with TemporaryDirectory() as folder, _page(args, Path(folder)) as page:
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        began = time.perf_counter()
        page.wait_for_selector("body[data-drawn]", state="attached")
        print(f"{'first paint':24} {paint:6.0f} ms")
        print(f"{'first render after it':24} {1000 * (time.perf_counter() - began):6.0f} ms")
        page.wait_for_selector("#lights polygon", state="attached")  # the search is over
        page.wait_for_timeout(5000)
        for key, (low, high) in _SLIDERS.items():
            values = [low + (high - low) * turn / args.turns for turn in range(args.turns)]
            _tell(key, [_turned(page, key, value) for value in values])
        _tell("another frame", [_stepped(page) for _ in range(args.turns)])


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clip", type=Path, default=Path("examples/street.mp4"))
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--browser", default=shutil.which("chromium"), help="path of a chromium")
    return parser.parse_args()


@contextmanager
def _page(args: argparse.Namespace, folder: Path) -> Iterator[Any]:
    """The page of a studio with a copy of the clip, open in a browser."""
    from playwright.sync_api import sync_playwright

    clip = shutil.copy(args.clip, folder)
    words = [sys.executable, "-m", "nightfx", "studio", clip, "--no-browser"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        try:
            with sync_playwright() as playwright:
                how = {"executable_path": args.browser, "args": ["--no-sandbox"]}
                browser = playwright.chromium.launch(**how)
                page = browser.new_page(viewport={"width": 1280, "height": 720})
                page.set_default_timeout(_WAIT)
                page.goto(address)
                yield page
                browser.close()
        finally:
            server.terminate()


def _turned(page: Any, key: str, value: float) -> float:
    return _waited(page, lambda: page.evaluate(_TURN, {"key": key, "value": value}))


def _stepped(page: Any) -> float:
    return _waited(page, lambda: page.keyboard.press("ArrowLeft"))


def _waited(page: Any, act: Any) -> float:
    """The milliseconds until the next picture stands in its place, as the page counts them."""
    drawn = int(page.get_attribute("body", "data-drawn"))
    act()
    page.wait_for_selector(f"body[data-drawn='{drawn + 1}']", state="attached")
    page.wait_for_timeout(400)  # scopes and full quality are over
    return float(page.get_attribute("body", "data-milliseconds"))


def _tell(name: str, milliseconds: list[float]) -> None:
    median, worst = statistics.median(milliseconds), max(milliseconds)
    print(f"{name:24} {median:6.0f} ms, the slowest {worst:.0f} ms", flush=True)


if __name__ == "__main__":
    main()
