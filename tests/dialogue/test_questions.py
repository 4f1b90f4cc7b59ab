"""Calls that need the user's word: asked one at a time, answered once, and never made without it."""

from __future__ import annotations

import itertools

import pytest

from rtassist.dialogue import step
from rtassist.dialogue.effects import CallTool, ClearAlarm, Send, SetAlarm, Show
from rtassist.dialogue.events import Event, Interrupted, MicLost, ToolEnded, TypingEnded
from rtassist.dialogue.questions import QUESTION_ALARM, QUESTION_WAIT_US
from rtassist.dialogue.state import Conversation
from rtassist.protocol import ConversationItemCreate, FunctionCallOutput
from tests.playbook import (
    Playbook,
    Says,
    after,
    call_tool,
    committed,
    create,
    created,
    done,
    function_call,
    listening,
    message,
    rang,
    speech_started,
    speech_stopped,
    tool_output,
    transcribed,
    typed,
)

DENIED = '{"error": "the user did not allow it"}'
ASKING: dict[str, object] = {"asks": ("delete",)}


def asking(*calls: str, **terms: object) -> Conversation:
    """The model has called `delete` under these ids."""
    wanted = [function_call(call_id, "delete", '{"file":"a.txt"}') for call_id in calls]
    return after(listening(**(ASKING | terms)), created("R1"), done("R1", calls=wanted))


def test_a_call_waits_for_the_users_word_and_everything_else_goes_on() -> None:
    calls = [function_call("c1", "delete", '{"file":"a.txt"}'), function_call("c2")]
    assert (
        Playbook(after(listening(**ASKING), created("R1")), blind_to=(ClearAlarm,))
        >> done("R1", calls=calls)
        << call_tool("c2")
        << Says('Allow delete(file="a.txt")? y/n')
        << SetAlarm(QUESTION_ALARM, QUESTION_WAIT_US)
        >> ToolEnded("c2", "two")
        << tool_output("c2", "two")
        >> ToolEnded("c1", "from nowhere")
        >> typed("y")
        << Says("Allowed.")
        << call_tool("c1", "delete", '{"file":"a.txt"}')
        >> ToolEnded("c1", "gone")
        << tool_output("c1", "gone")
        << create()
        << SetAlarm("answer", 25_000_000)
    )


@pytest.mark.parametrize("line", ["n", "No", " NO "])
def test_a_denial_is_told_to_the_model(line: str) -> None:
    assert Playbook(asking("c1")) >> typed(line) << tool_output("c1", DENIED) << create()


@pytest.mark.parametrize("line", ["yes please do", "yep", "nothing", "y y"])
def test_any_other_line_is_a_message_and_no_answer(line: str) -> None:
    playbook = Playbook(asking("c1")) >> typed(line) << message(line) << create()
    assert playbook
    assert playbook.state.questions


def test_one_question_is_open_at_a_time() -> None:
    playbook = Playbook(asking("c1", "c2")) >> typed("y") << call_tool("c1", "delete", '{"file":"a.txt"}')
    assert playbook
    assert [(question.id, question.open) for question in playbook.state.questions] == [("c2", True)]
    assert playbook >> typed("n") << tool_output("c2", DENIED)
    assert playbook >> ToolEnded("c1", "gone") << tool_output("c1", "gone") << create()


def test_without_a_question_yes_is_a_message() -> None:
    assert Playbook(listening(**ASKING)) >> typed("y") << message("y") << create()


def test_a_spoken_yes_that_began_after_the_question_is_an_answer() -> None:
    assert (
        Playbook(asking("c1"))
        >> speech_started("U1")
        >> speech_stopped("U1")
        >> committed("U1")
        >> transcribed("U1", "Yes, please!")
        << call_tool("c1", "delete", '{"file":"a.txt"}')
    )


@pytest.mark.parametrize("words", ["Yes, and tomorrow?", "Yesterday.", "Okay."])
def test_words_that_are_more_than_an_answer_are_none(words: str) -> None:
    playbook = Playbook(asking("c1")) >> speech_started("U1") >> transcribed("U1", words)
    assert playbook
    assert playbook.state.questions


