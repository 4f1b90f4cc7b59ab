"""`session.update`: merging, clearing, and refusing as a whole."""

from typing import Any

import pytest

from tests.server.desk import Desk

VAD = {"type": "server_vad", "threshold": 0.7, "silence_duration_ms": 300, "idle_timeout_ms": 6000}


def told(desk: Desk, **session: Any) -> dict[str, Any]:
    (frame,) = desk.update(**session)
    assert frame["type"] == "session.updated"
    session_: dict[str, Any] = frame["session"]
    return session_


def test_absent_is_kept() -> None:
    desk = Desk()
    before = desk.judge.only("session.created")["session"]
    assert told(desk) == before
    session = told(desk, audio={"input": {"turn_detection": VAD}})
    assert session["audio"]["input"]["turn_detection"]["threshold"] == 0.7
    assert session["audio"]["input"]["turn_detection"]["prefix_padding_ms"] == 300
    assert session["audio"]["output"] == before["audio"]["output"]
    session = told(
        desk, audio={"input": {"turn_detection": {"type": "server_vad", "create_response": False}}}
    )
    assert session["audio"]["input"]["turn_detection"] == VAD | {
        "prefix_padding_ms": 300,
        "create_response": False,
        "interrupt_response": True,
    }


def test_null_clears() -> None:
    desk = Desk()
    told(
        desk,
        instructions="Sing.",
        tools=[{"type": "function", "name": "f"}],
        tool_choice="required",
        output_modalities=["text"],
        max_output_tokens=100,
        truncation={"type": "retention_ratio", "retention_ratio": 0.5},
        tracing="auto",
        include=["item.input_audio_transcription.logprobs"],
        audio={
            "input": {
                "turn_detection": VAD,
                "transcription": {"model": "whisper-1", "language": "de"},
                "noise_reduction": {"type": "far_field", "strength": 0.5},
                "format": {"type": "audio/pcmu"},
            },
            "output": {"voice": "ash", "speed": 1.2, "format": {"type": "audio/pcma"}},
        },
    )
    session = told(
        desk,
        instructions=None,
        tools=None,
        tool_choice=None,
        output_modalities=None,
        max_output_tokens=None,
        truncation=None,
        tracing=None,
        include=None,
        prompt=None,
        audio={
            "input": {"turn_detection": None, "transcription": None, "noise_reduction": None, "format": None},
            "output": {"voice": None, "speed": None, "format": None},
        },
    )
    input = session["audio"]["input"]
    assert (input["turn_detection"], input["transcription"], input["noise_reduction"]) == (None, None, None)
    assert (session["instructions"], session["tools"], session["tool_choice"]) == ("", [], "auto")
    assert (session["output_modalities"], session["max_output_tokens"]) == (["audio"], "inf")
    assert (session["truncation"], session["tracing"], session["include"]) == ("auto", None, None)
    assert input["format"] == {"type": "audio/pcm", "rate": 24000}
    assert session["audio"]["output"] == {
        "voice": "marin",
        "speed": 1.0,
        "format": {"type": "audio/pcm", "rate": 24000},
    }
    # Once more: what is off can be switched off.
    assert told(desk, audio={"input": {"turn_detection": None, "transcription": None}}) == session
    assert told(desk, audio=None) == session


def test_null_within_an_object_is_its_default() -> None:
    desk = Desk()
    told(desk, audio={"input": {"turn_detection": VAD}})
    off = {"type": "server_vad", "threshold": None, "silence_duration_ms": None, "idle_timeout_ms": None}
    detection = told(desk, audio={"input": {"turn_detection": off}})["audio"]["input"]["turn_detection"]
    assert (detection["threshold"], detection["silence_duration_ms"]) == (0.5, 500)
    assert detection["idle_timeout_ms"] is None


def test_another_kind_of_detection_begins_with_its_defaults() -> None:
    desk = Desk()
    semantic = {"type": "semantic_vad", "create_response": False}
    session = told(desk, audio={"input": {"turn_detection": semantic}})
    assert session["audio"]["input"]["turn_detection"] == semantic | {
        "eagerness": "auto",
        "interrupt_response": True,
    }
    high = told(desk, audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "high"}}})
    assert high["audio"]["input"]["turn_detection"]["create_response"] is False
    server = told(desk, audio={"input": {"turn_detection": {"type": "server_vad"}}})
    assert server["audio"]["input"]["turn_detection"]["create_response"] is True


