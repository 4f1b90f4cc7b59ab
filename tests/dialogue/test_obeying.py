"""What the commands do that change how the conversation goes on."""

from __future__ import annotations

import pytest

from rtassist.dialogue.asking import SAY_EXACTLY
from rtassist.dialogue.effects import Layout, Notice, Outcome, Prefer, Quit, RunErrand, Send, Show
from rtassist.dialogue.events import ErrandEnded, Interrupted
from rtassist.dialogue.state import Conversation
from rtassist.dialogue.step import step
from rtassist.protocol import (
    AudioConfig,
    AudioInput,
    AudioOutput,
    ConversationItemCreate,
    FunctionTool,
    Response,
    ResponseCreate,
    ResponseDone,
    ResponseParams,
    SemanticVad,
    ServerVad,
    Session,
    SessionUpdate,
    StatusDetails,
    StatusError,
    UserContent,
    UserMessage,
)
from tests.playbook import (
    Playbook,
    Refusal,
    Says,
    after,
    append,
    audio,
    cancel,
    clear,
    commit,
    committed,
    create,
    created,
    done,
    ended,
    heard,
    hush,
    listening,
    play,
    said,
    session_updated,
    speech_started,
    transcribed,
    truncate,
    typed,
    update,
)

DETECTION = ServerVad(threshold=0.4, create_response=True, interrupt_response=True)
SOUND = AudioConfig(input=AudioInput(turn_detection=DETECTION), output=AudioOutput(voice="marin"))
CLOCK = FunctionTool(name="clock", description="Tells\n  the time.")
SESSION = Session(type="realtime", instructions="Be brief.", audio=SOUND, tools=(CLOCK,))
LOUD = ()
"""What a playbook is blind to that sees notices; alarms only come with answers."""


def agreed(**terms: object) -> Conversation:
    return listening(session=SESSION, model="a-model", **terms)


def saying(text: str) -> Send:
    params = ResponseParams(instructions=SAY_EXACTLY + text, input=(), tool_choice="none")
    return Send(ResponseCreate(response=params))


def image(uri: str, *question: str) -> Send:
    content = (
        UserContent(type="input_image", image_url=uri),
        *(UserContent(type="input_text", text=text) for text in question),
    )
    return Send(ConversationItemCreate(item=UserMessage(content=content)))


def detecting(detection: ServerVad | SemanticVad | None) -> Send:
    sound = AudioConfig(input=AudioInput(turn_detection=detection))
    return Send(SessionUpdate(session=Session(type="realtime", audio=sound)))


# Voice, model, instructions


def test_a_voice_that_has_not_spoken_can_change() -> None:
    cedar = Session(type="realtime", audio=AudioConfig(output=AudioOutput(voice="cedar")))
    assert (
        Playbook(agreed(), blind_to=LOUD)
        >> typed("/voice")
        << Says("The assistant's voice is marin.")
        >> typed("/voice cedar")
        << update(cedar)
        >> session_updated()
        << Prefer("voice", "cedar")
        << Says("The assistant's voice is cedar now.")
        >> typed("/voice cedar")
        << Says("The assistant's voice is cedar.")
    )


def test_a_voice_that_has_spoken_stays_and_the_next_may_be_another() -> None:
    state = after(agreed(), created("R1"), audio("A1", ms=10), done("R1"), ended("A1", ms=10))
    assert (
        Playbook(state, blind_to=LOUD)
        >> typed("/voice cedar")
        << Prefer("voice", "cedar")
        << Says("/restart begins a new one with cedar")
    )


def test_what_the_server_refuses_does_not_count() -> None:
    assert (
        Playbook(agreed(), blind_to=LOUD)
        >> typed("/voice odd")
        << update(Session(type="realtime", audio=AudioConfig(output=AudioOutput(voice="odd"))))
        >> Refusal(SessionUpdate, "invalid_value", "no such voice")
        << Says("The server said: no such voice", "warning")
        >> typed("/voice")
        << Says("The assistant's voice is marin.")
    )


