"""A recording is decided again, chunk by chunk or at once, and read as it comes."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.hour import Hour, write
from rtassist.dialogue import events
from rtassist.dialogue.step import begin, step
from rtassist.dialogue.terms import Terms
from rtassist.protocol import Session, encode
from rtassist.sessions import notation, reading, showing
from rtassist.sessions.journal import Journal
from rtassist.sessions.reading import Asked, Begun, Happened, Heard, Record
from rtassist.sessions.replay import Different, Equal, differences, replay
from rtassist.sessions.testing import assert_replays_equal
from tests.playbook import session_created, session_updated
from tests.recordings.make import FOLDER, recording


def recorded(*happened: events.Event, terms: Terms) -> list[bytes]:
    """Its lines without the header. A chunk of the microphone takes 20 ms, all else nothing."""
    lines: list[bytes] = []
    journal = Journal(line=lines.append, mic=lambda pcm: None, voice=lambda pcm: None)
    journal.begin(0, terms)
    state, us = begin(terms), 0
    for event in (session_created(), session_updated(), *happened):
        if isinstance(event, events.ServerSaid):
            event = notation.read_frame(encode(event.event))
        us += 20_000 * isinstance(event, events.MicHeard)
        journal.note(us, event)
        state, effects = step(state, us, event)
        for effect in effects:
            journal.note(us, effect)
    journal.end(us)
    return lines


def chunk_by_chunk(records: list[Record]) -> Iterator[tuple[int, int]]:
    """Line and time of the first chunk of each run about which something else is asked for now."""
    for index, record in enumerate(records):
        if isinstance(record, Begun):
            state = begin(record.terms)
        elif isinstance(record, Happened):
            state, _ = step(state, record.us, record.event)
        elif isinstance(record, Heard):
            odd = []
            for number, (at_us, samples) in enumerate(record.chunks, 1):
                us = record.us + at_us
                state, effects = step(state, us, events.MicHeard(bytes(2 * samples)))
                wanted = [b'"effect":"append","samples":%d}' % samples] if record.appended else []
                if number == len(record.chunks):
                    for asked in records[index + 1 :]:
                        if not isinstance(asked, Asked):
                            break
                        wanted.append(asked.body)
                if [notation.effect_body(effect) for effect in effects] != wanted:
                    odd.append((record.line, us, number == len(record.chunks)))
            first = [(line, us) for line, us, last in odd if not last][:1]
            yield from first + [(line, us) for line, us, last in odd if last]


chunks = st.builds(lambda samples: events.MicHeard(bytes(2 * samples)), st.sampled_from([480, 480, 480, 100]))
keys = st.sampled_from(
    [
        events.Typed("/mute"),
        events.Typed("/pause"),
        events.TalkPressed(),
        events.TalkReleased(),
        events.MicEnded(),
        events.AlarmRang("settle"),
        session_updated(),
    ]
)
happenings = st.lists(
    st.one_of(st.lists(chunks, min_size=1, max_size=9), keys.map(lambda key: [key])), max_size=9
)


@given(happenings, st.booleans(), st.data())
def test_a_run_at_once_is_decided_as_chunk_by_chunk(
    happened: list[list[events.Event]], push_to_talk: bool, data: st.DataObject
) -> None:
    """Also of a recording that says something else than what is decided."""
    terms = Terms(
        session=Session(type="realtime"),
        push_to_talk=push_to_talk,
        server_turns=not push_to_talk,
        trailing_silence_ms=60,
    )
    lines = recorded(*(event for group in happened for event in group), terms=terms)
    records = list(reading.records(lines))
    assert list(differences(records)) == []

    for index, record in enumerate(records):
        if isinstance(record, Heard) and data.draw(st.integers(0, 1)):
            records[index] = Heard(
                record.line, record.us, record.run, record.text, not record.appended, record.each
            )
    events_ = [r for r in records if isinstance(r, Happened) and not isinstance(r.event, events.ServerSaid)]
    if events_ and data.draw(st.integers(0, 1)):
        records.remove(events_[data.draw(st.integers(0, len(events_) - 1))])
    runs = {record.line for record in records if isinstance(record, Heard)}
    found = [(d.at.line, d.at.us) for d in differences(records) if d.at.line in runs]
    assert found == list(chunk_by_chunk(records))


def test_a_recording_of_an_hour_s_kind_is_equal() -> None:
    lines: list[bytes] = []
    journal = Journal(line=lines.append, mic=lambda pcm: None, voice=lambda pcm: None)
    journal.header()
    for _ in Hour(journal).run(2):
        pass
    found = replay(lines)
    assert isinstance(found, Equal)
    assert found.notes == ()
    assert (found.summary.user_turns, found.summary.interruptions) == (8, 1)
    assert found.summary.duration_us == 120_000_000
    assert len(found.summary.latencies) == 8


def test_a_recording_is_read_as_it_comes(tmp_path: Path) -> None:
    """All of it is never in memory: a quarter of an hour takes a fraction of its own size."""
    path = tmp_path / "long.jsonl"
    write(str(path), 15)
    with open(path, "rb") as lines:
        tracemalloc.start()
        try:
            assert isinstance(replay(lines), Equal)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < path.stat().st_size / 3


def test_the_first_difference_is_given_with_what_was_before() -> None:
    text = recording("spoken").replace(b'"heard":7440', b'"heard":7200')
    found = replay(text.splitlines(keepends=True))
    assert isinstance(found, Different)
    shown = showing.diff(found.difference, width=60)
    assert max(map(len, shown)) <= 60
    assert [line for line in shown if "audio_end_ms=310" in line and line.startswith("-")]
    assert [line for line in shown if "audio_end_ms=300" in line and line.startswith("+")]
    assert len(found.difference.before) == 4
    assert shown[0] == "  2.910 s  line 85  playback_advanced item_id=A2 heard=4800"


def test_a_test_of_another_project_says_where_it_differs(tmp_path: Path) -> None:
    assert assert_replays_equal(FOLDER / "spoken.jsonl").tool_calls == 1
    path = tmp_path / "changed.jsonl"
    path.write_bytes(recording("spoken").replace(b'"heard":7440', b'"heard":7200'))
    with pytest.raises(AssertionError, match=r"different at line [0-9]+\n(.*\n)*\+ .*audio_end_ms=300"):
        assert_replays_equal(path)
    path.write_bytes(b"garbage")
    with pytest.raises(AssertionError, match="line 1: this is no recording of rtassist"):
        assert_replays_equal(path)
