"""The user holds a key to talk."""

from rtassist.dialogue.effects import ClearAlarm, Listen, Quit, SetAlarm
from rtassist.dialogue.events import MicEnded, MicLost, TalkPressed, TalkReleased
from rtassist.dialogue.state import Conversation
from rtassist.dialogue.step import begin
from rtassist.protocol import InputAudioBufferCommit, Session
from tests.playbook import (
    Playbook,
    Refusal,
    Says,
    after,
    append,
    audio,
    awaits,
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
    line,
    listening,
    message,
    session_created,
    session_updated,
    transcribed,
    truncate,
    typed,
    update,
)

ALARMS = (SetAlarm, ClearAlarm)


def holding(**terms: object) -> Conversation:
    """Push-to-talk, with nothing said yet."""
    return listening(push_to_talk=True, server_turns=False, interrupts=False, **terms)


def test_push_to_talk_is_four_events() -> None:
    assert (
        Playbook(after(holding(), created("R1"), audio("A1", ms=500)))
        >> heard(ms=20)
        >> TalkPressed()
        << hush("A1")
        << clear()
        >> TalkPressed()
        >> heard(ms=60)
        << append(ms=60)
        >> ended("A1", ms=100)
        << truncate("A1", ms=100)
        << cancel("R1")
        >> heard(ms=60)
        << append(ms=60)
        >> done("R1", "cancelled")
        >> TalkReleased()
        << commit()
        << create()
        >> heard(ms=20)
        >> TalkReleased()
    )


def test_less_than_100_ms_is_no_turn() -> None:
    assert (
        Playbook(holding())
        >> TalkPressed()
        << clear()
        >> heard(ms=99)
        << append(ms=99)
        >> TalkReleased()
        << clear()
    )


def test_the_turn_before_does_not_shorten_this_one() -> None:
    """The server says `committed` when the user is talking again."""
    assert (
        Playbook(after(holding(), TalkPressed(), heard(ms=500), TalkReleased(), created("R1"), done("R1")))
        >> TalkPressed()
        << clear()
        >> heard(ms=60)
        << append(ms=60)
        >> committed("U1")
        >> heard(ms=60)
        << append(ms=60)
        >> TalkReleased()
        << commit()
        << create()
    )


def test_the_bare_enter_key_is_the_switch_of_push_to_talk() -> None:
    assert (
        Playbook(holding(), blind_to=ALARMS)
        >> typed("")
        << clear()
        << Says("Talk; the same key ends your turn.")
        >> heard(ms=100)
        << append(ms=100)
        >> typed("")
        << commit()
        << create()
        >> committed("U1")
        << awaits("U1", "user")
        >> transcribed("U1", "Hello.")
        << line("U1", "Hello.", "user")
    )


def test_a_response_that_begins_while_the_key_is_held_is_denied_the_floor() -> None:
    assert (
        Playbook(after(holding(), typed("hello")))
        >> TalkPressed()
        << clear()
        >> created("R1")
        << cancel("R1")
        >> audio("A1", ms=100)
    )


def test_a_response_that_nobody_asked_for_is_denied_the_floor_while_the_key_is_held() -> None:
    assert Playbook(after(holding(), TalkPressed())) >> created("R1") << cancel("R1")


def test_a_typed_line_while_the_key_is_held_is_answered_with_it() -> None:
    assert (
        Playbook(after(holding(), TalkPressed(), heard(ms=200)))
        >> typed("hello")
        << message("hello")
        >> TalkReleased()
        << commit()
        << create()
    )


def test_pause_lets_go_of_the_key() -> None:
    assert (
        Playbook(after(holding(), TalkPressed(), heard(ms=200)))
        >> typed("/pause")
        << clear()
        >> TalkReleased()
        >> TalkPressed()
        << clear()
        >> heard(ms=20)
        << append(ms=20)
    )


def test_a_commit_that_the_server_finds_empty_is_a_note() -> None:
    state = after(holding(), TalkPressed(), heard(ms=200))
    assert (
        Playbook(state, blind_to=ALARMS)
        >> TalkReleased()
        << commit()
        << create()
        >> Refusal(InputAudioBufferCommit, "input_audio_buffer_commit_empty")
        << Says("The server said: no", "debug")
    )


def test_there_is_no_key_to_hold_where_the_server_finds_the_turns() -> None:
    assert Playbook(listening()) >> TalkPressed() >> TalkReleased()


def test_without_a_microphone_there_is_nothing_to_hold() -> None:
    assert Playbook(after(holding(), MicLost("unplugged"))) >> TalkPressed() >> typed("")
    assert Playbook(holding(microphone=False)) >> typed("")


def test_a_microphone_file_is_held_from_its_start_to_its_end() -> None:
    assert (
        Playbook(begin(holding(microphone_ends=True).terms))
        >> session_created()
        << update(Session(type="realtime"))
        >> session_updated()
        << Listen()
        >> heard(ms=500)
        << append(ms=500)
        >> MicEnded()
        << commit()
        << create()
        >> committed("U1")
        >> created("R1")
        >> done("R1")
        >> transcribed("U1", "Hello.")
        << Quit()
    )
