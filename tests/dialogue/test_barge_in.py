"""Speaking over the assistant where words alone interrupt it, or nothing that is said does."""

from __future__ import annotations

import pytest

from rtassist.dialogue.duck import DOUBT_US, DUCK_ALARM, RELEASE_US, REST_US
from rtassist.dialogue.effects import ClearAlarm, Duck, Quit, SetAlarm, Show, Unduck
from rtassist.dialogue.events import Event, Interrupted, MicLost, OnsetHeard, TimerDue
from rtassist.dialogue.state import Conversation
from rtassist.dialogue.terms import Turn
from rtassist.protocol import ResponseCreate
from tests.playbook import (
    Playbook,
    Refusal,
    after,
    append,
    audio,
    cancel,
    clear,
    committed,
    create,
    created,
    delete,
    done,
    ended,
    finish,
    heard,
    hush,
    listening,
    message,
    not_transcribed,
    play,
    rang,
    speech_started,
    speech_stopped,
    system_message,
    transcribed,
    transcribing,
    truncate,
    typed,
)

ANSWER: tuple[Event, ...] = (created("R1"), audio("A1", ms=1000))
SAID: tuple[Event, ...] = (speech_started("U2"), speech_stopped("U2"), committed("U2"))


def confirming(**terms: object) -> Conversation:
    return listening(interrupts=False, barge_in="confirm", **terms)


def sounding(**terms: object) -> Conversation:
    return after(confirming(**terms), *ANSWER)


def never(*happened: Event) -> Conversation:
    return after(listening(interrupts=False, barge_in="off", ducks=False), *happened)


def test_a_turn_over_silence_is_answered_without_waiting_for_its_words() -> None:
    assert (
        Playbook(confirming())
        >> speech_started("U1")
        >> speech_stopped("U1")
        >> committed("U1")
        << create()
        >> created("R1")
        >> transcribed("U1", "Mm-hm.")
    ), "what is said to a silent assistant is meant for it"


def test_a_cough_lowers_the_voice_and_leaves_nothing() -> None:
    book = (
        Playbook(sounding(), blind_to=(Show,))
        >> OnsetHeard()
        << Duck()
        << SetAlarm(DUCK_ALARM, RELEASE_US)
        >> speech_started("U2")
        << ClearAlarm(DUCK_ALARM)
        >> speech_stopped("U2")
        << SetAlarm("transcript", 6_000_000)
        << SetAlarm(DUCK_ALARM, DOUBT_US)
        >> committed("U2")
        << SetAlarm("transcript", 6_000_000)
        >> transcribed("U2", "[coughs]")
        << delete("U2")
        << Unduck()
        << SetAlarm(DUCK_ALARM, REST_US)
        << ClearAlarm("transcript")
        >> audio("A1", ms=100)
        << play("A1", ms=100)
        >> done("R1")
    )
    assert len(book._steps[-1].actual) == 1, "it is finished, and nothing is asked for"
    assert book.state.history == ()


@pytest.mark.parametrize("piece", ["Wait", "no", "Yes, but", "uh-huh we"])
def test_the_first_word_takes_the_floor_while_it_is_still_spoken(piece: str) -> None:
    assert (
        Playbook(sounding())
        >> speech_started("U2")
        << Duck()
        >> transcribing("U2", piece)
        << hush("A1")
        >> ended("A1", ms=300)
        << Unduck()
        << truncate("A1", ms=300)
        << cancel("R1")
        >> speech_stopped("U2")
        >> committed("U2")
        >> done("R1", "cancelled")
        << create()
        >> transcribed("U2", "Whatever that was.")
    )


def test_half_a_word_that_may_become_a_hum_decides_nothing() -> None:
    assert (
        Playbook(sounding())
        >> speech_started("U2")
        << Duck()
        >> transcribing("U2", "M")
        >> transcribing("U2", "mm-h")
        >> transcribing("U2", "e said")
        << hush("A1")
    )


def test_words_that_are_known_late_interrupt_late() -> None:
    book = (
        Playbook(after(sounding(), done("R1"), *SAID))
        >> rang(DUCK_ALARM)
        << Unduck()
        >> transcribed("U2", "Wait!")
        << hush("A1")
        >> ended("A1", ms=600)
        << truncate("A1", ms=600)
        << create()
    )
    assert book
    assert book.state.history[0] == Turn("user", "Wait!")


@pytest.mark.parametrize("nothing_comes", [not_transcribed("U2"), rang("transcript")])
def test_what_nobody_writes_down_is_answered_behind_the_voice(nothing_comes: Event) -> None:
    book = Playbook(after(sounding(), *SAID)) >> nothing_comes << Unduck()
    assert book
    assert book.state.wanted
    assert not book.state.lowered
    assert not book.state.own_turns
    assert book >> done("R1") << finish("A1") << create()


