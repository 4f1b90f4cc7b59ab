"""Text to event and back, judged by the openai package and by chance."""

import json
import math
import subprocess
import sys
from base64 import b64encode
from types import MappingProxyType
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from bench.minute import minute
from rtassist.protocol import (
    UNSET,
    AssistantMessage,
    AudioConfig,
    AudioInput,
    BadFrame,
    ConversationItemCreate,
    ConversationItemInputAudioTranscriptionCompleted,
    ErrorEvent,
    FunctionCall,
    FunctionTool,
    InputAudioBufferAppend,
    InputAudioBufferSpeechStarted,
    ResponseCreate,
    ResponseDone,
    ResponseOutputAudioDelta,
    ResponseOutputTextDelta,
    ResponseParams,
    ServerVad,
    Session,
    SessionCreated,
    SessionUpdate,
    SessionUpdated,
    TranscriptionSession,
    Unknown,
    UnknownItem,
    UnknownTool,
    UnknownTurnDetection,
    UnknownUsage,
    UserContent,
    UserMessage,
    catalogue,
    decode,
    decode_client,
    decode_translation,
    encode,
)
from tests.protocol.openai_types import (
    BETA_EVENTS,
    DECODERS,
    EVENTS,
    JSON,
    SIDES_AND_TYPES,
    examples,
    judge_of,
    minimal,
    nulls,
    random,
)

BETA_SIDES_AND_TYPES = [(side, name) for side, events in BETA_EVENTS.items() for name in sorted(events)]


def strangers(value: Any, path: str = "") -> list[str]:
    """Where in an event there is something that we did not understand."""
    if isinstance(value, tuple):
        return [s for i, inner in enumerate(value) for s in strangers(inner, f"{path}[{i}]")]
    if not attrs.has(type(value)):
        return []
    if type(value).__name__.startswith("Unknown"):
        return [f"{path}: {value!r}"]
    found = [f"{path}: {value.extras}"] if value.extras else []
    for field in attrs.fields(type(value)):
        if field.name != "extras":
            found += strangers(getattr(value, field.name), f"{path}.{field.name}")
    return found


def assert_kept(side: str, event: dict[str, Any]) -> Any:
    """Decodes it compact, spaced and as bytes, checks that it encodes back equal, and gives it decoded."""
    read = DECODERS[side]
    compact = json.dumps(event, separators=(",", ":"), ensure_ascii=False)
    ours = read(compact)
    assert json.loads(encode(ours)) == event
    assert read(json.dumps(event, indent=1)) == ours
    assert read(compact.encode()) == ours
    assert read(encode(ours)) == ours
    return ours


def assert_kept_or_bad(side: str, frame: str | bytes) -> None:
    try:
        ours = DECODERS[side](frame)
    except BadFrame:
        return
    assert json.loads(encode(ours)) == json.loads(frame)


@pytest.mark.parametrize(("side", "name"), SIDES_AND_TYPES)
class TestJudgedByOpenai:
    def judge(self, side: str, name: str, event: dict[str, Any]) -> None:
        adapter = judge_of(EVENTS[side][name])
        adapter.validate_python(event, strict=True)  # or the example proves nothing
        ours = DECODERS[side](json.dumps(event, separators=(",", ":")))
        assert json.loads(encode(ours)) == event
        assert type(ours) is getattr(catalogue, side.upper().replace(" ", "_"))[name]
        assert not strangers(ours)
        adapter.validate_json(encode(ours), strict=True)

    def test_minimal(self, side: str, name: str) -> None:
        event = minimal(EVENTS[side][name])
        self.judge(side, name, event)
        assert_kept(side, event)

    def test_every_field_and_every_variant(self, side: str, name: str) -> None:
        for event in examples(EVENTS[side][name]):
            self.judge(side, name, event)

    def test_null_for_every_optional_field(self, side: str, name: str) -> None:
        self.judge(side, name, nulls(EVENTS[side][name]))

    @settings(max_examples=12)
    @given(data=st.data())
    def test_anything_that_the_types_allow(self, side: str, name: str, data: st.DataObject) -> None:
        self.judge(side, name, data.draw(random(EVENTS[side][name])))


@pytest.mark.parametrize(("side", "name"), BETA_SIDES_AND_TYPES)
def test_beta_events_are_read_and_kept(side: str, name: str) -> None:
    for event in (minimal(BETA_EVENTS[side][name]), *examples(BETA_EVENTS[side][name])):
        ours = assert_kept(side, event)
        assert not isinstance(ours, Unknown)
        assert ours.type == name


