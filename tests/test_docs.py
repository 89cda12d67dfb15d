"""The documentation: its links hold, its reference is what the program says, and the messages that it explains exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
MOST_LINES = 150  # of README


def test_the_pages_are_built_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "first-shot" / "index.html").is_file()


def test_the_reference_is_what_the_program_says() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/reference.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def explained() -> list[str]:
    rows = (DOCS / "troubleshooting.md").read_text("utf-8").splitlines()
    first = (row.split(" | ")[0] for row in rows if row.startswith("| `"))
    return [part for cell in first for part in re.findall(r"`([^`]+)`", cell)]


def test_each_message_that_is_explained_is_said() -> None:
    code = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "nightfx").rglob("*.py")))
    for message in explained():
        for words in re.split(r"…|\d+ %|'.*", message):
            assert words.strip(" :,") in code, f"{message!r} is said nowhere"


def test_readme_is_short_and_its_links_hold() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    targets = re.findall(r"\]\(([^)#]+)", text)
    assert targets
    for target in targets:
        assert target.startswith("https://") or (ROOT / target).exists(), target
