"""What the server and the client report of a connection without a loudspeaker."""

import pytest

from bench.overhead import IDLE, LOADED, UP, overhead
from bench.plays import Played
from bench.row import CannotDo
from bench.sink import sink

SENT = [(n, "audio", 0, 100) for n in range(3)]


def played(scenario: str, down_us: list[float]) -> Played:
    server = {
        "scenario": scenario,
        "sent": SENT,
        "got": [],
        "up": [(1_700_000, 1_000_000), (2_800_000, 2_000_000)],
    }
    return Played(scenario=scenario, server=server, client={"scenario": scenario, "down_us": down_us})


def test_each_way_has_its_figure() -> None:
    assert overhead(played("idle", [500.0, 600.0, 550.0])) == {IDLE: [500.0, 600.0, 550.0]}
    assert overhead(played("loaded", [1.0, 2.0, 3.0])) == {LOADED: [1.0, 2.0, 3.0], UP: [700.0, 800.0]}


def test_a_delta_that_never_came_is_no_fast_one() -> None:
    with pytest.raises(CannotDo, match="of 3 deltas 2 came"):
        overhead(played("idle", [500.0, 600.0]))


def test_of_the_sink_all_errors_count_and_who_spoke_alone() -> None:
    trials = [
        {"by": "speech_started", "quiet_ms": 9.0, "error_ms": -30.0},
        {"by": "key", "quiet_ms": 50.0, "error_ms": 1.0},
    ]
    assert sink(trials) == {"quiet": [9.0], "truncation error": [30.0, 1.0]}