def test_another_model_goes_on_with_the_conversation() -> None:
    state = after(agreed(), created("R1"), audio("A1", ms=500))
    assert (
        Playbook(state)
        >> typed("/model other")
        << Prefer("model", "other")
        << hush("A1")
        << Quit(Outcome.GO_ON)
    )
    assert Playbook(agreed(), blind_to=LOUD) >> typed("/model") << Says("The model is a-model.")


def test_instructions_are_told_and_changed() -> None:
    new = Session(type="realtime", instructions="Be kind.")
    assert (
        Playbook(agreed(), blind_to=LOUD)
        >> typed("/instructions")
        << Says("Instructions: Be brief.")
        >> typed("/instructions Be kind.")
        << update(new)
        >> session_updated()
        << Prefer("instructions", "Be kind.")
        << Says("Be kind.")
        >> typed("/instructions @kind.txt")
        << RunErrand("instructions", "@kind.txt")
        >> ErrandEnded("instructions", "@kind.txt", "Be kind.")
        << update(new)
        >> session_updated()
        << Prefer("instructions", "Be kind.")
        << Says("Be kind.")
        >> typed("/instructions")
        << Says("Instructions: Be kind.")
    )


# Who finds the turns


def test_turns_that_the_user_ends_himself_from_now_on() -> None:
    state = after(agreed(), heard(ms=200), speech_started("U1"))
    assert (
        Playbook(state)
        >> typed("/vad off")
        << detecting(None)
        >> heard(ms=20)
        << append(ms=20)
        >> session_updated()
        << Prefer("vad", "off")
        << clear()
        >> heard(ms=20)
        >> typed("")
        << clear()
        >> heard(ms=120)
        << append(ms=120)
        >> typed("")
        << commit()
        << create()
        >> committed("U2")
    )


def test_turns_that_the_server_finds_again() -> None:
    book = (
        Playbook(after(agreed(), typed("/vad off"), session_updated(), typed(""), heard(ms=60)))
        >> typed("/vad server")
        << detecting(DETECTION)
        >> session_updated()
        << Prefer("vad", "server")
        << clear()
        >> heard(ms=20)
        << append(ms=20)
        >> typed("/vad semantic")
        << detecting(SemanticVad(create_response=True, interrupt_response=True))
    )
    assert book
    assert not book.state.talk_held


def test_who_confirms_asks_himself_however_turns_are_found() -> None:
    state = agreed(interrupts=False, barge_in="confirm")
    detection = SemanticVad(create_response=False, interrupt_response=False)
    assert Playbook(state) >> typed("/vad semantic") << detecting(detection)


def test_without_a_microphone_there_are_no_turns_to_find() -> None:
    state = listening(microphone=False, session=Session(type="realtime"))
    assert Playbook(state, blind_to=LOUD) >> typed("/vad") << Says("There is no microphone")


# Words that are given, images, errands


def test_what_is_to_be_said_exactly() -> None:
    state = after(agreed(), created("R1"), audio("A1", ms=500))
    assert (
        Playbook(state)
        >> typed("/say Tea is ready.")
        << hush("A1")
        >> ended("A1", ms=100)
        << truncate("A1", ms=100)
        << cancel("R1")
        >> done("R1", "cancelled")
        << saying("Tea is ready.")
        >> created("R2")
        >> audio("A2", ms=100)
        << play("A2", ms=100)
    )


def test_what_is_to_be_said_is_asked_for_again_behind_what_was_in_the_way() -> None:
    assert (
        Playbook(agreed())
        >> typed("/say Tea.")
        << saying("Tea.")
        >> created("R1")
        >> Refusal(ResponseCreate, "conversation_already_has_active_response")
        >> done("R1")
        << saying("Tea.")
    )


def test_what_is_to_be_said_has_its_own_second_attempt() -> None:
    error = StatusError(code="server_error", message="Oh.")
    details = StatusDetails(type="failed", error=error)
    fails = [
        said(ResponseDone(response=Response(id=id, status="failed", status_details=details)))
        for id in ("R1", "R2", "R3")
    ]
    state = after(agreed(), typed("hello"), created("R1"), fails[0], created("R2"), fails[1])
    assert (
        Playbook(state) >> typed("/say Tea.") << saying("Tea.") >> created("R3") >> fails[2] << saying("Tea.")
    )


