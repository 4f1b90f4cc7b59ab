from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve
from openai.types.chat import (
    ChatCompletionMessageParam,
    ChatCompletionToolChoiceOptionParam,
    ChatCompletionToolUnionParam,
)
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from pydantic import TypeAdapter

from rtassist.protocol import (
    AssistantContent,
    AssistantMessage,
    FunctionCall,
    FunctionCallOutput,
    FunctionTool,
    Item,
    McpCall,
    McpTool,
    SystemContent,
    SystemMessage,
    ToolChoiceFunction,
    ToolChoiceMcp,
    UnknownTool,
    UserContent,
    UserMessage,
)
from rtassist.server.endpoints.messages import messages, request
from rtassist.server.parts import Ask


def system(text: str) -> Item:
    return SystemMessage(content=(SystemContent(type="input_text", text=text),))


def typed(text: str) -> Item:
    return UserMessage(content=(UserContent(type="input_text", text=text),))


def spoken(transcript: str | None) -> Item:
    return UserMessage(content=(UserContent(type="input_audio", transcript=transcript),))


def written(text: str) -> Item:
    return AssistantMessage(content=(AssistantContent(type="output_text", text=text),))


def said(transcript: str) -> Item:
    return AssistantMessage(content=(AssistantContent(type="output_audio", transcript=transcript),))


def call(id: str, arguments: str = "{}", name: str = "f") -> Item:
    return FunctionCall(call_id=id, name=name, arguments=arguments)


def result(id: str, output: str = "done") -> Item:
    return FunctionCallOutput(call_id=id, output=output)


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def assistant(content: str | None, *calls: tuple[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {"role": "assistant", "content": content}
    if calls:
        made["tool_calls"] = [
            {"id": id, "type": "function", "function": {"name": "f", "arguments": arguments}}
            for id, arguments in calls
        ]
    return made


def tool(id: str, content: str = "done") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id, "content": content}


NO_RESULT = "[There is no result yet.]"
NOT_HEARD = "[The user said something that could not be heard.]"


@pytest.mark.parametrize(
    ("items", "made"),
    [
        ([], []),
        ([typed("Hi"), written("Hello."), spoken("Bye")], [user("Hi"), assistant("Hello."), user("Bye")]),
        ([system("Be brief."), typed("Hi")], [{"role": "system", "content": "Be brief."}, user("Hi")]),
        ([said("I am"), typed("stop"), typed("now")], [assistant("I am"), user("stop\nnow")]),
        ([typed("a"), said(""), AssistantMessage(), typed(" ")], [user("a")]),
        ([UserMessage(content=None), spoken(None)], [user(NOT_HEARD)]),
        (
            [typed("t"), call("1", '{"x":1}'), result("1", "4"), said("Four.")],
            [user("t"), assistant(None, ("1", '{"x":1}')), tool("1", "4"), assistant("Four.")],
        ),
        (
            [said("Wait."), call("1"), call("2"), result("2", "b"), result("1", "a")],
            [assistant("Wait.", ("1", "{}"), ("2", "{}")), tool("1", "a"), tool("2", "b")],
        ),
        (
            [call("1"), result("1"), call("2"), result("2")],
            [assistant(None, ("1", "{}")), tool("1"), assistant(None, ("2", "{}")), tool("2")],
        ),
        (
            [call("1"), typed("And?"), result("1", "late"), typed("So?")],
            [assistant(None, ("1", "{}")), tool("1", "late"), user("And?\nSo?")],
        ),
        ([call("1", '{"x'), typed("?")], [assistant(None, ("1", "{}")), tool("1", NO_RESULT), user("?")]),
        ([call("1", "[]")], [assistant(None, ("1", "{}")), tool("1", NO_RESULT)]),
        ([result("gone"), typed("Hi")], [user("Hi")]),
        ([McpCall(id="m", server_label="s", name="n", arguments="{}"), typed("Hi")], [user("Hi")]),
    ],
)  # fmt: skip
def test_history(items: list[Item], made: list[dict[str, Any]]) -> None:
    assert messages(items, "") == made


def test_instructions_come_first() -> None:
    assert messages([typed("Hi")], "Be kind.") == [{"role": "system", "content": "Be kind."}, user("Hi")]
    assert messages([system("In German."), typed("Hi")], "Be kind.") == [
        {"role": "system", "content": "Be kind.\nIn German."},
        user("Hi"),
    ]


def test_an_image_is_a_part_of_its_own() -> None:
    item = UserMessage(
        content=(
            UserContent(type="input_text", text="What is this?"),
            UserContent(type="input_image", image_url="data:image/png;base64,AA==", detail="low"),
            UserContent(type="input_image", image_url="data:image/png;base64,BB=="),
        )
    )
    (message,) = messages([item], "")
    assert message["content"] == [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,BB=="}},
    ]


SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}}
ASK = Ask(
    items=(typed("Hi"),),
    instructions="Be kind.",
    tools=(
        FunctionTool(name="f", description="Does f.", parameters=SCHEMA),
        McpTool(server_label="s", server_url="https://mcp.example"),
        UnknownTool(type="telepathy", fields={"type": "telepathy"}),
        FunctionTool(name="g"),
    ),
    tool_choice="auto",
    now=datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
    understood=True,
)


