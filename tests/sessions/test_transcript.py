"""What a recording tells of the conversation: who said what, when, and what of it was heard."""

import pytest

from rtassist.dialogue.terms import Terms, Turn
from rtassist.sessions import reading
from rtassist.sessions.reading import Damaged
from rtassist.sessions.transcript import Line, ToolCall, Transcript, transcript
from tests.sessions import making
from tests.sessions.making import Recording


def told(recording: Recording) -> Transcript:
    return transcript(reading.records(recording.lines[1:]))


def test_lines_hold_what_was_heard_and_what_was_cut() -> None:
    read = told(making.spoken())
    assert [(line.role, line.text, line.cut) for line in read.lines] == [
        ("user", "What is seventeen times twenty three?", False),
        ("assistant", "That is 391.", False),
        ("user", "Read me a story.", False),
        ("assistant", read.lines[3].text, True),
        ("user", "Thank you, that is enough for today.", False),
        ("assistant", "Goodnight then!", False),
    ]
    cut = read.lines[3]
    assert cut.text == "Once upon"
    assert cut.unsaid.endswith("called Ada.")
    assert read.closed
    assert read.conversations == 1


def test_a_line_lasts_from_the_first_sound_to_the_last() -> None:
    question, answer, *_ = told(making.spoken()).lines
    # Each thing happens 100 ms after the one before: the session stands at 200 ms, speech begins at 300.
    assert (question.began_us, question.ended_us) == (300_000, 600_000)
    # The answer: created at 1000, its first audio at 1300, its end heard at 1900.
    assert (answer.began_us, answer.ended_us) == (1_300_000, 1_900_000)


def test_calls_stand_between_the_lines_with_their_results() -> None:
    read = told(making.called())
    kinds = [entry.name if isinstance(entry, ToolCall) else entry.role for entry in read.entries]
    assert kinds == ["user", "look_up", "set_timer", "assistant", "assistant"]
    first, second = read.calls
    assert first.output == "Error: nobody knows the cheesemonger"
    assert second.arguments == '{"minutes":12,"label":"porridge"}'
    assert second.ended_us - second.began_us == 300_000


def test_typed_lines_are_marked() -> None:
    read = told(making.typed())
    assert [line.typed for line in read.lines if line.role == "user"] == [True] * 3
    hound = read.lines[3]
    assert (hound.text, hound.cut, hound.unsaid) == ("The hound of the", True, " Baskervilles")


def test_a_new_conversation_may_use_the_old_ids() -> None:
    read = told(making.restarted())
    assert [(line.conversation, line.item_id) for line in read.lines] == [
        (0, "U1"),
        (0, "U2"),
        (1, "U1"),
        (1, "A1"),
    ]
    assert read.conversations == 2


def test_where_a_recording_breaks_off_a_line_is_not_over() -> None:
    read = told(making.restarted())
    last = read.lines[-1]
    assert not read.closed
    assert (last.text, last.over, last.cut) == ("A", False, False)
    assert last.ended_us == read.duration_us


def test_what_was_told_of_an_earlier_conversation_is_known() -> None:
    history = (Turn("user", "I am Ada."), Turn("assistant", "Hello, Ada"))
    assert told(Recording(Terms(session=making.SESSION, history=history))).earlier == history


def test_lines_that_nobody_heard_or_understood_are_left_out() -> None:
    empty = Recording().happen(*making.asked("U1", ""))
    assert told(empty).entries == ()


@pytest.mark.parametrize(
    "line",
    [
        b'{"us":9000000,"effect":"said","item_id":"A","role":"user","words":5}',
        b'{"us":9000000,"effect":"line_ended","item_id":"A"}',
        b'{"us":9000000,"effect":"call_tool","call_id":7}',
        b'{"us":9000000,"effect":"play"}',
    ],
)
def test_an_effect_that_is_none_is_damage(line: bytes) -> None:
    recording = Recording()
    with pytest.raises(Damaged) as damaged:
        transcript(reading.records([*recording.lines[1:], line + b"\n"]))
    assert damaged.value.line == len(recording.lines) + 1


def test_every_golden_conversation_can_be_told() -> None:
    for recording in making.recordings():
        read = told(recording)
        assert read.entries
        assert all(0 <= entry.began_us <= entry.ended_us <= read.duration_us for entry in read.entries)
        assert all(isinstance(entry, Line | ToolCall) for entry in read.entries)