def test_a_beta_name_becomes_the_event_of_today_and_is_given_back() -> None:
    frame = {"type": "response.text.delta", "response_id": "r", "item_id": "i", "output_index": 0}
    frame |= {"content_index": 0, "delta": "hi"}
    ours = assert_kept("server", frame)
    assert isinstance(ours, ResponseOutputTextDelta)
    assert ours.type == "response.text.delta"


def test_the_beta_tells_transcription_sessions_by_the_name_of_the_event() -> None:
    session = {"input_audio_format": "pcm16", "turn_detection": {"type": "server_vad"}, "include": None}
    for side, name in (("server", "updated"), ("server", "created"), ("client", "update")):
        ours = assert_kept(side, {"type": f"transcription_session.{name}", "session": session})
        assert isinstance(ours, SessionUpdated | SessionCreated | SessionUpdate)
        assert isinstance(ours.session, TranscriptionSession)
        assert ours.session.type is UNSET
        assert ours.session.extras["input_audio_format"] == "pcm16"


def test_a_beta_transcription_session_that_says_its_type_is_taken_at_its_word() -> None:
    ours = decode('{"type":"transcription_session.updated","session":{"type":"realtime"}}')
    assert isinstance(ours, SessionUpdated)
    assert isinstance(ours.session, Session)


def test_the_minute_of_the_bench_is_what_a_server_may_send() -> None:
    frames = minute()
    assert len(frames) == 406
    assert frames == minute()
    assert sum(map(len, frames)) == pytest.approx(2e6, rel=0.02)
    for frame in frames:
        ours = assert_kept("server", json.loads(frame))
        outside = [s for s in strangers(ours) if "session" not in s]
        assert not outside
        judge_of(EVENTS["server"][ours.type]).validate_json(encode(ours), strict=True)


class TestAbsentIsNotNull:
    def test_nothing_is_sent_for_what_is_unset(self) -> None:
        update = SessionUpdate(session=Session(audio=AudioConfig(input=AudioInput(turn_detection=None))))
        sent = json.loads(encode(update))
        wanted = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
        assert sent == {"type": "session.update", "session": wanted}

    def test_what_is_absent_on_the_wire_is_unset_whatever_the_default_for_a_caller_is(self) -> None:
        ours = decode('{"type":"session.created","session":{"tools":[{"name":"clock"}]}}')
        assert isinstance(ours, SessionCreated)
        assert isinstance(ours.session, Session)
        assert ours.session.type is UNSET
        assert isinstance(ours.session.tools, tuple)
        assert ours.session.tools == (FunctionTool(type=UNSET, name="clock"),)

    def test_unset_is_false_and_says_its_name(self) -> None:
        assert not UNSET
        assert repr(UNSET) == "UNSET"


class TestUnknownThingsAreKept:
    def test_event(self) -> None:
        ours = assert_kept(
            "server", {"type": "localai.classifier.result", "event_id": "", "labels": [{"a": 1}]}
        )
        assert isinstance(ours, Unknown)
        assert ours.type == "localai.classifier.result"
        assert ours.fields["labels"] == [{"a": 1}]

    def test_event_of_the_other_direction(self) -> None:
        frame = {"type": "input_audio_buffer.append", "audio": "AAAA" * 300}
        assert isinstance(assert_kept("server", frame), Unknown)
        assert isinstance(assert_kept("client", frame), InputAudioBufferAppend)

    def test_fields_at_every_level(self) -> None:
        item = {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "format": "pcm16"}],
            "x": 1,
        }
        ours = assert_kept("server", {"type": "conversation.item.added", "item": item, "extras": {"y": None}})
        assert ours.extras == {"extras": {"y": None}}
        assert ours.item.extras == {"x": 1}
        assert ours.item.content[0].extras == {"format": "pcm16"}

    def test_value_of_an_enumeration(self) -> None:
        ours = assert_kept("server", {"type": "response.done", "response": {"status": "postponed"}})
        assert ours.response.status == "postponed"

    @pytest.mark.parametrize(
        "item",
        [
            {"type": "reasoning", "summary": []},
            {"type": "message", "role": "tool", "content": []},
            {"type": "message", "content": []},
            {"role": "user"},
            {"type": None, "role": "user"},
            {},
        ],
    )
    def test_item(self, item: dict[str, Any]) -> None:
        for _ in range(2):  # the second time it comes, too
            ours = assert_kept("server", {"type": "conversation.item.added", "item": item})
            assert ours.item == UnknownItem(type=item.get("type") or "", fields=item)

    def test_variants_inside_of_a_session(self) -> None:
        detection = {"type": "azure_semantic_vad", "remove_filler_words": True}
        tools = [{"type": "web_search"}, {"type": "function", "function": {"name": "f"}}]
        audio = {"input": {"turn_detection": detection}}
        session = {"type": "realtime", "audio": audio, "tools": tools, "tool_choice": {"type": "any"}}
        ours = assert_kept("server", {"type": "session.updated", "session": session}).session
        assert ours.audio.input.turn_detection == UnknownTurnDetection(
            type="azure_semantic_vad", fields=detection
        )
        assert ours.tools[0] == UnknownTool(type="web_search", fields=tools[0])
        assert ours.tools[1].extras == {"function": {"name": "f"}}

    def test_an_unknown_variant_made_by_hand_says_its_type(self) -> None:
        made = ConversationItemCreate(item=UnknownItem(type="note", fields={"text": "x"}))
        assert json.loads(encode(made))["item"] == {"type": "note", "text": "x"}

    def test_an_unknown_event_made_by_hand_says_its_type(self) -> None:
        assert json.loads(encode(Unknown("ping", {"n": 1}))) == {"type": "ping", "n": 1}


