"""No response is asked for while the server may be about to answer what it has not told of."""

from __future__ import annotations

import pytest

from rtassist.dialogue import events, unread
from rtassist.dialogue.effects import Deliver, SetAlarm
from rtassist.dialogue.state import Conversation
from rtassist.protocol import InputAudioBufferCleared, Session, SessionUpdate
from tests.playbook import (
    Playbook,
    Refusal,
    after,
    audio,
    cancel,
    clear,
    create,
    created,
    delete,
    done,
    ended,
    error,
    finish,
    heard,
    hush,
    listening,
    message,
    play,
    rang,
    said,
    session_created,
    session_updated,
    speech_started,
    speech_stopped,
    typed,
    update,
)

FENCE = Session(type="realtime")
CLEARED = said(InputAudioBufferCleared(event_id="e"))
LOST = events.LinkLost(1006, "Gone.", recoverable=True)
LAGS = events.UplinkLags(12_000)


def back(**terms: object) -> Conversation:
    """A line was typed in the gap, and the next session is about to stand."""
    state = after(listening(reconnects=True, **terms), LOST, typed("hello"), rang("redial"))
    return after(state, events.LinkOpened(0), session_created())


def test_behind_what_was_kept_the_server_is_asked_whether_it_has_read_it() -> None:
    assert (
        Playbook(back())
        >> session_updated()
        << message("hello")
        << Deliver()
        << update(FENCE)
        >> session_updated()
        << create()
    )


def test_a_turn_in_what_was_kept_is_answered_by_the_server_and_that_is_the_answer() -> None:
    assert (
        Playbook(after(back(), session_updated()))
        >> speech_started("U1")
        >> speech_stopped("U1")
        >> session_updated()
        >> created("R1")
        >> audio("A1", ms=100)
        << play("A1", ms=100)
        >> done("R1")
        << finish("A1")
        >> ended("A1", ms=100)
    )


@pytest.mark.parametrize("terms", [{"microphone": False}, {"barge_in": "confirm"}, {"server_turns": False}])
def test_where_the_server_answers_nothing_by_itself_nothing_is_to_be_proven(terms: dict[str, object]) -> None:
    assert Playbook(back(**terms)) >> session_updated() << message("hello") << Deliver() << create()


def test_a_server_that_refuses_the_update_has_read_it_too() -> None:
    book = Playbook(back()) >> session_updated() << message("hello") << Deliver() << update(FENCE)
    assert book >> Refusal(SessionUpdate, "invalid_value") << create()


def test_a_server_that_answers_no_update_is_asked_all_the_same() -> None:
    book = Playbook(back(), blind_to=()) >> session_updated()
    assert SetAlarm(unread.ALARM, unread.WAIT_US) in book._steps[-1].actual
    assert Playbook(book.state) >> rang(unread.ALARM) << create()


def unanswered() -> Conversation:
    """The server has not answered the update in time, and was asked all the same."""
    state = after(listening(session=FENCE), heard(ms=200), typed("/mute"), typed("hello"))
    return after(state, rang(unread.ALARM), created("R1"), done("R1"))


def test_an_update_that_is_never_answered_does_not_take_the_answer_to_another() -> None:
    state = after(unanswered(), typed("/instructions Be brief."), session_updated())
    assert state.changed == {"instructions": "Be brief."}


def test_an_update_that_is_answered_late_proves_nothing_of_a_later_one() -> None:
    state = after(unanswered(), typed("/mute"), heard(ms=200), typed("/mute"))
    assert (
        Playbook(state)
        >> typed("and now?")
        << message("and now?")
        << update(FENCE)
        >> session_updated()
        >> session_updated()
        << create()
    )


def test_a_turn_whose_end_crosses_with_its_being_taken_back_is_answered_first() -> None:
    """And what was typed behind it next: that answer was made without it."""
    assert (
        Playbook(after(listening(), heard(ms=200), speech_started("U1"), typed("/mute")))
        >> typed("hello")
        << message("hello")
        << update(FENCE)
        >> speech_stopped("U1")
        >> created("R1")
        >> CLEARED
        >> session_updated()
        >> done("R1")
        << create()
    )


def test_what_is_taken_back_in_silence_is_proven_when_something_is_asked() -> None:
    state = after(listening(), heard(ms=200))
    assert Playbook(state) >> typed("/mute") << clear() >> CLEARED >> typed("/mute")
    assert Playbook(after(state, typed("/mute"))) >> typed("one") << message("one") << update(FENCE)


def test_behind_a_network_that_is_slow_one_proof_is_enough() -> None:
    assert (
        Playbook(after(listening(), LAGS))
        >> typed("hello")
        << message("hello")
        << update(FENCE)
        >> LAGS
        >> session_updated()
        << create()
    )


def test_the_answer_to_a_turn_is_not_taken_for_a_request_that_it_crossed_with() -> None:
    """The request was denied when the user spoke; the server's own answer is to what he said."""
    assert (
        Playbook(after(listening(), typed("hello")))
        >> speech_started("U1")
        >> speech_stopped("U1")
        >> created("R1")
        >> audio("A1", ms=100)
        << play("A1", ms=100)
        >> error("conversation_already_has_active_response", event_id="rta_3")
        >> done("R1")
        << finish("A1")
    )


def test_a_request_that_is_read_behind_the_answer_to_a_turn_is_still_denied() -> None:
    assert (
        Playbook(after(listening(), typed("hello"), speech_started("U1"), speech_stopped("U1")))
        >> created("R1")
        >> audio("A1", ms=100)
        << play("A1", ms=100)
        >> done("R1")
        << finish("A1")
        >> created("R2")
        << cancel("R2")
        >> audio("A2", ms=100)
        >> done("R2")
        << delete("A2")
    )


def test_a_turn_that_the_server_failed_to_answer_by_itself_is_answered_at_our_request() -> None:
    state = after(listening(), speech_started("U1"), speech_stopped("U1"))
    assert (
        Playbook(state)
        >> error("conversation_already_has_active_response")
        >> rang("answer")
        << create()
        >> created("R1")
        >> audio("A1", ms=100)
        << play("A1", ms=100)
        >> speech_started("U2")
        << hush("A1")
    )


def test_a_refusal_that_nobody_waits_for_any_more_asks_for_nothing() -> None:
    state = after(listening(), typed("hello"), rang("answer"))
    assert Playbook(state) >> error("conversation_already_has_active_response", event_id="rta_3")
    assert after(state, error("conversation_already_has_active_response", event_id="rta_3")).quiet()