def test_a_yes_from_before_the_question_allows_nothing() -> None:
    """ "Shall I delete it?" "Yes": the words come when the model has called already."""
    wanted = function_call("c1", "delete")
    playbook = (
        Playbook(listening(**ASKING))
        >> speech_started("U1")
        >> speech_stopped("U1")
        >> committed("U1")
        >> created("R1")
        >> done("R1", calls=[wanted])
        >> transcribed("U1", "Yes.")
    )
    assert playbook
    assert playbook.state.questions


def test_a_yes_in_another_language_than_ours_is_not_understood() -> None:
    playbook = Playbook(asking("c1", language="de")) >> speech_started("U1") >> transcribed("U1", "Yes.")
    assert playbook
    assert playbook.state.questions


def test_a_question_that_nobody_answers_expires() -> None:
    playbook = Playbook(asking("c1")) >> rang(QUESTION_ALARM)
    (
        playbook
        << tool_output("c1", '{"error": "the user was asked for permission and did not answer"}')
        << create()
    )
    assert playbook
    assert Playbook(listening()) >> rang(QUESTION_ALARM)


def test_stop_denies_what_is_not_allowed_yet_and_nobody_speaks_about_it() -> None:
    assert (
        Playbook(asking("c1"), blind_to=(ClearAlarm,))
        >> Interrupted()
        << Says("Not allowed: delete.")
        << tool_output("c1", '{"error": "the user was asked for permission and said stop"}')
    )


def test_a_call_of_an_answer_that_was_stopped_is_not_even_asked_about() -> None:
    wanted = function_call("a call id of the server's own, 40 chars", "delete")
    told = '{"error": "the user said stop before it was allowed"}'
    assert (
        Playbook(after(listening(**ASKING), created("R1"), Interrupted()))
        >> done("R1", calls=[wanted])
        << tool_output(str(wanted.call_id), told)
    )


def test_where_nobody_can_be_asked_it_is_denied_at_once() -> None:
    told = '{"error": "it needs the user\'s permission, and nobody can be asked"}'
    state = after(listening(**ASKING, microphone=False, keyboard=False), created("R1"))
    calls = [function_call("c1", "delete"), function_call("c2", "delete")]
    playbook = Playbook(state) >> done("R1", calls=calls)
    assert playbook << tool_output("c1", told) << tool_output("c2", told) << create()
    waits = asking("c1", keyboard=False)
    assert Playbook(waits) >> MicLost("gone") << tool_output("c1", told) << create()
    waits = asking("c1", microphone=False)
    assert Playbook(waits) >> TypingEnded() << tool_output("c1", told) << create()


def test_a_long_argument_is_shown_as_far_as_one_reads_and_counted() -> None:
    wanted = function_call("c1", "delete", '{"file":"%s"}' % ("x" * 2000))
    state = after(listening(**ASKING), created("R1"))
    _, effects = step.step(state, 0, done("R1", calls=[wanted]))
    (question,) = [effect.what.text for effect in effects if isinstance(effect, Show)]  # type: ignore[union-attr]
    assert question.count("x") >= 500
    assert "(2002 characters)" in question
    assert len(question) < 700


def test_in_every_order_each_call_is_made_at_most_once_and_only_after_a_yes() -> None:
    """Three calls, and all that can happen to them, five steps deep."""
    happenings: list[Event] = [
        *(typed("y"), typed("n"), Interrupted(), rang(QUESTION_ALARM)),
        *(ToolEnded(call, "out") for call in ("c1", "c2", "c3")),
    ]
    start = asking("c1", "c2", "c3")
    walked = 0
    for path in itertools.product(range(len(happenings)), repeat=5):
        state = start
        made: list[str] = []
        told: list[str] = []
        allowed: list[str] = []
        for index in path:
            event = happenings[index]
            if event == typed("y") and state.questions:
                allowed.append(state.questions[0].id)
            state, effects = step.step(state, 0, event)
            made += [effect.call_id for effect in effects if isinstance(effect, CallTool)]
            told += [
                effect.event.item.call_id
                for effect in effects
                if isinstance(effect, Send)
                and isinstance(effect.event, ConversationItemCreate)
                and isinstance(effect.event.item, FunctionCallOutput)
            ]
            walked += 1
        assert made == allowed
        assert len(told) == len(set(told))
        assert set(told) | set(state.calls) == {"c1", "c2", "c3"}
        assert {question.id for question in state.questions} <= set(state.calls)
    assert walked == 5 * 7**5
