"""What is counted while both devices are at work."""

import pytest

from rtassist.doctor.stress import Strain, stress_check

CHUNK_S = 0.020


def strained(seconds: int, late_s: dict[int, float] | None = None, hole_at: int = 10**9) -> Strain:
    """A chunk every 20 ms: some come late by themselves; from the chunk `hole_at` on all 90 ms later."""
    strain = Strain(began_s=0.0)
    for chunk in range(seconds * 50):
        late = (late_s or {}).get(chunk, 0.0) + (0.090 if chunk >= hole_at else 0.0)
        strain.arrived(chunk * CHUNK_S + late, 480)
    return strain


def test_chunks_in_time_are_no_glitch() -> None:
    strain = strained(20)
    assert (strain.chunks, strain.late_chunks, strain.lost_ms()) == (1000, 0, 0)
    assert strain.worst_gap_s == pytest.approx(CHUNK_S)
    assert stress_check(strain, 0, 0, stopped=False).state == "ok"


def test_a_chunk_that_is_late_is_counted_and_nothing_is_lost() -> None:
    strain = strained(20, {500: 0.1, 501: 0.08, 502: 0.06, 503: 0.04, 504: 0.02})
    assert (strain.late_chunks, strain.lost_ms()) == (1, 0)
    assert strain.worst_gap_s == pytest.approx(0.120)
    told = stress_check(strain, 0, 0, stopped=False)
    assert (told.state, told.values["late_chunks"]) == ("warning", 1)


@pytest.mark.parametrize("hole_at", [250, 266, 499, 500, 501])
def test_sound_that_never_came_is_lost(hole_at: int) -> None:
    assert strained(20, hole_at=hole_at).lost_ms() == pytest.approx(90, abs=1)


@pytest.mark.parametrize("late_chunks", [range(400, 700), range(400, 700, 10)])
def test_what_is_late_for_seconds_and_makes_up_for_it_is_not_lost(late_chunks: range) -> None:
    assert strained(20, dict.fromkeys(late_chunks, 0.05)).lost_ms() == 0


def test_seconds_are_judged_by_their_most_punctual_chunk() -> None:
    """From the tenth second on one chunk in ten is late: the machine is busy, and no sound is missing."""
    assert strained(20, dict.fromkeys(range(500, 1000, 10), 0.05)).lost_ms() == 0


def test_a_clock_that_drifts_loses_nothing() -> None:
    strain = Strain(began_s=0.0)
    for chunk in range(50 * 120):
        strain.arrived(chunk * CHUNK_S * (1 + 300e-6), 480)
    assert strain.lost_ms() == 0


def test_how_it_ended_and_what_ran_dry_is_told() -> None:
    assert stress_check(strained(2), 0, 0, stopped=True).values["ended"] == "stopped"
    dry = stress_check(strained(2), 3, 0, stopped=False)
    assert (dry.state, dry.values["underruns"], dry.values["ended"]) == ("warning", 3, "done")
    lost = strained(2)
    lost.lost = "the sound server is gone"
    told = stress_check(lost, 0, 0, stopped=False)
    assert (told.state, told.values["ended"]) == ("failed", "lost")
    assert "the sound server is gone" in told.summary
