"""Early barge-in: lowered at an onset, stopped when it was the user, raised again when it was nobody."""

from __future__ import annotations

import pytest

from rtassist.dialogue import duck
from rtassist.dialogue.commands import Command
from rtassist.dialogue.duck import DUCK_ALARM, LONGEST_REST_US, RELEASE_US, REST_US
from rtassist.dialogue.effects import ClearAlarm, Duck, SetAlarm, Show, Unduck
from rtassist.dialogue.events import Event, Interrupted, MicLost, OnsetHeard, SpeakerLost, TalkPressed
from rtassist.dialogue.state import Conversation, Ducking
from tests.playbook import (
    Playbook,
    Wait,
    added,
    after,
    audio,
    audio_done,
    cancel,
    created,
    done,
    ended,
    finish,
    hush,
    listening,
    play,
    rang,
    speech_started,
    speech_stopped,
    transcribed,
    transcribing,
    truncate,
    typed,
)

ANSWER: tuple[Event, ...] = (created("R1"), added("A1"), audio("A1", ms=1000))
THE_ALARM_RINGS = rang(DUCK_ALARM)


def sounding(**terms: object) -> Conversation:
    return after(listening(**terms), *ANSWER)


def watched(state: Conversation) -> Playbook:
    """A playbook that looks at alarms, too."""
    return Playbook(state, blind_to=(Show,))


def test_an_onset_lowers_the_voice_and_the_servers_word_stops_it() -> None:
    book = (
        watched(sounding())
        >> OnsetHeard()
        << Duck()
        << SetAlarm(DUCK_ALARM, RELEASE_US)
        >> speech_started("U1")
        << hush("A1")
        << ClearAlarm(DUCK_ALARM)
        >> ended("A1", ms=700)
        << Unduck()
        << truncate("A1", ms=700)
    )
    assert book
    assert book.state.ducking is Ducking.LOUD


def test_an_onset_that_was_nothing_costs_nothing() -> None:
    """Nothing is skipped: the voice goes on, and sounds to its end."""
    assert (
        Playbook(sounding())
        >> OnsetHeard()
        << Duck()
        >> audio("A1", ms=1000)
        << play("A1", ms=1000)
        >> THE_ALARM_RINGS
        << Unduck()
        >> audio_done("A1")
        << finish("A1")
        >> ended("A1", ms=2000)
        >> done("R1")
    )


def test_the_voice_is_back_within_half_a_second() -> None:
    assert RELEASE_US < 500_000


def test_while_it_is_low_further_onsets_do_not_keep_it_so() -> None:
    assert (
        watched(sounding())
        >> OnsetHeard()
        << Duck()
        << SetAlarm(DUCK_ALARM, RELEASE_US)
        >> Wait(200_000)
        >> OnsetHeard()
        >> OnsetHeard()
    )


def test_the_voice_does_not_pump() -> None:
    state = sounding()
    pauses_us = []
    for _ in range(7):
        state = after(state, OnsetHeard())
        assert state.lowered
        book = watched(state) >> THE_ALARM_RINGS
        (alarm,) = (effect for effect in book._steps[-1].actual if isinstance(effect, SetAlarm))
        pauses_us.append(alarm.at_us)
        assert not after(book.state, OnsetHeard()).lowered, "it rests"
        state = after(book.state, THE_ALARM_RINGS)
    assert pauses_us == [REST_US * n for n in (1, 2, 4, 8, 16, 16, 16)]
    assert pauses_us[-1] == LONGEST_REST_US


@pytest.mark.parametrize("taking", [speech_started("U1"), Interrupted(), typed("hello")])
def test_who_takes_the_floor_during_a_rest_ends_it_and_what_it_grew_to(taking: Event) -> None:
    state = after(sounding(), OnsetHeard(), THE_ALARM_RINGS, THE_ALARM_RINGS, OnsetHeard(), THE_ALARM_RINGS)
    assert (state.ducking, state.false_onsets) == (Ducking.RELEASED, 2)
    book = watched(state) >> taking
    assert ClearAlarm(DUCK_ALARM) in book._steps[-1].actual
    assert (book.state.ducking, book.state.false_onsets) == (Ducking.LOUD, 0)


def test_who_takes_the_floor_after_a_rest_ends_what_it_grew_to() -> None:
    state = after(sounding(), OnsetHeard(), THE_ALARM_RINGS, THE_ALARM_RINGS)
    assert (state.ducking, state.false_onsets) == (Ducking.LOUD, 1)

    assert after(state, speech_started("U1")).false_onsets == 0


def test_a_rest_outlasts_the_voice() -> None:
    state = after(
        sounding(), OnsetHeard(), THE_ALARM_RINGS, audio_done("A1"), ended("A1", ms=1000), done("R1")
    )
    assert Playbook(state) >> created("R2") >> audio("A2", ms=100) << play("A2", ms=100) >> OnsetHeard()