class TestWhatRealServersDo:
    """Deviations that the servers named in the tests' names were seen to have."""

    def test_xai_status_details_is_text_and_usage_is_empty(self) -> None:
        response = {"id": "r", "status_details": "done", "usage": {}}
        ours = assert_kept("server", {"type": "response.done", "response": response, "usage": {"tokens": 3}})
        assert isinstance(ours, ResponseDone)
        assert ours.response.status_details == "done"

    def test_xai_content_part_done_without_a_part(self) -> None:
        at = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
        assert assert_kept("server", {"type": "response.content_part.done", **at}).part is UNSET

    def test_xai_transcription_without_usage_and_with_usage_of_no_kind(self) -> None:
        frame = {
            "type": "conversation.item.input_audio_transcription.completed",
            "item_id": "i",
            "transcript": "hi",
        }
        assert assert_kept("server", frame).usage is UNSET
        ours = assert_kept("server", frame | {"usage": {}})
        assert isinstance(ours, ConversationItemInputAudioTranscriptionCompleted)
        assert ours.usage == UnknownUsage(type="", fields={})

    def test_openai_wire_only_fields_are_fields(self) -> None:
        item = {"type": "message", "role": "assistant", "phase": "commentary", "content": []}
        ours = assert_kept("server", {"type": "conversation.item.added", "item": item})
        assert isinstance(ours.item, AssistantMessage)
        assert ours.item.phase == "commentary"

    def test_azure_content_part_twice(self) -> None:
        part = {"type": "audio", "transcript": "hi"}
        at = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
        ours = assert_kept(
            "server", {"type": "response.content_part.done", **at, "part": part, "content": part}
        )
        assert ours.extras == {"content": part}

    def test_servers_without_integers_write_whole_numbers_as_floats(self) -> None:
        ours = decode('{"type":"input_audio_buffer.speech_started","audio_start_ms":1234.0,"item_id":"i"}')
        assert isinstance(ours, InputAudioBufferSpeechStarted)
        assert ours.audio_start_ms == 1234
        assert isinstance(ours.audio_start_ms, int)

    def test_servers_in_go_leave_out_what_is_empty(self) -> None:
        call = {"type": "function_call", "name": "clock", "call_id": "c"}
        ours = assert_kept("server", {"type": "conversation.item.added", "item": call})
        assert isinstance(ours.item, FunctionCall)
        assert ours.item.arguments is UNSET
        message = {"type": "message", "role": "user", "content": None}
        assert (
            assert_kept("server", {"type": "conversation.item.added", "item": message}).item.content is None
        )


