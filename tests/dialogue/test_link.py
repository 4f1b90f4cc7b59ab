"""The connection, decided: when the next attempt is made, what is told of it, and what a session leaves."""

from __future__ import annotations

import attrs
import pytest

from rtassist.dialogue import events, link, step
from rtassist.dialogue.connection import Line, Link
from rtassist.dialogue.effects import (
    ClearAlarm,
    Deliver,
    Dial,
    Keep,
    Listen,
    Outcome,
    Quit,
    Send,
    SetAlarm,
    Switch,
)
from rtassist.dialogue.terms import Terms
from rtassist.protocol import AssistantContent, AssistantMessage, ConversationItemCreate, Session
from tests.playbook import (
    Playbook,
    Says,
    Wait,
    added,
    after,
    append,
    clear,
    commit,
    create,
    created,
    done,
    error,
    heard,
    listening,
    message,
    rang,
    session_created,
    session_updated,
    system_message,
    text,
    typed,
    update,
)

LOST = events.LinkLost(1006, "Gone.", recoverable=True)
SESSION = Session(type="realtime")


def test_the_delay_doubles_to_a_limit_and_is_shortened_by_chance() -> None:
    delays = [link.delay_ms(attempt, 0) for attempt in (1, 2, 3, 4, 5, 6, 10_000)]
    assert delays == [0, 500, 1000, 2000, 4000, 8000, 8000]
    assert link.delay_ms(3, 500) == 875
    assert link.delay_ms(2, 999) == 376
    assert link.delay_ms(1, 999) == 249


@pytest.mark.parametrize(
    ("state", "now_us", "words"),
    [
        (Link(line=Line.UP, sessions=1), 0, ""),
        (Link(line=Line.OPENING), 0, ""),
        (
            Link(line=Line.WAITING, attempt=3, redial_us=4_000_000),
            1_500_000,
            "no connection, attempt 3 in 3 s",
        ),
        (
            Link(line=Line.WAITING, attempt=3, redial_us=4_000_000),
            4_500_000,
            "no connection, attempt 3 in 0 s",
        ),
        (Link(line=Line.DIALLING, attempt=2), 0, "no connection, attempt 2 under way"),
        (Link(line=Line.OPENING, sessions=1), 0, "connected again, the session opens"),
    ],
)
def test_a_status_line_can_say_how_it_stands(state: Link, now_us: int, words: str) -> None:
    assert link.told(state, now_us) == words


def test_the_next_session_is_given_what_was_said_and_heard() -> None:
    heard_line = AssistantMessage(content=(AssistantContent(type="output_text", text="Hi."),))
    assert (
        Playbook(listening(reconnects=True))
        >> typed("hello")
        << message("hello")
        << create()
        >> created("R1")
        >> added("A1")
        >> text("A1", "Hi.")
        >> done("R1")
        >> LOST
        << Keep(0)
        >> rang("redial")
        << Dial()
        >> events.LinkOpened(0)
        << Switch()
        >> session_created()
        << update(SESSION)
        >> session_updated()
        << message("hello")
        << Send(ConversationItemCreate(item=heard_line))
        << Deliver()
    )


def test_a_turn_with_the_key_is_taken_in_the_gap_and_answered_after_it() -> None:
    state = after(listening(reconnects=True, push_to_talk=True, server_turns=False), LOST, rang("redial"))
    assert (
        Playbook(state)
        >> events.TalkPressed()
        << clear()
        >> heard(ms=200)
        << append(ms=200)
        >> events.TalkReleased()
        << commit()
        >> events.LinkOpened(0)
        << Switch()
        >> session_created()
        << update(SESSION)
        >> session_updated()
        << Deliver()
        << create()
    )


def test_a_file_that_ends_in_the_gap_is_heard_to_its_end_after_it() -> None:
    terms = {"microphone_ends": True, "keyboard": False, "trailing_silence_ms": 100}
    state = after(listening(reconnects=True, **terms), LOST, rang("redial"), events.MicEnded())
    assert (
        Playbook(state)
        >> heard(ms=100)
        << append(ms=100)
        >> events.LinkOpened(0)
        << Switch()
        >> session_created()
        << update(SESSION)
        >> session_updated()
        << Deliver()
        << update(Session(type="realtime"))
        >> session_updated()
        >> rang("settle")
        << Quit()
    )