def test_while_nothing_sounds_an_onset_does_nothing() -> None:
    assert (
        watched(listening())
        >> OnsetHeard()
        >> created("R1")
        << ClearAlarm("answer")
        >> added("A1")
        >> OnsetHeard()
        >> audio("A1", ms=100)
        << play("A1", ms=100)
        >> OnsetHeard()
        << Duck()
        << SetAlarm(DUCK_ALARM, RELEASE_US)
    )


def test_while_the_user_has_the_floor_an_onset_does_nothing() -> None:
    state = after(sounding(), speech_started("U1"))
    assert Playbook(state) >> OnsetHeard() >> ended("A1", ms=500) << truncate("A1", ms=500) >> OnsetHeard()


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(sounding(ducks=False), id="turned off"),
        pytest.param(sounding(interrupts=False), id="a server that does not interrupt"),
        pytest.param(sounding(server_turns=False, push_to_talk=True), id="push to talk"),
        pytest.param(after(sounding(), typed("/mute")), id="muted"),
        pytest.param(after(sounding(), typed("/pause"), *(created("R2"), audio("A2", ms=100))), id="paused"),
        pytest.param(after(sounding(), MicLost("unplugged")), id="no microphone"),
        pytest.param(after(listening(voiced=False), *ANSWER), id="read"),
        pytest.param(after(listening(server_turns=False, push_to_talk=True), TalkPressed()), id="held key"),
    ],
)
def test_an_onset_does_nothing_where_the_user_could_not_interrupt(state: Conversation) -> None:
    assert Playbook(state) >> OnsetHeard()


def test_a_key_stops_a_lowered_voice() -> None:
    assert (
        Playbook(sounding())
        >> OnsetHeard()
        << Duck()
        >> Interrupted()
        << hush("A1")
        >> ended("A1", ms=300)
        << Unduck()
        << truncate("A1", ms=300)
        << cancel("R1")
    )


def test_what_is_left_of_a_hushed_voice_stays_low() -> None:
    """Its report is on its way, and the alarm, which was set back, would find it gone."""
    state = after(sounding(), OnsetHeard(), speech_started("U1"))
    assert state.ducking is Ducking.CONFIRMED
    assert Playbook(state) >> THE_ALARM_RINGS >> OnsetHeard()


def test_the_next_voice_begins_as_loud_as_ever() -> None:
    state = after(sounding(), added("A1b"), audio("A1b", ms=500), audio_done("A1"))
    assert (
        watched(state)
        >> OnsetHeard()
        << Duck()
        << SetAlarm(DUCK_ALARM, RELEASE_US)
        >> ended("A1", ms=1000)
        << Unduck()
        << ClearAlarm(DUCK_ALARM)
        >> OnsetHeard()
        << Duck()
        << SetAlarm(DUCK_ALARM, RELEASE_US)
    )


def test_a_second_answer_that_waits_behind_the_hushed_one_is_not_lowered() -> None:
    state = after(
        sounding(), OnsetHeard(), speech_started("U1"), speech_stopped("U1"), done("R1", "cancelled")
    )
    assert (
        Playbook(state)
        >> created("R2")
        >> audio("A2", ms=100)
        << play("A2", ms=100)
        >> ended("A1", ms=300)
        << Unduck()
        << truncate("A1", ms=300)
    )


def test_a_report_of_a_voice_that_has_ended_already_raises_nothing() -> None:
    state = after(sounding(), audio_done("A1"), ended("A1", ms=1000))
    state = after(state, added("A1b"), audio("A1b", ms=500), OnsetHeard())
    assert Playbook(state) >> ended("A1", ms=1000)


def test_a_loudspeaker_that_is_lost_leaves_nothing_lowered() -> None:
    state = after(sounding(), OnsetHeard(), SpeakerLost("unplugged"))
    assert Playbook(state) >> ended("A1", ms=300) << Unduck()


def test_words_confirm_an_onset_before_the_servers_word_does() -> None:
    assert (
        Playbook(sounding())
        >> OnsetHeard()
        << Duck()
        >> transcribing("U1", "")
        >> transcribing("U1", "wait")
        << hush("A1")
        >> speech_started("U1")
        >> ended("A1", ms=500)
        << Unduck()
        << truncate("A1", ms=500)
    )


def test_late_words_of_the_question_confirm_nothing() -> None:
    """Transcripts run beside the answer, and as a rule come while it sounds."""
    state = after(listening(), speech_started("U1"), speech_stopped("U1"), *ANSWER)
    assert (
        Playbook(state)
        >> OnsetHeard()
        << Duck()
        >> transcribing("U1", "what time")
        >> transcribed("U1", "what time is it")
        >> THE_ALARM_RINGS
        << Unduck()
    )


def test_words_without_an_onset_take_nothing() -> None:
    assert Playbook(sounding()) >> transcribing("U7", "hello")


def test_a_microphone_that_is_muted_while_the_voice_is_low_leaves_it_to_the_alarm() -> None:
    state = after(sounding(), OnsetHeard(), typed(f"/{Command.MUTE.value}"))
    assert Playbook(state) >> THE_ALARM_RINGS << Unduck()


def test_the_table_is_in_the_docstring() -> None:
    assert duck.__doc__ is not None
    assert "ducked     ── taken  → confirmed" in duck.__doc__
