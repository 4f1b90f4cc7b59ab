"""What a conversation is said to be doing, and how long its turns took."""

import attrs
import pytest

from rtassist.dialogue.connection import Line, Link
from rtassist.dialogue.doing import Course, Doing, doing, follow, microphone_on
from rtassist.dialogue.state import Answer, Call, Cancel, Conversation, Request, Sound, Utterance
from rtassist.dialogue.terms import Terms
from rtassist.protocol import Session

TERMS = Terms(session=Session(type="realtime"))
HELD = attrs.evolve(TERMS, server_turns=False, push_to_talk=True)
READY = Conversation(terms=TERMS, ready=True)
SPOKEN = Utterance(item_id="A1", response_id="R1", handed=480, sound=Sound.SOUNDING)
READ = Utterance(item_id="A1", response_id="R1", written=True, transcript="Once", shown=4)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (Conversation(terms=TERMS), Doing.CONNECTING),
        (Conversation(terms=TERMS, link=Link(line=Line.WAITING, sessions=1)), Doing.RECONNECTING),
        (READY, Doing.LISTENING),
        (attrs.evolve(READY, microphone=False), Doing.READY),
        (attrs.evolve(READY, terms=HELD, server_turns=False), Doing.READY),
        (attrs.evolve(READY, terms=HELD, server_turns=False, talk_held=True), Doing.HEARING),
        (attrs.evolve(READY, user_item="U1"), Doing.HEARING),
        (attrs.evolve(READY, user_item="U1", utterances={"A1": SPOKEN}), Doing.HEARING),
        (attrs.evolve(READY, utterances={"A1": SPOKEN}), Doing.SPEAKING),
        (attrs.evolve(READY, utterances={"A1": attrs.evolve(SPOKEN, sound=Sound.HUSHED)}), Doing.LISTENING),
        (attrs.evolve(READY, utterances={"A1": READ}), Doing.WRITING),
        (attrs.evolve(READY, utterances={"A1": attrs.evolve(READ, line_ended=True)}), Doing.LISTENING),
        (attrs.evolve(READY, wanted=True), Doing.THINKING),
        (attrs.evolve(READY, requests=(Request(None),)), Doing.THINKING),
        (attrs.evolve(READY, requests=(Request("e1", denied=True),)), Doing.LISTENING),
        (attrs.evolve(READY, active="R1", answers={"R1": Answer(id="R1")}), Doing.THINKING),
        (
            attrs.evolve(READY, active="R1", answers={"R1": Answer(id="R1", cancel=Cancel.UNDER_WAY)}),
            Doing.LISTENING,
        ),
        (attrs.evolve(READY, calls={"c": Call("R1", "clock")}), Doing.THINKING),
        (attrs.evolve(READY, muted=True), Doing.MUTED),
        (attrs.evolve(READY, paused=True), Doing.PAUSED),
        (attrs.evolve(READY, muted=True, utterances={"A1": SPOKEN}), Doing.SPEAKING),
    ],
)
def test_what_it_does(state: Conversation, expected: Doing) -> None:
    assert doing(state) is expected


@pytest.mark.parametrize(
    ("state", "on"),
    [
        (READY, True),
        (Conversation(terms=TERMS), False),
        (attrs.evolve(READY, muted=True), False),
        (attrs.evolve(READY, paused=True), False),
        (attrs.evolve(READY, microphone=False), False),
        (attrs.evolve(READY, terms=HELD, server_turns=False), False),
        (attrs.evolve(READY, terms=HELD, server_turns=False, talk_held=True), True),
    ],
)
def test_whether_what_is_said_now_is_heard(state: Conversation, on: bool) -> None:
    assert microphone_on(state) is on


def test_the_latency_is_from_the_end_of_a_turn_to_the_first_of_its_answer() -> None:
    course = Course()
    for now_ms, state in (
        (0, READY),
        (1000, attrs.evolve(READY, user_item="U1")),
        (2000, attrs.evolve(READY, requests=(Request(None),))),
        (2300, attrs.evolve(READY, active="R1", answers={"R1": Answer(id="R1")})),
        (2850, attrs.evolve(READY, utterances={"A1": SPOKEN})),
        (9000, READY),
    ):
        course = follow(course, state, now_ms * 1000)
    assert (course.doing, course.latency_ms) == (Doing.LISTENING, 850)


def test_an_answer_that_nobody_asked_for_has_no_latency() -> None:
    course = follow(Course(doing=Doing.LISTENING), attrs.evolve(READY, utterances={"A1": SPOKEN}), 5_000_000)
    assert (course.doing, course.latency_ms) == (Doing.SPEAKING, None)
