"""How a session begins, and how it ends when nobody will say more."""

import pytest

from rtassist.dialogue.effects import ClearAlarm, Listen, Outcome, Quit, Send, SetAlarm
from rtassist.dialogue.events import Interrupted, MicEnded, MicLost, SpeakerLost, ToolEnded, TypingEnded
from rtassist.dialogue.state import Conversation
from rtassist.dialogue.step import begin
from rtassist.dialogue.terms import Terms, Turn
from rtassist.protocol import (
    AssistantContent,
    AssistantMessage,
    ConversationItemCreate,
    Session,
    SessionUpdate,
)
from tests.playbook import (
    Playbook,
    Refusal,
    Says,
    after,
    append,
    audio,
    call_tool,
    clear,
    committed,
    create,
    created,
    done,
    ended,
    finish,
    function_call,
    heard,
    line,
    listening,
    message,
    play,
    rang,
    session_created,
    session_updated,
    speech_started,
    speech_stopped,
    tool_output,
    transcribed,
    typed,
    update,
)

SESSION = Session(type="realtime", instructions="Be kind.")
FENCE = Session(type="realtime")
SECOND_US = 1_000_000


def file_over(**terms: object) -> Conversation:
    """The microphone was a file, and all of its silence but the last chunk has been sent."""
    state = listening(microphone_ends=True, keyboard=False, **terms)
    return after(state, heard(ms=500), MicEnded(), heard(ms=1480))


def test_the_session_begins_when_the_server_has_accepted_the_terms() -> None:
    assert (
        Playbook(begin(Terms(session=SESSION, greeting="Go ahead.")), blind_to=())
        >> heard(ms=20)
        >> session_created()
        << update(SESSION)
        << SetAlarm("begin", 15 * SECOND_US)
        >> heard(ms=20)
        >> session_updated()
        << ClearAlarm("begin")
        << Listen()
        << Says("Go ahead.", "info")
        >> heard(ms=20)
        << append(ms=20)
        >> session_updated()
        >> rang("begin")
    )


def test_an_earlier_conversation_is_told_before_the_microphone_is_read() -> None:
    history = (Turn("user", "I am Ada."), Turn("assistant", "Hello, Ada.", cut=True, unsaid="How are you?"))
    spoken = AssistantMessage(content=(AssistantContent(type="output_text", text="Hello, Ada."),))
    assert (
        Playbook(begin(Terms(session=SESSION, history=history)))
        >> session_created()
        << update(SESSION)
        >> session_updated()
        << message("I am Ada.")
        << Send(ConversationItemCreate(item=spoken))
        << Listen()
        >> session_updated()
    )


def test_a_server_that_never_accepts_the_terms_speaks_no_realtime() -> None:
    message = "The server opened a session and then did not accept its settings."
    assert (
        Playbook(after(begin(Terms(session=SESSION)), session_created()))
        >> rang("begin")
        << Quit(Outcome.NO_REALTIME, message)
    )


def test_what_is_typed_before_the_session_stands_is_answered_then() -> None:
    assert (
        Playbook(after(begin(Terms(session=SESSION)), session_created()))
        >> typed("hello")
        << message("hello")
        >> session_updated()
        << Listen()
        << create()
    )


def test_a_microphone_file_ends_with_silence_a_fence_and_quiet() -> None:
    assert (
        Playbook(listening(microphone_ends=True, keyboard=False), blind_to=())
        >> heard(ms=500)
        << append(ms=500)
        >> MicEnded()
        >> heard(ms=1480)
        << append(ms=1480)
        >> heard(ms=20)
        << update(FENCE)
        << SetAlarm("settle", 10 * SECOND_US)
        << append(ms=20)
        >> session_updated()
        << SetAlarm("settle", SECOND_US)
        >> rang("settle")
        << Says("No words were recognised")
        << Quit()
    )


