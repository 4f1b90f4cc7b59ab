"""What was changed in a session holds in the next one, and within the budget."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from rtassist.dialogue import events, present
from rtassist.dialogue.effects import Announce, Effect, Send
from rtassist.dialogue.spending import NOTHING
from rtassist.dialogue.state import Conversation, Purpose, Update
from rtassist.dialogue.step import step
from rtassist.protocol import (
    AudioConfig,
    AudioInput,
    AudioOutput,
    ConversationItemCreate,
    ConversationItemDelete,
    ResponseCreate,
    SemanticVad,
    ServerVad,
    Session,
    SessionUpdate,
    UserMessage,
)
from tests.playbook import (
    after,
    audio,
    committed,
    created,
    listening,
    rang,
    session_created,
    session_updated,
    speech_started,
    speech_stopped,
    typed,
)

DETECTION = ServerVad(create_response=True, interrupt_response=True)
SOUND = AudioConfig(input=AudioInput(turn_detection=DETECTION), output=AudioOutput(voice="marin"))
SESSION = Session(type="realtime", instructions="Be brief.", audio=SOUND)
LOST = events.LinkLost(1006, "Gone.", recoverable=True)
BACK = (rang("redial"), events.LinkOpened(0), session_created())


def agreed(**terms: Any) -> Conversation:
    return listening(session=SESSION, reconnects=True, **terms)


def effects_of(state: Conversation, *happened: events.Event) -> tuple[Effect, ...]:
    *before, last = happened
    return step(after(state, *before), 1, last)[1]


def updates(effects: tuple[Effect, ...]) -> list[Session]:
    sent = [effect.event for effect in effects if isinstance(effect, Send)]
    sessions = (event.session for event in sent if isinstance(event, SessionUpdate))
    return [session for session in sessions if isinstance(session, Session)]


def test_the_next_session_is_begun_with_what_was_changed() -> None:
    changed = (typed("/voice cedar"), session_updated(), typed("/instructions Be kind."), session_updated())
    (session,) = updates(effects_of(agreed(), *changed, typed("/vad off"), session_updated(), LOST, *BACK))
    assert session.instructions == "Be kind."
    assert session.audio == AudioConfig(
        input=AudioInput(turn_detection=None), output=AudioOutput(voice="cedar")
    )


@pytest.mark.parametrize(
    "happened",
    [
        (typed("/voice cedar"), LOST, *BACK),
        (LOST, typed("/voice cedar"), *BACK),
        (LOST, *BACK, typed("/voice cedar")),
    ],
    ids=["not answered", "without a session", "while it opens"],
)
def test_what_no_server_has_answered_is_asked_of_the_next_one(happened: tuple[events.Event, ...]) -> None:
    state = after(agreed(), *happened)
    assert present.voice(state) == "marin"
    wanted = Session(type="realtime", audio=AudioConfig(output=AudioOutput(voice="cedar")))
    assert updates(effects_of(state, session_updated())) == [wanted]
    assert present.voice(after(state, session_updated(), session_updated())) == "cedar"


def spent(**terms: Any) -> Conversation:
    return attrs.evolve(agreed(max_cost_microusd=1, **terms), spending=attrs.evolve(NOTHING, usd=Decimal(1)))


def test_who_finds_the_turns_may_change_but_nothing_is_answered_beyond_the_budget() -> None:
    (session,) = updates(effects_of(spent(), typed("/vad semantic")))
    quiet = SemanticVad(create_response=False, interrupt_response=True)
    assert session.audio == AudioConfig(input=AudioInput(turn_detection=quiet))


@pytest.mark.parametrize(("asked", "kind"), [("off", None), ("semantic", SemanticVad)])
def test_the_budget_leaves_who_finds_the_turns_as_it_is_about_to_be(asked: str, kind: type | None) -> None:
    state = attrs.evolve(agreed(), updates=(Update("e1", Purpose.VAD, asked),))
    found = present.detection(state, present.vad_asked_for(state))
    assert found is None if kind is None else isinstance(found, kind)


def test_words_to_be_said_are_refused_once_beyond_the_budget() -> None:
    effects = effects_of(spent(), typed("/say hello"))
    assert [type(effect) for effect in effects if isinstance(effect, Announce)] == [Announce]
    assert after(spent(), typed("/say hello")).say == ""


def test_words_to_be_said_are_said_by_the_next_session() -> None:
    state = after(agreed(), typed("/say hello"), LOST, *BACK)
    (asked,) = [
        effect.event
        for effect in effects_of(after(state, session_updated()), session_updated())
        if isinstance(effect, Send) and isinstance(effect.event, ResponseCreate)
    ]
    assert "hello" in str(asked)


def test_what_was_in_doubt_is_said_again_and_nothing_waits_for_it() -> None:
    state = agreed(interrupts=False, barge_in="confirm")
    doubted = (created("R1"), audio("A1", ms=500), speech_started("U1"), speech_stopped("U1"))
    state = after(state, *doubted, committed("U1"), LOST)
    assert not state.own_turns
    assert not state.lowered
    sent = [e.event for e in effects_of(state, *BACK, session_updated()) if isinstance(e, Send)]
    assert not any(isinstance(event, ConversationItemDelete) for event in sent)


def test_an_image_without_a_connection_is_shown_to_the_next_session_and_answered() -> None:
    state = after(agreed(), typed("/image cat.png what is this"), LOST)
    read = events.ErrandEnded("image", "cat.png what is this", "data:image/png;base64,AA==")
    assert not [effect for effect in effects_of(state, read) if isinstance(effect, Send)]
    state = after(state, read, *BACK)
    shown, proof = (e.event for e in effects_of(state, session_updated()) if isinstance(e, Send))
    effects = effects_of(after(state, session_updated()), session_updated())
    (asked,) = (e.event for e in effects if isinstance(e, Send))
    assert isinstance(proof, SessionUpdate), "what was kept of the microphone may hold a turn"
    assert isinstance(shown, ConversationItemCreate)
    assert isinstance(shown.item, UserMessage)
    assert [part.type for part in shown.item.content or ()] == ["input_image", "input_text"]
    assert isinstance(asked, ResponseCreate)
