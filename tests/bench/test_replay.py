"""The row replays a whole recording: more to do takes longer, and one that differs is no figure."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench import replay as row
from bench.hour import write
from rtassist.sessions import checking


@pytest.fixture(scope="module")
def minute(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("replay") / "minute.jsonl"
    write(str(path), 1)
    return path


def slowed(check: Callable[..., Any]) -> Callable[..., Any]:
    def late(path: Path) -> Any:
        until_s = time.process_time() + 0.5
        while time.process_time() < until_s:
            pass
        return check(path)

    return late


def test_a_slower_replay_moves_the_figure(minute: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 < row.replayed(minute, 2)["s"] < 0.5
    monkeypatch.setattr(checking, "check", slowed(checking.check))
    assert row.replayed(minute, 1)["s"] > 0.5


def test_what_does_not_replay_equal_is_no_figure(minute: Path, tmp_path: Path) -> None:
    lines = minute.read_bytes().splitlines(keepends=True)
    changed = tmp_path / "changed.jsonl"
    changed.write_bytes(b"".join(line for line in lines if b'"hush"' not in line or b'"do"' not in line))
    if changed.read_bytes() == minute.read_bytes():
        changed.write_bytes(b"".join([*lines[:40], *lines[41:]]))
    with pytest.raises(AssertionError):
        row.replayed(changed, 1)
