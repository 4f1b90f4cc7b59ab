"""Items that a client makes, asks for and takes away, and every refusal of a client event."""

import base64
import json
from typing import Any

import pytest

from rtassist.server.outside import Transcribed
from rtassist.server.parts import Call, Say, Transcript
from tests.server.desk import Desk
from tests.server.sounds import tone

PNG = "data:image/png;base64,iVBORw0KGgo="


def message(role: str, *content: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": list(content), **fields}


def test_items_are_told_back_with_id_and_status() -> None:
    desk = Desk()
    added, done = desk.text("Hello")
    assert (added["type"], done["type"]) == ("conversation.item.added", "conversation.item.done")
    assert added["item"] == done["item"]
    assert added["item"]["status"] == "completed"
    assert added["item"]["content"] == [{"type": "input_text", "text": "Hello"}]
    assert added["previous_item_id"] is None
    assert desk.text("Again")[0]["previous_item_id"] == added["item"]["id"]


@pytest.mark.parametrize(
    "item",
    [
        message("system", {"type": "input_text", "text": "Be kind."}, id="mine"),
        message("assistant", {"type": "output_text", "text": "I said this."}, status="completed"),
        message(
            "user",
            {"type": "input_text", "text": "a"},
            {"type": "input_image", "image_url": PNG, "detail": "low"},
        ),
        {"type": "function_call", "name": "f", "call_id": "call_1", "arguments": "{}"},
    ],
)
def test_history_can_be_seeded(item: dict[str, Any]) -> None:
    desk = Desk()
    told = desk.send("conversation.item.create", item=item)[1]["item"]
    assert {name: told[name] for name in item} == item
    retrieved = desk.send("conversation.item.retrieve", item_id=told["id"])[0]
    assert retrieved["type"] == "conversation.item.retrieved"
    assert retrieved["item"] == told
    desk.send("response.create")
    assert desk.thoughts[-1].items[0].id == told["id"]  # type: ignore[union-attr]


def test_the_type_of_a_content_part_may_be_left_out() -> None:
    desk = Desk()
    for item, type in [
        (message("system", {"text": "a"}), "input_text"),
        (message("user", {"text": "a"}), "input_text"),
        (message("user", {"image_url": PNG}), "input_image"),
        (message("user", {"audio": base64.b64encode(tone(100)).decode(), "transcript": "a"}), "input_audio"),
        (message("assistant", {"text": "a"}), "output_text"),
    ]:
        told = desk.send("conversation.item.create", item=item)[0]["item"]
        assert told["content"][0]["type"] == type


def test_audio_in_an_item_is_transcribed_and_kept() -> None:
    desk = Desk()
    desk.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
    audio = base64.b64encode(tone(300)).decode()
    parts = [{"type": "input_text", "text": "This:"}, {"type": "input_audio", "audio": audio}]
    item = desk.send("conversation.item.create", item=message("user", *parts))[0]["item"]
    assert item["content"][1] == {"type": "input_audio", "transcript": None}
    desk.report(Transcribed(item_id=item["id"], transcript=Transcript(text="hello", understood=True)))
    completed = desk.judge.only("conversation.item.input_audio_transcription.completed")
    assert (completed["content_index"], completed["transcript"]) == (1, "hello")
    retrieved = desk.send("conversation.item.retrieve", item_id=item["id"])[0]["item"]
    assert retrieved["content"][1] == {"type": "input_audio", "audio": audio, "transcript": "hello"}


def test_the_words_of_sound_in_two_parts_are_told_once() -> None:
    desk = Desk()
    part = {"type": "input_audio", "audio": base64.b64encode(tone(100)).decode()}
    item = desk.send("conversation.item.create", item=message("user", part, part))[0]["item"]
    desk.report(Transcribed(item_id=item["id"], transcript=Transcript(text="hello", understood=True)))
    told = desk.send("conversation.item.retrieve", item_id=item["id"])[0]["item"]["content"]
    assert [part["transcript"] for part in told] == ["hello", ""]


def test_audio_with_a_transcript_is_taken_at_its_word() -> None:
    desk = Desk()
    part = {"type": "input_audio", "audio": base64.b64encode(tone(300)).decode(), "transcript": "hello"}
    item = desk.send("conversation.item.create", item=message("user", part))[0]["item"]
    assert item["content"][0]["transcript"] == "hello"
    assert desk.asked == []


def test_g711_in_an_item() -> None:
    desk = Desk()
    desk.update(audio={"input": {"format": {"type": "audio/pcma"}}})
    part = {"type": "input_audio", "audio": base64.b64encode(bytes(800)).decode(), "transcript": "hello"}
    item = desk.send("conversation.item.create", item=message("user", part))[0]["item"]
    assert desk.engine.history.find(item["id"]).ms == 100  # type: ignore[union-attr]


def test_items_go_where_the_client_wants_them() -> None:
    desk = Desk()
    one, two = (desk.text(text)[0]["item"]["id"] for text in ("one", "two"))
    item = message("user", {"type": "input_text", "text": "three"})
    assert (
        desk.send("conversation.item.create", item=item, previous_item_id="root")[0]["previous_item_id"]
        is None
    )
    middle = desk.send("conversation.item.create", item=item, previous_item_id=one)[0]
    assert middle["previous_item_id"] == one
    error = desk.error(desk.send("conversation.item.create", item=item, previous_item_id="nowhere"))
    assert (error["code"], error["param"]) == ("invalid_value", "previous_item_id")
    assert [held.id for held in desk.engine.history][1:] == [one, middle["item"]["id"], two]


def test_items_can_be_deleted() -> None:
    desk = Desk()
    id = desk.text("Hello")[0]["item"]["id"]
    assert desk.send("conversation.item.delete", item_id=id)[0] == {
        "type": "conversation.item.deleted",
        "event_id": desk.judge.frames[-1]["event_id"],
        "item_id": id,
    }
    for verb in ("delete", "retrieve"):
        error = desk.error(desk.send(f"conversation.item.{verb}", item_id=id))
        assert error["code"] == f"item_{verb}_invalid_item_id"
        assert id in error["message"]


def test_the_oldest_item_is_forgotten_when_there_are_too_many() -> None:
    desk = Desk(max_items=2)
    ids = [desk.text(text)[0]["item"]["id"] for text in ("one", "two", "three")]
    assert [held.id for held in desk.engine.history] == ids[1:]
    item = message("user", {"type": "input_text", "text": "first"})
    first = desk.send("conversation.item.create", item=item, previous_item_id="root")[0]["item"]["id"]
    assert [held.id for held in desk.engine.history] == [first, ids[2]]


TEXT = {"type": "input_text", "text": "a"}
REFUSED_ITEMS: list[tuple[dict[str, Any], str, str]] = [
    ({"type": "message", "role": "user"}, "missing_required_parameter", "item.content"),
    (message("user"), "missing_required_parameter", "item.content"),
    ({"type": "message", "content": [TEXT]}, "missing_required_parameter", "item.role"),
    (message("tool", TEXT), "invalid_value", "item.role"),
    ({"content": [TEXT]}, "missing_required_parameter", "item.type"),
    ({"type": "poem"}, "invalid_value", "item.type"),
    ({"type": "item_reference", "id": "item_1"}, "invalid_value", "item.type"),
    (message("user", TEXT, mood="good"), "unknown_parameter", "item.mood"),
    (message("user", {**TEXT, "bold": True}), "unknown_parameter", "item.content[0].bold"),
    (message("user", TEXT, id="x" * 33), "invalid_value", "item.id"),
    (message("user", TEXT, id=""), "invalid_value", "item.id"),
    (message("user", TEXT, status="done"), "invalid_value", "item.status"),
    (message("user", {"type": "text", "text": "a"}), "invalid_value", "item.content[0].type"),
    (message("user", {"type": "input_text"}), "missing_required_parameter", "item.content[0].text"),
    (message("user", {"type": "input_audio"}), "missing_required_parameter", "item.content[0].audio"),
    (message("user", {"type": "input_audio", "audio": "*"}), "invalid_value", "item.content[0].audio"),
    (message("user", {"type": "input_image"}), "missing_required_parameter", "item.content[0].image_url"),
    (
        message("user", {"type": "input_image", "image_url": "https://example.org/a.png"}),
        "invalid_value",
        "item.content[0].image_url",
    ),
    (
        message("user", {"type": "input_image", "image_url": PNG, "detail": "fine"}),
        "invalid_value",
        "item.content[0].detail",
    ),
    (message("system", {"type": "input_audio"}), "invalid_value", "item.content[0].type"),
    (message("assistant", {"type": "text", "text": "a"}), "invalid_value", "item.content[0].type"),
    (message("assistant", {"audio": "AAAA"}), "unsupported_content_type", "item.content[0].type"),
    (
        message("assistant", {"type": "output_audio", "transcript": "a"}),
        "unsupported_content_type",
        "item.content[0].type",
    ),
    ({"type": "function_call", "name": "f", "arguments": "{}"}, "missing_required_parameter", "item.call_id"),
    ({"type": "function_call", "name": "f", "call_id": "c"}, "missing_required_parameter", "item.arguments"),
    (
        {"type": "function_call", "name": "f", "call_id": "a b", "arguments": "{}"},
        "invalid_value",
        "item.call_id",
    ),
    (
        {"type": "function_call_output", "call_id": "call_9", "output": ""},
        "invalid_tool_call_id",
        "item.call_id",
    ),
    ({"type": "function_call_output", "output": ""}, "missing_required_parameter", "item.call_id"),
    (
        {"type": "mcp_approval_response", "id": "a", "approval_request_id": "r", "approve": True},
        "invalid_value",
        "item.approval_request_id",
    ),
    ({"type": "mcp_list_tools", "server_label": "s", "tools": []}, "invalid_value", "item.type"),
]


@pytest.mark.parametrize(("item", "code", "param"), REFUSED_ITEMS, ids=lambda value: str(value)[:60])
def test_refused_items(item: dict[str, Any], code: str, param: str) -> None:
    desk = Desk()
    error = desk.error(desk.send("conversation.item.create", item=item, event_id="mine"))
    assert (error["code"], error["param"], error["event_id"]) == (code, param, "mine")
    assert error["type"] == "invalid_request_error"
    assert desk.engine.history.last is None


def test_an_id_may_not_come_twice() -> None:
    desk = Desk()
    item = message("user", TEXT, id="mine")
    desk.send("conversation.item.create", item=item)
    error = desk.error(desk.send("conversation.item.create", item=item))
    assert (error["code"], error["param"]) == ("invalid_value", "item.id")


REFUSED_FRAMES = [
    ("{", "invalid_event", None, None),
    ("[]", "invalid_event", None, None),
    ('{"event_id": "mine"}', None, None, "mine"),
    ('{"type": "session.upgrade", "event_id": "mine"}', "invalid_value", "type", "mine"),
    (
        '{"type": "response.cancel", "urgent": true, "event_id": "mine"}',
        "unknown_parameter",
        "urgent",
        "mine",
    ),
    ('{"type": "response.cancel", "event_id": "' + "x" * 513 + '"}', "invalid_value", "event_id", "x" * 513),
    ('{"type": "input_audio_buffer.append", "event_id": "m"}', "missing_required_parameter", "audio", "m"),
    ('{"type": "input_audio_buffer.append", "audio": "*"}', "invalid_value", "audio", None),
    ('{"type": "input_audio_buffer.append", "audio": 5}', "invalid_value", "audio", None),
    ('{"type": "conversation.item.create"}', "missing_required_parameter", "item", None),
    ('{"type": "conversation.item.delete"}', "missing_required_parameter", "item_id", None),
    (
        '{"type": "conversation.item.truncate", "item_id": "a", "content_index": 0}',
        "missing_required_parameter",
        "audio_end_ms",
        None,
    ),
    ('{"type": "session.update"}', "missing_required_parameter", "session", None),
    ('{"type": "output_audio_buffer.clear"}', "invalid_event", "type", None),
]


@pytest.mark.parametrize(
    ("frame", "code", "param", "event_id"), REFUSED_FRAMES, ids=lambda value: str(value)[:50]
)
def test_refused_frames(frame: str, code: str | None, param: str | None, event_id: str | None) -> None:
    desk = Desk()
    error = desk.error(desk.send_frame(frame))
    if code is not None:
        assert error["code"] == code
        assert error["param"] == param
    assert error["event_id"] == event_id
    assert error["message"]


REFUSED_RESPONSES: list[tuple[dict[str, Any], str, str | None]] = [
    ({"output_modalities": ["text", "audio"]}, "invalid_value", "response.output_modalities"),
    ({"output_modalities": []}, "invalid_value", "response.output_modalities"),
    ({"max_output_tokens": 0}, "invalid_value", "response.max_output_tokens"),
    ({"max_output_tokens": 4097}, "invalid_value", "response.max_output_tokens"),
    ({"max_output_tokens": "all"}, "invalid_value", "response.max_output_tokens"),
    ({"conversation": "other"}, "invalid_value", "response.conversation"),
    ({"metadata": {str(n): "" for n in range(17)}}, "invalid_value", "response.metadata"),
    ({"metadata": {"k" * 65: ""}}, "invalid_value", "response.metadata." + "k" * 65),
    ({"metadata": {"k": "v" * 513}}, "invalid_value", "response.metadata.k"),
    ({"temperature": 0.8}, "unknown_parameter", "response.temperature"),
    ({"audio": {"output": {"speed": 1.2}}}, "unknown_parameter", "response.audio.output.speed"),
    ({"audio": {"output": {"voice": ""}}}, "invalid_value", "response.audio.output.voice"),
    (
        {"audio": {"output": {"format": {"type": "mp3"}}}},
        "invalid_value",
        "response.audio.output.format.type",
    ),
    ({"input": [{"type": "item_reference", "id": "x"}]}, "invalid_value", "response.input[0].id"),
    ({"input": [message("user")]}, "missing_required_parameter", "response.input[0].content"),
    ({"tools": [{"type": "function"}]}, "missing_required_parameter", "response.tools[0].name"),
    ({"tools": [{"type": "function", "name": "a b"}]}, "invalid_value", "response.tools[0].name"),
    ({"tools": [{"type": "web"}]}, "invalid_value", "response.tools[0].type"),
    ({"tool_choice": "maybe"}, "invalid_value", "response.tool_choice"),
    ({"tool_choice": {"type": "function", "name": "f"}}, "invalid_value", "response.tool_choice.name"),
    ({"tool_choice": {"type": "custom"}}, "invalid_value", "response.tool_choice.type"),
    ({"reasoning": {"effort": "some"}}, "invalid_value", "response.reasoning.effort"),
]


@pytest.mark.parametrize(("params", "code", "param"), REFUSED_RESPONSES, ids=lambda value: str(value)[:50])
def test_refused_responses(params: dict[str, Any], code: str, param: str | None) -> None:
    desk = Desk()
    error = desk.error(desk.send("response.create", response=params, event_id="mine"))
    assert (error["code"], error["param"], error["event_id"]) == (code, param, "mine")
    # Nothing began, so the next one may.
    desk.send("response.create", response={"conversation": "auto"})
    assert desk.judge.of("response.created")


def test_one_response_at_a_time() -> None:
    desk = Desk()
    desk.send("response.create")
    id = desk.judge.only("response.created")["response"]["id"]
    error = desk.error(desk.send("response.create", event_id="mine"))
    assert error["code"] == "conversation_already_has_active_response"
    assert id in error["message"]
    assert error["event_id"] == "mine"
    desk.think(Say(text="Now."))
    assert desk.send("response.create")[0]["type"] == "response.created"


@pytest.mark.parametrize("fields", [{}, {"response_id": "resp_0"}])
def test_nothing_to_cancel(fields: dict[str, str]) -> None:
    desk = Desk()
    error = desk.error(desk.send("response.cancel", **fields))
    assert error["code"] == "response_cancel_not_active"
    desk.answers = [[Say(text="Hm.")]]
    desk.send("response.create")
    id = desk.judge.only("response.created")["response"]["id"]
    assert desk.error(desk.send("response.cancel", response_id=id))["code"] == "response_cancel_not_active"


def test_the_voice_stays_once_it_was_heard() -> None:
    desk = Desk()
    desk.update(audio={"output": {"voice": "cedar"}})
    desk.answers = [[Say(text="Hello.")], [Say(text="Again.")]]
    desk.send("response.create", response={"audio": {"output": {"voice": "cedar"}}})
    for frames in (
        desk.update(instructions="Changed.", audio={"output": {"voice": "ash"}}),
        desk.send("response.create", response={"audio": {"output": {"voice": "ash"}}}),
    ):
        assert desk.error(frames)["code"] == "cannot_update_voice"
    assert desk.engine.session.instructions == "Be brief."  # type: ignore[union-attr]
    assert desk.update(audio={"output": {"voice": "cedar"}})[0]["type"] == "session.updated"


def test_calls_are_remembered_as_long_as_their_items() -> None:
    desk = Desk()
    desk.update(output_modalities=["text"])
    desk.answers = [[Call(name="f", arguments="{}")]]
    desk.send("response.create")
    call = desk.judge.only("response.function_call_arguments.done")
    desk.send("conversation.item.delete", item_id=call["item_id"])
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": json.dumps(1)}
    error = desk.error(desk.send("conversation.item.create", item=output))
    assert error["code"] == "invalid_tool_call_id"
    assert error["message"] == f"Tool call ID '{call['call_id']}' not found in conversation."
