"""The latency rows, end to end: each figure moves when what it measures is broken."""

import statistics
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from bench.contenders import command
from bench.figures import OURS
from bench.interruption import judged
from bench.overhead import IDLE, overhead
from bench.plays import Played, play
from bench.row import CannotDo

PLAYS = {"ours": "late", "stubborn": "large-buffer", "undead": "late", "slow": "idle"}


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


def test_a_client_that_cannot_says_why() -> None:
    says = ["-c", "print('hello'); print('{\"cannot\": \"it has no ears\"}')"]
    with pytest.raises(CannotDo, match="it has no ears"):
        play([sys.executable, *says], ["late"])
    with pytest.raises(CannotDo, match="it failed: ZeroDivisionError: division by zero"):
        play([sys.executable, "-c", "1 / 0"], ["late"])