def test_a_command_over_the_voice_is_not_answered() -> None:
    assert (
        Playbook(after(sounding(), *SAID))
        >> transcribed("U2", "Stop.")
        << hush("A1")
        >> ended("A1", ms=100)
        << Unduck()
        << truncate("A1", ms=100)
        << cancel("R1")
        >> done("R1", "cancelled")
    )


def test_goodbye_over_the_voice_is_answered_with_a_farewell() -> None:
    assert (
        Playbook(after(sounding(), done("R1"), *SAID))
        >> transcribed("U2", "Goodbye!")
        << hush("A1")
        >> ended("A1", ms=100)
        << Unduck()
        << truncate("A1", ms=100)
        << create()
        >> created("R2")
        >> done("R2")
        << Quit()
    )


def test_a_cough_before_the_answer_has_begun_does_not_prevent_it() -> None:
    state = after(confirming(), speech_started("U1"), speech_stopped("U1"), committed("U1"))
    assert (
        Playbook(state)
        >> speech_started("U2")
        >> created("R1")
        >> audio("A1", ms=100)
        << play("A1", ms=100)
        << Duck()
        >> speech_stopped("U2")
        >> committed("U2")
        >> transcribed("U2", "")
        << delete("U2")
        << Unduck()
    )


@pytest.mark.parametrize("key", [Interrupted(), typed("/interrupt")])
def test_a_key_settles_what_was_in_doubt(key: Event) -> None:
    state = after(sounding(), *SAID)
    assert (
        Playbook(state)
        >> key
        << hush("A1")
        >> ended("A1", ms=50)
        << Unduck()
        << truncate("A1", ms=50)
        << cancel("R1")
        >> done("R1", "cancelled")
        >> typed("hello")
        << message("hello")
        << create()
        >> created("R2")
        >> audio("A2", ms=100)
        << play("A2", ms=100)
        >> transcribed("U2", "What I said before.")
    ), "words from before the key interrupt nothing behind it"


def test_a_cough_from_before_a_key_is_deleted_all_the_same() -> None:
    state = after(sounding(), *SAID, Interrupted(), ended("A1", ms=50), done("R1", "cancelled"))
    assert Playbook(state) >> transcribed("U2", "Hm.") << delete("U2")


def test_what_the_user_is_saying_when_he_presses_the_key_is_answered() -> None:
    state = after(
        sounding(), speech_started("U2"), Interrupted(), ended("A1", ms=50), done("R1", "cancelled")
    )
    assert Playbook(state) >> speech_stopped("U2") >> committed("U2") << create()


def test_a_second_cough_keeps_the_voice_low_until_it_is_known_too() -> None:
    assert (
        Playbook(after(sounding(), *SAID, speech_started("U3")))
        >> transcribed("U2", "")
        << delete("U2")
        >> speech_stopped("U3")
        >> committed("U3")
        >> transcribed("U3", "")
        << delete("U3")
        << Unduck()
    )


def test_the_microphone_goes_off_in_the_middle_of_a_cough() -> None:
    for off in (typed("/mute"), MicLost("unplugged", may_return=True)):
        book = Playbook(after(sounding(), heard(ms=200), speech_started("U2"))) >> off << Unduck() << clear()
        assert book
        assert not book.state.own_turns


def test_a_timer_waits_for_who_speaks() -> None:
    tea = "The timer 'tea' is due. Tell the user now, in one short sentence."
    assert (
        Playbook(after(confirming(), speech_started("U1")))
        >> TimerDue("tea")
        << system_message(tea)
        >> speech_stopped("U1")
        << create()
        >> committed("U1")
        >> created("R1")
        >> done("R1")
        << create()
    )


def test_a_request_that_crosses_another_response_is_made_again_behind_it() -> None:
    state = after(confirming(), speech_started("U1"), speech_stopped("U1"))
    assert (
        Playbook(state)
        >> committed("U1")
        << create()
        >> created("R1")
        >> Refusal(ResponseCreate, "conversation_already_has_active_response")
        >> done("R1")
        << create()
    )


def test_without_transcripts_speech_is_taken_for_words() -> None:
    assert (
        Playbook(sounding(transcribes=False))
        >> speech_started("U2")
        << hush("A1")
        >> ended("A1", ms=100)
        << truncate("A1", ms=100)
        << cancel("R1")
        >> speech_stopped("U2")
        >> committed("U2")
        >> done("R1", "cancelled")
        << create()
    )


def test_off_answers_behind_the_voice_and_interrupts_by_keys_alone() -> None:
    assert (
        Playbook(never(*ANSWER))
        >> heard(ms=20)
        << append(ms=20)
        >> OnsetHeard()
        >> speech_started("U2")
        >> transcribing("U2", "Wait")
        >> speech_stopped("U2")
        >> committed("U2")
        >> audio("A1", ms=100)
        << play("A1", ms=100)
        >> Interrupted()
        << hush("A1")
        >> ended("A1", ms=500)
        << truncate("A1", ms=500)
        << cancel("R1")
    )
