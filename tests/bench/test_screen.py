"""The screen's figures are the screen's: what is broken in it is seen in them."""

import sys
import time

import pytest
import trio

from bench.program import environ
from bench.screen import cpu_percent, words_ms
from rtassist.terminal.live import Live

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are of Unix")


def test_a_word_that_is_drawn_late_is_seen_late() -> None:
    environ()
    late = trio.run(words_ms, ("-m", "tests.bench.slow_screen", "talk", "--no-record", "--text"), 10)
    assert len(late) == 10
    assert min(late) >= 100
    assert late[-1] > 500, "words come every 40 ms, and each takes 100"


def test_work_of_the_screen_is_counted_and_waiting_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    healthy = trio.run(cpu_percent, 1.0)
    draw = Live._draw

    def slowly(self: Live) -> None:
        until_s = time.thread_time() + 0.02
        while time.thread_time() < until_s:
            pass
        draw(self)

    monkeypatch.setattr(Live, "_draw", slowly)
    busy = trio.run(cpu_percent, 1.0)
    assert 0 < healthy < busy / 2
    assert busy > 5
