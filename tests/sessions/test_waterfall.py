"""How long each turn waited, as bars."""

import pytest

from rtassist.dialogue import events
from rtassist.sessions import reading, waterfall
from rtassist.sessions.waterfall import Wait
from tests import playbook as p
from tests.sessions.making import Recording


def waits_of(recording: Recording) -> tuple[Wait, ...]:
    return waterfall.waits(reading.records(iter(recording.lines[1:])))


def asked_and_answered() -> Recording:
    """Committed 10 ms after the end, created 90 later, first audio 100 later, heard from 50 ms later on."""
    return (
        Recording()
        .happen(p.speech_started("U1"), p.speech_stopped("U1"))
        .happen(p.committed("U1"), after_ms=10)
        .happen(p.created("R1"), after_ms=90)
        .happen(p.added("A1"), after_ms=40)
        .happen(p.audio("A1", ms=1000), after_ms=60)
        .happen(p.advanced("A1", ms=100), after_ms=150)
        .happen(p.audio("A1", ms=1000), p.advanced("A1", ms=400), after_ms=150)
        .happen(p.speech_started("U2"), p.ended("A1", ms=500))
    )


def test_each_share_is_told() -> None:
    (wait,) = waits_of(asked_and_answered())
    assert wait.steps_us == (10_000, 100_000, 200_000, 250_000)
    assert (wait.server_us, wait.client_us) == (200_000, 50_000)


def test_an_answer_that_was_never_heard_has_no_share_of_the_client() -> None:
    recording = Recording().happen(p.typed("hello"), p.created("R1"), p.added("A1"), p.audio("A1", ms=200))
    recording.happen(events.Interrupted(), p.ended("A1"))
    (wait,) = waits_of(recording)
    assert wait.steps_us == (0, 100_000, 300_000, 300_000)
    assert wait.client_us is None


def test_a_voice_of_the_same_name_in_another_conversation_is_another() -> None:
    recording = asked_and_answered()
    recording.begin(recording.state.terms)
    recording.happen(p.speech_started("U1"), p.speech_stopped("U1"), p.created("R1"), p.added("A1"))
    recording.happen(p.audio("A1", ms=1000), p.advanced("A1", ms=30))
    _, second = waits_of(recording)
    assert second.steps_us == (0, 100_000, 300_000, 370_000)


def test_the_bars_are_in_proportion_and_the_longest_fills_the_terminal() -> None:
    recording = asked_and_answered()
    recording.happen(p.typed("and?"), p.created("R2"), after_ms=500)
    title, spoken, typed, legend = waterfall.lines(waits_of(recording), 61)
    assert max(map(len, (title, spoken, typed, legend))) <= 61
    assert spoken == "   1    0:00    250    200     50  " + "·" * 1 + "░" * 4 + "▒" * 5 + "█" * 3
    assert typed == "   2    0:01    500    500      –  " + "░" * 26


@pytest.mark.parametrize("width", [20, 60, 200])
def test_it_can_be_drawn_at_any_width(width: int) -> None:
    lines = waterfall.lines(waits_of(asked_and_answered()), width)
    assert max(map(len, lines)) <= max(width, 60)


def test_colour_is_only_in_the_bars() -> None:
    plain = waterfall.lines(waits_of(asked_and_answered()), 60)
    coloured = waterfall.lines(waits_of(asked_and_answered()), 60, colour=True)
    assert "\x1b" not in "".join(plain)
    assert coloured[1].count("\x1b[0m") == 2
    assert coloured[1].replace("\x1b[36m", "").replace("\x1b[33m", "").replace("\x1b[0m", "") == plain[1]


def test_no_turn_is_no_bar() -> None:
    assert waterfall.lines(waits_of(Recording())) == ["No turn of the user was answered."]