def test_a_loudspeaker_that_is_gone_in_the_gap_is_known_to_the_next_session() -> None:
    state = after(listening(reconnects=True), LOST, events.SpeakerLost("unplugged"), rang("redial"))
    assert (
        Playbook(state)
        >> events.LinkOpened(0)
        << Switch()
        >> session_created()
        << update(Session(type="realtime", output_modalities=("text",)))
    )


def test_what_the_model_was_told_and_has_not_answered_is_told_again() -> None:
    told = system_message("The timer 'tea' is due. Tell the user now, in one short sentence.")
    state = after(listening(reconnects=True), events.TimerDue("tea"))
    assert (
        Playbook(after(state, LOST, rang("redial"), events.LinkOpened(0), session_created()))
        >> session_updated()
        << told
        << Deliver()
        << update(SESSION)
        >> session_updated()
        << create()
    )
    answered = after(state, created("R1"), done("R1"), LOST, rang("redial"), events.LinkOpened(0))
    assert Playbook(after(answered, session_created())) >> session_updated() << Deliver()


@pytest.mark.parametrize("reconnects", [False, True])
def test_without_another_connection_a_loss_is_the_end(reconnects: bool) -> None:
    lost = attrs.evolve(LOST, recoverable=not reconnects)
    assert Playbook(listening(reconnects=reconnects)) >> lost << Quit(Outcome.LINK_LOST, "Gone.")


def test_a_loss_before_the_settings_are_accepted_is_one_like_any_other() -> None:
    state = step.begin(Terms(session=SESSION, reconnects=True, greeting="Speak."))
    book = (
        Playbook(after(state, events.LinkOpened(0)), blind_to=(SetAlarm, ClearAlarm))
        >> session_created()
        << update(SESSION)
        >> LOST
        << Keep(0)
        << Says("Gone. Connecting again.", "warning")
        >> events.SpeakerLost("unplugged")
        << Says("The loudspeaker is gone")
        >> rang("redial")
        << Dial()
        >> events.DialFailed("No network.")
        << Says("No connection yet. No network. Trying again in 0.5 s.", "warning")
        >> rang("redial")
        << Dial()
        >> Wait(2_000_000)
        >> events.LinkOpened(0)
        << Switch()
        >> session_created()
        << update(Session(type="realtime", output_modalities=("text",)))
        >> session_updated()
        << Deliver()
        << Says("Connected again after 2 s.")
        << Listen()
        << Says("Speak.")
    )
    assert book
    assert book.state.quiet()


def test_settings_that_are_refused_are_no_loss() -> None:
    state = after(step.begin(Terms(session=SESSION, reconnects=True)), session_created())
    refused = error("invalid_value", "No such voice.", event_id="rta_1")
    words = "The server refused: No such voice. The server did not accept these settings."
    assert Playbook(state) >> refused << Quit(Outcome.REFUSED, words) >> LOST


def test_an_expired_session_is_followed_at_once() -> None:
    book = Playbook(listening(reconnects=True)) >> Wait(3_000_000) >> error("session_expired")
    assert book << Keep(2_000_000) << Dial() >> LOST >> events.LinkOpened(0) << Switch()


def test_a_session_is_kept_from_its_first_to_its_last_five_minutes() -> None:
    state = after(step.begin(Terms(session=SESSION, reconnects=True)), events.LinkOpened(1_800_000_000))
    book = Playbook(state, blind_to=()) >> session_created(expires_at=1_800_003_600)
    assert book << SetAlarm("handover", 3_300_000_000) << update(SESSION) << SetAlarm("begin", 15_000_000)


@pytest.mark.parametrize("expires_at", [None, 0, 1_799_999_999])
def test_a_session_that_tells_no_end_or_a_wrong_one_is_not_handed_over(expires_at: int | None) -> None:
    state = after(step.begin(Terms(session=SESSION, reconnects=True)), events.LinkOpened(1_800_000_000))
    assert after(state, session_created(expires_at=expires_at)).link.expires_us is None