def test_transcription_fills_in_what_was_not_said() -> None:
    desk = Desk()
    session = told(desk, audio={"input": {"transcription": {"model": "whisper-1"}}})
    assert session["audio"]["input"]["transcription"] == {
        "model": "whisper-1",
        "language": None,
        "prompt": None,
    }
    session = told(desk, audio={"input": {"transcription": {"language": "de"}}})
    assert session["audio"]["input"]["transcription"]["model"] == "whisper-1"
    assert session["audio"]["input"]["transcription"]["language"] == "de"


def test_pcm_may_be_asked_for_with_or_without_its_rate() -> None:
    desk = Desk()
    told(desk, audio={"input": {"format": {"type": "audio/pcmu"}}})
    for format in ({"type": "audio/pcm"}, {"type": "audio/pcm", "rate": 24000}):
        session = told(desk, audio={"input": {"format": format}})
        assert session["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24000}


def test_noise_reduction_keeps_its_strength() -> None:
    desk = Desk()
    told(desk, audio={"input": {"noise_reduction": {"type": "far_field", "strength": 0.5}}})
    session = told(desk, audio={"input": {"noise_reduction": {"type": "near_field"}}})
    assert session["audio"]["input"]["noise_reduction"] == {"type": "near_field", "strength": 0.5}


def test_everything_else_that_can_be_set() -> None:
    desk = Desk()
    wanted: dict[str, Any] = {
        "reasoning": {"effort": "low"},
        "parallel_tool_calls": False,
        "tracing": {"workflow_name": "w", "metadata": {"a": 1}},
        "truncation": "disabled",
        "prompt": {"id": "pmpt_1", "variables": {"name": "x"}},
        "max_output_tokens": 4096,
        "tools": [{"type": "function", "name": "f", "description": "d", "parameters": {"any": {"thing": 1}}}],
        "tool_choice": {"type": "function", "name": "f"},
        "model": "gpt-realtime-2.1",
    }
    session = told(desk, **wanted)
    assert {name: session[name] for name in wanted} == wanted


def test_an_mcp_server_is_taken_and_said_not_to_be_listed() -> None:
    desk = Desk()
    mcp = {"type": "mcp", "server_label": "docs", "server_url": "https://example.org/mcp"}
    frames = desk.update(tools=[mcp])
    assert [frame["type"] for frame in frames] == [
        "session.updated",
        "mcp_list_tools.in_progress",
        "mcp_list_tools.failed",
    ]
    assert frames[1]["item_id"] == frames[2]["item_id"]
    assert len(desk.update(tools=[mcp], tool_choice={"type": "mcp", "server_label": "docs"})) == 1
    desk.send("response.create")
    assert desk.thoughts[-1].tools[0].type == "mcp"


def audio_input(**fields: Any) -> dict[str, Any]:
    return {"audio": {"input": fields}}


def audio_output(**fields: Any) -> dict[str, Any]:
    return {"audio": {"output": fields}}


def detection(**fields: Any) -> dict[str, Any]:
    return audio_input(turn_detection={"type": "server_vad", **fields})


IN, OUT = "session.audio.input", "session.audio.output"
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"temperature": 0.8}, "unknown_parameter", "session.temperature"),
    ({"audio": {"loud": True}}, "unknown_parameter", "session.audio.loud"),
    (detection(patience=1), "unknown_parameter", f"{IN}.turn_detection.patience"),
    (
        {"tools": [{"type": "function", "name": "f", "strict": True}]},
        "unknown_parameter",
        "session.tools[0].strict",
    ),
    ({"id": "sess_1"}, "unknown_parameter", "session.id"),
    ({"expires_at": 1}, "unknown_parameter", "session.expires_at"),
    ({"model": "gpt-realtime"}, "invalid_parameter", "session.model"),
    ({"output_modalities": ["audio", "text"]}, "invalid_value", "session.output_modalities"),
    ({"max_output_tokens": 5000}, "invalid_value", "session.max_output_tokens"),
    ({"tool_choice": "never"}, "invalid_value", "session.tool_choice"),
    ({"tool_choice": {"type": "function", "name": "f"}}, "invalid_value", "session.tool_choice.name"),
    ({"tools": [{"type": "mcp"}]}, "missing_required_parameter", "session.tools[0].server_label"),
    ({"truncation": "some"}, "invalid_value", "session.truncation"),
    ({"truncation": {"type": "half"}}, "invalid_value", "session.truncation.type"),
    (
        {"truncation": {"type": "retention_ratio", "retention_ratio": 2}},
        "invalid_value",
        "session.truncation.retention_ratio",
    ),
    ({"tracing": "on"}, "invalid_value", "session.tracing"),
    ({"include": ["all"]}, "invalid_value", "session.include[0]"),
    ({"reasoning": {"effort": "max"}}, "invalid_value", "session.reasoning.effort"),
    (detection(threshold=1.5), "invalid_value", f"{IN}.turn_detection.threshold"),
    (detection(prefix_padding_ms=-1), "invalid_value", f"{IN}.turn_detection.prefix_padding_ms"),
    (detection(silence_duration_ms=99_999), "invalid_value", f"{IN}.turn_detection.silence_duration_ms"),
    (detection(idle_timeout_ms=4999), "invalid_value", f"{IN}.turn_detection.idle_timeout_ms"),
    (audio_input(turn_detection={"type": "none"}), "invalid_value", f"{IN}.turn_detection.type"),
    (
        audio_input(turn_detection={"threshold": 0.5}),
        "missing_required_parameter",
        f"{IN}.turn_detection.type",
    ),
    (
        audio_input(turn_detection={"type": "semantic_vad", "eagerness": "wild"}),
        "invalid_value",
        f"{IN}.turn_detection.eagerness",
    ),
    (audio_input(noise_reduction={"type": "both"}), "invalid_value", f"{IN}.noise_reduction.type"),
    (audio_input(noise_reduction={"strength": 2.0}), "invalid_value", f"{IN}.noise_reduction.strength"),
    (audio_input(format={"type": "audio/opus"}), "invalid_value", f"{IN}.format.type"),
    (audio_input(format={"rate": 24000}), "missing_required_parameter", f"{IN}.format.type"),
    (audio_input(format={"type": "audio/pcm", "rate": 16000}), "invalid_value", f"{IN}.format.rate"),
    (audio_output(format={"type": "mp3"}), "invalid_value", f"{OUT}.format.type"),
    (audio_output(speed=2.0), "invalid_value", f"{OUT}.speed"),
    (audio_output(voice="v" * 65), "invalid_value", f"{OUT}.voice"),
    ({"instructions": 5}, "invalid_value", "session.instructions"),
]


