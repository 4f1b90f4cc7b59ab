"""A redacted recording replays as the original did, and no word of the original is in it."""

import json
import re
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtassist.dialogue import events, words
from rtassist.dialogue.terms import Terms, Turn
from rtassist.protocol import Response, ResponseDone, ResponseOutputAudioDelta, Unknown, Usage
from rtassist.sessions import reading
from rtassist.sessions.blotting import blot
from rtassist.sessions.reading import Asked, Begun, Happened, Heard
from rtassist.sessions.redacting import CannotRedact, Redaction
from rtassist.sessions.replay import Equal, replay
from tests import playbook as p
from tests.recordings.make import recording as golden_recording
from tests.sessions import making
from tests.sessions.making import Recording

OURS = {
    *("again", "call", "code", "could", "error", "farewell", "label", "lost", "nobody", "nonsuch", "server"),
    *("start", "stop", "there", "timer", "what"),
}
"""Words of the conversations that the program, the protocol or its ids have as well."""


def redacted(lines: list[bytes], *, text: bool = True, audio: bool = True) -> tuple[list[bytes], list[str]]:
    redaction = Redaction(lines, text=text, audio=audio)
    return list(redaction.lines()), redaction.kept


def texts(value: object, key: str = "") -> Iterator[str]:
    """Every text that a person or a model wrote, in a line of a recording."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from texts(each, name)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each, key)
    elif isinstance(value, str) and key in (
        *("transcript", "delta", "text", "instructions", "arguments", "output", "message", "label", "words"),
        *("unsaid", "reason", "instead", "sentence", "outlook", "server_text"),
    ):
        yield value


def words_in(lines: list[bytes]) -> set[str]:
    """The longer words of what the user and the server said, and of what the conversation began with."""
    causes = (json.loads(line) for line in lines if b'"effect"' not in line and b'"client"' not in line)
    said = " ".join(text for line in causes for text in texts(line))
    return {word.lower() for word in re.findall(r"[^\W\d_]{4,}", said)}


def skeleton(lines: list[bytes]) -> list[object]:
    """What stays: times, runs of samples, kinds of events and effects, ids."""
    kept: list[object] = []
    for record in reading.records(lines[1:]):
        match record:
            case Heard() | reading.Ended() | reading.Gap():
                kept.append(record)
            case Begun(us=us):
                kept.append(("begun", us))
            case Happened(us=us, event=event, voice=voice):
                said = event.event.type if isinstance(event, events.ServerSaid) else ""
                kept.append((us, type(event), said, voice, getattr(event, "heard", None)))
            case Asked(us=us, body=body, voice=voice):
                asked = json.loads(b"{" + body)
                client = asked.get("client", {})
                ids = [client.get(name) for name in ("type", "event_id", "item_id", "audio_end_ms")]
                kept.append((us, asked.get("effect"), asked.get("item_id"), asked.get("samples"), ids, voice))
            case _:
                pass
    return kept


golden = pytest.mark.parametrize("make", making.GOLDEN, ids=lambda make: make.__name__)


@golden
def test_a_redacted_recording_replays_and_does_the_same_at_the_same_times(
    make: Callable[[], Recording],
) -> None:
    lines = make().lines
    assert isinstance(replay(lines), Equal), "the maker is wrong"
    without, _ = redacted(lines)
    told = replay(without)
    assert isinstance(told, Equal), told
    assert skeleton(without) == skeleton(lines)


@golden
def test_no_word_of_the_original_is_left(make: Callable[[], Recording]) -> None:
    lines = make().lines
    without, kept = redacted(lines)
    file = b"".join(without).decode().lower()
    for phrase in kept:
        file = file.replace(json.dumps(phrase.lower())[1:-1], "")
    original = words_in(lines) - OURS
    assert len(original) > 3
    left = {word for word in original if re.search(rf"(?<![a-z]){word}(?![a-z])", file)}
    assert not left


def test_commands_stay_and_are_told() -> None:
    _, kept = redacted(making.typed().lines)
    assert kept == ["/help", "stop!", "Good bye"]
    _, kept = redacted(making.restarted().lines)
    assert kept == ["Start over!"]


def test_a_phrase_is_none_in_another_language() -> None:
    recording = Recording(Terms(session=making.SESSION, language="ja")).happen(*making.asked("U1", "Stop!"))
    without, kept = redacted(recording.lines)
    assert kept == []
    assert b"Stop" not in b"".join(without)


def test_the_history_and_the_instructions_are_words_too() -> None:
    terms = Terms(session=making.SESSION, history=(Turn("user", "I am Ada."),), greeting="Welcome, Ada.")
    without, _ = redacted(Recording(terms, settings={"mic": "/home/ada/mic.wav"}, url="wss://ada.org").lines)
    told = b"".join(without).lower()
    assert b"ada" not in told
    assert b"kind" not in told
    assert isinstance(replay(without), Equal)


@pytest.mark.parametrize(("url", "free"), [(None, True), ("wss://ada.org", False)])
def test_what_cost_nothing_costs_nothing_without_its_words(url: str | None, free: bool) -> None:
    usage = Usage(total_tokens=30, input_tokens=10, output_tokens=20)
    done = ResponseDone(response=Response(id="R1", status="completed", usage=usage))
    whole = Recording(url=url).happen(p.created("R1"), p.said(done)).end().lines
    for lines in (whole, redacted(whole)[0]):
        found = replay(lines)
        assert isinstance(found, Equal)
        assert found.summary.tokens.total == 30
        assert (found.summary.cost_usd == 0) == free


def test_only_the_sound_can_be_taken_out() -> None:
    lines = [*making.spoken().lines]
    silent, kept = redacted(lines, text=False)
    assert silent[1:] == lines[1:], "runs of samples are counted, and not in the text"
    assert json.loads(silent[0])["redacted"] == ["audio"]
    assert json.loads(silent[0])["audio"] is False
    assert kept == []


@pytest.mark.parametrize("text", [True, False])
def test_sound_that_stands_in_a_frame_becomes_silence(text: bool) -> None:
    odd = p.audio("A1", pcm=b"\x01\x02\x03")  # half a sample: it does not go to the file beside
    held = Unknown("item.held", {"type": "item.held", "audio": "QUJD"})
    recording = Recording().happen(
        *making.asked("U1", "Hello"), p.created("R1"), p.added("A1"), odd, p.said(held)
    )
    assert b"AQID" in b"".join(recording.lines)
    silent, _ = redacted(recording.end().lines, text=text)
    assert b"AQID" not in b"".join(silent)
    assert b"QUJD" not in b"".join(silent)
    assert isinstance(replay(silent), Equal)
    loud, _ = redacted(recording.lines, text=True, audio=False)
    assert b"AQID" in b"".join(loud)


def test_redacting_again_changes_nothing() -> None:
    for recording in making.recordings():
        once, kept = redacted(recording.lines)
        assert redacted(once) == (once, kept)


def test_a_first_redaction_is_not_forgotten_by_the_second() -> None:
    silent, _ = redacted(making.spoken().lines, text=False)
    both, _ = redacted(silent, audio=False)
    assert json.loads(both[0])["redacted"] == ["audio", "text"]


def test_what_was_being_written_when_the_program_died_is_left_out() -> None:
    lines = making.spoken().lines
    torn = [*lines[:20], lines[20][:-9]]
    without, _ = redacted(torn)
    assert len(without) == 20


def test_behind_a_gap_nothing_is_known_and_nothing_is_left() -> None:
    recording = making.spoken()
    lines = recording.lines
    gap = b'{"us":1000000,"gap":{"lines":1}}\n'
    at = next(i for i, line in enumerate(lines) if line.startswith(b'{"us":1100000'))
    without, _ = redacted([*lines[:at], gap, *lines[at:]])
    assert b"lighthouse" not in b"".join(without)
    assert b"xxxxxxxxxx" in b"".join(without)
    assert isinstance(replay(without), Equal)


def test_a_transcript_that_only_looks_like_its_beginning_is_told_apart() -> None:
    """The words that came first and the whole that came last differ, and not in their lengths."""
    recording = (
        Recording(Terms(session=making.SESSION, voiced=False, speaker=False))
        .happen(p.typed("hello"), p.created("R1"), p.added("A1"), p.text("A1", "The cat sat"))
        .happen(p.text_done("A1", "The dog sat and barked."), p.done("R1"))
        .end()
    )
    without, _ = redacted(recording.lines)
    assert isinstance(replay(without), Equal)
    assert skeleton(without) == skeleton(recording.lines)


def test_what_would_be_decided_otherwise_is_refused() -> None:
    """Without letters there is nothing by which these two could be told apart."""
    recording = (
        Recording(Terms(session=making.SESSION, voiced=False, speaker=False))
        .happen(p.typed("count"), p.created("R1"), p.added("A1"), p.text("A1", "1"))
        .happen(p.text_done("A1", "2 3 4"), p.done("R1"))
        .end()
    )
    with pytest.raises(CannotRedact) as refused:
        redacted(recording.lines)
    assert refused.value.line > 10
    assert "--audio" in refused.value.message


@given(st.text())
def test_blotting_keeps_what_is_decided_by(text: str) -> None:
    blotted = blot(text)
    assert len(blotted) == len(text)
    assert words.weight(blotted) == words.weight(text)
    assert [c.isspace() for c in blotted] == [c.isspace() for c in text]
    assert blot(blotted) == blotted
    assert not re.search(r"[^\W\dx_]|[1-9]", blotted)
    for heard in range(0, 101, 7):
        assert words.heard_length(blotted, heard=heard, total=100) == words.heard_length(
            text, heard=heard, total=100
        )


SAID = st.text(st.sampled_from("abz AZ 019.,!?-'é東\n"), max_size=40)


@st.composite
def conversations(draw: st.DrawFn) -> Recording:
    """A few turns with any words, any lengths, and any places of interruption."""
    recording = Recording()
    for number in range(1, draw(st.integers(1, 4)) + 1):
        user, item, response = f"U{number}", f"A{number}", f"R{number}"
        recording.happen(*making.asked(user, draw(SAID)))
        recording.happen(p.created(response), p.added(item))
        said = ""
        for _ in range(draw(st.integers(0, 4))):
            piece = draw(SAID)
            said += piece
            recording.happen(p.words(item, piece), p.audio(item, ms=draw(st.integers(0, 900))))
            recording.happen(p.advanced(item, ms=draw(st.integers(0, 900))))
        if draw(st.booleans()):
            recording.happen(p.words_done(item, said))
        arguments = draw(SAID)
        calls = (p.function_call(f"c{number}", "look", arguments),) if draw(st.booleans()) else ()
        recording.happen(p.done(response, calls=calls))
        if draw(st.booleans()):
            recording.happen(p.typed(draw(SAID)))
        recording.happen(p.ended(item, ms=draw(st.integers(0, 2000))))
        recording.happen(events.ToolEnded(f"c{number}", draw(SAID)))
    return recording.end()


@settings(max_examples=25)
@given(conversations())
def test_any_conversation_replays_without_its_words(recording: Recording) -> None:
    assert isinstance(replay(recording.lines), Equal)
    without, _ = redacted(recording.lines)
    assert isinstance(replay(without), Equal)
    assert skeleton(without) == skeleton(recording.lines)


def test_audio_deltas_are_not_taken_for_words() -> None:
    recording = making.spoken()
    without, _ = redacted(recording.lines, audio=False)
    deltas = [
        record.event.event
        for record in reading.records(without[1:])
        if isinstance(record, Happened)
        and isinstance(record.event, events.ServerSaid)
        and isinstance(record.event.event, ResponseOutputAudioDelta)
    ]
    assert [len(delta.delta) // 48 for delta in deltas] == [1000, 2000, 500]


def test_answers_to_questions_stay_and_everything_else_of_a_call_goes() -> None:
    made, kept = redacted(golden_recording("tools").splitlines(keepends=True))

    assert isinstance(replay(made), Equal)
    assert kept == ["y", "Yes.", "n", "/quit"]
    assert b"/tmp/a" not in b"".join(made)