BAD = [
    ("", "", "is no JSON at character 0"),
    ("nonsense", "", "is no JSON"),
    ('{"type":"error"', "", "is no JSON"),
    ('{"type":"x"} {}', "", "is no JSON"),
    (b'{"type":"\xff"}', "", "is no UTF-8 text"),
    ('{"type":"\ud800"}', "", "is no UTF-8 text"),
    ('{"type":"x","y":NaN}', "", "is no JSON"),
    ('{"type":"x","y":1e999}', "", "is no JSON"),
    ('{"type":"x","y":"\\ud800"}', "", "is no JSON"),
    ("[]", "", "must be an object, not a list"),
    ("null", "", "must be an object, not null"),
    ('"type"', "", "must be an object, not a string"),
    ("1.5", "", "must be an object, not a number"),
    ("{}", "type", "is missing"),
    ('{"type":null}', "type", "must be a string, not null"),
    ('{"type":["error"]}', "type", "must be a string, not a list"),
    ('{"type":"error"}', "error", "is missing"),
    ('{"type":"error","error":"down"}', "error", "must be an object, not a string"),
    ('{"type":"error","error":{"message":5}}', "error.message", "must be a string, not a whole number"),
    (
        '{"type":"error","error":{"message":"x","code":1}}',
        "error.code",
        "must be a string or null, not a whole number",
    ),
    ('{"type":"error","event_id":null,"error":{"message":"x"}}', "event_id", "must be a string, not null"),
    (
        '{"type":"response.done","response":{"output":[{"type":"message","role":"assistant","content":'
        '[{"text":"a"},{"text":true}]}]}}',
        "response.output[0].content[1].text",
        "must be a string or null, not true or false",
    ),
    (
        '{"type":"response.done","response":{"output":[5]}}',
        "response.output[0]",
        "must be an object, not a whole number",
    ),
    (
        '{"type":"response.done","response":{"output":{}}}',
        "response.output",
        "must be a list or null, not an object",
    ),
    (
        '{"type":"response.done","response":{"max_output_tokens":1.5}}',
        "response.max_output_tokens",
        "must be a whole number, not a fraction",
    ),
    (
        '{"type":"response.done","response":{"max_output_tokens":{}}}',
        "response.max_output_tokens",
        "must be a whole number or a string or null, not an object",
    ),
    (
        '{"type":"response.done","response":{"metadata":{"a":1}}}',
        "response.metadata.a",
        "must be a string, not a whole number",
    ),
    (
        '{"type":"response.done","response":{"output":[{"type":7}]}}',
        "response.output[0].type",
        "must be a string, not a whole number",
    ),
    ('{"type":"session.created","session":[]}', "session", "must be an object, not a list"),
    (
        '{"type":"session.created","session":{"output_modalities":["audio",null]}}',
        "session.output_modalities[1]",
        "must be a string, not null",
    ),
    (
        '{"type":"session.created","session":{"audio":{"output":{"speed":"fast"}}}}',
        "session.audio.output.speed",
        "must be a number or null, not a string",
    ),
    (
        '{"type":"session.created","session":{"parallel_tool_calls":1}}',
        "session.parallel_tool_calls",
        "must be true or false or null, not a whole number",
    ),
    ('{"type":"x","y":' + "[" * 101 + "]" * 101 + "}", "", "is nested more than 100 levels deep"),
    (
        '{"type":"error","error":{"message":"x"},"y":' + "[" * 101 + "]" * 101 + "}",
        "y",
        "is nested more than",
    ),
    ('{"type":"x","y":' + "[" * 2000 + "]" * 2000 + "}", "", "is no JSON"),
    ('{"type":"x","n":' + "9" * 30 + ',"y":' + "[" * 1000 + "]" * 1000 + "}", "", "is nested more than"),
    ('{"type":"x","y":' + "9" * 5000 + "}", "", "is no JSON"),
]


