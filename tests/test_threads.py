"""How many threads networks are computed with."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from test_training import QUICK, paint

from nightfx.network import threads
from nightfx.network.threads import (
    CoreTimes,
    count_spare,
    look_at_cores,
    pick_threads,
    same_threads,
    use_spare_cores,
)
from nightfx.source import cores, decoding
from nightfx.training.run.state import read_checkpoint
from nightfx.training.run.trainer import train


@pytest.fixture(autouse=True)
def _threads_of_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    own = torch.get_num_threads()
    yield
    torch.set_num_threads(own)


@pytest.mark.parametrize(
    ("cores", "spare", "wanted"),
    [
        (2, 1.98, 2),
        (2, 1.0, 1),  # one other program computes
        (2, 0.3, 1),  # four of them; a third of a core came to this one
        (2, 0.0, 1),
        (16, 15.7, 16),
        (16, 11.9, 12),
        (4, 40.0, 4),  # a container with a quota, on a large machine
        (2, None, 2),  # nothing is known
    ],
)
def test_there_are_as_many_threads_as_spare_cores(
    cores: int, spare: float | None, wanted: int
) -> None:
    assert pick_threads(cores, spare) == wanted


def test_what_this_process_used_is_its_to_use() -> None:
    # in two seconds: one core was its own, the other had nothing to do for half of the time
    before, after = CoreTimes(10, 100, 3), CoreTimes(12, 101, 5)
    assert count_spare(before, after) == 1.5


def test_only_own_cores_count_and_waiting_for_a_disk_is_no_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stat = tmp_path / "stat"
    lines = ["cpu  9 9 9 9999 99", "cpu0 1 1 1 100 50 7", "cpu1 1 1 1 200 0 7", "cpu10 1 1 1 800 0"]
    stat.write_text("\n".join([*lines, "intr 5 5 5 5 5 5", ""]))
    monkeypatch.setattr(threads, "_STAT", stat)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)
    monkeypatch.setattr(os, "sysconf", lambda name: 100)
    found = look_at_cores()
    assert found
    assert found.idle_seconds == 3.5


def test_a_system_that_does_not_say_gives_all_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "_STAT", tmp_path / "none")
    assert look_at_cores() is None
    torch.set_num_threads(2)
    use_spare_cores(None, 2)
    assert torch.get_num_threads() == 2


def test_torch_takes_what_is_spare_and_a_users_number_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = time.monotonic()
    monkeypatch.setattr(threads, "look_at_cores", lambda: CoreTimes(now, 11, 5))
    torch.set_num_threads(2)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    use_spare_cores(CoreTimes(now - 10, 1, 5), 2)
    assert torch.get_num_threads() == 2
    monkeypatch.delenv("OMP_NUM_THREADS")
    use_spare_cores(CoreTimes(now - 10, 1, 5), 2)
    assert torch.get_num_threads() == 1


@pytest.mark.parametrize(
    ("quota", "wanted"),
    [("max 100000", 16), ("150000 100000", 2), ("3200000 100000", 16), ("", 16)],
)
def test_a_containers_quota_is_what_it_may_use(
    quota: str, wanted: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpu.max").write_text(quota)
    monkeypatch.setattr(decoding, "_QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)
    assert cores() == wanted


@pytest.mark.usefixtures("small_reports")
def test_a_run_goes_on_with_the_threads_that_it_began_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    day, night = paint(tmp_path / "day", 4, 170), paint(tmp_path / "night", 4, 60)
    seen: list[int] = []

    def run() -> Path:
        return train(
            *(day, night, tmp_path / "run", replace(QUICK, steps=1)),
            device="cpu",
            on_progress=lambda *_: seen.append(torch.get_num_threads()),
        )

    with same_threads(1):
        assert read_checkpoint(run() / "run/checkpoint.pt")["threads"] == 1
    torch.set_num_threads(2)
    run()
    assert set(seen) == {1}
    assert torch.get_num_threads() == 2
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    run()
    assert seen[-1] == 2
