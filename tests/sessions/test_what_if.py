"""One cause changed: what would be asked for then, by the rules alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from rtassist.dialogue import events
from rtassist.dialogue.terms import Terms
from rtassist.sessions import notation, reading, what_if
from rtassist.sessions.changes import Change, changes
from rtassist.sessions.reading import Heard
from rtassist.sessions.what_if import End, Step, barge_in, slower, steps, without_playback
from tests import playbook as p
from tests.recordings.make import FOLDER
from tests.sessions.making import SESSION, Recording, answered, asked

FILES = sorted(FOLDER.glob("*.jsonl"))


def steps_of(recording: Recording) -> Iterator[Step]:
    return steps(reading.records(iter(recording.lines[1:])))


def told(found: Iterable[Change]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What is no longer asked for, and what is now, without ids of ours."""
    gone: list[Any] = []
    fresh: list[Any] = []
    for change in found:
        was = [_told(text) for text in change.difference.at.effects]
        now = [_told(text) for text in change.difference.now]
        gone += [each for each in was if each not in now]
        fresh += [each for each in now if each not in was]
    return gone, fresh


def _told(text: str) -> dict[str, Any]:
    body: dict[str, Any] = notation.parse(text.encode())
    told = body.get("client", body)
    return {key: value for key, value in told.items() if key != "event_id"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nothing_changed_is_nothing_different(path: Any) -> None:
    with open(path, "rb") as file:
        next(file)
        assert list(changes(steps(reading.records(file)))) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_delay_moves_nothing(path: Any) -> None:
    with open(path, "rb") as file:
        next(file)
        was = list(steps(reading.records(file)))
    assert list(changes(slower(was, 0))) == []


def telling() -> Recording:
    """An answer of two seconds that is heard from 0.5 s on: a report at 0.6 s, then each 100 ms."""
    recording = Recording(Terms(session=SESSION)).happen(
        p.created("R1"), p.added("A1"), p.audio("A1", ms=2000)
    )
    for at_ms in range(100, 2000, 100):
        recording.happen(p.advanced("A1", ms=at_ms))
    recording.happen(p.audio_done("A1"), p.done("R1"), after_ms=0)
    return recording.happen(p.ended("A1", ms=2000)).end()


def test_speech_over_a_voice_silences_it_and_the_server_is_told_what_was_heard() -> None:
    found = list(changes(barge_in(steps_of(telling()), 1_250_000)))
    gone, fresh = told(found)
    assert gone == [{"effect": "finish", "item_id": "A1"}]
    assert fresh == [
        {"effect": "hush", "item_id": "A1"},
        {
            "type": "conversation.item.truncate",
            "item_id": "A1",
            "content_index": 0,
            "audio_end_ms": 750,  # reported at 1.2 s: 700 ms
        },
    ]


def test_no_more_has_sounded_than_was_handed_over() -> None:
    recording = Recording().happen(p.created("R1"), p.added("A1"), p.audio("A1", ms=300))
    recording.happen(p.advanced("A1", ms=200), p.typed("/nothing"), after_ms=1000).end()
    _, fresh = told(changes(barge_in(steps_of(recording), 2_400_000)))
    assert [each["audio_end_ms"] for each in fresh if "audio_end_ms" in each] == [300]


def test_of_a_voice_that_waits_for_another_nothing_was_heard() -> None:
    recording = Recording().happen(p.created("R1"), p.added("A1"), p.audio("A1", ms=900), p.added("A2", "R1"))
    recording.happen(p.audio("A2", ms=900, of="R1"), p.advanced("A1", ms=100), p.advanced("A1", ms=200))
    recording.happen(p.done("R1")).end()
    _, fresh = told(changes(barge_in(steps_of(recording), 850_000)))
    assert [(each["type"], each["item_id"]) for each in fresh if "type" in each] == [
        ("conversation.item.truncate", "A1"),
        ("conversation.item.delete", "A2"),
    ]


def test_what_is_said_into_silence_changes_nothing() -> None:
    recording = Recording().happen(*asked("U1", "Hello?"), *answered("A1", "Hello.", ms=500))
    recording.happen(p.typed("/help")).end()
    assert list(changes(barge_in(steps_of(recording), recording._us))) == []


def test_a_server_that_does_not_break_off_is_not_interrupted() -> None:
    recording = Recording(Terms(session=SESSION, interrupts=False))
    recording.happen(p.created("R1"), p.added("A1"), p.audio("A1", ms=2000), p.advanced("A1", ms=100)).end()
    assert list(changes(barge_in(steps_of(recording), 550_000))) == []


def test_a_run_of_the_microphone_is_parted_where_something_is_put_in() -> None:
    recording = Recording().happen(*[p.heard(ms=20)] * 20, after_ms=20).end()
    parted = list(barge_in(steps_of(recording), 305_000))
    (at,) = [index for index, each in enumerate(parted) if "what_if" in str(each.cause)]
    before, behind = parted[at - 1].cause, parted[at + 1].cause
    assert isinstance(before, Heard)
    assert isinstance(behind, Heard)
    assert (len(before.chunks), len(behind.chunks)) == (5, 15)
    assert (before.run, behind.run) == ((0, 5 * 480), (5 * 480, 15 * 480))
    assert behind.us == 320_000
    assert behind.chunks[1] == (20_000, 480)
    assert list(changes(parted)) == []


def test_without_reports_nobody_knows_what_was_heard() -> None:
    recording = telling()
    recording.lines.pop()
    recording.happen(*asked("U1", "Read on."), p.created("R2"), p.added("A2"), p.audio("A2", ms=2000))
    recording.happen(p.advanced("A2", ms=300), p.speech_started("U2"), p.ended("A2", ms=450)).end()
    found = list(changes(without_playback(steps_of(recording)), reported=False))
    gone, fresh = told(found)
    assert [each["type"] for each in gone] == ["conversation.item.truncate"]
    assert fresh == [{"effect": "hush", "item_id": "A1"}], "as far as anybody knows, it still sounds"
    assert [change.happens for change in found] == [True, False]


def test_on_a_slow_way_less_was_heard_when_a_key_silenced_it() -> None:
    recording = Recording().happen(p.created("R1"), p.added("A1"), p.audio("A1", ms=2000))
    recording.happen(p.advanced("A1", ms=100), events.Interrupted(), after_ms=200)
    recording.happen(p.ended("A1", ms=310), after_ms=10).end()
    gone, fresh = told(changes(slower(steps_of(recording), 120_000)))
    assert [each["audio_end_ms"] for each in gone] == [310]
    assert [each["audio_end_ms"] for each in fresh] == [190]


def test_on_a_slow_way_all_that_the_server_causes_comes_later_alike() -> None:
    """Its voices and their reports, an alarm: nothing is different where nobody else did anything."""
    recording = Recording().happen(p.typed("/help"), after_ms=1000)
    recording.happen(*asked("U1", "Hm?"), p.rang("answer"))
    recording.happen(*answered("A1", "Hello.", ms=500))
    recording.happen(p.created("R2"), p.added("A2"), p.audio("A2", ms=900), p.advanced("A2", ms=300))
    recording.happen(p.speech_started("U2"), p.ended("A2", ms=500), p.done("R2", "cancelled")).end()
    assert list(changes(slower(steps_of(recording), 300_000))) == []


def test_what_is_sent_before_the_session_stands_is_not_sent_on_a_slow_way() -> None:
    recording = Recording().happen(*[p.heard(ms=20)] * 50, after_ms=20).end()
    gone, fresh = told(changes(slower(steps_of(recording), 105_000)))
    assert fresh == []
    assert gone == [{"effect": "append", "samples": 5 * 480}]


def test_order_is_kept_and_time_never_runs_backwards() -> None:
    for path in FILES:
        with open(path, "rb") as file:
            next(file)
            was = list(steps(reading.records(file)))
        now = list(slower(was, 250_000))
        times = [each.cause.us for each in now]
        assert times == sorted(times)
        said = [[str(e.cause) for e in all_ if "ServerSaid" in str(e.cause)] for all_ in (was, now)]
        assert len(said[0]) == len(said[1])
        mic = [sum(e.cause.run[1] for e in all_ if isinstance(e.cause, Heard)) for all_ in (was, now)]
        assert mic[0] == mic[1]


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("12.4s", 12_400_000),
        ("12.4", 12_400_000),
        ("300ms", 300_000),
        ("1:02.5", 62_500_000),
        ("1:00:02", 3_602_000_000),
        ("noon", None),
        ("", None),
        ("-1s", None),
        ("1:300ms", None),
        ("1e3s", None),
    ],
)
def test_times_are_read(text: str, us: int | None) -> None:
    assert what_if.time_us(text) == us


def test_a_recording_ends_where_it_is_told_to() -> None:
    recording = Recording().happen(*[p.heard(ms=20)] * 10, after_ms=20)
    recording.happen(p.speech_started("U1"), p.typed("/help"), p.typed("hello"), events.TalkPressed()).end()
    records = list(reading.records(iter(recording.lines[1:])))

    def kept(limit: End | None) -> list[str]:
        assert limit is not None
        found = list(what_if.until(records, limit))
        return [type(getattr(one, "event", one)).__name__ for one in found]

    assert kept(what_if.end("turn:1")) == kept(End(turn=1))
    assert "Typed" in kept(End(turn=1))
    assert kept(End(turn=1)).count("Typed") == 1
    assert kept(End(turn=2)).count("Typed") == 2
    assert "TalkPressed" not in kept(End(turn=2))
    (run,) = (one for one in what_if.until(records, End(us=301_000)) if isinstance(one, Heard))
    assert len(run.chunks) == 5
    assert what_if.end("turn:") is None