def test_tools_are_passed_through() -> None:
    body = request(ASK, "m")
    assert (body["model"], body["stream"]) == ("m", True)
    assert body["tools"] == [
        {"type": "function", "function": {"name": "f", "description": "Does f.", "parameters": SCHEMA}},
        {"type": "function", "function": {"name": "g", "parameters": {"type": "object", "properties": {}}}},
    ]
    assert "tool_choice" not in body


@pytest.mark.parametrize(
    ("choice", "made"),
    [
        ("required", "required"),
        (ToolChoiceFunction(name="g"), {"type": "function", "function": {"name": "g"}}),
        (ToolChoiceMcp(server_label="s"), None),
        ("auto", None),
    ],
)
def test_the_choice_of_a_tool(choice: Any, made: object) -> None:
    assert request(evolve(ASK, tool_choice=choice), "m").get("tool_choice") == made


def test_the_openai_package_takes_it_for_a_request() -> None:
    image = UserContent(type="input_image", image_url="data:image/png;base64,AA==", detail="low")
    items = (
        system("Be brief."),
        UserMessage(content=(UserContent(type="input_text", text="What is this?"), image)),
        said("Let me look."),
        call("1", '{"x":1}'),
        call("2"),
        result("1", "4"),
        typed("Well?"),
    )
    body = request(evolve(ASK, items=items, tool_choice=ToolChoiceFunction(name="f")), "m")
    assert [message["role"] for message in body["messages"]] == [
        "system",
        "user",
        "assistant",
        "tool",
        "tool",
        "user",
    ]
    TypeAdapter(list[ChatCompletionMessageParam]).validate_python(body["messages"], strict=True)
    TypeAdapter(list[ChatCompletionToolUnionParam]).validate_python(body["tools"], strict=True)
    TypeAdapter(ChatCompletionToolChoiceOptionParam).validate_python(body["tool_choice"], strict=True)
    known = CompletionCreateParamsStreaming
    assert body.keys() <= known.__required_keys__ | known.__optional_keys__


def test_no_tools() -> None:
    for ask in (evolve(ASK, tools=()), evolve(ASK, tool_choice="none"), evolve(ASK, tools=ASK.tools[1:3])):
        assert request(ask, "m").keys() == {"model", "stream", "messages"}


def test_what_was_not_understood_calls_no_function() -> None:
    body = request(evolve(ASK, understood=False), "m")
    assert "tools" not in body
    assert body["messages"][0]["content"].startswith("Be kind.\n\nThe user's last words")
    assert (
        request(evolve(ASK, understood=False, instructions=""), "m")["messages"][0]["content"][:8]
        == "The user"
    )
