"""Whose turn it is: one response at a time."""

from rtassist.dialogue.effects import ClearAlarm, SetAlarm
from rtassist.dialogue.events import Interrupted, TimerDue
from rtassist.protocol import ResponseCreate
from tests.playbook import (
    Playbook,
    Refusal,
    Says,
    Wait,
    after,
    cancel,
    create,
    created,
    done,
    error,
    listening,
    message,
    rang,
    speech_started,
    speech_stopped,
    system_message,
    typed,
)

TEA = "The timer 'tea' is due. Tell the user now, in one short sentence."
SECOND_US = 1_000_000


def test_a_typed_line_is_answered() -> None:
    assert Playbook(listening()) >> typed(" hello ") << message("hello") << create()


def test_a_wanted_response_waits_for_the_active_one() -> None:
    assert (
        Playbook(after(listening(), created("R1")))
        >> TimerDue("tea")
        << system_message(TEA)
        >> done("R1")
        << create()
    )


def test_a_wanted_response_waits_for_the_one_on_its_way() -> None:
    assert (
        Playbook(after(listening(), typed("hello")))
        >> TimerDue("tea")
        << system_message(TEA)
        >> created("R1")
        >> done("R1")
        << create()
    )


def test_two_wishes_are_one_response() -> None:
    assert (
        Playbook(after(listening(), created("R1")))
        >> TimerDue("tea")
        << system_message(TEA)
        >> TimerDue("tea")
        << system_message(TEA)
        >> done("R1")
        << create()
        >> created("R2")
        >> done("R2")
    )


def test_a_wanted_response_waits_for_the_user_and_is_the_servers_answer_then() -> None:
    assert (
        Playbook(after(listening(), speech_started("U1")))
        >> TimerDue("tea")
        << system_message(TEA)
        >> speech_stopped("U1")
        >> created("R1")
        >> done("R1")
    )


def test_a_typed_line_during_a_response_that_the_server_made_by_itself() -> None:
    assert (
        Playbook(after(listening(), speech_started("U1"), speech_stopped("U1"), created("R1")))
        >> typed("wait")
        << cancel("R1")
        << message("wait")
        >> done("R1", "cancelled")
        << create()
    )


def test_a_response_in_the_way_is_waited_for() -> None:
    """It began by itself while our request was on its way."""
    assert (
        Playbook(listening())
        >> typed("hello")
        << message("hello")
        << create()
        >> created("R1")
        >> Refusal(ResponseCreate, "conversation_already_has_active_response")
        >> done("R1")
        << create()
    )


def test_a_response_in_the_way_that_nobody_knows_of_is_waited_for_by_the_clock() -> None:
    book = (
        Playbook(listening())
        >> typed("hello")
        << message("hello")
        << create()
        >> Refusal(ResponseCreate, "conversation_already_has_active_response")
        >> rang("answer")
        << create()
    )
    assert book


def test_a_server_that_names_no_event_in_its_error_is_understood() -> None:
    assert (
        Playbook(after(listening(), typed("hello")))
        >> error("conversation_already_has_active_response")
        >> rang("answer")
        << create()
    )


def test_a_refused_response_that_was_stopped_is_not_asked_for_again() -> None:
    assert (
        Playbook(listening())
        >> typed("hello")
        << message("hello")
        << create()
        >> Interrupted()
        >> Refusal(ResponseCreate, "conversation_already_has_active_response")
        >> rang("answer")
        >> TimerDue("tea")
        << system_message(TEA)
        << create()
    )


def test_a_response_in_the_way_that_was_stopped_ends_the_wish() -> None:
    assert (
        Playbook(listening())
        >> typed("hello")
        << message("hello")
        << create()
        >> created("R1")
        >> Interrupted()
        << cancel("R1")
        >> Refusal(ResponseCreate, "conversation_already_has_active_response")
        >> done("R1", "cancelled")
    )


def test_a_refused_response_does_not_block_the_next() -> None:
    assert (
        Playbook(listening())
        >> typed("hello")
        << message("hello")
        << create()
        >> Refusal(ResponseCreate, "invalid_value")
        >> typed("hello?")
        << message("hello?")
        << create()
    )


def test_an_answer_that_does_not_begin_is_waited_for_25_seconds() -> None:
    assert (
        Playbook(listening(), blind_to=())
        >> Wait(SECOND_US)
        >> TimerDue("tea")
        << system_message(TEA)
        << create()
        << SetAlarm("answer", 26 * SECOND_US)
        >> rang("answer")
        << Says("has not begun an answer", "warning")
        >> rang("answer")
    )


def test_an_answer_that_was_stopped_is_not_missed() -> None:
    state = after(listening(), typed("hello"), Interrupted())
    assert Playbook(state, blind_to=()) >> rang("answer")


def test_while_a_response_is_being_made_the_next_is_not_overdue() -> None:
    """A server that does not interrupt may be at the first one for long."""
    busy = after(
        listening(interrupts=False, transcribes=False),
        created("R1"),
        speech_started("U1"),
        speech_stopped("U1"),
    )
    assert Playbook(busy, blind_to=()) >> rang("answer") << SetAlarm("answer", 25 * SECOND_US)


def test_the_alarm_is_off_once_nothing_more_is_due() -> None:
    state = after(listening(), typed("hello"))
    assert Playbook(state, blind_to=()) >> created("R1") << ClearAlarm("answer")


def test_the_alarm_stays_while_another_answer_is_due() -> None:
    state = after(listening(interrupts=False), typed("hello"), speech_started("U1"), speech_stopped("U1"))
    assert Playbook(state, blind_to=()) >> created("R1")