class TestBadFrames:
    @pytest.mark.parametrize(("frame", "path", "reason"), BAD)
    def test_path_and_reason(self, frame: str | bytes, path: str, reason: str) -> None:
        with pytest.raises(BadFrame) as caught:
            decode(frame)
        assert caught.value.path == path
        assert caught.value.reason.startswith(reason)
        assert str(caught.value) == (f"{path}: {caught.value.reason}" if path else caught.value.reason)
        assert caught.value.__context__ is None or caught.value.__suppress_context__  # no library's traceback

    @pytest.mark.parametrize(
        ("payload", "reason"),
        [
            ("AAA", "is no base64"),
            ("AA=A", "is no base64"),
            ("AAAA\\n", "is no base64"),
            ("-_-_", "is no base64"),
            ("é", "is no base64"),
            ("AB==", "is no canonical base64"),
            ("AAB=", "is no canonical base64"),
        ],
    )
    @pytest.mark.parametrize("length", [0, 400])
    def test_base64(self, payload: str, reason: str, length: int) -> None:
        with pytest.raises(BadFrame, match=reason) as caught:
            decode_client(f'{{"type":"input_audio_buffer.append","audio":"{"AAAA" * length}{payload}"}}')
        assert caught.value.path == "audio"

    def test_a_number_is_no_audio(self) -> None:
        with pytest.raises(BadFrame, match="audio: must be a string, not a whole number"):
            decode_client('{"type":"input_audio_buffer.append","audio":5}')

    @pytest.mark.parametrize("side", DECODERS)
    @given(frame=st.text() | st.binary())
    def test_any_text_and_any_bytes(self, side: str, frame: str | bytes) -> None:
        with pytest.raises(BadFrame):
            DECODERS[side](frame)

    @pytest.mark.parametrize("side", DECODERS)
    @settings(max_examples=60)
    @given(data=st.data())
    def test_any_object_with_a_type(self, side: str, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(EVENTS[side])) | st.text(max_size=5))
        keys = st.sampled_from(["session", "item", "response", "delta", "event_id", "error", "audio"])
        fields = data.draw(st.dictionaries(keys | st.text(max_size=4), JSON, max_size=5))
        assert_kept_or_bad(side, json.dumps({"type": name, **fields}))

    @settings(max_examples=250)
    @given(data=st.data())
    def test_a_valid_frame_in_which_something_was_changed(self, data: st.DataObject) -> None:
        side, name = data.draw(st.sampled_from(SIDES_AND_TYPES))
        event = data.draw(st.sampled_from(examples(EVENTS[side][name])))
        for _ in range(data.draw(st.integers(1, 3))):
            event = data.draw(changed(event))
        assert_kept_or_bad(side, json.dumps(event))

    @settings(max_examples=200)
    @given(data=st.data())
    def test_a_valid_frame_of_which_bytes_were_changed(self, data: st.DataObject) -> None:
        side, name = data.draw(st.sampled_from(SIDES_AND_TYPES))
        frame = bytearray(json.dumps(minimal(EVENTS[side][name])).encode())
        for _ in range(data.draw(st.integers(1, 3))):
            frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(
                st.sampled_from(b'"\\{}[]:,09xe.-\x00\xff')
            )
        assert_kept_or_bad(side, bytes(frame))


@st.composite
def changed(draw: st.DrawFn, value: Any) -> Any:
    """The value with one part of it, at any depth, replaced, renamed, added or removed."""
    inner: list[Any] = []
    if isinstance(value, dict | list):
        inner = list(value) if isinstance(value, dict) else list(range(len(value)))
    if not inner or draw(st.integers(0, 5)) == 0:
        return draw(JSON)
    key = draw(st.sampled_from(inner))
    copy = value.copy()
    match draw(st.sampled_from(["into", "into", "into", "remove", "add"])):
        case "into":
            copy[key] = draw(changed(value[key]))
        case "remove":
            del copy[key]
        case "add" if isinstance(copy, dict):
            copy[draw(st.text(max_size=5))] = draw(JSON)
        case _:
            copy.append(draw(JSON))
    return copy


class TestNumbers:
    @pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**30 + 1, 2**63, 2**53 + 1, 10**300 + 1])
    def test_integers_past_64_bits_are_kept(self, number: int) -> None:
        ours = decode(f'{{"type":"x","n":{number},"of":[{number}]}}')
        assert isinstance(ours, Unknown)
        assert ours.fields["n"] == number
        assert isinstance(ours.fields["n"], int)
        assert json.loads(encode(ours)) == {"type": "x", "n": number, "of": [number]}

    def test_great_floats_are_kept_beside_great_integers(self) -> None:
        event = {"type": "x", "n": 10**30 + 1, "f": 1e300, "g": -1e19, "h": 0.1}
        assert_kept("server", event)
        assert_kept("server", event | {"n": 0})

    def test_great_numbers_in_typed_fields(self) -> None:
        tokens = {"type": "duration", "seconds": 10**30 + 1}
        frame = {
            "type": "conversation.item.input_audio_transcription.completed",
            "item_id": "i",
            "transcript": "",
        }
        assert_kept("server", frame | {"usage": tokens})
        assert_kept("server", frame | {"usage": tokens | {"seconds": 1e300}})
        limits = [{"limit": 10**30 + 1, "remaining": 1e19}]
        assert_kept("server", {"type": "rate_limits.updated", "rate_limits": limits})

    def test_great_number_in_an_audio_frame(self) -> None:
        at = {"response_id": "r", "item_id": "i", "output_index": 10**30 + 1, "content_index": 0}
        ours = assert_kept("server", {"type": "response.output_audio.delta", **at, "delta": "AAAA" * 300})
        assert isinstance(ours, ResponseOutputAudioDelta)
        assert ours.output_index == 10**30 + 1

    def test_no_number_of_an_encoded_event_is_infinite(self) -> None:
        ours = decode('{"type":"x","n":1e308}')
        assert isinstance(ours, Unknown)
        assert ours.fields["n"] == 1e308
        assert math.isfinite(json.loads(encode(ours))["n"])