@pytest.mark.parametrize(("session", "code", "param"), REFUSED, ids=lambda value: str(value)[:60])
def test_an_update_is_refused_as_a_whole(session: dict[str, Any], code: str, param: str) -> None:
    desk = Desk()
    before = desk.engine.session
    # The good half comes first and may not take effect.
    changes = {"instructions": "Changed."} | session
    error = desk.error(desk.send("session.update", session={"type": "realtime", **changes}, event_id="mine"))
    assert (error["code"], error["param"], error["event_id"]) == (code, param, "mine")
    assert desk.engine.session == before


@pytest.mark.parametrize("session", [{}, {"instructions": "Sing."}, {"type": None}])
def test_the_type_of_a_session_has_to_be_said(session: dict[str, Any]) -> None:
    error = Desk().send("session.update", session=session)
    assert Desk().error(error)["code"] == "missing_required_parameter"
    assert error[0]["error"]["param"] == "session.type"


@pytest.mark.parametrize(
    ("kind", "type", "code"),
    [
        ("realtime", "transcription", "invalid_parameter"),
        ("transcription", "realtime", "invalid_parameter"),
        ("realtime", "translation", "invalid_value"),
    ],
)
def test_the_type_of_a_session_cannot_be_changed(kind: str, type: str, code: str) -> None:
    error = Desk(kind=kind).send("session.update", session={"type": type})[0]["error"]
    assert (error["code"], error["param"]) == (code, "session.type")


@pytest.mark.parametrize(
    ("session", "param"),
    [
        ({"instructions": "Sing."}, "session.instructions"),
        ({"audio": {"output": {"voice": "ash"}}}, "session.audio.output"),
        ({"include": ["all"]}, "session.include[0]"),
    ],
)
def test_a_transcription_session_has_no_more_than_it_needs(session: dict[str, Any], param: str) -> None:
    error = Desk(kind="transcription").send("session.update", session={"type": "transcription", **session})
    assert error[0]["error"]["param"] == param
