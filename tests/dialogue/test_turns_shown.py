"""What was said in a turn, and how much of it was heard."""

import pytest

from rtassist.dialogue.effects import ClearAlarm, Finish, Play, Send, SetAlarm
from rtassist.dialogue.events import Interrupted, MicLost, SpeakerLost
from rtassist.dialogue.state import HISTORY_TURNS, Conversation
from rtassist.dialogue.terms import Turn
from tests.playbook import (
    Playbook,
    Says,
    added,
    advanced,
    after,
    audio,
    audio_done,
    awaits,
    cancel,
    committed,
    create,
    created,
    delete,
    done,
    ended,
    finish,
    hush,
    line,
    listening,
    message,
    not_transcribed,
    rang,
    shows,
    speech_started,
    speech_stopped,
    text,
    text_done,
    transcribed,
    transcribing,
    truncate,
    typed,
    words,
    words_done,
)

SECOND_US = 1_000_000


def watching(state: Conversation) -> Playbook:
    """A playbook that sees what is shown, and not what sounds."""
    return Playbook(state, blind_to=(SetAlarm, ClearAlarm, Play, Finish))


# What the user said


def test_a_spoken_turn_is_shown_when_its_words_are_known() -> None:
    assert (
        watching(listening())
        >> speech_started("U1")
        << awaits("U1", "user")
        >> speech_stopped("U1")
        >> committed("U1")
        >> transcribing("U1", "What ")
        << shows("U1", "What ", "user")
        >> transcribing("U1", "time is it?")
        << shows("U1", "time is it?", "user")
        >> transcribed("U1", "What time is it? ")
        << line("U1", "What time is it?", "user")
    )


def test_the_users_line_comes_before_the_answer_even_if_its_words_come_later() -> None:
    book = (
        watching(listening())
        >> speech_started("U1")
        << awaits("U1", "user")
        >> speech_stopped("U1")
        >> committed("U1")
        >> created("R1")
        >> added("A1")
        << awaits("A1", "assistant")
        >> text("A1", "Ten.")
        << shows("A1", "Ten.")
        >> text_done("A1", "Ten.")
        << line("A1", "Ten.")
        >> done("R1")
        >> transcribed("U1", "What time is it?")
        << line("U1", "What time is it?", "user")
    )
    assert book
    assert book.state.history == (Turn("assistant", "Ten."), Turn("user", "What time is it?"))


def test_words_that_never_come_are_not_waited_for_longer_than_six_seconds() -> None:
    assert (
        Playbook(after(listening(), speech_started("U1"), speech_stopped("U1")), blind_to=())
        >> transcribing("U1", "What t")
        << shows("U1", "What t", "user")
        >> committed("U1")
        << SetAlarm("transcript", 6 * SECOND_US)
        >> rang("transcript")
        << ClearAlarm("transcript")
        << line("U1", "What t", "user")
        >> rang("transcript")
        >> transcribed("U1", "What time is it?")
        << ClearAlarm("transcript")
        << line("U1", "What time is it?", "user")
    )


def test_words_of_what_is_being_said_are_not_overdue() -> None:
    state = after(listening(), speech_started("U1"), speech_stopped("U1"), speech_started("U2"))
    assert watching(state) >> rang("transcript") << line("U1", "", "user")


def test_words_that_could_not_be_understood() -> None:
    state = after(listening(), speech_started("U1"), speech_stopped("U1"))
    assert (
        watching(state)
        >> not_transcribed("U1", "too loud")
        << line("U1", "", "user")
        << Says("could not be written down: too loud", "warning")
        >> not_transcribed("U2", None)
        << line("U2", "", "user")
        << Says("no reason was given", "warning")
    )


def test_a_transcript_without_words_is_no_turn() -> None:
    book = watching(listening()) >> transcribed("U1", " ") << line("U1", "", "user")
    assert book
    assert book.state.history == ()


def test_where_no_transcripts_come_no_line_is_held_open_for_them() -> None:
    state = listening(transcribes=False)
    assert Playbook(state, blind_to=()) >> speech_started("U1") >> committed("U1")


def test_a_turn_that_the_server_commits_by_itself_is_shown() -> None:
    """As in push-to-talk, and after a long silence."""
    assert watching(listening()) >> committed("U1") << awaits("U1", "user")


# What the assistant said


