"""How long a turn waits is the same while a conversation is held and out of its recording."""

import pytest

from rtassist.dialogue.step import begin, step
from rtassist.sessions import reading
from rtassist.sessions.latency import Waiting
from rtassist.sessions.waterfall import waits
from tests.recordings.make import RECORDINGS, Talk, recording


def held(talk: Talk) -> Waiting:
    waiting, state, us = Waiting(), begin(talk.terms), 0
    for happening in talk.happenings:
        if isinstance(happening, int):
            us += happening * 1000
            continue
        waiting.saw(us, happening)
        state, effects = step(state, us, happening)
        for effect in effects:
            waiting.saw(us, effect)
    return waiting


@pytest.mark.parametrize("name", [name for name, talks in RECORDINGS.items() if len(talks) == 1])
def test_live_is_as_recorded(name: str) -> None:
    (talk,) = RECORDINGS[name]
    lines = iter(recording(name).splitlines(keepends=True)[1:])
    assert held(talk).waits() == waits(reading.records(lines))


def test_the_last_turns_wait_is_told_in_ms() -> None:
    spoken, written = held(RECORDINGS["spoken"][0]), held(RECORDINGS["written"][0])
    assert spoken.last_ms is not None
    assert spoken.last_ms == (spoken.waits()[-1].latency.played_us or 0) // 1000
    assert written.last_ms == (written.waits()[-1].latency.created_us or 0) // 1000 == 100
    assert Waiting().last_ms is None