def test_stop_takes_back_what_was_to_be_said() -> None:
    state = after(agreed(), speech_started("U1"), typed("/say Tea."))
    assert Playbook(state) >> Interrupted() >> transcribed("U1", "")
    assert after(state, Interrupted()).say == ""


def test_an_image_with_a_question_is_answered() -> None:
    book = (
        Playbook(agreed())
        >> typed("/image 'a b.png' what is this")
        << RunErrand("image", "'a b.png' what is this")
        >> ErrandEnded("image", "'a b.png' what is this", "data:image/png;base64,AA==")
        << image("data:image/png;base64,AA==", "what is this")
        << create()
    )
    assert book
    assert book.state.history[-1].text == "[a b.png] what is this"


def test_an_image_alone_waits_for_the_question() -> None:
    state = after(agreed(), created("R1"), audio("A1", ms=500))
    assert (
        Playbook(state)
        >> typed("/image a.jpg")
        << RunErrand("image", "a.jpg")
        >> ErrandEnded("image", "a.jpg", "data:image/jpeg;base64,AA==")
        << image("data:image/jpeg;base64,AA==")
    ), "the voice goes on"


def test_an_errand_that_fails_is_told_and_nothing_is_done() -> None:
    book = (
        Playbook(agreed(), blind_to=LOUD)
        >> typed("/image a.jpg why")
        << RunErrand("image", "a.jpg why")
        >> ErrandEnded("image", "a.jpg why", problem="a.jpg cannot be read: no such file.")
        << Says("a.jpg cannot be read: no such file.", "warning")
    )
    assert book
    assert book.state.quiet()


def test_a_line_from_a_pipe_waits_for_the_errand() -> None:
    assert not after(agreed(), typed("/save x.md")).quiet()


def test_a_recorded_conversation_takes_the_place_of_this_one() -> None:
    assert (
        Playbook(agreed())
        >> typed("/resume-session last")
        << RunErrand("resume-session", "last")
        >> ErrandEnded("resume-session", "last", "2026-01-01_00-00-00_abcd")
        << Quit(Outcome.RESTART)
    )


# What is told, and how it is shown


def test_status_and_tools() -> None:
    assert (
        Playbook(agreed(), blind_to=LOUD)
        >> typed("/status")
        << Says("Listening, 0:00 since the beginning, 0 turns of yours. Model: a-model. Voice: marin. End of")
        >> typed("/tools")
        << Says("clock  Tells the time.")
    )
    for state, condition in (
        (after(agreed(), typed("/pause")), "Paused"),
        (after(agreed(), typed("/mute")), "Muted"),
        (after(agreed(), typed("/vad off"), session_updated()), "Push to talk"),
        (agreed(microphone=False), "No microphone"),
        (agreed(microphone=False, microphone_awaited=True), "The microphone is awaited"),
    ):
        _, effects = step(state, 65_000_000, typed("/status"))
        (shown,) = (e.what for e in effects if isinstance(e, Show))
        assert isinstance(shown, Notice)
        assert shown.text.startswith(f"{condition}, 1:05 since")


@pytest.mark.parametrize(("switch", "on"), [("", None), (" on", True), (" off", False)])
def test_how_it_is_shown(switch: str, on: bool | None) -> None:
    assert Playbook(agreed(), blind_to=LOUD) >> typed(f"/compact{switch}") << Show(Layout("compact", on))
    assert (
        Playbook(agreed(), blind_to=LOUD) >> typed(f"/timestamps{switch}") << Show(Layout("timestamps", on))
    )


def test_who_cannot_type_is_not_switched_off_by_a_word() -> None:
    state = after(agreed(keyboard=False), speech_started("U1"))
    book = Playbook(state) >> transcribed("U1", "Mute.")
    assert book
    assert not book.state.muted


def test_enter_ends_a_pause() -> None:
    state = after(agreed(), typed("/pause"))
    assert Playbook(state, blind_to=LOUD) >> typed("") << Says("Listening.") >> heard(ms=20) << append(ms=20)
