"""Responses: their order of events, what they are made of, and how they end."""

import base64
from itertools import pairwise
from typing import Any

import pytest

from rtassist.protocol import FunctionTool, ResponseCancel
from rtassist.server.outside import (
    Abandon,
    Speak,
    SpeechOver,
    Spoke,
    Think,
    Thought,
    ThoughtOver,
    Transcribed,
)
from rtassist.server.parts import Call, Say, Transcript
from tests.server.desk import Desk, broke
from tests.server.sounds import tone

WEATHER = {"type": "function", "name": "get_weather", "parameters": {"type": "object", "properties": {}}}


def types(frames: list[dict[str, Any]]) -> list[str]:
    """The order of event types, runs of deltas as one."""
    names = [frame["type"] for frame in frames]
    return [name for name, before in zip(names, [None, *names], strict=False) if name != before]


def test_a_session_begins_with_all_that_is_in_force() -> None:
    desk = Desk()
    session = desk.judge.only("session.created")["session"]
    assert session["object"] == "realtime.session"
    assert session["model"] == "gpt-realtime-2.1"
    assert session["expires_at"] == 1_800_003_600
    assert session["audio"]["input"]["turn_detection"] == {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 500,
        "idle_timeout_ms": None,
        "create_response": True,
        "interrupt_response": True,
    }
    assert session["audio"]["output"] == {
        "format": {"type": "audio/pcm", "rate": 24000},
        "voice": "marin",
        "speed": 1.0,
    }
    assert {name: session[name] for name in ("tracing", "prompt", "include", "tools")} == {
        "tracing": None,
        "prompt": None,
        "include": None,
        "tools": [],
    }


def test_a_text_response_in_order() -> None:
    desk = Desk()
    desk.update(output_modalities=["text"])
    desk.text("Hello")
    desk.answers = [[Say(text="Hello to"), Say(text=" you.")]]
    assert types(desk.send("response.create")) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    deltas = [frame["delta"] for frame in desk.judge.of("response.output_text.delta")]
    assert "".join(deltas) == desk.judge.only("response.output_text.done")["text"] == "Hello to you."
    assert len(deltas) == 3
    response = desk.judge.only("response.done")["response"]
    assert response["status"] == "completed"
    assert response["status_details"] is None
    assert response["conversation_id"] == "conv_2"


def test_an_audio_response_in_order_with_words_before_their_sound() -> None:
    desk = Desk()
    desk.answers = [[Say(text="One two three. Four five six.")]]
    frames = desk.send("response.create")
    assert types(frames) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    done = desk.judge.only("response.done")["response"]
    assert done["output"][0]["content"] == [
        {"type": "output_audio", "transcript": "One two three. Four five six."}
    ]
    sound = b"".join(base64.b64decode(f["delta"]) for f in desk.judge.of("response.output_audio.delta"))
    # 10 ms for each character, the sentences without the spaces around them.
    assert len(sound) == (14 + 14) * 10 * 48


