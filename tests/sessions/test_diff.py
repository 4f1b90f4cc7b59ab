"""Two conversations side by side: turns are found by what the user said, what differs is told in order."""

from collections.abc import Callable

import pytest

from rtassist.sessions import reading
from rtassist.sessions.comparing import Pair, compared, turns, values
from rtassist.sessions.reading import Record
from tests import playbook as p
from tests.sessions import making
from tests.sessions.making import Recording


def pairs(a: Recording, b: Recording, tolerance_ms: int = 100) -> tuple[Pair, ...]:
    def records(recording: Recording) -> list[Record]:
        return list(reading.records(recording.lines[1:]))

    return compared(turns(records(a)), turns(records(b)), tolerance_ms)


def question(
    *said: str, answer: str = "Well.", ms: int = 500, heard: int | None = None, wait_ms: int = 100
) -> Recording:
    recording = Recording()
    for number, words in enumerate(said, 1):
        recording.happen(*making.asked(f"U{number}", words))
        recording.happen(p.created(f"R{number}"), after_ms=wait_ms)
        recording.happen(*making.answered(f"A{number}", answer, ms=ms, heard=heard)[1:])
    return recording.end()


@pytest.mark.parametrize("make", making.GOLDEN, ids=lambda make: make.__name__)
def test_a_conversation_is_like_itself(make: Callable[[], Recording]) -> None:
    found = pairs(make(), make(), 0)
    assert found
    assert all(pair.alike for pair in found)
    assert values(found) == {"equal": True, "turns": len(found), "different": []}


def test_the_first_divergence_is_told_first() -> None:
    a = question("Hello", "How are you?", "What time is it?")
    b = question("Hello", "How are you?", "What time is it?", answer="Well!")
    told = values(pairs(a, b))["different"]
    assert [(turn["a"]["turn"], turn["said"]) for turn in told] == [
        (1, "Hello"),
        (2, "How are you?"),
        (3, "What time is it?"),
    ]
    assert told[0]["differing"] == [{"what": "answer", "a": "Well.", "b": "Well!"}]


def test_a_turn_more_leaves_the_others_side_by_side() -> None:
    found = pairs(question("one", "two", "three"), question("one", "half", "two", "three"))
    assert [(pair.number_a, pair.number_b, pair.alike) for pair in found] == [
        (1, 1, True),
        (2, 2, False),
        (2, 3, True),
        (3, 4, True),
    ]
    assert found[1].a is None
    assert found[1].b is not None
    assert found[1].b.said == "half"


def test_words_alone_align_and_punctuation_differs() -> None:
    (pair,) = pairs(question("What time is it?"), question("what time is it"))
    assert [differing.what for differing in pair.differing] == ["said"]


def test_a_latency_counts_past_what_is_tolerated() -> None:
    a, b = question("Hello", wait_ms=100), question("Hello", wait_ms=350)
    (pair,) = pairs(a, b)
    (differing,) = pair.differing
    assert (differing.what, differing.a, differing.b) == ("latency", "700 ms", "950 ms")
    assert pairs(a, b, 250)[0].alike


def test_an_interruption_elsewhere_is_told_by_the_millisecond() -> None:
    def cut(ms: int) -> Recording:
        return (
            Recording()
            .happen(*making.asked("U1", "Read me a story."))
            .happen(p.created("R1"), p.added("A1"), p.audio("A1", ms=2000), p.words("A1", "Once"))
            .happen(p.speech_started("U2"), p.ended("A1", ms=ms), p.done("R1", "cancelled"))
            .end()
        )

    (pair,) = pairs(cut(600), cut(900))
    assert [(d.what, d.a, d.b) for d in pair.differing] == [("cut", "after 600 ms", "after 900 ms")]
    assert pairs(cut(600), cut(650))[0].alike


def test_calls_and_what_was_done_are_compared() -> None:
    def asking(city: str, *, calls: int = 1) -> Recording:
        made = [p.function_call(f"c{n}", "look_up", city) for n in range(calls)]
        return (
            Recording().happen(*making.asked("U1", "Where?"), p.created("R1"), p.done("R1", calls=made)).end()
        )

    (pair,) = pairs(asking("Rome"), asking("Oslo"))
    assert [(d.what, d.a) for d in pair.differing] == [("calls", "look_up(Rome) → …")]
    (pair,) = pairs(asking("Rome"), asking("Rome", calls=2))
    assert [(d.what, d.a, d.b) for d in pair.differing][1] == ("effects", "1 call_tool", "2 call_tool")
    (pair,) = pairs(asking("Rome", calls=0), asking("Rome"))
    assert [(d.what, d.a, d.b) for d in pair.differing][1] == ("effects", "none", "1 call_tool")


def test_conversations_without_a_word_are_alike() -> None:
    assert all(pair.alike for pair in pairs(Recording(), Recording()))
    found = pairs(Recording(), question("Hello"))
    assert not all(pair.alike for pair in found)
