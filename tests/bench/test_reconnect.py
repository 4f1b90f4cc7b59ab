"""A broken connection judged by what the server got before and behind it."""

import sys
from typing import Any

import pytest

from bench.contenders import command
from bench.figures import OURS
from bench.plays import Played, play
from bench.reconnect import HEARD, LOST, SESSION, gap, lost_ms
from bench.row import CannotDo

MS = 1_000_000


def played(got: list[int], up: list[tuple[int, int]], dropped: int | None = 500) -> Played:
    sent = [] if dropped is None else [(dropped * MS, "dropped", 0, 0)]
    server: dict[str, Any] = {
        "sent": sent,
        "got": [(ms * MS, {"type": "session.update"}) for ms in got],
        "up": [(came * MS, heard * MS) for came, heard in up],
    }
    return Played(scenario="dropped", server=server, client={})


def test_the_gap_is_from_the_break_to_the_next_session() -> None:
    before = [(480, 460), (500, 480)]
    found = gap(played([10, 900], [*before, (930, 500), (931, 520)]))
    assert found == {SESSION: [400], HEARD: [430], LOST: [0]}


def test_what_never_came_is_lost() -> None:
    assert lost_ms([0, 20 * MS, 41 * MS, 100 * MS]) == 40
    assert lost_ms([40 * MS, 0, 20 * MS, 20 * MS]) == 0, "what came twice, or late, did come"


def test_who_does_not_come_back_has_no_gap() -> None:
    with pytest.raises(CannotDo, match="does not connect again"):
        gap(played([10], [(480, 460)]))
    with pytest.raises(CannotDo, match="sends no microphone"):
        gap(played([10, 900], [(480, 460)]))
    with pytest.raises(CannotDo, match="left before"):
        gap(played([10], [], dropped=None))


def test_ours_comes_back_and_a_client_that_forgets_is_found_out() -> None:
    (ours,) = play(command(OURS), ["dropped"])
    assert gap(ours)[LOST] == [0]
    (forgetful,) = play([sys.executable, "-m", "tests.bench.broken", "forgetful"], ["dropped"])
    assert gap(forgetful)[LOST][0] > 100
    assert gap(forgetful)[HEARD][0] > gap(forgetful)[SESSION][0]