def test_deltas_of_sound_are_small_at_first_and_then_200_ms() -> None:
    desk = Desk()
    desk.speech = False
    desk.answers = [[Say(text="Long.")]]
    desk.send("response.create")
    id = desk.pending(Speak).response_id
    for _ in range(200):
        desk.report(Spoke(response_id=id, pcm=tone(10)))
    desk.report(SpeechOver(response_id=id))
    sizes = [len(base64.b64decode(f["delta"])) // 48 for f in desk.judge.of("response.output_audio.delta")]
    assert sizes == [40, *[200] * 9, 160]


def test_sentences_are_spoken_as_soon_as_they_are_whole() -> None:
    desk = Desk()
    desk.speech = False
    desk.send("response.create")
    id = desk.pending(Think).response_id
    said = ["It is", " 3.", "14", " or so. And", " more"]
    spoken = []
    for text in said:
        desk.report(Thought(response_id=id, piece=Say(text=text)))
        while any(isinstance(request, Speak) for request in desk.asked):
            spoken.append(desk.pending(Speak).text)
            desk.report(SpeechOver(response_id=id))
    assert spoken == ["It is 3.14 or so."]
    desk.report(ThoughtOver(response_id=id))
    assert desk.pending(Speak).text == "And more"
    desk.report(SpeechOver(response_id=id))
    assert (
        desk.judge.only("response.output_audio_transcript.done")["transcript"] == "It is 3.14 or so. And more"
    )


def test_an_answer_of_nothing_has_no_items() -> None:
    desk = Desk()
    desk.answers = [[Say(text=" "), Say(text="")]]
    assert types(desk.send("response.create")) == ["response.created", "response.done", "rate_limits.updated"]
    assert desk.judge.only("response.done")["response"]["output"] == []


def test_an_empty_piece_of_text_opens_no_item() -> None:
    desk = Desk()
    desk.update(output_modalities=["text"])
    desk.answers = [[Say(text="")]]
    assert "response.output_item.added" not in types(desk.send("response.create"))


def test_parallel_function_calls_behind_text() -> None:
    desk = Desk()
    desk.update(output_modalities=["text"], tools=[WEATHER])
    desk.answers = [
        [
            Say(text="Let me see."),
            Call(name="get_weather", arguments='{"city": "London", "unit": "celsius"}'),
            Call(name="get_weather", arguments="{}"),
        ]
    ]
    frames = desk.send("response.create")
    assert types(frames)[4:] == [
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    first, second = desk.judge.of("response.function_call_arguments.done")
    assert first["name"] == "get_weather"
    assert (first["output_index"], second["output_index"]) == (1, 2)
    assert first["call_id"] != second["call_id"]
    deltas = [
        frame["delta"]
        for frame in desk.judge.of("response.function_call_arguments.delta")
        if frame["item_id"] == first["item_id"]
    ]
    assert "".join(deltas) == first["arguments"] == '{"city": "London", "unit": "celsius"}'
    assert len(deltas) > 1


def test_one_call_at_a_time_where_the_client_wants_it() -> None:
    desk = Desk()
    desk.update(output_modalities=["text"], tools=[WEATHER], parallel_tool_calls=False)
    desk.answers = [[Call(name="get_weather", arguments="{}"), Call(name="get_weather", arguments="{}")]]
    desk.send("response.create")
    assert len(desk.judge.of("response.function_call_arguments.done")) == 1
    assert desk.judge.only("response.done")["response"]["status"] == "completed"


@pytest.mark.parametrize("interleave", [False, True])
def test_a_call_waits_for_the_speech_before_it_unless_items_interleave(interleave: bool) -> None:
    desk = Desk(interleave=interleave)
    desk.update(tools=[WEATHER])
    desk.speech = False
    desk.answers = [[Say(text="One moment."), Call(name="get_weather", arguments="{}")]]
    desk.send("response.create")
    assert ("response.function_call_arguments.done" in desk.judge.types()) is interleave
    id = desk.pending(Speak).response_id
    desk.report(Spoke(response_id=id, pcm=tone(300)))
    desk.report(SpeechOver(response_id=id))
    output = desk.judge.only("response.done")["response"]["output"]
    assert [item["type"] for item in output] == ["message", "function_call"]
    assert {item["status"] for item in output} == {"completed"}


def test_the_output_of_a_call_is_told_when_its_response_is_done() -> None:
    desk = Desk()
    desk.update(output_modalities=["text"], tools=[WEATHER])
    desk.send("response.create")
    desk.think(Call(name="get_weather", arguments="{}"), over=False)
    call_id = desk.judge.only("response.function_call_arguments.done")["call_id"]
    output = {"type": "function_call_output", "id": "out", "call_id": call_id, "output": "Foggy."}
    assert desk.send("conversation.item.create", item=output) == []
    assert desk.error(desk.send("conversation.item.create", item=output))["code"] == "invalid_value"
    frames = desk.report(ThoughtOver(response_id=desk.thoughts[-1].response_id))
    assert types(frames) == [
        "response.done",
        "rate_limits.updated",
        "conversation.item.added",
        "conversation.item.done",
    ]
    assert frames[-1]["item"] == output
    desk.send("response.create")
    assert [item.type for item in desk.thoughts[-1].items] == ["function_call", "function_call_output"]


def test_an_output_may_lose_the_item_that_it_was_to_follow() -> None:
    desk = Desk()
    desk.update(output_modalities=["text"], tools=[WEATHER])
    before = desk.text("Hello")[0]["item"]["id"]
    desk.send("response.create")
    desk.think(Call(name="get_weather", arguments="{}"), over=False)
    call_id = desk.judge.only("response.function_call_arguments.done")["call_id"]
    output = {"type": "function_call_output", "call_id": call_id, "output": "Foggy."}
    desk.send("conversation.item.create", item=output, previous_item_id=before)
    desk.send("conversation.item.delete", item_id=before)
    frames = desk.report(ThoughtOver(response_id=desk.thoughts[-1].response_id))
    assert frames[-1]["previous_item_id"] == desk.judge.of("conversation.item.added")[1]["item"]["id"]


def test_the_thinker_gets_history_instructions_and_tools() -> None:
    desk = Desk()
    desk.update(instructions="Be kind.", tools=[WEATHER], tool_choice="required", output_modalities=["text"])
    desk.text("Hello")
    desk.answers = [[Say(text="Hi.")]]
    desk.send("response.create")
    desk.text("And?")
    desk.send("response.create")
    think = desk.thoughts[-1]
    assert [item.role for item in think.items] == ["user", "assistant", "user"]  # type: ignore[union-attr]
    assert think.instructions == "Be kind."
    assert [tool.name for tool in think.tools if isinstance(tool, FunctionTool)] == ["get_weather"]
    assert think.tool_choice == "required"
    assert think.understood


def test_a_response_may_differ_from_the_session() -> None:
    desk = Desk()
    desk.update(tools=[WEATHER])
    desk.send(
        "response.create",
        response={
            "instructions": "",
            "output_modalities": ["text"],
            "tool_choice": "none",
            "max_output_tokens": 100,
            "metadata": {"topic": "a"},
            "audio": {"output": {"voice": {"id": "voice_1"}, "format": {"type": "audio/pcmu"}}},
        },
    )
    response = desk.judge.only("response.created")["response"]
    assert response["output_modalities"] == ["text"]
    assert response["max_output_tokens"] == 100
    assert response["metadata"] == {"topic": "a"}
    assert response["audio"]["output"] == {"voice": "voice_1", "format": {"type": "audio/pcmu"}}
    assert (desk.thoughts[-1].instructions, desk.thoughts[-1].tools) == ("", ())


def test_responses_outside_of_the_conversation_run_beside_it() -> None:
    desk = Desk()
    desk.update(output_modalities=["text"])
    first = desk.text("Hello")[0]["item"]["id"]
    desk.send("response.create")
    for topic in ("a", "b"):
        desk.send(
            "response.create",
            response={
                "conversation": "none",
                "metadata": {"topic": topic},
                "input": [
                    {"type": "item_reference", "id": first},
                    {
                        "type": "message",
                        "role": "user",
                        "content": [{"type": "input_text", "text": f"Sum up {topic}."}],
                    },
                ],
            },
        )
    assert [len(think.items) for think in desk.thoughts] == [1, 2, 2]
    added = len(desk.judge.of("conversation.item.added"))
    third = desk.judge.of("response.created")[-1]["response"]["id"]
    desk.report(Thought(response_id=third, piece=Say(text="B it is.")))
    desk.report(ThoughtOver(response_id=third))
    done = desk.judge.only("response.done")["response"]
    assert (done["id"], done["conversation_id"], done["metadata"]) == (third, None, {"topic": "b"})
    assert len(desk.judge.of("conversation.item.added")) == added
    second = desk.judge.of("response.created")[1]["response"]["id"]
    frames = desk.send("response.cancel", response_id=second)
    assert frames[0]["response"]["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
    assert frames[0]["response"]["id"] == second
    desk.think(Say(text="Done."))
    assert desk.judge.of("response.done")[-1]["response"]["conversation_id"] == "conv_2"
    assert desk.send("conversation.item.retrieve", item_id="item_x")[0]["type"] == "error"


def test_an_own_input_without_anything_is_no_context() -> None:
    desk = Desk()
    desk.text("Hello")
    desk.send("response.create", response={"input": []})
    assert desk.thoughts[-1].items == ()
    assert desk.judge.only("response.created")["response"]["conversation_id"] == "conv_2"


def test_audio_in_a_response_s_own_input_is_transcribed_and_told_to_nobody() -> None:
    desk = Desk()
    desk.update(audio={"input": {"transcription": {"model": "whisper-1", "language": "en"}}})
    content = [{"type": "input_audio", "audio": base64.b64encode(tone(300)).decode()}]
    desk.send(
        "response.create",
        response={
            "conversation": "none",
            "input": [{"type": "message", "role": "user", "id": "mine", "content": content}],
        },
    )
    assert desk.thoughts == []
    desk.report(Transcribed(item_id="mine", transcript=Transcript(text="hello", understood=False)))
    (think,) = desk.thoughts
    assert think.items[0].content[0].transcript == "hello"  # type: ignore[union-attr,index]
    assert not think.understood
    assert not any("transcription" in name for name in desk.judge.types())


def test_cancel_with_the_rest_left_open() -> None:
    desk = Desk()
    desk.speech = False
    desk.answers = [[Say(text="A long story. It has an end.")]]
    desk.send("response.create")
    id = desk.pending(Speak).response_id
    desk.report(Spoke(response_id=id, pcm=tone(250)))
    frames = desk.send("response.cancel", response_id=id)
    assert types(frames) == [
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    response = frames[-2]["response"]
    assert response["status"] == "cancelled"
    assert response["output"][0]["status"] == "incomplete"
    assert response["output"][0]["content"][0]["transcript"] == "A long story. "
    # What comes late finds nobody.
    for report in (
        Spoke(response_id=id, pcm=tone(100)),
        SpeechOver(response_id=id),
        Thought(response_id=id, piece=Say(text="x")),
        ThoughtOver(response_id=id),
        broke(id),
    ):
        assert desk.report(report) == []
    # 250 ms came, of which 200 ms were worth a delta.
    retrieved = desk.send("conversation.item.retrieve", item_id=response["output"][0]["id"])[0]
    assert len(base64.b64decode(retrieved["item"]["content"][0]["audio"])) == 200 * 48


def test_cancel_before_anything_was_thought() -> None:
    desk = Desk()
    desk.send("response.create")
    frames = desk.send("response.cancel")
    assert types(frames) == ["response.done", "rate_limits.updated"]
    assert frames[0]["response"]["output"] == []
    assert desk.asked == []
    desk.send("response.create")
    assert len(desk.judge.of("response.created")) == 2


@pytest.mark.parametrize("modality", ["text", "audio"])
def test_a_part_that_breaks_fails_the_response_and_nothing_else(modality: str) -> None:
    desk = Desk()
    desk.update(output_modalities=[modality])
    desk.speech = False
    desk.send("response.create")
    desk.think(Say(text="So far so good."), over=False)
    frames = desk.report(broke(desk.thoughts[-1].response_id))
    response = frames[-2]["response"]
    assert response["status"] == "failed"
    assert response["status_details"] == {
        "type": "failed",
        "error": {"type": "server_error", "code": "tts_failed", "message": "The voice is lost."},
    }
    assert response["output"][0]["status"] == "incomplete"
    desk.asked.clear()
    desk.speech = True
    desk.answers = [[Say(text="Again.")]]
    desk.send("response.create")
    assert desk.judge.of("response.done")[-1]["response"]["status"] == "completed"


def test_the_tokens_run_out_in_a_text() -> None:
    desk = Desk()
    desk.update(output_modalities=["text"], max_output_tokens=3)
    desk.answers = [[Say(text="12345678"), Say(text="90123456")]]
    frames = desk.send("response.create")
    response = frames[-2]["response"]
    assert response["status"] == "incomplete"
    assert response["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}
    assert response["output"][0]["content"][0]["text"] == "123456789012"
    assert response["usage"]["output_tokens"] == 3


def test_the_tokens_run_out_in_the_sound() -> None:
    desk = Desk()
    desk.update(max_output_tokens=10)
    desk.answers = [[Say(text="A sentence of 32 characters, eh.")]]
    response = desk.send("response.create")[-2]["response"]
    assert response["status"] == "incomplete"
    # 8 tokens of text leave 2 of sound: 100 ms.
    assert response["usage"]["output_token_details"] == {"text_tokens": 8, "audio_tokens": 2}
    sound = b"".join(base64.b64decode(f["delta"]) for f in desk.judge.of("response.output_audio.delta"))
    assert len(sound) == 100 * 48


def test_the_tokens_run_out_in_the_last_of_the_sound() -> None:
    desk = Desk()
    desk.update(max_output_tokens=2)
    desk.speech = False
    desk.answers = [[Say(text="Hm.")]]
    desk.send("response.create")
    id = desk.pending(Speak).response_id
    desk.report(Spoke(response_id=id, pcm=tone(250)))
    assert desk.judge.of("response.done")[-1]["response"]["status"] == "incomplete"
    desk = Desk()
    desk.update(max_output_tokens=2)
    desk.speech = False
    desk.answers = [[Say(text="Hm.")]]
    desk.send("response.create")
    id = desk.pending(Speak).response_id
    desk.report(Spoke(response_id=id, pcm=tone(40)))
    desk.report(Spoke(response_id=id, pcm=tone(30)))
    desk.report(SpeechOver(response_id=id))
    response = desk.judge.only("response.done")["response"]
    assert (response["status"], response["usage"]["output_token_details"]["audio_tokens"]) == (
        "incomplete",
        1,
    )


def test_the_tokens_run_out_before_a_sentence_is_spoken() -> None:
    desk = Desk()
    desk.update(max_output_tokens=2)
    desk.answers = [[Say(text="A sentence of 32 characters, eh.")]]
    response = desk.send("response.create")[-2]["response"]
    assert response["output"][0]["content"][0]["transcript"] == "A senten"
    assert response["usage"]["output_token_details"] == {"text_tokens": 2, "audio_tokens": 0}


def test_the_tokens_run_out_in_a_call() -> None:
    desk = Desk()
    desk.update(output_modalities=["text"], tools=[WEATHER], max_output_tokens=5)
    desk.answers = [[Call(name="get_weather", arguments='{"city": "Llanfairpwllgwyngyll"}')]]
    response = desk.send("response.create")[-2]["response"]
    (call,) = response["output"]
    assert (response["status"], call["status"]) == ("incomplete", "incomplete")
    assert call["arguments"] == '{"city": "Llanfairpw'


def test_usage_counts_the_whole_conversation_again() -> None:
    desk = Desk()
    desk.update(instructions="x" * 40)
    desk.said = ["what time is it"]
    desk.answers = [[Say(text="It is nine.")], [Say(text="Still.")]]
    desk.utter()
    first = desk.judge.only("response.done")["response"]["usage"]
    spoken_ms = desk.engine.history.find(desk.judge.only("input_audio_buffer.committed")["item_id"]).ms  # type: ignore[union-attr]
    # Ten tokens of instructions, one for each 100 ms heard; three of text and one for each 50 ms said.
    assert first["input_token_details"]["text_tokens"] == 10
    assert first["input_token_details"]["audio_tokens"] == -(-spoken_ms // 100)
    assert first["output_token_details"] == {"text_tokens": 3, "audio_tokens": 3}
    assert first["total_tokens"] == first["input_tokens"] + first["output_tokens"]
    desk.send("response.create")
    second = desk.judge.of("response.done")[1]["response"]["usage"]
    assert second["input_tokens"] == first["input_tokens"] + 3
    limits = desk.judge.of("rate_limits.updated")[1]["rate_limits"]
    assert limits[0]["remaining"] == 15_000_000 - second["total_tokens"]


def test_tools_and_calls_are_tokens_too() -> None:
    desk = Desk()
    desk.update(output_modalities=["text"], instructions="", tools=[WEATHER])
    desk.answers = [[Call(name="get_weather", arguments="{}")], [Say(text="Fog.")]]
    desk.send("response.create")
    call_id = desk.judge.only("response.function_call_arguments.done")["call_id"]
    output = {"type": "function_call_output", "call_id": call_id, "output": "12345678"}
    desk.send("conversation.item.create", item=output)
    desk.send("response.create")
    first, second = (frame["response"]["usage"] for frame in desk.judge.of("response.done"))
    assert first["output_tokens"] == 3 + 1
    assert second["input_tokens"] == first["input_tokens"] + 4 + 2


def test_a_seeded_answer_counts_as_text() -> None:
    desk = Desk()
    desk.update(output_modalities=["text"], instructions="")
    seeded = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "x" * 16}]}
    desk.send("conversation.item.create", item=seeded)
    desk.answers = [[Say(text="Hm.")]]
    desk.send("response.create")
    assert desk.judge.only("response.done")["response"]["usage"]["input_tokens"] == 4


def test_limits_are_not_told_where_they_are_switched_off() -> None:
    desk = Desk(rate_limits=False)
    desk.answers = [[Say(text="Hm.")]]
    assert desk.send("response.create")[-1]["type"] == "response.done"


def test_g711_goes_out_at_a_byte_a_sample() -> None:
    desk = Desk()
    desk.update(audio={"output": {"format": {"type": "audio/pcma"}}})
    desk.answers = [[Say(text="Twenty characters ok")]]
    desk.send("response.create")
    sound = b"".join(base64.b64decode(f["delta"]) for f in desk.judge.of("response.output_audio.delta"))
    assert len(sound) == 200 * 8
    id = desk.judge.only("response.done")["response"]["output"][0]["id"]
    retrieved = desk.send("conversation.item.retrieve", item_id=id)[0]["item"]["content"][0]
    assert len(base64.b64decode(retrieved["audio"])) == 200 * 8


def test_the_session_ends_when_its_time_is_up() -> None:
    desk = Desk(expires_after_s=120)
    desk.send("response.create")
    frames = desk.wait(120_000)
    assert frames[0]["error"]["code"] == "session_expired"
    assert desk.closed is not None
    assert (desk.closed.code, desk.closed.reason) == (1001, frames[0]["error"]["message"])
    assert "2 minutes" in desk.closed.reason
    assert desk.text("Anybody there?") == []


def test_the_same_inputs_give_the_same_frames() -> None:
    def run() -> list[dict[str, Any]]:
        desk = Desk()
        desk.said = ["one", "two"]
        desk.answers = [[Say(text="First. Second.")], [Say(text="Third.")]]
        desk.utter()
        desk.utter(300)
        return desk.judge.frames

    assert run() == run()


def test_time_and_ids_never_repeat() -> None:
    desk = Desk()
    desk.answers = [[Say(text="One. Two.")]] * 3
    for _ in range(3):
        desk.send("response.create")
    ids = [int(frame["event_id"].split("_")[1]) for frame in desk.judge.frames]
    assert all(before < after for before, after in pairwise(ids))


def test_abandon_follows_a_cancel() -> None:
    desk = Desk()
    desk.send("response.create")
    response_id = desk.thoughts[-1].response_id
    outputs = desk.engine.receive(ResponseCancel(), 0)
    assert Abandon(id=response_id) in outputs