def test_the_last_words_of_a_file_are_answered_and_the_answer_is_heard() -> None:
    assert (
        Playbook(file_over())
        >> speech_started("U1")
        >> heard(ms=20)
        << update(FENCE)
        << append(ms=20)
        >> speech_stopped("U1")
        >> committed("U1")
        >> session_updated()
        >> rang("settle")
        >> created("R1")
        >> audio("A1", ms=100)
        << play("A1", ms=100)
        >> done("R1", calls=[function_call("c1")])
        << finish("A1")
        << call_tool("c1")
        >> transcribed("U1", "What time is it?")
        >> ended("A1", ms=100)
        >> ToolEnded("c1", "12:00")
        << tool_output("c1", "12:00")
        << create()
        >> created("R2")
        >> done("R2")
        << Quit()
    )


def test_silence_goes_on_past_a_mute() -> None:
    state = listening(microphone_ends=True, keyboard=False)
    assert Playbook(after(state, typed("/mute"), MicEnded())) >> heard(ms=20) << append(ms=20)


def test_an_end_of_speech_that_the_server_never_finds_holds_nothing_up() -> None:
    assert (
        Playbook(after(file_over(), speech_started("U1"), heard(ms=20)), blind_to=(SetAlarm, ClearAlarm))
        >> session_updated()
        >> rang("settle")
        << line("U1", "", "user")
        << Says("No words were recognised")
        << Quit()
    )


def test_a_fence_that_is_refused_is_a_fence() -> None:
    assert (
        Playbook(file_over(), blind_to=())
        >> heard(ms=20)
        << update(FENCE)
        << SetAlarm("settle", 10 * SECOND_US)
        << append(ms=20)
        >> Refusal(SessionUpdate, "invalid_value")
        << SetAlarm("settle", SECOND_US)
        >> rang("settle")
        << Says("No words were recognised")
        << Quit()
    )


def test_a_fence_that_is_never_answered_is_passed_by_the_clock() -> None:
    assert Playbook(after(file_over(), heard(ms=20))) >> rang("settle") << Quit()


def test_answers_to_updates_come_in_order() -> None:
    """The loudspeaker's update is answered first, and its answer is not taken for the fence's."""
    state = after(file_over(), SpeakerLost("unplugged"), heard(ms=20))
    assert (
        Playbook(state, blind_to=(Send,))
        >> session_updated()
        >> session_updated()
        << SetAlarm("settle", SECOND_US)
    )


def test_the_end_of_a_typed_pipe_is_the_end_after_the_last_answer() -> None:
    assert (
        Playbook(after(listening(microphone=False, voiced=False), typed("hello")))
        >> TypingEnded()
        >> created("R1")
        >> done("R1")
        << Quit()
    )


def test_the_end_of_an_empty_pipe_is_the_end() -> None:
    assert Playbook(listening(microphone=False)) >> TypingEnded() << Quit()


def test_the_end_of_typing_does_not_end_what_is_spoken() -> None:
    assert Playbook(listening()) >> TypingEnded() >> heard(ms=20) << append(ms=20)


@pytest.mark.parametrize("order", [(TypingEnded(), MicLost("x")), (MicLost("x"), TypingEnded())])
def test_when_neither_speech_nor_typing_is_left_the_conversation_ends(order: tuple[MicLost, ...]) -> None:
    state = after(listening(), order[0])
    assert not state.over
    assert Playbook(state) >> order[1] << Quit()


def test_a_lost_microphone_without_a_keyboard_ends_after_the_last_answer() -> None:
    state = after(listening(keyboard=False), created("R1"), audio("A1", ms=100))
    assert (
        Playbook(state, blind_to=(SetAlarm, ClearAlarm))
        >> MicLost("unplugged")
        << Says("The microphone is gone (unplugged).", "warning")
        >> done("R1")
        << finish("A1")
        >> ended("A1", ms=100)
        << line("A1", "")
        << Quit()
    )


def test_a_lost_microphone_takes_the_half_sentence_with_it() -> None:
    state = after(listening(), heard(ms=300), speech_started("U1"), MicLost("unplugged"))
    assert (
        Playbook(state)
        >> typed("hello")
        << message("hello")
        << update(FENCE)
        >> session_updated()
        << create()
    )
    assert Playbook(after(listening(), heard(ms=300))) >> MicLost("x") << clear() >> heard(ms=20)


def test_everything_outstanding_holds_the_end_back() -> None:
    state = after(listening(), typed("goodbye"), Interrupted())
    assert not state.over
    assert Playbook(state) >> rang("answer") << Quit()
