"""Tests hold what is done, not how: none of them takes or replaces what has an underscore before its name.

The linter (SLF001) says so of attributes; here it is said of imports, of the names that `setattr` takes, and of code in strings.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = sorted(Path(__file__).parent.glob("*.py"))
PRIVATE = re.compile(r"_[a-z]\w*|[\s\S]*\bnightfx\.[\w.]*\b_[a-z][\s\S]*")


def private_names(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names if PRIVATE.fullmatch(alias.name))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from [node.value] if PRIVATE.fullmatch(node.value) else []


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_a_test_knows_public_names_alone(path: Path) -> None:
    assert not list(private_names(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "source",  # with ~ for the underscore: this is a test as well
    [
        "from nightfx.cli.shell import ~rate",
        "monkeypatch.setattr(shell, '~rate')",
        "monkeypatch.setattr('nightfx.cli.shell.~rate', None)",
        "CODE = '''import nightfx.cli\nnightfx.cli.shell.~rate()'''",
    ],
)
def test_what_is_private_is_seen_where_a_linter_does_not_look(source: str) -> None:
    assert list(private_names(source.replace("~", "_")))
