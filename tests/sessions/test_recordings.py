"""The golden sessions replay equal, and nothing that can happen or be asked for is missing in them."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest

from rtassist.dialogue import effects, floor, step
from rtassist.dialogue.effects import Effect, Send, Show
from rtassist.dialogue.events import Event, MicHeard, PlaybackEnded, ServerSaid
from rtassist.dialogue.state import Conversation, Sound
from rtassist.protocol import ResponseOutputAudioDelta, SessionUpdate
from rtassist.sessions import reading
from rtassist.sessions.reading import Begun, Happened, Heard
from rtassist.sessions.testing import assert_replays_equal
from tests.recordings.make import FOLDER, RECORDINGS, recording

FILES = sorted(FOLDER.glob("*.jsonl"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_replays_equal(path: Any) -> None:
    assert_replays_equal(path)


@pytest.mark.parametrize("name", RECORDINGS)
def test_it_is_what_the_script_makes(name: str) -> None:
    made = (FOLDER / f"{name}.jsonl").read_bytes()
    assert made == recording(name), "python -m tests.recordings.make"


def test_all_of_them_are_small() -> None:
    assert {path.stem for path in FILES} == set(RECORDINGS)
    assert sum(path.stat().st_size for path in FILES) < 300_000


def decided() -> Iterator[tuple[Conversation, Event, Conversation, tuple[Effect, ...]]]:
    """Every decision in all of them."""
    for path in FILES:
        with open(path, "rb") as file:
            next(file)
            for record in reading.records(file):
                happened: list[tuple[int, Event]] = []
                if isinstance(record, Begun):
                    state, began_us = step.begin(record.terms), record.us
                elif isinstance(record, Happened):
                    happened = [(record.us, record.event)]
                elif isinstance(record, Heard):
                    happened = [
                        (record.us + at, MicHeard(bytes(2 * samples))) for at, samples in record.chunks
                    ]
                for us, event in happened:
                    after, asked = step.step(state, us - began_us, event)
                    yield state, event, after, asked
                    state = after


def test_everything_that_can_happen_happens_in_them() -> None:
    seen = {type(event.event if isinstance(event, ServerSaid) else event) for _, event, _, _ in decided()}
    assert {*step.LOCAL_RULES, *step.SERVER_RULES} - seen == set()


def test_everything_that_can_be_asked_for_is_asked_for_in_them() -> None:
    asked = [effect for _, _, _, effects_ in decided() for effect in effects_]
    assert set(get_args(Effect)) - set(map(type, asked)) == set()
    assert set(get_args(effects.Shown)) - {type(e.what) for e in asked if isinstance(e, Show)} == set()
    assert set(effects.Outcome) - {e.outcome for e in asked if isinstance(e, effects.Quit)} == set()
    sent = {e.event.type for e in asked if isinstance(e, Send)}
    assert sent >= {
        SessionUpdate(session=None).type,  # type: ignore[arg-type]  # for its type alone
        "input_audio_buffer.append",
        "input_audio_buffer.commit",
        "input_audio_buffer.clear",
        "conversation.item.create",
        "conversation.item.truncate",
        "conversation.item.delete",
        "response.create",
        "response.cancel",
    }


def test_every_change_of_a_voice_is_in_them() -> None:
    seen = {change for moment in decided() for change in _changes(*moment)}
    rows = {(start, cause, end) for start, row in floor.TRANSITIONS.items() for cause, end in row.items()}
    assert rows - seen == set()


def _changes(
    before: Conversation, event: Event, after: Conversation, asked: tuple[Effect, ...]
) -> Iterator[tuple[Sound, str, Sound]]:
    heard = event.event if isinstance(event, ServerSaid) else event
    cause = {ResponseOutputAudioDelta: "audio", PlaybackEnded: "report"}.get(type(heard), "taken")
    played = {effect.item_id for effect in asked if isinstance(effect, effects.Play)}
    for item_id, now in after.utterances.items():
        was = before.utterances.get(item_id)
        if was is not None and (was.sound is not now.sound or item_id in played):
            yield was.sound, cause, now.sound
