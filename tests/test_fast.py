"""The fast tier: its table names files and tests that are there."""

import re
from pathlib import Path

import pytest
from fast import FAST, is_fast


@pytest.mark.parametrize("file", FAST)
def test_the_table_names_what_is_there(file: str) -> None:
    text = (Path(__file__).parent / file).read_text(encoding="utf-8")
    names = re.findall(r"^def (test_\w+)", text, flags=re.MULTILINE)
    for word in FAST[file].split():
        assert any(word in name for name in names), word
    assert any(is_fast(file, name) for name in names)