def test_words_are_shown_as_far_as_they_were_heard() -> None:
    assert (
        watching(listening())
        >> created("R1")
        >> added("A1")
        << awaits("A1", "assistant")
        >> words("A1", "one two six ten")
        >> audio("A1", ms=1000)
        >> audio_done("A1")
        >> words_done("A1", "one two six ten")
        >> advanced("A1", ms=150)
        >> advanced("A1", ms=300)
        << shows("A1", "one")
        >> advanced("A1", ms=290)
        >> advanced("A1", ms=740)
        << shows("A1", " two six")
        >> done("R1")
        >> ended("A1", ms=1000)
        << shows("A1", " ten")
        << line("A1", "one two six ten")
    )


def test_what_was_cut_is_told_apart_from_what_was_heard() -> None:
    book = (
        watching(after(listening(), created("R1"), added("A1")))
        >> words("A1", "one two six ten")
        >> audio("A1", ms=1000)
        >> audio_done("A1")
        >> words_done("A1", "one two six ten")
        >> speech_started("U1")
        << hush("A1")
        << awaits("U1", "user")
        >> advanced("A1", ms=600)
        >> ended("A1", ms=500)
        << truncate("A1", ms=500)
        << shows("A1", "one two")
        << line("A1", "one two", cut=True, unsaid=" six ten")
        >> words("A1", " more")
        >> done("R1", "cancelled")
    )
    assert book
    assert book.state.history == (Turn("assistant", "one two", cut=True, unsaid=" six ten"),)


def test_what_was_never_heard_is_all_unsaid() -> None:
    assert (
        watching(after(listening(), created("R1"), added("A1"), added("A1b")))
        >> words("A1", "one")
        >> audio("A1", ms=1000)
        >> words("A1b", "two")
        >> speech_started("U1")
        << hush("A1")
        << awaits("U1", "user")
        >> ended("A1", ms=0)
        << line("A1", "", cut=True, unsaid="one")
        >> done("R1", "cancelled")
        << delete("A1")
        << delete("A1b")
        << line("A1b", "", cut=True, unsaid="two")
    )


def test_a_response_that_was_denied_the_floor_is_not_shown() -> None:
    assert (
        watching(after(listening(), typed("hello"), Interrupted()))
        >> created("R1")
        << cancel("R1")
        >> added("A1")
        >> words("A1", "one")
        >> words_done("A1", "one")
        >> text("A1", "one")
        >> text_done("A1", "one")
        >> done("R1", "cancelled")
        << delete("A1")
    )


def test_a_line_waits_for_its_last_words() -> None:
    state = after(listening(), created("R1"), added("A1"), audio("A1", ms=100), audio_done("A1"))
    assert (
        watching(state)
        >> words("A1", "one")
        >> ended("A1", ms=100)
        << shows("A1", "one")
        >> words("A1", " two")
        << shows("A1", " two")
        >> words_done("A1", "one two three")
        << shows("A1", " three")
        << line("A1", "one two three")
        >> words_done("A1", "one two three")
        >> words("A1", "!")
        >> done("R1")
    )


def test_last_words_that_never_come_end_with_the_response() -> None:
    state = after(listening(), created("R1"), added("A1"), audio("A1", ms=100), audio_done("A1"))
    assert watching(state) >> ended("A1", ms=100) >> done("R1") << line("A1", "")


def test_a_final_transcript_that_differs_does_not_change_what_was_shown() -> None:
    state = after(listening(), created("R1"), words("A1", "one two"), audio("A1", ms=100), audio_done("A1"))
    assert (
        watching(state)
        >> advanced("A1", ms=100)
        >> ended("A1", ms=100)
        << shows("A1", "one two")
        >> words_done("A1", "One, two")
        << line("A1", "one two")
    )


def test_an_item_without_audio_or_words_ends_with_its_response() -> None:
    assert watching(after(listening(), created("R1"), added("A1"))) >> done("R1") << line("A1", "")


