"""The latency rows, end to end: each figure moves when what it measures is broken."""

import statistics
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from bench.contenders import command
from bench.figures import OURS
from bench.interruption import judged
from bench.overhead import IDLE, cpu_s_a_minute, overhead
from bench.plays import Played, play
from bench.row import CannotDo
from bench.startup import ready_ms

PLAYS = {
    "ours": "late",
    "stubborn": "large-buffer",
    "undead": "late",
    "slow": "idle",
    "busy": "idle",
}


@pytest.fixture(scope="module")
def played() -> dict[str, Played]:
    """All at the same time: what is broken is broken by more than they disturb each other."""

    def one(how: str) -> Played:
        breaking = [sys.executable, "-m", "tests.bench.broken", how]
        (only,) = play(command(OURS) if how == "ours" else breaking, [PLAYS[how]])
        return only

    with ThreadPoolExecutor() as pool:
        return dict(zip(PLAYS, pool.map(one, PLAYS), strict=True))


def test_ours_tells_what_was_heard_and_plays_nothing_late(played: dict[str, Played]) -> None:
    verdict = judged(played["ours"])
    assert verdict.error_ms < 1
    assert verdict.ghost == 0
    assert verdict.told_ms is not None
    assert verdict.first_ms > 0


def test_a_device_that_plays_on_is_found_out(played: dict[str, Played]) -> None:
    """It holds half a second, and the client keeps half of that filled at least."""
    verdict = judged(played["stubborn"])
    assert verdict.error_ms > 100
    assert verdict.quiet_ms > 100


def test_a_voice_that_returns_is_found_out(played: dict[str, Played]) -> None:
    verdict = judged(played["undead"])
    assert verdict.ghost > 0
    assert verdict.error_ms > 20
    assert verdict.quiet_ms > judged(played["ours"]).quiet_ms


def test_a_client_that_is_slow_is_found_out(played: dict[str, Played]) -> None:
    assert statistics.median(overhead(played["slow"])[IDLE]) > 20_000


def test_a_client_that_works_more_is_found_out(played: dict[str, Played]) -> None:
    """The frames are 60 deltas, their words and a dozen more; the slow one waits as long without work."""
    more_s = played["busy"].client["cpu_s"] - played["slow"].client["cpu_s"]
    assert more_s > 100 * 0.02 / 2
    assert cpu_s_a_minute(played["busy"]) - cpu_s_a_minute(played["slow"]) > 20 * more_s


def test_a_client_that_begins_late_is_found_out() -> None:
    begins = "import runpy, sys, time; time.sleep(1); sys.argv[0] = ''; runpy.run_module"
    (late,) = play(
        [sys.executable, "-c", f"{begins}('bench.clients.rtassist_client', run_name='__main__')"], ["loaded"]
    )
    assert ready_ms(late) > 1000


def test_a_client_that_cannot_says_why() -> None:
    says = ["-c", "print('hello'); print('{\"cannot\": \"it has no ears\"}')"]
    with pytest.raises(CannotDo, match="it has no ears"):
        play([sys.executable, *says], ["late"])
    with pytest.raises(CannotDo, match="it failed: ZeroDivisionError: division by zero"):
        play([sys.executable, "-c", "1 / 0"], ["late"])
