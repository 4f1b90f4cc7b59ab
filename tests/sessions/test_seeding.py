"""What a new conversation is told of an old one."""

from rtassist.dialogue.limits import tokens
from rtassist.dialogue.terms import Terms, Turn
from rtassist.sessions import reading
from rtassist.sessions.seeding import history
from rtassist.sessions.transcript import Transcript, transcript
from tests import playbook as p
from tests.sessions import making
from tests.sessions.making import Recording


def told(recording: Recording) -> Transcript:
    return transcript(reading.records(recording.lines[1:]))


def test_what_was_heard_is_told_and_not_what_was_cut_off() -> None:
    turns = history(told(making.spoken()))
    assert [(turn.role, turn.text) for turn in turns][2:4] == [
        ("user", "Read me a story."),
        ("assistant", "Once upon"),
    ]
    assert turns[3].cut
    assert not any(turn.unsaid for turn in turns)


def test_of_what_was_begun_anew_the_last_counts() -> None:
    assert history(told(making.restarted())) == (Turn("user", "Who are you?"), Turn("assistant", "A"))


def test_a_line_of_which_nothing_was_heard_is_left_out() -> None:
    recording = (
        Recording()
        .happen(*making.asked("U1", "Hello"))
        .happen(p.created("R1"), p.added("A1"), p.words("A1", "Never heard."), p.audio("A1", ms=500))
    )
    recording.happen(p.speech_started("U2"), p.ended("A1", ms=0), p.done("R1", "cancelled")).end()
    assert history(told(recording)) == (Turn("user", "Hello"),)


def test_what_the_old_one_was_told_itself_is_told_on() -> None:
    terms = Terms(session=making.SESSION, history=(Turn("user", "I am Ada."), Turn("assistant", "Hello.")))
    recording = Recording(terms).happen(*making.asked("U1", "Who am I?")).end()
    assert [turn.text for turn in history(told(recording))] == ["I am Ada.", "Hello.", "Who am I?"]


def test_the_newest_lines_are_kept_within_the_budget() -> None:
    recording = Recording()
    for number in range(50):
        recording.happen(*making.asked(f"U{number}", f"This is line number {number}."))
    whole = history(told(recording.end()))
    assert len(whole) == 50
    budget = sum(tokens(turn.text) for turn in whole[-7:])
    assert history(told(recording), budget) == whole[-7:]
    assert history(told(recording), budget - 1) == whole[-6:]
    assert history(told(recording), 0) == ()


def test_what_cannot_be_sent_is_not_in_it() -> None:
    recording = Recording().happen(p.typed("a \ud800 lone\x07 surrogate")).end()
    assert history(told(recording)) == (Turn("user", "a ? lone surrogate"),)