class TestEncode:
    @pytest.mark.parametrize("event_id", [UNSET, None, "event_1", 'quoted "id" \\ é'])
    @pytest.mark.parametrize("extras", [{}, {"lang": "en"}])
    @pytest.mark.parametrize("name", ["input_audio_buffer.append", "old.append"])
    def test_append(self, event_id: Any, extras: dict[str, object], name: str) -> None:
        event = InputAudioBufferAppend(type=name, event_id=event_id, audio=b"\x00\x01\x02\x03", extras=extras)
        expected: dict[str, Any] = {"type": name, "audio": b64encode(event.audio).decode(), **extras}
        if event_id is not UNSET:
            expected["event_id"] = event_id
        assert json.loads(encode(event)) == expected

    def test_text_from_a_terminal_that_is_no_unicode(self) -> None:
        part = UserContent(type="input_text", text="caf\udce9")
        event = ConversationItemCreate(item=UserMessage(content=(part,)))
        assert json.loads(encode(event))["item"]["content"][0]["text"] == "caf\udce9"

    def test_what_json_cannot_hold(self) -> None:
        event = ResponseCreate(response=ResponseParams(extras={"when": {1, 2}}))
        with pytest.raises(TypeError, match="JSON cannot hold a set"):
            encode(event)

    def test_mappings_of_any_kind(self) -> None:
        event = ResponseCreate(response=ResponseParams(metadata=MappingProxyType({"a": "b"})))
        assert json.loads(encode(event))["response"] == {"metadata": {"a": "b"}}

    def test_the_type_comes_first(self) -> None:
        assert encode(ResponseCreate(event_id="e")).startswith('{"type":"response.create"')
        event = SessionUpdate(
            session=Session(audio=AudioConfig(input=AudioInput(turn_detection=ServerVad())))
        )
        assert encode(event).startswith('{"type":"session.update"')


def test_duplicate_keys_count_as_everywhere_the_last_one_wins() -> None:
    ours = decode('{"type":"x","type":"error","error":{"message":"a","message":"b"}}')
    assert isinstance(ours, ErrorEvent)
    assert ours.error.message == "b"


def test_translation_errors_are_events_of_their_own() -> None:
    ours = decode_translation('{"type":"error","error":{"message":"a"}}')
    assert type(ours).__name__ == "TranslationErrorEvent"


def test_the_judge_is_not_lenient() -> None:
    model: type[BaseModel] = EVENTS["client"]["conversation.item.truncate"]
    wrong = minimal(model) | {"audio_end_ms": "7"}
    with pytest.raises(ValueError, match="audio_end_ms"):
        judge_of(model).validate_python(wrong, strict=True)


FIRST_ANSWER = """
from rtassist.protocol import decode, hooks, prepare

for _ in prepare():
    pass

def late(name, lines, scope, cls):
    raise SystemExit(f"{name} {cls.__name__} is made only now")

hooks._compiled = late
audio = '"response_id":"r","item_id":"i","output_index":0,"content_index":0,"delta":"AAAAAAAA"}'
for frame in (
    '{"type":"response.created","event_id":"e","response":{"id":"r"}}',
    '{"type":"response.output_item.added","event_id":"e","response_id":"r","output_index":0,'
    '"item":{"id":"i","type":"message","role":"assistant","status":"in_progress","content":[]}}',
    '{"type":"response.content_part.added","event_id":"e","response_id":"r","item_id":"i",'
    '"output_index":0,"content_index":0,"part":{"type":"audio","transcript":""}}',
    '{"type":"response.output_audio.delta","event_id":"e",' + audio,
    '{"type":"response.output_audio_transcript.delta","event_id":"e",' + audio,
):
    decode(frame)
"""


def test_what_stands_before_the_first_word_is_made_before_it_comes() -> None:
    """In a process of its own: in this one all has been made long since."""
    run = subprocess.run([sys.executable, "-c", FIRST_ANSWER], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
