"""Frames that are no events, or nearly, or make no sense, into what reads and what decides."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final

from hypothesis import example, given, settings
from hypothesis import strategies as st

from rtassist.dialogue import events, step
from rtassist.dialogue.effects import Effect, Play, Quit, Send, SetAlarm, Show
from rtassist.dialogue.state import SAMPLES_PER_MS, Conversation
from rtassist.dialogue.terms import Terms
from rtassist.protocol import BadFrame, Unknown, decode, decode_client, encode, laws
from rtassist.sessions import reading, showing
from rtassist.sessions.journal import Journal
from rtassist.sessions.reading import Begun, Happened, Heard
from rtassist.sessions.replay import Different, replay
from tests.fuzz.mutations import MORE, MUTATIONS, frame_of, server_events, spoilt
from tests.recordings.make import FOLDER

Spoiling = list[tuple[str, int]]

spoiling: st.SearchStrategy[Spoiling] = st.lists(
    st.tuples(st.sampled_from([*MUTATIONS]), st.integers(0, 400)), min_size=1, max_size=3
)
RECORDINGS: Final = sorted(FOLDER.glob("*.jsonl"))


def received(frame: str | bytes) -> events.ServerSaid | events.FrameUnreadable:
    """As the ring hears of it. Raises nothing but what is a bug."""
    try:
        return events.received(frame, decode(frame))
    except BadFrame as bad:
        return unreadable(frame, bad)


def unreadable(frame: str | bytes, bad: BadFrame) -> events.FrameUnreadable:
    said = events.received(frame, bad)
    assert isinstance(said, events.FrameUnreadable)
    assert said.reason.isprintable()
    return said


@settings(max_examples=300 * MORE)
@given(st.sampled_from(server_events()), spoiling, st.booleans())
def test_a_spoilt_event_is_read_without_loss_or_is_none(event: object, changes: Spoiling, deep: bool) -> None:
    frame = frame_of(spoilt(event, changes), deep=deep)
    said = received(frame)
    if isinstance(said, events.ServerSaid):
        assert json.loads(encode(said.event)) == json.loads(frame)


@settings(max_examples=100 * MORE)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=100)))
def test_what_is_no_json_is_told(frame: str | bytes) -> None:
    received(frame)


@cache
def recorded(path: Path) -> tuple[tuple[Terms, tuple[tuple[int, events.Event], ...]], ...]:
    """The conversations of a golden recording: the terms, and what happened, with the time."""
    lines = iter(path.read_bytes().splitlines(keepends=True))
    reading.header(next(lines))
    held: list[tuple[Terms, list[tuple[int, events.Event]]]] = []
    for record in reading.records(lines):
        if isinstance(record, Begun):
            began_us = record.us
            held.append((record.terms, []))
        elif isinstance(record, Happened):
            event = record.event
            if isinstance(event, events.ServerSaid):  # its sound stands elsewhere
                event = received(encode(event.event))
            held[-1][1].append((record.us - began_us, event))
        elif isinstance(record, Heard):
            heard = ((record.us + at - began_us, events.MicHeard(bytes(2 * n))) for at, n in record.chunks)
            held[-1][1].extend(heard)
    return tuple((terms, tuple(happened)) for terms, happened in held)


@example(path=FOLDER / "lowered.jsonl", which=0, spoils=[(272, [("64 bits and one", 399)])], strangers=[])
@settings(max_examples=100 * MORE)
@given(
    path=st.sampled_from(RECORDINGS),
    which=st.integers(0, 20),
    spoils=st.lists(st.tuples(st.integers(0, 500), spoiling), max_size=6),
    strangers=st.lists(
        st.tuples(st.integers(0, 500), st.sampled_from(server_events()), spoiling), max_size=6
    ),
)
def test_a_conversation_with_a_server_out_of_its_mind(
    path: Path,
    which: int,
    spoils: list[tuple[int, Spoiling]],
    strangers: list[tuple[int, object, Spoiling]],
) -> None:
    conversations = recorded(path)
    terms, happened = conversations[which % len(conversations)]
    changed = [*happened]
    for index, changes in spoils:
        us, event = changed[index % len(changed)]
        if isinstance(event, events.ServerSaid):
            frame = frame_of(spoilt(json.loads(event.frame), changes))
            changed[index % len(changed)] = (us, received(frame))
    for index, stranger, changes in strangers:
        us, _ = changed[index % len(changed)]
        changed.insert(index % len(changed), (us, received(frame_of(spoilt(stranger, changes)))))
    hold(terms, changed)


def hold(terms: Terms, happened: list[tuple[int, events.Event]]) -> None:
    """No crash, no unlawful effect, and the recording of it replays equal."""
    lines: list[bytes] = []
    journal = Journal(line=lines.append, mic=lambda pcm: None, voice=lambda pcm: None)
    journal.header(id="fuzz", started="2026-11-22T00:00:00.000Z", program="fuzz")
    journal.begin(0, terms)
    state = step.begin(terms)
    for us, event in happened:
        journal.note(us, event)
        before = state
        state, effects = step.step(state, us, event)
        for effect in effects:
            journal.note(us, effect)
            lawful(effect, before, state, us)
        assert not any(isinstance(effect, Quit) for effect in effects[:-1])
    journal.end(0)
    result = replay(lines)
    if isinstance(result, Different):
        raise AssertionError("\n".join(showing.diff(result.difference)))


def lawful(effect: Effect, before: Conversation, after: Conversation, us: int) -> None:
    match effect:
        case Send(event=event):
            utterances = (*before.utterances.values(), *after.utterances.values())
            refusal = laws.check(
                event,
                arrived_ms={u.item_id: u.arrived // SAMPLES_PER_MS for u in utterances},
                buffered_ms=before.uncommitted / SAMPLES_PER_MS,
                given_ids=before.calls,
            )
            assert refusal is None, refusal
            again = decode_client(encode(event))
            assert not isinstance(again, Unknown)
            assert encode(again) == encode(event)
        case Play(pcm=pcm):
            assert pcm
            assert len(pcm) % 2 == 0
        case SetAlarm(at_us=at_us):
            assert at_us >= us - 1
        case Show() | Quit():
            str(effect)
        case _:
            pass
