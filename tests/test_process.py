"""How a process that renders is set up."""

import ctypes
import os
import sys

import pytest

from nightfx.engine import process


@pytest.mark.parametrize(
    ("cores", "asked", "wanted"), [(2, None, "20000"), (2, "7", "7"), (16, None, None)]
)
def test_threads_wait_briefly_where_cores_are_few(
    cores: int, asked: str | None, wanted: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOMP_SPINCOUNT", asked or "")
    if asked is None:
        monkeypatch.delenv("GOMP_SPINCOUNT")
    monkeypatch.setattr(process, "cores", lambda: cores)
    process.set_up()
    assert os.environ.get("GOMP_SPINCOUNT") == wanted


def test_another_system_has_no_such_heap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: pytest.fail("called"))
    process.give_back()