def test_the_pace_of_speech_is_learnt_from_what_was_said() -> None:
    said = "Forty units of text take four seconds here"
    book = Playbook(after(listening(), created("R1"), words("A1", said), audio("A1", ms=4000)))
    before = book.state.pace
    assert book >> audio_done("A1") << finish("A1") >> words_done("A1", said) >> ended("A1", ms=4000)
    assert book.state.pace == (3 * before + 4000 * 24 // len(said)) // 4


# Text


def test_a_written_answer_is_shown_as_it_comes() -> None:
    assert (
        watching(listening(voiced=False))
        >> typed("hello")
        << line("", "hello", "user", typed=True)
        << message("hello")
        << create()
        >> created("R1")
        >> added("A1")
        << awaits("A1", "assistant")
        >> text("A1", "Good ")
        << shows("A1", "Good ")
        >> text("A1", "day")
        << shows("A1", "day")
        >> text_done("A1", "Good day.")
        << shows("A1", ".")
        << line("A1", "Good day.")
        >> done("R1")
    )


@pytest.mark.parametrize("voiced", [True, False])
def test_a_written_answer_that_is_interrupted_is_cut(voiced: bool) -> None:
    state = after(listening(voiced=voiced), created("R1"), added("A1"))
    book = (
        watching(state)
        >> text("A1", "Good ")
        << shows("A1", "Good ")
        >> Interrupted()
        << cancel("R1")
        >> text("A1", "day")
        >> text_done("A1", "Good day")
        << line("A1", "Good ", cut=True, unsaid="day")
        >> done("R1", "cancelled")
    )
    assert book


def test_a_written_answer_that_ends_without_saying_so_ends_with_its_response() -> None:
    state = after(listening(voiced=False), created("R1"), text("A1", "Good"))
    assert watching(state) >> done("R1") << line("A1", "Good")


def test_without_a_loudspeaker_what_was_not_heard_is_shown_at_once() -> None:
    state = after(listening(), created("R1"), added("A1"), words("A1", "one two six"), audio("A1", ms=900))
    assert (
        Playbook(state, blind_to=(Send, Play))
        >> advanced("A1", ms=450)
        << shows("A1", "one")
        >> SpeakerLost("unplugged")
        << Says("The loudspeaker is gone (unplugged)", "warning")
        << shows("A1", " two six")
        >> ended("A1", ms=500)
        >> audio("A1", ms=100)
        >> words("A1", " ten")
        << shows("A1", " ten")
        >> words_done("A1", "one two six ten")
        << line("A1", "one two six ten")
        >> done("R1")
    )


def test_without_a_loudspeaker_lines_whose_words_are_known_end_at_once() -> None:
    state = after(
        listening(), created("R1"), words("A1", "one"), audio("A1", ms=900), words_done("A1", "one")
    )
    assert (
        Playbook(state, blind_to=(Send,))
        >> SpeakerLost("unplugged")
        << Says("Answers are written")
        << shows("A1", "one")
        << line("A1", "one")
        >> ended("A1", ms=500)
    )


def test_what_was_hushed_before_the_loudspeaker_was_lost_is_cut_where_it_was_heard() -> None:
    state = after(
        listening(), created("R1"), words("A1", "one two six ten"), audio("A1", ms=1000), audio_done("A1")
    )
    assert (
        watching(after(state, words_done("A1", "one two six ten"), Interrupted(), SpeakerLost("unplugged")))
        >> ended("A1", ms=500)
        << truncate("A1", ms=500)
        << cancel("R1")
        << shows("A1", "one two")
        << line("A1", "one two", cut=True, unsaid=" six ten")
    )


def test_the_history_is_bounded() -> None:
    state = listening()
    for number in range(HISTORY_TURNS + 2):
        state = after(state, typed(str(number)))
    assert len(state.history) == HISTORY_TURNS
    assert state.history[-1] == Turn("user", str(HISTORY_TURNS + 1))


def test_words_of_an_item_that_nobody_knows_are_not_shown() -> None:
    assert (
        Playbook(listening(), blind_to=())
        >> words("A1", "one")
        >> words_done("A1", "one")
        >> text("A1", "one")
        >> advanced("A1", ms=5)
    )


def test_a_lost_microphone_ends_the_line_that_was_being_said() -> None:
    assert (
        Playbook(
            after(listening(), speech_started("U1"), transcribing("U1", "What t")), blind_to=(ClearAlarm,)
        )
        >> MicLost("unplugged")
        << line("U1", "What t", "user")
        << Says("The microphone is gone (unplugged). You can type.", "warning")
        >> typed("hello")
        << line("", "hello", "user", typed=True)
        << message("hello")
        << create()
        << SetAlarm("answer", 25 * SECOND_US)
    )
