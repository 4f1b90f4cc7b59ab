"""The row writes real files with the real recorder, and sees what makes it slower or larger."""

import statistics

import pytest

from bench import recording as row
from bench.figures import OURS
from rtassist.sessions.journal import Note
from rtassist.sessions.recorder import Recorder

SLOWER_US = 20_000


@pytest.fixture(autouse=True)
def ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    short = row._notes()[:60]
    monkeypatch.setattr(row, "_notes", lambda: short)


def test_a_slower_note_moves_the_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    note = Recorder.note

    def late(self: Recorder, now_us: int, what: Note) -> None:
        until_ns = time.perf_counter_ns() + SLOWER_US * 1000
        while time.perf_counter_ns() < until_ns:
            pass
        note(self, now_us, what)

    assert statistics.median(row._record(OURS, True)[row.MIC]) < SLOWER_US
    monkeypatch.setattr(Recorder, "note", late)
    assert statistics.median(row._record(OURS, True)[row.MIC]) > SLOWER_US


def test_what_is_recorded_is_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = row._record(OURS, True)
    half = row._notes()[:30]
    monkeypatch.setattr(row, "_notes", lambda: half)
    less = row._record(OURS, True)
    for what in ("a minute's lines", "a minute's microphone"):
        assert 0 < less[what][0] < whole[what][0]
